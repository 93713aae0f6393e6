//! Zip archives (PKWARE APPNOTE 6.3.10) in bounded memory: from a slice through the central directory, from a stream
//! through the local headers.
//!
//! The caller says by name which entries it wants; nothing else is inflated where that can be avoided. Names are not
//! paths here: nothing is ever written under them.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};
use rawzip::{CompressionMethod, ZipArchive};
use yagura_model::SkipReason;

use super::Problem;

/// Names longer than this are not looked at.
const MAX_NAME: usize = 4096;
/// Bytes before the first entry of a streamed archive (a launch script, say).
const MAX_PRELUDE: usize = 1 << 20;
const BUFFER: usize = 64 * 1024;

/// Where an archive is read from.
pub enum Source<'a> {
    Memory(&'a [u8]),
    Stream(&'a mut dyn Read),
}

/// What the caller wants done after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Continue,
    Stop,
}

/// A wanted entry and its content.
pub struct Entry<'a> {
    pub name: &'a str,
    /// Inflated size as the archive states it; unknown in streams whose writer did not know it either.
    pub size: Option<u64>,
    pub content: Source<'a>,
}

/// The caller's side of [`walk`].
pub trait Visitor {
    /// Whether the content of an entry is wanted; called once for every entry.
    fn wants(&mut self, name: &str) -> bool;
    /// A wanted entry. Its content need not be read to the end.
    fn visit(&mut self, entry: Entry<'_>) -> Next;
    /// An entry that was wanted and cannot be read.
    fn unreadable(&mut self, name: &str, problem: Problem);
}

/// What all the archives in one file share: the bytes that may still be inflated, and inflaters to use again.
pub struct Budget {
    left: Cell<u64>,
    idle: RefCell<Vec<Decompress>>,
}

impl Budget {
    /// A budget of so many inflated bytes.
    pub fn new(bytes: u64) -> Self {
        Self { left: Cell::new(bytes), idle: RefCell::default() }
    }

    fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}

/// Reads an archive, entry by entry, until its end, [`Next::Stop`] or the end of the budget.
pub fn walk(source: Source<'_>, budget: &Budget, visitor: &mut dyn Visitor) -> Result<(), Problem> {
    let walked = match source {
        Source::Memory(bytes) => match ZipArchive::from_slice(bytes) {
            Ok(archive) => walk_directory(&archive, budget, visitor),
            // Without a central directory (a truncated file) the entries before the break can still be read.
            Err(_) => {
                let mut rest = bytes;
                walk_stream(&mut rest, budget, visitor)
            }
        },
        Source::Stream(reader) => walk_stream(reader, budget, visitor),
    };
    walked.map_err(|error| Problem::of(&error))
}

fn walk_directory(
    archive: &rawzip::ZipSliceArchive<&[u8]>,
    budget: &Budget,
    visitor: &mut dyn Visitor,
) -> io::Result<()> {
    let mut entries = archive.entries();
    loop {
        let entry = match entries.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(error) => return Err(Problem::new(SkipReason::Malformed, error.to_string()).into()),
        };
        let path = entry.file_path();
        let raw: &[u8] = path.as_ref();
        let name = String::from_utf8_lossy(raw.get(..MAX_NAME).unwrap_or(raw));
        if entry.is_dir() || !visitor.wants(&name) {
            continue;
        }
        if entry.flags().is_encrypted() {
            visitor.unreadable(&name, Problem::new(SkipReason::Encrypted, "encrypted entry"));
            continue;
        }
        let data = match archive.get_entry(entry.wayfinder()) {
            Ok(slice) => slice.data(),
            Err(error) => {
                visitor.unreadable(&name, Problem::new(SkipReason::Truncated, error.to_string()));
                continue;
            }
        };
        let size = Some(entry.uncompressed_size_hint());
        let next = match entry.compression_method() {
            CompressionMethod::STORE => visitor.visit(Entry {
                name: &name,
                size: Some(data.len() as u64),
                content: Source::Memory(data),
            }),
            CompressionMethod::DEFLATE => {
                let mut content = Inflater::new(data, budget);
                visitor.visit(Entry { name: &name, size, content: Source::Stream(&mut content) })
            }
            method => {
                visitor.unreadable(&name, unsupported_method(method.as_u16()));
                continue;
            }
        };
        if next == Next::Stop {
            return Ok(());
        }
        if budget.is_spent() {
            return Err(exhausted().into());
        }
    }
}

