//! An RPM header: an index of tags over a store of values.
//!
//! Format: "RPM Header Format" of rpm's manual (docs/manual/format_header). In a database the header stands without
//! its magic: the number of entries and the size of the store, then the entries of 16 bytes each, then the store.

use super::Broken;
use super::bytes::{Order, size_at, slice, u32_at};

/// Bytes of one entry: tag, type, offset, count.
const ENTRY: usize = 16;

/// Most entries rpm itself accepts (`HEADER_TAGS_MAX`).
const MAX_ENTRIES: usize = 0xffff;

/// The tags we read, by their numbers in rpmtag.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tag {
    SigMd5 = 261,
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    Vendor = 1011,
    License = 1014,
    Packager = 1015,
    Arch = 1022,
    OldFilenames = 1027,
    SourceRpm = 1044,
    ProvideName = 1047,
    RequireFlags = 1048,
    RequireName = 1049,
    DirIndexes = 1116,
    Basenames = 1117,
    Dirnames = 1118,
    ModularityLabel = 5096,
}

const INT32: u32 = 4;
const STRING: u32 = 6;
const BINARY: u32 = 7;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// A header whose index and store have been told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

struct Value<'a> {
    kind: u32,
    count: usize,
    /// The store from where the value begins.
    bytes: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, Broken> {
        // Whole package headers begin with a magic; some tools keep it.
        let blob = match blob.strip_prefix(&[0x8e, 0xad, 0xe8, 0x01]) {
            Some(rest) => rest.get(4..).unwrap_or_default(),
            None => blob,
        };
        let entries = size_at(blob, 0, Order::Big).ok_or("header without a size")?;
        let stored = size_at(blob, 4, Order::Big).ok_or("header without a size")?;
        if entries == 0 || entries > MAX_ENTRIES {
            return Err("header with an impossible number of entries");
        }
        let index = slice(blob, 8, entries * ENTRY).ok_or("header shorter than its index")?;
        let store = slice(blob, 8 + entries * ENTRY, stored).ok_or("header shorter than its values")?;
        Ok(Self { index, store })
    }

    fn value(&self, tag: Tag) -> Option<Value<'a>> {
        let wanted = (tag as u32).to_be_bytes();
        let entry = self.index.chunks_exact(ENTRY).find(|entry| entry.starts_with(&wanted))?;
        Some(Value {
            kind: u32_at(entry, 4, Order::Big)?,
            bytes: self.store.get(size_at(entry, 8, Order::Big)?..)?,
            count: size_at(entry, 12, Order::Big)?,
        })
    }

    /// A string; of a translated one the first, which is the untranslated.
    pub(super) fn string(&self, tag: Tag) -> Option<String> {
        let value = self.value(tag)?;
        if !matches!(value.kind, STRING | STRING_ARRAY | I18N_STRING) {
            return None;
        }
        let text = c_strings(value.bytes).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// Strings as raw bytes; no more than the store holds.
    pub(super) fn strings(&self, tag: Tag) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let value = self.value(tag).filter(|value| matches!(value.kind, STRING | STRING_ARRAY | I18N_STRING));
        let (bytes, count) = value.map_or((&[][..], 0), |value| (value.bytes, value.count));
        c_strings(bytes).take(count)
    }

    pub(super) fn numbers(&self, tag: Tag) -> impl Iterator<Item = u32> + use<'a> {
        let value = self.value(tag).filter(|value| value.kind == INT32);
        let (bytes, count) = value.map_or((&[][..], 0), |value| (value.bytes, value.count));
        bytes.chunks_exact(4).take(count).filter_map(|raw| u32_at(raw, 0, Order::Big))
    }

    pub(super) fn binary(&self, tag: Tag) -> Option<&'a [u8]> {
        let value = self.value(tag).filter(|value| value.kind == BINARY)?;
        value.bytes.get(..value.count)
    }
}

/// Strings that each end in a zero byte; an unended one is not a string.
fn c_strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = memchr::memchr(0, rest)?;
        let (text, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(entries: &[(u32, u32, u32, u32)], store: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        blob.extend((entries.len() as u32).to_be_bytes());
        blob.extend((store.len() as u32).to_be_bytes());
        for (tag, kind, offset, count) in entries {
            for number in [tag, kind, offset, count] {
                blob.extend(number.to_be_bytes());
            }
        }
        blob.extend(store);
        blob
    }

    #[test]
    fn values_of_every_kind() {
        let blob = header(
            &[(1000, STRING, 0, 1), (1003, INT32, 8, 1), (1117, STRING_ARRAY, 12, 2), (261, BINARY, 8, 4)],
            b"bash\0\0\0\0\0\0\0\x05a\0bc\0",
        );
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.string(Tag::Name).as_deref(), Some("bash"));
        assert_eq!(header.numbers(Tag::Epoch).collect::<Vec<_>>(), [5]);
        assert_eq!(header.strings(Tag::Basenames).collect::<Vec<_>>(), [b"a".as_slice(), b"bc"]);
        assert_eq!(header.binary(Tag::SigMd5), Some([0, 0, 0, 5].as_slice()));
        assert_eq!(header.string(Tag::Arch), None);
    }

    #[test]
    fn offsets_and_counts_past_the_store_yield_nothing() {
        let blob = header(
            &[
                (1000, STRING, 0, 1),
                (1001, STRING, u32::MAX, 1),
                (1116, INT32, 0, u32::MAX),
                (1117, STRING_ARRAY, 0, u32::MAX),
                (261, BINARY, 0, u32::MAX),
            ],
            b"unended",
        );
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.string(Tag::Name), None);
        assert_eq!(header.string(Tag::Version), None);
        assert_eq!(header.numbers(Tag::DirIndexes).count(), 1);
        assert_eq!(header.strings(Tag::Basenames).count(), 0);
        assert_eq!(header.binary(Tag::SigMd5), None);
        assert!(Header::parse(&blob[..20]).is_err());
        assert!(Header::parse(&[0xff; 64]).is_err());
    }
}
