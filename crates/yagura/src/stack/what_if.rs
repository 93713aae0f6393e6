//! What would change: a copy of the targets' directories with a patch or other files laid over them, scanned beside
//! the originals.

pub mod patch;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use yagura_collect::walk::{self, Entry, EntryKind, Pattern, Visitor, WalkOptions};
use yagura_model::Report;

use super::files::PASSED_OVER;

/// Largest patch, in bytes.
const MAX_PATCH_BYTES: u64 = 16 << 20;
/// What may be copied, in bytes.
const MAX_COPIED_BYTES: u64 = 4 << 30;

/// The changed copies, removed when this goes away.
pub struct Changed {
    copies: TempDir,
    targets: Vec<String>,
}

impl Changed {
    /// Copies every target that is a directory and changes the copies: by a unified diff, or by the files of a directory
    /// that replace those of the same name and add the others.
    pub fn make(targets: &[String], change: &Path) -> Result<Self> {
        let copies = tempfile::tempdir().context("no room for a copy")?;
        let mut changed = Self { copies, targets: Vec::new() };
        let patch = if change.is_dir() {
            None
        } else {
            let size = fs::metadata(change).with_context(|| change.display().to_string())?.len();
            if size > MAX_PATCH_BYTES {
                bail!(
                    "{}: larger than {} MiB, the bound for a patch",
                    change.display(),
                    MAX_PATCH_BYTES >> 20
                );
            }
            let text = fs::read_to_string(change).with_context(|| change.display().to_string())?;
            Some(patch::read(&text).with_context(|| change.display().to_string())?)
        };
        let mut applied = 0;
        for (at, target) in targets.iter().enumerate() {
            let path = target.strip_prefix("dir:").unwrap_or(target);
            if !Path::new(path).is_dir() {
                changed.targets.push(target.clone());
                continue;
            }
            // The copy keeps its name, so that what is said of places can be read.
            let name = Path::new(path).file_name().map_or_else(|| "stack".into(), PathBuf::from);
            let copy = changed.copies.path().join(at.to_string()).join(name);
            copy_tree(Path::new(path), &copy)?;
            match &patch {
                Some(patch) => applied += patch::apply(patch, &copy, Path::new(path))?,
                None => {
                    copy_tree(change, &copy)?;
                    applied += 1;
                }
            }
            changed.targets.push(format!("dir:{}", copy.display()));
        }
        if applied == 0 {
            bail!("--what-if {}: none of its files is in a directory that is scanned", change.display());
        }
        Ok(changed)
    }

    /// The targets with the copies in the places of the originals.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// Where the copies lie.
    pub fn path(&self) -> &Path {
        self.copies.path()
    }
}

/// Tells each risk's score after the change, and adds the risks that only the change brings.
pub fn tell(report: &mut Report, after: Report) {
    let mut scores: HashMap<String, f64> =
        after.risks.iter().map(|risk| (risk.id.clone(), risk.score)).collect();
    for risk in &mut report.risks {
        risk.after = Some(scores.remove(&risk.id).unwrap_or(0.0));
    }
    for mut risk in after.risks {
        if scores.contains_key(&risk.id) {
            risk.after = Some(risk.score);
            risk.score = 0.0;
            risk.changes.clear();
            report
                .findings
                .extend(after.findings.iter().filter(|one| risk.findings.contains(&one.id)).cloned());
            report.risks.push(risk);
        }
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    let mut options = WalkOptions::default();
    options.exclude.extend(PASSED_OVER.iter().map(|pattern| Pattern::new(pattern)));
    options.threads = 1;
    let walked = walk::walk(from, &options, || Copier { to, left: MAX_COPIED_BYTES, error: None })?;
    match walked.outcomes.into_iter().flatten().next() {
        Some(error) => Err(error).with_context(|| format!("copying {}", from.display())),
        None => Ok(()),
    }
}

struct Copier<'a> {
    to: &'a Path,
    left: u64,
    error: Option<io::Error>,
}

impl Copier<'_> {
    fn copy(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        use std::os::unix::ffi::OsStrExt;
        self.left = self.left.checked_sub(entry.size).ok_or_else(|| {
            io::Error::other(format!("more than {} GiB for a copy", MAX_COPIED_BYTES >> 30))
        })?;
        let to = self.to.join(Path::new(std::ffi::OsStr::from_bytes(entry.path)));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        io::copy(&mut io::Read::take(entry.open()?, entry.size), &mut File::create(to)?)?;
        Ok(())
    }
}

impl Visitor for Copier<'_> {
    type Outcome = Option<io::Error>;

    fn visit(&mut self, entry: &Entry<'_>) {
        if entry.kind == EntryKind::File && self.error.is_none() {
            self.error = self.copy(entry).err();
        }
    }

    fn finish(self) -> Self::Outcome {
        self.error
    }
}
