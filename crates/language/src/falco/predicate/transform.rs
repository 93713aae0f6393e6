//! What transformers do to values.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use yagura_model::field::{FieldType, FieldValue};

use crate::falco::condition::TransformerName;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A transformer of one value into another of the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    ToLower,
    ToUpper,
    Base64,
    Basename,
}

impl Transform {
    pub fn of(name: TransformerName) -> Option<Self> {
        match name {
            TransformerName::ToLower => Some(Self::ToLower),
            TransformerName::ToUpper => Some(Self::ToUpper),
            TransformerName::Base64 => Some(Self::Base64),
            TransformerName::Basename => Some(Self::Basename),
            _ => None,
        }
    }

    pub fn takes(self, kind: FieldType) -> bool {
        match self {
            Self::Base64 => matches!(kind, FieldType::Text | FieldType::Bytes),
            _ => kind.is_text(),
        }
    }

    /// None when the value cannot be transformed: what is not base64 decodes to nothing.
    pub fn apply(self, value: FieldValue<'_>) -> Option<FieldValue<'_>> {
        let (bytes, is_text) = match value {
            FieldValue::Text(text) => (text, true),
            FieldValue::Bytes(bytes) => (bytes, false),
            other => return Some(other),
        };
        let made = match self {
            Self::ToLower => Cow::Owned(bytes.to_ascii_lowercase()),
            Self::ToUpper => Cow::Owned(bytes.to_ascii_uppercase()),
            Self::Base64 => Cow::Owned(BASE64.decode(&bytes).ok()?),
            Self::Basename => {
                let start = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
                match bytes {
                    Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(start..).unwrap_or_default()),
                    Cow::Owned(bytes) => Cow::Owned(bytes.get(start..).unwrap_or_default().to_vec()),
                }
            }
        };
        Some(if is_text { FieldValue::Text(made) } else { FieldValue::Bytes(made) })
    }
}

/// Short options as getopt(3) knows them, from a specification such as `nt:`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    known: [bool; 256],
    with_value: [bool; 256],
}

impl Options {
    pub fn parse(specification: &[u8]) -> Self {
        let mut options = Self { known: [false; 256], with_value: [false; 256] };
        let mut rest = specification.strip_prefix(b":").unwrap_or(specification);
        while let Some((option, after)) = rest.split_first() {
            rest = after;
            if *option == b':' {
                continue;
            }
            options.known[usize::from(*option)] = true;
            if let Some(after) = rest.strip_prefix(b":") {
                options.with_value[usize::from(*option)] = true;
                rest = after;
            }
        }
        options
    }

    /// Every option and, where it takes one, its value; `?` for unknown ones.
    pub fn all(&self, arguments: &[Cow<'_, [u8]>]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        self.walk(arguments, &mut |option, value| match (option, value) {
            (None, _) => found.push(b"?".to_vec()),
            // A value that should follow and does not is an empty text.
            (Some(_), Value::Missing) => found.push(Vec::new()),
            (Some(option), Value::None) => found.push(vec![option]),
            (Some(option), Value::Given(value)) => found.extend([vec![option], value.to_vec()]),
        });
        found
    }

    /// The value that an option has last; the option itself when it takes none.
    pub fn last(&self, arguments: &[Cow<'_, [u8]>], selected: u8) -> Option<Vec<u8>> {
        let mut last = None;
        self.walk(arguments, &mut |option, value| {
            if option == Some(selected) {
                last = Some(match value {
                    Value::None => vec![selected],
                    Value::Missing => Vec::new(),
                    Value::Given(value) => value.to_vec(),
                });
            }
        });
        last
    }

    fn walk(&self, arguments: &[Cow<'_, [u8]>], visit: &mut dyn FnMut(Option<u8>, Value<'_>)) {
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_ref() {
                b"--" => return,
                // Long options are passed over.
                [b'-', b'-', ..] => {}
                [b'-', cluster @ ..] if !cluster.is_empty() => {
                    for (at, option) in cluster.iter().enumerate() {
                        let index = usize::from(*option);
                        if *option == b':' || !self.known[index] {
                            visit(None, Value::None);
                            continue;
                        }
                        if !self.with_value[index] {
                            visit(Some(*option), Value::None);
                            continue;
                        }
                        let attached = cluster.get(at + 1..).filter(|rest| !rest.is_empty());
                        match attached.or_else(|| arguments.next().map(AsRef::as_ref)) {
                            Some(value) => visit(Some(*option), Value::Given(value)),
                            None => visit(Some(*option), Value::Missing),
                        }
                        break;
                    }
                }
                // The first argument that is no option ends them.
                _ => return,
            }
        }
    }
}

enum Value<'a> {
    /// The option takes none.
    None,
    Missing,
    Given(&'a [u8]),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(list: &[&'static str]) -> Vec<Cow<'static, [u8]>> {
        list.iter().map(|text| Cow::Borrowed(text.as_bytes())).collect()
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        let options = Options::parse(b"nt:x");
        let texts = |list: &[&'static str]| -> Vec<String> {
            options.all(&arguments(list)).into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
        };
        assert_eq!(texts(&["-nt", "5", "-x", "file", "-n"]), ["n", "t", "5", "x"]);
        assert_eq!(texts(&["-t5", "--long", "-q", "--", "-x"]), ["t", "5", "?"]);
        assert_eq!(texts(&["-t"]), [""]);
        assert_eq!(options.last(&arguments(&["-t1", "-t2"]), b't'), Some(b"2".to_vec()));
        assert_eq!(options.last(&arguments(&["-n"]), b'n'), Some(b"n".to_vec()));
        assert_eq!(options.last(&arguments(&["file", "-n"]), b'n'), None);
    }

    #[test]
    fn base64_needs_no_padding() {
        for text in ["aGVsbG8=", "aGVsbG8"] {
            assert_eq!(Transform::Base64.apply(FieldValue::text(text)), Some(FieldValue::text("hello")));
        }
        assert_eq!(Transform::Base64.apply(FieldValue::text("!")), None);
        assert_eq!(Transform::Basename.apply(FieldValue::text("/a/b")), Some(FieldValue::text("b")));
    }
}
