//! What the tests with real tools share.

#![allow(dead_code, clippy::print_stdout)]

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output};

use yagura_formats::catalogue::Ownership;
use yagura_formats::layer::{EntryHeader, EntryKind, LayerFacts, LayerScanner, ScanOptions};
use yagura_model::Package;

/// Whether all the tools are installed. A test without them reports itself as skipped, and fails where `CI` is set.
pub fn have(test: &str, tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = |tool: &&&str| {
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .any(|directory| directory.join(tool).is_file())
    };
    let missing: Vec<_> = tools.iter().filter(|tool| !installed(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{test}: {missing:?} not installed, and CI is set");
    println!("SKIPPED {test}: {missing:?} not installed");
    false
}

/// Runs a command to its end and demands success.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The lines a command prints, sorted.
pub fn lines(command: &mut Command) -> Vec<String> {
    let output = run(command);
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What all cataloguers say of a directory tree.
pub fn scan(root: &Path) -> LayerFacts {
    let options = ScanOptions::default();
    let mut scanner = LayerScanner::new(&options);
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                directories.push(path);
            } else if metadata.is_file() {
                let mut content = std::fs::File::open(&path).unwrap();
                let relative = path.strip_prefix(root).unwrap();
                let header = EntryHeader {
                    path: relative.as_os_str().as_bytes(),
                    kind: EntryKind::File,
                    size: metadata.len(),
                    mode: 0o644,
                    capability: &[],
                };
                scanner.entry(header, &mut content);
            }
        }
    }
    scanner.finish()
}

/// The packages that one cataloguer found.
pub fn packages<'a>(facts: &'a LayerFacts, cataloguer: &str) -> impl Iterator<Item = &'a Package> {
    facts.evidence.iter().filter(move |e| e.cataloguer == cataloguer).flat_map(|e| &e.facts.packages)
}

/// The file lists that one cataloguer found.
pub fn ownership<'a>(facts: &'a LayerFacts, cataloguer: &str) -> impl Iterator<Item = &'a Ownership> {
    facts.evidence.iter().filter(move |e| e.cataloguer == cataloguer).flat_map(|e| &e.facts.ownership)
}
