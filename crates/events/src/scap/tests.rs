use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::*;
use crate::table::{EventEncoder, table};

/// The captures that come with the public data.
fn samples() -> Vec<(String, Vec<u8>)> {
    let data = std::env::var_os("YAGURA_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let mut samples: Vec<_> = std::fs::read_dir(data.join("scap"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, std::fs::read(entry.path()).ok()?)))
        .collect();
    samples.sort();
    if samples.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "the public data is missing");
        eprintln!("SKIPPED captures of others: no public data");
    }
    samples
}

/// Everything in a capture as text, and its counts.
fn contents(bytes: &[u8]) -> (Vec<String>, Counts) {
    let mut reader = CaptureReader::new(bytes).unwrap();
    let mut items = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        items.push(format!("{item:?}"));
    }
    (items, reader.counts())
}

#[test]
fn captures_of_others_are_read_to_their_end() {
    for (name, bytes) in samples() {
        let (items, counts) = contents(&bytes);
        assert!(counts.events > 100, "{name}: {counts:?}");
        assert_eq!((counts.corrupt_events, counts.corrupt_entries), (0, 0), "{name}");
        assert!(items.iter().any(|item| item.starts_with("Thread(")), "{name}");
        assert!(items.iter().any(|item| item.starts_with("Descriptor(")), "{name}");
        assert!(items.iter().any(|item| item.starts_with("User(")), "{name}");
    }
}

