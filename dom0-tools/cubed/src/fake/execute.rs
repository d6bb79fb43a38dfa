//! The model works off commands.

use super::channel::Memory;
use super::model::{Device, Domain, Model, PageState, zero};
use abi::Error;
use abi::command::{Command, op};
use abi::domain::{BootState, DeviceConfig, DomainFlags, DomainInfo, state};
use abi::host::HostInfo;
use std::collections::BTreeMap;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Frames for domains, as the model tells them: 2 GiB.
const POOL: u64 = 1 << 19;
/// Pages of the largest domain that the model has tables for: 4 GiB.
const MOST_PAGES: u64 = 1 << 20;

type Answer = Result<u64, Error>;

impl Model {
    /// Works off one command, as the doorbell does.
    pub fn run(&mut self, command: &mut Command, memory: &Memory) {
        *self.counts.entry(command.op).or_default() += 1;
        let answer = self.execute(command, memory);
        if let Err(error) = answer
            && !matches!(error, Error::Again | Error::Cancelled)
        {
            self.refusals.push((command.op, error));
        }
        command.result = match answer {
            Ok(value) => value.cast_signed(),
            Err(error) => error.code(),
        };
    }

    fn execute(&mut self, command: &mut Command, memory: &Memory) -> Answer {
        let [a, b, c, d, e] = command.args;
        let id = command.domain;
        let dying = self.domains.get(&id).is_some_and(|domain| domain.state == state::DYING);
        if dying && !matches!(command.op, op::DESTROY | op::DOMAIN_INFO) {
            return Err(Error::NotFound);
        }
        match command.op {
            op::NOP => Ok(0),
            op::HOST_INFO => self.host_info(a, memory),
            op::READ_LOG => {
                command.args[3] = a;
                Ok(0)
            }
            op::LIST_DOMAINS => self.list(a, b, memory),
            op::CREATE => self.create(command.args, memory),
            op::ADD_DEVICE => {
                let config = memory.read(e, size_of::<DeviceConfig>()).ok_or(Error::BadBuffer)?;
                let config = DeviceConfig::read_from_bytes(&config).unwrap();
                let domain = self.building(id)?;
                let slot = u32::try_from(a).unwrap();
                if domain.devices.contains_key(&slot) || slot >= abi::platform::VIRTIO_SLOTS || c & 0xffff == 0 {
                    return Err(Error::Invalid);
                }
                let config = config.bytes[..config.len as usize].to_vec();
                domain.devices.insert(slot, Device { kind: u32::try_from(b).unwrap(), features: d, config });
                Ok(0)
            }
            op::LOAD => self.load(id, a, b, c, memory),
            op::SET_BOOT_STATE => {
                memory.read(a, size_of::<BootState>()).ok_or(Error::BadBuffer)?;
                self.building(id)?.booted = true;
                Ok(0)
            }
            op::START => self.change(id, |s, domain| {
                (s == state::PAUSED || s == state::BUILDING && domain.booted).then_some(state::RUNNING)
            }),
            op::PAUSE => self.change(id, |s, _| (s == state::RUNNING).then_some(state::PAUSED)),
            op::DESTROY => {
                let domain = self.find(id)?;
                domain.state = state::DYING;
                domain.teardown += 1;
                if domain.teardown < 3 {
                    return Err(Error::Again);
                }
                self.domains.remove(&id);
                Ok(0)
            }
            op::POWER_BUTTON => {
                self.find(id)?.power_button += 1;
                Ok(0)
            }
            op::DOMAIN_INFO => self.domain_info(id, a, memory),
            op::SET_LIMIT => {
                let domain = self.find(id)?;
                if a == 0 || a > domain.memory {
                    return Err(Error::Invalid);
                }
                domain.limit = a;
                domain.reclaim = true;
                Ok(0)
            }
            op::SET_BALLOON => {
                let domain = self.find(id)?;
                if !domain.devices.values().any(|device| device.kind == abi::platform::VIRTIO_BALLOON) {
                    return Err(Error::NotFound);
                }
                domain.balloon = a;
                Ok(0)
            }
            op::SET_FLAGS => {
                self.find(id)?.flags = DomainFlags::from_bits(a).ok_or(Error::Invalid)?;
                Ok(0)
            }
            op::RETRY => {
                self.find(id)?.reclaim = true;
                Ok(0)
            }
            op::UART_INPUT => {
                let bytes: Vec<u8> = [b, c, d, e].iter().flat_map(|word| word.to_le_bytes()).collect();
                let bytes = bytes.get(..usize::try_from(a).unwrap()).ok_or(Error::Invalid)?;
                self.find(id)?.uart_input.extend_from_slice(bytes);
                Ok(a)
            }
            op::COPY_OUT => self.copy_out(id, a, b, c, d, memory),
            op::COPY_IN => self.copy_in(id, a, b, c, d, memory),
            op::COMPLETE => self.complete(id, a, b, c),
            op::COPY_PAGE => self.copy_page(id, a, b, memory),
            op::PAGE_OUT_DONE => self.page_out_done(id, a, b),
            op::PAGE_OUT_FAILED => self.page_out_failed(id, a),
            op::PAGE_IN_DONE => self.page_in_done(id, a, b, c, d, memory),
            op::PAGE_IN_FAILED => self.page_in_failed(id, a, b),
            op::LIST_SWAPPED => {
                let (count, next) = self.list_swapped(id, a, b, c, memory)?;
                command.args[3] = next;
                Ok(count)
            }
            op::MOVE_REFERENCE => self.move_reference(id, a, b, c),
            _ => Err(Error::Unknown),
        }
    }

