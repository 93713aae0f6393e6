//! Facts of a running machine that no file below its root states: the kernel it runs, its name.

use std::path::Path;

/// The kernel that runs now (`uname(2)`), which may not be the one last installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningKernel {
    /// `6.1.0-25-amd64`
    pub release: String,
    /// The build, such as `#1 SMP PREEMPT_DYNAMIC Debian 6.1.106-3 (2024-08-26)`.
    pub version: String,
    /// `x86_64`
    pub machine: String,
}

/// What is known of the machine whose root is scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// For reports; empty where there is none.
    pub name: String,
    /// Only for the running machine: another root says nothing of what runs.
    pub kernel: Option<RunningKernel>,
}

/// Facts of the running machine, or of one whose root is mounted at `root`.
pub fn facts(root: &Path) -> HostFacts {
    let running = root == Path::new("/");
    if !running {
        return HostFacts { name: name_in(root), kernel: None };
    }
    let uname = rustix::system::uname();
    let text = |field: &std::ffi::CStr| field.to_string_lossy().into_owned();
    HostFacts {
        name: text(uname.nodename()),
        kernel: Some(RunningKernel {
            release: text(uname.release()),
            version: text(uname.version()),
            machine: text(uname.machine()),
        }),
    }
}

/// `etc/hostname` of a mounted root, read without leaving it.
fn name_in(root: &Path) -> String {
    use rustix::fs::{Mode, OFlags, open, openat};
    let directory = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let file = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let read = open(root, directory, Mode::empty())
        .and_then(|root| openat(&root, "etc", directory | OFlags::NOFOLLOW, Mode::empty()))
        .and_then(|etc| openat(&etc, "hostname", file, Mode::empty()))
        .and_then(|hostname| {
            let mut buffer = [0; 256];
            let length = rustix::io::read(&hostname, &mut buffer)?;
            Ok(String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned())
        });
    let text = read.unwrap_or_default();
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_kernel_is_that_of_proc() {
        let Ok(release) = std::fs::read_to_string("/proc/sys/kernel/osrelease") else { return };
        let facts = facts(Path::new("/"));
        assert_eq!(facts.kernel.unwrap().release, release.trim());
    }

    #[test]
    fn a_mounted_root_has_a_name_and_no_running_kernel() {
        let scratch = tempfile::tempdir().unwrap();
        assert_eq!(facts(scratch.path()), HostFacts::default());
        std::fs::create_dir(scratch.path().join("etc")).unwrap();
        std::fs::write(scratch.path().join("etc/hostname"), "# comment\nnode-7\n").unwrap();
        assert_eq!(facts(scratch.path()), HostFacts { name: "node-7".into(), kernel: None });
        std::fs::remove_file(scratch.path().join("etc/hostname")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", scratch.path().join("etc/hostname")).unwrap();
        assert_eq!(facts(scratch.path()).name, "");
    }
}
