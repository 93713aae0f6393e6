//! All keywords of all rules in one pass over the bytes, which says which rules may have something.
//!
//! Most bytes begin no keyword. Each place is asked one thing only: whether its three bytes, without letter case, may begin
//! one, by a byte of a table that stays in the processor's nearest cache. No question waits for the answer before it, as
//! each state of an automaton waits for the last.

use std::collections::HashMap;
use std::ops::Range;

/// Bytes of a keyword that the table knows. A shorter keyword is never found: rules must not have one.
pub(super) const PREFIX: usize = 3;
/// Size of the table, and lists of keywords behind it. Half of a first-level cache; one slot in sixty is taken.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 15;

/// The keywords of a set of rules.
#[derive(Debug)]
pub(super) struct Keywords {
    /// For each slot whether any keyword is there: 1 or 0.
    known: Box<[u8; SLOTS]>,
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

/// Places remembered at a time: the bits of a word.
const TOGETHER: usize = u64::BITS as usize;
/// Places asked about at a time.
const GROUP: usize = 8;

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
        let mut known = Box::new([0; SLOTS]);
        let mut slots = vec![0..0; SLOTS];
        for (at, word) in words.iter().enumerate() {
            let slot = slot_of(&word.text);
            known[slot] = 1;
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
            let mut may = self.may_begin(text, base..base.saturating_add(TOGETHER).min(until));
            std::iter::from_fn(move || {
                let at = (may != 0).then(|| base + may.trailing_zeros() as usize)?;
                may &= may - 1;
                Some(at)
            })
        });
        starts.flat_map(move |start| self.at(text, start))
    }

    /// A bit for each of some places, of `TOGETHER` at most, where a keyword may begin.
    fn may_begin(&self, text: &[u8], places: Range<usize>) -> u64 {
        let mut may = 0;
        for first in places.clone().step_by(GROUP) {
            let group = text.get(first..).and_then(|rest| rest.first_chunk());
            if group.is_some_and(|group| !self.any_may_begin(group)) {
                continue;
            }
            for place in first..first.saturating_add(GROUP).min(places.end) {
                let prefix = text.get(place..).and_then(|rest| rest.first_chunk());
                let known = prefix.is_some_and(|prefix| self.known[slot(*prefix)] != 0);
                may |= u64::from(known) << (place - places.start);
            }
        }
        may
    }

    /// Whether a keyword may begin at any place of a group. Five instructions a place and no branch: where one may
    /// begin is what a processor cannot guess.
    fn any_may_begin(&self, group: &[u8; GROUP + PREFIX]) -> bool {
        let found = group.array_windows().fold(0, |found, [first, second, third, fourth]| {
            found | self.known[slot_of_four(u32::from_le_bytes([*first, *second, *third, *fourth]))]
        });
        found != 0
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

/// Where a beginning stands in the table.
fn slot([first, second, third]: [u8; PREFIX]) -> usize {
    slot_of_four(u32::from_le_bytes([first, second, third, 0]))
}

/// The same, from four bytes as a word, of which the last does not matter: the multiplier, a golden ratio for three
/// bytes, pushes it out. Letter case does not matter either, and of what is no letter some fall together.
fn slot_of_four(window: u32) -> usize {
    ((window | 0x2020_2020).wrapping_mul(0x9e37_7900) >> (u32::BITS - SLOT_BITS)) as usize
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
