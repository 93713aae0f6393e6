//! Runs of decimal digits, compared as numbers of any length without parsing them.

use std::cmp::Ordering;

/// Splits off the longest prefix whose bytes satisfy the test.
pub(super) fn take_while(bytes: &[u8], test: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !test(*byte)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// Splits off the leading ASCII digits.
pub(super) fn take_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    take_while(bytes, |byte| byte.is_ascii_digit())
}

/// The same number without leading zeros; empty for zero.
pub(super) fn significant(digits: &[u8]) -> &[u8] {
    take_while(digits, |byte| byte == b'0').1
}

/// Whether the text is one or more digits.
pub(super) fn is_number(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// Compares two runs of digits by value; an empty run is zero.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Compares dotted (or otherwise split) numbers; a missing one counts as zero.
pub(super) fn compare_padded<'a>(
    a: impl Iterator<Item = &'a [u8]>,
    b: impl Iterator<Item = &'a [u8]>,
) -> Ordering {
    let (mut a, mut b) = (a.fuse(), b.fuse());
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) => compare(x.unwrap_or_default(), y.unwrap_or_default()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Compares two texts byte by byte with ASCII case folded.
pub(super) fn compare_ignoring_case(a: &[u8], b: &[u8]) -> Ordering {
    let fold = |byte: &u8| byte.to_ascii_lowercase();
    a.iter().map(fold).cmp(b.iter().map(fold))
}
