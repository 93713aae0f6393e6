//! Java archives and the archives inside them, in bounded memory.
//!
//! An archive that fits into memory is read through its central directory, so that only the few entries that matter
//! are inflated; a larger one is streamed entry by entry. Both ways lead to the same facts.

use std::io::Read;

use sha1::{Digest as _, Sha1};
use yagura_model::digest::Algorithm;
use yagura_model::package::{Dependency, Presence};
use yagura_model::{Digest, Ecosystem, Location, Package, SkipReason};

use super::super::{EvidenceFile, Facts, license};
use super::coordinates::{self, Coordinates};
use super::file_name::FileName;
use super::manifest::Manifest;
use super::{is_archive, pom, properties};
use crate::archive::Problem;
use crate::archive::zip::{self, Budget, Entry, Next, Source};

/// Bytes of archives held in memory at a time, nested ones together with those around them.
const MAX_MEMORY: u64 = 20 << 20;
/// Archives in archives; an `ear` with a `war` with a fat `jar` needs three.
const MAX_DEPTH: usize = 6;
/// Archives in one file, all levels together.
const MAX_ARCHIVES: u32 = 20_000;
/// Entries in one file, all levels together.
const MAX_ENTRIES: u64 = 4_000_000;
/// A file may inflate to this many bytes, and to this multiple of its own size.
const MIN_INFLATED: u64 = 256 << 20;
const MAX_RATIO: u64 = 100;
const MAX_INFLATED: u64 = 16 << 30;
/// The main section of a manifest comes first; signed archives have megabytes behind it.
const MAX_MANIFEST: u64 = 256 << 10;
const MAX_PROPERTIES: u64 = 16 << 10;
const MAX_POM: u64 = 512 << 10;
/// Maven metadata kept of one archive; a shaded one has a hundred.
const MAX_METADATA: usize = 4096;

pub(super) fn catalogue(file: EvidenceFile<'_>, reader: &mut dyn Read, facts: &mut Facts) {
    let mut head = Vec::new();
    if let Err(error) = reader.take(2).read_to_end(&mut head) {
        let problem = Problem::of(&error);
        return facts.skip(file.path, problem.reason, problem.detail);
    }
    // Other formats share these suffixes (RAR, for one); a library that is no zip is worth a word.
    let library =
        [".jar", ".war", ".ear"].iter().any(|suffix| file.path.to_ascii_lowercase().ends_with(suffix));
    if head != b"PK" && (!library || head.is_empty()) {
        return;
    }
    let mut reader = head.as_slice().chain(reader);
    let budget = Budget::new(file.size.saturating_mul(MAX_RATIO).clamp(MIN_INFLATED, MAX_INFLATED));
    let mut scan = Scan { facts, budget: &budget, memory: MAX_MEMORY, archives: 0, entries: 0 };
    scan.archive(file.path, file.name(), Source::Stream(&mut reader), Some(file.size), 0);
}

/// What one file may still cost, and what it has shown.
struct Scan<'f, 'a> {
    facts: &'f mut Facts,
    budget: &'a Budget,
    memory: u64,
    archives: u32,
    entries: u64,
}

impl Scan<'_, '_> {
    /// Reads one archive; the name and version under which it is known, if any.
    fn archive(
        &mut self,
        path: &str,
        name: &str,
        source: Source<'_>,
        size: Option<u64>,
        depth: usize,
    ) -> Option<Dependency> {
        self.archives += 1;
        if depth > MAX_DEPTH {
            self.facts.skip(path, SkipReason::TooDeep, format!("archives nested more than {MAX_DEPTH} deep"));
            return None;
        }
        match source {
            Source::Memory(bytes) => self.read(path, name, Source::Memory(bytes), sha1_of(bytes), depth),
            Source::Stream(reader) => {
                // What fits is taken into memory, where single entries can be reached.
                let fits = size.unwrap_or(self.memory / 2).min(self.memory);
                if size.is_none_or(|size| size <= self.memory) {
                    // A stated size is taken at its word for the reservation: growing would double it.
                    let mut bytes =
                        Vec::with_capacity(usize::try_from(size.map_or(0, |size| size + 1)).unwrap_or(0));
                    if let Err(error) = reader.take(fits.saturating_add(1)).read_to_end(&mut bytes) {
                        let broken = Problem::of(&error);
                        self.facts.skip(path, broken.reason, broken.detail);
                    }
                    let taken = bytes.len() as u64;
                    let held = taken.min(self.memory);
                    self.memory -= held;
                    let found = if taken <= fits {
                        self.read(path, name, Source::Memory(&bytes), sha1_of(&bytes), depth)
                    } else {
                        let mut hashing = Hashing::new(bytes.as_slice().chain(reader));
                        self.stream(path, name, &mut hashing, depth)
                    };
                    self.memory += held;
                    return found;
                }
                self.stream(path, name, &mut Hashing::new(reader), depth)
            }
        }
    }

