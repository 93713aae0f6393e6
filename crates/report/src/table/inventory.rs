//! `yagura sbom -o table`: what is there, one line a package.

use std::io;

use anstyle::Style;
use yagura_model::package::{Presence, Scope};
use yagura_model::report::Target;

use super::Page;
use crate::messages::grouped;
use crate::terminal::{escape, fit, fit_path, pad, width};

/// Lines shown before the rest is only counted; an inventory is meant to be read whole, so this is a bound on
/// accidents.
const MAX_LINES: usize = 5000;
const MAX_NAME: usize = 44;
const MAX_VERSION: usize = 32;
/// Columns the location gets at least, even on a narrow terminal.
const MIN_LOCATION: usize = 16;

pub fn write(page: &mut Page<'_>) -> io::Result<()> {
    let targets = &page.report.targets;
    if targets.is_empty() {
        let text = page.words.text("table.no-targets");
        return page.line(text);
    }
    for (index, target) in targets.iter().enumerate() {
        if index > 0 {
            page.line("")?;
        }
        page.target(target)?;
        page.line("")?;
        packages(page, target)?;
    }
    Ok(())
}

fn packages(page: &mut Page<'_>, target: &Target) -> io::Result<()> {
    let packages = &target.inventory.packages;
    let shown = if page.options.all { packages.len() } else { packages.len().min(MAX_LINES) };
    let headings =
        ["table.name", "table.version", "table.type", "table.location"].map(|k| page.words.text(k));
    let mut columns = headings.map(width);
    let rows: Vec<[String; 4]> = packages
        .iter()
        .take(shown)
        .map(|package| {
            let path = package.locations.first().map_or("", |location| location.path.as_str());
            let mut kind = package.ecosystem.purl_type().to_owned();
            match package.presence {
                Presence::Declared => kind = format!("{kind} ({})", page.words.text("table.declared")),
                Presence::Installed | Presence::Embedded => {}
            }
            match package.scope {
                Scope::Runtime => {}
                Scope::Optional | Scope::Development | Scope::Test | Scope::Build => {
                    kind = format!("{kind} ({})", page.words.text("table.not-runtime"));
                }
            }
            [
                fit(&escape(&package.name), MAX_NAME).into_owned(),
                fit(&escape(&package.version), MAX_VERSION).into_owned(),
                kind,
                escape(path).into_owned(),
            ]
        })
        .collect();
    for row in &rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    let before = columns.iter().take(3).sum::<usize>() + 6;
    let location = match page.options.width {
        0 => 0,
        terminal => terminal.saturating_sub(before).max(MIN_LOCATION),
    };
    let heading = line(&headings.map(str::to_owned), &columns, location);
    let heading = page.styled(Style::new().bold(), heading.trim_end());
    page.line(&heading)?;
    for row in &rows {
        let text = line(row, &columns, location);
        page.line(&text)?;
    }
    if packages.len() > shown {
        let more = grouped((packages.len() - shown) as u64);
        let text = page.words.fill("table.more-rows", &[("n", &more)]);
        page.line(&format!("… {text}"))?;
    }
    Ok(())
}

fn line(cells: &[String; 4], columns: &[usize; 4], location: usize) -> String {
    let [name, version, kind, path] = cells;
    format!(
        "{}  {}  {}  {}",
        pad(name, columns[0]),
        pad(version, columns[1]),
        pad(kind, columns[2]),
        fit_path(path, location)
    )
}
