//! Which of many stored inventories an advisory touches, without scanning anything again.
//!
//! Inventories share most of their packages, so the index holds each distinct package of each system once, with the
//! list of inventories that have it. A question is then judged once for each distinct package, however many
//! inventories there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use yagura_formats::database::{Database, DatabaseError, RecordId};
use yagura_model::package::SourcePackage;
use yagura_model::{Ecosystem, Inventory, OperatingSystem, Package};

use super::candidates::Candidates;
use super::{Hit, Matcher, Options, fixed_version, surest_claim};

/// Raised when the encoding changes; an index of another format is built anew from its inventories.
const FORMAT: u32 = 1;
const MAGIC: &[u8; 8] = b"YAGURAIX";

/// The place of an inventory in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SbomId(pub u32);

/// A flaw in a package that inventories have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    pub flaw: String,
    pub advisory: String,
    pub package: String,
    pub version: String,
    pub fixed_version: Option<String>,
    /// Ascending.
    pub sboms: Vec<SbomId>,
}

/// Why stored bytes are not an index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("it is not an index of inventories")]
    NotAnIndex,
    #[error("its format is not the one this program reads: build the index anew")]
    OtherFormat,
    #[error("it is damaged")]
    Damaged,
}

/// A package as far as matching needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Component {
    /// Index into the systems; none without an operating system.
    system: Option<u32>,
    ecosystem: Ecosystem,
    name: String,
    version: String,
    source: Option<SourcePackage>,
    module: String,
    distro: String,
    /// Installed by the operating system's own package manager.
    owned: bool,
}

/// Inventories by the packages they have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SbomIndex {
    names: Vec<String>,
    #[serde(with = "systems_as_json")]
    systems: Vec<OperatingSystem>,
    components: Vec<Component>,
    /// For each component the inventories that have it: differences of ascending ids, LEB128.
    postings: Vec<Vec<u8>>,
}

/// Gathers inventories into an index.
#[derive(Default)]
pub struct SbomIndexBuilder {
    index: SbomIndex,
    /// Component → its number. Keyed by a digest, so that each text is held once.
    numbers: HashMap<[u8; 16], u32>,
    last: Vec<u32>,
}

impl SbomIndexBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an inventory under the name it is reported by.
    pub fn add(&mut self, name: impl Into<String>, inventory: &Inventory) -> SbomId {
        let id = SbomId(self.index.names.len() as u32);
        self.index.names.push(name.into());
        let system = inventory.system.as_ref().map(|system| self.system(system));
        for package in &inventory.packages {
            self.component(id, system, package);
        }
        id
    }

    fn system(&mut self, system: &OperatingSystem) -> u32 {
        let systems = &mut self.index.systems;
        let place = systems.iter().position(|known| known == system).unwrap_or_else(|| {
            systems.push(system.clone());
            systems.len() - 1
        });
        place as u32
    }

    fn component(&mut self, sbom: SbomId, system: Option<u32>, package: &Package) {
        let source = package.source.as_ref();
        let mut hash = Sha256::new();
        for part in [
            system.map(|system| system.to_string()).unwrap_or_default().as_str(),
            package.ecosystem.purl_type(),
            &package.name,
            &package.version,
            source.map_or("", |source| &source.name),
            source.map_or("", |source| &source.version),
            &package.module,
            &package.distro,
            if package.owner.is_some() { "owned" } else { "" },
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        let index = &mut self.index;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            index.components.push(Component {
                system,
                ecosystem: package.ecosystem,
                name: package.name.clone(),
                version: package.version.clone(),
                source: package.source.clone(),
                module: package.module.clone(),
                distro: package.distro.clone(),
                owned: package.owner.is_some(),
            });
            index.postings.push(Vec::new());
            (index.components.len() - 1) as u32
        }) as usize;
        self.last.resize(index.components.len(), u32::MAX);
        let (Some(posting), Some(last)) = (index.postings.get_mut(number), self.last.get_mut(number)) else {
            return;
        };
        let difference = match *last {
            u32::MAX => sbom.0,
            // The same package twice in one inventory counts once.
            last if last == sbom.0 => return,
            last => sbom.0 - last,
        };
        *last = sbom.0;
        write_number(posting, difference);
    }

    pub fn finish(self) -> SbomIndex {
        self.index
    }
}