#[test]
fn a_cut_capture_gives_what_was_before_the_cut() {
    for (name, bytes) in samples() {
        let mut plain = Vec::new();
        let inflater = yagura_formats::archive::compression::Inflater::new(&bytes[..], Default::default());
        inflater.unwrap().read_to_end(&mut plain).unwrap();
        let whole = contents(&plain).1.events;
        for cut in (0..plain.len()).step_by(2003) {
            let mut reader = CaptureReader::new(&plain[..cut]).unwrap();
            let mut events = 0;
            let ended = loop {
                match reader.next_item() {
                    Ok(Some(item)) => events += u64::from(matches!(item, Item::Event(_))),
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            assert!(events < whole && (!ended || cut > 0), "{name} cut at {cut}");
            assert!(matches!(reader.next_item(), Ok(None)));
        }
    }
}

#[test]
fn what_is_written_is_read_again() {
    let machine =
        Machine { cpus: 4, memory_bytes: 1 << 33, max_pid: 32768, hostname: "tower".into(), boot_ts: 77 };
    let thread = Thread {
        tid: 11,
        pid: 10,
        parent: 1,
        session: 10,
        virtual_group: 3,
        group: 10,
        comm: b"sh",
        exe: b"/bin/sh",
        exe_path: b"/bin/dash",
        args: b"-c\0id\0",
        cwd: b"/root/",
        fd_limit: 1024,
        flags: 5,
        uid: 1000,
        gid: 1001,
        env: b"A=1\0",
        virtual_tid: 2,
        virtual_pid: 1,
        cgroups: b"cpu=/docker/x\0",
        root: b"/",
        pid_namespace_start: 8,
        tty: 34816,
        login_uid: 1000,
        exe_writable: true,
        cap_inheritable: 1,
        cap_permitted: 2,
        cap_effective: 3,
        exe_upper_layer: true,
        exe_from_memfd: true,
        exe_inode: 9,
        exe_ctime: 10,
        exe_mtime: 11,
        start_ts: 12,
        ..Thread::default()
    };
    let details = [
        DescriptorDetail::Unknown,
        DescriptorDetail::File { name: b"/etc/passwd", open_flags: 1, device: 7 },
        DescriptorDetail::Directory { name: b"/tmp" },
        DescriptorDetail::Ipv4 {
            source: Ipv4Addr::LOCALHOST,
            source_port: 1,
            destination: Ipv4Addr::BROADCAST,
            destination_port: 443,
            protocol: 1,
        },
        DescriptorDetail::Ipv6 {
            source: Ipv6Addr::LOCALHOST,
            source_port: 2,
            destination: Ipv6Addr::UNSPECIFIED,
            destination_port: 80,
            protocol: 2,
        },
        DescriptorDetail::Ipv4Server { address: Ipv4Addr::UNSPECIFIED, port: 22, protocol: 1 },
        DescriptorDetail::Ipv6Server { address: Ipv6Addr::UNSPECIFIED, port: 22, protocol: 1 },
        DescriptorDetail::Unix { source: 5, destination: 6, name: b"/run/x.sock" },
        DescriptorDetail::Named { kind: 7, name: b"pipe:[1]" },
    ];
    let interface = Interface::V4 {
        name: "eth0".into(),
        address: Ipv4Addr::new(10, 0, 0, 1),
        netmask: Ipv4Addr::new(255, 0, 0, 0),
        broadcast: Ipv4Addr::new(10, 255, 255, 255),
        link_speed: 0,
    };
    let user =
        User { uid: 1000, gid: 1001, name: "me".into(), home: "/home/me".into(), shell: "/bin/sh".into() };
    let group = Group { gid: 1001, name: "us".into() };
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    writer.machine(&machine).unwrap();
    writer.threads([thread.clone()].into_iter()).unwrap();
    let descriptors: Vec<_> = (3..)
        .zip(&details)
        .map(|(fd, detail)| Descriptor { fd, inode: 99, detail: detail.clone() })
        .collect();
    writer.descriptors(11, descriptors.iter().cloned()).unwrap();
    writer.interfaces([interface.clone()].iter()).unwrap();
    writer.accounts([user.clone()].iter(), [group.clone()].iter()).unwrap();
    let mut encoder = EventEncoder::default();
    let open = table().code("SYSCALL_OPEN_X").unwrap();
    encoder.start(5, 11, 1, open).i64(3).text(b"/x").u32(1).u32(0).u32(0).u64(1);
    let mut event = encoder.event();
    event.flags = STATE_ONLY;
    writer.event(&event).unwrap();
    let bytes = writer.finish().unwrap();

    let mut reader = CaptureReader::new(&bytes[..]).unwrap();
    let mut seen = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Section { major, minor } => assert_eq!((major, minor), (1, 2)),
            Item::Machine(read) => assert_eq!(read, machine),
            Item::Thread(read) => {
                let expected = Thread {
                    group: -1,
                    pid_namespace_start: 0,
                    tty: 0,
                    exe_upper_layer: false,
                    exe_from_memfd: false,
                    exe_inode: 0,
                    exe_ctime: 0,
                    exe_mtime: 0,
                    start_ts: 0,
                    ..thread.clone()
                };
                assert_eq!(read, expected);
            }
            Item::ThreadDetails(read) => {
                assert_eq!(
                    (read.tid, read.tty, read.exe_upper_layer, read.exe_from_memfd),
                    (11, 34816, true, true)
                );
                assert_eq!((read.exe_inode, read.exe_ctime, read.exe_mtime, read.start_ts), (9, 10, 11, 12));
                assert_eq!((read.group, read.pid_namespace_start), (10, 8));
            }
            Item::Descriptor(tid, read) => {
                assert_eq!(tid, 11);
                assert!(descriptors.contains(&read), "{read:?}");
            }
            Item::Interface(read) => assert_eq!(read, interface),
            Item::User(read) => assert_eq!(read, user),
            Item::Group(read) => assert_eq!(read, group),
            Item::Event(read) => {
                assert_eq!((read.ts, read.tid, read.cpu, read.flags), (5, 11, 1, STATE_ONLY));
                assert_eq!(read.text(1), Some(&b"/x"[..]));
            }
        }
        seen.push(());
    }
    assert_eq!(seen.len(), 1 + 1 + 1 + 1 + 9 + 1 + 1 + 1 + 1);
}

#[test]
fn contradictions_end_reading_and_bombs_do_not_fit_in_memory() {
    let header = {
        let writer = CaptureWriter::new(Vec::new()).unwrap();
        writer.finish().unwrap()
    };
    let problem = |more: &[u8]| {
        let bytes = [&header[..], more].concat();
        let mut reader = CaptureReader::new(&bytes[..]).unwrap();
        loop {
            match reader.next_item() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(problem) => return Some(problem),
            }
        }
    };
    let block = |kind: u32, length: u32, body: &[u8]| {
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), body, &length.to_le_bytes()].concat()
    };
    assert!(problem(&[]).is_none());
    assert!(problem(&block(0x9999, 16, &[0; 4])).is_none());
    assert!(matches!(problem(&block(0x204, 3, &[])), Some(CaptureProblem::Corrupt { .. })));
    assert!(matches!(problem(&block(0x215, u32::MAX, &[255; 64])), Some(CaptureProblem::Truncated { .. })));
    assert!(matches!(problem(&block(0x221, u32::MAX, &[255; 64])), Some(CaptureProblem::Truncated { .. })));
    let mut liar = block(0x9999, 16, &[0; 4]);
    liar[12] = 0;
    assert!(matches!(problem(&liar), Some(CaptureProblem::Corrupt { .. })));
    let mut newer = header.clone();
    newer[12] = 2;
    assert!(matches!(
        CaptureReader::new(&newer[..]).unwrap().next_item(),
        Err(CaptureProblem::Version(2, 2))
    ));
    assert!(matches!(
        CaptureReader::new(&b"no capture at all"[..]).unwrap().next_item(),
        Err(CaptureProblem::NotACapture)
    ));
}

