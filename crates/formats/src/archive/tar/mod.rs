//! A streaming tar reader for layers written by anyone.
//!
//! Reads what container runtimes read, and where archives are ambiguous it reads them as the runtimes do (Go's
//! `archive/tar`), so that nobody can hide a file from the scan that a container would see: GNU long names win over
//! pax ones, a later extended header replaces an earlier one, global headers are passed over, and only files have
//! content. Metadata is bounded; content is never held.

mod content;
mod header;
mod input;
mod pax;
mod sparse;

use std::io::BufRead;

use yagura_model::SkipReason;

pub use content::Content;

use self::header::{BLOCK, Dialect, Header};
use self::input::Input;
use self::pax::{Broken, Records};
use self::sparse::{MAX_SEGMENTS, Segment};
use super::{EntryHeader, EntryKind, Problem};

/// Bound for one extended header or long name; runtimes refuse larger ones.
pub const MAX_METADATA_BYTES: u64 = 1 << 20;
/// Bound for extended headers and long names before one entry.
const MAX_METADATA_HEADERS: u32 = 64;

/// Reads the entries of a tar, one after the other.
pub struct TarReader<R> {
    input: Input<R>,
    current: Current,
    path: Vec<u8>,
    link: Vec<u8>,
    records: Records,
    metadata: Vec<u8>,
    problems: Vec<Problem>,
    ended: bool,
}

/// What is left of the entry that was handed out last.
#[derive(Debug, Default)]
struct Current {
    /// Stored bytes not yet read.
    stored: u64,
    /// Bytes that fill up the last block.
    padding: u64,
}

/// An entry: its header, its content, and what was wrong with its metadata (it is usable all the same).
pub struct TarEntry<'a, R> {
    pub header: EntryHeader<'a>,
    pub content: Content<'a, R>,
    pub problems: &'a [Problem],
}

/// The extended headers that stand before an entry.
#[derive(Default)]
struct Extended {
    records: bool,
    long_name: bool,
    long_link: bool,
}

impl<R: BufRead> TarReader<R> {
    pub fn new(source: R) -> Self {
        Self {
            input: Input::new(source),
            current: Current::default(),
            path: Vec::new(),
            link: Vec::new(),
            records: Records::default(),
            metadata: Vec::new(),
            problems: Vec::new(),
            ended: false,
        }
    }

    /// Bytes of the tar passed so far.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Gives the source back, to be read to its end.
    pub fn into_source(self) -> R {
        self.input.into_source()
    }

