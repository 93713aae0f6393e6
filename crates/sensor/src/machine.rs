//! The machine as it is at the start: processes, their open files, users. Read from `/proc`, told in the entries of
//! captures, so that a live view and a capture begin alike (proc(5), /proc/net of the kernel's documentation).
//!
//! What goes away while it is read is passed over: its end will be seen as an event.

mod accounts;
mod process;
mod sockets;

use std::fs;
use std::path::Path;

use yagura_events::scap::{Item, Machine};

use process::Process;
use sockets::SocketTables;

/// Threads that are told of.
const MAX_THREADS: usize = 200_000;

/// Tells all that is known of the machine whose `/proc` is at `proc` and whose `/etc` is at `etc`.
pub fn describe(proc: &Path, etc: &Path, boot: u64, each: &mut dyn FnMut(Item<'_>)) {
    each(Item::Machine(machine(proc, boot)));
    accounts::describe(etc, each);
    let Ok(entries) = fs::read_dir(proc) else { return };
    let mut tables = SocketTables::default();
    let mut threads = 0;
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok()) else {
            continue;
        };
        let Some(process) = Process::read(&entry.path(), boot) else { continue };
        threads += process.tell(pid, each);
        process::descriptors(&entry.path(), pid, &mut tables, each);
        if threads > MAX_THREADS {
            break;
        }
    }
}

fn machine(proc: &Path, boot: u64) -> Machine {
    let text = |name: &str| fs::read_to_string(proc.join(name)).unwrap_or_default();
    let memory = text("meminfo");
    let kilobytes = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    Machine {
        cpus: std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1)),
        memory_bytes: kilobytes.unwrap_or_default().saturating_mul(1024),
        max_pid: text("sys/kernel/pid_max").trim().parse().unwrap_or_default(),
        hostname: text("sys/kernel/hostname").trim().to_owned(),
        boot_ts: boot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_told_with_its_files() {
        let own = i64::from(std::process::id());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mut threads, mut listening, mut users) = (0, false, 0);
        describe(Path::new("/proc"), Path::new("/etc"), 1, &mut |item| match item {
            Item::Thread(thread) if thread.pid == own => {
                threads += 1;
                assert!(!thread.exe.is_empty() && thread.exe_path.starts_with(b"/"), "{thread:?}");
                assert!(thread.cwd.starts_with(b"/") && thread.exe_inode != 0);
                assert!(thread.env.windows(5).any(|window| window == b"PATH="));
            }
            Item::Descriptor(tid, descriptor) if tid == own => {
                use yagura_events::scap::DescriptorDetail::Ipv4Server;
                listening |= matches!(descriptor.detail, Ipv4Server { port: found, .. } if found == port);
            }
            Item::User(user) if user.name == "root" => users += 1,
            _ => {}
        });
        assert!(threads >= 1 && listening && users == 1, "{threads} {listening} {users}");
    }
}
