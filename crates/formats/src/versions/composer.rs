//! Composer versions (`composer/semver`): normalised to four numbers, a stability and `-dev`, then compared as PHP's
//! `version_compare` does.
//!
//! Date versions keep the numbers they have. Numeric branches (`2.1.x-dev`) follow all their releases; named branches
//! (`dev-main`) precede every version and are ordered by name. What cannot be normalised is compared as it stands.

use std::cmp::Ordering;

use super::digits::{self, take_digits, take_while};

/// Composer's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Version::parse(a), Version::parse(b));
    if let (Version::Branch(a), Version::Branch(b)) = (&a, &b) {
        return a.cmp(b);
    }
    let (mut a, mut b) = (Tokens::new(&a), Tokens::new(&b));
    loop {
        let (x, y) = (a.next(), b.next());
        let order = x.compare(y);
        if order.is_ne() || matches!(x, Token::End) {
            return order;
        }
    }
}

/// Whether Composer can normalise the version.
pub(super) fn is_valid(version: &str) -> bool {
    !matches!(Version::parse(version), Version::Raw(_))
}

/// What a normalised version is made of.
enum Version<'a> {
    /// The name behind `dev-`.
    Branch(&'a str),
    Normal {
        /// Four dotted numbers; fewer are filled up with `fill`.
        numbers: &'a [u8],
        fill: Option<&'static [u8]>,
        stability: Option<Stability>,
        /// Numbers behind the stability.
        suffix: &'a [u8],
        dev: bool,
    },
    /// Not a Composer version.
    Raw(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stability {
    Alpha,
    Beta,
    Candidate,
    Patch,
    Stable,
}

const STABILITIES: [(&[u8], Stability); 9] = [
    (b"stable", Stability::Stable),
    (b"beta", Stability::Beta),
    (b"b", Stability::Beta),
    (b"rc", Stability::Candidate),
    (b"alpha", Stability::Alpha),
    (b"a", Stability::Alpha),
    (b"patch", Stability::Patch),
    (b"pl", Stability::Patch),
    (b"p", Stability::Patch),
];
const STABILITY_FLAGS: [&str; 5] = ["stable", "rc", "beta", "alpha", "dev"];
/// What Composer puts for the `x` of `2.x-dev`.
const BRANCH_NUMBER: &[u8] = b"9999999";
const NUMBERS: usize = 4;
/// A first number with more digits makes the version a date.
const MAX_MAJOR_DIGITS: usize = 5;

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Self {
        let text = text.trim();
        let version = match text.split_once(" as ") {
            Some((version, _)) if !version.trim_end().contains([' ', ',']) => version.trim_end(),
            _ => text,
        };
        let version = match version.rsplit_once('@') {
            Some((version, flag)) if STABILITY_FLAGS.iter().any(|known| known.eq_ignore_ascii_case(flag)) => {
                version
            }
            _ => version,
        };
        if matches!(version, "master" | "trunk" | "default") {
            return Self::Branch(version);
        }
        if let Some((head, name)) = version.split_at_checked(4)
            && head.eq_ignore_ascii_case("dev-")
        {
            return Self::Branch(name);
        }
        let version = match version.split_once('+') {
            Some((version, build)) if !version.is_empty() && !build.is_empty() => version,
            _ => version,
        };
        let bytes = version.as_bytes();
        let unmarked = bytes.strip_prefix(b"v").or_else(|| bytes.strip_prefix(b"V")).unwrap_or(bytes);
        classical(unmarked)
            .or_else(|| date(unmarked))
            .or_else(|| numeric_branch(unmarked))
            .unwrap_or(Self::Raw(text))
    }

    /// The version once its numbers are known, if only a stability and `-dev` follow.
    fn with_modifier(numbers: &'a [u8], fill: Option<&'static [u8]>, rest: &'a [u8]) -> Option<Self> {
        let (stability, suffix, dev) = modifier(rest)?;
        let version = match stability {
            Some(Stability::Stable) => {
                Self::Normal { numbers, fill, stability: None, suffix: b"", dev: false }
            }
            stability => Self::Normal { numbers, fill, stability, suffix, dev },
        };
        Some(version)
    }
}

/// One to four dotted numbers, the first of at most five digits.
fn classical(version: &[u8]) -> Option<Version<'_>> {
    let (major, _) = take_digits(version);
    if major.is_empty() || major.len() > MAX_MAJOR_DIGITS {
        return None;
    }
    let mut end = major.len();
    for _ in 1..NUMBERS {
        let Some(after_dot) = version.get(end..)?.strip_prefix(b".") else { break };
        let (number, _) = take_digits(after_dot);
        if number.is_empty() {
            break;
        }
        end += 1 + number.len();
    }
    let (numbers, rest) = version.split_at_checked(end)?;
    Version::with_modifier(numbers, Some(b"0"), rest)
}

