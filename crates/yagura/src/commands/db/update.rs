//! `yagura db update`: only what changed is fetched, only what changed is compiled anew. A feed that fails leaves the
//! last state of that feed, and an update that fails leaves the last database, in use.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};
use yagura_collect::feeds::{FeedSources, FeedState};
use yagura_report::terminal::escape;

use crate::advisories;
use crate::arguments::{DbUpdate, Everywhere};
use crate::commands::Outcome;
use crate::commands::db::{build, fetch};
use crate::progress::Progress;
use crate::{feeds, output, scan};

pub fn run(arguments: &DbUpdate, everywhere: &Everywhere) -> Result<Outcome> {
    update(arguments, everywhere).with_context(|| format!("no update: {}", in_use(everywhere)))
}

fn update(arguments: &DbUpdate, everywhere: &Everywhere) -> Result<Outcome> {
    let cache = scan::cache(everywhere)?;
    let progress = Progress::new(everywhere.quiet);
    let defaults = FeedSources::default();
    let or = |given: &[String], default: Vec<String>| if given.is_empty() { default } else { given.to_vec() };
    let named = &arguments.feeds;
    let sources = FeedSources {
        osv: or(&named.osv, defaults.osv),
        ecosystems: named.ecosystem.clone(),
        kev: or(named.kev.as_slice(), defaults.kev),
        epss: or(named.epss.as_slice(), defaults.epss),
    };
    let mut fetched = fetch::fetch(&sources, named, everywhere, &progress)?;
    fetched.feeds.end_of_life.clone_from(&named.eol);
    fetched.feeds.csaf.clone_from(&named.csaf);

    let mut text = String::new();
    let mut failed = 0;
    for report in &fetched.reports {
        let state = match &report.state {
            FeedState::Unchanged => "unchanged".to_owned(),
            FeedState::Replaced => "new".to_owned(),
            FeedState::Changed(records) => format!("{} records changed", records.len()),
            FeedState::Failed(error) => {
                failed += 1;
                format!("FAILED, the last state stays in use: {error}")
            }
        };
        let _ = writeln!(text, "{:24} {}", report.name, escape(&state));
    }
    if failed == fetched.reports.len() {
        bail!("no feed could be fetched\n{}", text.trim_end());
    }
    build::confine(&fetched.feeds, cache.root(), everywhere)?;
    progress.stage("compiling");
    fs::create_dir_all(&fetched.states).with_context(|| fetched.states.display().to_string())?;
    let built = feeds::compile(&fetched.feeds, Some(&fetched.states), None)?;
    progress.finish();
    let path = advisories::updated_path(cache.root());
    build::write(&path, &built.bytes)?;
    text.push_str(&build::summary(&built, &path));
    if !everywhere.quiet {
        output::print(&text)?;
    }
    Ok(Outcome::Fine)
}

/// What judges as long as there is no newer database.
fn in_use(everywhere: &Everywhere) -> String {
    let opened = scan::cache(everywhere).and_then(|cache| advisories::open(everywhere, cache.root()));
    match opened {
        Ok(advisories) => {
            let day = advisories.database.info().newest.map(|day| day.to_string()).unwrap_or_default();
            format!("the database of {day} ({}) stays in use", advisories.source)
        }
        Err(error) => format!("and no database can be used: {error:#}"),
    }
}
