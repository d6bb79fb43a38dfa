//! A map with one disk, and single steps of it.

use abi::BlockRef;
use tesseract::*;

pub const P: PageId = PageId { domain: 1, page: 5 };
pub const R: RequestId = RequestId { domain: 1, request: 9 };

pub fn map() -> Map {
    let mut map = Map::new(Config::new(256));
    map.attach(3, 1 << 20).unwrap();
    map
}

/// The single action of a call.
pub fn one(actions: Vec<Action>) -> Action {
    assert_eq!(actions.len(), 1, "{actions:?}");
    actions.into_iter().next().unwrap()
}

/// Pages `P` out; the slot that it went to.
pub fn swap_out(map: &mut Map, page: PageId) -> BlockRef {
    let write = one(map.page_out(page, false));
    let Op::Write { to, ref pieces } = write.op else { panic!("{write:?}") };
    assert_eq!((to.medium, pieces.as_slice()), (Medium::Store, &[Piece { len: 4096, source: Source::Page(page) }][..]));
    let done = one(map.complete(write.id, Outcome::Done));
    let Op::PageOutDone { block, .. } = done.op else { panic!("{done:?}") };
    assert!(map.complete(done.id, Outcome::Done).is_empty());
    block
}

pub fn write_of(page: PageId, block: BlockRef) -> [WriteSegment; 1] {
    [WriteSegment { len: 4096, payload: Payload::Reference { page: page.page, block } }]
}