impl SbomIndex {
    /// How many inventories it has.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many different packages they have between them.
    pub fn components(&self) -> usize {
        self.components.len()
    }

    pub fn name(&self, id: SbomId) -> &str {
        self.names.get(id.0 as usize).map_or("", String::as_str)
    }

    /// Bytes to keep, with a checksum.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IndexError> {
        let body = postcard::to_stdvec(self).map_err(|_| IndexError::Damaged)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&Sha256::digest(&body));
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IndexError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(IndexError::NotAnIndex)?;
        let (format, rest) = rest.split_first_chunk::<4>().ok_or(IndexError::Damaged)?;
        if u32::from_le_bytes(*format) != FORMAT {
            return Err(IndexError::OtherFormat);
        }
        let (checksum, body) = rest.split_first_chunk::<32>().ok_or(IndexError::Damaged)?;
        if Sha256::digest(body).as_slice() != checksum {
            return Err(IndexError::Damaged);
        }
        let index: Self = postcard::from_bytes(body).map_err(|_| IndexError::Damaged)?;
        if index.components.len() != index.postings.len() {
            return Err(IndexError::Damaged);
        }
        Ok(index)
    }

    /// The flaws of the database in the packages of all inventories; with `changed`, only those that one of these
    /// records states. Sorted by flaw, package and version.
    pub fn affected(
        &self,
        database: &Database,
        changed: Option<&BTreeSet<RecordId>>,
    ) -> Result<Vec<Affected>, DatabaseError> {
        let mut found = Vec::new();
        self.each_hit(database, changed, &mut |component, hit, posting| {
            let Some(claim) = surest_claim(hit) else { return };
            found.push(Affected {
                flaw: hit.flaw.name.clone(),
                advisory: claim.record.id.clone(),
                package: component.name.clone(),
                version: component.version.clone(),
                fixed_version: fixed_version(hit),
                sboms: read_numbers(posting).map(SbomId).collect(),
            });
        })?;
        found.sort_by(|a, b| {
            (&a.flaw, &a.package, &a.version, &a.sboms).cmp(&(&b.flaw, &b.package, &b.version, &b.sboms))
        });
        Ok(found)
    }

    /// How many flaws each inventory has, by id: the full match of everything, counted.
    pub fn count_flaws(&self, database: &Database) -> Result<Vec<u32>, DatabaseError> {
        let mut counts = vec![0_u32; self.names.len()];
        self.each_hit(database, None, &mut |_, _, posting| {
            for id in read_numbers(posting) {
                if let Some(count) = counts.get_mut(id as usize) {
                    *count = count.saturating_add(1);
                }
            }
        })?;
        Ok(counts)
    }

    fn each_hit(
        &self,
        database: &Database,
        changed: Option<&BTreeSet<RecordId>>,
        each: &mut dyn FnMut(&Component, &Hit<'_>, &[u8]),
    ) -> Result<(), DatabaseError> {
        let touched = changed.map(|changed| touched_packages(database, changed)).transpose()?;
        let systems: Vec<Candidates<'_>> =
            self.systems.iter().map(|system| Candidates::for_system(Some(system), database)).collect();
        let without = Candidates::for_system(None, database);
        let mut matcher = Matcher::new(database);
        for (component, posting) in self.components.iter().zip(&self.postings) {
            let candidates =
                component.system.and_then(|system| systems.get(system as usize)).unwrap_or(&without);
            let Ok(subjects) = candidates.subjects(&component.package()) else { continue };
            if let Some(touched) = &touched
                && !subjects.iter().any(|subject| {
                    touched.get(&subject.ecosystem.0).is_some_and(|names| names.contains(&subject.name))
                })
            {
                continue;
            }
            for hit in matcher.hits(&subjects, Options::default())? {
                let counts = changed.is_none_or(|changed| {
                    hit.claims.iter().any(|claim| changed.contains(&claim.entry.record))
                });
                if counts {
                    each(component, &hit, posting);
                }
            }
        }
        Ok(())
    }
}

