//! Object ids, trees, commits, tags and the header of loose objects.

use std::fmt;

use super::{InvalidObject, MAX_OBJECT_BYTES};

/// The SHA-1 of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 20]);

impl ObjectId {
    /// From 40 hexadecimal digits.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let mut id = [0; 20];
        if text.len() != 40 {
            return None;
        }
        for (byte, digits) in id.iter_mut().zip(text.as_chunks::<2>().0) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }

    /// From the first 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk::<20>().map(|id| Self(*id))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl ObjectKind {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"commit" => Self::Commit,
            b"tree" => Self::Tree,
            b"blob" => Self::Blob,
            b"tag" => Self::Tag,
            _ => return None,
        })
    }
}

/// The header of an inflated loose object: its kind, and where its content begins.
pub fn loose(bytes: &[u8]) -> Result<(ObjectKind, usize), InvalidObject> {
    let wrong = InvalidObject("no header of a loose object");
    let end = bytes.iter().take(40).position(|byte| *byte == 0).ok_or(wrong)?;
    let header = bytes.get(..end).unwrap_or_default();
    let space = header.iter().position(|byte| *byte == b' ').ok_or(wrong)?;
    let (name, size) = (header.get(..space).unwrap_or_default(), header.get(space + 1..).unwrap_or_default());
    let kind = ObjectKind::named(name).ok_or(wrong)?;
    let size: usize = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok()).ok_or(wrong)?;
    if size > MAX_OBJECT_BYTES {
        return Err(InvalidObject("larger than the bound for objects"));
    }
    if bytes.len() != end + 1 + size {
        return Err(InvalidObject("its size is not the one its header states"));
    }
    Ok((kind, end + 1))
}

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    pub mode: u32,
    pub name: &'a [u8],
    pub id: ObjectId,
}

impl TreeEntry<'_> {
    pub fn is_tree(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// A regular file; neither a link nor a submodule.
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// The entries of a tree, up to the first that is broken.
pub fn tree(mut bytes: &[u8]) -> impl Iterator<Item = TreeEntry<'_>> {
    std::iter::from_fn(move || {
        let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
        let mode = u32::from_str_radix(std::str::from_utf8(bytes.get(..space)?).ok()?, 8).ok()?;
        let rest = bytes.get(space + 1..)?;
        let end = memchr::memchr(0, rest)?;
        let entry =
            TreeEntry { mode, name: rest.get(..end)?, id: ObjectId::from_bytes(rest.get(end + 1..)?)? };
        bytes = rest.get(end + 21..)?;
        Some(entry)
    })
}

/// What is needed of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub tree: ObjectId,
    pub parents: Vec<ObjectId>,
    /// Name and address, as written.
    pub author: String,
    /// Seconds since 1970 at which it was written.
    pub time: i64,
}

/// Reads a commit.
pub fn commit(bytes: &[u8]) -> Result<Commit, InvalidObject> {
    /// No merge has more.
    const MAX_PARENTS: usize = 64;
    const MAX_AUTHOR: usize = 200;
    let mut tree = None;
    let mut parents = Vec::new();
    let (mut author, mut time) = (String::new(), 0);
    for line in bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
        if let Some(id) = line.strip_prefix(b"tree ") {
            tree = tree.or(ObjectId::from_hex(id));
        } else if let Some(id) = line.strip_prefix(b"parent ") {
            parents.extend(ObjectId::from_hex(id).filter(|_| parents.len() < MAX_PARENTS));
        } else if let Some(text) = line.strip_prefix(b"author ") {
            let text = String::from_utf8_lossy(text);
            let mut words = text.rsplitn(3, ' ');
            let _zone = words.next();
            time = words.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
            author = words.next().unwrap_or_default().chars().take(MAX_AUTHOR).collect();
        }
    }
    let tree = tree.ok_or(InvalidObject("a commit without a tree"))?;
    Ok(Commit { tree, parents, author, time })
}

/// The object an annotated tag points at.
pub fn tag_target(bytes: &[u8]) -> Option<ObjectId> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    ObjectId::from_hex(line.strip_prefix(b"object ")?)
}
