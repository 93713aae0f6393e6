//! Conditions: operators over keys of the request.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use yagura_formats::document::Node;

use super::policy::Text;
use super::{Truth, pattern};

/// What is known of the circumstances of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Values by the key in small letters; an empty list says that the key is certainly not there.
    values: BTreeMap<String, Vec<String>>,
    /// Whether keys that are not in it are not in the request; else nothing is known of them.
    pub(super) complete: bool,
}

impl Context {
    /// One of which everything is known: what is not said of it is not there.
    pub fn complete() -> Self {
        Self { complete: true, ..Self::default() }
    }

    /// With a key's values.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Self {
        self.values
            .insert(key.to_ascii_lowercase(), values.iter().map(|value| (*value).to_owned()).collect());
        self
    }

    /// The values of a key; none where it is not there or not known.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.values.get(&key.to_ascii_lowercase()).map(Vec::as_slice).filter(|values| !values.is_empty())
    }

    fn knows(&self, key: &str) -> bool {
        self.complete || self.values.contains_key(&key.to_ascii_lowercase())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// As it is written: `ForAnyValue:StringLikeIfExists`.
    pub operator: String,
    pub key: String,
    pub values: Vec<Text>,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.values.iter().map(|value| value.text.as_str()).collect();
        write!(f, "{} {} {}", self.key, self.operator, values.join(" or "))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    None,
    All,
    Any,
}

impl Condition {
    /// Reads `{operator, key, values}`; none where the operator or the key is not known.
    pub(super) fn read(node: &Node<'_>, resolve: &dyn Fn(&str) -> String) -> Option<Self> {
        let values = node.get("values");
        let one = |value: &Node<'_>| match value.scalar() {
            Some(text) => Text { text: resolve(text), is_unknown: false },
            None => Text { text: resolve(value.tag.as_deref().unwrap_or_default()), is_unknown: true },
        };
        let values = match values {
            Some(list) if list.is_unknown() => vec![Text { text: String::new(), is_unknown: true }],
            Some(list) => list.items().iter().map(one).collect(),
            None => Vec::new(),
        };
        Some(Self {
            operator: node.text_of("operator")?.to_owned(),
            key: resolve(node.text_of("key")?),
            values,
        })
    }

    /// Whether it holds in these circumstances.
    pub fn holds(&self, context: &Context) -> Truth {
        let (quantifier, operator) = match self.operator.split_once(':') {
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAllValues") => (Quantifier::All, rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, rest),
            _ => (Quantifier::None, self.operator.as_str()),
        };
        let lower = operator.to_ascii_lowercase();
        let (operator, if_exists) = match lower.strip_suffix("ifexists") {
            Some(operator) => (operator, true),
            None => (lower.as_str(), false),
        };
        if operator == "null" {
            return self.is_null(context);
        }
        let Some((operator, negated)) = Operator::read(operator) else { return Truth::Unknown };
        if !context.knows(&self.key) {
            return Truth::Unknown;
        }
        let Some(values) = context.get(&self.key) else {
            // What is not there is like nothing, and unlike everything.
            return Truth::of(
                if_exists
                    || match quantifier {
                        Quantifier::All => true,
                        Quantifier::Any => false,
                        Quantifier::None => negated,
                    },
            );
        };
        let is_one_of = |value: &String| {
            let any = self
                .values
                .iter()
                .fold(Truth::No, |any, wanted| any.or(operator.compare(wanted, value, context)));
            if negated { any.negated() } else { any }
        };
        match quantifier {
            Quantifier::All => values.iter().fold(Truth::Yes, |all, value| all.and(is_one_of(value))),
            Quantifier::None if negated => {
                values.iter().fold(Truth::Yes, |all, value| all.and(is_one_of(value)))
            }
            Quantifier::Any | Quantifier::None => {
                values.iter().fold(Truth::No, |any, value| any.or(is_one_of(value)))
            }
        }
    }

    fn is_null(&self, context: &Context) -> Truth {
        if !context.knows(&self.key) || self.values.iter().any(|value| value.is_unknown) {
            return Truth::Unknown;
        }
        let absent = context.get(&self.key).is_none();
        Truth::of(
            self.values
                .iter()
                .any(|value| value.text.eq_ignore_ascii_case(if absent { "true" } else { "false" })),
        )
    }
}

