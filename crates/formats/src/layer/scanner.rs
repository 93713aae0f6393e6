//! The one pass over the entries of a layer or a tree.

use std::collections::HashMap;
use std::io::Read;

use yagura_model::{Location, SkipReason};

use super::analyser::Working;
use super::code;
use super::consumer::{ExecutableDigests, FileConsumer, HEAD_BYTES, Observed, PassingFile};
use super::dispatch::{Buffers, Readers, Said};
use super::links::UnreadLinks;
use super::path::{self, MAX_PATH_BYTES};
use super::selection::CataloguerIndex;
use super::skips::SkipLog;
use super::{Evidence, LayerFacts, PathKey, ScanOptions, Symlink, UnreadLink};
use crate::archive::{EntryHeader, EntryKind};
use crate::catalogue::{EvidenceFile, Facts};

/// Marks a path of the layers below as gone (OCI image layer specification, "Whiteouts").
const WHITEOUT: &[u8] = b".wh.";
/// Names that start so are not whiteouts of files but AUFS's own.
const AUFS: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Longest symbolic link that is remembered, path and target together.
const MAX_SYMLINK_BYTES: usize = 1024;

/// What is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// One layer of an image: whiteouts count, and every path is remembered for the merge.
    Layer,
    /// A directory or a host: all there is.
    Tree,
}

/// Takes entries one by one, gives each file to everybody who wants it, and keeps what they say.
pub struct LayerScanner<'o> {
    options: &'o ScanOptions,
    source: Source,
    facts: LayerFacts,
    skips: SkipLog,
    /// Where the evidence of a path is in `facts.evidence`; several cataloguers may have read one path.
    evidence: HashMap<PathKey, Vec<usize>>,
    packages: usize,
    /// Rough memory of all evidence.
    weight: usize,
    digests: Option<ExecutableDigests>,
    analysers: Vec<Working<'o>>,
    /// Where the observations of a path are in `facts.observations`, for its further names.
    observed: HashMap<PathKey, Vec<usize>>,
    /// Hard links to what was not evidence under its first name.
    unread: UnreadLinks,
    /// In a second pass: the names under which files are evidence, by the name they are stored under. Nothing else is
    /// looked at then.
    links: Option<HashMap<PathKey, Vec<String>>>,
    buffers: Buffers,
    path: Vec<u8>,
    target: Vec<u8>,
    chosen: Vec<CataloguerIndex>,
}

impl<'o> LayerScanner<'o> {
    /// A scanner of a directory tree.
    pub fn new(options: &'o ScanOptions) -> Self {
        Self::of(Source::Tree, options)
    }

    /// A scanner of one image layer.
    pub fn for_layer(options: &'o ScanOptions) -> Self {
        Self::of(Source::Layer, options)
    }

    /// A second pass over a layer, for what its first could not read.
    pub(super) fn for_links(options: &'o ScanOptions, links: Vec<UnreadLink>) -> Self {
        let mut by_target: HashMap<PathKey, Vec<String>> = HashMap::new();
        for link in links {
            by_target.entry(link.target).or_default().push(link.path);
        }
        let scanner = Self::of(Source::Layer, options);
        Self { digests: None, analysers: Vec::new(), links: Some(by_target), ..scanner }
    }

