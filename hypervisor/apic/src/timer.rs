//! The local APIC's timer (SDM 11.5.4): one-shot, periodic and TSC-deadline. Depends on nothing.
//!
//! Time is the guest's TSC, given by the caller with every call; it may stand still or, across
//! physical CPUs, step back a little. Invariant: however late [`Timer::advance`] is called, it
//! reports at most one expiry, so a guest that was not run gets no burst.

/// Relation of the timer's input clock to the TSC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    bus_khz: u32,
    tsc_khz: u32,
}

impl Clock {
    /// Frequency of the timer's input clock, in kHz: a tick is a nanosecond.
    pub const BUS_KHZ: u32 = 1_000_000;

    /// For a TSC of `tsc_khz` kHz (0 is taken as 1).
    #[must_use]
    pub const fn new(tsc_khz: u32) -> Self {
        Self::with_bus(Self::BUS_KHZ, tsc_khz)
    }

    /// The same with a different input clock, in kHz.
    #[must_use]
    pub const fn with_bus(bus_khz: u32, tsc_khz: u32) -> Self {
        Self { bus_khz: if bus_khz == 0 { 1 } else { bus_khz }, tsc_khz: if tsc_khz == 0 { 1 } else { tsc_khz } }
    }

    /// Whole bus ticks in `tsc` TSC ticks.
    const fn bus(self, tsc: u64) -> u128 {
        tsc as u128 * self.bus_khz as u128 / self.tsc_khz as u128
    }

    /// TSC ticks after which `bus` bus ticks have passed.
    const fn tsc(self, bus: u64) -> u64 {
        let ticks = (bus as u128 * self.tsc_khz as u128).div_ceil(self.bus_khz as u128);
        if ticks > u64::MAX as u128 { u64::MAX } else { ticks as u64 }
    }
}

/// Mode, bits 17 and 18 of the timer's entry in the local vector table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Counts down once.
    OneShot,
    /// Counts down again and again.
    Periodic,
    /// Fires when the TSC reaches a value.
    Deadline,
}

impl Mode {
    /// From the entry; `None` for the reserved encoding.
    #[must_use]
    pub const fn of_entry(entry: u32) -> Option<Self> {
        match entry >> 17 & 3 {
            0 => Some(Self::OneShot),
            1 => Some(Self::Periodic),
            2 => Some(Self::Deadline),
            _ => None,
        }
    }
}

/// A countdown: at TSC `origin` it stood at `count` (not 0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Countdown {
    origin: u64,
    count: u32,
}

/// The timer's registers and what is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer {
    clock: Clock,
    mode: Mode,
    divide: u32,
    initial: u32,
    running: Option<Countdown>,
    deadline: u64,
}

impl Timer {
    /// Stopped, one-shot, divide by 2, as after reset.
    #[must_use]
    pub const fn new(clock: Clock) -> Self {
        Self { clock, mode: Mode::OneShot, divide: 0, initial: 0, running: None, deadline: 0 }
    }

    /// The clock it counts by.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Bus ticks per count: the divide register's bits 0, 1 and 3.
    const fn divisor(&self) -> u64 {
        let code = self.divide & 3 | self.divide >> 1 & 4;
        if code == 7 { 1 } else { 2 << code }
    }

    const fn span(&self, count: u32) -> u64 {
        self.clock.tsc(count as u64 * self.divisor())
    }

    /// TSC at which the timer next expires; `None` if it is stopped.
    #[must_use]
    pub fn expiry(&self) -> Option<u64> {
        match self.mode {
            Mode::Deadline => (self.deadline != 0).then_some(self.deadline),
            _ => self.running.map(|run| run.origin.saturating_add(self.span(run.count))),
        }
    }

    /// Lets time go on to `now`; true if the timer expired, however often.
    pub fn advance(&mut self, now: u64) -> bool {
        let Some(expiry) = self.expiry().filter(|at| *at <= now) else {
            return false;
        };
        self.deadline = 0;
        self.running = match self.mode {
            Mode::Periodic if self.initial != 0 => {
                let period = self.span(self.initial);
                let missed = (now - expiry) / period;
                Some(Countdown { origin: expiry + missed * period, count: self.initial })
            }
            _ => None,
        };
        true
    }

    /// Changes the mode. To or from TSC-deadline disarms the timer (SDM 11.5.4.1).
    pub fn set_mode(&mut self, mode: Mode) {
        if (mode == Mode::Deadline) != (self.mode == Mode::Deadline) {
            self.running = None;
            self.deadline = 0;
        }
        self.mode = mode;
    }

    /// The initial-count register.
    #[must_use]
    pub const fn initial(&self) -> u32 {
        self.initial
    }

    /// Writes the initial count and starts, or with 0 stops. Ignored in TSC-deadline mode.
    pub fn set_initial(&mut self, count: u32, now: u64) {
        if self.mode != Mode::Deadline {
            self.initial = count;
            self.running = (count != 0).then_some(Countdown { origin: now, count });
        }
    }

    /// The current count at `now`: 0 if stopped or in TSC-deadline mode.
    #[must_use]
    pub fn current(&self, now: u64) -> u32 {
        self.running.map_or(0, |run| {
            let gone = self.clock.bus(now.saturating_sub(run.origin)) / u128::from(self.divisor());
            u32::try_from(gone).map_or(0, |gone| run.count.saturating_sub(gone))
        })
    }

    /// The divide-configuration register.
    #[must_use]
    pub const fn divide(&self) -> u32 {
        self.divide
    }

    /// Writes the divide configuration (a legal value); the current count goes on from where it stands.
    pub fn set_divide(&mut self, value: u32, now: u64) {
        let count = self.current(now);
        if let Some(run) = &mut self.running {
            // A count of 0 has expired without the caller having asked: it fires one count late.
            *run = Countdown { origin: now, count: count.max(1) };
        }
        self.divide = value;
    }

    /// `IA32_TSC_DEADLINE`: 0 if disarmed or in another mode.
    #[must_use]
    pub const fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Writes `IA32_TSC_DEADLINE`; ignored in another mode; 0 disarms.
    pub fn set_deadline(&mut self, deadline: u64) {
        if self.mode == Mode::Deadline {
            self.deadline = deadline;
        }
    }
}
