//! A host: model, drives, the daemon's directory, and the daemon.

use crate::daemon::{Client, Daemon, Reply, Settings};
use crate::disks::model::{Accesses, Drives};
use crate::disks::open::{StoreChoice, open};
use crate::disks::{Disks, Media};
use crate::domains::StateDir;
use crate::fake::{Fake, Model, Piece};
use protocol::{Call, Failure, Payload, Request, Response, Source};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct World {
    pub model: Rc<RefCell<Model>>,
    pub drives: Rc<RefCell<Drives>>,
    pub daemon: Option<Daemon<Fake>>,
    pub dir: tempfile::TempDir,
    /// Time that passes only when a test says so, added to the real time.
    pub ahead: Duration,
    pub pages: usize,
    /// Real files and the real store instead of drives in memory.
    pub real: bool,
    /// False: the next daemon is started without a store.
    pub store: bool,
    clients: u64,
}

impl World {
    pub fn new() -> Self {
        Self::with(256, 1)
    }

    pub fn with(slots: usize, seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("kernel"), kernel()).unwrap();
        let mut world = Self {
            model: Model::new(),
            drives: Drives::new(slots, seed),
            daemon: None,
            dir,
            ahead: Duration::ZERO,
            pages: 2,
            real: false,
            store: true,
            clients: 0,
        };
        world.start();
        world
    }

    /// With a store of 32 MiB in a file.
    pub fn on_files() -> Self {
        let mut world = Self::new();
        world.kill();
        world.real = true;
        world.start();
        world
    }

    pub fn start(&mut self) {
        assert!(self.daemon.is_none());
        let dir = StateDir::open(self.dir.path().join("run")).unwrap();
        let disks = if self.real { self.stored() } else { self.modelled() };
        let settings = Settings { dir, wake: Arc::new(|| {}) };
        let channel = Fake::attach(&self.model, self.pages);
        self.daemon = Some(Daemon::new(channel, disks, settings, self.now()).unwrap());
    }

    fn stored(&self) -> Disks {
        let store = Some(self.dir.path().join("store"));
        let choice = StoreChoice { path: store, size: 32 << 20, in_memory: true };
        open(&choice, self.dir.path()).unwrap().0
    }

    fn modelled(&self) -> Disks {
        let known = self.drives.borrow().numbers.keys().cloned().collect();
        let media = Media::new(self.store.then(|| "/store".into()), known);
        let map = self.drives.borrow().map();
        Disks::new(map, Box::new(Accesses::new(&self.drives)), media)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.daemon = None;
    }

    pub fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    pub fn daemon(&mut self) -> &mut Daemon<Fake> {
        self.daemon.as_mut().expect("the daemon runs")
    }

    /// One step; a daemon whose fuse has burnt is killed and started again.
    pub fn step(&mut self) {
        let now = self.now();
        self.daemon().step(now);
        if self.daemon().lost().is_some() {
            self.kill();
            self.start();
        }
    }

    /// Steps until `done` gives something.
    pub fn until<T>(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(value) = done(self) {
                return value;
            }
            assert!(Instant::now() < end, "waited in vain for {what}: {:?}", self.model.borrow().refusals);
            self.step();
        }
    }

    /// Steps until nothing moves.
    pub fn settle(&mut self) {
        let mut quiet = 0;
        self.until("quiet", |world| {
            let idle =
                world.daemon().disks().idle() && !world.daemon().busy() && world.model.borrow().events.is_empty();
            quiet = if idle { quiet + 1 } else { 0 };
            (quiet > 3).then_some(())
        });
    }

    pub fn ask(&mut self, request: Request) -> (Client, Reply) {
        self.clients += 1;
        let client = Client(self.clients);
        let now = self.now();
        let reply = self.daemon().request(client, Call::new(request), now);
        (client, reply)
    }

    /// The answer to a request, waited for if need be.
    pub fn answer(&mut self, request: Request) -> Result<Payload, Failure> {
        let (client, reply) = self.ask(request);
        match reply {
            Reply::Now(response) | Reply::Shutdown(response) => response.into_result(),
            Reply::Later => self.wait_for(client).into_result(),
            Reply::Console { response, .. } | Reply::Follow { response, .. } => response.into_result(),
        }
    }

    pub fn wait_for(&mut self, client: Client) -> Response {
        self.until("an answer", |world| {
            let outputs = world.daemon().take_outputs();
            outputs.into_iter().find(|output| output.client == client).map(|output| output.response)
        })
    }

    pub fn disk(&mut self, name: &str, blocks: usize) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::File::create(&path).unwrap().set_len(blocks as u64 * 4096).unwrap();
        let real = std::fs::canonicalize(&path).unwrap();
        self.drives.borrow_mut().disks.insert(real.clone(), vec![0; blocks * 4096]);
        real
    }

    pub fn toml(&self, name: &str, more: &str) -> Source {
        let kernel = self.dir.path().join("kernel");
        let text =
            format!("name = \"{name}\"\nmemory = \"16M\"\nkernel = \"{}\"\ncmdline = \"x\"\n{more}", kernel.display());
        Source::Text { text, file: self.dir.path().join(format!("{name}.toml")) }
    }

    pub fn create(&mut self, name: &str, more: &str) -> u32 {
        let source = self.toml(name, more);
        match self.answer(Request::Create { source, paused: false }) {
            Ok(Payload::Created { id, .. }) => id,
            other => panic!("not created: {other:?}"),
        }
    }

    pub fn create_with_disk(&mut self, name: &str, blocks: usize) -> (u32, PathBuf) {
        let path = self.disk(&format!("{name}.img"), blocks);
        let more = format!("[[disks]]\npath = \"{}\"\nserial = \"first\"\n", path.display());
        (self.create(name, &more), path)
    }

    /// A block request that goes through; its status byte and the other writable bytes.
    pub fn block(&mut self, id: u32, kind: u32, sector: u64, out: &[Piece], into: &[Piece]) -> (u8, Vec<u8>) {
        self.block_at(id, 0, kind, sector, out, into)
    }

    /// The same, of the device in this slot.
    pub fn block_at(
        &mut self,
        id: u32,
        slot: u32,
        kind: u32,
        sector: u64,
        out: &[Piece],
        into: &[Piece],
    ) -> (u8, Vec<u8>) {
        let mut readable = vec![Piece::Bytes(header(kind, sector))];
        readable.extend_from_slice(out);
        let mut writable = into.to_vec();
        writable.push(Piece::Bytes(vec![0xee]));
        let name = self.until("a request", |world| world.model.borrow_mut().request(id, slot, 0, &readable, &writable));
        let used = self.until("an answer", |world| world.model.borrow_mut().answer(id, name));
        let (status, bytes) = used.bytes.split_last().unwrap();
        (*status, bytes.to_vec())
    }

    pub fn load_page(&mut self, id: u32, gfn: u64) -> u8 {
        let page = self.until("a page", |world| world.model.borrow_mut().load_page(id, gfn));
        assert!(page.iter().all(|byte| *byte == page[0]), "a page is mixed up");
        page[0]
    }

    pub fn store_page(&mut self, id: u32, gfn: u64, value: u8) {
        let page = Box::new([value; 4096]);
        self.until("a page", |world| world.model.borrow_mut().store(id, gfn, &page).then_some(()));
    }
}

