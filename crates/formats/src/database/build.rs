//! Compiling: records in, file out. The same input gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use yagura_model::{SkipReason, Skipped};

use super::cluster::Clusters;
use super::layout::{self, BlockRow, Directory};
use super::reduce::{Reduced, reduce};
use super::section::{Section, SectionWriter};
use super::state::{FeedState, Reader};
use super::stored::{
    EcosystemRow, Entry, Exploited, Flaw, FlawId, Info, Prediction, Record, RecordId, Source,
};
use super::{delta, names};
use crate::advisories::{self, Advisory, Day, Problem, cvss, end_of_life, epss, kev};

/// Problems that are listed one by one for one feed; the rest is counted.
const MAX_LISTED: usize = 1_000;
/// Names of a flaw that are kept.
const MAX_OTHER_NAMES: usize = 64;

/// How a feed is called and under which terms its facts come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Such as `Debian`: the directory in OSV's layout.
    pub name: String,
    /// Empty: the terms known for a feed of this name, if any.
    pub licence: String,
}

/// A finished file and what was noticed on the way.
pub struct Built {
    pub bytes: Vec<u8>,
    pub info: Info,
    pub skipped: Vec<Skipped>,
}

/// Gathers the feeds.
#[derive(Default)]
pub struct Builder {
    feeds: Vec<(Source, Vec<Arc<Reduced>>)>,
    exploited: BTreeMap<String, kev::Entry>,
    predictions: BTreeMap<String, epss::Score>,
    products: BTreeMap<String, Vec<end_of_life::Cycle>>,
    others: Vec<Source>,
    skipped: Vec<Skipped>,
}

