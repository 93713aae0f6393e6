//! Directories, single files and hosts: files as they lie, read by several threads.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use yagura_collect::walk::{self, Pattern, WalkOptions};
use yagura_formats::layer::{self, EntryHeader, LayerScanner};
use yagura_model::Inventory;

use super::Reader;

/// Everything below a directory.
pub fn directory(reader: &mut Reader<'_>, name: &str, path: &Path) -> Result<Inventory> {
    tree(reader, name, path, WalkOptions::default())
}

/// A machine: everything below its root but what belongs to others.
pub fn host(reader: &mut Reader<'_>, name: &str, root: &Path) -> Result<Inventory> {
    tree(reader, name, root, WalkOptions::for_host())
}

/// One file by itself.
pub fn file(reader: &Reader<'_>, path: &Path) -> Result<Inventory> {
    let mut content = File::open(path).with_context(|| path.display().to_string())?;
    let size = content.metadata().with_context(|| path.display().to_string())?.len();
    let name = path.file_name().unwrap_or(path.as_os_str());
    let mut scanner = LayerScanner::new(&reader.options);
    scanner.entry(EntryHeader::file(name.as_encoded_bytes(), size), &mut content);
    Ok(layer::merge(&[scanner.finish()], None))
}

fn tree(reader: &mut Reader<'_>, name: &str, root: &Path, mut options: WalkOptions) -> Result<Inventory> {
    options.exclude.extend(reader.access.exclude.iter().map(|glob| Pattern::new(glob)));
    options.threads = reader.jobs();
    reader.progress.stage(format!("reading {}", root.display()));
    let facts = walk::scan_tree(root, &options, &reader.options)?;
    let facts = [facts];
    reader.remember_owners(name, &facts);
    Ok(layer::merge(&facts, None))
}
