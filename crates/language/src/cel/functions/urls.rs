//! URLs (Kubernetes' library "urls"): absolute ones and absolute paths.

use std::sync::Arc;

use super::{Function, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::extension::Extension;
use crate::cel::value::{Outcome, OwnedMap, Value};

/// A URL in its parts, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: String,
    scheme: String,
    host: String,
    path: String,
    query: String,
}

pub static TABLE: &[Function] = &[
    global("isURL", 1, 1, |_, a| {
        a[0].as_str().map(|text| Value::Bool(Url::parse(text).is_some())).ok_or_else(|| mismatch("isURL", a))
    }),
    global("url", 1, 1, |_, a| {
        let text = a[0].as_str().ok_or_else(|| mismatch("url", a))?;
        let url = Url::parse(text).ok_or_else(|| Fault::error("a text that is no URL"))?;
        Ok(Value::Extension(Arc::new(Extension::Url(url))))
    }),
    method("getScheme", 0, 0, |_, a| part("getScheme", a, |url| url.scheme.clone())),
    method("getHost", 0, 0, |_, a| part("getHost", a, |url| url.host.clone())),
    method("getHostname", 0, 0, |_, a| part("getHostname", a, |url| url.host_and_port().0.to_owned())),
    method("getPort", 0, 0, |_, a| part("getPort", a, |url| url.host_and_port().1.to_owned())),
    method("getEscapedPath", 0, 0, |_, a| part("getEscapedPath", a, |url| url.path.clone())),
    method("getQuery", 0, 0, |_, a| {
        let Some(url) = as_url(&a[0]) else { return Err(mismatch("getQuery", a)) };
        let mut values: Vec<(String, Vec<Value<'_>>)> = Vec::new();
        for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (unescape(key), Value::text(unescape(value)));
            match values.iter_mut().find(|(known, _)| *known == key) {
                Some((_, list)) => list.push(value),
                None => values.push((key, vec![value])),
            }
        }
        let mut map = OwnedMap::default();
        for (key, list) in values {
            map.insert(Value::text(key), Value::list(list))?;
        }
        Ok(map.into_value())
    }),
];

fn as_url<'v>(value: &'v Value<'_>) -> Option<&'v Url> {
    match value {
        Value::Extension(extension) => match &**extension {
            Extension::Url(url) => Some(url),
            _ => None,
        },
        _ => None,
    }
}

fn part<'a>(name: &str, arguments: &[Value<'a>], of: fn(&Url) -> String) -> Outcome<'a> {
    as_url(&arguments[0]).map(|url| Value::text(of(url))).ok_or_else(|| mismatch(name, arguments))
}

/// `%41` and `+` undone; what is no escape stays.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code =
            after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Url {
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte < 0x20 || byte == 0x7f || byte == b' ') {
            return None;
        }
        // Every `%` begins an escape.
        let mut escapes = text.split('%').skip(1);
        if !escapes
            .all(|after| after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)))
        {
            return None;
        }
        let before_fragment = text.split('#').next().unwrap_or_default();
        let (location, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
        let (scheme, host, path) = if location.starts_with('/') {
            ("", "", location)
        } else {
            let (scheme, rest) = location.split_once(':')?;
            let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
            let fits = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
            if !begins || !fits {
                return None;
            }
            match rest.strip_prefix("//") {
                Some(rest) => {
                    let end = rest.find('/').unwrap_or(rest.len());
                    let (authority, path) = rest.split_at(end);
                    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                    (scheme, host, path)
                }
                None => (scheme, "", rest),
            }
        };
        let url = Self {
            text: text.to_owned(),
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
        };
        let (name, port) = url.host_and_port();
        let brackets = host.starts_with('[') && !host.contains(']') || name.contains([' ', '<', '>', '"']);
        (port.bytes().all(|byte| byte.is_ascii_digit()) && !brackets).then_some(url)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The host without brackets, and the port.
    fn host_and_port(&self) -> (&str, &str) {
        if let Some(rest) = self.host.strip_prefix('[') {
            let (host, after) = rest.split_once(']').unwrap_or((rest, ""));
            return (host, after.strip_prefix(':').unwrap_or(after));
        }
        self.host.rsplit_once(':').unwrap_or((&self.host, ""))
    }
}