impl Builder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an OSV zip. Members whose fingerprint `state` knows are taken from there, unparsed; the new state is
    /// returned for the next time.
    pub fn osv_zip<R: Read + Seek>(&mut self, feed: &Feed, zip: R, known: &FeedState) -> FeedState {
        let mut reader = Reader::new(known);
        let ended = advisories::zip::read(zip, &mut reader);
        let Reader { state, mut problems, mut source, records, .. } = reader;
        if let Err(problem) = ended {
            problems.push((String::new(), problem));
        }
        source.name.clone_from(&feed.name);
        source.licence = licence(feed);
        let file = |member: &str| match member {
            "" => format!("{}/all.zip", feed.name),
            member => format!("{}/all.zip!/{member}", feed.name),
        };
        self.report(problems.into_iter().map(|(member, problem)| (file(&member), problem)).collect());
        self.add(source, records);
        state
    }

    /// Adds records that have been read elsewhere, such as CSAF documents; `file` names each record's file.
    pub fn advisories(&mut self, feed: &Feed, advisories: impl IntoIterator<Item = (String, Advisory)>) {
        let mut source = Source { name: feed.name.clone(), licence: licence(feed), ..Source::default() };
        let mut records = Vec::new();
        let mut noted = Vec::new();
        for (file, advisory) in advisories {
            source.records += 1;
            let mut problems = Vec::new();
            match reduce(advisory, &mut problems) {
                Some(reduced) => records.push(Arc::new(reduced)),
                None => source.not_security += 1,
            }
            noted.extend(problems.into_iter().map(|problem| (file.clone(), problem)));
        }
        self.report(noted);
        self.add(source, records);
    }

    /// Adds records that changed after the whole file of their feed was made; each replaces the record of its id.
    pub fn changed(&mut self, feed: &Feed, advisories: impl IntoIterator<Item = (String, Advisory)>) {
        self.advisories(feed, advisories);
        let Some((source, changed)) = self.feeds.pop() else { return };
        match self.feeds.iter().position(|(known, _)| known.name == feed.name) {
            Some(place) => {
                let (mut known, mut records) = self.feeds.swap_remove(place);
                let ids: BTreeSet<&str> = changed.iter().map(|record| record.id.as_str()).collect();
                let before = records.len();
                records.retain(|record| !ids.contains(record.id.as_str()));
                known.records += source.records.saturating_sub((before - records.len()) as u64);
                records.extend(changed);
                self.add(known, records);
            }
            None => self.feeds.push((source, changed)),
        }
    }

    /// Notes a file of a feed that could not be used at all.
    pub fn unusable(&mut self, file: &str, problem: Problem) {
        self.report(vec![(file.to_owned(), problem)]);
    }

    pub fn exploited(&mut self, file: &str, catalogue: kev::Catalogue) {
        let newest = catalogue.entries.iter().map(|entry| entry.added).max().max(catalogue.released);
        self.others.push(Source {
            name: "KEV".to_owned(),
            licence: "CC0-1.0".to_owned(),
            newest,
            records: catalogue.entries.len() as u64,
            broken: catalogue.problems.len() as u64,
            ..Source::default()
        });
        self.report(catalogue.problems.into_iter().map(|problem| (file.to_owned(), problem)).collect());
        for entry in catalogue.entries {
            self.exploited.insert(entry.cve.clone(), entry);
        }
    }

    /// Adds EPSS scores from a plain or gzip CSV.
    pub fn predictions(&mut self, file: &str, reader: impl Read) {
        let scores = &mut self.predictions;
        match epss::read(reader, |cve, score| {
            scores.insert(cve.to_owned(), score);
        }) {
            Ok(summary) => {
                self.others.push(Source {
                    name: "EPSS".to_owned(),
                    licence: "FIRST EPSS terms (free use with attribution)".to_owned(),
                    newest: summary.date,
                    records: summary.scores,
                    broken: summary.problems.len() as u64,
                    ..Source::default()
                });
                self.report(summary.problems.into_iter().map(|p| (file.to_owned(), p)).collect());
            }
            Err(problem) => self.unusable(file, problem),
        }
    }

    pub fn end_of_life(&mut self, file: &str, products: end_of_life::Products) {
        self.others.push(Source {
            name: "endoflife.date".to_owned(),
            licence: "MIT".to_owned(),
            newest: products.newest,
            records: products.products.len() as u64,
            broken: products.problems.len() as u64,
            ..Source::default()
        });
        self.report(products.problems.into_iter().map(|problem| (file.to_owned(), problem)).collect());
        self.products.extend(products.products);
    }

    fn add(&mut self, mut source: Source, records: Vec<Arc<Reduced>>) {
        source.withdrawn = records.iter().filter(|record| record.withdrawn).count() as u64;
        source.newest = newest(&records);
        self.feeds.push((source, records));
    }

    fn report(&mut self, problems: Vec<(String, Problem)>) {
        let more = problems.len().saturating_sub(MAX_LISTED);
        let feed = problems.first().map(|(file, _)| file.split("!/").next().unwrap_or_default().to_owned());
        self.skipped.extend(
            problems
                .into_iter()
                .take(MAX_LISTED)
                .map(|(file, problem)| Skipped::new(file, problem.reason, problem.detail)),
        );
        if more > 0 {
            let mut rest = Skipped::new(
                feed.unwrap_or_default(),
                SkipReason::TooMany,
                format!("{more} further problems are not listed one by one"),
            );
            rest.count = more as u64;
            self.skipped.push(rest);
        }
    }

    /// Writes the file.
    pub fn finish(mut self, signing_key: Option<&SigningKey>) -> std::io::Result<Built> {
        self.feeds.sort_by(|a, b| a.0.cmp(&b.0));
        for (source, records) in &mut self.feeds {
            records.sort_by(|a, b| a.id.cmp(&b.id));
            drop_duplicates(source, records, &mut self.skipped);
        }
        let skipped = std::mem::take(&mut self.skipped);
        let mut assembly = Assembly { skipped };
        let all = || self.feeds.iter().flat_map(|(_, records)| records.iter().map(Arc::as_ref));
        let standing = || all().filter(|record| !record.withdrawn);
        let clusters = Clusters::of(standing(), &mut |record, problem| {
            assembly.skipped.push(Skipped::new(record.id.clone(), problem.reason, problem.detail));
        });

        // Every flaw that any record or catalogue names, in the order of names.
        let mut flaws: BTreeMap<NameKey, Flaw> = BTreeMap::new();
        for (record, number) in all().zip(0..) {
            if !record.withdrawn {
                assembly.note(&mut flaws, &clusters, record, RecordId(number));
            }
        }
        for (cve, entry) in &self.exploited {
            let flaw = flaws.entry(NameKey(cve.clone())).or_default();
            flaw.exploited =
                Some(Exploited { added: entry.added, due: entry.due, ransomware: entry.ransomware });
            flaw.weaknesses.extend(&entry.weaknesses);
        }
        for (name, flaw) in &mut flaws {
            flaw.prediction = self
                .predictions
                .get(&name.0)
                .map(|score| Prediction { probability: score.probability, percentile: score.percentile });
        }
        let numbers: BTreeMap<&str, FlawId> =
            flaws.keys().zip(0..).map(|(name, number)| (name.0.as_str(), FlawId(number))).collect();

        let mut records = SectionWriter::default();
        let mut place: u16 = 0;
        let mut count: u32 = 0;
        let mut packages: BTreeMap<(&str, &str), Vec<Entry>> = BTreeMap::new();
        for (_, feed) in &self.feeds {
            for reduced in feed {
                let record = stored_record(reduced, place, &clusters, &numbers);
                records.push(&[], &encode(&record)?)?;
                for package in &reduced.packages {
                    let entry = Entry { record: RecordId(count), ..package.entry.clone() };
                    packages.entry((&package.ecosystem, &package.name)).or_default().push(entry);
                }
                count += 1;
            }
            place = place.saturating_add(1);
        }
        let records = records.finish()?;
        let flaws_section = flaws_section(&flaws)?;
        let (packages_section, ecosystems, entries) = assembly.packages_section(packages)?;
        let mut products = SectionWriter::default();
        for (name, cycles) in &self.products {
            products.push(name.as_bytes(), &encode(&(name, cycles))?)?;
        }
        let products = products.finish()?;

        let mut sources: Vec<Source> = self.feeds.iter().map(|(source, _)| source.clone()).collect();
        self.others.sort();
        sources.extend(self.others);
        let info = Info {
            newest: sources.iter().filter_map(|source| source.newest).max(),
            sources,
            ecosystems,
            records: records.items,
            flaws: flaws_section.items,
            entries,
            exploited: flaws.values().filter(|flaw| flaw.exploited.is_some()).count() as u32,
            predictions: flaws.values().filter(|flaw| flaw.prediction.is_some()).count() as u32,
            products: products.items,
        };
        let bytes = assemble(info.clone(), packages_section, records, flaws_section, products, signing_key)?;
        Ok(Built { bytes, info, skipped: assembly.skipped })
    }
}

