//! A list of what was skipped that a hostile layer cannot fill without end.

use std::collections::HashMap;

use yagura_model::{SkipReason, Skipped};

/// How many of one reason are kept by name; the rest is counted.
pub const MAX_NAMED_PER_REASON: u64 = 50;

/// Collects what was skipped; beyond [`MAX_NAMED_PER_REASON`] those of one reason become a single count.
#[derive(Debug, Default)]
pub struct SkipLog {
    named: Vec<Skipped>,
    counts: HashMap<SkipReason, u64>,
}

impl SkipLog {
    pub fn push(&mut self, skipped: Skipped) {
        let count = self.counts.entry(skipped.reason).or_default();
        let before = *count;
        *count = count.saturating_add(skipped.count);
        if before < MAX_NAMED_PER_REASON {
            self.named.push(skipped);
        }
    }

    pub fn add(&mut self, path: &str, reason: SkipReason, detail: impl Into<String>) {
        self.push(Skipped::new(path, reason, detail));
    }

    /// Everything, sorted by path and reason, with one entry for what was only counted of each reason.
    pub fn finish(self) -> Vec<Skipped> {
        let mut skipped = self.named;
        for (reason, count) in self.counts {
            let named: u64 = skipped.iter().filter(|item| item.reason == reason).map(|item| item.count).sum();
            let folded = count.saturating_sub(named);
            if folded > 0 {
                let mut rest =
                    Skipped::new("", reason, "further ones of the same reason, not listed one by one");
                rest.count = folded;
                skipped.push(rest);
            }
        }
        skipped.sort_by(|a, b| (&a.path, a.reason, &a.detail).cmp(&(&b.path, b.reason, &b.detail)));
        skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_repeats_and_loses_no_count() {
        let mut log = SkipLog::default();
        for index in 0..1000 {
            log.add(&format!("f{index:04}"), SkipReason::Malformed, "broken");
        }
        log.add("other", SkipReason::TooLarge, "large");
        let skipped = log.finish();
        assert_eq!(skipped.len() as u64, MAX_NAMED_PER_REASON + 2);
        assert_eq!(skipped.iter().map(|item| item.count).sum::<u64>(), 1001);
        assert_eq!((skipped[0].path.as_str(), skipped[0].count), ("", 1000 - MAX_NAMED_PER_REASON));
    }
}
