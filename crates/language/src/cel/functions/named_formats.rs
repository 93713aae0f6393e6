//! Named formats of texts (Kubernetes' library "format").

use std::sync::Arc;

use super::{Function, global, method, mismatch};
use crate::cel::extension::Extension;
use crate::cel::time::Timestamp;
use crate::cel::value::Value;

/// One of [`FORMATS`].
#[derive(Clone, Copy, Debug)]
pub struct NamedFormat(&'static Format);

/// A format: its name and what is wrong with a text.
#[derive(Debug)]
struct Format {
    name: &'static str,
    check: fn(&str) -> Option<&'static str>,
}

static FORMATS: [Format; 13] = [
    Format { name: "dns1123Label", check: |text| label(text, 63, false) },
    Format { name: "dns1123Subdomain", check: subdomain },
    Format { name: "dns1035Label", check: |text| label(text, 63, true) },
    Format { name: "qualifiedName", check: qualified_name },
    Format {
        name: "dns1123LabelPrefix",
        check: |text| label(text.strip_suffix('-').unwrap_or(text), 63, false),
    },
    Format {
        name: "dns1123SubdomainPrefix",
        check: |text| subdomain(text.strip_suffix(['-', '.']).unwrap_or(text)),
    },
    Format {
        name: "dns1035LabelPrefix",
        check: |text| label(text.strip_suffix('-').unwrap_or(text), 63, true),
    },
    Format { name: "labelValue", check: |text| if text.is_empty() { None } else { name_part(text) } },
    Format { name: "uri", check: |text| super::Url::parse(text).is_none().then_some("must be a URI") },
    Format { name: "uuid", check: uuid },
    Format { name: "byte", check: base64_text },
    Format {
        name: "date",
        check: |text| {
            let read = (text.len() == 10).then(|| Timestamp::parse(&format!("{text}T00:00:00Z"))).flatten();
            read.is_none().then_some("must be a date such as 2026-12-31")
        },
    },
    Format {
        name: "datetime",
        check: |text| Timestamp::parse(text).is_none().then_some("must be a time as RFC 3339 writes it"),
    },
];

pub static TABLE: &[Function] = &[
    global("format.named", 1, 1, |_, a| {
        let name = a[0].as_str().ok_or_else(|| mismatch("format.named", a))?;
        let found = FORMATS.iter().find(|format| format.name == name);
        Ok(found.map_or(Value::Optional(None), |format| Value::some(value(format))))
    }),
    global("format.dns1123Label", 0, 0, |_, _| Ok(value(&FORMATS[0]))),
    global("format.dns1123Subdomain", 0, 0, |_, _| Ok(value(&FORMATS[1]))),
    global("format.dns1035Label", 0, 0, |_, _| Ok(value(&FORMATS[2]))),
    global("format.qualifiedName", 0, 0, |_, _| Ok(value(&FORMATS[3]))),
    global("format.dns1123LabelPrefix", 0, 0, |_, _| Ok(value(&FORMATS[4]))),
    global("format.dns1123SubdomainPrefix", 0, 0, |_, _| Ok(value(&FORMATS[5]))),
    global("format.dns1035LabelPrefix", 0, 0, |_, _| Ok(value(&FORMATS[6]))),
    global("format.labelValue", 0, 0, |_, _| Ok(value(&FORMATS[7]))),
    global("format.uri", 0, 0, |_, _| Ok(value(&FORMATS[8]))),
    global("format.uuid", 0, 0, |_, _| Ok(value(&FORMATS[9]))),
    global("format.byte", 0, 0, |_, _| Ok(value(&FORMATS[10]))),
    global("format.date", 0, 0, |_, _| Ok(value(&FORMATS[11]))),
    global("format.datetime", 0, 0, |_, _| Ok(value(&FORMATS[12]))),
    method("validate", 1, 1, |budget, a| {
        if let (Value::Extension(extension), Some(text)) = (&a[0], a[1].as_str())
            && let Extension::Format(format) = &**extension
        {
            budget.spend(text.len() / 16)?;
            let problem = (format.0.check)(text);
            let list = |problem: &'static str| Value::some(Value::list(vec![Value::text(problem)]));
            return Ok(problem.map_or(Value::Optional(None), list));
        }
        Err(mismatch("validate", a))
    }),
];

impl NamedFormat {
    pub fn name(&self) -> &'static str {
        self.0.name
    }
}

fn value<'a>(format: &'static Format) -> Value<'a> {
    Value::Extension(Arc::new(Extension::Format(NamedFormat(format))))
}

/// Lower-case letters, digits and inner hyphens; a letter first where `letter_first` wants one.
fn label(text: &str, longest: usize, letter_first: bool) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return Some("must not be empty") };
    let fits = bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-') && alphanumeric(last);
    let begins = if letter_first { first.is_ascii_lowercase() } else { alphanumeric(first) };
    if bytes.len() > longest {
        return Some("is too long");
    }
    (!fits || !begins).then_some("must be lower-case letters, digits and hyphens within")
}

fn subdomain(text: &str) -> Option<&'static str> {
    if text.len() > 253 {
        return Some("is longer than 253 characters");
    }
    text.split('.').find_map(|part| label(part, 253, false))
}

/// Letters, digits, `-`, `_`, `.`, beginning and ending with a letter or digit, 63 at most.
fn name_part(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    let fits = ends
        .is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && bytes.len() <= 63;
    (!fits).then_some("must be at most 63 letters, digits, `-`, `_`, `.`, a letter or digit at both ends")
}

fn qualified_name(text: &str) -> Option<&'static str> {
    match text.split_once('/') {
        Some((prefix, name)) => subdomain(prefix).or_else(|| name_part(name)),
        None => name_part(text),
    }
}

fn uuid(text: &str) -> Option<&'static str> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (lengths != [8, 4, 4, 4, 12] || !hex).then_some("must be a UUID")
}

fn base64_text(text: &str) -> Option<&'static str> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).is_err().then_some("must be base64")
}