#[test]
fn the_parameters_of_a_call_are_joined_at_its_end() {
    let table = table();
    let mut converter = Converter::new();
    let mut encoder = EventEncoder::default();
    let close = table.code("SYSCALL_CLOSE_E").unwrap();
    encoder.start(1, 7, 0, close).i64(5);
    assert!(matches!(converter.convert(encoder.event()), Converted::Enter(_)));
    let mut exit = EventEncoder::default();
    exit.start(2, 7, 0, close + 1).i64(0);
    let Converted::Current(event) = converter.convert(exit.event()) else { panic!() };
    assert_eq!((event.count(), event.signed(0), event.signed(1)), (2, Some(0), Some(5)));
    // The enter event is used up: without one, the descriptor is not known.
    let Converted::Current(event) = converter.convert(exit.event()) else { panic!() };
    assert_eq!((event.count(), event.signed(1)), (2, None));
    // One that became another code.
    let unlink = table.code("SYSCALL_UNLINK_E").unwrap();
    encoder.start(1, 7, 0, unlink).text(b"/tmp/x");
    converter.convert(encoder.event());
    exit.start(2, 7, 0, unlink + 1).i64(0);
    let Converted::Current(event) = converter.convert(exit.event()) else { panic!() };
    assert_eq!(table.event(event.code).unwrap().key, "SYSCALL_UNLINK_2_X");
    assert_eq!(event.text(1), Some(&b"/tmp/x"[..]));
    // Two steps: the first execve had eight parameters.
    let execve = table.code("SYSCALL_EXECVE_8_X").unwrap();
    exit.start(2, 7, 0, execve).i64(0).text(b"sh").bytes(b"-c\0").i64(7).i64(7).i64(1).text(b"/").u64(1024);
    let Converted::Current(event) = converter.convert(exit.event()) else { panic!() };
    let info = table.event(event.code).unwrap();
    assert_eq!((info.key, event.count()), ("SYSCALL_EXECVE_19_X", info.parameters.len()));
    assert_eq!(event.text(1), Some(&b"sh"[..]));
}

#[test]
fn segments_follow_one_another() {
    #[derive(Default)]
    struct Memory {
        finished: Vec<(u64, Vec<u8>)>,
        removed: Vec<u64>,
    }
    impl Segments for Memory {
        type File = Vec<u8>;
        fn create(&mut self, _: u64) -> std::io::Result<Vec<u8>> {
            Ok(Vec::new())
        }
        fn preamble(&mut self, writer: &mut CaptureWriter<Vec<u8>>) -> std::io::Result<()> {
            writer.machine(&Machine::default())
        }
        fn finish(&mut self, number: u64, file: Vec<u8>) -> std::io::Result<()> {
            self.finished.push((number, file));
            Ok(())
        }
        fn remove(&mut self, number: u64) -> std::io::Result<()> {
            self.removed.push(number);
            Ok(())
        }
    }
    let mut rotation =
        Rotation::new(Memory::default(), Limits { events: Some(4), segments: Some(2), ..Limits::default() });
    let mut encoder = EventEncoder::default();
    let open = table().code("SYSCALL_OPEN_X").unwrap();
    for ts in 0..10 {
        encoder.start(ts, 11, 1, open).i64(3).text(b"/x").u32(1).u32(0).u32(0).u64(1);
        rotation.event(&encoder.event()).unwrap();
    }
    let memory = rotation.finish().unwrap();
    let counts: Vec<_> = memory.finished.iter().map(|(_, bytes)| contents(bytes).1.events).collect();
    assert_eq!((counts, memory.removed), (vec![4, 4, 2], vec![0]));
}
