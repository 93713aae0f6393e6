//! One entry of an archive or a directory tree, before its bytes are read.

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind<'a> {
    File,
    Directory,
    /// With its target as written.
    Symlink(&'a [u8]),
    /// With the path of the entry whose content it shares, from the archive's root.
    Hardlink(&'a [u8]),
    /// Character or block device.
    Device,
    Fifo,
    /// Sockets and types no runtime unpacks.
    Other,
}

/// An entry's name and metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHeader<'a> {
    /// As the archive spells it: any bytes, possibly absolute or with `..`.
    pub path: &'a [u8],
    pub kind: EntryKind<'a>,
    /// Bytes of content, holes of sparse files included; 0 for anything but files.
    pub size: u64,
    /// Permission bits with set-user-ID and the like (`chmod(2)`).
    pub mode: u32,
    /// The raw `security.capability` attribute; empty when there is none.
    pub capability: &'a [u8],
}

impl<'a> EntryHeader<'a> {
    /// A regular file with ordinary permissions.
    pub fn file(path: &'a [u8], size: u64) -> Self {
        Self { path, kind: EntryKind::File, size, mode: 0o644, capability: &[] }
    }

    /// Anything else.
    pub fn of_kind(path: &'a [u8], kind: EntryKind<'a>) -> Self {
        Self { path, kind, size: 0, mode: 0o755, capability: &[] }
    }
}
