//! A tree through the same scanner that layers go through.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use yagura_formats::archive::{EntryHeader, EntryKind as HeaderKind};
use yagura_formats::layer::{LayerFacts, LayerScanner, ScanOptions};

use super::{Entry, EntryKind, Visitor, WalkOptions, walk};
use crate::error::Result;

/// Scans everything below `root`. What the walk had to pass over joins what the scanner skipped.
pub fn scan_tree(root: &Path, walking: &WalkOptions, scanning: &ScanOptions) -> Result<LayerFacts> {
    let walked = walk(root, walking, || TreeScanner { scanner: LayerScanner::new(scanning) })?;
    let mut facts = LayerFacts::default();
    for found in walked.outcomes {
        facts.absorb(found);
    }
    facts.skipped.extend(walked.skipped);
    Ok(facts)
}

struct TreeScanner<'o> {
    scanner: LayerScanner<'o>,
}

impl Visitor for TreeScanner<'_> {
    type Outcome = LayerFacts;

    fn finish(self) -> LayerFacts {
        self.scanner.finish()
    }

    fn visit(&mut self, entry: &Entry<'_>) {
        let target;
        let kind = match entry.kind {
            EntryKind::File => HeaderKind::File,
            EntryKind::Directory => HeaderKind::Directory,
            EntryKind::Symlink => {
                target = entry.link_target().unwrap_or_default();
                HeaderKind::Symlink(&target)
            }
            EntryKind::Special => HeaderKind::Other,
        };
        let header =
            EntryHeader { path: entry.path, kind, size: entry.size, mode: entry.mode, capability: &[] };
        self.scanner.entry(header, &mut Lazy { entry, file: None });
    }
}

/// Opens its file when it is first read: most files are never looked into.
struct Lazy<'a> {
    entry: &'a Entry<'a>,
    file: Option<File>,
}

impl Read for Lazy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.file.is_none() {
            match self.entry.open() {
                Ok(file) => self.file = Some(file),
                // Gone since it was listed: as if it had never been there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            }
        }
        match &mut self.file {
            Some(file) => file.read(buffer),
            None => Ok(0),
        }
    }
}
