//! What a value is held against.

use std::cmp::Ordering;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use yagura_model::field::{FieldType, FieldValue, Fields};

use super::glob::Glob;
use super::literal::{Network, Number, hexadecimal};
use super::operand::{Operand, bytes};
use super::paths::PathSet;
use super::text_set::TextSet;
use crate::falco::condition::{Comparison, Modifier};

/// Largest compiled regular expression.
const MAX_REGEX_BYTES: usize = 4 << 20;

/// A test of one value.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// `exists`.
    Anything,
    Nothing,
    Boolean(bool),
    Number(Comparison, Number),
    NumberIn(Vec<Number>),
    Text(Comparison, Box<[u8]>),
    TextIn(TextSet),
    Contains(Box<Finder<'static>>),
    StartsWith(Box<[u8]>),
    EndsWith(Box<[u8]>),
    Glob(Glob),
    /// Also `icontains`.
    Regex(Regex),
    Path(PathSet),
    AddressIn(Vec<Network>),
    Not(Box<Matcher>),
    Any(Vec<Matcher>),
    All(Vec<Matcher>),
    One(Vec<Matcher>),
    /// Another operand's value of the same event.
    Operand(Comparison, Box<Operand>),
}

impl Matcher {
    /// The test of a field of a type by an operator and a constant right-hand side.
    pub fn new(
        kind: FieldType,
        comparison: Comparison,
        modifier: Option<Modifier>,
        values: &[&[u8]],
    ) -> Result<Self, String> {
        if let Some(modifier) = modifier {
            let all = || -> Result<Vec<Self>, String> {
                values.iter().map(|value| Self::new(kind, comparison, None, &[value])).collect()
            };
            return match (modifier, comparison) {
                _ if values.is_empty() => Ok(Self::Nothing),
                (Modifier::AnyOf, Comparison::Equal) => Self::new(kind, Comparison::In, None, values),
                (Modifier::AllOf, Comparison::NotEqual) => {
                    Ok(Self::Not(Box::new(Self::new(kind, Comparison::In, None, values)?)))
                }
                (Modifier::AnyOf, _) => Ok(Self::Any(all()?)),
                (Modifier::AllOf, _) => Ok(Self::All(all()?)),
                (Modifier::OneOf, _) => Ok(Self::One(all()?)),
            };
        }
        match comparison {
            Comparison::Exists => Ok(Self::Anything),
            Comparison::NotEqual => {
                Ok(Self::Not(Box::new(Self::new(kind, Comparison::Equal, None, values)?)))
            }
            Comparison::In | Comparison::Intersects => Self::set(kind, values),
            Comparison::PathMatch => Ok(Self::Path(PathSet::new(values.iter().copied()))),
            _ => match values.first() {
                Some(value) => Self::single(kind, comparison, value),
                None => Ok(Self::Nothing),
            },
        }
    }

    fn set(kind: FieldType, values: &[&[u8]]) -> Result<Self, String> {
        match kind {
            FieldType::Text | FieldType::Path | FieldType::Bytes => {
                Ok(Self::TextIn(TextSet::new(values.iter().copied())))
            }
            FieldType::Boolean => {
                let all = values.iter().map(|value| Self::single(kind, Comparison::Equal, value));
                all.collect::<Result<_, _>>().map(Self::Any)
            }
            FieldType::Address => values
                .iter()
                .map(|value| Network::parse_either(value))
                .collect::<Result<_, _>>()
                .map(Self::AddressIn),
            FieldType::Network => values
                .iter()
                .map(|value| Network::parse(value))
                .collect::<Result<_, _>>()
                .map(Self::AddressIn),
            _ => values
                .iter()
                .map(|value| Number::parse(value, kind))
                .collect::<Result<_, _>>()
                .map(Self::NumberIn),
        }
    }

    fn single(kind: FieldType, comparison: Comparison, value: &[u8]) -> Result<Self, String> {
        match kind {
            FieldType::Boolean => match value {
                b"true" => Ok(Self::Boolean(true)),
                b"false" => Ok(Self::Boolean(false)),
                other => Err(format!(
                    "filter error: unrecognized boolean value {}",
                    String::from_utf8_lossy(other)
                )),
            },
            FieldType::Address | FieldType::Network => Self::set(kind, &[value]),
            FieldType::Text | FieldType::Path | FieldType::Bytes => Self::text(comparison, value),
            _ => Ok(Self::Number(comparison, Number::parse(value, kind)?)),
        }
    }

    fn text(comparison: Comparison, value: &[u8]) -> Result<Self, String> {
        let binary = || {
            hexadecimal(value).ok_or_else(|| {
                "filter error: bcontains and bstartswith operator support hex strings only".to_owned()
            })
        };
        let contains = |needle: &[u8]| Self::Contains(Box::new(Finder::new(needle).into_owned()));
        Ok(match comparison {
            Comparison::Contains => contains(value),
            Comparison::ContainsBytes => contains(&binary()?),
            Comparison::StartsWith => Self::StartsWith(value.into()),
            Comparison::StartsWithBytes => Self::StartsWith(binary()?.into()),
            Comparison::EndsWith => Self::EndsWith(value.into()),
            Comparison::Glob => Self::Glob(Glob::new(value, false)),
            Comparison::GlobIgnoringCase => Self::Glob(Glob::new(value, true)),
            Comparison::ContainsIgnoringCase => Self::Regex(ignoring_case(value)?),
            Comparison::Regex => Self::Regex(whole(value)?),
            other => Self::Text(other, value.into()),
        })
    }

