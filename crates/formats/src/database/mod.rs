//! The advisory database: one read-only file, compiled from every feed, verified block by block.
//!
//! Opening reads the header and the directory alone (microseconds). A block is verified against the directory's
//! checksum and inflated when it is first needed, then kept within a byte budget. The file holds facts only:
//! identifiers, ranges, severities, dates.
//!
//! This part must not know packages of a scan, systems or findings; it answers "which advisories speak of this name
//! in this ecosystem" and "what is known of this id".

mod build;
mod cluster;
mod interval;
mod key;
mod layout;
mod names;
mod reduce;
mod section;
mod state;
mod stored;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering as Atomic};
use std::sync::{Arc, Mutex};

use ed25519_dalek::VerifyingKey;

pub use build::{Builder, Built, Feed};
pub use ed25519_dalek::{SigningKey, VerifyingKey as PublicKey};
pub use interval::{End, Interval};
pub use key::normalise;
pub use reduce::Reduced;
pub use state::FeedState;
pub use stored::{
    EcosystemId, EcosystemRow, Entry, Exploited, Flaw, FlawId, Info, Prediction, Record, RecordId, Source,
    order_of,
};

use crate::advisories::end_of_life::Cycle;
use layout::{BlockRow, Directory, HEADER_BYTES};
use section::Block;

/// Inflated blocks kept in memory, in bytes, unless the caller asks for less or more.
pub const DEFAULT_CACHE_BYTES: usize = 64 << 20;

/// Bytes read by position. Files and embedded bytes are alike.
pub trait ReadAt: Send + Sync {
    /// Fills the buffer from `offset` on; an error when there is not as much.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()>;
}

impl ReadAt for [u8] {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        let start = usize::try_from(offset).ok();
        let part = start.and_then(|start| self.get(start..start.checked_add(buffer.len())?));
        buffer.copy_from_slice(part.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReadAt for &'static [u8] {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        (**self).read_exact_at(buffer, offset)
    }
}

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        self.as_slice().read_exact_at(buffer, offset)
    }
}

#[cfg(unix)]
impl ReadAt for std::fs::File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }
}

/// Whose word is needed before a file is believed.
///
/// Checksums are verified in every case; the question is only who may have written them.
#[derive(Clone, Debug, Default)]
pub enum Verification {
    /// The bytes come from where the program itself comes from, or the user named the file: unsigned is accepted,
    /// and a signature, where there is one, must be right whoever made it.
    #[default]
    AsGiven,
    /// The file came over a network or from a shared place: it must be signed by one of these keys.
    SignedBy(Vec<VerifyingKey>),
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("it is not an advisory database of this program")]
    NotADatabase,
    #[error("its format {found} is newer than the {supported} this program reads: update the program")]
    Newer { found: u32, supported: u32 },
    #[error(
        "its format {found} is older than the {supported} this program reads: build it anew with `db build`"
    )]
    Older { found: u32, supported: u32 },
    #[error("its signature is wrong")]
    BadSignature,
    #[error("it is not signed, and a signature by a known key is asked for")]
    Unsigned,
    #[error("it is signed by {0}, which is none of the known keys")]
    UnknownSigner(String),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

fn damaged(what: &str) -> DatabaseError {
    DatabaseError::Damaged(what.to_owned())
}

/// An open database. Cheap to share between threads.
pub struct Database {
    source: Box<dyn ReadAt>,
    directory: Directory,
    sha256: [u8; 32],
    signer: Option<VerifyingKey>,
    ecosystems: BTreeMap<String, EcosystemId>,
    cache: Cache,
}

/// A package of the index, as searches list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPackage {
    pub ecosystem: EcosystemId,
    pub name: String,
    /// How many records speak of it.
    pub records: usize,
}

/// Inflated blocks by their place over all sections.
struct Cache {
    slots: Vec<Mutex<Option<Arc<Block>>>>,
    held: AtomicUsize,
    budget: usize,
    hand: AtomicUsize,
}

/// Takes an item with its number within its section.
type EachItem<'a> = dyn FnMut(u32, &[u8]) -> Result<(), DatabaseError> + 'a;

/// The parts of the file a block may belong to.
#[derive(Clone, Copy)]
enum Part {
    Packages,
    Records,
    Flaws,
    Products,
}

impl Database {
    /// Opens a database with the default cache.
    pub fn open(source: Box<dyn ReadAt>, verification: &Verification) -> Result<Self, DatabaseError> {
        Self::open_with_cache(source, verification, DEFAULT_CACHE_BYTES)
    }

