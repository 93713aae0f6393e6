//! From the bytes of a block to the secrets in it: keyword, pattern, entropy, checks, allow-lists.

use std::ops::Range;

use yagura_model::finding::Confidence;

use super::allow;
use super::assignment::{self, Assignment};
use super::check::{Candidate, Facts, Verdict};
use super::entropy;
use super::keywords::Keywords;
use super::rule::{Rule, Shape};

/// Most candidates that are looked at in one file; only a file made to waste time has more.
pub(super) const MAX_CANDIDATES: u64 = 2_000_000;
/// Most secrets of one file.
pub(super) const MAX_FOUND: usize = 2_000;

/// What is known of a file before its content.
#[derive(Clone, Debug, Default)]
pub(super) struct FileTraits {
    /// Its name without directories.
    pub(super) name: String,
    /// Its values need no quotes.
    pub(super) plain: bool,
    /// Made by programs from other files.
    pub(super) derived: bool,
    pub(super) binary: bool,
}

impl FileTraits {
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        Self {
            name: name.to_ascii_lowercase(),
            plain: assignment::holds_plain_values(path),
            derived: allow::is_derived(path),
            binary: false,
        }
    }
}

/// A secret in a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) rule: u16,
    /// All that matched.
    pub(super) whole: Range<usize>,
    /// The secret in it.
    pub(super) secret: Range<usize>,
    /// The name it is assigned to, where it is.
    pub(super) name: Option<Range<usize>>,
    /// A form of the secret that does not depend on how it was written.
    pub(super) canonical: Option<Vec<u8>>,
    pub(super) confidence: Confidence,
    pub(super) notes: Vec<String>,
}

impl Match {
    fn learn(&mut self, facts: Facts) {
        self.whole.end = self.whole.end.saturating_add(facts.continues);
        self.canonical = facts.canonical.or(self.canonical.take());
        if !facts.note.is_empty() {
            self.notes.push(facts.note);
        }
    }
}

/// Looks at keywords that begin in `range` of `block`, and adds what it finds, best first where matches overlap.
pub(super) fn search(
    rules: &[Rule],
    keywords: &Keywords,
    traits: &FileTraits,
    block: &[u8],
    range: Range<usize>,
    candidates: &mut u64,
) -> Vec<Match> {
    let mut found = Vec::new();
    for hit in keywords.hits(block, range.start, range.end) {
        let mut assigned: Option<Option<Assignment>> = None;
        for index in hit.rules {
            let Some(rule) = rules.get(usize::from(*index)) else { continue };
            if rule.generic && traits.derived {
                continue;
            }
            if !rule.files.is_empty() && !rule.files.iter().any(|glob| matches_name(glob, &traits.name)) {
                continue;
            }
            *candidates += 1;
            if *candidates > MAX_CANDIDATES {
                return resolve(rules, found);
            }
            let matched = match &rule.shape {
                Shape::Pattern { .. } => pattern(rule, block, hit.start..hit.end),
                Shape::Assigned(regex) => {
                    let read = || assignment::read(block, hit.start..hit.end, traits.plain);
                    assigned.get_or_insert_with(read).as_ref().and_then(|assigned| {
                        let value = block.get(assigned.value.clone())?;
                        regex.get()?.is_match(value).then(|| Matched {
                            whole: assigned.name.start..assigned.value.end,
                            secret: assigned.value.clone(),
                            name: Some(assigned.name.clone()),
                            quoted: assigned.quoted,
                        })
                    })
                }
                Shape::Structure => None,
            };
            if let Some(matched) = matched
                && let Some(found_here) = judge(rule, *index, traits, block, matched)
            {
                found.push(found_here);
            }
        }
    }
    resolve(rules, found)
}

/// What matched a rule's shape.
pub(super) struct Matched {
    pub(super) whole: Range<usize>,
    pub(super) secret: Range<usize>,
    pub(super) name: Option<Range<usize>>,
    pub(super) quoted: bool,
}

