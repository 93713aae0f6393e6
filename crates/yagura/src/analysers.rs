//! Who looks into files during a scan, by the kinds of findings that were asked for.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use yagura_collect::clamav::ClamAv;
use yagura_detect::malware::hashes::HashLists;
use yagura_formats::layer::Analyser;
use yagura_malware::Source;
use yagura_model::{FindingKind, Skipped};

use crate::arguments::Malware;

/// Largest file of rules, in bytes; hash lists may be larger.
const MAX_RULES_BYTES: u64 = 64 << 20;
const MAX_LIST_BYTES: u64 = 2 << 30;
/// Directories in a directory of rules that are searched.
const MAX_DEPTH: usize = 16;

/// The analysers of a scan, and what its report must say of them.
#[derive(Debug, Default)]
pub struct Wanted {
    pub analysers: Vec<Arc<dyn Analyser>>,
    /// Rules that cannot be used.
    pub skipped: Vec<Skipped>,
    pub notices: Vec<String>,
}

/// The analysers that findings of these kinds need; of every kind when none is named.
pub fn wanted(only: &[FindingKind], malware: &Malware, jobs: usize) -> Result<Wanted> {
    let asked = |kind: FindingKind| only.is_empty() || only.contains(&kind);
    let mut wanted = Wanted::default();
    if asked(FindingKind::Malware) {
        wanted.malware(malware, jobs)?;
    }
    Ok(wanted)
}

impl Wanted {
    fn malware(&mut self, malware: &Malware, jobs: usize) -> Result<()> {
        if yagura_malware::ENGINE {
            let mut sources = yagura_malware::built_in();
            for path in &malware.yara {
                read_rules(path, &mut sources).with_context(|| format!("--yara {}", path.display()))?;
            }
            let compiled = yagura_malware::compile(&sources)?;
            self.analysers.push(compiled.analyser);
            self.skipped.extend(compiled.skipped);
        } else if malware.yara.is_empty() {
            self.notices.push(
                "malware rules did not run: this build has no YARA engine (`--features yara` at build time)"
                    .to_owned(),
            );
        } else {
            bail!(yagura_malware::Error::LeftOut);
        }
        let mut lists = HashLists::default();
        for path in &malware.malware_hashes {
            let text =
                read(path, MAX_LIST_BYTES).with_context(|| format!("--malware-hashes {}", path.display()))?;
            lists.add(&path.display().to_string(), &text)?;
        }
        if !lists.is_empty() {
            self.analysers.push(Arc::new(lists));
        }
        if let Some(address) = &malware.clamav {
            self.analysers.push(Arc::new(ClamAv::connect(address, jobs)?));
        }
        Ok(())
    }
}

/// A file of rules, or every `.yar` and `.yara` below a directory.
fn read_rules(path: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let mut files = Vec::new();
    if path.is_dir() {
        list(path, MAX_DEPTH, &mut files)?;
        files.sort();
        if files.is_empty() {
            bail!("no file in it ends with .yar or .yara");
        }
    } else {
        files.push(path.to_owned());
    }
    for file in files {
        let text = read(&file, MAX_RULES_BYTES).with_context(|| file.display().to_string())?;
        sources.push(Source { name: file.display().to_string(), text });
    }
    Ok(())
}

fn list(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            if depth > 0 {
                list(&path, depth - 1, files)?;
            }
        } else if path.extension().is_some_and(|end| end == "yar" || end == "yara") {
            files.push(path);
        }
    }
    Ok(())
}

/// A text that the user named; bytes that are not UTF-8 become U+FFFD.
fn read(path: &Path, limit: u64) -> Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        bail!("larger than {} MiB", limit >> 20);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