    fn stream<R: Read>(
        &mut self,
        path: &str,
        name: &str,
        reader: &mut Hashing<R>,
        depth: usize,
    ) -> Option<Dependency> {
        let first = self.facts.packages.len();
        let found = self.read(path, name, Source::Stream(reader), None, depth);
        // The digest is of the whole file, the central directory included.
        let digest = reader.finish();
        if let (Some(_), Some(package)) = (&found, self.facts.packages.get_mut(first)) {
            package.digests.extend(digest);
        }
        found
    }

    fn read(
        &mut self,
        path: &str,
        name: &str,
        source: Source<'_>,
        digest: Option<Digest>,
        depth: usize,
    ) -> Option<Dependency> {
        let first = self.facts.packages.len();
        let budget = self.budget;
        let mut contents = Contents {
            scan: self,
            path,
            depth,
            manifest: None,
            properties: Vec::new(),
            poms: Vec::new(),
            nested: Vec::new(),
        };
        let result = zip::walk(source, budget, &mut contents);
        let Contents { manifest, properties, poms, nested, .. } = contents;
        if let Err(broken) = result {
            self.facts.skip(path, broken.reason, broken.detail);
        }
        let packages = identify(name, manifest.as_ref(), properties, &poms);
        let mut own = None;
        let packages: Vec<Package> = packages
            .into_iter()
            .map(|(coordinates, classifier, is_own)| {
                let mut package = package(&coordinates);
                package.presence =
                    if is_own && depth == 0 { Presence::Installed } else { Presence::Embedded };
                package.locations = vec![Location::file(path)];
                package.licenses = licenses(&coordinates, &poms, manifest.as_ref().filter(|_| is_own));
                if !classifier.is_empty() {
                    package.qualifiers.insert("classifier".into(), classifier);
                }
                if is_own {
                    package.digests.extend(digest.clone());
                    own = Some(wish_for(&package));
                }
                package
            })
            .collect();
        // The archive itself goes before what is in it, and needs it.
        let bundled: Vec<Dependency> =
            packages.iter().skip(usize::from(own.is_some())).map(wish_for).chain(nested).collect();
        self.facts.packages.splice(first..first, packages);
        if own.is_some()
            && let Some(package) = self.facts.packages.get_mut(first)
        {
            package.dependencies = bundled;
        }
        own
    }
}

/// The entries of one archive that say what it is.
struct Contents<'s, 'f, 'a> {
    scan: &'s mut Scan<'f, 'a>,
    path: &'s str,
    depth: usize,
    manifest: Option<Manifest>,
    properties: Vec<Coordinates>,
    poms: Vec<pom::Pom>,
    nested: Vec<Dependency>,
}

