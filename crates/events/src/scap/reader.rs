//! Reads a capture as a stream: what was known at the start, then events.

use std::io::{self, Read};

use thiserror::Error;
use yagura_formats::archive::compression::Compression;

use super::blocks::{self, Kind};
use super::entries::{Descriptor, Group, Interface, Machine, Thread, User};
use super::parse::{self, Account};
use super::window::Window;
use crate::table::{RawEvent, Table, table};

/// Longest event in an ordinary block, as in libscap.
const MAX_EVENT_BYTES: usize = 64 << 10;
/// Longest event in a block for large ones.
const MAX_LARGE_EVENT_BYTES: usize = 16 << 20;
/// Longest entry of a process, descriptor, interface or user list: nine texts of 64 KiB.
const MAX_ENTRY_BYTES: usize = 1 << 20;
/// Header and trailer of a block.
const FRAME_BYTES: u64 = 12;

/// Why reading a capture ended early. What was read before stays valid.
#[derive(Debug, Error)]
pub enum CaptureProblem {
    #[error("not a capture: it does not begin with a section header block")]
    NotACapture,
    #[error("a section for another byte order or of an unknown format (magic {0:#010x})")]
    Magic(u32),
    #[error("format version {0}.{1} is newer than what is read (1.x)")]
    Version(u16, u16),
    #[error("the capture ends inside a block at byte {offset}: it was cut off")]
    Truncated { offset: u64 },
    #[error("the block at byte {offset} contradicts itself (length {length}): what follows cannot be read")]
    Corrupt { offset: u64, length: u32 },
    #[error("cannot be read at byte {offset}: {error}")]
    Read { offset: u64, error: io::Error },
}

/// What was read and what was passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events handed out.
    pub events: u64,
    /// Events whose code is newer than the table.
    pub unknown_events: u64,
    /// Events in whole blocks that are not whole themselves.
    pub corrupt_events: u64,
    /// Entries and blocks before the events that could not be understood.
    pub corrupt_entries: u64,
    pub unknown_blocks: u64,
}

