//! A 16550 for early output (National Semiconductor PC16550D), and the debug port.
//!
//! Its transmitter is as fast as dom0 takes events: it is empty while there is room for as much as a driver writes at once.

use heapless::Deque;

/// Bytes that one event carries.
pub const PIECE: usize = 48;
/// Bytes that a driver may write once it has seen the transmitter empty.
const FIFO: usize = 16;
/// Line status: the transmitter is empty.
const EMPTY: u8 = 0x60;
/// Interrupts enabled: received data, transmitter empty.
const ON_INPUT: u8 = 1;
const ON_EMPTY: u8 = 2;

/// The registers that a console driver looks at.
pub struct Uart {
    divisor: [u8; 2],
    interrupts: u8,
    line: u8,
    modem: u8,
    scratch: u8,
    out: heapless::Vec<u8, PIECE>,
    /// Where in the event ring the last piece went.
    pub place: u32,
    input: Deque<u8, 64>,
}

impl Uart {
    /// After reset.
    pub const fn new() -> Self {
        Self {
            divisor: [1, 0],
            interrupts: 0,
            line: 3,
            modem: 0,
            scratch: 0,
            out: heapless::Vec::new(),
            place: 0,
            input: Deque::new(),
        }
    }

    fn latched(&self) -> bool {
        self.line >> 7 & 1 == 1
    }

    /// Reads a register.
    pub fn read(&mut self, register: u16) -> u8 {
        match register {
            0 | 1 if self.latched() => self.divisor[usize::from(register)],
            0 => self.input.pop_front().unwrap_or(0),
            1 => self.interrupts,
            2 => {
                0xc0 | if self.input_due() {
                    4
                } else if self.empty_due() {
                    2
                } else {
                    1
                }
            }
            3 => self.line,
            4 => self.modem,
            5 => (EMPTY * u8::from(self.is_empty())) | u8::from(!self.input.is_empty()),
            6 => 0xb0,
            _ => self.scratch,
        }
    }

    /// Writes a register. True if an interrupt is due: the transmitter may be empty again at once, and input may wait.
    pub fn write(&mut self, register: u16, value: u8) -> bool {
        match register {
            0 | 1 if self.latched() => self.divisor[usize::from(register)] = value,
            0 => {
                self.output(value);
                return self.empty_due();
            }
            1 => {
                self.interrupts = value & 15;
                return self.empty_due() || self.input_due();
            }
            3 => self.line = value,
            4 => self.modem = value,
            7 => self.scratch = value,
            _ => {}
        }
        false
    }

    /// Collects a byte; one too many is lost.
    pub fn output(&mut self, byte: u8) {
        let _ = self.out.push(byte);
    }

    fn is_empty(&self) -> bool {
        PIECE - self.out.len() >= FIFO
    }

    /// What should be sent now: a whole line, or what keeps the transmitter from being empty.
    pub fn due(&self) -> bool {
        !self.is_empty() || self.out.last() == Some(&b'\n')
    }

    /// The bytes collected.
    pub fn collected(&self) -> &[u8] {
        &self.out
    }

    /// They were sent. True if that is to interrupt.
    pub fn sent(&mut self) -> bool {
        let was_empty = self.is_empty();
        self.out.clear();
        !was_empty && self.empty_due()
    }

    /// Input from dom0; how many bytes fitted.
    pub fn input(&mut self, bytes: &[u8]) -> usize {
        bytes.iter().take_while(|&&byte| self.input.push_back(byte).is_ok()).count()
    }

    /// True if input should interrupt.
    pub fn input_due(&self) -> bool {
        self.interrupts & ON_INPUT != 0 && !self.input.is_empty()
    }

    fn empty_due(&self) -> bool {
        self.interrupts & ON_EMPTY != 0 && self.is_empty()
    }
}
