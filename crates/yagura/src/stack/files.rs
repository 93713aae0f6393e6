//! The files of a stack: found by their names and a word they must hold, read within bounds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use yagura_collect::walk::{self, Entry, EntryKind, Pattern, Visitor, WalkOptions};
use yagura_model::{SkipReason, Skipped};

use super::profiles::is_profile;

/// Largest single file, in bytes: a dump of a large cluster.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// What all files together may hold, in bytes.
const MAX_TOTAL_BYTES: u64 = 2 << 30;
/// Directories that hold others' files.
pub const PASSED_OVER: [&str; 3] = ["**/.git", "**/.terraform", "**/node_modules"];

/// One file that may say something.
pub struct Text {
    /// As people write it: the path given, and what is below it.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Text {
    /// Whether it holds the word that every Kubernetes object has.
    pub fn has_objects(&self) -> bool {
        self.holds(b"apiVersion")
    }

    fn is_of_a_cloud(&self) -> bool {
        let ends = [".tf", ".tofu", ".tfvars", ".tf.json", ".tfvars.json"];
        ends.iter().any(|end| self.name.ends_with(end))
            || self.holds(b"AWS::")
            || self.holds(b"\"Statement\"")
    }

    fn holds(&self, word: &[u8]) -> bool {
        self.bytes.windows(word.len()).any(|there| there == word)
    }
}

#[derive(Default)]
pub struct Found {
    /// In the order of their names.
    pub texts: Vec<Text>,
    pub skipped: Vec<Skipped>,
}

/// The files at or below a path; `-` is standard input.
pub fn below(path: &Path) -> Result<Found> {
    let shown = path.display().to_string();
    if path.as_os_str() == "-" {
        let bytes = bounded(std::io::stdin().lock(), MAX_FILE_BYTES).context("standard input")?;
        return Ok(Found { texts: vec![Text { name: "-".to_owned(), bytes }], skipped: Vec::new() });
    }
    if !path.is_dir() {
        let file = File::open(path).with_context(|| shown.clone())?;
        let bytes = bounded(file, MAX_FILE_BYTES).with_context(|| shown.clone())?;
        return Ok(Found { texts: vec![Text { name: shown, bytes }], skipped: Vec::new() });
    }
    let mut options = WalkOptions::default();
    options.exclude.extend(PASSED_OVER.iter().map(|pattern| Pattern::new(pattern)));
    let walked = walk::walk(path, &options, Reader::default)?;
    let mut found = Found { texts: Vec::new(), skipped: walked.skipped };
    for outcome in walked.outcomes {
        found.texts.extend(outcome.texts);
        found.skipped.extend(outcome.skipped);
    }
    found.texts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut room = MAX_TOTAL_BYTES;
    for text in &mut found.texts {
        match room.checked_sub(text.bytes.len() as u64) {
            Some(rest) => room = rest,
            None => {
                let detail = format!("the files together hold more than {} MiB", MAX_TOTAL_BYTES >> 20);
                found.skipped.push(Skipped::new(text.name.clone(), SkipReason::TooLarge, detail));
                text.bytes = Vec::new();
            }
        }
        text.name = format!("{}/{}", shown.trim_end_matches('/'), text.name);
    }
    Ok(found)
}

fn bounded(reader: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        bail!("larger than {} MiB", most >> 20);
    }
    Ok(bytes)
}

/// Takes the files whose names end right and that hold a word of Kubernetes or of a cloud.
#[derive(Default)]
struct Reader {
    found: Found,
}

impl Visitor for Reader {
    type Outcome = Found;

    fn visit(&mut self, entry: &Entry<'_>) {
        let ends = [&b".yaml"[..], b".yml", b".json", b".tf", b".tofu", b".tfvars", b".template"];
        if entry.kind != EntryKind::File || !ends.iter().any(|end| entry.path.ends_with(end)) {
            return;
        }
        let name = String::from_utf8_lossy(entry.path).into_owned();
        let read = entry.open().map_err(Into::into).and_then(|file| bounded(file, MAX_FILE_BYTES));
        match read {
            Ok(bytes) => {
                let text = Text { name, bytes };
                if text.has_objects() || text.is_of_a_cloud() || is_profile(&text.bytes) {
                    self.found.texts.push(text);
                }
            }
            Err(error) => {
                self.found.skipped.push(Skipped::new(name, SkipReason::Unreadable, error.to_string()));
            }
        }
    }

    fn finish(self) -> Found {
        self.found
    }
}
