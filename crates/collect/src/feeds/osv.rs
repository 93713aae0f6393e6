//! OSV's bucket: which ecosystems there are, and which of their records have changed.
//!
//! Layout (OSV's documentation, "Data dumps"): `ecosystems.txt`; `<Ecosystem>/all.zip`; `<Ecosystem>/modified_id.csv`
//! with lines `modified,id`, the newest first; `<Ecosystem>/<id>.json`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{FeedDirectory, FeedReport, FeedSources, FeedState, below, local_path, state_of};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpClient, Request};
use crate::registry::Progress;
use serde::{Deserialize, Serialize};

const MAX_ZIP: u64 = 8 << 30;
const MAX_RECORD: u64 = 32 << 20;
const MAX_LIST: u64 = 1 << 20;
/// Most ecosystems taken from a list.
const MAX_ECOSYSTEMS: usize = 400;
/// More changed records than this are cheaper as a whole zip.
const MAX_CHANGED: usize = 400;
/// Lines of `modified_id.csv` read at most, and their length.
const MAX_LINE: u64 = 512;
/// Records that were taken out of OSV are in no list of changes: the whole zip is asked for this often.
const WHOLE_EVERY: Duration = Duration::from_secs(7 * 24 * 3600);

/// The ecosystems of the OSV schema ("Defined ecosystems"), for sources that keep no list.
const DEFINED: &[&str] = &[
    "AlmaLinux",
    "Alpaquita",
    "Alpine",
    "Android",
    "BellSoft Hardened Containers",
    "Bioconductor",
    "Bitnami",
    "CRAN",
    "Chainguard",
    "ConanCenter",
    "Debian",
    "Echo",
    "GHC",
    "GitHub Actions",
    "Go",
    "Hackage",
    "Hex",
    "Julia",
    "Linux",
    "Mageia",
    "Maven",
    "MinimOS",
    "NuGet",
    "Packagist",
    "Photon OS",
    "Pub",
    "PyPI",
    "Red Hat",
    "Rocky Linux",
    "RubyGems",
    "SUSE",
    "SwiftURL",
    "Ubuntu",
    "VSCode",
    "Wolfi",
    "crates.io",
    "npm",
    "openEuler",
    "openSUSE",
];

/// The ecosystems to bring, and whether somebody named each of them (so that a missing one is a failure).
pub(super) struct Wanted {
    pub(super) names: Vec<String>,
    pub(super) named: bool,
}

/// How far the records on disk are up to date.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Mark {
    /// The newest `modified` seen.
    modified: String,
    /// The base it was seen at.
    base: String,
}

/// The ecosystems to keep: those asked for, else those the source lists. Names with a release (`Debian:12`) are parts
/// of the one without.
pub(super) fn ecosystems(http: &HttpClient, sources: &FeedSources) -> Result<Wanted> {
    if !sources.ecosystems.is_empty() {
        sources.ecosystems.iter().try_for_each(|name| check_name(name))?;
        return Ok(Wanted { names: sources.ecosystems.clone(), named: true });
    }
    let mut first = None;
    for base in &sources.osv {
        match list(http, base) {
            Ok(names) => return Ok(names),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "there is no OSV source")))
}

fn list(http: &HttpClient, base: &str) -> Result<Wanted> {
    let text = match local_path(base) {
        Some(directory) => match fs::read_to_string(directory.join("ecosystems.txt")) {
            Ok(text) => text,
            Err(_) => return Ok(Wanted { names: directories(&directory)?, named: true }),
        },
        None => {
            let address = below(base, "ecosystems.txt");
            let response = http.send(&Request::get(&address))?;
            match response.status {
                200 => String::from_utf8_lossy(&response.bytes(MAX_LIST)?).into_owned(),
                // A mirror without the list: what the schema defines is tried.
                404 => {
                    let names = DEFINED.iter().map(|name| (*name).to_owned()).collect();
                    return Ok(Wanted { names, named: false });
                }
                status => {
                    return Err(Error::new(
                        ErrorKind::Unreachable,
                        format!("{address} answered with status {status}"),
                    ));
                }
            }
        }
    };
    let mut names: Vec<String> = text
        .lines()
        .map(|line| line.trim().split(':').next().unwrap_or_default().to_owned())
        .filter(|name| check_name(name).is_ok())
        .collect();
    names.sort();
    names.dedup();
    names.truncate(MAX_ECOSYSTEMS);
    Ok(Wanted { names, named: true })
}

/// A directory without a list: what has a zip.
fn directories(base: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(base).map_err(|error| Error::io(base, &error))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("all.zip").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| check_name(name).is_ok())
        .collect();
    names.sort();
    names.truncate(MAX_ECOSYSTEMS);
    Ok(names)
}

/// Names become directories.
fn check_name(name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
    if !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(fits) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidReference, format!("`{name}` is not the name of an ecosystem")))
}

/// Ids become file names.
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 128
        && !id.starts_with('.')
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

