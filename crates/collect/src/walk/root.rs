//! Opening directories below a root, symbolic links refused on the whole way.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The directory nothing leads out of.
#[derive(Debug)]
pub(super) struct Root {
    descriptor: OwnedFd,
    /// False on kernels before 5.6 and under sandboxes that refuse the call.
    has_openat2: bool,
}

impl Root {
    /// The path to the root itself may go through links: it is the user's word.
    pub(super) fn open(path: &Path) -> rustix::io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
        let has_openat2 = openat2(&descriptor, ".", DIRECTORY, Mode::empty(), ResolveFlags::BENEATH).is_ok();
        Ok(Self { descriptor, has_openat2 })
    }

    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// Opens a directory by its path from the root; the empty path is the root.
    pub(super) fn directory(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { b".".as_slice() } else { path };
        if self.has_openat2 {
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            // A rename elsewhere in the system makes the kernel unsure for a moment (EAGAIN).
            for _ in 0..16 {
                match openat2(&self.descriptor, path, DIRECTORY, Mode::empty(), resolve) {
                    Err(Errno::AGAIN) => {}
                    other => return other,
                }
            }
        }
        self.by_component(path)
    }

    fn by_component(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let mut current = openat(&self.descriptor, ".", DIRECTORY, Mode::empty())?;
        for component in path.split(|byte| *byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => return Err(Errno::XDEV),
                name => current = openat(&current, name, DIRECTORY, Mode::empty())?,
            }
        }
        Ok(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_refuse_to_leave() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(scratch.path().join("in/side")).unwrap();
        std::os::unix::fs::symlink("/etc", scratch.path().join("in/absolute")).unwrap();
        std::os::unix::fs::symlink("../..", scratch.path().join("in/up")).unwrap();
        let mut root = Root::open(&scratch.path().join("in")).unwrap();
        for has_openat2 in [root.has_openat2, false] {
            root.has_openat2 = has_openat2;
            assert!(root.directory(b"").is_ok());
            assert!(root.directory(b"side").is_ok());
            for path in [&b"absolute"[..], b"up", b"side/../..", b"..", b"up/in/side"] {
                assert!(root.directory(path).is_err(), "{}", String::from_utf8_lossy(path));
            }
        }
    }
}
