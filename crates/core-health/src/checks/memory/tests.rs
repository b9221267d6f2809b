use std::collections::HashMap;

use core_types::Status;
use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;

/// What is used and the limit, in mebibytes.
#[track_caller]
fn check(groups: &str, files: &[(&str, &str)], expected: Option<(u64, u64)>) {
    let files: HashMap<&Path, &str> =
        files.iter().map(|(p, text)| (Path::new(*p), *text)).collect();
    let memory = read(groups, &|path| files.get(path).map(|text| (*text).to_owned()));
    assert_eq!(memory.map(|m| (m.used.bytes() / MIB, m.limit.bytes() / MIB)), expected);
}

/// HLT-5: version 2, as a container sees itself: its group is the root.
#[test]
fn version_2_in_a_container() {
    let stat = "anon 104857600\nfile 52428800\ninactive_file 31457280\nactive_file 20971520\n";
    let files =
        [("memory.max", "268435456\n"), ("memory.current", "157286400\n"), ("memory.stat", stat)];
    check("0::/\n", &files, Some((120, 256)));
    // The group by its path outside of the container.
    check("0::/kubepods.slice/pod1/abc\n", &files, Some((120, 256)));
    check("0::/\n", &files[..2], Some((150, 256)));
    check("0::/\n", &files[..1], None);
    check("0::/\n", &[("memory.max", "max\n"), files[1], files[2]], None);
}

/// HLT-5: version 1, where no limit is a huge number.
#[test]
fn version_1() {
    let groups = "12:pids:/docker/abc\n5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n\
                  1:name=systemd:/docker/abc\n0::/\n";
    let stat = "cache 52428800\ninactive_file 1\ntotal_inactive_file 31457280\n";
    let files = [
        ("memory/memory.limit_in_bytes", "268435456\n"),
        ("memory/memory.usage_in_bytes", "157286400\n"),
        ("memory/memory.stat", stat),
    ];
    check(groups, &files, Some((120, 256)));
    let none = ("memory/memory.limit_in_bytes", "9223372036854771712\n");
    check(groups, &[none, files[1], files[2]], None);
    // Version 2 is mounted beside it, and counts no memory.
    check(groups, &[("memory.max", "268435456"), ("memory.current", "1")], None);
}

/// HLT-5: of groups that contain each other, the fullest counts.
#[test]
fn the_fullest_level_counts() {
    let files = [
        ("system.slice/memory.max", "1073741824"),
        ("system.slice/memory.current", "1063256064"),
        ("system.slice/mira.service/memory.max", "536870912"),
        ("system.slice/mira.service/memory.current", "104857600"),
    ];
    check("0::/system.slice/mira.service\n", &files, Some((1014, 1024)));
    check("0::/system.slice/mira.service\n", &files[2..], Some((100, 512)));
    check("0::/system.slice\n", &files, Some((1014, 1024)));
    check("0::/other.slice\n", &files, None);
}

/// HLT-5: strange texts are no limit, and no panic.
#[test]
fn strange_texts_are_no_limit() {
    for groups in ["", "\n", ":", "::", "0:", "0::", "memory", "4:memory", "nothing of it\n"] {
        check(groups, &[("memory.max", "-1"), ("memory.current", "1")], None);
    }
    for strange in ["", "max", "-1", "1e9", "18446744073709551616", "268435456 B", "\u{0}"] {
        check("0::/\n", &[("memory.max", strange), ("memory.current", "1")], None);
        check("0::/\n", &[("memory.max", "268435456"), ("memory.current", strange)], None);
        let files =
            [("memory.max", "268435456"), ("memory.current", "1048576"), ("memory.stat", strange)];
        check("0::/\n", &files, Some((1, 256)));
    }
    // The two files are not read at one moment.
    let files = [("memory.max", "0"), ("memory.current", "1"), ("memory.stat", "inactive_file 2")];
    check("0::/\n", &files, Some((0, 0)));
}

/// HLT-5: past its share of the limit it is degraded, and never unhealthy.
#[test]
fn a_full_memory_is_degraded() {
    let report = |used, limit| {
        let memory =
            Memory { used: ByteSize::from_bytes(used), limit: ByteSize::from_bytes(limit) };
        judge(memory, 0.9)
    };
    assert_eq!(report(90 * MIB, 100 * MIB).status, Status::Healthy);
    let full = report(91 * MIB, 100 * MIB);
    assert_eq!(full.status, Status::Degraded);
    assert_eq!(&*full.reason.unwrap(), "91 % of the memory limit of 100MiB are used");
    assert_eq!(report(0, 0).status, Status::Healthy);
    assert_eq!(report(u64::MAX, 1).status, Status::Degraded);
}

/// Whatever this machine says can be read.
#[test]
fn this_process_can_be_asked() {
    if let Some(memory) = Memory::now() {
        assert!(memory.share() > 0.0, "{memory:?}");
    }
    assert_ne!(memory(f64::INFINITY).status, Status::Degraded);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(groups in "[0-9:/a-z,\\n.]{0,40}|\\PC{0,40}", text in "\\PC{0,30}") {
        read(&groups, &|_| Some(text.clone()));
    }
}