fn unsupported_method(method: u16) -> Problem {
    Problem::new(SkipReason::Unsupported, format!("compression method {method}"))
}

fn exhausted() -> Problem {
    Problem::new(SkipReason::Ratio, "inflates to more than is allowed for a file of its size")
}

/// Inflates one entry, counting its bytes against the budget; takes from the reader what belongs to the entry and
/// nothing more.
struct Inflater<'b, R> {
    reader: R,
    state: Option<Decompress>,
    ended: bool,
    budget: &'b Budget,
}

impl<'b, R: BufRead> Inflater<'b, R> {
    fn new(reader: R, budget: &'b Budget) -> Self {
        let idle = budget.idle.borrow_mut().pop();
        let state = Some(idle.unwrap_or_else(|| Decompress::new(false)));
        Self { reader, state, ended: false, budget }
    }
}

impl<R: BufRead> Read for Inflater<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(state) = self.state.as_mut().filter(|_| !self.ended && !buffer.is_empty()) else {
            return Ok(0);
        };
        loop {
            if self.budget.is_spent() {
                return Err(exhausted().into());
            }
            let input = self.reader.fill_buf()?;
            let at_end = input.is_empty();
            let (taken, given) = (state.total_in(), state.total_out());
            let status = state
                .decompress(input, buffer, FlushDecompress::None)
                .map_err(|error| Problem::new(SkipReason::Malformed, error.to_string()))?;
            let (taken, given) = (state.total_in() - taken, state.total_out() - given);
            self.reader.consume(usize::try_from(taken).unwrap_or(usize::MAX));
            self.budget.left.set(self.budget.left.get().saturating_sub(given));
            self.ended = status == Status::StreamEnd;
            if self.ended || given > 0 {
                return Ok(usize::try_from(given).unwrap_or(usize::MAX));
            }
            if at_end {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if taken == 0 {
                return Err(Problem::new(SkipReason::Malformed, "compressed data that leads nowhere").into());
            }
        }
    }
}

impl<R> Drop for Inflater<'_, R> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            state.reset(false);
            self.budget.idle.borrow_mut().push(state);
        }
    }
}

/// Fields of a local file header (APPNOTE 4.3.7) that matter here.
struct LocalHeader {
    name: String,
    encrypted: bool,
    /// Sizes follow the data in a descriptor.
    descriptor: bool,
    method: u16,
    compressed: u64,
    inflated: u64,
}

const LOCAL_HEADER: &[u8; 4] = b"PK\x03\x04";
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

