//! Domain files: what is right is read, what is wrong is told, all of it and where.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use domain_builder::config::{check, parse, text};
use domain_builder::{Device, Domain, Policy, Reconcile};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const FULL: &str = r#"
name = "web-1"
vcpus = 4
memory = "1G"
limit = "300M"
kernel = "kernel"
initrd = "/boot/initrd"
cmdline = "root=/dev/vda1 console=hvc0"
console = true
entropy = false
on_crash = "keep"
on_reboot = "restart"

[reconcile]
r2 = false

[[disks]]
path = "root.img"
serial = "root"

[[disks]]
path = "/dev/sdb"
readonly = true
"#;

fn read(text: &str) -> Result<Domain, Vec<String>> {
    parse(text, Path::new("/etc/hypercube/x.toml")).map_err(|mistakes| {
        assert!(mistakes.iter().all(|m| !m.hint.is_empty() && !m.message.is_empty()), "{mistakes:?}");
        mistakes.iter().map(|m| m.to_string().trim_start_matches("/etc/hypercube/x.toml").to_owned()).collect()
    })
}

fn mistakes(text: &str) -> Vec<String> {
    read(text).expect_err("there are mistakes")
}

#[test]
fn a_full_file() {
    let domain = read(FULL).unwrap();
    assert_eq!((domain.name.as_str(), domain.vcpus, domain.memory, domain.limit), ("web-1", 4, 1 << 30, 300 << 20));
    assert_eq!(domain.kernel, Path::new("/etc/hypercube/kernel"));
    assert_eq!(domain.initrd.as_deref(), Some(Path::new("/boot/initrd")));
    assert_eq!((domain.on_reboot, domain.on_crash), (Policy::Restart, Policy::Keep));
    assert_eq!(domain.reconcile, Reconcile { r1: true, r2: false, r3: true });
    assert_eq!(domain.disks[0].path, Path::new("/etc/hypercube/root.img"));
    assert_eq!((domain.disks[1].serial.as_str(), domain.disks[1].readonly), ("disk1", true));
    let kinds: Vec<u32> = domain.devices().iter().map(|d| d.virtio_id()).collect();
    assert_eq!(kinds, [2, 2, 3, 5]);
    assert!(matches!(domain.devices()[1], Device::Block(1, _)));
}

#[test]
fn the_least_file() {
    let domain = read("name='a'\nmemory='64M'\nkernel='k'").unwrap();
    assert_eq!((domain.vcpus, domain.limit, domain.cmdline.as_str()), (1, 64 << 20, ""));
    assert!(domain.console && domain.entropy && domain.balloon && domain.disks.is_empty());
}

#[test]
fn an_empty_file_misses_three_keys() {
    assert_eq!(mistakes(""), [":1:1: name: is missing", ":1:1: memory: is missing", ":1:1: kernel: is missing"]);
}

#[test]
fn missing_keys_are_told_where_they_could_be_added() {
    let text = "name = 'a'\n\nvcpus = 1\n\n[[disks]]\nreadonly = true\n\n[reconcile]\nr1 = false\n";
    assert_eq!(
        mistakes(text),
        [":3:1: memory: is missing", ":3:1: kernel: is missing", ":5:1: disks[0].path: is missing"]
    );
}

#[test]
fn all_mistakes_are_told_in_order_with_their_places() {
    let text =
        "nmae = 'a'\nname = '7up'\nvcpus = 0\nmemory = 64\nlimit = '3X'\nkernel = true\n\n[[disks]]\nserial = 'ä'\n";
    assert_eq!(
        mistakes(text),
        [
            ":1:1: nmae: unknown key",
            ":2:8: name: begins with '7', not with a letter",
            ":3:9: vcpus: 0 is out of range",
            ":4:10: memory: is of type integer, not a string",
            ":5:9: limit: `X` is not a unit",
            ":6:10: kernel: is of type boolean, not a string",
            ":8:1: disks[0].path: is missing",
            ":9:10: disks[0].serial: has the character 'ä'",
        ]
    );
}

#[test]
fn suggestions() {
    let all = parse("kernle = 'x'\nread_only = 1", Path::new("x")).unwrap_err();
    assert_eq!(all[0].hint, "did you mean `kernel`?");
    let unknown = all.iter().find(|m| m.key == "read_only").unwrap();
    assert!(unknown.hint.contains("the keys here are name, vcpus"), "{}", unknown.hint);
}

