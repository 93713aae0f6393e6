//! Maven versions as `ComparableVersion` of Maven 3.8 and 3.9 orders them (POM reference, "Version Order
//! Specification"). Every string has a place.
//!
//! The release candidates of Maven 4 differ where `ga`, `final` or `release` is followed by something else, and where a
//! hyphen or dot stands between a qualifier and its number; the released line is the truth here until that one is.
//!
//! A version is a list of items in which a hyphen, or a change between letters and digits, opens a nested list. A
//! nested list is always the last item of its parent, so the whole is kept flat, with a mark where a list opens.
//!
//! Maven's order is not transitive for odd versions (`1.x.1 < 1-alpha < 1 < 1.x.1`), and ours follows it: see
//! [`super::Order::is_transitive`].

use std::borrow::Cow;
use std::cmp::Ordering;

use super::digits::{self, take_digits, take_while};

/// Maven's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (lower_case(a), lower_case(b));
    compare_items(&items(a.as_bytes()), &items(b.as_bytes()))
}

/// Maven takes any text; what it means to be a version begins with a number or at least holds one.
pub(super) fn is_valid(version: &str) -> bool {
    version.bytes().any(|byte| byte.is_ascii_digit()) && !version.contains(|c: char| c.is_whitespace())
}

fn lower_case(version: &str) -> Cow<'_, str> {
    if version.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(version.to_lowercase())
    } else {
        Cow::Borrowed(version)
    }
}

#[derive(Clone, Copy, Debug)]
enum Item<'a> {
    /// A nested list opens here and reaches to the end.
    List,
    /// Digits without leading zeros.
    Number(&'a [u8]),
    Word(Qualifier<'a>),
}

/// Known qualifiers by rank, unknown ones after them by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Qualifier<'a> {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    /// `ga`, `final`, `release` and the empty word.
    Release,
    ServicePack,
    Unknown(&'a [u8]),
}

impl<'a> Qualifier<'a> {
    fn new(word: &'a [u8], followed_by_digit: bool) -> Self {
        match word {
            b"a" if followed_by_digit => Self::Alpha,
            b"b" if followed_by_digit => Self::Beta,
            b"m" if followed_by_digit => Self::Milestone,
            b"alpha" => Self::Alpha,
            b"beta" => Self::Beta,
            b"milestone" => Self::Milestone,
            b"rc" | b"cr" => Self::Candidate,
            b"snapshot" => Self::Snapshot,
            b"" | b"ga" | b"final" | b"release" => Self::Release,
            b"sp" => Self::ServicePack,
            word => Self::Unknown(word),
        }
    }
}

impl Item<'_> {
    /// Compared with the absence of an item.
    fn compare_with_nothing(self) -> Ordering {
        match self {
            Item::Number(b"") | Item::List => Ordering::Equal,
            Item::Number(_) => Ordering::Greater,
            Item::Word(word) => word.cmp(&Qualifier::Release),
        }
    }

    /// Compared with another item at the same place; two lists are equal as far as this goes.
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Item::Number(a), Item::Number(b)) => digits::compare(a, b),
            (Item::Word(a), Item::Word(b)) => a.cmp(&b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Item::Word(_) => 0,
            Item::List => 1,
            Item::Number(_) => 2,
        }
    }
}

fn compare_items(a: &[Item<'_>], b: &[Item<'_>]) -> Ordering {
    let mut place = 0;
    loop {
        let order = match (a.get(place), b.get(place)) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => a.compare(*b),
            (Some(a), None) => a.compare_with_nothing(),
            (None, Some(b)) => b.compare_with_nothing().reverse(),
        };
        if order.is_ne() {
            return order;
        }
        place += 1;
    }
}

fn items(version: &[u8]) -> Vec<Item<'_>> {
    normalise(&parse(version))
}

/// Reads left to right.
fn parse(version: &[u8]) -> Vec<Item<'_>> {
    /// Most versions have no more items.
    const USUAL_ITEMS: usize = 8;
    let mut items = Vec::with_capacity(USUAL_ITEMS);
    let mut rest = version;
    while let Some((first, _)) = rest.split_first() {
        let list_is_empty = matches!(items.last(), None | Some(Item::List));
        let after = if matches!(first, b'.' | b'-') {
            // An empty place before a separator is zero.
            items.push(Item::Number(b""));
            rest
        } else if first.is_ascii_digit() {
            let (number, after) = take_digits(rest);
            items.push(Item::Number(digits::significant(number)));
            after
        } else {
            let (word, after) =
                take_while(rest, |byte| !byte.is_ascii_digit() && byte != b'.' && byte != b'-');
            let digit_follows = after.first().is_some_and(u8::is_ascii_digit);
            // Before a number and at the end, `.word` is as good as `-word`.
            if (digit_follows || after.is_empty()) && !list_is_empty {
                items.push(Item::List);
            }
            items.push(Item::Word(Qualifier::new(word, digit_follows)));
            after
        };
        rest = match after.split_first() {
            None => after,
            Some((b'.', rest)) => rest,
            Some((b'-', rest)) => {
                items.push(Item::List);
                rest
            }
            // From letters to digits or back.
            Some(_) => {
                items.push(Item::List);
                after
            }
        };
    }
    items
}

/// Drops what means nothing at the end of a list, or before the list nested in it: zeros, release words, empty lists.
fn normalise<'a>(items: &[Item<'a>]) -> Vec<Item<'a>> {
    // Built back to front.
    let mut kept: Vec<Item<'a>> = Vec::with_capacity(items.len());
    let mut at_the_end = true;
    for item in items.iter().rev() {
        let means_nothing = match item {
            Item::Number(digits) => digits.is_empty(),
            Item::Word(word) => *word == Qualifier::Release,
            Item::List => kept.is_empty(),
        };
        if !(at_the_end && means_nothing) {
            kept.push(*item);
        }
        // A mark ends the nested list; what comes now is the end of its parent.
        at_the_end = matches!(item, Item::List) || at_the_end && means_nothing;
    }
    kept.reverse();
    kept
}