/// What is compared, without its negation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Text { fold: bool },
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn read(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "equals" => (Self::Equal, false),
            "notequals" => (Self::Equal, true),
            "lessthan" => (Self::Less, false),
            "lessthanequals" => (Self::LessOrEqual, false),
            "greaterthan" => (Self::Greater, false),
            "greaterthanequals" => (Self::GreaterOrEqual, false),
            _ => return None,
        })
    }

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => (left - right).abs() < f64::EPSILON,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Operator {
    /// The operator of a name in small letters, and whether it is negated.
    fn read(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "stringequals" => (Self::Text { fold: false }, false),
            "stringnotequals" => (Self::Text { fold: false }, true),
            "stringequalsignorecase" => (Self::Text { fold: true }, false),
            "stringnotequalsignorecase" => (Self::Text { fold: true }, true),
            "stringlike" => (Self::Like, false),
            "stringnotlike" => (Self::Like, true),
            "bool" => (Self::Bool, false),
            "binaryequals" => (Self::Binary, false),
            "ipaddress" => (Self::Address, false),
            "notipaddress" => (Self::Address, true),
            "arnequals" | "arnlike" => (Self::Arn, false),
            "arnnotequals" | "arnnotlike" => (Self::Arn, true),
            _ => {
                let (numeric, rest) = match name.strip_prefix("numeric") {
                    Some(rest) => (true, rest),
                    None => (false, name.strip_prefix("date")?),
                };
                let (order, negated) = Order::read(rest)?;
                (if numeric { Self::Number(order) } else { Self::Date(order) }, negated)
            }
        })
    }

    fn compare(self, wanted: &Text, value: &str, context: &Context) -> Truth {
        if wanted.is_unknown && wanted.text.is_empty() {
            return Truth::Unknown;
        }
        let text = wanted.text.as_str();
        match self {
            Self::Text { fold } => pattern::equals(text, value, context, fold),
            Self::Like => pattern::matches(text, value, context, false),
            Self::Arn => pattern::matches_arn(text, value, context),
            _ if wanted.is_unknown => Truth::Unknown,
            Self::Bool => Truth::of(text.eq_ignore_ascii_case(value)),
            Self::Binary => Truth::of(text == value),
            Self::Number(order) => match (value.trim().parse::<f64>(), text.trim().parse::<f64>()) {
                (Ok(value), Ok(wanted)) => Truth::of(order.holds(value, wanted)),
                _ => Truth::No,
            },
            Self::Date(order) => match (seconds(value), seconds(text)) {
                (Some(value), Some(wanted)) => Truth::of(order.holds(value, wanted)),
                _ => Truth::No,
            },
            Self::Address => Truth::of(is_within(value, text)),
        }
    }
}

/// Seconds since 1970 of an ISO 8601 moment (`2026-01-31`, `2026-01-31T10:00:00Z`) or of seconds themselves.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, "Z"),
    };
    let mut parts = clock.splitn(3, ':');
    let hours: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let rest: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let shift = match offset.strip_prefix(['+', '-']) {
        Some(shift) => {
            let (hours, minutes) = shift.split_once(':').unwrap_or((shift, "0"));
            let shift = hours.parse::<f64>().ok()? * 3600.0 + minutes.parse::<f64>().ok()? * 60.0;
            if offset.starts_with('-') { -shift } else { shift }
        }
        None => 0.0,
    };
    // Days by the proleptic Gregorian calendar, years beginning in March.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = shifted_year.div_euclid(400);
    let of_era = shifted_year.rem_euclid(400);
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    #[expect(clippy::cast_precision_loss, reason = "days of four-digit years are small")]
    let days = days as f64;
    Some(days * 86_400.0 + hours * 3600.0 + minutes * 60.0 + rest - shift)
}