/// What is gathered while the file is put together.
struct Assembly {
    skipped: Vec<Skipped>,
}

impl Assembly {
    /// Notes what a record adds to the flaws it speaks of.
    fn note(
        &mut self,
        flaws: &mut BTreeMap<NameKey, Flaw>,
        clusters: &Clusters,
        record: &Reduced,
        id: RecordId,
    ) {
        let (names, is_alias) = clusters.flaws(record);
        let single = names.len() == 1;
        for name in names {
            let flaw = flaws.entry(NameKey(name.clone())).or_default();
            if is_alias {
                flaw.records.push(id);
                for other in clusters.other_names(record) {
                    if *other != record.id && *other != name && !flaw.other_names.contains(other) {
                        flaw.other_names.push(other.clone());
                    }
                }
                flaw.database = flaw.database.max(record.database);
            }
            if single {
                flaw.weaknesses.extend(&record.weaknesses);
                flaw.vectors.extend(record.vectors.iter().cloned());
            }
        }
    }

    fn packages_section(
        &mut self,
        packages: BTreeMap<(&str, &str), Vec<Entry>>,
    ) -> std::io::Result<(Section, Vec<EcosystemRow>, u64)> {
        let mut writer = SectionWriter::default();
        let mut ecosystems: Vec<EcosystemRow> = Vec::new();
        let mut count = 0;
        for ((ecosystem, name), mut entries) in packages {
            if ecosystems.last().is_none_or(|row| row.name != ecosystem) {
                ecosystems.push(EcosystemRow { name: ecosystem.to_owned(), packages: 0 });
            }
            // 65,536 ecosystems would need as many releases of distributions; OSV has some 600.
            let place = u16::try_from(ecosystems.len() - 1).unwrap_or(u16::MAX);
            entries.sort_by_key(|entry| entry.record);
            count += entries.len() as u64;
            delta(entries.iter_mut().map(|entry| &mut entry.record.0));
            let key = [&place.to_be_bytes(), name.as_bytes()].concat();
            let mut item = place.to_be_bytes().to_vec();
            layout::write_varint(&mut item, name.len() as u64);
            item.extend_from_slice(name.as_bytes());
            item.extend_from_slice(&encode(&entries)?);
            if !writer.push(&key, &item)? {
                self.skipped.push(Skipped::new(
                    format!("{ecosystem}/{name}"),
                    SkipReason::TooLarge,
                    format!("{} bytes of ranges", item.len()),
                ));
                continue;
            }
            if let Some(row) = ecosystems.last_mut() {
                row.packages += 1;
            }
        }
        Ok((writer.finish()?, ecosystems, count))
    }
}

