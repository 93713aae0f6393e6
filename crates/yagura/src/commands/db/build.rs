//! `yagura db build`: one database file from feeds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use yagura_collect::feeds::{FeedSources, FeedState};
use yagura_collect::sandbox;
use yagura_formats::database::{Built, SigningKey};
use yagura_report::terminal::escape;

use crate::advisories::key_bytes;
use crate::arguments::{DbBuild, Everywhere, Feeds};
use crate::commands::Outcome;
use crate::feeds::{self, LocalFeeds};
use crate::output;
use crate::progress::Progress;

/// Problems shown one by one.
const MAX_PROBLEMS: usize = 50;

pub fn run(arguments: &DbBuild, everywhere: &Everywhere) -> Result<Outcome> {
    let key = arguments.sign.as_deref().map(signing_key).transpose()?;
    let progress = Progress::new(everywhere.quiet);
    let feeds = local(&arguments.feeds, everywhere, &progress)?;
    confine(&feeds, output::directory_of(&arguments.output), everywhere)?;
    progress.stage("compiling");
    let built = feeds::compile(&feeds, None, key.as_ref())?;
    progress.finish();
    write(&arguments.output, &built.bytes)?;
    if !everywhere.quiet {
        output::print(&summary(&built, &arguments.output))?;
    }
    Ok(Outcome::Fine)
}

/// Feeds are what strangers wrote: once they are here, the process keeps them, the database in use and the place where
/// the new one goes.
pub fn confine(feeds: &LocalFeeds, written: &Path, everywhere: &Everywhere) -> Result<()> {
    let readable = feeds.paths()?;
    let readable: Vec<&Path> = readable.iter().chain(&everywhere.db).map(PathBuf::as_path).collect();
    sandbox::restrict(&readable, &[written]);
    Ok(())
}

/// Feeds named by address are fetched into the cache first; the others are read where they lie.
fn local(feeds: &Feeds, everywhere: &Everywhere, progress: &Progress) -> Result<LocalFeeds> {
    let is_address = |text: &String| text.contains("://");
    let mut local = LocalFeeds {
        osv: feeds.osv.iter().filter(|text| !is_address(text)).map(Into::into).collect(),
        kev: feeds.kev.as_ref().filter(|text| !is_address(text)).map(Into::into),
        epss: feeds.epss.as_ref().filter(|text| !is_address(text)).map(Into::into),
        end_of_life: feeds.eol.clone(),
        csaf: feeds.csaf.clone(),
    };
    let remote = |text: &Option<String>| text.iter().filter(|text| is_address(text)).cloned().collect();
    let sources = FeedSources {
        osv: feeds.osv.iter().filter(|text| is_address(text)).cloned().collect(),
        ecosystems: feeds.ecosystem.clone(),
        kev: remote(&feeds.kev),
        epss: remote(&feeds.epss),
    };
    if !(sources.osv.is_empty() && sources.kev.is_empty() && sources.epss.is_empty()) {
        let fetched = super::fetch::fetch(&sources, feeds, everywhere, progress)?;
        for report in &fetched.reports {
            if let FeedState::Failed(error) = &report.state {
                bail!("{}: {error}", report.name);
            }
        }
        local.osv.extend(fetched.feeds.osv);
        local.kev = local.kev.or(fetched.feeds.kev);
        local.epss = local.epss.or(fetched.feeds.epss);
    }
    Ok(local)
}

/// Replaces a file in one step: whoever reads it sees the old one or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let place = || format!("cannot write {}", path.display());
    let beside = path.with_extension("new");
    fs::write(&beside, bytes).with_context(place)?;
    fs::rename(&beside, path).with_context(place)
}

/// What was compiled and what could not be.
pub fn summary(built: &Built, path: &Path) -> String {
    let mut text = String::new();
    for skipped in built.skipped.iter().take(MAX_PROBLEMS) {
        let _ = writeln!(text, "problem in {}: {}", escape(&skipped.path), escape(&skipped.detail));
    }
    if let Some(more) = built.skipped.len().checked_sub(MAX_PROBLEMS).filter(|more| *more > 0) {
        let _ = writeln!(text, "… and {more} more");
    }
    let info = &built.info;
    let newest = info.newest.map(|day| day.to_string()).unwrap_or_default();
    let _ = writeln!(
        text,
        "{}: {} advisories about {} flaws, newest {newest}, {} bytes",
        path.display(),
        info.records,
        info.flaws,
        built.bytes.len()
    );
    text
}

/// An ed25519 secret key: 32 bytes, raw or in hexadecimal.
fn signing_key(path: &Path) -> Result<SigningKey> {
    let bytes = fs::read(path).with_context(|| format!("--sign {}", path.display()))?;
    let raw = match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(raw) => Some(raw),
        Err(_) => std::str::from_utf8(&bytes).ok().and_then(key_bytes),
    };
    match raw {
        Some(raw) => Ok(SigningKey::from_bytes(&raw)),
        None => bail!("--sign {}: an ed25519 key is 32 bytes, raw or in hexadecimal", path.display()),
    }
}
