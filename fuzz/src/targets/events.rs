//! Captures of system events, and the state that events build.

use std::ops::ControlFlow;

use yagura_events::inspect::{Inspector, Replay};
use yagura_events::scap::{
    CaptureReader, CaptureWriter, Descriptor, DescriptorDetail, Group, Interface, Item, Machine, Thread, User,
};
use yagura_events::state::State;
use yagura_events::table::{EventEncoder, RawEvent, table};
use yagura_model::field::{FieldCatalogue, Fields};

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "events/capture",
        seeds: || vec![capture(true), capture(false), old_capture()],
        run: replay,
    },
    Target { name: "events/stream", seeds: || vec![stream()], run: run_stream },
];

/// Events of many kinds, each with parameters of the widths that their types have.
fn events(mut each: impl FnMut(RawEvent<'_>)) {
    let mut encoder = EventEncoder::default();
    for (event, ts) in table().events().zip(1u64..) {
        encoder.start(ts * 1000, 10, 1, event.code);
        for parameter in &event.parameters {
            match parameter.kind.width() {
                0 => encoder.text(b"/etc/passwd"),
                width => encoder.bytes(&3u64.to_le_bytes().repeat(2)[..width]),
            };
        }
        each(encoder.event());
    }
}

fn capture(details: bool) -> Vec<u8> {
    let written = || -> std::io::Result<Vec<u8>> {
        let mut writer = CaptureWriter::new(Vec::new())?;
        writer.machine(&Machine { cpus: 2, hostname: "tower".into(), ..Machine::default() })?;
        let thread = Thread {
            tid: 10,
            pid: 10,
            parent: 1,
            comm: b"sh",
            exe: b"/bin/sh",
            args: b"-c\0id\0",
            cwd: b"/root",
            env: b"A=1\0",
            cgroups: b"cpu=/docker/0123\0",
            start_ts: u64::from(details),
            ..Thread::default()
        };
        writer.threads([thread].into_iter())?;
        let detail = DescriptorDetail::File { name: b"/etc/shadow", open_flags: 1, device: 7 };
        writer.descriptors(10, [Descriptor { fd: 3, inode: 9, detail }].into_iter())?;
        let address = std::net::Ipv4Addr::LOCALHOST;
        let interface =
            Interface::V4 { name: "lo".into(), address, netmask: address, broadcast: address, link_speed: 1 };
        writer.interfaces([interface].iter())?;
        writer.accounts([User::default()].iter(), [Group::default()].iter())?;
        let mut result = Ok(());
        events(|event| {
            if let Err(error) = writer.event(&event) {
                result = Err(error);
            }
        });
        result?;
        writer.finish()
    };
    written().unwrap_or_default()
}

/// Events in blocks of the first version, which do not say how many parameters there are.
fn old_capture() -> Vec<u8> {
    let mut capture: Vec<u8> = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 0x0001_0001, 0, 0, 28]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let mut encoded = Vec::new();
    events(|event| {
        encoded.clear();
        event.encode(&mut encoded);
        // Without the number of parameters, and with the length that is then right.
        let Some((header, body)) = encoded.split_at_checked(26) else { return };
        let length = (22 + body.len() as u32).to_le_bytes();
        let mut block = Vec::new();
        block.extend_from_slice(&[1, 0]);
        block.extend_from_slice(&header[..16]);
        block.extend_from_slice(&length);
        block.extend_from_slice(&header[20..22]);
        block.extend_from_slice(body);
        block.resize(block.len().next_multiple_of(4), 0);
        let total = (block.len() as u32 + 12).to_le_bytes();
        capture.extend_from_slice(&0x204_u32.to_le_bytes());
        capture.extend_from_slice(&total);
        capture.extend_from_slice(&block);
        capture.extend_from_slice(&total);
    });
    capture
}

fn replay(bytes: &[u8]) {
    let Ok(reader) = CaptureReader::new(bytes) else { return };
    let mut replay = Replay::new(reader, Inspector::new(State::with_budget(1 << 20)));
    let catalogue = yagura_events::fields::SyscallCatalogue::new();
    let fields: Vec<_> =
        ["evt.args", "fd.name", "proc.cmdline", "fs.path.name", "container.id", "proc.aname"]
            .iter()
            .filter_map(|name| catalogue.resolve(name, None).ok())
            .collect();
    let _ = replay.run(|view| {
        for field in &fields {
            let _ = view.value(field);
            view.each(field, &mut |_| ControlFlow::Continue(()));
        }
        ControlFlow::Continue(())
    });
    // What was understood can be written.
    let state = &replay.inspector.state;
    if let Ok(mut writer) = CaptureWriter::new(Vec::new()) {
        let entries = state.thread_entries();
        for entry in &entries {
            let _ = writer.descriptors(entry.tid, state.descriptor_entries(entry.tid).into_iter());
        }
        let _ = writer.threads(entries.into_iter());
    }
}

/// Encoded events one after the other, as the sensor sends them.
fn stream() -> Vec<u8> {
    let mut stream = Vec::new();
    events(|event| event.encode(&mut stream));
    stream
}

fn run_stream(mut bytes: &[u8]) {
    let mut inspector = Inspector::new(State::with_budget(1 << 20));
    inspector.seed(Item::Section { major: 1, minor: 2 });
    while let Ok(event) = RawEvent::parse(bytes, 0, 0) {
        bytes = bytes.get(event.encoded_len().max(1)..).unwrap_or_default();
        inspector.event(event);
    }
}
