//! What else lies in a directory that holds a stack: SBOMs and OCI layouts of the images its workloads run.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use yagura_collect::walk::{self, Entry, EntryKind, Pattern, Visitor, WalkOptions};

use super::files::PASSED_OVER;

/// Bytes read of a JSON file to see whether it is an SBOM.
const HEAD: u64 = 4096;
/// Most parts of one directory; a stack has one an image.
const MAX_PARTS: usize = 10_000;

/// The parts as targets (`oci-dir:…`, `sbom:…`), sorted; none where the directory holds no workload.
pub fn of(path: &Path) -> Result<Vec<String>> {
    let mut options = WalkOptions::default();
    options.exclude.extend(PASSED_OVER.iter().map(|pattern| Pattern::new(pattern)));
    let walked = walk::walk(path, &options, Finder::default)?;
    let is_stack = walked.outcomes.iter().any(|found| found.is_stack);
    if !is_stack {
        return Ok(Vec::new());
    }
    let root = path.display().to_string();
    let root = root.trim_end_matches('/');
    let mut parts: Vec<String> = walked
        .outcomes
        .into_iter()
        .flat_map(|found| found.parts)
        .map(|(scheme, below)| match below.as_str() {
            "" => format!("{scheme}:{root}"),
            below => format!("{scheme}:{root}/{below}"),
        })
        .collect();
    parts.sort();
    parts.truncate(MAX_PARTS);
    Ok(parts)
}

#[derive(Default)]
struct Finder {
    is_stack: bool,
    parts: Vec<(&'static str, String)>,
}

impl Visitor for Finder {
    type Outcome = Self;

    fn visit(&mut self, entry: &Entry<'_>) {
        if entry.kind != EntryKind::File {
            return;
        }
        let path = String::from_utf8_lossy(entry.path);
        let name = path.rsplit('/').next().unwrap_or_default();
        if name == "oci-layout" {
            let directory = path.strip_suffix("oci-layout").unwrap_or_default().trim_end_matches('/');
            self.parts.push(("oci-dir", directory.to_owned()));
        }
        if name.ends_with(".tf") || name.ends_with(".tofu") {
            self.is_stack = true;
        }
        let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if !yaml && !name.ends_with(".json") {
            return;
        }
        let mut head = Vec::new();
        let read = entry.open().and_then(|file| file.take(HEAD).read_to_end(&mut head));
        if read.is_err() {
            return;
        }
        let head = String::from_utf8_lossy(&head);
        let holds = |word: &str| head.contains(word);
        if holds("apiVersion") && holds("kind") {
            self.is_stack = true;
        }
        if !yaml && (holds("\"bomFormat\"") || holds("\"spdxVersion\"") || holds("\"artifactRelationships\""))
        {
            self.parts.push(("sbom", path.into_owned()));
        }
    }

    fn finish(self) -> Self {
        self
    }
}