/// A year, one to six pairs of digits, up to two shorter numbers; dots, colons, hyphens or nothing between.
fn date(version: &[u8]) -> Option<Version<'_>> {
    fn take(rest: &[u8], at_least: usize, at_most: usize) -> Option<&[u8]> {
        let digits = match rest.split_first() {
            Some((b'.' | b':' | b'-', digits)) => digits,
            _ => rest,
        };
        let length = take_digits(digits).0.len().min(at_most);
        if length < at_least { None } else { digits.get(length..) }
    }
    const YEAR: usize = 4;
    const MAX_PAIRS: usize = 6;
    const MAX_TAIL: usize = 2;
    if take_digits(version).0.len() < YEAR {
        return None;
    }
    let mut rest = take(version.get(YEAR..)?, 2, 2)?;
    for (count, at_least, at_most) in [(MAX_PAIRS - 1, 2, 2), (MAX_TAIL, 1, 3)] {
        for _ in 0..count {
            match take(rest, at_least, at_most) {
                Some(after) => rest = after,
                None => break,
            }
        }
    }
    let numbers = version.get(..version.len() - rest.len())?;
    Version::with_modifier(numbers, None, rest)
}

/// `2.x-dev`, `2.1.*-dev`.
fn numeric_branch(version: &[u8]) -> Option<Version<'_>> {
    let (head, dev) = version.split_at_checked(version.len().checked_sub(3)?)?;
    if !dev.eq_ignore_ascii_case(b"dev") {
        return None;
    }
    let numbers = head.strip_suffix(b"-").or_else(|| head.strip_suffix(b".")).unwrap_or(head);
    let mut parts = numbers.split(|byte| *byte == b'.');
    let is_wildcard = |part: &[u8]| matches!(part, b"x" | b"X" | b"*");
    let valid = parts.next().is_some_and(digits::is_number)
        && parts.clone().count() < NUMBERS
        && parts.all(|part| digits::is_number(part) || is_wildcard(part));
    valid.then_some(Version::Normal {
        numbers,
        fill: Some(BRANCH_NUMBER),
        stability: None,
        suffix: b"",
        dev: true,
    })
}

/// `[._-]?(stability numbers?)?([.-]?dev)?` to the very end.
fn modifier(rest: &[u8]) -> Option<(Option<Stability>, &[u8], bool)> {
    let rest = match rest.split_first() {
        Some((b'.' | b'_' | b'-', rest)) => rest,
        _ => rest,
    };
    let known = STABILITIES.iter().find_map(|(word, stability)| {
        let (head, after) = rest.split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some((*stability, after))
    });
    let (stability, suffix, rest) = match known {
        Some((stability, after)) => {
            let (suffix, rest) = take_suffix(after);
            (Some(stability), suffix, rest)
        }
        None => (None, &rest[..0], rest),
    };
    let dev = match rest.split_first() {
        Some((b'.' | b'-', dev)) => dev,
        _ => rest,
    };
    match rest {
        [] => Some((stability, suffix, false)),
        _ if dev.eq_ignore_ascii_case(b"dev") => Some((stability, suffix, true)),
        _ => None,
    }
}

/// Numbers, each after an optional dot or hyphen.
fn take_suffix(text: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = text;
    loop {
        let digits = match rest.split_first() {
            Some((b'.' | b'-', digits)) => digits,
            _ => rest,
        };
        let (number, after) = take_digits(digits);
        if number.is_empty() {
            return text.split_at(text.len() - rest.len());
        }
        rest = after;
    }
}

/// One element as `version_compare` sees it, in its order: words it does not know, the words it knows, the end,
/// numbers, patches.
#[derive(Clone, Copy)]
enum Token<'a> {
    Unknown,
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    /// A `#`, which PHP takes for any number.
    Hash,
    Number(&'a [u8]),
    Patch,
}

