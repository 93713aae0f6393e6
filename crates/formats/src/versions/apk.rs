//! Alpine package versions (apk-tools 3, apk-package(5) "pkgver"), shared by Wolfi, Chainguard and others.
//!
//! `digit{.digit}…{letter}{_suffix{#}}…{~hash}{-r#}`. Two versions are compared token by token up to the first that
//! does not fit this form; a version that breaks off in that way is older than one that ends there. Where both break
//! off at the same place apk 3 sees no difference; as older apk did, we go on with the order of unknown versions, since
//! such versions (`5.9.2p1-r1`) are in the advisories of old releases.

use std::cmp::Ordering;

use super::digits::{self, take_digits, take_while};
use super::generic;

/// apk's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Tokens::new(a), Tokens::new(b));
    loop {
        let (x, y) = (a.next(), b.next());
        let order = x.cmp(&y);
        if order.is_ne() || matches!(x, Token::End) {
            return order;
        }
        if matches!(x, Token::Invalid) {
            return generic::compare_bytes(a.broken_off, b.broken_off)
                .then_with(|| a.broken_off.cmp(b.broken_off));
        }
    }
}

/// What `apk version --check` accepts.
pub(super) fn is_valid(version: &str) -> bool {
    let mut tokens = Tokens::new(version);
    loop {
        match tokens.next() {
            Token::End => return true,
            Token::Invalid => return false,
            _ => {}
        }
    }
}

/// Suffixes that make a version older than the one without, oldest first.
const PRE_SUFFIXES: [&[u8]; 4] = [b"alpha", b"beta", b"pre", b"rc"];
/// Suffixes that make it newer, oldest first.
const POST_SUFFIXES: [&[u8]; 5] = [b"cvs", b"svn", b"git", b"hg", b"p"];

/// One part of a version. Where two versions have different kinds at the same place, the later kind is newer.
#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    PreSuffix(usize),
    Invalid,
    End,
    Revision(&'a [u8]),
    Hash(&'a [u8]),
    SuffixNumber(&'a [u8]),
    PostSuffix(usize),
    Letter(u8),
    Digits(&'a [u8]),
    FirstDigits(&'a [u8]),
}

impl<'a> Token<'a> {
    fn rank(self) -> u8 {
        match self {
            Token::PreSuffix(_) => 0,
            Token::Invalid => 1,
            Token::End => 2,
            Token::Revision(_) => 3,
            Token::Hash(_) => 4,
            Token::SuffixNumber(_) => 5,
            Token::PostSuffix(_) => 6,
            Token::Letter(_) => 7,
            Token::Digits(_) => 8,
            Token::FirstDigits(_) => 9,
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Token::PreSuffix(a), Token::PreSuffix(b)) | (Token::PostSuffix(a), Token::PostSuffix(b)) => {
                a.cmp(&b)
            }
            // As Gentoo does: a number with a leading zero is a fraction, compared as text.
            (Token::Digits(a), Token::Digits(b)) if a.starts_with(b"0") || b.starts_with(b"0") => a.cmp(b),
            (Token::FirstDigits(a), Token::FirstDigits(b))
            | (Token::Digits(a), Token::Digits(b))
            | (Token::SuffixNumber(a), Token::SuffixNumber(b))
            | (Token::Revision(a), Token::Revision(b)) => digits::compare(a, b),
            (Token::Letter(a), Token::Letter(b)) => a.cmp(&b),
            (Token::Hash(a), Token::Hash(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

/// How far the form has been read; later parts may only follow in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    Digits,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
}

struct Tokens<'a> {
    rest: &'a [u8],
    place: Place,
    /// From where the form is broken.
    broken_off: &'a [u8],
}

impl<'a> Tokens<'a> {
    fn new(version: &'a str) -> Self {
        Self { rest: version.as_bytes(), place: Place::Start, broken_off: b"" }
    }

    /// The next token; [`Token::Invalid`] where the form is broken.
    fn next(&mut self) -> Token<'a> {
        let before = self.rest;
        self.read().unwrap_or_else(|| {
            self.broken_off = before;
            Token::Invalid
        })
    }

    fn read(&mut self) -> Option<Token<'a>> {
        if self.place == Place::Start {
            self.place = Place::Digits;
            return self.digits(Token::FirstDigits);
        }
        let Some((first, rest)) = self.rest.split_first() else { return Some(Token::End) };
        match first {
            b'a'..=b'z' if self.place == Place::Digits => {
                self.rest = rest;
                self.place = Place::Letter;
                Some(Token::Letter(*first))
            }
            b'.' if self.place == Place::Digits => {
                self.rest = rest;
                self.digits(Token::Digits)
            }
            b'0'..=b'9' if self.place == Place::Suffix => {
                self.place = Place::SuffixNumber;
                self.digits(Token::SuffixNumber)
            }
            b'_' if self.place <= Place::SuffixNumber => {
                let (name, rest) = take_while(rest, |byte| byte.is_ascii_lowercase());
                self.rest = rest;
                self.place = Place::Suffix;
                let position = |names: &[&[u8]]| names.iter().position(|known| *known == name);
                position(&PRE_SUFFIXES)
                    .map(Token::PreSuffix)
                    .or_else(|| position(&POST_SUFFIXES).map(Token::PostSuffix))
            }
            b'~' if self.place < Place::Hash => {
                let (hash, rest) =
                    take_while(rest, |byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
                self.rest = rest;
                self.place = Place::Hash;
                (!hash.is_empty()).then_some(Token::Hash(hash))
            }
            b'-' if self.place < Place::Revision => {
                self.rest = rest.strip_prefix(b"r")?;
                self.place = Place::Revision;
                self.digits(Token::Revision)
            }
            _ => None,
        }
    }

    fn digits(&mut self, token: impl Fn(&'a [u8]) -> Token<'a>) -> Option<Token<'a>> {
        let (digits, rest) = take_digits(self.rest);
        self.rest = rest;
        (!digits.is_empty()).then(|| token(digits))
    }
}
