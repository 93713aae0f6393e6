//! Pack indexes (version 2) and the headers of a pack's entries.

use super::{InvalidObject, ObjectId, ObjectKind};

/// Bytes before the tables: magic, version, fan-out.
const HEADER_BYTES: usize = 8 + 256 * 4;

/// Where a pack keeps which object.
pub struct PackIndex {
    bytes: Vec<u8>,
    count: usize,
}

impl PackIndex {
    /// Takes the bytes of an `.idx` file.
    pub fn read(bytes: Vec<u8>) -> Result<Self, InvalidObject> {
        if !bytes.starts_with(b"\xfftOc\0\0\0\x02") {
            return Err(InvalidObject("not a pack index of version 2"));
        }
        let count = number(&bytes, HEADER_BYTES - 4).unwrap_or(0) as usize;
        // Ids, checksums, offsets, and two checksums at the end.
        let least = HEADER_BYTES as u64 + count as u64 * 28 + 40;
        if (bytes.len() as u64) < least {
            return Err(InvalidObject("a pack index that ends early"));
        }
        Ok(Self { bytes, count })
    }

    /// Objects in the pack.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where in the pack an object is.
    pub fn offset(&self, id: &ObjectId) -> Option<u64> {
        let first = usize::from(id.0[0]);
        let bound = |index: usize| number(&self.bytes, 8 + index * 4).map_or(0, |count| count as usize);
        let mut low = if first == 0 { 0 } else { bound(first - 1) };
        let mut high = bound(first).min(self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle)?.cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.offset_at(middle),
            }
        }
        None
    }

    fn id(&self, index: usize) -> Option<ObjectId> {
        ObjectId::from_bytes(self.bytes.get(HEADER_BYTES + index * 20..)?)
    }

    fn offset_at(&self, index: usize) -> Option<u64> {
        let offsets = HEADER_BYTES + self.count * 24;
        let offset = number(&self.bytes, offsets + index * 4)?;
        if offset & 0x8000_0000 == 0 {
            return Some(u64::from(offset));
        }
        let large = offsets + self.count * 4 + (offset & 0x7fff_ffff) as usize * 8;
        Some(u64::from(number(&self.bytes, large)?) << 32 | u64::from(number(&self.bytes, large + 4)?))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// What an entry is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryBase {
    /// Itself.
    Whole(ObjectKind),
    /// A delta of the entry so many bytes before it.
    Before(u64),
    /// A delta of this object.
    Object(ObjectId),
}

/// The header of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackEntry {
    pub base: EntryBase,
    /// Inflated bytes that follow, of the object or of the delta.
    pub size: u64,
    /// Where the compressed bytes begin, from the entry's own beginning.
    pub content: usize,
}

/// Reads the header of an entry from its first bytes (32 suffice).
pub fn entry_header(bytes: &[u8]) -> Result<PackEntry, InvalidObject> {
    let cut = InvalidObject("an entry of a pack that ends early");
    let mut at = 0;
    let mut next = || {
        let byte = bytes.get(at).copied().ok_or(cut);
        at += 1;
        byte
    };
    let first = next()?;
    let mut size = u64::from(first & 0x0f);
    let mut more = first & 0x80 != 0;
    let mut shift = 4;
    while more {
        let byte = next()?;
        size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57).ok_or(cut)?;
        shift += 7;
        more = byte & 0x80 != 0;
    }
    let base = match first >> 4 & 7 {
        1 => EntryBase::Whole(ObjectKind::Commit),
        2 => EntryBase::Whole(ObjectKind::Tree),
        3 => EntryBase::Whole(ObjectKind::Blob),
        4 => EntryBase::Whole(ObjectKind::Tag),
        6 => {
            let mut byte = next()?;
            let mut distance = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                byte = next()?;
                if distance >> 50 != 0 {
                    return Err(cut);
                }
                distance = (distance + 1) << 7 | u64::from(byte & 0x7f);
            }
            EntryBase::Before(distance)
        }
        7 => {
            let id = ObjectId::from_bytes(bytes.get(at..).unwrap_or_default()).ok_or(cut)?;
            at += 20;
            EntryBase::Object(id)
        }
        _ => return Err(InvalidObject("an entry of a kind that is reserved")),
    };
    Ok(PackEntry { base, size, content: at })
}