impl Token<'_> {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Token::Number(a), Token::Number(b)) => digits::compare(a, b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Token::Unknown => 0,
            Token::Dev => 1,
            Token::Alpha => 2,
            Token::Beta => 3,
            Token::Candidate => 4,
            Token::End => 5,
            Token::Hash => 6,
            Token::Number(_) => 7,
            Token::Patch => 8,
        }
    }
}

/// Elements PHP knows by how they begin; upper-case RC is the only one in capitals.
fn word(element: &[u8]) -> Token<'static> {
    let known: [(&[u8], Token<'static>); 7] = [
        (b"dev", Token::Dev),
        (b"a", Token::Alpha),
        (b"b", Token::Beta),
        (b"RC", Token::Candidate),
        (b"rc", Token::Candidate),
        (b"#", Token::Hash),
        (b"p", Token::Patch),
    ];
    known.into_iter().find(|(start, _)| element.starts_with(start)).map_or(Token::Unknown, |(_, token)| token)
}

/// The elements of a version, [`Token::End`] for ever after the last.
enum Tokens<'a> {
    Normal {
        numbers: &'a [u8],
        left: usize,
        fill: &'static [u8],
        stability: Option<Stability>,
        suffix: &'a [u8],
        dev: bool,
    },
    Raw {
        rest: &'a [u8],
        sign_counts: bool,
    },
    Branch,
    Ended,
}

impl<'a> Tokens<'a> {
    fn new(version: &Version<'a>) -> Self {
        match *version {
            Version::Branch(_) => Self::Branch,
            Version::Normal { numbers, fill, stability, suffix, dev } => Self::Normal {
                numbers,
                left: if fill.is_some() { NUMBERS } else { 0 },
                fill: fill.unwrap_or_default(),
                stability,
                suffix,
                dev,
            },
            Version::Raw(text) => Self::Raw { rest: text.as_bytes(), sign_counts: true },
        }
    }

    fn next(&mut self) -> Token<'a> {
        match self {
            Self::Normal { numbers, left, fill, stability, suffix, dev } => {
                if let Some(number) = next_number(numbers) {
                    *left = left.saturating_sub(1);
                    return Token::Number(number);
                }
                if *left > 0 {
                    *left -= 1;
                    return Token::Number(fill);
                }
                match stability.take() {
                    Some(Stability::Alpha) => return Token::Alpha,
                    Some(Stability::Beta) => return Token::Beta,
                    Some(Stability::Candidate) => return Token::Candidate,
                    Some(Stability::Patch) => return Token::Patch,
                    Some(Stability::Stable) | None => {}
                }
                if let Some(number) = next_number(suffix) {
                    return Token::Number(number);
                }
                if std::mem::take(dev) { Token::Dev } else { Token::End }
            }
            Self::Raw { rest, sign_counts } => next_raw(rest, sign_counts),
            Self::Branch => {
                *self = Self::Ended;
                Token::Dev
            }
            Self::Ended => Token::End,
        }
    }
}

/// The next run of digits, or the number a wildcard stands for.
fn next_number<'a>(text: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (_, rest) = take_while(text, |byte| !byte.is_ascii_digit() && !matches!(byte, b'x' | b'X' | b'*'));
    let (first, after) = rest.split_first()?;
    if !first.is_ascii_digit() {
        *text = after;
        return Some(BRANCH_NUMBER);
    }
    let (number, after) = take_digits(rest);
    *text = after;
    Some(number)
}

/// PHP splits at punctuation and between digits and others. `sign_counts` says whether a sign that comes now begins a
/// word of its own: at the very start, and right behind a number unless it is one of `.-_+`.
fn next_raw<'a>(rest: &mut &'a [u8], sign_counts: &mut bool) -> Token<'a> {
    let text = if *sign_counts { *rest } else { take_while(rest, |byte| !byte.is_ascii_alphanumeric()).1 };
    *sign_counts = false;
    let Some((start, tail)) = text.split_first() else {
        *rest = text;
        return Token::End;
    };
    if start.is_ascii_digit() {
        let (number, after) = take_digits(text);
        *sign_counts = after.first().is_some_and(|next| !b".-_+".contains(next));
        *rest = after;
        return Token::Number(number);
    }
    let letters =
        if *start == b'.' { 0 } else { take_while(tail, |byte| byte.is_ascii_alphabetic()).0.len() };
    let (element, after) = text.split_at(1 + letters);
    *rest = after;
    word(element)
}