impl FeedDirectory {
    pub(super) fn update_ecosystem(
        &self,
        http: &HttpClient,
        sources: &FeedSources,
        ecosystem: &str,
        progress: &dyn Progress,
    ) -> FeedReport {
        let directory = self.root.join("osv").join(ecosystem);
        let path = directory.join("all.zip");
        let mut first = None;
        let mut state = None;
        for base in &sources.osv {
            match self.update_from(http, base, ecosystem, &directory, progress) {
                Ok(done) => {
                    state = Some(done);
                    break;
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        let failed = first.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "there is no OSV source"));
        FeedReport {
            name: format!("osv/{ecosystem}"),
            path,
            state: state.unwrap_or(FeedState::Failed(failed)),
        }
    }

    fn update_from(
        &self,
        http: &HttpClient,
        base: &str,
        ecosystem: &str,
        directory: &Path,
        progress: &dyn Progress,
    ) -> Result<FeedState> {
        let zip = directory.join("all.zip");
        let mark_path = directory.join("mark.json");
        let mark: Mark =
            fs::read(&mark_path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let recent = fs::metadata(&zip)
            .and_then(|found| found.modified())
            .is_ok_and(|time| SystemTime::now().duration_since(time).unwrap_or_default() < WHOLE_EVERY);
        let known = if mark.base == base { mark.modified.as_str() } else { "" };
        let changes = match local_path(base) {
            Some(_) => None,
            None => changes(http, base, ecosystem, known)?,
        };
        if let Some(changes) = &changes
            && recent
            && !known.is_empty()
            && changes.ids.len() <= MAX_CHANGED
        {
            if changes.ids.is_empty() {
                return Ok(FeedState::Unchanged);
            }
            let changed = self.records(http, base, ecosystem, &changes.ids, progress)?;
            write_mark(&mark_path, base, &changes.newest)?;
            return Ok(FeedState::Changed(changed));
        }
        let address = below(base, &format!("{ecosystem}/all.zip"));
        let outcome = self.bring(http, &[address], &zip, MAX_ZIP, progress)?;
        // The zip has them all; the time of the whole download counts also when it was the same.
        let _ = fs::remove_dir_all(directory.join("changed"));
        if let Ok(file) = fs::File::options().append(true).open(&zip) {
            let _ = file.set_modified(SystemTime::now());
        }
        write_mark(&mark_path, base, changes.as_ref().map_or("", |changes| &changes.newest))?;
        Ok(state_of(Ok(outcome)))
    }

    /// Fetches single records into `changed/`.
    fn records(
        &self,
        http: &HttpClient,
        base: &str,
        ecosystem: &str,
        ids: &[String],
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>> {
        let mut changed = Vec::with_capacity(ids.len());
        for id in ids {
            let below_root = Path::new("osv").join(ecosystem).join("changed").join(format!("{id}.json"));
            let address = below(base, &format!("{ecosystem}/{id}.json"));
            match self.bring(http, &[address], &self.root.join(&below_root), MAX_RECORD, progress) {
                Ok(_) => changed.push(below_root),
                // Listed and taken back: the next whole download is without it.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(changed)
    }
}

fn write_mark(path: &Path, base: &str, modified: &str) -> Result<()> {
    let mark = Mark { modified: modified.to_owned(), base: base.to_owned() };
    let text = serde_json::to_vec(&mark).unwrap_or_default();
    fs::write(path, text).map_err(|error| Error::io(path, &error))
}

struct Changes {
    newest: String,
    /// One more than [`MAX_CHANGED`] when there are too many.
    ids: Vec<String>,
}

/// The records modified after `known`; `None` when the source keeps no list. Reading ends at the first record that is
/// known, since the newest come first.
fn changes(http: &HttpClient, base: &str, ecosystem: &str, known: &str) -> Result<Option<Changes>> {
    let address = below(base, &format!("{ecosystem}/modified_id.csv"));
    let response = http.send(&Request::get(&address))?;
    if response.status != 200 {
        return Ok(None);
    }
    let mut reader = BufReader::new(response.into_reader());
    let mut changes = Changes { newest: String::new(), ids: Vec::new() };
    let mut line = Vec::new();
    while changes.ids.len() <= MAX_CHANGED {
        line.clear();
        match reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                return Err(Error::new(ErrorKind::Unreachable, format!("{address} broke off: {error}")));
            }
        }
        let text = String::from_utf8_lossy(&line);
        let Some((modified, id)) = text.trim().split_once(',') else { continue };
        let id = id.strip_prefix(ecosystem).and_then(|id| id.strip_prefix('/')).unwrap_or(id);
        if !is_id(id) || modified.parse::<jiff::Timestamp>().is_err() {
            continue;
        }
        if changes.newest.is_empty() {
            changes.newest = modified.to_owned();
        }
        // Nothing on disk yet: only the newest time is of interest.
        if known.is_empty() || !is_after(modified, known) {
            break;
        }
        changes.ids.push(id.to_owned());
    }
    Ok(Some(changes))
}

/// Whether one RFC 3339 time is later than another; one that cannot be read counts as later.
fn is_after(modified: &str, known: &str) -> bool {
    match (modified.parse::<jiff::Timestamp>(), known.parse::<jiff::Timestamp>()) {
        (Ok(modified), Ok(known)) => modified > known,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_cannot_lead_out_of_the_directory() {
        for name in ["..", "a/b", "", ".hidden", "a\nb"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("Rocky Linux").is_ok() && check_name("crates.io").is_ok());
        for (id, expected) in
            [("GHSA-x-y-z", true), ("RLSA-2024:1", true), ("../etc", false), ("", false), (".a", false)]
        {
            assert_eq!(is_id(id), expected, "{id}");
        }
    }
}
