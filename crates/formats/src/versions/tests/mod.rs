//! The laws every order obeys, over strings made to break them.

mod vectors;

use std::cmp::Ordering;

use proptest::prelude::*;

use super::{Order, RangeType};

/// Pieces that mean something to at least one order.
const PIECES: [&str; 56] = [
    "0",
    "1",
    "2",
    "9",
    "10",
    "00",
    "01",
    "007",
    "99999999999999999999",
    ".",
    "..",
    "-",
    "--",
    "_",
    "+",
    "~",
    "^",
    ":",
    "!",
    " ",
    "v",
    "V",
    "a",
    "b",
    "c",
    "A",
    "rc",
    "RC",
    "alpha",
    "beta",
    "pre",
    "post",
    "dev",
    "final",
    "ga",
    "sp",
    "snapshot",
    "p",
    "r",
    "-r",
    "git",
    "dev-",
    "stable",
    "incompatible",
    "x-dev",
    "*",
    "#",
    "/",
    "é",
    "中",
    "1.0",
    "1.0.0",
    "-1",
    "go",
    "20060102150405-abcdefabcdef",
    "main",
];

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..8).prop_map(|parts| parts.concat()),
        1 => "[0-2a-b.~^+_:!-]{0,6}",
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_order_is_total(a in version(), b in version(), c in version()) {
        for order in Order::ALL {
            prop_assert_eq!(order.compare(&a, &a), Ordering::Equal, "{} {:?}", order, &a);
            prop_assert_eq!(order.compare(&a, &b), order.compare(&b, &a).reverse(), "{} {:?} {:?}", order, &a, &b);
            let mut unsorted = [&a, &b, &c];
            order.sort(&mut unsorted, |version| version.as_str());
            if !order.is_transitive() {
                continue;
            }
            let mut sorted = [&a, &b, &c];
            sorted.sort_by(|x, y| order.compare(x, y));
            let [low, middle, high] = sorted;
            let (first, second) = (order.compare(low, middle), order.compare(middle, high));
            prop_assert_eq!(
                order.compare(low, high),
                first.then(second),
                "{} is not transitive over {:?} {:?} {:?}", order, low, middle, high
            );
            let _ = order.is_valid(&a);
        }
    }
}

#[test]
fn names_and_codes_are_unique_and_lead_back() {
    for order in Order::ALL {
        assert_eq!(Order::from_name(order.name()), Some(order));
        assert_eq!(Order::from_code(order.code()), Some(order));
        let json = serde_json::to_string(&order).unwrap();
        assert_eq!(json, format!("\"{}\"", order.name()));
    }
}

#[test]
fn ecosystems_keep_their_order_whatever_the_release() {
    for (ecosystem, order) in [
        ("Debian:12", Order::Dpkg),
        ("Debian", Order::Dpkg),
        ("Ubuntu:22.04:LTS", Order::Dpkg),
        ("Ubuntu:Pro:18.04:LTS", Order::Dpkg),
        ("Alpine:v3.19", Order::Apk),
        ("Wolfi", Order::Apk),
        ("Chainguard", Order::Apk),
        ("MinimOS", Order::Apk),
        ("AlmaLinux:9", Order::Rpm),
        ("Rocky Linux:8", Order::Rpm),
        ("Red Hat:enterprise_linux:9::appstream", Order::Rpm),
        ("SUSE:Linux Enterprise Server 15 SP5", Order::Rpm),
        ("openSUSE:Leap 15.5", Order::Rpm),
        ("openEuler:22.03-LTS", Order::Rpm),
        ("Mageia:9", Order::Rpm),
        ("Photon OS:5.0", Order::Rpm),
        ("Azure Linux:3", Order::Rpm),
        ("Packagist:https://packages.drupal.org/8", Order::Composer),
        ("Maven:https://repo1.maven.org/maven2", Order::Maven),
        ("GitHub Actions", Order::Semver),
        ("Android:13", Order::Generic),
        ("OSS-Fuzz", Order::Generic),
        ("Linux", Order::Generic),
        ("GHC", Order::Semver),
        ("VSCode", Order::Semver),
        ("CRAN", Order::Cran),
        ("Pub", Order::Pub),
    ] {
        assert_eq!(Order::for_osv_ecosystem(ecosystem), Some(order), "{ecosystem}");
    }
    assert_eq!(Order::for_osv_ecosystem("Debianish:12"), None);
    assert_eq!(Order::for_osv_ecosystem(""), None);
}

#[test]
fn range_types_choose_the_order() {
    let order = |ecosystem, range| Order::for_osv_range(ecosystem, RangeType::from_osv_name(range).unwrap());
    assert_eq!(order("npm", "SEMVER"), Some(Order::Semver));
    assert_eq!(order("Go", "SEMVER"), Some(Order::Go));
    assert_eq!(order("Bitnami", "SEMVER"), Some(Order::Bitnami));
    assert_eq!(order("Unheard Of", "SEMVER"), Some(Order::Semver));
    assert_eq!(order("Unheard Of", "ECOSYSTEM"), None);
    assert_eq!(order("Debian:12", "GIT"), None);
}

#[test]
fn sorting_survives_an_order_that_goes_in_circles() {
    let mut versions: Vec<String> = (0..300)
        .map(|i| ["1.x.1", "1-alpha", "1", "1-0.alpha", "1-sp"][i % 5].to_owned() + &"-1".repeat(i % 7))
        .collect();
    Order::Maven.sort(&mut versions, String::as_str);
    let mut simple = ["1.10", "1.9", "1.10-rc1"];
    Order::Maven.sort(&mut simple, |version| version);
    assert_eq!(simple, ["1.9", "1.10-rc1", "1.10"]);
}
