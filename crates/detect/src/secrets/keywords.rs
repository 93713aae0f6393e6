//! All keywords of all rules in one pass over the bytes, which says which rules may have something.
//!
//! Most bytes begin no keyword. Each place is asked one thing only: whether its three bytes, without letter case, may begin
//! one, by a bit of a table that stays in the processor's nearest cache. No question waits for the answer before it, which
//! is what an automaton, whose next state hangs on its last, cannot have: this takes a third of its time.

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
        let last = until.saturating_add(PREFIX - 1).min(text.len());
        let part = text.get(from..last).unwrap_or_default();
        let mut window = 0;
        let places = part.iter().enumerate().filter_map(move |(at, byte)| {
            window = next_window(window, *byte);
            let slot = slot(window);
            let may = self.known[slot / 64] >> (slot % 64) & 1 == 1;
            (may && at + 1 >= PREFIX).then(|| (from + at + 1 - PREFIX, slot))
        });
        places.flat_map(move |(start, slot)| self.at(text, start, slot))
    }

    /// The keywords of a slot that really are at a place.
    fn at<'t>(&'t self, text: &'t [u8], start: usize, slot: usize) -> impl Iterator<Item = Hit<'t>> {
        let words = self.slots.get(slot).and_then(|words| self.words.get(words.clone())).unwrap_or_default();
        words.iter().filter_map(move |word| {
            let end = start + word.text.len();
            let here = text.get(start..end)?;
            here.eq_ignore_ascii_case(&word.text).then_some(Hit { start, end, rules: &word.rules })
        })
    }
}

/// The last three bytes, each with the bit of lower case: what is no letter falls together with another now and then.
fn next_window(window: u32, byte: u8) -> u32 {
    window >> 8 | u32::from(byte | 0x20) << 16
}

/// Fibonacci hashing: the upper half of the product depends on every bit of the window.
fn slot(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> 16) as usize % SLOTS
}

fn slot_of(keyword: &[u8]) -> usize {
    slot(keyword.iter().take(PREFIX).fold(0, |window, byte| next_window(window, *byte)))
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
