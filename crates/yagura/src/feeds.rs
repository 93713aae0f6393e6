//! From feeds on this machine to a compiled database.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use yagura_formats::advisories::{Advisory, Problem, csaf, end_of_life, kev, osv};
use yagura_formats::database::{Builder, Built, Feed, FeedState, SigningKey};

/// Largest JSON feed read whole: KEV has 2 MiB, the end-of-life dates of all products less than 20.
const MAX_JSON_BYTES: u64 = 256 << 20;

/// Directories in directories that are searched for JSON files.
const MAX_DEPTH: usize = 16;

/// Feeds as files.
#[derive(Clone, Debug, Default)]
pub struct LocalFeeds {
    /// Directories of `<Ecosystem>/all.zip`.
    pub osv: Vec<PathBuf>,
    pub kev: Option<PathBuf>,
    pub epss: Option<PathBuf>,
    pub end_of_life: Option<PathBuf>,
    /// A directory of vendors' CSAF documents.
    pub csaf: Option<PathBuf>,
}

impl LocalFeeds {
    /// Every file and directory that compiling reads; feeds may be links to elsewhere.
    pub fn paths(&self) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for directory in &self.osv {
            let ecosystems = ecosystems(directory)?;
            paths.extend(ecosystems.iter().map(|ecosystem| ecosystem.join("all.zip")));
            paths.extend(ecosystems);
            paths.push(directory.clone());
        }
        if let Some(directory) = &self.csaf {
            paths.extend(json_files(directory)?.into_iter().filter(|path| path.is_symlink()));
            paths.push(directory.clone());
        }
        paths.extend([&self.kev, &self.epss, &self.end_of_life].into_iter().flatten().cloned());
        Ok(paths)
    }
}

/// Compiles all feeds. With `states`, records that have not changed since the last time are taken from there.
pub fn compile(feeds: &LocalFeeds, states: Option<&Path>, key: Option<&SigningKey>) -> Result<Built> {
    let mut builder = Builder::new();
    for directory in &feeds.osv {
        for ecosystem in ecosystems(directory)? {
            add_ecosystem(&mut builder, &ecosystem, states)?;
        }
    }
    if let Some(directory) = &feeds.csaf {
        let feed = Feed { name: name(directory), licence: String::new() };
        let advisories = records(&mut builder, directory, |bytes| Ok(csaf::parse(bytes)?.advisories))?;
        builder.advisories(&feed, advisories);
    }
    if let Some(path) = &feeds.kev {
        match kev::parse(&read_json(path)?) {
            Ok(catalogue) => builder.exploited(&name(path), catalogue),
            Err(problem) => return Err(unusable(path, &problem)),
        }
    }
    if let Some(path) = &feeds.end_of_life {
        match end_of_life::parse(&read_json(path)?) {
            Ok(products) => builder.end_of_life(&name(path), products),
            Err(problem) => return Err(unusable(path, &problem)),
        }
    }
    if let Some(path) = &feeds.epss {
        builder.predictions(&name(path), BufReader::new(open(path)?));
    }
    builder.finish(key).context("compiling the database")
}

/// The directories that hold an `all.zip`, by name.
fn ecosystems(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("--osv {}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.join("all.zip").is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        bail!(
            "--osv {}: no <Ecosystem>/all.zip below it; it must be laid out as OSV's bucket",
            directory.display()
        );
    }
    Ok(found)
}

fn add_ecosystem(builder: &mut Builder, directory: &Path, states: Option<&Path>) -> Result<()> {
    let feed = Feed { name: name(directory), licence: String::new() };
    let zip = BufReader::new(open(&directory.join("all.zip"))?);
    let kept = states.map(|states| states.join(format!("{}.state", feed.name)));
    let known = kept.as_ref().and_then(|path| fs::read(path).ok()).map(|bytes| FeedState::from_bytes(&bytes));
    let state = builder.osv_zip(&feed, zip, &known.unwrap_or_default());
    if let Some(path) = kept {
        fs::write(&path, state.to_bytes()?).with_context(|| path.display().to_string())?;
    }
    let changed = directory.join("changed");
    if changed.is_dir() {
        let advisories = records(builder, &changed, |bytes| Ok(vec![osv::parse(bytes)?.advisory]))?;
        builder.changed(&feed, advisories);
    }
    Ok(())
}

/// Records that lie in files of their own. What cannot be used is noted, and the rest is used.
fn records(
    builder: &mut Builder,
    directory: &Path,
    parse: impl Fn(&[u8]) -> Result<Vec<Advisory>, Problem>,
) -> Result<Vec<(String, Advisory)>> {
    let mut found = Vec::new();
    for path in json_files(directory)? {
        match parse(&read_json(&path)?) {
            Ok(advisories) => found.extend(advisories.into_iter().map(|advisory| (name(&path), advisory))),
            Err(problem) => builder.unusable(&name(&path), problem),
        }
    }
    Ok(found)
}

/// The JSON files below a directory, sorted.
pub fn json_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![(directory.to_owned(), 0)];
    while let Some((directory, depth)) = waiting.pop() {
        for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
            let entry = entry.with_context(|| directory.display().to_string())?;
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && depth < MAX_DEPTH {
                waiting.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

fn read_json(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_JSON_BYTES).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    Ok(bytes)
}

fn unusable(path: &Path, problem: &Problem) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", path.display(), problem.detail)
}
