//! The order of flaw names: CVEs by year and number, everything else after them as text.

use std::cmp::Ordering;

/// Compares two names.
pub fn compare(a: &str, b: &str) -> Ordering {
    match (cve(a), cve(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Compares a name kept as bytes with another.
pub fn compare_bytes(a: &[u8], b: &str) -> Ordering {
    compare(std::str::from_utf8(a).unwrap_or_default(), b)
}

/// Year, number and the whole text (so that `CVE-2020-01` and `CVE-2020-1` stay apart).
fn cve(name: &str) -> Option<(u32, u64, &str)> {
    let (year, number) = name.strip_prefix("CVE-")?.split_once('-')?;
    Some((year.parse().ok()?, number.parse().ok()?, name))
}

/// Whether a text is a CVE identifier with a year and a number.
pub fn is_cve(name: &str) -> bool {
    cve(name).is_some()
}
