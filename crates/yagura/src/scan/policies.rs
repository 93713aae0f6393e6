//! Configuration in targets: files found in a walk of their own, because rules want whole files and the inventory wants
//! packages; and the configuration of images.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use yagura_collect::walk::{self, Entry, EntryKind, Pattern, Visitor, WalkOptions};
use yagura_configuration::{SOURCES, image, source, terraform};
use yagura_detect::policies::{Checked, Checker, Crossing, Elsewhere, RuleSet, Settings};
use yagura_formats::document;
use yagura_model::image::Image;
use yagura_model::{SkipReason, Skipped};
use yagura_rego::{Judge, Pack};

use super::Reader;

/// Directories whose files others wrote: dependencies, and the history of a repository.
const PASSED_OVER: [&str; 2] = [".git", "node_modules"];
/// How much of a file that is too large is looked at, to tell whether it would have counted.
const HEAD: u64 = 64 << 10;

/// The rules of a run.
pub struct Policies {
    pub rules: RuleSet,
    /// Policies in Rego.
    pub pack: Option<Pack>,
    /// BCP 47 tag of the language findings are told in.
    pub language: &'static str,
    /// `YYYY-MM-DD`.
    pub today: String,
    /// Files of `--tf-vars`: path and text.
    pub variables: Vec<(String, String)>,
}

impl Policies {
    fn settings<'s>(&'s self, target: &'s str) -> Settings<'s> {
        Settings { rules: &self.rules, target, language: self.language, today: &self.today, propose: false }
    }

    fn judge(&self) -> Option<Judge<'_>> {
        self.pack.as_ref().filter(|pack| !pack.is_empty()).map(Judge::new)
    }

    /// Whether any rule may want a file; asked before it is read.
    fn wants(&self, path: &str) -> bool {
        source::wanted(path) || self.pack.as_ref().is_some_and(|pack| pack.wants(path))
    }

    /// Reads a file that some rule may want.
    fn read(
        &self,
        path: &str,
        size: u64,
        content: &mut dyn Read,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Option<Skipped>> {
        read(path, size, content, bytes).map_err(|problem| {
            let rego = self.pack.as_ref().is_some_and(|pack| pack.wants(path));
            let detail = || format!("larger than {} MiB, so that no policy judged it", bound() >> 20);
            problem.or_else(|| rego.then(|| Skipped::new(path, SkipReason::TooLarge, detail())))
        })
    }

    fn give_variables(&self, checker: &mut Checker<'_>) {
        for (path, text) in &self.variables {
            checker.file(&format!("{}{path}", terraform::ASKED), text);
        }
    }
}

/// Everything below a directory.
pub fn directory(reader: &Reader<'_>, policies: &Policies, name: &str, root: &Path) -> Result<Checked> {
    let settings = policies.settings(name);
    let crossing = Arc::new(policies.rules.crossing());
    let mut options = WalkOptions { threads: reader.jobs(), ..WalkOptions::default() };
    options.exclude.extend(reader.access.exclude.iter().map(|glob| Pattern::new(glob)));
    options.exclude.extend(PASSED_OVER.iter().map(|name| Pattern::new(name)));
    reader.progress.stage(format!("judging the configuration in {}", root.display()));
    let new = || Files {
        policies,
        name,
        checker: Checker::new(&settings, &crossing),
        judge: policies.judge(),
        skipped: Vec::new(),
        buffer: Vec::new(),
    };
    let walked = walk::walk(root, &options, new)?;
    let (checkers, skipped): (Vec<_>, Vec<_>) = walked.outcomes.into_iter().unzip();
    let mut checkers: Vec<Checker<'_>> = checkers;
    if let Some(checker) = checkers.first_mut() {
        policies.give_variables(checker);
    }
    let mut checked = Checker::join(checkers).map(Checker::finish).unwrap_or_default();
    // What the walk itself could not read, the inventory's walk tells of.
    checked.skipped.extend(skipped.into_iter().flatten());
    checked.notices.extend(policies.pack.iter().flat_map(Pack::notices).cloned());
    Ok(checked)
}

/// One file by itself.
pub fn file(policies: &Policies, name: &str, path: &Path) -> Result<Checked> {
    let settings = policies.settings(name);
    let mut checker = Checker::new(&settings, &Arc::new(policies.rules.crossing()));
    policies.give_variables(&mut checker);
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut skipped = Vec::new();
    if policies.wants(&shown) {
        let mut content = File::open(path).with_context(|| path.display().to_string())?;
        let size = content.metadata().with_context(|| path.display().to_string())?.len();
        let mut bytes = Vec::new();
        match policies.read(&shown, size, &mut content, &mut bytes) {
            Ok(()) => judge(&mut checker, policies.judge().as_mut(), name, &shown, &document::decode(&bytes)),
            Err(problem) => skipped.extend(problem),
        }
    }
    let mut checked = checker.finish();
    checked.skipped.extend(skipped);
    checked.notices.extend(policies.pack.iter().flat_map(Pack::notices).cloned());
    Ok(checked)
}

