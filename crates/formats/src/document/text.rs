//! Strings borrowed from the JSON they were read from, for typed reading of very large files.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A JSON string that borrows from its input unless it has escapes. Unlike a plain `Cow` it borrows as a map's key
/// as well, so that its place in the input is known without a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its byte offset in `source`; `None` when it was not borrowed from there.
    pub fn offset_in(&self, source: &str) -> Option<usize> {
        let Cow::Borrowed(text) = self.0 else { return None };
        let offset = (text.as_ptr() as usize).checked_sub(source.as_ptr() as usize)?;
        (offset.checked_add(text.len())? <= source.len()).then_some(offset)
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;

        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }

        deserializer.deserialize_str(Borrowing)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Text;

    #[test]
    fn keys_know_where_they_stand() {
        let source = r#"{"a": "x", "b\u0041": "y"}"#;
        let map: BTreeMap<Text<'_>, Text<'_>> = serde_json::from_str(source).unwrap();
        let offsets: Vec<_> = map.keys().map(|key| (key.as_str(), key.offset_in(source))).collect();
        assert_eq!(offsets, [("a", Some(2)), ("bA", None)]);
        assert_eq!(map.keys().next().unwrap().offset_in("another text, longer than the first one"), None);
    }
}
