//! The laws every order obeys, over strings made to break them.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::Order;

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