impl Component {
    fn package(&self) -> Package {
        let mut package = Package::new(self.ecosystem, self.name.as_str(), self.version.as_str());
        package.source.clone_from(&self.source);
        package.module.clone_from(&self.module);
        package.distro.clone_from(&self.distro);
        package.owner = self.owned.then(String::new);
        package
    }
}

/// Names of the packages some records speak of, by ecosystem.
fn touched_packages(
    database: &Database,
    changed: &BTreeSet<RecordId>,
) -> Result<BTreeMap<u16, BTreeSet<String>>, DatabaseError> {
    let mut touched: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    database.each_package(&mut |ecosystem, name, entries| {
        if entries.iter().any(|entry| changed.contains(&entry.record)) {
            touched.entry(ecosystem.0).or_default().insert(name.to_owned());
        }
    })?;
    Ok(touched)
}

/// The records of `new` that `old` does not have in just this form.
pub fn changed_records(old: &Database, new: &Database) -> Result<BTreeSet<RecordId>, DatabaseError> {
    let before: BTreeSet<[u8; 32]> = record_digests(old)?.into_values().collect();
    let now = record_digests(new)?;
    Ok(now.into_iter().filter(|(_, digest)| !before.contains(digest)).map(|(id, _)| id).collect())
}

/// A digest of everything that matters of each record: its own facts, its flaws by name, and what it says of each
/// package (the file's numbers are left out, they differ from file to file).
fn record_digests(database: &Database) -> Result<BTreeMap<RecordId, [u8; 32]>, DatabaseError> {
    let mut flaws = Vec::new();
    database.each_flaw(&mut |_, flaw| flaws.push(flaw.name.clone()))?;
    let mut hashes: BTreeMap<RecordId, Sha256> = BTreeMap::new();
    database.each_record(&mut |id, record| {
        let mut hash = Sha256::new();
        hash.update(format!("{} {:?} {} {:?}", record.id, record.kind, record.withdrawn, record.vendor));
        for flaw in &record.flaws {
            hash.update(flaws.get(flaw.0 as usize).map_or("", String::as_str));
            hash.update([0]);
        }
        hashes.insert(id, hash);
    })?;
    // Packages come in one order in every file, so each record's parts do too.
    database.each_package(&mut |ecosystem, name, entries| {
        let ecosystem = database.ecosystem_row(ecosystem).map_or("", |row| row.name.as_str());
        for entry in entries {
            let Some(hash) = hashes.get_mut(&entry.record) else { continue };
            let mut entry = entry.clone();
            entry.record = RecordId(0);
            hash.update(format!("{ecosystem}\0{name}\0{entry:?}\0"));
        }
    })?;
    Ok(hashes.into_iter().map(|(id, hash)| (id, hash.finalize().into())).collect())
}

fn write_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The ascending numbers of a posting list; a cut one ends early.
fn read_numbers(mut bytes: &[u8]) -> impl Iterator<Item = u32> {
    let mut sum: u32 = 0;
    std::iter::from_fn(move || {
        let mut number: u32 = 0;
        for shift in (0..32).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            bytes = rest;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        sum = sum.wrapping_add(number);
        Some(sum)
    })
}

/// Systems leave empty members out when they are written, which only a self-describing format can read back.
mod systems_as_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
    use yagura_model::OperatingSystem;

    pub fn serialize<S: Serializer>(systems: &[OperatingSystem], serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(systems).map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OperatingSystem>, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
