//! All keywords of all rules in one pass over the bytes, which says which rules may have something.
//!
//! Most bytes begin no keyword. Each place is asked one thing only: whether its three bytes, without letter case, may begin
//! one, by a bit of a table that stays in the processor's nearest cache. No question waits for the answer before it, as
//! each state of an automaton waits for the last.

use std::collections::HashMap;
use std::ops::Range;

/// Bytes of a keyword that the table knows. A shorter keyword is never found: rules must not have one.
pub(super) const PREFIX: usize = 3;
/// Bits of the table, and lists of keywords behind them.
const SLOTS: usize = 1 << 16;

/// The keywords of a set of rules.
#[derive(Debug)]
pub(super) struct Keywords {
    /// A bit for each slot: whether any keyword is there.
    known: Box<[u64; SLOTS / 64]>,
    /// For each slot the places of its keywords in `words`.
    slots: Vec<Range<usize>>,
    /// In the order of their slots.
    words: Vec<Word>,
}

#[derive(Debug)]
struct Word {
    /// In lower case.
    text: Vec<u8>,
    /// The rules that have it.
    rules: Vec<u16>,
}

/// Places asked about at a time: the bits of a word.
const TOGETHER: usize = u64::BITS as usize;

/// A keyword in a text.
pub(super) struct Hit<'k> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rules: &'k [u16],
}

impl Keywords {
    /// From the keywords of each rule, named by its place.
    pub(super) fn of<'r>(rules: impl IntoIterator<Item = (u16, &'r [String])>) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let mut places = HashMap::new();
        for (index, keywords) in rules {
            for keyword in keywords {
                let text = keyword.to_ascii_lowercase().into_bytes();
                let at = *places.entry(text.clone()).or_insert_with(|| {
                    words.push(Word { text, rules: Vec::new() });
                    words.len() - 1
                });
                if let Some(word) = words.get_mut(at).filter(|word| word.rules.last() != Some(&index)) {
                    word.rules.push(index);
                }
            }
        }
        words.sort_by_key(|word| slot_of(&word.text));
        let mut known = Box::new([0; SLOTS / 64]);
        let mut slots = vec![0..0; SLOTS];
        for (at, word) in words.iter().enumerate() {
            let slot = slot_of(&word.text);
            known[slot / 64] |= 1 << (slot % 64);
            let before = &slots[slot];
            slots[slot] = if before.is_empty() { at..at + 1 } else { before.start..at + 1 };
        }
        Self { known, slots, words }
    }

    /// Every keyword that begins in `from..until`, overlapping ones too, by their starts.
    pub(super) fn hits<'t>(
        &'t self,
        text: &'t [u8],
        from: usize,
        until: usize,
    ) -> impl Iterator<Item = Hit<'t>> {
        let starts = (from..until).step_by(TOGETHER).flat_map(move |base| {
            let end = base.saturating_add(TOGETHER).min(until).saturating_add(PREFIX - 1).min(text.len());
            let mut may = self.may_begin(text.get(base..end).unwrap_or_default());
            std::iter::from_fn(move || {
                let at = (may != 0).then(|| base + may.trailing_zeros() as usize)?;
                may &= may - 1;
                Some(at)
            })
        });
        starts.flat_map(move |start| self.at(text, start))
    }

    /// A bit for each place, of `TOGETHER` at most, where a keyword may begin. No branch in here: whether one may is
    /// what a processor cannot guess.
    fn may_begin(&self, part: &[u8]) -> u64 {
        part.array_windows().enumerate().fold(0, |may, (at, window)| {
            let slot = slot(*window);
            may | (self.known[slot / 64] >> (slot % 64) & 1) << at
        })
    }

    /// The keywords that really are at a place.
    fn at<'t>(&'t self, text: &'t [u8], start: usize) -> impl Iterator<Item = Hit<'t>> {
        let prefix = text.get(start..).and_then(|rest| rest.first_chunk());
        let words = prefix.and_then(|prefix| self.words.get(self.slots.get(slot(*prefix))?.clone()));
        words.unwrap_or_default().iter().filter_map(move |word| {
            let end = start + word.text.len();
            let here = text.get(start..end)?;
            here.eq_ignore_ascii_case(&word.text).then_some(Hit { start, end, rules: &word.rules })
        })
    }
}

/// Where a beginning stands in the table, without letter case: the bit that makes letters small falls together some
/// others, too. Fibonacci hashing: the upper half of the product depends on every bit.
fn slot([first, second, third]: [u8; PREFIX]) -> usize {
    let window = u32::from_le_bytes([first, second, third, 0]) | 0x0020_2020;
    (window.wrapping_mul(0x9e37_79b1) >> 16) as usize % SLOTS
}

fn slot_of(keyword: &[u8]) -> usize {
    keyword.first_chunk().map_or(0, |prefix| slot(*prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_looking_for_each_word_finds(
            words in prop::collection::hash_set("[abA_-]{3,6}", 1..20),
            text in "[abAB_\\-\n]{0,60}",
            cut in 0usize..60,
        ) {
            let words: Vec<String> = words.into_iter().collect();
            let rules = (0..).zip(words.iter().map(std::slice::from_ref));
            let keywords = Keywords::of(rules);
            let (text, cut) = (text.as_bytes(), cut.min(text.len()));
            let mut found: Vec<(usize, usize, u16)> = [(0, cut), (cut, text.len())]
                .into_iter()
                .flat_map(|(from, until)| keywords.hits(text, from, until))
                .flat_map(|hit| hit.rules.iter().map(move |rule| (hit.start, hit.end, *rule)))
                .collect();
            let mut expected = Vec::new();
            for (rule, word) in words.iter().enumerate() {
                for start in 0..text.len() {
                    let end = start + word.len();
                    if text.get(start..end).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes())) {
                        expected.push((start, end, rule as u16));
                    }
                }
            }
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
