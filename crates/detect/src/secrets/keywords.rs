//! All keywords of all rules in one automaton: one pass over the bytes says which rules may have something.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::rule::Rule;

/// The keywords of a set of rules.
#[derive(Debug)]
pub(super) struct Keywords {
    automaton: AhoCorasick,
    /// For each keyword the rules that have it.
    rules: Vec<Vec<u16>>,
    longest: usize,
}

/// A keyword in a text.
pub(super) struct Hit<'k> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rules: &'k [u16],
}

impl Keywords {
    /// Of those `rules` that `wanted` wants.
    pub(super) fn of(rules: &[Rule], wanted: impl Fn(&Rule) -> bool) -> Result<Self, String> {
        let mut words: Vec<(Vec<u8>, Vec<u16>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| wanted(rule)) {
            let index = u16::try_from(index).map_err(|_| "more rules than can be counted".to_owned())?;
            for keyword in &rule.keywords {
                let keyword = keyword.to_ascii_lowercase().into_bytes();
                let at = *places.entry(keyword.clone()).or_insert_with(|| {
                    words.push((keyword, Vec::new()));
                    words.len() - 1
                });
                if let Some((_, rules)) = words.get_mut(at).filter(|(_, rules)| rules.last() != Some(&index))
                {
                    rules.push(index);
                }
            }
        }
        let longest = words.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words.iter().map(|(word, _)| word))
            .map_err(|error| error.to_string())?;
        Ok(Self { automaton, rules: words.into_iter().map(|(_, rules)| rules).collect(), longest })
    }

    /// Every keyword that begins in `from..until`, overlapping ones too, by their ends.
    pub(super) fn hits<'t>(
        &'t self,
        text: &'t [u8],
        from: usize,
        until: usize,
    ) -> impl Iterator<Item = Hit<'t>> {
        let end = until.saturating_add(self.longest).min(text.len());
        let part = text.get(from..end).unwrap_or_default();
        self.automaton.find_overlapping_iter(part).filter_map(move |found| {
            let start = from + found.start();
            let rules = self.rules.get(found.pattern().as_usize())?;
            (start < until).then_some(Hit { start, end: from + found.end(), rules })
        })
    }
}
