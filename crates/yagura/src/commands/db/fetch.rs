//! Feeds from the network into the cache, with what is already there brought up to date.

use std::path::PathBuf;

use anyhow::{Result, bail};
use yagura_collect::feeds::{FeedDirectory, FeedReport, FeedSources};
use yagura_collect::http::{HttpClient, HttpSettings};

use crate::arguments::{Everywhere, Feeds};
use crate::feeds::LocalFeeds;
use crate::progress::Progress;
use crate::scan;

/// Feeds on this machine, and what became of each in this run.
pub struct Fetched {
    pub feeds: LocalFeeds,
    pub reports: Vec<FeedReport>,
    /// Where compiled state may be kept between runs.
    pub states: PathBuf,
}

pub fn fetch(
    sources: &FeedSources,
    arguments: &Feeds,
    everywhere: &Everywhere,
    progress: &Progress,
) -> Result<Fetched> {
    if everywhere.offline {
        bail!(
            "feeds are to be fetched, and --offline forbids the network; name directories and files instead"
        );
    }
    let cache = scan::cache(everywhere)?;
    let directory = FeedDirectory::open(&cache.root().join("db").join("feeds"))?;
    let http = HttpClient::new(HttpSettings {
        ca_files: arguments.ca_cert.clone(),
        insecure: arguments.insecure,
        ..HttpSettings::default()
    });
    progress.stage("fetching feeds");
    let reports = directory.update(&http, sources, progress)?;
    let mut feeds = LocalFeeds::default();
    let osv = directory.root().join("osv");
    if osv.is_dir() {
        feeds.osv.push(osv);
    }
    for report in reports.iter().filter(|report| report.path.exists()) {
        match report.name.as_str() {
            "kev" => feeds.kev = Some(report.path.clone()),
            "epss" => feeds.epss = Some(report.path.clone()),
            _ => {}
        }
    }
    Ok(Fetched { feeds, reports, states: directory.root().join("states") })
}
