//! Those who look into files beside the cataloguers: for secrets, malware, texts of licences. This module must not know
//! what any of them looks for.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yagura_model::{SkipReason, Skipped};

use super::ScanOptions;
use super::consumer::{FileConsumer, HEAD_BYTES, Observed, PassingFile};

/// Looks into the files of every layer and tree in the same pass that inflates them. What it observes is kept with the
/// layer's facts, cached with them, and comes out in [`yagura_model::Inventory::observations`].
pub trait Analyser: Send + Sync + fmt::Debug {
    /// As observations name it, such as `secrets`.
    fn name(&self) -> &'static str;

    /// Everything that decides what it observes (a digest of its rules, its settings), so that what was cached under
    /// other rules is not used again. The build of the program is known besides.
    fn version(&self) -> String;

    /// A consumer for one layer, or for one thread's share of a tree.
    fn begin(&self) -> Box<dyn FileConsumer + '_>;
}

/// An analyser at work. None may panic; should one do so all the same, it costs the file at hand and not the scan.
pub(super) struct Working<'o> {
    analyser: &'o dyn Analyser,
    consumer: Box<dyn FileConsumer + 'o>,
    failed: bool,
}

impl<'o> Working<'o> {
    pub(super) fn begin(analyser: &'o dyn Analyser) -> Self {
        Self { analyser, consumer: analyser.begin(), failed: false }
    }

    fn guarded<T: Default>(&mut self, work: impl FnOnce(&mut dyn FileConsumer) -> T) -> T {
        if self.failed {
            return T::default();
        }
        let consumer = &mut *self.consumer;
        catch_unwind(AssertUnwindSafe(|| work(consumer))).unwrap_or_else(|_| {
            self.failed = true;
            T::default()
        })
    }
}

impl FileConsumer for Working<'_> {
    fn wants(&mut self, file: &PassingFile<'_>) -> bool {
        // One that fails on this very question is told of it at the file's end.
        self.guarded(|consumer| consumer.wants(file)) || self.failed
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.guarded(|consumer| consumer.bytes(bytes));
    }

    fn end(&mut self, whole: bool) -> Observed {
        let mut observed = self.guarded(|consumer| consumer.end(whole));
        if self.failed {
            let detail = format!("{} failed on it, which is a defect of ours", self.analyser.name());
            observed.skipped.push(Skipped::new("", SkipReason::Malformed, detail));
            *self = Self::begin(self.analyser);
        }
        for observation in &mut observed.observations {
            self.analyser.name().clone_into(&mut observation.analyser);
        }
        observed
    }
}

/// Analysers at work on files that come neither out of a layer nor out of a tree: the versions of a history.
pub struct Analysers<'o>(Vec<Working<'o>>);

impl<'o> Analysers<'o> {
    /// Those of these options.
    pub fn begin(options: &'o ScanOptions) -> Self {
        Self(options.analysers.iter().map(|analyser| Working::begin(&**analyser)).collect())
    }

    /// Shows them a file that is at hand as a whole.
    pub fn look(&mut self, path: &str, mode: u32, content: &[u8]) -> Observed {
        let head = content.get(..content.len().min(HEAD_BYTES)).unwrap_or_default();
        let file = PassingFile { path, mode, size: content.len() as u64, capability: &[], head };
        let mut observed = Observed::default();
        for analyser in &mut self.0 {
            if analyser.wants(&file) {
                analyser.bytes(content);
                observed.append(analyser.end(true));
            }
        }
        for observation in &mut observed.observations {
            if observation.location.path.is_empty() {
                path.clone_into(&mut observation.location.path);
            }
        }
        for skipped in &mut observed.skipped {
            if skipped.path.is_empty() {
                path.clone_into(&mut skipped.path);
            }
        }
        observed
    }
}