#[test]
fn several_syntax_errors_and_what_else_is_wrong() {
    let all = mistakes("name = \"a\nvcpus = 99\nmemory = 64M\nmemory = '1G'\nfoo = 1\n");
    let part = |n| all.iter().map(move |m| m.split(':').nth(n).unwrap().trim()).collect::<Vec<_>>();
    assert_eq!(part(1), ["1", "2", "3", "4", "5"], "{all:?}");
    assert_eq!(part(3), ["name", "vcpus", "memory", "memory", "foo"], "{all:?}");
    assert!(all.iter().all(|m| !m.contains("is missing")), "{all:?}");
}

#[test]
fn what_is_no_proper_toml_is_told_with_its_key() {
    let one = |text: &str, wanted: &str| {
        let all = mistakes(text);
        assert!(all.len() == 1 && all[0].starts_with(wanted), "{wanted}: {all:?}");
    };
    let base = "name='a'\nmemory='64M'\nkernel='k'\n";
    one(&format!("{base}name='b'\n"), ":4:1: name: duplicate key");
    one(&format!("{base}vcpus = \n"), ":4:9: vcpus: ");
    one(
        &format!("{base}[[disks]]\npath='a'\n[[disks]]\npath='b'\nserial='1'\nserial='2'\n"),
        ":9:1: disks[1].serial: duplicate key",
    );
    one(&format!("{base}[reconcile]\nr1=true\n[reconcile]\nr2=true\n"), ":6:2: reconcile: duplicate key");
    one(&format!("{base}[reconcile]\nr1=yes\n"), ":5:4: reconcile.r1: ");
}

#[test]
fn a_file_that_is_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let told = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let all = text(&path).unwrap_err();
        all.iter().map(|m| m.to_string().replace(path.to_str().unwrap(), "")).collect::<Vec<_>>()
    };
    let bad = b"name = 'a'\n[[disks]]\nserial = '\xc3\xa4\xff\xfe'\npath = '\xff'\n";
    assert_eq!(told(bad), [":3:12: disks[0].serial: the byte 0xff is not UTF-8"]);
    assert_eq!(told(&vec![b'\n'; (1 << 20) + 1]), [": is larger than 1 MiB: no domain file is"]);
    fs::write(&path, "name = 'ä'").unwrap();
    assert_eq!(text(&path).unwrap(), "name = 'ä'");
    let missing = text(&folder.path().join("none")).unwrap_err();
    assert!(missing[0].message.contains("cannot be read: No such file"), "{missing:?}");
}

#[test]
fn values_against_each_other() {
    let base = "name='a'\nmemory='64M'\nkernel='k'\n";
    assert_eq!(mistakes(&format!("{base}limit='65M'")), [":4:7: limit: is more than `memory`"]);
    assert_eq!(mistakes(&format!("{base}limit='512K'")), [":4:7: limit: is out of range"]);
    assert_eq!(mistakes(&base.replace("64M", "1025K")), [":2:8: memory: is not a whole number of 4 KiB pages"]);
    let two = |a: &str, b: &str| format!("{base}[[disks]]\npath='a'\n{a}\n[[disks]]\npath='b'\n{b}\n");
    assert_eq!(
        mistakes(&two("serial='x'", "serial='x'")),
        [":9:8: disks[1].serial: disks[0] and disks[1] have the same serial"]
    );
    assert_eq!(
        mistakes(&two("serial='disk1'", "")),
        [":6:8: disks[0].serial: disks[0] and disks[1] have the same serial"]
    );
    assert_eq!(mistakes(&two("", "").replace("'b'", "'a'")), [":8:6: disks[1].path: is the same file as disks[0]"]);
    let many: String = (0..15).map(|n| format!("[[disks]]\npath='d{n}'\n")).collect();
    assert_eq!(mistakes(&format!("{base}{many}")), [":31:6: disks[13].path: there is no slot for this disk"]);
    let none = format!("{base}console=false\nentropy=false\nballoon=false\n{many}");
    assert_eq!(read(&none).unwrap().devices().len(), 15);
}

