//! `yagura db search`: packages and flaws by name, purl or id.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use yagura_formats::database::{Database, normalise};
use yagura_model::Purl;
use yagura_report::terminal::escape;

use crate::arguments::Everywhere;
use crate::commands::Outcome;
use crate::{advisories, output, scan};

/// Rows shown of each kind.
const MAX_ROWS: usize = 100;

pub fn run(wanted: &str, everywhere: &Everywhere) -> Result<Outcome> {
    let cache = scan::cache(everywhere)?;
    let advisories = advisories::open(everywhere, cache.root())?;
    let mut rows = packages(wanted, &advisories.database)?;
    rows.extend(flaws(wanted, &advisories.database)?);
    if rows.is_empty() {
        bail!("nothing in the database ({}) is called `{wanted}`", advisories.source);
    }
    let mut text = String::new();
    for row in rows.iter().take(MAX_ROWS) {
        let _ = writeln!(text, "{}", escape(row));
    }
    if let Some(more) = rows.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        let _ = writeln!(text, "… and {more} more");
    }
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Packages whose name is or contains the text; of a purl, those of exactly its name.
fn packages(wanted: &str, database: &Database) -> Result<Vec<String>> {
    let purl: Option<Purl> = wanted.parse().ok();
    let name = purl.as_ref().and_then(Purl::parse).map(|purl| purl.name().to_owned());
    let mut exact = Vec::new();
    let mut others = Vec::new();
    database.each_package(&mut |ecosystem, found, entries| {
        let Some(row) = database.ecosystem_row(ecosystem) else { return };
        let line = || format!("package  {}  {found}  {} advisories", row.name, entries.len());
        let sought = normalise(&row.name, name.as_deref().unwrap_or(wanted));
        let last = found.rsplit(['/', ':']).next().unwrap_or(found);
        if found == sought || name.is_some() && last == sought {
            exact.push(line());
        } else if name.is_none() && found.contains(&*sought) {
            others.push(line());
        }
    })?;
    exact.extend(others);
    Ok(exact)
}

/// Flaws one of whose names begins with the text.
fn flaws(wanted: &str, database: &Database) -> Result<Vec<String>> {
    let wanted = wanted.to_ascii_uppercase();
    let mut rows = Vec::new();
    if wanted.len() < 3 {
        return Ok(rows);
    }
    let begins = |name: &str| name.to_ascii_uppercase().starts_with(&wanted);
    database.each_flaw(&mut |_, flaw| {
        if begins(&flaw.name) || flaw.other_names.iter().any(|name| begins(name)) {
            let exploited = if flaw.exploited.is_some() { "  known exploited" } else { "" };
            rows.push(format!("flaw     {}  {}{exploited}", flaw.name, flaw.other_names.join(", ")));
        }
    })?;
    database.each_record(&mut |_, record| {
        if begins(&record.id) {
            rows.push(format!("advisory {}", record.id));
        }
    })?;
    Ok(rows)
}