fn is_within(address: &str, range: &str) -> bool {
    let (base, length) = range.split_once('/').map_or((range, None), |(base, length)| (base, Some(length)));
    let (Ok(address), Ok(base)) = (address.trim().parse::<IpAddr>(), base.trim().parse::<IpAddr>()) else {
        return false;
    };
    let (address, base, width) = match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            (u128::from(address.to_bits()), u128::from(base.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => (address.to_bits(), base.to_bits(), 128),
        _ => return false,
    };
    let length = match length.map(str::parse::<u32>) {
        None => width,
        Some(Ok(length)) if length <= width => length,
        Some(_) => return false,
    };
    let free = width.saturating_sub(length);
    length == 0 || address >> free == base >> free
}

#[cfg(test)]
mod tests {
    use super::{Condition, Context, Text, Truth, seconds};

    fn holds(operator: &str, wanted: &[&str], values: Option<&[&str]>) -> Truth {
        let condition = Condition {
            operator: operator.into(),
            key: "Aws:Key".into(),
            values: wanted.iter().map(|text| Text::known(text)).collect(),
        };
        let context = Context::complete();
        condition.holds(&values.map_or(context.clone(), |values| context.with("aws:key", values)))
    }

    #[test]
    fn operators_hold_as_the_guide_says() {
        for (operator, wanted, values, expected) in [
            ("StringEquals", &["a", "b"][..], Some(&["b"][..]), true),
            ("StringNotEquals", &["a", "b"], Some(&["b"]), false),
            ("StringNotEquals", &["a"], None, true),
            ("StringEquals", &["a"], None, false),
            ("StringEqualsIfExists", &["a"], None, true),
            ("StringEqualsIgnoreCase", &["A"], Some(&["a"]), true),
            ("StringLike", &["a*"], Some(&["abc"]), true),
            ("ForAllValues:StringEquals", &["a", "b"], Some(&["a", "b"]), true),
            ("ForAllValues:StringEquals", &["a", "b"], Some(&["a", "c"]), false),
            ("ForAllValues:StringEquals", &["a"], None, true),
            ("ForAnyValue:StringEquals", &["a"], Some(&["c", "a"]), true),
            ("ForAnyValue:StringEquals", &["a"], None, false),
            ("ForAnyValue:StringNotEquals", &["a"], Some(&["a", "c"]), true),
            ("NumericLessThanEquals", &["10"], Some(&["10"]), true),
            ("DateGreaterThan", &["2026-01-01T00:00:00Z"], Some(&["2026-01-01T01:00:00+00:30"]), true),
            ("Bool", &["true"], Some(&["True"]), true),
            ("IpAddress", &["10.0.0.0/8", "2001:db8::/32"], Some(&["2001:db8::1"]), true),
            ("NotIpAddress", &["10.0.0.0/8"], Some(&["10.1.2.3"]), false),
            ("ArnLike", &["arn:aws:iam::*:role/x-*"], Some(&["arn:aws:iam::1:role/x-y"]), true),
            ("Null", &["true"], None, true),
            ("Null", &["false"], None, false),
        ] {
            assert_eq!(
                holds(operator, wanted, values),
                Truth::of(expected),
                "{operator} {wanted:?} {values:?}"
            );
        }
        let nothing = Context::default();
        let unknown =
            Condition { operator: "StringEquals".into(), key: "k".into(), values: vec![Text::known("a")] };
        assert_eq!(unknown.holds(&nothing), Truth::Unknown);
    }

    #[test]
    fn moments_are_seconds() {
        assert_eq!(seconds("1970-01-02"), Some(86_400.0));
        assert_eq!(seconds("2000-03-01T00:00:00Z"), Some(951_868_800.0));
        assert_eq!(seconds("2000-13-01"), None);
    }
}