/// Flaw names in the file's order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NameKey(String);

impl PartialOrd for NameKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NameKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        names::compare(&self.0, &other.0)
    }
}

/// The newest day of a feed. Single records with a date in the future (a wrong clock, a slip of the pen) must not make
/// the whole look newer than it is, and there is no clock here to judge them by: in a feed of any size the day is
/// the one that a handful of records reach.
fn newest(records: &[Arc<Reduced>]) -> Option<Day> {
    const HANDFUL: usize = 4;
    let mut days: Vec<Day> = records.iter().filter_map(|r| r.modified.max(r.published)).collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    days.get(HANDFUL.min(days.len() / 25)).copied()
}

/// Of records with one id the last modified stands; the others are reported.
fn drop_duplicates(source: &Source, records: &mut Vec<Arc<Reduced>>, skipped: &mut Vec<Skipped>) {
    records.dedup_by(|later, earlier| {
        let same = later.id == earlier.id;
        if same {
            if later.modified > earlier.modified {
                std::mem::swap(later, earlier);
            }
            skipped.push(Skipped::new(
                format!("{}/{}", source.name, earlier.id),
                SkipReason::Malformed,
                "the feed has this id more than once; the last modified one stands",
            ));
        }
        same
    });
}

fn stored_record(
    reduced: &Reduced,
    source: u16,
    clusters: &Clusters,
    numbers: &BTreeMap<&str, FlawId>,
) -> Record {
    let (names, _) = if reduced.withdrawn { Default::default() } else { clusters.flaws(reduced) };
    let unique: BTreeSet<FlawId> =
        names.iter().filter_map(|name| numbers.get(name.as_str()).copied()).collect();
    let mut flaws: Vec<FlawId> = unique.into_iter().collect();
    let several = flaws.len() > 1;
    delta(flaws.iter_mut().map(|flaw| &mut flaw.0));
    Record {
        id: reduced.id.clone(),
        source,
        kind: reduced.kind,
        withdrawn: reduced.withdrawn,
        published: reduced.published,
        modified: reduced.modified,
        vendor: reduced.vendor,
        database: reduced.database,
        vectors: if several { reduced.vectors.clone() } else { Vec::new() },
        module: reduced.module.clone(),
        flaws,
    }
}