#[test]
fn control_characters_in_the_command_line() {
    assert_eq!(
        mistakes("name='a'\nmemory='64M'\nkernel='k'\ncmdline=\"a\\nb\""),
        [":4:9: cmdline: has the control character '\\n'"]
    );
}

/// The texts of the mistakes that `check` finds in a folder of its own.
fn look(change: impl Fn(&Path), text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("kernel"), common::bzimage(5000)).unwrap();
    fs::write(path("initrd"), vec![1; 100_000]).unwrap();
    fs::write(path("disk"), vec![0; 4096]).unwrap();
    change(folder.path());
    let prefix = format!("{}/", folder.path().display());
    match check(text, &path("x.toml")) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(|m| m.to_string().replace(&prefix, "")).collect(),
    }
}

const FILES: &str = "name='a'\nmemory='64M'\nkernel='kernel'\ninitrd='initrd'\n[[disks]]\npath='disk'\n";

#[test]
fn files_that_serve() {
    assert_eq!(look(|_| (), FILES), [""; 0]);
}

#[test]
fn files_that_do_not() {
    let missing = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
    let content =
        |name: &'static str, bytes: &'static [u8]| move |folder: &Path| fs::write(folder.join(name), bytes).unwrap();
    let one = |mistakes: Vec<String>, wanted: &str| {
        assert!(mistakes.len() == 1 && mistakes[0].contains(wanted), "{wanted}: {mistakes:?}")
    };
    one(look(missing("kernel"), FILES), "x.toml:3:8: kernel: kernel: cannot be read: No such file");
    one(look(missing("initrd"), FILES), "x.toml:4:8: initrd: initrd: cannot be read: No such file");
    one(look(missing("disk"), FILES), "x.toml:6:6: disks[0].path: disk: cannot be read: No such file");
    one(look(content("kernel", b"text"), FILES), "kernel: kernel: is not a kernel");
    one(look(content("initrd", b""), FILES), "initrd: initrd: is empty");
    one(look(content("disk", b"123"), FILES), "has 3 bytes");
    one(look(content("disk", b"QFI\xfb0123"), FILES), "has 8 bytes");
    one(
        look(|folder| fs::write(folder.join("disk"), [b"QFI\xfb".as_slice(), &[0; 508]].concat()).unwrap(), FILES),
        "qcow2",
    );
    one(
        look(|folder| fs::write(folder.join("kernel"), &common::bzimage(5000)[..9000]).unwrap(), FILES),
        "kernel: kernel: is cut",
    );
    one(look(|_| (), &FILES.replace("64M", "24M")), "x.toml:2:8: memory: is too little");
    one(look(|_| (), &FILES.replace("'disk'", "'.'")), "neither a regular file nor a block device");
    one(look(|_| (), &format!("cmdline='{}'\n{FILES}", "x".repeat(3000))), "x.toml:1:9: cmdline: has 3000 bytes");
    let nothing = |folder: &Path| {
        ["kernel", "initrd", "disk"].into_iter().for_each(|name| fs::remove_file(folder.join(name)).unwrap())
    };
    assert_eq!(look(nothing, FILES).len(), 3);
}

#[test]
fn two_disks_on_one_file_by_another_name() {
    let text = format!("{FILES}[[disks]]\npath='link'\n");
    let mistakes = look(|folder| std::os::unix::fs::symlink("disk", folder.join("link")).unwrap(), &text);
    assert_eq!(mistakes, ["x.toml:8:6: disks[1].path: is the same file as disks[0]"]);
}

proptest! {
    #[test]
    fn noise(text in "[a-z\\[\\]='\"{}.,0-9\n# ]{0,200}") {
        if let Err(mistakes) = parse(&text, Path::new("x")) {
            prop_assert!(!mistakes.is_empty());
        }
    }

    #[test]
    fn a_damaged_file(at in 0usize..400, byte in "[ -~\n]") {
        let mut text = FULL.to_owned();
        let at = at.min(text.len() - 1);
        text.replace_range(at..=at, &byte);
        if let Err(mistakes) = parse(&text, Path::new("x")) {
            let lines = text.lines().count() as u32 + 1;
            prop_assert!(!mistakes.is_empty() && mistakes.iter().all(|m| (1..=lines).contains(&m.line)));
        }
    }
}
