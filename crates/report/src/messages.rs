//! The words people read, by language. One file a language in `messages/`, all with the same keys.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::OnceLock;

/// A language reports can speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    English,
    Japanese,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }

    /// The language of a tag or a POSIX locale (`ja`, `ja-JP`, `ja_JP.UTF-8`); `None` for one we do not speak.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    pub fn messages(self) -> &'static Messages {
        static ENGLISH: OnceLock<Messages> = OnceLock::new();
        static JAPANESE: OnceLock<Messages> = OnceLock::new();
        match self {
            Self::English => ENGLISH.get_or_init(|| Messages::read(include_str!("../messages/en.json"))),
            Self::Japanese => JAPANESE.get_or_init(|| Messages::read(include_str!("../messages/ja.json"))),
        }
    }
}

/// The catalogue of one language: keys to texts with `{name}` places.
#[derive(Debug, Default)]
pub struct Messages {
    texts: BTreeMap<String, String>,
}

impl Messages {
    fn read(json: &str) -> Self {
        // The catalogues are compiled in, and a test reads them both.
        Self { texts: serde_json::from_str(json).unwrap_or_default() }
    }

    /// The text of a key; the key itself where there is none, so that nothing is blank.
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of a key with its places filled.
    pub fn fill(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let mut text = self.text(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }

    /// A counted text: `KEY.one` for one, else `KEY`, with `{n}` filled.
    pub fn count(&self, key: &str, n: usize) -> String {
        let one = format!("{key}.one");
        let key = if n == 1 && self.texts.contains_key(&one) { &one } else { key };
        self.fill(key, &[("n", &grouped(n as u64))])
    }

    /// Every key and text.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.texts
    }
}

/// A number with its thousands apart: `38,165`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys put together at run time, of values that an enum or a data file holds.
    const FAMILIES: [&str; 4] = ["reason.", "kind.", "severity.", "target."];

    #[test]
    fn languages_are_found_by_tag_and_locale() {
        for (tag, language) in [
            ("ja", Some(Language::Japanese)),
            ("ja_JP.UTF-8", Some(Language::Japanese)),
            ("en-GB", Some(Language::English)),
            ("C.UTF-8", None),
            ("", None),
        ] {
            assert_eq!(Language::from_tag(tag), language, "{tag}");
        }
    }

    #[test]
    fn every_language_has_the_same_keys_and_places() {
        let english = Language::English.messages().all();
        assert!(english.len() > 20);
        for language in Language::ALL {
            let texts = language.messages().all();
            assert_eq!(
                english.keys().collect::<Vec<_>>(),
                texts.keys().collect::<Vec<_>>(),
                "{}",
                language.tag()
            );
            for (key, text) in texts {
                assert_eq!(places(&english[key]), places(text), "{key} in {}", language.tag());
                assert!(!text.is_empty(), "{key} in {}", language.tag());
            }
        }
    }

    fn places(text: &str) -> Vec<&str> {
        let mut places: Vec<&str> =
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn every_key_in_the_sources_exists_and_every_key_is_used() {
        let english = Language::English.messages().all();
        let mut used = std::collections::BTreeSet::new();
        for source in sources() {
            for quoted in source.split('"').skip(1).step_by(2).chain(source.split('\'').skip(1).step_by(2)) {
                if english.contains_key(quoted) {
                    used.insert(quoted.to_owned());
                }
            }
            for call in ["words.text(\"", "words.fill(\"", "words.count(\""] {
                for rest in source.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap_or_default();
                    assert!(english.contains_key(key), "no text for {key}");
                }
            }
        }
        for key in english.keys().filter(|key| !FAMILIES.iter().any(|f| key.starts_with(f))) {
            let base = key.strip_suffix(".one").unwrap_or(key);
            assert!(used.contains(base), "{key} is not used");
        }
    }

    /// The text of every source file of this crate.
    fn sources() -> Vec<String> {
        let mut sources = Vec::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    sources.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        sources
    }
}