fn walk_stream(reader: &mut dyn Read, budget: &Budget, visitor: &mut dyn Visitor) -> io::Result<()> {
    let mut input = Input { reader, buffer: Vec::new(), start: 0 };
    input.skip_prelude()?;
    while input.peek(4)? == LOCAL_HEADER {
        let header = input.local_header()?;
        let wanted = !header.name.ends_with('/') && visitor.wants(&header.name);
        let mut next = Next::Continue;
        if header.encrypted || !matches!(header.method, STORED | DEFLATED) {
            if wanted {
                let problem = match header.encrypted {
                    true => Problem::new(SkipReason::Encrypted, "encrypted entry"),
                    false => unsupported_method(header.method),
                };
                visitor.unreadable(&header.name, problem);
            }
            if header.descriptor && header.compressed == 0 {
                let detail = format!("the end of entry {} cannot be told", header.name);
                return Err(Problem::new(SkipReason::Unsupported, detail).into());
            }
            input.skip(header.compressed)?;
        } else if header.method == STORED {
            // An entry of unknown length ends nowhere in particular when it is not compressed.
            if header.descriptor && header.compressed == 0 && input.peek(4)? != DESCRIPTOR {
                let detail = format!("the end of stored entry {} cannot be told", header.name);
                return Err(Problem::new(SkipReason::Unsupported, detail).into());
            }
            let mut content = (&mut input).take(header.compressed);
            if wanted {
                let size = Some(header.compressed);
                next =
                    visitor.visit(Entry { name: &header.name, size, content: Source::Stream(&mut content) });
            }
            let rest = content.limit();
            input.skip(rest)?;
        } else if header.descriptor {
            let mut content = Inflater::new(&mut input, budget);
            if wanted {
                next = visitor.visit(Entry {
                    name: &header.name,
                    size: None,
                    content: Source::Stream(&mut content),
                });
            }
            // Only inflating tells where the entry ends.
            io::copy(&mut content, &mut io::sink())?;
        } else {
            let mut compressed = (&mut input).take(header.compressed);
            if wanted {
                let mut content = Inflater::new(&mut compressed, budget);
                let size = Some(header.inflated);
                next =
                    visitor.visit(Entry { name: &header.name, size, content: Source::Stream(&mut content) });
            }
            let rest = compressed.limit();
            input.skip(rest)?;
        }
        if next == Next::Stop {
            return Ok(());
        }
        if budget.is_spent() {
            return Err(exhausted().into());
        }
        if header.descriptor {
            input.skip_descriptor()?;
        }
    }
    Ok(())
}

/// A stream that can be looked into a little ahead.
struct Input<'r> {
    reader: &'r mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
}

impl Input<'_> {
    /// Up to `length` of the next bytes, without taking them; fewer only at the end.
    fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        if self.buffer.len().saturating_sub(self.start) < length {
            self.buffer.drain(..self.start.min(self.buffer.len()));
            self.start = 0;
            let missing = length.max(BUFFER).saturating_sub(self.buffer.len());
            (&mut self.reader).take(missing as u64).read_to_end(&mut self.buffer)?;
        }
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest))
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Goes to the first entry.
    fn skip_prelude(&mut self) -> io::Result<()> {
        let head = self.peek(MAX_PRELUDE.min(4))?;
        if head == LOCAL_HEADER || head.starts_with(b"PK\x05\x06") {
            return Ok(());
        }
        let head = self.peek(MAX_PRELUDE)?;
        match memchr::memmem::find(head, LOCAL_HEADER) {
            Some(at) => {
                self.consume(at);
                Ok(())
            }
            None => Err(Problem::new(SkipReason::Malformed, "not a zip archive").into()),
        }
    }

    fn local_header(&mut self) -> io::Result<LocalHeader> {
        let truncated = || io::Error::from(Problem::new(SkipReason::Truncated, "ends within a header"));
        let fixed: [u8; 30] = self.peek(30)?.try_into().map_err(|_| truncated())?;
        let half = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let word = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let (flags, method) = (half(6), half(8));
        let (mut compressed, mut inflated) = (u64::from(word(18)), u64::from(word(22)));
        let (name_length, extra_length) = (usize::from(half(26)), usize::from(half(28)));
        let whole = 30 + name_length + extra_length;
        let header = self.peek(whole)?;
        if header.len() < whole {
            return Err(truncated());
        }
        let name = header.get(30..30 + name_length.min(MAX_NAME)).unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        let extra = header.get(30 + name_length..).unwrap_or_default();
        if (compressed == u64::from(u32::MAX) || inflated == u64::from(u32::MAX))
            && let Some((large_inflated, large_compressed)) = zip64_sizes(extra)
        {
            (inflated, compressed) = (large_inflated, large_compressed);
        }
        self.consume(whole);
        Ok(LocalHeader {
            name,
            encrypted: flags & 1 != 0,
            descriptor: flags & 8 != 0,
            method,
            compressed,
            inflated,
        })
    }

    /// Passes a data descriptor (APPNOTE 4.3.9): with or without its signature, with sizes of four or eight bytes.
    fn skip_descriptor(&mut self) -> io::Result<()> {
        let follows = |bytes: &[u8], at: usize| {
            bytes
                .get(at..at + 4)
                .is_some_and(|next| matches!(next, b"PK\x03\x04" | b"PK\x01\x02" | b"PK\x06\x08"))
        };
        let bytes = self.peek(28)?;
        let length = [16, 24, 12, 20].into_iter().find(|length| follows(bytes, *length)).unwrap_or(16);
        let length = length.min(bytes.len());
        self.consume(length);
        Ok(())
    }
}

