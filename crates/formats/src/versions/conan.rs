//! Conan versions (Conan 2, "Version" of recipes): dotted items, then `-pre-release`, then `+build`.
//!
//! Items are numbers where they can be, and a number and a word compare as text: `1.10 < 1.10a < 1.9 < 1.10`, in
//! Conan as here (see [`super::Order::is_transitive`]). Every string has a place.

use std::cmp::Ordering;

use super::digits;

/// Conan's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Version::split(a), Version::split(b));
    compare_items(a.items, b.items)
        .then_with(|| match (a.pre, b.pre) {
            (Some(a), Some(b)) => compare_items(a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        })
        .then_with(|| match (a.build, b.build) {
            (Some(a), Some(b)) => compare_items(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// What Conan allows in a reference's version.
pub(super) fn is_valid(version: &str) -> bool {
    const MAX_LENGTH: usize = 101;
    let mut bytes = version.bytes();
    version.len() <= MAX_LENGTH
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_+.-".contains(&byte))
}

struct Version<'a> {
    items: &'a str,
    pre: Option<&'a str>,
    build: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn split(version: &'a str) -> Self {
        let (version, build) = match version.rsplit_once('+') {
            Some((version, build)) => (version, Some(build)),
            None => (version, None),
        };
        match version.split_once('-') {
            Some((items, pre)) => Self { items, pre: Some(pre), build },
            None => Self { items: version, pre: None, build },
        }
    }
}

/// Item by item, zeros at the end left out; fewer before more.
fn compare_items(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (significant_items(a), significant_items(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => match (digits::is_number(x), digits::is_number(y)) {
                (true, true) => digits::compare(x, y),
                (true, false) => as_text(x).cmp(y),
                (false, true) => x.cmp(as_text(y)),
                (false, false) => x.cmp(y),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn significant_items(items: &str) -> impl Iterator<Item = &[u8]> {
    let is_zero = |item: &&str| !item.is_empty() && item.bytes().all(|byte| byte == b'0');
    let zeros = items.rsplit('.').take_while(is_zero).count();
    let all = items.split('.').count();
    items.split('.').take(all - zeros).map(str::as_bytes)
}

/// The digits Conan would print for the number.
fn as_text(digits: &[u8]) -> &[u8] {
    match digits::significant(digits) {
        [] => b"0",
        digits => digits,
    }
}
