//! A domain's memory as a whole: frame table, page states and nested table together, under a
//! processor that remembers translations until it is told to forget them. Whatever happens, the
//! guest reads what it wrote, and no frame is reused while a translation to it is remembered.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "life/domain.rs"]
mod domain;
#[path = "life/processor.rs"]
mod processor;

use domain::Domain;
use paging::{Ept, Format, Gfn, Npt};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Read(Gfn),
    Write(Gfn, u64),
    Forget(Gfn),
    Evict(Gfn, Option<u64>),
    PageOut(Gfn, bool),
    PageIn(Gfn, bool),
    ClearDirty(Gfn, Option<u64>),
    ClearAccessed(Gfn),
    Discard(Gfn, Option<u64>),
    Balloon(Gfn),
    Deflate(Gfn),
    Pin(Gfn),
    Unpin(Gfn),
    ReadRequest(Gfn),
    Complete(Gfn, u64, bool),
}

fn op() -> impl Strategy<Value = Op> {
    let gfn = || (0..domain::PAGES).prop_map(Gfn);
    let value = || 1u64..1000;
    // A write by another vCPU between the removal of a translation and the flush.
    let late = || prop::option::of(value());
    prop_oneof![
        4 => gfn().prop_map(Op::Read),
        6 => (gfn(), value()).prop_map(|(gfn, value)| Op::Write(gfn, value)),
        1 => gfn().prop_map(Op::Forget),
        6 => (gfn(), late()).prop_map(|(gfn, late)| Op::Evict(gfn, late)),
        6 => (gfn(), any::<bool>()).prop_map(|(gfn, ok)| Op::PageOut(gfn, ok)),
        6 => (gfn(), any::<bool>()).prop_map(|(gfn, keep)| Op::PageIn(gfn, keep)),
        5 => (gfn(), late()).prop_map(|(gfn, late)| Op::ClearDirty(gfn, late)),
        1 => gfn().prop_map(Op::ClearAccessed),
        1 => (gfn(), late()).prop_map(|(gfn, late)| Op::Discard(gfn, late)),
        1 => gfn().prop_map(Op::Balloon),
        1 => gfn().prop_map(Op::Deflate),
        1 => gfn().prop_map(Op::Pin),
        1 => gfn().prop_map(Op::Unpin),
        1 => gfn().prop_map(Op::ReadRequest),
        2 => (gfn(), value(), any::<bool>()).prop_map(|(gfn, value, name)| Op::Complete(gfn, value, name)),
    ]
}

fn live<F: Format>(ops: Vec<Op>) {
    let mut domain = Domain::<F>::new();
    for op in ops {
        match op {
            Op::Read(gfn) => domain.read(gfn),
            Op::Write(gfn, value) => domain.write(gfn, value),
            Op::Forget(gfn) => domain.processor.forget(gfn),
            Op::Evict(gfn, late) => domain.evict(gfn, late),
            Op::PageOut(gfn, stored) => domain.page_out(gfn, stored),
            Op::PageIn(gfn, keep) => domain.page_in(gfn, keep),
            Op::ClearDirty(gfn, late) => domain.clear_dirty(gfn, late),
            Op::ClearAccessed(gfn) => domain.clear_accessed(gfn),
            Op::Discard(gfn, late) => domain.let_go(gfn, pages::Event::Discard, late),
            Op::Balloon(gfn) => domain.let_go(gfn, pages::Event::Balloon, None),
            Op::Deflate(gfn) => domain.deflate(gfn),
            Op::Pin(gfn) => domain.pin(gfn),
            Op::Unpin(gfn) => domain.unpin(gfn),
            Op::ReadRequest(gfn) => domain.read_request(gfn),
            Op::Complete(gfn, value, name) => domain.complete(gfn, value, name),
        }
        domain.check();
    }
    domain.end();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn on_npt(ops in prop::collection::vec(op(), 100..300)) {
        live::<Npt>(ops);
    }

    #[test]
    fn on_ept(ops in prop::collection::vec(op(), 100..300)) {
        live::<Ept>(ops);
    }
}
