//! Variables in instructions, as the builder fills them in.
//!
//! <https://docs.docker.com/reference/dockerfile/#environment-replacement>

/// Longest value that is filled in; beyond it a value counts as unknown.
const MAX_VALUE: usize = 64 << 10;
/// Deepest nesting of `${X:-${Y}}`.
const MAX_DEPTH: u32 = 16;

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Value(String),
    /// Certainly not set.
    Unset,
    /// Set by whoever builds, or by the base image.
    Unknown,
}

/// A word without its quotes and with its variables filled in; none where one of them cannot be known.
pub(super) fn expand(raw: &str, escape: char, lookup: &dyn Fn(&str) -> Known) -> Option<String> {
    let mut expander = Expander { rest: raw, escape, lookup };
    expander.until(None, 0)
}

struct Expander<'r, 'l> {
    rest: &'r str,
    escape: char,
    lookup: &'l dyn Fn(&str) -> Known,
}

impl Expander<'_, '_> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
        Some(character)
    }

    fn until(&mut self, end: Option<char>, depth: u32) -> Option<String> {
        let mut out = String::new();
        let mut known = true;
        while let Some(character) = self.next() {
            match character {
                _ if Some(character) == end => break,
                '\'' => {
                    let length = self.rest.find('\'').unwrap_or(self.rest.len());
                    out.push_str(self.rest.get(..length).unwrap_or_default());
                    self.rest = self.rest.get(length + 1..).unwrap_or_default();
                }
                '"' => known &= self.double_quoted(&mut out, depth),
                '$' => known &= self.variable(&mut out, depth),
                _ if character == self.escape => out.extend(self.next()),
                _ => out.push(character),
            }
            if out.len() > MAX_VALUE {
                known = false;
                out.clear();
            }
        }
        known.then_some(out)
    }

    fn double_quoted(&mut self, out: &mut String, depth: u32) -> bool {
        let mut known = true;
        while let Some(character) = self.next() {
            match character {
                '"' => break,
                '$' => known &= self.variable(out, depth),
                _ if character == self.escape => {
                    if let Some(next) = self.next() {
                        if !matches!(next, '"' | '$') && next != self.escape {
                            out.push(character);
                        }
                        out.push(next);
                    }
                }
                _ => out.push(character),
            }
            if out.len() > MAX_VALUE {
                known = false;
                out.clear();
            }
        }
        known
    }

    /// Follows a `$`. Says whether the value is known.
    fn variable(&mut self, out: &mut String, depth: u32) -> bool {
        if let Some(rest) = self.rest.strip_prefix('{') {
            self.rest = rest;
            return self.braced(out, depth);
        }
        let length = name_length(self.rest);
        if length == 0 {
            out.push('$');
            return true;
        }
        let name = self.rest.get(..length).unwrap_or_default();
        self.rest = self.rest.get(length..).unwrap_or_default();
        match (self.lookup)(name) {
            Known::Value(value) => {
                out.push_str(&value);
                true
            }
            Known::Unset => true,
            Known::Unknown => false,
        }
    }

    fn braced(&mut self, out: &mut String, depth: u32) -> bool {
        let length = name_length(self.rest);
        let name = self.rest.get(..length).unwrap_or_default();
        self.rest = self.rest.get(length..).unwrap_or_default();
        let found = (self.lookup)(name);
        let colon = self.rest.starts_with(':');
        if colon {
            self.next();
        }
        let operator = self.next();
        if operator == Some('}') {
            return match found {
                Known::Value(value) => {
                    out.push_str(&value);
                    true
                }
                Known::Unset => true,
                Known::Unknown => false,
            };
        }
        if depth >= MAX_DEPTH {
            self.rest = "";
            return false;
        }
        let word = self.until(Some('}'), depth + 1);
        let set = match &found {
            Known::Value(value) => !colon || !value.is_empty(),
            Known::Unset => false,
            Known::Unknown => return false,
        };
        let chosen = match (operator, found) {
            (Some('-' | '?'), Known::Value(value)) if set => Some(value),
            (Some('-'), _) => word,
            // The build fails here; there is no value to speak of.
            (Some('?'), _) => None,
            (Some('+'), _) if set => word,
            (Some('+'), _) => Some(String::new()),
            // Removal and replacement of patterns.
            (Some('#' | '%' | '/'), Known::Unset) => Some(String::new()),
            _ => None,
        };
        match chosen {
            Some(value) => {
                out.push_str(&value);
                true
            }
            None => false,
        }
    }
}

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

#[cfg(test)]
mod tests {
    use super::{Known, expand};

    fn shown(raw: &str) -> Option<String> {
        expand(raw, '\\', &|name| match name {
            "A" => Known::Value("1.2".to_owned()),
            "E" => Known::Value(String::new()),
            "U" => Known::Unknown,
            _ => Known::Unset,
        })
    }

    #[test]
    fn every_form_of_the_reference() {
        for (raw, expected) in [
            ("x:$A", Some("x:1.2")),
            ("${A}b", Some("1.2b")),
            ("${N:-y}", Some("y")),
            ("${N:-$A}", Some("1.2")),
            ("${E:-y}", Some("y")),
            ("${E-y}", Some("")),
            ("${A:+y}", Some("y")),
            ("${N:+y}z", Some("z")),
            ("${A:?no}", Some("1.2")),
            ("${N:?no}", None),
            ("$U", None),
            ("${U:-y}", None),
            ("${N:-${N:-${A}}}", Some("1.2")),
            (r"\$A '$A' \\", Some("$A $A \\")),
            (r#""$A \" \x" 'it''s'"#, Some(r#"1.2 " \x its"#)),
            ("$", Some("$")),
            ("a$-", Some("a$-")),
            ("${A#1.}", None),
        ] {
            assert_eq!(shown(raw).as_deref(), expected, "{raw}");
        }
        assert_eq!(shown(&"${N:-".repeat(100_000)), None);
    }
}