pub fn header(kind: u32, sector: u64) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &[0; 4], &sector.to_le_bytes()].concat()
}

/// The smallest kernel with a PVH entry: an ELF file with a note and a page of code.
fn kernel() -> Vec<u8> {
    let mut elf = vec![0; 0x2000];
    let mut put = |at: usize, bytes: &[u8]| elf[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &[2, 0, 62, 0, 1, 0, 0, 0]);
    put(24, &0x10_0000u64.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(52, &[64, 0, 56, 0, 2, 0]);
    let mut segment = |at: usize, kind: u32, offset: u64, address: u64, len: u64| {
        put(at, &kind.to_le_bytes());
        put(at + 4, &5u32.to_le_bytes());
        for (i, word) in [offset, address, address, len, len, 4096].into_iter().enumerate() {
            put(at + 8 + i * 8, &word.to_le_bytes());
        }
    };
    segment(64, 1, 0x1000, 0x10_0000, 0x1000);
    segment(120, 4, 0x200, 0, 20);
    let mut put = |at: usize, bytes: &[u8]| elf[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x200, &[4, 0, 0, 0, 4, 0, 0, 0, 18, 0, 0, 0]);
    put(0x20c, b"Xen\0");
    put(0x210, &0x10_0000u32.to_le_bytes());
    put(0x1000, &[0xf4; 16]);
    elf
}