    /// The next entry; `None` at the end mark or where the source ends between two entries. After an error there are
    /// no further entries.
    pub fn next_entry(&mut self) -> Result<Option<TarEntry<'_, R>>, Problem> {
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        self.finish_current()?;
        self.problems.clear();
        self.path.clear();
        self.link.clear();
        let mut extended = Extended::default();
        let mut headers = 0;
        loop {
            let offset = self.input.offset();
            let Some(block) = self.input.block()? else {
                return Ok(None);
            };
            if block[0] == 0 && block.iter().all(|byte| *byte == 0) {
                // One block of zeros and then more entries: runtimes refuse that; so the rest counts as padding.
                return Ok(None);
            }
            let header = Header::new(&block, offset)?;
            let stored = header.size();
            let stored =
                stored.ok_or_else(|| broken(format!("entry without a usable size at byte {offset}")))?;
            if !matches!(header.kind(), b'x' | b'X' | b'g' | b'L' | b'K') {
                let shape = self.shape(&header, &extended, stored, offset)?;
                self.ended = false;
                return Ok(Some(self.entry(shape)));
            }
            headers += 1;
            if headers > MAX_METADATA_HEADERS {
                return Err(broken(format!(
                    "more than {MAX_METADATA_HEADERS} extended headers at byte {offset}"
                )));
            }
            self.read_metadata(header.kind(), stored, &mut extended)?;
        }
    }

    /// Passes over what is left of the last entry.
    fn finish_current(&mut self) -> Result<(), Problem> {
        let Current { stored, padding } = std::mem::take(&mut self.current);
        if self.input.skip(stored)? > 0 {
            return Err(Problem::new(
                SkipReason::Truncated,
                format!("the tar ends within the content of an entry, at byte {}", self.input.offset()),
            ));
        }
        // A last entry without its padding is whole.
        self.input.skip(padding).map(drop)
    }

    /// Reads one extended header, within the bound.
    fn read_metadata(&mut self, kind: u8, stored: u64, extended: &mut Extended) -> Result<(), Problem> {
        let wanted = if kind == b'g' { 0 } else { stored.min(MAX_METADATA_BYTES) };
        self.metadata.clear();
        while (self.metadata.len() as u64) < wanted {
            let missing = wanted - self.metadata.len() as u64;
            let bytes = self.input.peek()?;
            if bytes.is_empty() {
                break;
            }
            let count = bytes.len().min(missing as usize);
            self.metadata.extend_from_slice(bytes.get(..count).unwrap_or_default());
            self.input.consume(count);
        }
        self.current = Current { stored: stored - self.metadata.len() as u64, padding: padding(stored) };
        self.finish_current()?;
        let cut = kind != b'g' && stored > MAX_METADATA_BYTES;
        if cut {
            let detail = format!(
                "extended header of {stored} bytes, more than the {MAX_METADATA_BYTES} that are read"
            );
            self.problems.push(Problem::new(SkipReason::TooLarge, detail));
        }
        match kind {
            b'L' | b'K' => {
                let end = memchr::memchr(0, &self.metadata).unwrap_or(self.metadata.len());
                self.metadata.truncate(end);
                let (name, present) = match kind {
                    b'L' => (&mut self.path, &mut extended.long_name),
                    _ => (&mut self.link, &mut extended.long_link),
                };
                std::mem::swap(name, &mut self.metadata);
                *present = true;
            }
            b'x' | b'X' => {
                extended.records = true;
                match self.records.read(&self.metadata) {
                    // The record that the bound cut in two was spoken of already.
                    Err(Broken::Record) if !cut => {
                        self.problems.push(broken("broken extended header".to_owned()))
                    }
                    Err(Broken::Segments) => self.problems.push(too_many_segments()),
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Decides what the entry is, and fills in `self.path`, `self.link` and the sparse map.
    fn shape(
        &mut self,
        header: &Header<'_>,
        extended: &Extended,
        stored: u64,
        offset: u64,
    ) -> Result<Shape, Problem> {
        if !extended.records {
            self.records.clear();
        }
        let records = &mut self.records;
        if !extended.long_name {
            let name = if records.sparse_name.is_empty() { &records.path } else { &records.sparse_name };
            match name.is_empty() {
                true => header.name_into(&mut self.path),
                false => self.path.extend_from_slice(name),
            }
        }
        if !extended.long_link {
            let link = if records.link.is_empty() { header.link() } else { &records.link };
            self.link.extend_from_slice(link);
        }
        let kind = match header.kind() {
            b'\0' if self.path.ends_with(b"/") => Kind::Directory,
            b'0' | b'\0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::Hardlink,
            b'2' => Kind::Symlink,
            b'3' | b'4' => Kind::Device,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            _ => Kind::Other,
        };
        // Whatever size the others state, nothing of theirs is stored.
        let stored = match kind {
            Kind::File | Kind::Other => records.size.unwrap_or(stored),
            _ => 0,
        };
        self.current = Current { stored, padding: padding(stored) };
        let mut shape = Shape { kind, size: stored, mode: header.mode(), sparse: false, readable: true };
        if header.kind() == b'S' && header.dialect == Dialect::Gnu {
            self.read_old_sparse(header, offset, &mut shape)?;
        } else if self.records.sparse_major == Some(1) {
            self.read_sparse_map(&mut shape)?;
        } else if self.records.sparse_mapped {
            shape.sparse = true;
            shape.size = self.records.sparse_size.unwrap_or(stored);
        }
        let intact =
            !shape.sparse || sparse::is_valid(&self.records.segments, shape.size, self.current.stored);
        if shape.readable && !intact {
            self.problems.push(broken("sparse map that does not fit its content".to_owned()));
            shape.readable = false;
        }
        Ok(shape)
    }

    fn read_old_sparse(
        &mut self,
        header: &Header<'_>,
        offset: u64,
        shape: &mut Shape,
    ) -> Result<(), Problem> {
        let segments = &mut self.records.segments;
        segments.clear();
        let (map, mut continued, size) = header.sparse();
        let mut intact = sparse::read_old_map(map, segments).is_some();
        while continued {
            let Some(block) = self.input.block()? else {
                return Err(Problem::new(
                    SkipReason::Truncated,
                    format!("the tar ends within the sparse map of the entry at byte {offset}"),
                ));
            };
            intact = intact && sparse::read_old_map(&block[..504], segments).is_some();
            continued = block[504] != 0;
        }
        shape.sparse = true;
        shape.size = size.unwrap_or(0);
        shape.readable = intact && size.is_some();
        if !shape.readable {
            self.problems.push(broken("broken sparse map".to_owned()));
        }
        Ok(())
    }

    /// The map of the 1.0 form stands before the content: decimal lines, filled up to a block.
    fn read_sparse_map(&mut self, shape: &mut Shape) -> Result<(), Problem> {
        shape.sparse = true;
        shape.size = self.records.sparse_size.unwrap_or(0);
        self.records.segments.clear();
        let mut numbers = MapNumbers::default();
        let mut count = None;
        let mut offset = None;
        loop {
            let segments = &mut self.records.segments;
            if count.is_some_and(|count| segments.len() as u64 >= count) {
                return Ok(());
            }
            // Only whole blocks of the content hold the map.
            let block = if self.current.stored < BLOCK as u64 { None } else { self.input.block()? };
            let Some(block) = block else {
                self.problems.push(broken("broken sparse map".to_owned()));
                shape.readable = false;
                return Ok(());
            };
            self.current.stored -= BLOCK as u64;
            for byte in block {
                let number = match numbers.push(byte) {
                    Ok(None) => continue,
                    Ok(Some(number)) => number,
                    Err(()) => {
                        self.problems.push(broken("broken sparse map".to_owned()));
                        shape.readable = false;
                        return Ok(());
                    }
                };
                match (count, offset.take()) {
                    (None, _) if number > MAX_SEGMENTS as u64 => {
                        self.problems.push(too_many_segments());
                        shape.readable = false;
                        return Ok(());
                    }
                    (None, _) => count = Some(number),
                    (Some(_), None) => offset = Some(number),
                    (Some(_), Some(start)) => segments.push(Segment { offset: start, length: number }),
                }
                if count.is_some_and(|count| segments.len() as u64 >= count) {
                    break;
                }
            }
        }
    }

    fn entry(&mut self, shape: Shape) -> TarEntry<'_, R> {
        let kind = match shape.kind {
            Kind::File => EntryKind::File,
            Kind::Directory => EntryKind::Directory,
            Kind::Symlink => EntryKind::Symlink(&self.link),
            Kind::Hardlink => EntryKind::Hardlink(&self.link),
            Kind::Device => EntryKind::Device,
            Kind::Fifo => EntryKind::Fifo,
            Kind::Other => EntryKind::Other,
        };
        let size = if shape.kind == Kind::File { shape.size } else { 0 };
        let header = EntryHeader {
            path: &self.path,
            kind,
            size,
            mode: shape.mode,
            capability: &self.records.capability,
        };
        let segments = shape.sparse.then_some(self.records.segments.as_slice());
        let content = Content::new(&mut self.input, &mut self.current.stored, segments, size, shape.readable);
        TarEntry { header, content, problems: &self.problems }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Symlink,
    Hardlink,
    Device,
    Fifo,
    Other,
}

struct Shape {
    kind: Kind,
    size: u64,
    mode: u32,
    sparse: bool,
    /// False when the map of a sparse file is broken: there is an entry but no content.
    readable: bool,
}

/// Decimal numbers, one a line, from single bytes.
#[derive(Default)]
struct MapNumbers {
    value: u64,
    digits: u8,
}

impl MapNumbers {
    fn push(&mut self, byte: u8) -> Result<Option<u64>, ()> {
        match byte {
            b'0'..=b'9' => {
                self.digits = self.digits.saturating_add(1);
                let value = self.value.checked_mul(10).and_then(|v| v.checked_add(u64::from(byte - b'0')));
                self.value = value.ok_or(())?;
                Ok(None)
            }
            b'\n' if self.digits > 0 => {
                self.digits = 0;
                Ok(Some(std::mem::take(&mut self.value)))
            }
            _ => Err(()),
        }
    }
}

fn padding(stored: u64) -> u64 {
    (BLOCK as u64 - stored % BLOCK as u64) % BLOCK as u64
}

fn broken(detail: String) -> Problem {
    Problem::new(SkipReason::Malformed, detail)
}

fn too_many_segments() -> Problem {
    Problem::new(SkipReason::TooMany, format!("sparse file of more than {MAX_SEGMENTS} parts"))
}

#[cfg(test)]
mod tests;