    fn of(source: Source, options: &'o ScanOptions) -> Self {
        Self {
            options,
            source,
            facts: LayerFacts::default(),
            skips: SkipLog::default(),
            evidence: HashMap::new(),
            packages: 0,
            weight: 0,
            digests: options.executable_digests.then(ExecutableDigests::default),
            analysers: options.analysers.iter().map(|analyser| Working::begin(&**analyser)).collect(),
            observed: HashMap::new(),
            unread: UnreadLinks::default(),
            links: None,
            buffers: Buffers::default(),
            path: Vec::new(),
            target: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// Takes one entry. `content` is read only as far as somebody wants it, so it may open its file when first read.
    pub fn entry(&mut self, header: EntryHeader<'_>, content: &mut dyn Read) {
        self.facts.counts.entries += 1;
        if self.facts.counts.entries > self.options.max_entries {
            let detail =
                format!("more than {} entries; the rest was not looked at", self.options.max_entries);
            if self.facts.counts.entries == self.options.max_entries + 1 {
                self.skips.add("", SkipReason::TooMany, detail);
            }
            return;
        }
        let mut path = std::mem::take(&mut self.path);
        if header.path.len() > MAX_PATH_BYTES {
            let start = path::text(header.path.get(..200).unwrap_or_default()).into_owned();
            let detail = format!("path of {} bytes, more than {MAX_PATH_BYTES}", header.path.len());
            self.skips.add(&start, SkipReason::TooLarge, detail);
        } else if path::normalise(header.path, &mut path).is_err() {
            self.skips.add(&path::text(header.path), SkipReason::UnsafePath, "would leave the root");
        } else if !path.is_empty() {
            self.named_entry(&path, header, content);
        }
        self.path = path;
    }

    fn named_entry(&mut self, path: &[u8], header: EntryHeader<'_>, content: &mut dyn Read) {
        if let Some(links) = &mut self.links {
            if header.kind == EntryKind::File
                && let Some(names) = links.get(&PathKey::of(path)).cloned()
            {
                self.linked_file(path, &names, &header, content);
            }
            return;
        }
        if self.source == Source::Layer && self.whiteout(path) {
            return;
        }
        let mut key = None;
        if self.source == Source::Layer {
            let this = PathKey::of(path);
            match header.kind {
                EntryKind::Directory => self.facts.directories.push(this),
                _ => self.facts.non_directories.push(this),
            }
            self.forget(this);
            key = Some(this);
        }
        match header.kind {
            EntryKind::File => {
                self.facts.counts.files += 1;
                self.file(path, key, &header, content);
            }
            EntryKind::Directory => self.facts.counts.directories += 1,
            EntryKind::Symlink(target) => self.symlink(path, target),
            EntryKind::Hardlink(target) => {
                self.facts.counts.files += 1;
                // What it holds is known under its first name only.
                self.facts.code.extend(key);
                self.hardlink(path, target);
            }
            EntryKind::Device | EntryKind::Fifo => {}
            EntryKind::Other if self.source == Source::Tree => {}
            EntryKind::Other => {
                self.skips.add(
                    &path::text(path),
                    SkipReason::Unsupported,
                    "entry of a type no runtime unpacks",
                );
            }
        }
    }

    /// Keeps a whiteout. Returns whether the path was one.
    fn whiteout(&mut self, path: &[u8]) -> bool {
        let name_start = memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
        let (directory, name) = path.split_at(name_start);
        if name == OPAQUE {
            self.facts.opaque.push(PathKey::of(directory));
            return true;
        }
        if name.starts_with(AUFS) {
            return true;
        }
        let Some(hidden) = name.strip_prefix(WHITEOUT).filter(|hidden| !hidden.is_empty()) else {
            return false;
        };
        self.facts.whiteouts.push(PathKey::of(&[directory, hidden].concat()));
        true
    }

    /// A path that comes again replaces what it was.
    fn forget(&mut self, key: PathKey) {
        self.unread.forget(key);
        for index in self.evidence.remove(&key).into_iter().flatten() {
            if let Some(evidence) = self.facts.evidence.get_mut(index) {
                self.packages -= evidence.facts.packages.len().min(self.packages);
                evidence.facts = Facts::default();
            }
        }
    }

    fn symlink(&mut self, path: &[u8], target: &[u8]) {
        self.facts.counts.symlinks += 1;
        let room = self.facts.symlinks.len() < self.options.max_symlinks;
        if room && self.source == Source::Layer && path.len() + target.len() <= MAX_SYMLINK_BYTES {
            let (path, target) = (path::text(path).into_owned(), path::text(target).into_owned());
            self.facts.symlinks.push(Symlink { path, target });
        }
    }

    /// A further name of a file that passed before. Its bytes are gone, but what was said of them holds for this
    /// name too, where the name alone makes it evidence.
    fn hardlink(&mut self, path: &[u8], target: &[u8]) {
        let mut target_path = std::mem::take(&mut self.target);
        if path::normalise(target, &mut target_path).is_err() {
            self.skips.add(
                &path::text(path),
                SkipReason::UnsafePath,
                "hard link to a path that leaves the root",
            );
        } else {
            let (text, target_text) = (path::text(path), path::text(&target_path));
            if let Some(digests) = &mut self.digests {
                digests.link(&text, &target_text);
            }
            self.linked_observations(&text, PathKey::of(path), PathKey::of(&target_path));
            self.linked_evidence(path, &target_path);
        }
        self.target = target_path;
    }

    /// What was seen under one name of a file holds for the other.
    fn linked_observations(&mut self, path: &str, key: PathKey, target: PathKey) {
        let seen = self.observed.get(&target).map_or(&[][..], Vec::as_slice);
        let seen = seen.iter().filter_map(|index| self.facts.observations.get(*index));
        let mut observations: Vec<_> = seen.cloned().collect();
        for observation in &mut observations {
            let inside = observation.location.path.split_once("!/").map(|(_, inside)| inside);
            observation.location.path = inside.map_or(path.to_owned(), |inside| format!("{path}!/{inside}"));
        }
        if !observations.is_empty() {
            self.observe(path, key, Observed { observations, ..Observed::default() });
        }
    }

    /// Keeps what the analysers say of a file.
    fn observe(&mut self, path: &str, key: PathKey, observed: Observed) {
        for mut skipped in observed.skipped {
            if skipped.path.is_empty() {
                path.clone_into(&mut skipped.path);
            }
            self.skips.push(skipped);
        }
        let room = self.options.max_observations.saturating_sub(self.facts.observations.len());
        if observed.observations.len() > room {
            let detail =
                format!("more than {} observations; the rest was left out", self.options.max_observations);
            self.skips.add(path, SkipReason::TooMany, detail);
        }
        for mut observation in observed.observations.into_iter().take(room) {
            if observation.location.path.is_empty() {
                path.clone_into(&mut observation.location.path);
            }
            self.observed.entry(key).or_default().push(self.facts.observations.len());
            self.facts.observations.push(observation);
        }
    }

    fn linked_evidence(&mut self, path: &[u8], target: &[u8]) {
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.clear();
        self.options.selection.by_path(path, &mut chosen);
        if !chosen.is_empty() {
            let read = self.evidence.get(&PathKey::of(target)).cloned().unwrap_or_default();
            let mut by_target = Vec::new();
            self.options.selection.by_path(target, &mut by_target);
            for index in chosen.iter().copied() {
                let Some(cataloguer) = self.options.selection.cataloguer(index) else { continue };
                let mut said = read.iter().filter_map(|index| self.facts.evidence.get(*index));
                match said.find(|evidence| evidence.cataloguer == cataloguer.name) {
                    Some(evidence) => {
                        let facts = renamed(&evidence.facts, &evidence.path, &path::text(path));
                        self.keep(path, Some(PathKey::of(path)), (cataloguer, facts));
                    }
                    // Its first name made it evidence too, and it had nothing to say.
                    None if by_target.contains(&index) => {}
                    None => self.unread.add(path, target, &mut self.skips),
                }
            }
        }
        self.chosen = chosen;
    }

    /// Reads a file for its further names. What its own name makes evidence was read before.
    fn linked_file(
        &mut self,
        path: &[u8],
        names: &[String],
        header: &EntryHeader<'_>,
        content: &mut dyn Read,
    ) {
        let selection = &self.options.selection;
        let mut known = Vec::new();
        selection.by_path(path, &mut known);
        let mut said: Vec<Said> = Vec::new();
        let mut read_as = None;
        for name in names {
            let mut chosen = Vec::new();
            selection.by_path(name.as_bytes(), &mut chosen);
            chosen.retain(|index| !known.contains(index));
            let cataloguers: Vec<_> =
                chosen.iter().filter_map(|index| self.options.selection.cataloguer(*index)).collect();
            let key = PathKey::of(name.as_bytes());
            self.forget(key);
            if let Some(first) = read_as {
                // The same bytes say the same.
                let again: Vec<Said> = cataloguers
                    .iter()
                    .filter_map(|cataloguer| said.iter().find(|(by, _)| by.name == cataloguer.name))
                    .map(|(cataloguer, facts)| (*cataloguer, renamed(facts, first, name)))
                    .collect();
                again.into_iter().for_each(|said| self.keep(name.as_bytes(), Some(key), said));
                continue;
            }
            let file = EvidenceFile { path: name, mode: header.mode, size: header.size };
            let readers = Readers { cataloguers: &cataloguers, consumers: &mut [] };
            let limit = self.options.max_stream_bytes;
            said = self.buffers.dispatch(file, content, readers, limit, &mut self.skips).catalogued;
            read_as = Some(name);
            said.clone().into_iter().for_each(|said| self.keep(name.as_bytes(), Some(key), said));
        }
    }

    fn file(&mut self, path: &[u8], key: Option<PathKey>, header: &EntryHeader<'_>, content: &mut dyn Read) {
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.clear();
        let selection = &self.options.selection;
        selection.by_path(path, &mut chosen);
        let watched = self.digests.is_some() || !self.analysers.is_empty();
        let mut head = [0; HEAD_BYTES];
        let mut head_length = 0;
        if header.size > 0 && (watched || selection.head_bytes() > 0) {
            match read_head(content, &mut head) {
                Ok(length) => head_length = length,
                Err(error) => {
                    // Its first bytes might have made it evidence, so it counts whatever its name.
                    let problem = crate::archive::Problem::of(&error);
                    self.skips.add(&path::text(path), problem.reason, problem.detail);
                    self.chosen = chosen;
                    return;
                }
            }
        }
        let head = head.get(..head_length).unwrap_or_default();
        if let Some(key) = key.filter(|_| header.size > 0 && code::holds_code(path, header.mode, head)) {
            self.facts.code.push(key);
        }
        selection.by_head(head, &mut chosen);
        if chosen.is_empty() && !watched {
            self.chosen = chosen;
            return;
        }
        let text = path::text(path);
        let cataloguers: Vec<_> = chosen.iter().filter_map(|index| selection.cataloguer(*index)).collect();
        self.chosen = chosen;
        let passing = PassingFile {
            path: &text,
            mode: header.mode,
            size: header.size,
            capability: header.capability,
            head,
        };
        let mut consumers: Vec<&mut dyn FileConsumer> = Vec::new();
        if let Some(digests) = &mut self.digests
            && digests.wants(&passing)
        {
            consumers.push(digests);
        }
        for analyser in &mut self.analysers {
            if analyser.wants(&passing) {
                consumers.push(analyser);
            }
        }
        if cataloguers.is_empty() && consumers.is_empty() {
            return;
        }
        let file = EvidenceFile { path: &text, mode: header.mode, size: header.size };
        let readers = Readers { cataloguers: &cataloguers, consumers: &mut consumers };
        let mut whole = head.chain(content);
        let limit = self.options.max_stream_bytes;
        let said = self.buffers.dispatch(file, &mut whole, readers, limit, &mut self.skips);
        for said in said.catalogued {
            self.keep(path, key, said);
        }
        if said.observed != Observed::default() {
            self.observe(&text, key.unwrap_or_else(|| PathKey::of(path)), said.observed);
        }
    }

    /// Keeps what a cataloguer says of a file, with what all packages share filled in.
    fn keep(&mut self, path: &[u8], key: Option<PathKey>, (cataloguer, mut facts): Said) {
        let text = path::text(path);
        for mut skipped in facts.skipped.drain(..) {
            if skipped.path.is_empty() {
                skipped.path = text.clone().into_owned();
            }
            self.skips.push(skipped);
        }
        let room = self.options.max_packages.saturating_sub(self.packages);
        if facts.packages.len() > room {
            let detail = format!("more than {} packages; the rest was left out", self.options.max_packages);
            self.skips.add(&text, SkipReason::TooMany, detail);
            facts.packages.truncate(room);
        }
        if facts == Facts::default() {
            return;
        }
        for package in &mut facts.packages {
            if package.found_by.is_empty() {
                package.found_by = cataloguer.name.to_owned();
            }
            if package.locations.is_empty() {
                package.locations.push(Location::file(text.as_ref()));
            }
        }
        let key = key.unwrap_or_else(|| PathKey::of(path));
        let cataloguer = cataloguer.name.to_owned();
        let evidence = Evidence { path: text.into_owned(), key, cataloguer, facts };
        let weight = evidence.weight();
        if self.weight.saturating_add(weight) > self.options.max_facts_bytes {
            let detail = format!(
                "what was found takes more than {} bytes; this was left out",
                self.options.max_facts_bytes
            );
            self.skips.add(&evidence.path, SkipReason::TooMany, detail);
            return;
        }
        self.weight += weight;
        self.packages += evidence.facts.packages.len();
        self.evidence.entry(key).or_default().push(self.facts.evidence.len());
        self.facts.evidence.push(evidence);
    }

    /// Notes something that was passed over.
    pub fn skip(&mut self, path: &str, reason: SkipReason, detail: impl Into<String>) {
        self.skips.add(path, reason, detail);
    }

    /// Everything that was found, in its order.
    pub fn finish(self) -> LayerFacts {
        let Self { mut facts, mut skips, digests, unread, options, .. } = self;
        facts.unread_links = unread.finish(&facts, &options.selection);
        facts.evidence.retain(|evidence| evidence.facts != Facts::default());
        if let Some(digests) = digests {
            let (digests, left_out) = digests.finish();
            facts.file_digests = digests;
            if left_out > 0 {
                skips.add("", SkipReason::TooMany, format!("{left_out} executables were not hashed"));
            }
        }
        facts.sort();
        facts.skipped = skips.finish();
        facts
    }
}

/// Reads until the head is full or the file ends.
fn read_head(content: &mut dyn Read, head: &mut [u8; HEAD_BYTES]) -> std::io::Result<usize> {
    let mut length = 0;
    while let Some(room) = head.get_mut(length..).filter(|room| !room.is_empty()) {
        match content.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The same facts, said of another name of the file.
fn renamed(facts: &Facts, from: &str, to: &str) -> Facts {
    let mut facts = facts.clone();
    for location in facts.packages.iter_mut().flat_map(|package| &mut package.locations) {
        if let Some(inside) = location.path.strip_prefix(from)
            && (inside.is_empty() || inside.starts_with("!/"))
        {
            location.path = format!("{to}{inside}");
        }
    }
    facts
}