impl zip::Visitor for Contents<'_, '_, '_> {
    fn wants(&mut self, name: &str) -> bool {
        self.scan.entries += 1;
        is_manifest(name) || is_properties(name) || is_pom(name) || is_archive(name)
    }

    fn visit(&mut self, entry: Entry<'_>) -> Next {
        if self.scan.entries > MAX_ENTRIES || self.scan.archives > MAX_ARCHIVES {
            self.scan.facts.skip(self.path, SkipReason::TooMany, "too many entries or nested archives");
            return Next::Stop;
        }
        if is_archive(entry.name) {
            let path = format!("{}!/{}", self.path, entry.name.trim_start_matches('/'));
            let name = entry.name.rsplit('/').next().unwrap_or_default();
            let found = self.scan.archive(&path, name, entry.content, entry.size, self.depth + 1);
            self.nested.extend(found);
            return Next::Continue;
        }
        let limit = match entry.name {
            name if is_manifest(name) => MAX_MANIFEST,
            name if is_properties(name) => MAX_PROPERTIES,
            _ => MAX_POM,
        };
        let mut bytes = Vec::new();
        let read = match entry.content {
            Source::Memory(content) => content.take(limit).read_to_end(&mut bytes),
            Source::Stream(reader) => reader.take(limit).read_to_end(&mut bytes),
        };
        if let Err(error) = read {
            self.unreadable(entry.name, Problem::of(&error));
        } else if is_manifest(entry.name) {
            self.manifest = Some(Manifest::parse(&bytes));
        } else if self.properties.len() + self.poms.len() >= MAX_METADATA {
            self.scan.facts.skip(
                self.path,
                SkipReason::TooMany,
                format!("more than {MAX_METADATA} Maven entries"),
            );
            return Next::Stop;
        } else if is_properties(entry.name) {
            self.properties.extend(properties::parse(&bytes));
        } else if let Ok(pom) = pom::parse(&bytes) {
            self.poms.push(pom::Pom { dependencies: Vec::new(), ..pom });
        }
        Next::Continue
    }

    fn unreadable(&mut self, name: &str, problem: Problem) {
        self.scan.facts.skip(&format!("{}!/{name}", self.path), problem.reason, problem.detail);
    }
}

fn is_manifest(name: &str) -> bool {
    name.trim_start_matches('/') == "META-INF/MANIFEST.MF"
}

fn is_properties(name: &str) -> bool {
    name == "pom.properties" || name.ends_with("/pom.properties")
}

fn is_pom(name: &str) -> bool {
    name.ends_with("/pom.xml") && name.contains("META-INF/maven/")
}

/// The packages of one archive: its own first (marked), then those that were shaded into it. With each goes the
/// classifier of its file name.
fn identify(
    file_name: &str,
    manifest: Option<&Manifest>,
    mut stated: Vec<Coordinates>,
    poms: &[pom::Pom],
) -> Vec<(Coordinates, String, bool)> {
    let file = FileName::parse(file_name);
    for pom in poms {
        let whole = [&pom.group, &pom.artifact, &pom.version].iter().all(|part| !part.is_empty());
        let known = stated.iter().any(|known| known.group == pom.group && known.artifact == pom.artifact);
        if whole && !known {
            stated.push(Coordinates {
                group: pom.group.clone(),
                artifact: pom.artifact.clone(),
                version: pom.version.clone(),
            });
        }
    }
    stated.sort_by(|a, b| (&a.group, &a.artifact, &a.version).cmp(&(&b.group, &b.artifact, &b.version)));
    stated.dedup();
    let told = coordinates::of_archive(manifest, &file);
    let mut own = own_metadata(&stated, &file, told.as_ref()).map(|index| stated.remove(index));
    if own.is_none() {
        own = told
            // Beside Maven metadata, a name without a version adds nothing.
            .filter(|own| stated.is_empty() || !own.version.is_empty())
            .filter(|own| !stated.iter().any(|s| s.artifact == own.artifact && s.version == own.version));
    }
    let own = own.into_iter().map(|own| (own, file.classifier.clone(), true));
    own.chain(stated.into_iter().map(|shaded| (shaded, String::new(), false))).collect()
}

