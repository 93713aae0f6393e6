//! `fs.path.*` and `evt.abspath`.

use std::borrow::Cow;

use yagura_model::field::FieldValue;

use super::names::FieldId;
use super::view::EventView;

/// The working directory in the place of a descriptor.
const AT_FDCWD: i64 = -100;

/// Where the paths of a call are: names of parameters, each with that of its directory if it has one.
struct Paths {
    name: Option<(&'static str, Option<&'static str>)>,
    source: Option<(&'static str, Option<&'static str>)>,
    target: Option<(&'static str, Option<&'static str>)>,
}

fn one(name: &'static str, directory: Option<&'static str>) -> Paths {
    Paths { name: Some((name, directory)), source: None, target: None }
}

fn two(source: (&'static str, Option<&'static str>), target: (&'static str, Option<&'static str>)) -> Paths {
    Paths { name: None, source: Some(source), target: Some(target) }
}

fn paths(key: &str) -> Option<Paths> {
    Some(match key {
        "SYSCALL_MKDIR_2_X" | "SYSCALL_RMDIR_2_X" | "SYSCALL_UNLINK_2_X" | "SYSCALL_CHOWN_X"
        | "SYSCALL_LCHOWN_X" => one("path", None),
        "SYSCALL_MKDIRAT_X" => one("path", Some("dirfd")),
        "SYSCALL_UNLINKAT_2_X" | "SYSCALL_OPENAT_2_X" | "SYSCALL_OPENAT2_X" => one("name", Some("dirfd")),
        "SYSCALL_OPEN_X" | "SYSCALL_UMOUNT_1_X" | "SYSCALL_UMOUNT2_X" => one("name", None),
        "SYSCALL_CHMOD_X" => one("filename", None),
        "SYSCALL_FCHMODAT_X" => one("filename", Some("dirfd")),
        "SYSCALL_FCHOWNAT_X" => one("pathname", Some("dirfd")),
        "SYSCALL_FCHMOD_X" | "SYSCALL_FCHOWN_X" => one("fd", None),
        "SYSCALL_QUOTACTL_X" => one("special", None),
        "SYSCALL_RENAME_X" => two(("oldpath", None), ("newpath", None)),
        "SYSCALL_RENAMEAT_X" | "SYSCALL_RENAMEAT2_X" => {
            two(("oldpath", Some("olddirfd")), ("newpath", Some("newdirfd")))
        }
        "SYSCALL_LINK_2_X" => two(("newpath", None), ("oldpath", None)),
        "SYSCALL_LINKAT_2_X" => two(("newpath", Some("newdir")), ("oldpath", Some("olddir"))),
        "SYSCALL_SYMLINK_X" => two(("linkpath", None), ("target", None)),
        "SYSCALL_SYMLINKAT_X" => two(("linkpath", Some("linkdirfd")), ("target", None)),
        "SYSCALL_MOUNT_X" => two(("dev", None), ("dir", None)),
        _ => return None,
    })
}

impl<'a> EventView<'a> {
    pub(super) fn path_value(&self, id: FieldId) -> Option<FieldValue<'a>> {
        let paths = paths(self.info.key)?;
        let succeeded = if self.info.parameter_index("res").is_some() {
            self.result() == Some(0)
        } else {
            self.result().is_some_and(|result| result != -1)
        };
        if !succeeded {
            return None;
        }
        let (name, directory) = match id {
            FieldId::FsPathName | FieldId::FsPathNameRaw => paths.name,
            FieldId::FsPathSource | FieldId::FsPathSourceRaw => paths.source,
            _ => paths.target,
        }?;
        if name == "fd" {
            return self.descriptor().map(|descriptor| FieldValue::text_bytes(&descriptor.name));
        }
        let raw = self.event.text(self.info.parameter_index(name)?)?;
        if matches!(id, FieldId::FsPathNameRaw | FieldId::FsPathSourceRaw | FieldId::FsPathTargetRaw) {
            return Some(FieldValue::text_bytes(raw));
        }
        let opened =
            matches!(self.info.key, "SYSCALL_OPENAT_2_X" | "SYSCALL_OPENAT2_X") && !raw.starts_with(b"/");
        if opened {
            return Some(match self.descriptor() {
                Some(descriptor) => FieldValue::text_bytes(&descriptor.name),
                None => FieldValue::text("<UNKNOWN>"),
            });
        }
        self.seen_from(raw, directory).map(|path| FieldValue::Text(Cow::Owned(path)))
    }

    fn seen_from(&self, path: &[u8], directory: Option<&str>) -> Option<Vec<u8>> {
        let fd = match directory {
            Some(name) => self.event.signed(self.info.parameter_index(name)?).unwrap_or(AT_FDCWD),
            None => AT_FDCWD,
        };
        Some(self.state.resolve(self.thread()?, fd, path))
    }

    /// `evt.abspath`: the path in the arguments of calls that take a directory.
    pub(super) fn absolute_path(&self, which: Option<&str>) -> Option<Vec<u8>> {
        let second = which == Some("dst");
        let (name, directory) = match self.original_info.name {
            "renameat" | "renameat2" if second => ("newpath", "newdirfd"),
            "renameat" | "renameat2" => ("oldpath", "olddirfd"),
            "linkat" if second => ("newpath", "newdir"),
            "linkat" => ("oldpath", "olddir"),
            "symlinkat" => ("linkpath", "linkdirfd"),
            "openat" | "openat2" | "unlinkat" => ("name", "dirfd"),
            "mkdirat" => ("path", "dirfd"),
            "fchmodat" => ("filename", "dirfd"),
            "open_by_handle_at" => {
                let path = self.event.text(self.info.parameter_index("path")?)?;
                return self.result().is_some_and(|fd| fd > 0).then(|| path.to_vec());
            }
            _ => return None,
        };
        let path = self.event.text(self.info.parameter_index(name)?)?;
        self.seen_from(path, Some(directory))
    }
}