fn pattern(rule: &Rule, block: &[u8], keyword: Range<usize>) -> Option<Matched> {
    let Shape::Pattern { regex, behind, ahead } = &rule.shape else { return None };
    let start = keyword.start.saturating_sub(*behind);
    let end = keyword.end.saturating_add(*ahead).min(block.len());
    let window = block.get(start..end)?;
    let regex = regex.get()?;
    let secret = |whole: Range<usize>| {
        let captured = regex.captures_at(window, whole.start)?;
        let secret = captured.name("secret").map_or(whole, |secret| secret.range());
        Some(secret)
    };
    let holds_keyword =
        |range: &Range<usize>| start + range.start <= keyword.start && start + range.end >= keyword.end;
    let mut matches = regex.find_iter(window).map(|found| found.range());
    let whole = matches.find(|range| holds_keyword(range) || *behind == 0)?;
    let secret = secret(whole.clone())?;
    let at = |range: Range<usize>| start + range.start..start + range.end;
    let (whole, secret) = (at(whole), at(secret));
    stands_alone(block, &whole, &secret).then_some(Matched { whole, secret, name: None, quoted: false })
}

/// Whether a token is not a part of something longer, on the sides where the pattern does not say what surrounds it.
fn stands_alone(block: &[u8], whole: &Range<usize>, secret: &Range<usize>) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let text = block.get(secret.clone()).unwrap_or_default();
    if whole.start == secret.start
        && text.first().is_some_and(is_word)
        && let Some(before) = secret.start.checked_sub(1)
        && block.get(before).is_some_and(is_word)
    {
        // `\nghp_…` and `%3Dghp_…` begin anew.
        let at =
            |back: usize| secret.start.checked_sub(back).and_then(|at| block.get(at)).copied().unwrap_or(0);
        let escape = at(2) == b'\\' && matches!(at(1), b'n' | b'r' | b't');
        let percent = at(3) == b'%' && at(2).is_ascii_hexdigit() && at(1).is_ascii_hexdigit();
        if !escape && !percent {
            return false;
        }
    }
    let goes_on = text.last().is_some_and(is_word) && block.get(secret.end).is_some_and(is_word);
    !(whole.end == secret.end && goes_on)
}

/// Entropy, checks and allow-lists.
pub(super) fn judge(
    rule: &Rule,
    index: u16,
    traits: &FileTraits,
    block: &[u8],
    matched: Matched,
) -> Option<Match> {
    let secret = block.get(matched.secret.clone())?;
    if entropy::bits(secret) < rule.entropy || allow::is_placeholder(secret) {
        return None;
    }
    let candidate = Candidate {
        secret,
        name: matched.name.clone().and_then(|name| block.get(name)).unwrap_or_default(),
        after: block.get(matched.whole.end..).unwrap_or_default(),
        quoted: matched.quoted,
        plain_file: traits.plain,
    };
    let mut found = Match {
        rule: index,
        whole: matched.whole.clone(),
        secret: matched.secret.clone(),
        name: matched.name,
        canonical: None,
        confidence: rule.confidence,
        notes: Vec::new(),
    };
    for check in &rule.checks {
        match check.run(&candidate) {
            Verdict::No => return None,
            Verdict::Maybe => {}
            Verdict::Doubtful(why) => {
                found.confidence = Confidence::Low;
                found.notes.push(why);
            }
            Verdict::Sure(facts) => {
                found.confidence = found.confidence.max(Confidence::High);
                found.learn(facts);
            }
        }
    }
    Some(found)
}

/// Of matches that overlap the most telling one stays: a known kind before the generic one, the surer before the less
/// sure, the longer before the shorter.
fn resolve(rules: &[Rule], mut found: Vec<Match>) -> Vec<Match> {
    let generic = |found: &Match| rules.get(usize::from(found.rule)).is_some_and(|rule| rule.generic);
    found.sort_by_key(|item| {
        (
            generic(item),
            std::cmp::Reverse(item.confidence),
            std::cmp::Reverse(item.whole.len()),
            item.whole.start,
        )
    });
    let mut kept = std::collections::BTreeMap::<usize, Match>::new();
    for item in found {
        let before = kept
            .range(..=item.whole.start)
            .next_back()
            .is_some_and(|(_, other)| other.whole.end > item.whole.start);
        let after = kept.range(item.whole.start..).next().is_some_and(|(start, _)| *start < item.whole.end);
        if !before && !after && kept.len() < MAX_FOUND {
            kept.insert(item.whole.start, item);
        }
    }
    kept.into_values().collect()
}

/// A file's name against a glob with at most two `*`.
fn matches_name(glob: &str, name: &str) -> bool {
    let glob = glob.to_ascii_lowercase();
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}