/// Which of the metadata describes the archive itself: the one that its file name names, or the only one, unless the
/// manifest tells of another version (a single library shaded into a jar that has no metadata of its own).
fn own_metadata(stated: &[Coordinates], file: &FileName, told: Option<&Coordinates>) -> Option<usize> {
    let rank = |artifact: &str| {
        let begins = |longer: &str, shorter: &str| {
            longer.strip_prefix(shorter).is_some_and(|rest| rest.starts_with(['-', '_', '.']))
        };
        let name = file.name.as_str();
        if artifact == name {
            Some(0)
        } else if begins(name, artifact) || begins(artifact, name) {
            Some(1)
        } else if name.ends_with(artifact) || artifact.ends_with(name) {
            Some(2)
        } else {
            None
        }
    };
    let named = stated
        .iter()
        .enumerate()
        .filter(|(_, s)| !s.artifact.is_empty() && !file.name.is_empty())
        .filter_map(|(index, s)| {
            Some((rank(&s.artifact)?, s.version != file.version, usize::MAX - s.artifact.len(), index))
        })
        .min()
        .map(|(_, _, _, index)| index);
    named.or_else(|| {
        let [only] = stated else { return None };
        let another = told.is_some_and(|told| !told.version.is_empty() && told.version != only.version);
        (!another).then_some(0)
    })
}

fn package(coordinates: &Coordinates) -> Package {
    let Coordinates { group, artifact, version } = coordinates;
    Package::new(Ecosystem::Maven, format!("{group}:{artifact}"), version.as_str())
}

fn wish_for(package: &Package) -> Dependency {
    let version = Some(package.version.clone()).filter(|version| !version.is_empty());
    Dependency { name: package.name.clone(), version }
}

/// As the archive's own project file states them, else its manifest.
fn licenses(coordinates: &Coordinates, poms: &[pom::Pom], manifest: Option<&Manifest>) -> Vec<String> {
    let pom = poms.iter().find(|pom| pom.artifact == coordinates.artifact && pom.group == coordinates.group);
    if let Some(pom) = pom.filter(|pom| !pom.licenses.is_empty()) {
        return license::normalise_all(pom.licenses.iter().map(String::as_str));
    }
    let stated = ["Bundle-License", "Plugin-License-Name"].into_iter().find_map(|name| manifest?.get(name));
    license::normalise_all(stated.map(|text| text.split(';').next().unwrap_or_default().trim_matches('"')))
}

fn sha1_of(bytes: &[u8]) -> Option<Digest> {
    Digest::from_bytes(Algorithm::Sha1, &Sha1::digest(bytes))
}

/// A reader that hashes what passes.
struct Hashing<R> {
    reader: R,
    hash: Sha1,
    failed: bool,
}

impl<R: Read> Hashing<R> {
    fn new(reader: R) -> Self {
        Self { reader, hash: Sha1::new(), failed: false }
    }

