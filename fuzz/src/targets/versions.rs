//! Version orders and version ranges.

use std::cmp::Ordering;

use yagura_formats::versions::{Order, npm::Range};

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target { name: "versions/compare", seeds: pairs, run: compare },
    Target { name: "versions/npm-range", seeds: ranges, run: contains },
];

fn pairs() -> Vec<Vec<u8>> {
    [
        "1:2.3~rc1-4+deb12u1\n2.3-4",
        "1.2_rc1-r3\n1.2a",
        "1!2.0.post1.dev2+local.1\n2.0a1",
        "1.0.0-SNAPSHOT-1.final\n1-0.alpha",
        "v1.2.4-0.20200101000000-0123456789ab+incompatible\ngo1.21rc2",
        "2.1.x-dev@beta\n2010-01-02-patch3",
    ]
    .map(|pair| pair.as_bytes().to_vec())
    .to_vec()
}

/// Whatever two texts: an answer, and the opposite one the other way round.
fn compare(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (a, b) = text.split_once('\n').unwrap_or((&text, ""));
    for order in Order::ALL {
        assert_eq!(order.compare(a, b), order.compare(b, a).reverse(), "{order}");
        assert_eq!(order.compare(a, a), Ordering::Equal, "{order}");
        let _ = order.is_valid(a);
    }
}

fn ranges() -> Vec<Vec<u8>> {
    ["^1.2.3 || ~2.1 >=2.1.5-beta <3\n2.1.5-rc.1", "1.x - 2.*\n2.9.9", ">=0.0.0-0\n0.0.0"]
        .map(|range| range.as_bytes().to_vec())
        .to_vec()
}

fn contains(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (range, version) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(range) = Range::parse(range) {
        let _ = range.contains(version) || range.contains_with_pre_releases(version);
    }
}
