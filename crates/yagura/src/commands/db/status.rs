//! `yagura db status`: which database judges, how old it is, what is in it and under which terms.

use std::fmt::Write as _;

use anyhow::Result;
use jiff::Zoned;
use jiff::civil::Date;
use yagura_report::terminal::{escape, pad};

use crate::advisories;
use crate::arguments::Everywhere;
use crate::commands::Outcome;
use crate::{output, scan};

pub fn run(everywhere: &Everywhere) -> Result<Outcome> {
    let cache = scan::cache(everywhere)?;
    let advisories = advisories::open(everywhere, cache.root())?;
    let database = &advisories.database;
    let info = database.info();
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{} {}", pad(label, 11), escape(&value));
    };
    line("database", advisories.source.clone());
    line("date", dated(info.newest.map(|day| day.to_string())));
    line("sha256", database.sha256());
    line("size", format!("{} bytes", advisories.bytes));
    line("signed by", database.signer().unwrap_or_else(|| "nobody".to_owned()));
    line(
        "advisories",
        format!("{} about {} flaws in {} ecosystems", info.records, info.flaws, info.ecosystems.len()),
    );
    line("exploited", format!("{} known (KEV)", info.exploited));
    line("EPSS", format!("{} scores", info.predictions));
    line("end of life", format!("{} products", info.products));
    text.push_str("\nsource        records  broken withdrawn git only  newest      terms\n");
    for source in &info.sources {
        let newest = source.newest.map(|day| day.to_string()).unwrap_or_default();
        let _ = writeln!(
            text,
            "{} {:>8} {:>7} {:>9} {:>8}  {newest:10}  {}",
            pad(&escape(&source.name), 12),
            source.records,
            source.broken,
            source.withdrawn,
            source.git_only,
            escape(&source.licence)
        );
    }
    if let Some(notice) = &advisories.notice {
        let _ = writeln!(text, "\nnote: {}", escape(notice));
    }
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// A day with its age.
fn dated(day: Option<String>) -> String {
    let Some(day) = day else { return "unknown".to_owned() };
    let age = day.parse::<Date>().ok().and_then(|date| Zoned::now().date().since(date).ok());
    match age.map(|age| age.get_days()) {
        Some(days) if days > 0 => format!("{day} ({days} days old)"),
        _ => day,
    }
}
