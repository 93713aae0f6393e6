use super::*;
use crate::scap::Item;
use crate::table::EventEncoder;

fn state() -> State {
    let mut state = State::new();
    state.seed(Item::Section { major: 1, minor: 2 });
    state.seed(Item::Thread(crate::scap::Thread {
        tid: 10,
        pid: 10,
        parent: 1,
        comm: b"sh",
        exe: b"/bin/sh",
        exe_path: b"/bin/dash",
        cwd: b"/root",
        virtual_tid: 10,
        virtual_pid: 10,
        cgroups: b"cpu=/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\0",
        ..crate::scap::Thread::default()
    }));
    state.seeded();
    state
}

fn apply(state: &mut State, tid: i64, key: &str, build: impl FnOnce(&mut EventEncoder)) -> Applied {
    let code = table().code(key).unwrap();
    let mut encoder = EventEncoder::default();
    encoder.start(state.now() + 1000, tid, 0, code);
    build(&mut encoder);
    state.apply(&encoder.event(), &encoder.event(), Phase::Exit)
}

fn clone(state: &mut State, tid: i64, result: i64, flags: u32) {
    apply(state, tid, "SYSCALL_CLONE_20_X", |event| {
        event.i64(result).text(b"/bin/sh").bytes(b"-c\0id\0").i64(tid).i64(10).i64(10).text(b"").i64(1024);
        event.u64(0).u64(0).u32(0).u32(0).u32(0).text(b"sh").bytes(b"").u32(flags).u32(1000).u32(1001);
        event.i64(tid).i64(tid).u64(0);
    });
}

#[test]
fn children_inherit_and_programs_replace() {
    let mut state = state();
    apply(&mut state, 10, "SYSCALL_OPEN_X", |event| {
        event.i64(3).text(b"../etc/./shadow").u32(1).u32(0).u32(0).u64(7);
    });
    clone(&mut state, 10, 11, 0);
    let child = state.thread(11).unwrap();
    assert_eq!((child.pid, child.parent, child.uid, child.gid), (11, 10, 1000, 1001));
    assert_eq!(child.container.as_deref(), Some("0123456789ab"));
    assert_eq!(child.command_line(), &b"sh -c id"[..]);
    assert_eq!(&*state.descriptor(child, 3).unwrap().name, b"/etc/shadow");
    // The child closes it: the parent keeps it, and the event itself still sees it.
    let applied = apply(&mut state, 11, "SYSCALL_CLOSE_X", |event| {
        event.i64(0).i64(3);
    });
    assert!(state.descriptor(state.thread(11).unwrap(), applied.fd.unwrap()).is_some());
    state.finish_ended();
    assert!(state.descriptor(state.thread(11).unwrap(), 3).is_none());
    assert!(state.descriptor(state.thread(10).unwrap(), 3).is_some());
    apply(&mut state, 11, "SYSCALL_EXECVE_19_X", |event| {
        event.i64(0).text(b"id").bytes(b"-u\0").i64(11).i64(11).i64(10).text(b"/").u64(1024);
        event
            .u64(0)
            .u64(0)
            .u32(1)
            .u32(1)
            .u32(1)
            .text(b"id")
            .bytes(b"")
            .bytes(b"A=1\0B=2\0")
            .u32(34816)
            .i64(11);
        event.u32(1000).u32(7).u64(1).u64(2).u64(3).u64(5).u64(6).u64(7).u32(1000).text(b"/usr/bin/id");
        event.i64(11).u32(1000).text(b"id");
    });
    let child = state.thread(11).unwrap();
    assert_eq!(&*child.program.exe_path, b"/usr/bin/id");
    assert_eq!(child.program.joined_environment(), b"A=1 B=2");
    assert!(child.exe_writable && child.exe_upper_layer && child.exe_from_memfd && !child.exe_lower_layer);
    assert_eq!((child.tty, child.login_uid, child.exe_inode), (34816, 1000, 5));
    apply(&mut state, 11, "PROCEXIT_1_E", |event| {
        event.i64(0).i64(0).u8(0).u8(0).i64(1);
    });
    assert!(state.thread(11).is_some());
    state.finish_ended();
    assert!(state.thread(11).is_none());
}

#[test]
fn threads_share_what_their_process_has() {
    let mut state = state();
    clone(&mut state, 10, 12, clone_flag::THREAD);
    apply(&mut state, 12, "SYSCALL_CHDIR_X", |event| {
        event.i64(0).text(b"/tmp");
    });
    apply(&mut state, 12, "SYSCALL_MEMFD_CREATE_X", |event| {
        event.i64(5).text(b"x").u32(0);
    });
    let leader = state.thread(10).unwrap();
    assert_eq!((&*leader.cwd, leader.other_threads), (&b"/tmp/"[..], 1));
    assert_eq!(leader.descriptors.get(5).unwrap().kind, DescriptorKind::Memory);
    assert!(state.descriptor(state.thread(12).unwrap(), 5).is_some());
}

#[test]
fn sockets_know_their_ends() {
    let mut state = state();
    apply(&mut state, 10, "SOCKET_SOCKET_X", |event| {
        event.i64(4).u32(2).u32(1).u32(6).u32(0);
    });
    let tuple = [2, 10, 0, 0, 1, 0x39, 0x30, 93, 184, 216, 34, 0xbb, 0x01];
    let applied = apply(&mut state, 10, "SOCKET_CONNECT_X", |event| {
        event.i64(-115).bytes(&tuple).i64(4).bytes(b"");
    });
    let thread = state.thread(10).unwrap();
    let socket = state.descriptor(thread, applied.fd.unwrap()).unwrap();
    assert_eq!(&*socket.name, b"10.0.0.1:12345->93.184.216.34:443");
    assert_eq!((socket.role, socket.pending, socket.connected), (Role::Client, true, true));
    assert!(applied.name_changed);
}

#[test]
fn the_budget_is_kept_and_loss_counted() {
    let mut state = State::with_budget(1 << 20);
    for tid in 0..20_000 {
        apply(&mut state, tid, "SYSCALL_OPEN_X", |event| {
            event.i64(3).text(b"/etc/passwd").u32(1).u32(0).u32(0).u64(7);
        });
    }
    assert!(state.threads().count() < 2500, "{}", state.threads().count());
    assert!(state.lost() > 17_000);
    assert!(state.thread(19_999).is_some(), "the latest is kept");
}

#[test]
fn parameters_that_lie_change_nothing() {
    let mut state = state();
    for event in table().events() {
        for fill in [0u8, 0xff, 0x2f] {
            for length in [0usize, 1, 3, 8, 40] {
                for count in [0, 1, event.parameters.len()] {
                    let mut encoder = EventEncoder::default();
                    encoder.start(1, 10, 0, event.code);
                    for _ in 0..count {
                        encoder.bytes(&vec![fill; length]);
                    }
                    state.apply(&encoder.event(), &encoder.event(), Phase::Exit);
                }
            }
        }
    }
}
