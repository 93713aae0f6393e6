//! Versions as semver.org 2.0.0 has them (Kubernetes' library "semver").

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Function, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::extension::Extension;
use crate::cel::value::{Outcome, Value};

/// A version; what follows `+` says nothing of its order and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre_release: Vec<Identifier>,
}

/// A part of a pre-release: numbers come before texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

pub static TABLE: &[Function] = &[
    global("isSemver", 1, 2, |_, a| Ok(Value::Bool(read("isSemver", a)?.is_some()))),
    global("semver", 1, 2, |_, a| {
        let version = read("semver", a)?.ok_or_else(|| Fault::error("a text that is no semantic version"))?;
        Ok(Value::Extension(Arc::new(Extension::Version(version))))
    }),
    method("major", 0, 0, |_, a| number("major", a, 0)),
    method("minor", 0, 0, |_, a| number("minor", a, 1)),
    method("patch", 0, 0, |_, a| number("patch", a, 2)),
];

/// The version of the first argument; normalised first where the second one is true.
fn read(name: &str, arguments: &[Value<'_>]) -> Result<Option<Version>, Fault> {
    match arguments {
        [Value::String(text)] => Ok(Version::parse(text.as_str())),
        [Value::String(text), Value::Bool(normalise)] => Ok(match normalise {
            false => Version::parse(text.as_str()),
            true => Version::parse(&normalised(text.as_str())),
        }),
        _ => Err(mismatch(name, arguments)),
    }
}

fn number<'a>(name: &str, arguments: &[Value<'a>], at: usize) -> Outcome<'a> {
    if let Value::Extension(extension) = &arguments[0]
        && let Extension::Version(version) = &**extension
    {
        return Ok(Value::Int(i64::try_from(version.numbers[at]).unwrap_or(i64::MAX)));
    }
    Err(mismatch(name, arguments))
}

/// `v1.02` as `1.2.0`.
fn normalised(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<&str> = core.split('.').collect();
    while parts.len() < 3 {
        parts.push("0");
    }
    let trimmed = parts.iter().map(|part| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0",
        left => left,
    });
    format!("{}{rest}", trimmed.collect::<Vec<_>>().join("."))
}

impl Version {
    pub fn parse(text: &str) -> Option<Self> {
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (core, pre_release) =
            text.split_once('-').map_or((text, None), |(core, rest)| (core, Some(rest)));
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if build.is_some_and(|build| !build.split('.').all(word)) {
            return None;
        }
        let mut numbers = core.split('.').map(plain_number);
        let numbers = [
            numbers.next()??,
            numbers.next()??,
            match (numbers.next(), numbers.next()) {
                (Some(Some(patch)), None) => patch,
                _ => return None,
            },
        ];
        let identifier = |part: &str| -> Option<Identifier> {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            match digits && !part.is_empty() {
                true => plain_number(part).map(Identifier::Number),
                false => word(part).then(|| Identifier::Text(part.to_owned())),
            }
        };
        let pre_release =
            pre_release.map_or(Some(Vec::new()), |text| text.split('.').map(identifier).collect())?;
        Some(Self { numbers, pre_release })
    }

    pub fn order(&self, other: &Self) -> Ordering {
        let released = |version: &Self| version.pre_release.is_empty();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| released(self).cmp(&released(other)))
            .then_with(|| self.pre_release.cmp(&other.pre_release))
    }
}

/// Digits without a zero before them.
fn plain_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
