//! DSDT: devices and the power-off sleep state.

use super::{OEM, OEM_TABLE, REVISION};
use abi::platform::{EVENT_GSI, EVENT_PORT, UART_GSI, UART_PORT, VIRTIO_BASE, VIRTIO_GSI, VIRTIO_SLOTS, VIRTIO_STRIDE};
use acpi_tables::Aml;
use acpi_tables::aml::{
    And, Device, EISAName, Field, FieldAccessType, FieldEntry, FieldLockRule, FieldUpdateRule, IO, If, Interrupt,
    Local, Memory32Fixed, Method, Name, Notify, OpRegion, OpRegionSpace, PackageBuilder, Path, ResourceTemplate, Scope,
    Store, ZERO,
};
use acpi_tables::sdt::Sdt;

/// Sleep type of S5. The hypervisor looks at SLP_EN only; 5 is what other machines use.
const SLEEP_TYPE_S5: u8 = 5;
/// Bit of [`EVENT_PORT`]: the power button.
const EVENT_POWER_BUTTON: u8 = 1;
/// Notification of a button: pressed (ACPI 6.5, section 5.6.6).
const BUTTON_PRESSED: u8 = 0x80;

const _: () = assert!(VIRTIO_BASE + VIRTIO_SLOTS as u64 * VIRTIO_STRIDE <= u32::MAX as u64);

/// The table with the first `devices` virtio-mmio slots.
pub(super) fn dsdt(devices: usize) -> Sdt {
    let mut body = Vec::new();
    let slots: Vec<VirtioSlot> = (0..VIRTIO_SLOTS).take(devices).map(VirtioSlot).collect();
    let mut children: Vec<&dyn Aml> = vec![&Uart, &PowerButton, &EventDevice];
    children.extend(slots.iter().map(|slot| slot as &dyn Aml));
    Scope::new("\\_SB_".into(), children).to_aml_bytes(&mut body);
    let mut s5 = PackageBuilder::new();
    s5.add_element(&SLEEP_TYPE_S5);
    s5.add_element(&ZERO);
    s5.add_element(&ZERO);
    s5.add_element(&ZERO);
    Name::new("\\_S5_".into(), &s5).to_aml_bytes(&mut body);

    let mut table = Sdt::new(*b"DSDT", 36, 6, OEM, OEM_TABLE, REVISION);
    table.append_slice(&body);
    table
}

/// Edge triggered, active high, not shared.
fn interrupt(gsi: u32) -> Interrupt {
    Interrupt::new(true, true, false, false, gsi)
}

/// A virtio-mmio device (virtio 1.2, section 4.2.1; Linux binds `LNRO0005`).
struct VirtioSlot(u32);

impl Aml for VirtioSlot {
    fn to_aml_bytes(&self, sink: &mut dyn acpi_tables::AmlSink) {
        let n = self.0;
        let low = |address: u64| u32::try_from(address).unwrap_or(0);
        let name = format!("VR{n:02X}");
        Device::new(
            name.as_str().into(),
            vec![
                &Name::new("_HID".into(), &"LNRO0005"),
                &Name::new("_UID".into(), &n),
                &Name::new(
                    "_CRS".into(),
                    &ResourceTemplate::new(vec![
                        &Memory32Fixed::new(true, low(VIRTIO_BASE + u64::from(n) * VIRTIO_STRIDE), low(VIRTIO_STRIDE)),
                        &interrupt(VIRTIO_GSI + n),
                    ]),
                ),
            ],
        )
        .to_aml_bytes(sink);
    }
}

/// The 16550 for early output.
struct Uart;

impl Aml for Uart {
    fn to_aml_bytes(&self, sink: &mut dyn acpi_tables::AmlSink) {
        Device::new(
            "COM1".into(),
            vec![
                &Name::new("_HID".into(), &EISAName::new("PNP0501")),
                &Name::new("_UID".into(), &ZERO),
                &Name::new(
                    "_CRS".into(),
                    &ResourceTemplate::new(vec![&IO::new(UART_PORT, UART_PORT, 1, 8), &interrupt(UART_GSI)]),
                ),
            ],
        )
        .to_aml_bytes(sink);
    }
}

/// The power button (a control method button: ACPI 6.5, section 4.8.3.1.2.1).
struct PowerButton;

impl Aml for PowerButton {
    fn to_aml_bytes(&self, sink: &mut dyn acpi_tables::AmlSink) {
        Device::new(
            "PWRB".into(),
            vec![&Name::new("_HID".into(), &EISAName::new("PNP0C0C")), &Name::new("_UID".into(), &ZERO)],
        )
        .to_aml_bytes(sink);
    }
}

/// The generic event device (ACPI 6.5, section 5.6.9): its interrupt says that [`EVENT_PORT`] has
/// something to tell; reading the port clears it.
struct EventDevice;

impl Aml for EventDevice {
    fn to_aml_bytes(&self, sink: &mut dyn acpi_tables::AmlSink) {
        Device::new(
            "GED_".into(),
            vec![
                &Name::new("_HID".into(), &"ACPI0013"),
                &Name::new("_UID".into(), &ZERO),
                &Name::new("_CRS".into(), &ResourceTemplate::new(vec![&interrupt(EVENT_GSI)])),
                &OpRegion::new("EVTR".into(), OpRegionSpace::SystemIO, &EVENT_PORT, &1u8),
                &Field::new(
                    "EVTR".into(),
                    FieldAccessType::Byte,
                    FieldLockRule::NoLock,
                    FieldUpdateRule::WriteAsZeroes,
                    vec![FieldEntry::Named(*b"EVTB", 8)],
                ),
                &Method::new(
                    "_EVT".into(),
                    1,
                    true,
                    vec![
                        &Store::new(&Local(0), &Path::new("EVTB")),
                        &And::new(&Local(1), &Local(0), &EVENT_POWER_BUTTON),
                        &If::new(&Local(1), vec![&Notify::new(&Path::new("\\_SB_.PWRB"), &BUTTON_PRESSED)]),
                    ],
                ),
            ],
        )
        .to_aml_bytes(sink);
    }
}