/// One thing in a capture.
#[derive(Debug)]
pub enum Item<'a> {
    /// A section begins. What earlier sections said about threads and descriptors is over.
    Section {
        major: u16,
        minor: u16,
    },
    Machine(Machine),
    Thread(Thread<'a>),
    /// Fields of a thread named before that only captures of this project have (see `Thread::default` for the rest).
    ThreadDetails(Thread<'a>),
    Descriptor(i64, Descriptor<'a>),
    Interface(Interface),
    User(User),
    Group(Group),
    Event(RawEvent<'a>),
}

/// What the rest of the present block holds.
#[derive(Clone, Copy, Debug)]
enum Within {
    Nothing,
    Entries { kind: Kind, left: u64, tid: i64 },
}

/// Reads plain, gzip and zstd captures in bounded memory.
pub struct CaptureReader<R> {
    window: Window<R>,
    table: &'static Table,
    within: Within,
    /// Bytes of what was handed out last, passed over at the next call.
    handed: usize,
    /// Position, total length of the present block of entries.
    block: (u64, u32),
    started: bool,
    finished: bool,
    counts: Counts,
}

impl<R: Read> CaptureReader<R> {
    pub fn new(source: R) -> io::Result<Self> {
        Ok(Self {
            window: Window::new(source)?,
            table: table(),
            within: Within::Nothing,
            handed: 0,
            block: (0, 0),
            started: false,
            finished: false,
            counts: Counts::default(),
        })
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub fn compression(&self) -> Compression {
        self.window.compression()
    }

    /// Position in the inflated capture.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Position in the file.
    pub fn bytes_in(&self) -> u64 {
        self.window.bytes_in()
    }

    /// The next thing; nothing at the end. After a problem there is nothing more.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, CaptureProblem> {
        if self.finished {
            return Ok(None);
        }
        match self.find() {
            Ok(Some(found)) => Ok(self.item(found)),
            Ok(None) => {
                self.finished = true;
                Ok(None)
            }
            Err(problem) => {
                self.finished = true;
                Err(problem)
            }
        }
    }

    fn ensure(&mut self, wanted: usize) -> Result<usize, CaptureProblem> {
        let offset = self.window.offset();
        self.window.ensure(wanted).map_err(|error| CaptureProblem::Read { offset, error })
    }

    fn require(&mut self, wanted: usize) -> Result<(), CaptureProblem> {
        if self.ensure(wanted)? < wanted {
            return Err(CaptureProblem::Truncated { offset: self.window.offset() });
        }
        Ok(())
    }

    fn skip(&mut self, count: u64) -> Result<(), CaptureProblem> {
        let offset = self.window.offset();
        match self.window.skip(count) {
            Ok(true) => Ok(()),
            Ok(false) => Err(CaptureProblem::Truncated { offset }),
            Err(error) => Err(CaptureProblem::Read { offset, error }),
        }
    }

    /// Advances to the next thing. The bytes it is made of are in the window when this returns.
    fn find(&mut self) -> Result<Option<Found>, CaptureProblem> {
        self.window.advance(std::mem::take(&mut self.handed));
        loop {
            if let Within::Entries { kind, left, tid } = self.within {
                if let Some(found) = self.find_entry(kind, left, tid)? {
                    return Ok(Some(found));
                }
                continue;
            }
            match self.ensure(8)? {
                0 if self.started => return Ok(None),
                8 => {}
                _ if self.started => return Err(CaptureProblem::Truncated { offset: self.window.offset() }),
                _ => return Err(CaptureProblem::NotACapture),
            }
            let (block_type, length) = (self.window.u32(0).unwrap_or(0), self.window.u32(4).unwrap_or(0));
            let kind = Kind::of(block_type);
            if !self.started && kind != Kind::Section {
                return Err(CaptureProblem::NotACapture);
            }
            self.block = (self.window.offset(), length);
            if u64::from(length) < FRAME_BYTES {
                return Err(self.corrupt());
            }
            if kind.is_event() {
                if let Some(found) = self.find_event(kind, length)? {
                    return Ok(Some(found));
                }
                continue;
            }
            if let Some(found) = self.find_block(kind, length)? {
                return Ok(Some(found));
            }
        }
    }

    fn corrupt(&self) -> CaptureProblem {
        CaptureProblem::Corrupt { offset: self.block.0, length: self.block.1 }
    }

    fn find_event(&mut self, kind: Kind, length: u32) -> Result<Option<Found>, CaptureProblem> {
        let Kind::Event { flags, counted, large } = kind else { return Ok(None) };
        let total = length as usize;
        let most = if large { MAX_LARGE_EVENT_BYTES } else { MAX_EVENT_BYTES };
        if total > most {
            self.counts.corrupt_events += 1;
            self.skip(u64::from(length) - 4)?;
            self.end_block()?;
            return Ok(None);
        }
        self.require(total)?;
        if self.window.u32(total - 4) != Some(length) {
            return Err(self.corrupt());
        }
        let found = event_in(self.window.bytes(total), flags, counted, self.table);
        match found {
            Ok(event) => {
                self.counts.events += 1;
                self.handed = total;
                Ok(Some(Found::Event(event)))
            }
            Err(unknown) => {
                *if unknown { &mut self.counts.unknown_events } else { &mut self.counts.corrupt_events } += 1;
                self.window.advance(total);
                Ok(None)
            }
        }
    }

    fn find_block(&mut self, kind: Kind, length: u32) -> Result<Option<Found>, CaptureProblem> {
        let body = u64::from(length) - FRAME_BYTES;
        match kind {
            Kind::Section => {
                if body < 16 {
                    return Err(self.corrupt());
                }
                self.require(24)?;
                let bytes = self.window.bytes(24);
                let word = |at: usize| {
                    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes)
                };
                let (major, minor) = (word(12).unwrap_or(0), word(14).unwrap_or(0));
                let magic = self.window.u32(8).unwrap_or(0);
                if magic != blocks::SECTION_MAGIC {
                    return Err(if self.started {
                        CaptureProblem::Magic(magic)
                    } else {
                        CaptureProblem::NotACapture
                    });
                }
                if major > 1 {
                    return Err(CaptureProblem::Version(major, minor));
                }
                self.started = true;
                self.skip(u64::from(length) - 4)?;
                self.end_block()?;
                Ok(Some(Found::Section { major, minor }))
            }
            Kind::Machine => {
                if body > MAX_ENTRY_BYTES as u64 {
                    return Err(self.corrupt());
                }
                self.require(length as usize)?;
                let machine =
                    parse::machine(self.window.bytes(length as usize - 4).get(8..).unwrap_or_default());
                self.window.advance(length as usize - 4);
                self.end_block()?;
                if machine.is_none() {
                    self.counts.corrupt_entries += 1;
                }
                Ok(machine.map(Found::Machine))
            }
            Kind::Descriptors { .. } => {
                if body < 8 {
                    return Err(self.corrupt());
                }
                self.require(16)?;
                let tid =
                    self.window.bytes(16).last_chunk::<8>().map_or(0, |bytes| i64::from_le_bytes(*bytes));
                self.window.advance(16);
                self.within = Within::Entries { kind, left: body - 8, tid };
                Ok(None)
            }
            Kind::Threads(_) | Kind::Interfaces { .. } | Kind::Users { .. } | Kind::ThreadDetails => {
                self.window.advance(8);
                self.within = Within::Entries { kind, left: body, tid: 0 };
                Ok(None)
            }
            Kind::Event { .. } | Kind::Other => {
                self.counts.unknown_blocks += 1;
                self.skip(u64::from(length) - 4)?;
                self.end_block()?;
                Ok(None)
            }
        }
    }

    fn end_block(&mut self) -> Result<(), CaptureProblem> {
        self.require(4)?;
        if self.window.u32(0) != Some(self.block.1) {
            return Err(self.corrupt());
        }
        self.window.advance(4);
        Ok(())
    }

    fn find_entry(&mut self, kind: Kind, left: u64, tid: i64) -> Result<Option<Found>, CaptureProblem> {
        // Fewer bytes than four are padding.
        if left < 4 {
            self.skip(left)?;
            self.within = Within::Nothing;
            self.end_block()?;
            return Ok(None);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(MAX_ENTRY_BYTES);
        // Entries are small: most are whole within the first bytes, and the window need not be moved for them.
        for wanted in [most.min(4 << 10), most] {
            let available = self.ensure(wanted)?;
            if let Some(taken) = entry_length(kind, self.window.bytes(available)) {
                self.within = Within::Entries { kind, left: left - taken as u64, tid };
                self.handed = taken;
                return Ok(Some(Found::Entry { kind, tid, length: taken }));
            }
            if available < wanted {
                return Err(CaptureProblem::Truncated { offset: self.window.offset() });
            }
        }
        // The rest of the block cannot be told apart; what follows it can.
        self.counts.corrupt_entries += 1;
        self.skip(left)?;
        self.within = Within::Nothing;
        self.end_block()?;
        Ok(None)
    }

    /// The thing itself, borrowed from the window.
    fn item(&self, found: Found) -> Option<Item<'_>> {
        Some(match found {
            Found::Section { major, minor } => Item::Section { major, minor },
            Found::Machine(machine) => Item::Machine(machine),
            Found::Event(Located { ts, tid, cpu, code, flags, count, body }) => {
                let bytes = self.window.bytes(self.handed).get(body.0..body.1)?;
                let mut event = RawEvent::assemble(ts, tid, code, count, bytes).ok()?;
                (event.cpu, event.flags) = (cpu, flags);
                Item::Event(event)
            }
            Found::Entry { kind, tid, length } => {
                let bytes = self.window.bytes(length);
                match kind {
                    Kind::Threads(version) => Item::Thread(parse::thread(bytes, version)?.0),
                    Kind::ThreadDetails => Item::ThreadDetails(parse::thread_details(bytes)?.0),
                    Kind::Descriptors { sized } => Item::Descriptor(tid, parse::descriptor(bytes, sized)?.0),
                    Kind::Interfaces { sized } => Item::Interface(parse::interface(bytes, sized)?.0),
                    _ => match parse::account(bytes, kind == Kind::Users { sized: true })?.0 {
                        Account::User(user) => Item::User(user),
                        Account::Group(group) => Item::Group(group),
                    },
                }
            }
        })
    }
}

/// Bytes of the entry at the front, if it is whole.
fn entry_length(kind: Kind, bytes: &[u8]) -> Option<usize> {
    match kind {
        Kind::Threads(version) => parse::thread(bytes, version).map(|(_, taken)| taken),
        Kind::ThreadDetails => parse::thread_details(bytes).map(|(_, taken)| taken),
        Kind::Descriptors { sized } => parse::descriptor(bytes, sized).map(|(_, taken)| taken),
        Kind::Interfaces { sized } => parse::interface(bytes, sized).map(|(_, taken)| taken),
        Kind::Users { sized } => parse::account(bytes, sized).map(|(_, taken)| taken),
        _ => None,
    }
}

/// What [`CaptureReader::find`] found; the borrowed form is made when nothing is changed any more.
enum Found {
    Section { major: u16, minor: u16 },
    Machine(Machine),
    Entry { kind: Kind, tid: i64, length: usize },
    Event(Located),
}

/// An event by its header, and where its lengths and values are in the block.
struct Located {
    ts: u64,
    tid: i64,
    cpu: u16,
    code: u16,
    flags: u32,
    count: u32,
    body: (usize, usize),
}

/// Finds the event in a whole block. The error says whether it is an unknown one (or else a broken one).
fn event_in(block: &[u8], flags: bool, counted: bool, table: &Table) -> Result<Located, bool> {
    let field =
        |at: usize, length: usize| block.get(at..at + length).and_then(crate::table::unsigned).ok_or(false);
    let cpu = field(8, 2)? as u16;
    let (flags, start) = if flags { (field(10, 4)? as u32, 14) } else { (0, 10) };
    let (ts, tid) = (field(start, 8)?, field(start + 8, 8)?.cast_signed());
    let (length, code) = (field(start + 16, 4)? as usize, field(start + 20, 2)? as u16);
    let Some(event) = table.event(code) else { return Err(true) };
    let header = if counted { 26 } else { 22 };
    let body_start = start + header;
    let mut body_end = start.checked_add(length).ok_or(false)?;
    // The trailer is no part of the event.
    if body_end < body_start || body_end > block.len() - 4 {
        return Err(false);
    }
    let count = if counted {
        field(start + 22, 4)? as u32
    } else {
        // Old captures state a length that is three bytes too large for these two.
        if matches!(event.key, "NOTIFICATION_E" | "INFRASTRUCTURE_EVENT_E") {
            body_end = body_end.checked_sub(3).filter(|end| *end >= body_start).ok_or(false)?;
        }
        let body = block.get(body_start..body_end).ok_or(false)?;
        inferred_count(body, event.parameters.len()).ok_or(false)?
    };
    let body = block.get(body_start..body_end).ok_or(false)?;
    if RawEvent::assemble(ts, tid, code, count, body).is_err() {
        return Err(false);
    }
    Ok(Located { ts, tid, cpu, code, flags, count, body: (body_start, body_end) })
}

/// Blocks of the first version do not say how many parameters an event has: it is the number, counted down from what
/// is known today, for which lengths and values fill the event exactly.
fn inferred_count(body: &[u8], known: usize) -> Option<u32> {
    let mut count = known.min(body.len() / 2);
    loop {
        let lengths = body.get(..count * 2)?;
        let values: usize = lengths
            .chunks_exact(2)
            .map(|pair| pair.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
            .sum();
        match (count * 2 + values).cmp(&body.len()) {
            std::cmp::Ordering::Equal => return u32::try_from(count).ok(),
            std::cmp::Ordering::Less => return None,
            std::cmp::Ordering::Greater => count = count.checked_sub(1)?,
        }
    }
}