/// Inflated and compressed size from the zip64 extra field (APPNOTE 4.5.3).
fn zip64_sizes(mut extra: &[u8]) -> Option<(u64, u64)> {
    loop {
        let (head, rest) = extra.split_at_checked(4)?;
        let (id, length) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let (field, rest) = rest.split_at_checked(usize::from(length))?;
        if id == 1 {
            let inflated = u64::from_le_bytes(field.get(..8)?.try_into().ok()?);
            let compressed = u64::from_le_bytes(field.get(8..16)?.try_into().ok()?);
            return Some((inflated, compressed));
        }
        extra = rest;
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start >= self.buffer.len() {
            self.peek(1)?;
        }
        Ok(self.buffer.get(self.start..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.start = self.start.saturating_add(amount).min(self.buffer.len());
    }
}

/// Zip archives made for tests.
#[cfg(test)]
pub(crate) mod made {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    /// How an entry is written.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(crate) enum How {
        Stored,
        Deflated,
        /// As `jar` and Maven write: sizes in a descriptor behind the data.
        Described,
    }

    /// An archive of these entries.
    pub(crate) fn archive(entries: &[(&str, &[u8], How)]) -> Vec<u8> {
        let mut archive = Vec::new();
        let mut directory = Vec::new();
        for (name, content, how) in entries {
            let data = match how {
                How::Stored => content.to_vec(),
                _ => {
                    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                    encoder.write_all(content).unwrap();
                    encoder.finish().unwrap()
                }
            };
            let described = *how == How::Described;
            let (sizes, crc) = ([data.len() as u32, content.len() as u32], rawzip::crc32(content));
            let mut fields = Vec::new();
            fields.extend_from_slice(&20_u16.to_le_bytes());
            fields.extend_from_slice(&(if described { 8_u16 } else { 0 }).to_le_bytes());
            fields.extend_from_slice(&(if *how == How::Stored { 0_u16 } else { 8 }).to_le_bytes());
            fields.extend_from_slice(&[0; 4]);
            let mut known = crc.to_le_bytes().to_vec();
            known.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
            let names = [(name.len() as u16).to_le_bytes(), [0; 2]].concat();
            let offset = archive.len() as u32;
            archive.extend_from_slice(b"PK\x03\x04");
            archive.extend_from_slice(&fields);
            archive.extend_from_slice(if described { &[0; 12] } else { &known });
            archive.extend_from_slice(&names);
            archive.extend_from_slice(name.as_bytes());
            archive.extend_from_slice(&data);
            if described {
                archive.extend_from_slice(b"PK\x07\x08");
                archive.extend_from_slice(&known);
            }
            directory.extend_from_slice(b"PK\x01\x02\x14\0");
            directory.extend_from_slice(&fields);
            directory.extend_from_slice(&known);
            directory.extend_from_slice(&names);
            directory.extend_from_slice(&[0; 10]);
            directory.extend_from_slice(&offset.to_le_bytes());
            directory.extend_from_slice(name.as_bytes());
        }
        let start = archive.len() as u32;
        archive.extend_from_slice(&directory);
        archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        let count = (entries.len() as u16).to_le_bytes();
        archive.extend_from_slice(&[count, count].concat());
        archive.extend_from_slice(&(directory.len() as u32).to_le_bytes());
        archive.extend_from_slice(&start.to_le_bytes());
        archive.extend_from_slice(&[0; 2]);
        archive
    }
}

#[cfg(test)]
mod tests {
    use super::made::{How, archive};
    use super::*;

    /// Keeps the wanted entries' names and contents.
    #[derive(Default)]
    struct Kept {
        contents: Vec<(String, Vec<u8>)>,
        problems: Vec<SkipReason>,
    }

    impl Visitor for Kept {
        fn wants(&mut self, name: &str) -> bool {
            name.ends_with(".txt")
        }

        fn visit(&mut self, entry: Entry<'_>) -> Next {
            let mut bytes = Vec::new();
            let read = match entry.content {
                Source::Memory(mut content) => content.read_to_end(&mut bytes),
                Source::Stream(reader) => reader.read_to_end(&mut bytes),
            };
            match read {
                Ok(_) => self.contents.push((entry.name.to_owned(), bytes)),
                Err(error) => self.problems.push(Problem::of(&error).reason),
            }
            Next::Continue
        }

        fn unreadable(&mut self, _: &str, problem: Problem) {
            self.problems.push(problem.reason);
        }
    }

    fn both_ways(bytes: &[u8], allowance: u64) -> [(Kept, Result<(), Problem>); 2] {
        let mut kept = Kept::default();
        let memory = walk(Source::Memory(bytes), &Budget::new(allowance), &mut kept);
        let mut streamed = Kept::default();
        let mut reader = bytes;
        let stream = walk(Source::Stream(&mut reader), &Budget::new(allowance), &mut streamed);
        [(kept, memory), (streamed, stream)]
    }

    #[test]
    fn memory_and_stream_see_the_same() {
        let long: Vec<u8> = (0..300_000_u32).flat_map(|i| (i % 977).to_le_bytes()).collect();
        let bytes = archive(&[
            ("a.txt", b"first", How::Stored),
            ("skip.bin", &long, How::Described),
            ("d/", b"", How::Stored),
            ("b.txt", &long, How::Described),
            ("skip2.bin", &long, How::Deflated),
            ("c.txt", &long, How::Deflated),
            ("e.txt", b"", How::Described),
        ]);
        let mut launched = b"#!/bin/sh\nexec java -jar \"$0\"\n".to_vec();
        launched.extend_from_slice(&bytes);
        for bytes in [&bytes, &launched] {
            for (kept, result) in both_ways(bytes, 1 << 30) {
                assert_eq!(result, Ok(()));
                let names: Vec<_> =
                    kept.contents.iter().map(|(name, content)| (name.as_str(), content.len())).collect();
                assert_eq!(names, [("a.txt", 5), ("b.txt", long.len()), ("c.txt", long.len()), ("e.txt", 0)]);
                assert_eq!(kept.contents[1].1, long);
            }
        }
    }

    #[test]
    fn bombs_stop_at_the_allowance() {
        let bytes =
            archive(&[("bomb.txt", &vec![0; 20 << 20], How::Described), ("a.txt", b"x", How::Stored)]);
        for (kept, result) in both_ways(&bytes, 1 << 20) {
            assert_eq!(result.unwrap_err().reason, SkipReason::Ratio);
            assert_eq!(kept.contents.len(), 0);
        }
    }

    #[test]
    fn truncated_archives_give_what_they_have() {
        let bytes = archive(&[("a.txt", b"first", How::Deflated), ("b.txt", &[7; 1000], How::Stored)]);
        for cut in [bytes.len() - 10, 600, 100] {
            for (kept, result) in both_ways(&bytes[..cut], 1 << 20) {
                assert_eq!(kept.contents[0], ("a.txt".to_owned(), b"first".to_vec()), "{cut}");
                if cut == 600 {
                    assert_eq!(result.unwrap_err().reason, SkipReason::Truncated);
                }
            }
        }
    }

    #[test]
    fn encrypted_entries_are_named() {
        let mut bytes = archive(&[("a.txt", b"first", How::Stored)]);
        let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[6] |= 1;
        bytes[directory + 8] |= 1;
        for (kept, _) in both_ways(&bytes, 1 << 20) {
            assert_eq!(kept.problems, [SkipReason::Encrypted]);
        }
    }
}
