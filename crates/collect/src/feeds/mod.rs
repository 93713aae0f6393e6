//! Advisory feeds kept on disk and brought up to date: OSV, KEV, EPSS. Nothing here reads an advisory.
//!
//! The directory is laid out as OSV's bucket is, so that the compiler of the database reads it like any other:
//!
//! ```text
//! osv/<Ecosystem>/all.zip            everything, as of the last whole download
//! osv/<Ecosystem>/changed/<ID>.json  records changed since; they replace those of the zip
//! kev/known_exploited_vulnerabilities.json
//! epss/epss_scores-current.csv.gz
//! ```
//!
//! Every file appears by rename, whole. A feed that cannot be fetched leaves what was there in use.

mod download;
mod osv;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpClient;
use crate::registry::Progress;
use download::{Download, Outcome};

/// OSV's public bucket.
pub const OSV_BUCKET: &str = "https://osv-vulnerabilities.storage.googleapis.com";
/// CISA's catalogue of known exploited vulnerabilities.
pub const KEV_ADDRESS: &str =
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
/// The scores of the day of the Exploit Prediction Scoring System.
pub const EPSS_ADDRESS: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

const KEV_FILE: &str = "kev/known_exploited_vulnerabilities.json";
const EPSS_FILE: &str = "epss/epss_scores-current.csv.gz";
const MAX_KEV: u64 = 256 << 20;
const MAX_EPSS: u64 = 512 << 20;

/// Where feeds come from. Each list is tried in its order until one answers: the first is the source, the rest are
/// mirrors. An address is `http(s)://…`, `file://…` or a path. An empty list leaves that feed out.
#[derive(Clone, Debug)]
pub struct FeedSources {
    /// Bases laid out as OSV's bucket.
    pub osv: Vec<String>,
    /// OSV's names of the ecosystems wanted (`Debian`, `crates.io`); all that the source lists where empty.
    pub ecosystems: Vec<String>,
    pub kev: Vec<String>,
    pub epss: Vec<String>,
}

impl Default for FeedSources {
    /// The public sources.
    fn default() -> Self {
        Self {
            osv: vec![OSV_BUCKET.into()],
            ecosystems: Vec::new(),
            kev: vec![KEV_ADDRESS.into()],
            epss: vec![EPSS_ADDRESS.into()],
        }
    }
}

/// What became of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// What is on disk is current.
    Unchanged,
    /// The whole file is new.
    Replaced,
    /// These records changed (paths below the feed directory).
    Changed(Vec<PathBuf>),
    /// It could not be brought up to date; what was there before is still in use.
    Failed(Error),
}

/// One feed after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedReport {
    /// `osv/Debian`, `kev`, `epss`.
    pub name: String,
    /// The whole file, where there is one.
    pub path: PathBuf,
    pub state: FeedState,
}

/// The directory of feeds.
#[derive(Clone, Debug)]
pub struct FeedDirectory {
    root: PathBuf,
}

impl FeedDirectory {
    /// Opens (and makes) the directory.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|error| Error::io(root, &error))?;
        Ok(Self { root: root.to_owned() })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Brings all feeds up to date and says what became of each. An error only when nobody could say which
    /// ecosystems there are.
    pub fn update(
        &self,
        http: &HttpClient,
        sources: &FeedSources,
        progress: &dyn Progress,
    ) -> Result<Vec<FeedReport>> {
        let mut reports = Vec::new();
        if !sources.osv.is_empty() {
            let wanted = osv::ecosystems(http, sources)?;
            for ecosystem in &wanted.names {
                let report = self.update_ecosystem(http, sources, ecosystem, progress);
                let absent =
                    matches!(&report.state, FeedState::Failed(error) if error.kind == ErrorKind::NotFound);
                if wanted.named || !absent || report.path.exists() {
                    reports.push(report);
                }
            }
        }
        for (name, addresses, file, bound) in
            [("kev", &sources.kev, KEV_FILE, MAX_KEV), ("epss", &sources.epss, EPSS_FILE, MAX_EPSS)]
        {
            if !addresses.is_empty() {
                let path = self.root.join(file);
                let state = state_of(self.bring(http, addresses, &path, bound, progress));
                reports.push(FeedReport { name: name.to_owned(), path, state });
            }
        }
        Ok(reports)
    }

    /// Brings one file up to date from the first address that answers.
    fn bring(
        &self,
        http: &HttpClient,
        addresses: &[String],
        path: &Path,
        bound: u64,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let mut first = None;
        for address in addresses {
            match (Download { http, address, path, bound, progress }).run() {
                Ok(outcome) => return Ok(outcome),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "the feed has no address")))
    }
}

fn state_of(outcome: Result<Outcome>) -> FeedState {
    match outcome {
        Ok(Outcome::Unchanged) => FeedState::Unchanged,
        Ok(Outcome::Replaced) => FeedState::Replaced,
        Err(error) => FeedState::Failed(error),
    }
}

/// An address as a path, when it is one.
fn local_path(address: &str) -> Option<PathBuf> {
    match address.strip_prefix("file://") {
        Some(path) => Some(PathBuf::from(path)),
        None if address.starts_with("http://") || address.starts_with("https://") => None,
        None => Some(PathBuf::from(address)),
    }
}

/// An address below a base.
fn below(base: &str, rest: &str) -> String {
    match local_path(base) {
        Some(path) => path.join(rest).display().to_string(),
        None => {
            let encoded: String = rest
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b':' => {
                        char::from(byte).to_string()
                    }
                    other => format!("%{other:02X}"),
                })
                .collect();
            format!("{}/{encoded}", base.trim_end_matches('/'))
        }
    }
}