    /// Reads on to the end; `None` when that fails.
    fn finish(&mut self) -> Option<Digest> {
        let ended = std::io::copy(self, &mut std::io::sink()).is_ok();
        let hash = std::mem::take(&mut self.hash).finalize();
        Digest::from_bytes(Algorithm::Sha1, &hash).filter(|_| ended && !self.failed)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(buffer).inspect_err(|_| self.failed = true)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::made::{How, archive};

    fn properties(group: &str, artifact: &str, version: &str) -> (String, Vec<u8>) {
        let text = format!(
            "#Created by Apache Maven 3.8.7\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"
        );
        (format!("META-INF/maven/{group}/{artifact}/pom.properties"), text.into_bytes())
    }

    fn read(path: &str, bytes: &[u8], size: u64) -> Facts {
        let mut facts = Facts::default();
        let mut reader = bytes;
        catalogue(EvidenceFile { path, mode: 0o644, size }, &mut reader, &mut facts);
        facts
    }

    fn summary(facts: &Facts) -> Vec<(String, String, Presence)> {
        let path = |package: &Package| package.locations[0].path.clone();
        facts.packages.iter().map(|p| (format!("{}:{}", p.name, p.version), path(p), p.presence)).collect()
    }

    fn fat_archive() -> Vec<u8> {
        let (name, text) = properties("org.example", "lib", "1.2.3");
        let lib = archive(&[
            ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n", How::Described),
            (&name, &text, How::Described),
        ]);
        let plain = archive(&[
            (
                "META-INF/MANIFEST.MF",
                b"Implementation-Title: spring-core\nImplementation-Version: 5.3.20\n",
                How::Described,
            ),
            ("org/A.class", &[0xca; 5000], How::Described),
        ]);
        let (name, text) = properties("com.acme", "demo", "0.0.1-SNAPSHOT");
        archive(&[
            (
                "META-INF/MANIFEST.MF",
                b"Implementation-Title: demo\nImplementation-Version: 0.0.1-SNAPSHOT\n",
                How::Deflated,
            ),
            (&name, &text, How::Deflated),
            ("BOOT-INF/lib/lib-1.2.3.jar", &lib, How::Stored),
            ("BOOT-INF/lib/spring-core-5.3.20.jar", &plain, How::Described),
        ])
    }

    #[test]
    fn reads_fat_archives_the_same_from_memory_and_as_a_stream() {
        let bytes = fat_archive();
        let expected = [
            ("com.acme:demo:0.0.1-SNAPSHOT", "app.jar", Presence::Installed),
            ("org.example:lib:1.2.3", "app.jar!/BOOT-INF/lib/lib-1.2.3.jar", Presence::Embedded),
            (
                "org.springframework:spring-core:5.3.20",
                "app.jar!/BOOT-INF/lib/spring-core-5.3.20.jar",
                Presence::Embedded,
            ),
        ]
        .map(|(package, path, presence)| (package.to_owned(), path.to_owned(), presence));
        let in_memory = read("app.jar", &bytes, bytes.len() as u64);
        assert_eq!(summary(&in_memory), expected);
        assert!(in_memory.skipped.is_empty(), "{:?}", in_memory.skipped);
        assert_eq!(in_memory.packages[0].dependencies.len(), 2);
        // A size over the memory bound makes it a stream.
        let streamed = read("app.jar", &bytes, MAX_MEMORY + 1);
        assert_eq!(streamed.packages, in_memory.packages);
        assert_eq!(streamed.packages[0].digests, sha1_of(&bytes).into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn shaded_archives_tell_their_own_from_what_is_shaded() {
        let parts = [
            properties("com.acme", "tool", "2.0"),
            properties("org.a", "aa", "1.0"),
            properties("org.b", "bb", "1.1"),
        ];
        let entries: Vec<_> =
            parts.iter().map(|(name, text)| (name.as_str(), text.as_slice(), How::Deflated)).collect();
        let bytes = archive(&entries);
        let facts = read("opt/tool-2.0-all.jar", &bytes, bytes.len() as u64);
        let found: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.presence)).collect();
        assert_eq!(
            found,
            [
                ("com.acme:tool", Presence::Installed),
                ("org.a:aa", Presence::Embedded),
                ("org.b:bb", Presence::Embedded)
            ]
        );
    }

    #[test]
    fn a_library_shaded_into_a_jar_without_metadata_is_not_the_jar() {
        let (name, text) = properties("cglib", "cglib", "3.2.5");
        let manifest =
            "Manifest-Version: 1.0\nBundle-SymbolicName: com.google.inject\nBundle-Version: 4.2.3\n";
        let bytes = archive(&[
            ("META-INF/MANIFEST.MF", manifest.as_bytes(), How::Deflated),
            (name.as_str(), text.as_slice(), How::Deflated),
        ]);
        let facts = read("usr/share/java/guice.jar", &bytes, bytes.len() as u64);
        let found: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(found, [("com.google.inject:guice", "4.2.3"), ("cglib:cglib", "3.2.5")]);
    }

    #[test]
    fn nesting_is_bounded() {
        let mut bytes = archive(&[("META-INF/MANIFEST.MF", b"Implementation-Version: 1\n", How::Stored)]);
        for _ in 0..20 {
            bytes = archive(&[("in-1.0.jar", &bytes, How::Deflated)]);
        }
        let facts = read("a-1.0.jar", &bytes, bytes.len() as u64);
        assert_eq!(facts.skipped[0].reason, SkipReason::TooDeep);
    }

    #[test]
    fn what_is_no_zip_is_said_of_libraries_only() {
        assert_eq!(read("a.jar", b"<html>not found</html>", 22).skipped[0].reason, SkipReason::Malformed);
        assert!(read("a.rar", b"Rar!\x1a\x07", 6).skipped.is_empty());
        assert!(read("a.jar", b"", 0).skipped.is_empty());
    }
}
