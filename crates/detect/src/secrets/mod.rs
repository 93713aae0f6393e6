//! Secrets that lie where they can be read: in files, in what images are configured with, in histories.
//!
//! One pass that knows the keywords of all rules says where something may be; there the rule's pattern, its
//! entropy, its checks and the allow-lists decide. A secret's value never leaves this module: what comes out is a
//! fingerprint, keyed so that only holders of the key can test guesses, and its first characters at most.
//!
//! Rules are data (`rules/secrets/`). This module opens no files and knows no layers.

mod allow;
mod assignment;
mod baseline;
mod check;
mod engine;
mod entropy;
mod finding;
mod fingerprint;
mod image;
mod keywords;
mod kubernetes;
mod rule;
mod scan;

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use yagura_formats::document::{Node, yaml};
use yagura_formats::layer::{Analyser, FileConsumer, Observed};

pub use baseline::{Baseline, InvalidBaseline, MAX_BYTES as MAX_BASELINE_BYTES};
pub use finding::{Judged, judge};
pub use fingerprint::FingerprintKey;
pub use rule::{Example, Examples, Rule, Verify};

use keywords::Keywords;
use scan::{File, Scanner};

/// The analyser's name, as its observations carry it.
pub const NAME: &str = "secrets";

/// Names of an observation's facts.
mod fact {
    pub const FINGERPRINT: &str = "fingerprint";
    pub const EXCERPT: &str = "excerpt";
    pub const CONFIDENCE: &str = "confidence";
    pub const NOTES: &str = "notes";
    /// Set where the file belongs to tests, examples or documentation.
    pub const PLACE: &str = "place";
}

/// A mistake in a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct InvalidRules {
    pub line: u32,
    pub message: String,
}

/// Rules, compiled for searching.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
    text: Keywords,
    binary: Keywords,
    /// Digest of all that decides what is found.
    version: String,
}

impl RuleSet {
    /// The rules that the program carries.
    pub fn builtin() -> Result<Self, InvalidRules> {
        Self::of(yagura_rules::family("secrets").iter().map(|file| (file.path, file.text)))
    }

    /// The rules of these files: name and text.
    pub fn of<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self, InvalidRules> {
        let mut rules = Vec::new();
        let mut version = Sha256::new();
        for (name, text) in files {
            version.update((text.len() as u64).to_le_bytes());
            version.update(text);
            if name == allow::FILE {
                continue;
            }
            let in_file =
                |error: InvalidRules| InvalidRules { message: format!("{name}: {}", error.message), ..error };
            let tree = yaml::parse(text);
            if let Some(problem) = tree.problems.first() {
                return Err(in_file(InvalidRules { line: problem.line, message: problem.detail.clone() }));
            }
            for node in tree.root().and_then(|root| root.get("rules")).map_or(&[][..], Node::items) {
                rules.push(rule::read(node).map_err(in_file)?);
            }
        }
        if rules.len() > usize::from(u16::MAX) {
            return Err(InvalidRules { line: 0, message: format!("{} rules are too many", rules.len()) });
        }
        let mut by_id = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            if by_id.insert(rule.id.clone(), index).is_some() {
                return Err(InvalidRules { line: 0, message: format!("two rules have the id {}", rule.id) });
            }
        }
        let version = version.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            text: keywords_of(&rules, |_| true),
            binary: keywords_of(&rules, |rule| rule.binary),
            rules,
            by_id,
            version,
        })
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule by its id, whatever its case.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.by_id
            .get(id)
            .and_then(|index| self.rules.get(*index))
            .or_else(|| self.rules.iter().find(|rule| rule.id.eq_ignore_ascii_case(id)))
    }
}

/// The search for secrets, with the key of its fingerprints.
#[derive(Clone, Debug)]
pub struct Secrets {
    rules: Arc<RuleSet>,
    key: FingerprintKey,
}

impl Secrets {
    pub fn new(rules: Arc<RuleSet>, key: FingerprintKey) -> Self {
        Self { rules, key }
    }

    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// Looks into a text that is at hand as a whole.
    pub fn search(&self, path: &str, text: &[u8]) -> Observed {
        let mut observed = File::search_whole(self, path, text);
        for seen in &mut observed.observations {
            NAME.clone_into(&mut seen.analyser);
        }
        observed
    }
}

impl Analyser for Secrets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        // Cached observations hold fingerprints, so those of another key are of no use.
        format!("{} {}", self.rules.version, self.key.name())
    }

    fn begin(&self) -> Box<dyn FileConsumer + '_> {
        Box::new(Scanner::new(self))
    }
}

fn keywords_of(rules: &[Rule], wanted: impl Fn(&Rule) -> bool) -> Keywords {
    let wanted = (0..).zip(rules).filter(|(_, rule)| wanted(rule));
    Keywords::of(wanted.map(|(index, rule)| (index, rule.keywords.as_slice())))
}

#[cfg(test)]
mod tests;