    /// Opens a database that keeps at most about `cache_bytes` of inflated blocks.
    pub fn open_with_cache(
        source: Box<dyn ReadAt>,
        verification: &Verification,
        cache_bytes: usize,
    ) -> Result<Self, DatabaseError> {
        let mut header = [0; HEADER_BYTES];
        source.read_exact_at(&mut header, 0).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => DatabaseError::NotADatabase,
            _ => DatabaseError::Unreadable(error),
        })?;
        let header = layout::read_header(&header)?;
        if let Verification::SignedBy(keys) = verification {
            let signer = header.signer.ok_or(DatabaseError::Unsigned)?;
            if !keys.contains(&signer) {
                return Err(DatabaseError::UnknownSigner(key_text(&signer)));
            }
        }
        let mut bytes = vec![0; header.directory_length];
        source.read_exact_at(&mut bytes, HEADER_BYTES as u64)?;
        let sha256: [u8; 32] =
            sha2::Digest::finalize(sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), &bytes))
                .into();
        if sha256 != header.directory_sha256 {
            return Err(damaged("its directory does not have the checksum its header states"));
        }
        let directory: Directory =
            postcard::from_bytes(&bytes).map_err(|_| damaged("its directory cannot be read"))?;
        let blocks = directory.packages.len()
            + directory.records.len()
            + directory.flaws.len()
            + directory.products.len();
        let ecosystems = directory
            .info
            .ecosystems
            .iter()
            .zip(0..)
            .map(|(row, place)| (row.name.clone(), EcosystemId(place)))
            .collect();
        Ok(Self {
            source,
            directory,
            sha256,
            signer: header.signer,
            ecosystems,
            cache: Cache {
                slots: (0..blocks).map(|_| Mutex::new(None)).collect(),
                held: AtomicUsize::new(0),
                budget: cache_bytes,
                hand: AtomicUsize::new(0),
            },
        })
    }

    pub fn info(&self) -> &Info {
        &self.directory.info
    }

    /// SHA-256 of the directory, which covers every block: the identity of the content, lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        hex(&self.sha256)
    }

    /// Who signed it, as hexadecimal; none when unsigned.
    pub fn signer(&self) -> Option<String> {
        self.signer.as_ref().map(key_text)
    }

    pub fn ecosystem(&self, name: &str) -> Option<EcosystemId> {
        self.ecosystems.get(name).copied()
    }

    pub fn ecosystem_row(&self, id: EcosystemId) -> Option<&EcosystemRow> {
        self.directory.info.ecosystems.get(usize::from(id.0))
    }

    /// Every ecosystem with its id, in the file's order.
    pub fn ecosystems(&self) -> impl Iterator<Item = (EcosystemId, &EcosystemRow)> {
        self.directory.info.ecosystems.iter().zip(0..).map(|(row, place)| (EcosystemId(place), row))
    }

    /// What is said of a package; the name in its normal spelling ([`normalise`]). Empty when nothing is.
    pub fn lookup(&self, ecosystem: EcosystemId, name: &str) -> Result<Vec<Entry>, DatabaseError> {
        let Some((block, number)) = self.find_package(ecosystem, name)? else { return Ok(Vec::new()) };
        let item = block.item(number);
        let (_, _, entries) = package_item(item).ok_or_else(|| damaged("a package cannot be read"))?;
        let mut entries: Vec<Entry> =
            postcard::from_bytes(entries).map_err(|_| damaged("a package's entries cannot be read"))?;
        let mut record: u32 = 0;
        for entry in &mut entries {
            record = record.wrapping_add(entry.record.0);
            entry.record = RecordId(record);
        }
        Ok(entries)
    }

    /// Whether anything is said of a package, without reading what.
    pub fn knows(&self, ecosystem: EcosystemId, name: &str) -> Result<bool, DatabaseError> {
        Ok(self.find_package(ecosystem, name)?.is_some())
    }

    fn find_package(
        &self,
        ecosystem: EcosystemId,
        name: &str,
    ) -> Result<Option<(Arc<Block>, usize)>, DatabaseError> {
        let key = (ecosystem.0, name.as_bytes());
        let after = self.directory.packages.partition_point(|row| split_key(&row.key) <= key);
        let Some(place) = after.checked_sub(1) else { return Ok(None) };
        let block = self.block(Part::Packages, place)?;
        let (mut low, mut high) = (0, block.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let (ecosystem, name, _) =
                package_item(block.item(middle)).ok_or_else(|| damaged("a package cannot be read"))?;
            match (ecosystem, name).cmp(&key) {
                Ordering::Equal => return Ok(Some((block, middle))),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    pub fn record(&self, id: RecordId) -> Result<Record, DatabaseError> {
        let item = self.numbered(Part::Records, id.0)?;
        let mut record: Record =
            postcard::from_bytes(&item).map_err(|_| damaged("a record cannot be read"))?;
        undelta(record.flaws.iter_mut().map(|flaw| &mut flaw.0));
        Ok(record)
    }

    pub fn flaw(&self, id: FlawId) -> Result<Flaw, DatabaseError> {
        let item = self.numbered(Part::Flaws, id.0)?;
        read_flaw(&item)
    }

    /// The flaw a name stands for: by binary search for the name it is shown under, else through every flaw and
    /// record (some ten milliseconds).
    pub fn find_flaws(&self, name: &str) -> Result<Vec<FlawId>, DatabaseError> {
        let after = self.directory.flaws.partition_point(|row| names::compare_bytes(&row.key, name).is_le());
        if let Some(place) = after.checked_sub(1) {
            let block = self.block(Part::Flaws, place)?;
            for number in 0..block.len() {
                if read_flaw(block.item(number))?.name == name {
                    let first = self.rows(Part::Flaws).get(place).map_or(0, |row| row.first);
                    return Ok(vec![FlawId(first.saturating_add(number as u32))]);
                }
            }
        }
        let mut found = Vec::new();
        self.each_flaw(&mut |id, flaw| {
            if flaw.other_names.iter().any(|other| other == name) {
                found.push(id);
            }
        })?;
        self.each_record(&mut |_, record| {
            if record.id == name {
                found.extend(&record.flaws);
            }
        })?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Packages whose name contains a text (letter case ignored); the first `limit` of them.
    pub fn packages_named(&self, text: &str, limit: usize) -> Result<Vec<NamedPackage>, DatabaseError> {
        let wanted = text.to_lowercase();
        let mut found = Vec::new();
        self.each_package(&mut |ecosystem, name, entries| {
            if found.len() < limit && name.to_lowercase().contains(&wanted) {
                found.push(NamedPackage { ecosystem, name: name.to_owned(), records: entries.len() });
            }
        })?;
        Ok(found)
    }

    /// Walks every flaw in the file's order.
    pub fn each_flaw(&self, each: &mut dyn FnMut(FlawId, &Flaw)) -> Result<(), DatabaseError> {
        self.each_item(Part::Flaws, &mut |number, item| {
            each(FlawId(number), &read_flaw(item)?);
            Ok(())
        })
    }

    /// Walks every record in the file's order.
    pub fn each_record(&self, each: &mut dyn FnMut(RecordId, &Record)) -> Result<(), DatabaseError> {
        self.each_item(Part::Records, &mut |number, item| {
            let mut record: Record =
                postcard::from_bytes(item).map_err(|_| damaged("a record cannot be read"))?;
            undelta(record.flaws.iter_mut().map(|flaw| &mut flaw.0));
            each(RecordId(number), &record);
            Ok(())
        })
    }

    /// Walks every package in the file's order: ecosystem, then name in bytewise order.
    pub fn each_package(
        &self,
        each: &mut dyn FnMut(EcosystemId, &str, &[Entry]),
    ) -> Result<(), DatabaseError> {
        self.each_item(Part::Packages, &mut |_, item| {
            let (ecosystem, name, entries) =
                package_item(item).ok_or_else(|| damaged("a package cannot be read"))?;
            let mut entries: Vec<Entry> =
                postcard::from_bytes(entries).map_err(|_| damaged("a package's entries cannot be read"))?;
            undelta(entries.iter_mut().map(|entry| &mut entry.record.0));
            each(EcosystemId(ecosystem), &String::from_utf8_lossy(name), &entries);
            Ok(())
        })
    }

    /// The release cycles of a product, as endoflife.date names it; empty when unknown.
    pub fn release_cycles(&self, product: &str) -> Result<Vec<Cycle>, DatabaseError> {
        let mut found = Vec::new();
        self.each_item(Part::Products, &mut |_, item| {
            let (name, cycles): (&str, Vec<Cycle>) =
                postcard::from_bytes(item).map_err(|_| damaged("a product cannot be read"))?;
            if name == product {
                found = cycles;
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn each_item(&self, part: Part, each: &mut EachItem<'_>) -> Result<(), DatabaseError> {
        for (place, row) in self.rows(part).iter().enumerate() {
            let block = self.block(part, place)?;
            for number in 0..block.len() {
                each(row.first.saturating_add(number as u32), block.item(number))?;
            }
        }
        Ok(())
    }

    fn numbered(&self, part: Part, number: u32) -> Result<Vec<u8>, DatabaseError> {
        let rows = self.rows(part);
        let place = rows.partition_point(|row| row.first <= number).checked_sub(1);
        let (Some(place), Some(row)) = (place, place.and_then(|place| rows.get(place))) else {
            return Err(damaged("it refers to an item it does not have"));
        };
        let block = self.block(part, place)?;
        let item = block.item((number - row.first) as usize);
        if item.is_empty() {
            return Err(damaged("it refers to an item it does not have"));
        }
        Ok(item.to_vec())
    }

    fn rows(&self, part: Part) -> &[BlockRow] {
        match part {
            Part::Packages => &self.directory.packages,
            Part::Records => &self.directory.records,
            Part::Flaws => &self.directory.flaws,
            Part::Products => &self.directory.products,
        }
    }

    fn slot(&self, part: Part, place: usize) -> usize {
        let d = &self.directory;
        place
            + match part {
                Part::Packages => 0,
                Part::Records => d.packages.len(),
                Part::Flaws => d.packages.len() + d.records.len(),
                Part::Products => d.packages.len() + d.records.len() + d.flaws.len(),
            }
    }

    fn block(&self, part: Part, place: usize) -> Result<Arc<Block>, DatabaseError> {
        let gone = || damaged("its directory is not consistent");
        let row = self.rows(part).get(place).ok_or_else(gone)?;
        let number = self.slot(part, place);
        let slot = self.cache.slots.get(number).ok_or_else(gone)?;
        // A poisoned lock only means that another thread panicked; the slot itself is whole.
        let mut held = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(block) = &*held {
            return Ok(Arc::clone(block));
        }
        if row.length as usize > layout::MAX_BLOCK_BYTES {
            return Err(damaged("a block is larger than the bound"));
        }
        let mut packed = vec![0; row.length as usize];
        self.source.read_exact_at(&mut packed, row.offset)?;
        let block = Arc::new(Block::open(row, &packed).map_err(damaged)?);
        *held = Some(Arc::clone(&block));
        drop(held);
        self.cache.make_room(number, block.weight());
        Ok(block)
    }
}

impl Cache {
    /// Accounts for a new block and lets go of others, round robin, until the budget holds again.
    fn make_room(&self, newest: usize, weight: usize) {
        let mut held = self.held.fetch_add(weight, Atomic::Relaxed) + weight;
        for _ in 0..self.slots.len() {
            if held <= self.budget {
                return;
            }
            let victim = self.hand.fetch_add(1, Atomic::Relaxed) % self.slots.len();
            if victim == newest {
                continue;
            }
            let Some(mut slot) = self.slots.get(victim).and_then(|slot| slot.try_lock().ok()) else {
                continue;
            };
            if let Some(block) = slot.take() {
                held = self.held.fetch_sub(block.weight(), Atomic::Relaxed) - block.weight();
            }
        }
    }
}

fn read_flaw(item: &[u8]) -> Result<Flaw, DatabaseError> {
    let mut flaw: Flaw = postcard::from_bytes(item).map_err(|_| damaged("a flaw cannot be read"))?;
    undelta(flaw.records.iter_mut().map(|record| &mut record.0));
    Ok(flaw)
}

/// Ascending numbers are stored as differences.
fn undelta<'a>(numbers: impl Iterator<Item = &'a mut u32>) {
    let mut sum: u32 = 0;
    for number in numbers {
        sum = sum.wrapping_add(*number);
        *number = sum;
    }
}

/// The inverse of [`undelta`]; the numbers must ascend.
fn delta<'a>(numbers: impl Iterator<Item = &'a mut u32>) {
    let mut previous: u32 = 0;
    for number in numbers {
        let current = *number;
        *number = current.wrapping_sub(previous);
        previous = current;
    }
}

/// A package item: ecosystem (big endian), length of the name, name, entries.
fn package_item(item: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (ecosystem, mut rest) = item.split_first_chunk::<2>()?;
    let length = usize::try_from(layout::read_varint(&mut rest)?).ok()?;
    let (name, entries) = rest.split_at_checked(length)?;
    Some((u16::from_be_bytes(*ecosystem), name, entries))
}

/// A package key as it stands in the directory: ecosystem (big endian), name.
fn split_key(key: &[u8]) -> (u16, &[u8]) {
    match key.split_first_chunk::<2>() {
        Some((ecosystem, name)) => (u16::from_be_bytes(*ecosystem), name),
        None => (0, key),
    }
}

fn key_text(key: &VerifyingKey) -> String {
    hex(key.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