/// One file by all rules.
fn judge(checker: &mut Checker<'_>, rego: Option<&mut Judge<'_>>, target: &str, path: &str, text: &str) {
    checker.file(path, text);
    let Some(rego) = rego else { return };
    let told = source::of(path, text).next().is_some();
    let judged = rego.file(target, path, text, told);
    let mut elsewhere = Elsewhere { skipped: judged.skipped, judged: judged.judged, ..Elsewhere::default() };
    for found in judged.found {
        match found.excuse {
            Some(excuse) => elsewhere.excused.push((found.finding, excuse.source, excuse.reason)),
            None => elsewhere.findings.push((found.finding, found.document_line)),
        }
    }
    let failures = judged.failures.into_iter();
    elsewhere.undecided.extend(failures.map(|failure| (failure.check, failure.line, failure.error)));
    checker.elsewhere(path, text, elsewhere);
}

/// Every file of a directory (or the one file) that some source recognises, by its path.
pub fn configuration_files(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if !root.is_dir() {
        let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        let mut content = File::open(root).with_context(|| root.display().to_string())?;
        let size = content.metadata().with_context(|| root.display().to_string())?.len();
        let mut bytes = Vec::new();
        if read(&name, size, &mut content, &mut bytes).is_ok() {
            files.insert(name, document::decode(&bytes).into_owned());
        }
        return Ok(files);
    }
    let mut options = WalkOptions::default();
    options.exclude.extend(PASSED_OVER.iter().map(|name| Pattern::new(name)));
    let walked = walk::walk(root, &options, || Texts(BTreeMap::new()))?;
    walked.outcomes.into_iter().for_each(|found| files.extend(found));
    Ok(files)
}

/// One thread's share of the texts.
struct Texts(BTreeMap<String, String>);

impl Visitor for Texts {
    type Outcome = BTreeMap<String, String>;

    fn visit(&mut self, entry: &Entry<'_>) {
        let path = String::from_utf8_lossy(entry.path);
        if entry.kind != EntryKind::File || !source::wanted(&path) {
            return;
        }
        let mut bytes = Vec::new();
        let Ok(mut content) = entry.open() else { return };
        if read(&path, entry.size, &mut content, &mut bytes).is_ok() {
            // Only UTF-8 is written back as it was.
            if let Ok(text) = String::from_utf8(bytes)
                && source::of(&path, &text).next().is_some()
            {
                self.0.insert(path.into_owned(), text);
            }
        }
    }

    fn finish(self) -> Self::Outcome {
        self.0
    }
}

/// The configuration of an image.
pub fn image(policies: &Policies, name: &str, of: &Image) -> Checked {
    let settings = policies.settings(name);
    let mut checker = Checker::new(&settings, &Arc::new(Crossing::default()));
    checker.resource(&image::SOURCE, &image::resource(of, name));
    checker.finish()
}

/// Largest file that any source reads.
fn bound() -> u64 {
    SOURCES.iter().map(|source| source.max_bytes).max().unwrap_or(0)
}

/// Reads a file that a source wants; what is too large is a problem only where it would have counted.
fn read(path: &str, size: u64, content: &mut dyn Read, bytes: &mut Vec<u8>) -> Result<(), Option<Skipped>> {
    let bound = bound();
    let limit = if size > bound { HEAD } else { bound + 1 };
    bytes.clear();
    let unreadable =
        |error: std::io::Error| Some(Skipped::new(path, SkipReason::Unreadable, error.to_string()));
    content.take(limit).read_to_end(bytes).map_err(unreadable)?;
    if size > bound || bytes.len() as u64 > bound {
        let text = document::decode(bytes.get(..HEAD as usize).unwrap_or(bytes));
        let counts = source::of(path, &text).next().is_some();
        let detail = format!("larger than {} MiB", bound >> 20);
        return Err(counts.then(|| Skipped::new(path, SkipReason::TooLarge, detail)));
    }
    Ok(())
}

/// One thread's share of a tree.
struct Files<'s> {
    policies: &'s Policies,
    /// The target's name.
    name: &'s str,
    checker: Checker<'s>,
    judge: Option<Judge<'s>>,
    skipped: Vec<Skipped>,
    buffer: Vec<u8>,
}

impl<'s> Visitor for Files<'s> {
    type Outcome = (Checker<'s>, Vec<Skipped>);

    fn visit(&mut self, entry: &Entry<'_>) {
        if entry.kind != EntryKind::File {
            return;
        }
        let path = String::from_utf8_lossy(entry.path);
        if !self.policies.wants(&path) {
            return;
        }
        let problem = match entry.open() {
            Ok(mut content) => match self.policies.read(&path, entry.size, &mut content, &mut self.buffer) {
                Ok(()) => {
                    let text = document::decode(&self.buffer);
                    judge(&mut self.checker, self.judge.as_mut(), self.name, &path, &text);
                    None
                }
                Err(problem) => problem,
            },
            Err(error) => Some(Skipped::new(path, SkipReason::Unreadable, error.to_string())),
        };
        self.skipped.extend(problem);
    }

    fn finish(self) -> Self::Outcome {
        (self.checker, self.skipped)
    }
}
