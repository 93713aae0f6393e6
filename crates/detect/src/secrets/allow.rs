//! What looks like a secret and is none: examples everybody knows, placeholders, names of harmless things, places of
//! tests. The lists are data (`rules/secrets/allow.yaml`).

use std::collections::HashSet;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use yagura_formats::document::yaml;

use super::entropy;
use super::rule::texts;

/// The file of the lists within the family.
pub(super) const FILE: &str = "allow.yaml";
/// As many equal or ascending characters in a row are no accident.
const MAX_RUN: usize = 7;

/// The lists, compiled.
struct Lists {
    /// Whole values, in lower case.
    known: HashSet<Vec<u8>>,
    /// Parts of values.
    words: Option<AhoCorasick>,
    /// Whole values, as patterns.
    shapes: Vec<Regex>,
    /// Parts of names that are assigned no secrets.
    harmless: Option<AhoCorasick>,
    /// Parts of paths, in lower case, with their slashes.
    tests: Option<AhoCorasick>,
    /// Ends of paths whose content was made by programs from other content.
    derived: Vec<String>,
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| {
        let file = yagura_rules::family("secrets").iter().find(|file| file.path == FILE);
        read(file.map_or("", |file| file.text))
    })
}

fn read(text: &str) -> Lists {
    let tree = yaml::parse(text);
    let root = tree.root();
    let list = |key: &str| root.map(|root| texts(root, key)).unwrap_or_default();
    let automaton = |key: &str| AhoCorasick::builder().ascii_case_insensitive(true).build(list(key)).ok();
    let shape = |pattern: &String| {
        RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).unicode(false).case_insensitive(true).build().ok()
    };
    Lists {
        // Known values are written with a mark in them, as examples are.
        known: list("known")
            .iter()
            .map(|value| value.replace('¦', "").to_ascii_lowercase().into_bytes())
            .collect(),
        words: automaton("words"),
        shapes: list("shapes").iter().filter_map(shape).collect(),
        harmless: automaton("harmless_names"),
        tests: automaton("test_paths"),
        derived: list("derived_files"),
    }
}

/// Whether a value is a known example or stands for a value.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let lists = lists();
    let has_word = || lists.words.as_ref().is_some_and(|words| words.is_match(value));
    lists.known.contains(&value.to_ascii_lowercase())
        || entropy::longest_run(value) >= MAX_RUN
        || has_word()
        || lists.shapes.iter().any(|shape| shape.is_match(value))
}

/// Whether a name says that its value is no secret, whatever else it says (`token_url`, `public_key`).
pub(super) fn is_harmless_name(name: &[u8]) -> bool {
    lists().harmless.as_ref().is_some_and(|names| names.is_match(name))
}

/// Whether a file belongs to tests, examples or documentation.
pub(super) fn is_test_path(path: &str) -> bool {
    let path = format!("/{path}");
    lists().tests.as_ref().is_some_and(|paths| paths.is_match(path.as_bytes()))
}

/// Whether a file was derived from others (lockfiles, minified programs): full of random text that is no secret.
pub(super) fn is_derived(path: &str) -> bool {
    lists().derived.iter().any(|end| path.ends_with(end.as_str()))
}