    /// Whether a value passes. The event is asked only when the right-hand side is another field.
    pub fn matches<E: Fields + ?Sized>(&self, value: &FieldValue<'_>, event: &E) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => false,
            Self::Boolean(wanted) => match value {
                FieldValue::Boolean(value) => value == wanted,
                FieldValue::Unsigned(value) => (*value != 0) == *wanted,
                _ => false,
            },
            Self::Number(comparison, right) => Number::of(value)
                .and_then(|left| left.compare(*right))
                .is_some_and(|ordering| holds(*comparison, ordering)),
            Self::NumberIn(numbers) => Number::of(value).is_some_and(|left| {
                numbers.iter().any(|right| left.compare(*right) == Some(Ordering::Equal))
            }),
            Self::Text(Comparison::Equal, right) => *bytes(value) == **right,
            Self::Text(comparison, right) => holds(*comparison, bytes(value).as_ref().cmp(right)),
            Self::TextIn(set) => set.contains(&bytes(value)),
            Self::Contains(finder) => finder.find(&bytes(value)).is_some(),
            Self::StartsWith(right) => bytes(value).starts_with(right),
            Self::EndsWith(right) => bytes(value).ends_with(right),
            Self::Glob(glob) => glob.matches(&bytes(value)),
            Self::Regex(regex) => regex.is_match(&bytes(value)),
            Self::Path(paths) => paths.matches(&bytes(value)),
            Self::AddressIn(networks) => match value {
                FieldValue::Address(address) => networks.iter().any(|network| network.contains(*address)),
                _ => false,
            },
            Self::Not(inner) => !inner.matches(value, event),
            Self::Any(all) => all.iter().any(|matcher| matcher.matches(value, event)),
            Self::All(all) => all.iter().all(|matcher| matcher.matches(value, event)),
            Self::One(all) => all.iter().filter(|matcher| matcher.matches(value, event)).take(2).count() == 1,
            Self::Operand(comparison, right) => {
                let mut found = false;
                right.each(event, &mut |right| {
                    found = compare(*comparison, value, right);
                    if found { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
                });
                found
            }
        }
    }

    /// How dear a test is, in about ten nanoseconds.
    pub fn cost(&self) -> u32 {
        match self {
            Self::Anything | Self::Nothing | Self::Boolean(_) | Self::Number(..) => 1,
            Self::Text(..) | Self::StartsWith(_) | Self::EndsWith(_) => 2,
            Self::TextIn(_) | Self::AddressIn(_) | Self::NumberIn(_) => 3,
            Self::Contains(_) => 5,
            Self::Glob(_) | Self::Path(_) => 12,
            Self::Regex(_) => 30,
            Self::Operand(..) => 15,
            Self::Not(inner) => inner.cost(),
            Self::Any(all) | Self::All(all) | Self::One(all) => all.iter().map(Self::cost).sum(),
        }
    }
}

fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
        _ => false,
    }
}

/// Two values of the same type.
fn compare(comparison: Comparison, left: &FieldValue<'_>, right: &FieldValue<'_>) -> bool {
    let (left_bytes, right_bytes) = match (Number::of(left), Number::of(right)) {
        (Some(left), Some(right)) => {
            let comparison = match comparison {
                Comparison::In | Comparison::Intersects => Comparison::Equal,
                other => other,
            };
            return left.compare(right).is_some_and(|ordering| holds(comparison, ordering));
        }
        _ => (bytes(left), bytes(right)),
    };
    let (left, right) = (left_bytes.as_ref(), right_bytes.as_ref());
    match comparison {
        Comparison::In | Comparison::Intersects => left == right,
        Comparison::Contains | Comparison::ContainsBytes => memchr::memmem::find(left, right).is_some(),
        Comparison::ContainsIgnoringCase => {
            memchr::memmem::find(&left.to_ascii_lowercase(), &right.to_ascii_lowercase()).is_some()
        }
        Comparison::StartsWith | Comparison::StartsWithBytes => left.starts_with(right),
        Comparison::EndsWith => left.ends_with(right),
        Comparison::Glob => Glob::new(right, false).matches(left),
        Comparison::GlobIgnoringCase => Glob::new(right, true).matches(left),
        other => holds(other, left.cmp(right)),
    }
}

/// Matches the whole value only. `^` and `$` within stand for lines, as POSIX has them.
fn whole(pattern: &[u8]) -> Result<Regex, String> {
    let pattern = String::from_utf8_lossy(pattern);
    let build = |unicode: bool| {
        RegexBuilder::new(&format!(r"\A(?m:{pattern})\z"))
            .unicode(unicode)
            .size_limit(MAX_REGEX_BYTES)
            .build()
    };
    // Ignoring case in all of Unicode needs tables that are not built in; ASCII does for what rules name.
    build(true).or_else(|_| build(false)).map_err(|error| format!("invalid regex pattern: {error}"))
}

fn ignoring_case(needle: &[u8]) -> Result<Regex, String> {
    let mut pattern = String::new();
    for byte in needle {
        pattern.push_str(&format!("\\x{byte:02x}"));
    }
    RegexBuilder::new(&pattern)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|error| error.to_string())
}