    pub fn find(&mut self, id: u32) -> Result<&mut Domain, Error> {
        self.domains.get_mut(&id).ok_or(Error::NotFound)
    }

    fn building(&mut self, id: u32) -> Result<&mut Domain, Error> {
        let domain = self.find(id)?;
        if domain.state == state::BUILDING { Ok(domain) } else { Err(Error::State) }
    }

    fn change(&mut self, id: u32, to: impl Fn(u32, &Domain) -> Option<u32>) -> Answer {
        let domain = self.find(id)?;
        domain.state = to(domain.state, domain).ok_or(Error::State)?;
        Ok(0)
    }

    fn host_info(&self, buffer: u64, memory: &Memory) -> Answer {
        let mut info = HostInfo::new_zeroed();
        info.abi_version = abi::VERSION;
        info.vendor = 2;
        info.cpus = 2;
        info.pool = POOL;
        info.domains = u32::try_from(self.domains.len()).unwrap();
        memory.write(buffer, info.as_bytes()).ok_or(Error::BadBuffer)?;
        Ok(size_of::<HostInfo>() as u64)
    }

    fn list(&self, buffer: u64, len: u64, memory: &Memory) -> Answer {
        let ids: Vec<u8> = self.domains.keys().flat_map(|id| id.to_le_bytes()).collect();
        let fits = ids.len().min(usize::try_from(len).unwrap() / 4 * 4);
        memory.write(buffer, &ids[..fits]).ok_or(Error::BadBuffer)?;
        Ok(self.domains.len() as u64)
    }

    fn create(&mut self, [vcpus, pages, limit, flags, name]: [u64; 5], memory: &Memory) -> Answer {
        let name = memory.read(name, 64).ok_or(Error::BadBuffer)?;
        if vcpus == 0 || pages == 0 || limit == 0 {
            return Err(Error::Invalid);
        }
        if pages > MOST_PAGES {
            return Err(Error::NoMemory);
        }
        let id = self.next_domain;
        self.next_domain += 1;
        let domain = Domain {
            name: String::from_utf8(name).unwrap().trim_end_matches('\0').to_owned(),
            state: state::BUILDING,
            reason: 0,
            detail: 0,
            vcpus: u32::try_from(vcpus).unwrap(),
            memory: pages,
            limit,
            flags: DomainFlags::from_bits(flags).ok_or(Error::Invalid)?,
            booted: false,
            balloon: 0,
            devices: BTreeMap::new(),
            pages: BTreeMap::new(),
            requests: BTreeMap::new(),
            used: BTreeMap::new(),
            reclaim: true,
            power_button: 0,
            uart_input: Vec::new(),
            teardown: 0,
        };
        self.domains.insert(id, domain);
        Ok(u64::from(id))
    }

    fn load(&mut self, id: u32, gfn: u64, buffer: u64, pages: u64, memory: &Memory) -> Answer {
        let domain = self.building(id)?;
        if !(1..=512).contains(&pages) {
            return Err(Error::Invalid);
        }
        for i in 0..pages {
            let bytes = memory.read(buffer + i * 4096, 4096).ok_or(Error::BadBuffer)?;
            let mut frame = zero();
            frame.copy_from_slice(&bytes);
            domain.pages.insert(gfn + i, PageState::Resident { frame, named: false });
        }
        Ok(pages)
    }

    fn domain_info(&mut self, id: u32, buffer: u64, memory: &Memory) -> Answer {
        let domain = self.find(id)?;
        let mut info = DomainInfo::new_zeroed();
        info.domain = id;
        info.state = domain.state;
        info.reason = domain.reason;
        info.detail = domain.detail;
        info.vcpus = domain.vcpus;
        info.flags = domain.flags.bits();
        info.name[..domain.name.len()].copy_from_slice(domain.name.as_bytes());
        info.memory = domain.memory;
        info.limit = domain.limit;
        info.balloon_target = domain.balloon;
        info.resident = domain.pages.values().filter(|p| matches!(p, PageState::Resident { .. })).count() as u64;
        info.swapped = domain.pages.values().filter(|p| matches!(p, PageState::Swapped(_))).count() as u64;
        info.live_requests = domain.requests.len() as u64;
        memory.write(buffer, info.as_bytes()).ok_or(Error::BadBuffer)?;
        Ok(size_of::<DomainInfo>() as u64)
    }
}
