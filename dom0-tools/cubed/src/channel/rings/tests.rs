//! The rings against a small hypervisor end, on the same memory mapped twice.

use super::*;
use abi::channel::AREA_SIZE;
use abi::event::segment;
use std::cell::Cell;

const AREA: usize = AREA_SIZE as usize;

/// Works off at most `batch` commands a doorbell; result = first argument + 1, and `args[3]` is changed.
struct End {
    channel: Mapping,
    detail: Mapping,
    batch: u32,
    attached: Cell<bool>,
}

fn pair(batch: u32) -> (Rings, End) {
    let file = |name: &str| {
        let file = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, AREA_SIZE).unwrap();
        (Mapping::new(&file, 0, AREA).unwrap(), Mapping::new(&file, 0, AREA).unwrap())
    };
    let (ours, theirs) = file("channel");
    let (our_detail, their_detail) = file("detail");
    ours.store(layout::EVENT_TAIL as usize, 77, Ordering::Relaxed);
    (Rings::new(ours, our_detail), End { channel: theirs, detail: their_detail, batch, attached: Cell::new(true) })
}

impl Bell for End {
    fn ring(&self) {
        if !self.attached.get() {
            return;
        }
        let mut head = self.channel.load(layout::COMMAND_HEAD as usize, Ordering::Acquire);
        let tail = self.channel.load(layout::COMMAND_TAIL as usize, Ordering::Acquire);
        assert!(tail.wrapping_sub(head) <= COMMANDS, "the ring overflowed");
        for _ in 0..self.batch {
            if head == tail {
                break;
            }
            let mut entry: CommandEntry = self.channel.read(command_offset(head));
            entry.command.result = entry.command.args[0].cast_signed() + 1;
            entry.command.args[3] = 42;
            self.channel.write(command_offset(head), &entry);
            head = head.wrapping_add(1);
        }
        self.channel.store(layout::COMMAND_HEAD as usize, head, Ordering::Release);
    }

    fn attached(&self) -> bool {
        self.attached.get()
    }
}

impl End {
    fn post(&self, event: Event, segments: &[Segment]) {
        let tail = self.channel.load(layout::EVENT_TAIL as usize, Ordering::Relaxed);
        let index = (tail % EVENTS) as usize;
        self.channel.write(layout::EVENTS as usize + index * 64, &event);
        let base = index * DETAIL_SIZE as usize;
        let detail = RequestDetail {
            header: [9; 64],
            segments: u32::try_from(segments.len()).unwrap(),
            header_len: 16,
            reserved: [0; 7],
        };
        self.detail.write(base, &detail);
        for (i, segment) in segments.iter().enumerate() {
            self.detail.write(base + 128 + i * 32, segment);
        }
        self.channel.store(layout::EVENT_TAIL as usize, tail.wrapping_add(1), Ordering::Release);
    }
}

#[test]
fn commands_beyond_the_ring_come_back_in_order() {
    let (rings, end) = pair(100);
    for round in 0..3u64 {
        let mut commands: Vec<Command> =
            (0..2500).map(|i| Command { args: [round * 10_000 + i, 0, 0, 0, 0], ..Command::default() }).collect();
        rings.submit(&mut commands, &end).unwrap();
        for (i, command) in (0i64..).zip(&commands) {
            assert_eq!(command.result, round.cast_signed() * 10_000 + i + 1);
            assert_eq!(command.args[3], 42);
        }
    }
}

#[test]
fn a_detached_and_a_stuck_hypervisor_are_told_apart() {
    let (rings, end) = pair(0);
    assert_eq!(rings.submit(&mut [Command::default()], &end), Err(Lost::Stuck));
    assert!(Lost::Stuck.to_string().ends_with(Lost::Stuck.hint()));
    end.attached.set(false);
    assert_eq!(rings.submit(&mut [Command::default()], &end), Err(Lost::Detached));
}

#[test]
fn events_carry_their_detail_and_free_their_entry() {
    let (rings, end) = pair(0);
    assert!(rings.next_event().is_none());
    let segment = Segment { kind: segment::DATA, len: 512, ..Segment::default() };
    for id in 0..u64::from(EVENTS) * 2 + 3 {
        let event = Event { kind: kind::REQUEST, domain: 1, args: [id, 3, 0, 528, 1, 2, 0] };
        end.post(event, &[segment, segment]);
        let got = rings.next_event().unwrap();
        assert_eq!((got.event.args[0], got.segments.len()), (id, 2));
        assert_eq!(got.segments[1], segment);
        assert_eq!(got.detail.unwrap().header_len, 16);
    }
    assert!(rings.next_event().is_none());
}

#[test]
fn a_wild_segment_count_is_cut() {
    let (rings, end) = pair(0);
    end.post(Event { kind: kind::REQUEST, ..Event::default() }, &vec![Segment::default(); 251]);
    assert_eq!(rings.next_event().unwrap().segments.len(), MAX_SEGMENTS);
}
