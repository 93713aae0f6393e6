//! Holds the workspace against ARCHITECTURE.md: which crate may use which, and why each outside crate is there.
//!
//! Both are Markdown tables between `<!-- name -->` and `<!-- /name -->`, first column the crate, second what it
//! uses (or why it is used).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `null` for normal dependencies, else `dev` or `build`.
    kind: Option<String>,
    /// Set for the workspace's own crates.
    path: Option<String>,
}

pub fn run(_arguments: &[String]) -> Result<()> {
    let problems = problems(&root())?;
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    println!("ARCHITECTURE.md agrees with the workspace");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

fn problems(root: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("reading ARCHITECTURE.md")?;
    let metadata = metadata(root)?;
    let mut problems = edge_problems(&table(&text, "crates")?, &metadata);
    problems.extend(outside_problems(&table(&text, "dependencies")?, &metadata));
    Ok(problems)
}

fn metadata(root: &Path) -> Result<Metadata> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("reading cargo metadata")
}

/// Rows of a marked table: first cell (backquotes removed) → second cell. A name may stand in one row only.
fn table(text: &str, name: &str) -> Result<BTreeMap<String, String>> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let body = text
        .split_once(&open)
        .and_then(|(_, rest)| rest.split_once(&close))
        .with_context(|| format!("ARCHITECTURE.md has no table between {open} and {close}"))?
        .0;
    let rows = body.lines().filter_map(|line| {
        let mut cells = line.trim().strip_prefix('|')?.split('|').map(|cell| cell.trim().replace('`', ""));
        Some((cells.next()?, cells.next()?))
    });
    let mut table = BTreeMap::new();
    for (row, cell) in rows.skip(2) {
        if table.insert(row.clone(), cell).is_some() {
            bail!("ARCHITECTURE.md: {row} has two rows in the table {name}");
        }
    }
    Ok(table)
}

fn edge_problems(table: &BTreeMap<String, String>, metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let uses: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|d| d.path.is_some() && d.kind.is_none())
            .map(|d| d.name.as_str())
            .collect();
        let Some(row) = table.get(&package.name) else {
            problems.push(format!("crate {} has no row in the crate table", package.name));
            continue;
        };
        let allowed: BTreeSet<&str> =
            row.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "—").collect();
        if uses != allowed {
            problems.push(format!("{} uses {uses:?}, the table says {allowed:?}", package.name));
        }
    }
    for name in table.keys().filter(|name| !metadata.packages.iter().any(|p| p.name == **name)) {
        problems.push(format!("the crate table names {name}, which is not in the workspace"));
    }
    problems
}

fn outside_problems(table: &BTreeMap<String, String>, metadata: &Metadata) -> Vec<String> {
    let used: BTreeSet<&str> = metadata
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .filter(|d| d.path.is_none())
        .map(|d| d.name.as_str())
        .collect();
    let missing = used.iter().filter(|name| table.get(**name).is_none_or(|why| why.is_empty()));
    let mut problems: Vec<String> =
        missing.map(|name| format!("{name} has no reason in the dependency table")).collect();
    let unused = table.keys().filter(|name| !used.contains(name.as_str()));
    problems.extend(unused.map(|name| format!("the dependency table names {name}, which nothing uses")));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_document_tells_the_truth() {
        let problems = problems(&root()).unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn a_name_with_two_rows_is_refused() {
        let rows = |second| {
            format!("<!-- t -->\n| crate | why |\n|---|---|\n| `a` | x |\n| `{second}` | y |\n<!-- /t -->")
        };
        assert_eq!(table(&rows("b"), "t").unwrap().len(), 2);
        assert!(table(&rows("a"), "t").is_err());
    }

    #[test]
    fn an_edge_the_table_does_not_allow_is_a_problem() {
        let table = BTreeMap::from([("a".to_owned(), "—".to_owned())]);
        let dependency = Dependency { name: "b".into(), kind: None, path: Some("b".into()) };
        let metadata =
            Metadata { packages: vec![Package { name: "a".into(), dependencies: vec![dependency] }] };
        assert_eq!(edge_problems(&table, &metadata).len(), 1);
    }
}