fn flaws_section(flaws: &BTreeMap<NameKey, Flaw>) -> std::io::Result<Section> {
    let mut writer = SectionWriter::default();
    for (name, flaw) in flaws {
        let mut flaw = flaw.clone();
        flaw.name.clone_from(&name.0);
        flaw.other_names.sort();
        flaw.other_names.truncate(MAX_OTHER_NAMES);
        flaw.weaknesses.sort_unstable();
        flaw.weaknesses.dedup();
        flaw.vectors = best_vectors(std::mem::take(&mut flaw.vectors));
        delta(flaw.records.iter_mut().map(|record| &mut record.0));
        writer.push(name.0.as_bytes(), &encode(&flaw)?)?;
    }
    writer.finish()
}

/// One vector for each CVSS version, best version first: the one with the highest score where feeds disagree.
fn best_vectors(vectors: Vec<String>) -> Vec<String> {
    let mut best: BTreeMap<cvss::Version, (u64, String)> = BTreeMap::new();
    for vector in vectors {
        let Some(scored) = cvss::score(&vector) else { continue };
        let candidate = ((scored.score * 10.0).round() as u64, vector);
        let held = best.entry(scored.version).or_insert_with(|| candidate.clone());
        if candidate > *held {
            *held = candidate;
        }
    }
    best.into_values().map(|(_, vector)| vector).collect()
}

fn assemble(
    info: Info,
    packages: Section,
    records: Section,
    flaws: Section,
    products: Section,
    signing_key: Option<&SigningKey>,
) -> std::io::Result<Vec<u8>> {
    let mut directory = Directory { info, ..Directory::default() };
    // Offsets are stored from the start of the file, and how long the directory is depends on them: lay out twice.
    let mut start = layout::HEADER_BYTES as u64;
    let mut encoded = Vec::new();
    for _ in 0..8 {
        let mut offset = start;
        let mut place = |section: &Section| -> Vec<BlockRow> {
            let rows = section.rows.iter();
            let rows = rows.map(|row| BlockRow { offset: row.offset + offset, ..row.clone() }).collect();
            offset += section.bytes.len() as u64;
            rows
        };
        directory.packages = place(&packages);
        directory.records = place(&records);
        directory.flaws = place(&flaws);
        directory.products = place(&products);
        encoded = encode(&directory)?;
        let settled = (layout::HEADER_BYTES + encoded.len()) as u64;
        if settled == start {
            break;
        }
        start = settled;
    }
    let mut bytes = layout::write_header(&encoded, signing_key).to_vec();
    bytes.extend_from_slice(&encoded);
    for section in [packages, records, flaws, products] {
        bytes.extend_from_slice(&section.bytes);
    }
    Ok(bytes)
}

fn encode<T: serde::Serialize>(value: &T) -> std::io::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(std::io::Error::other)
}

/// The terms under which the public feeds give their records.
fn licence(feed: &Feed) -> String {
    if !feed.licence.is_empty() {
        return feed.licence.clone();
    }
    let known = match feed.name.as_str() {
        "AlmaLinux" | "Debian" | "openEuler" => "MIT",
        "Bitnami" => "Apache-2.0",
        "crates.io" => "CC0-1.0",
        "Rocky Linux" => "BSD-3-Clause",
        "Alpine" | "Chainguard" | "Wolfi" | "GitHub Actions" | "Go" | "Hex" | "Maven" | "NuGet"
        | "Packagist" | "Pub" | "PyPI" | "Red Hat" | "RubyGems" | "SUSE" | "SwiftURL" | "Ubuntu" | "npm"
        | "openSUSE" => "CC-BY-4.0",
        _ => "",
    };
    known.to_owned()
}
