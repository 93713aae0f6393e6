//! All rules at hand, found by the kind of what there is to judge. A rule that applies to nothing that was found is
//! never read further than its `applies` line.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::compiled::CompiledRule;
use super::rule::{Rule, peek_applies, takes};
use super::text::InvalidRule;

/// Most rules in one set.
pub const MAX_RULES: usize = 20_000;

/// Rules by kind.
#[derive(Default)]
pub struct RuleSet {
    entries: Vec<Entry>,
    /// Only rules with a control of one of these count, where there are any.
    frameworks: Vec<String>,
    /// Ids of rules that another engine runs.
    elsewhere: BTreeSet<String>,
}

struct Entry {
    path: Cow<'static, str>,
    text: Cow<'static, str>,
    applies: Vec<String>,
    compiled: OnceLock<Result<Arc<CompiledRule>, InvalidRule>>,
}

impl Entry {
    fn compiled(&self) -> &Result<Arc<CompiledRule>, InvalidRule> {
        self.compiled.get_or_init(|| {
            let rule = Rule::read(&self.path, &self.text)?;
            CompiledRule::of(rule).map(Arc::new)
        })
    }
}

impl RuleSet {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule file that tests have read before; what is wrong with it comes out when it is needed.
    pub fn add(&mut self, path: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) {
        let (path, text) = (path.into(), text.into());
        let applies = peek_applies(&text).unwrap_or_default();
        let applies = applies.into_iter().map(str::to_owned).collect();
        if self.entries.len() < MAX_RULES {
            self.entries.push(Entry { path, text, applies, compiled: OnceLock::new() });
        }
    }

    /// Adds a rule file that somebody wrote: it is read at once, and takes the place of a rule of the same id.
    pub fn add_checked(&mut self, path: String, text: String) -> Result<(), InvalidRule> {
        let rule = CompiledRule::of(Rule::read(&path, &text)?)?;
        if self.entries.len() >= MAX_RULES {
            let message = format!("more than {MAX_RULES} rules");
            return Err(InvalidRule { path, line: 1, column: 1, message });
        }
        let file = format!("/{}.yaml", rule.rule.id);
        self.entries.retain(|entry| !format!("/{}", entry.path).ends_with(&file));
        let applies = rule.rule.applies.clone();
        let compiled = OnceLock::from(Ok(Arc::new(rule)));
        self.entries.push(Entry { path: path.into(), text: text.into(), applies, compiled });
        Ok(())
    }

    /// Lets only rules count that have a control of one of these frameworks.
    pub fn restrict(&mut self, frameworks: &[String]) {
        self.frameworks = frameworks.to_vec();
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The rules that apply to a kind, and what is wrong with those that cannot be read.
    pub fn for_kind(&self, kind: &str) -> (Vec<Arc<CompiledRule>>, Vec<InvalidRule>) {
        let (mut rules, mut wrong) = (Vec::new(), Vec::new());
        for entry in self.entries.iter().filter(|entry| entry.applies.iter().any(|of| takes(of, kind))) {
            match entry.compiled() {
                Ok(rule) if self.counts(rule) => rules.push(Arc::clone(rule)),
                Ok(_) => {}
                Err(error) => wrong.push(error.clone()),
            }
        }
        (rules, wrong)
    }

    fn counts(&self, rule: &CompiledRule) -> bool {
        self.frameworks.is_empty()
            || self.frameworks.iter().any(|framework| rule.rule.controls.contains_key(framework))
    }

    /// Every rule, read.
    pub fn all(&self) -> Result<Vec<Arc<CompiledRule>>, InvalidRule> {
        let rules: Result<Vec<_>, _> = self.entries.iter().map(|entry| entry.compiled().clone()).collect();
        Ok(rules?.into_iter().filter(|rule| self.counts(rule)).collect())
    }

    /// The rule of an id, in any case.
    pub fn find(&self, id: &str) -> Option<Result<Arc<CompiledRule>, InvalidRule>> {
        // A rule's file is named by its id; only rules of users may be named otherwise.
        let file = format!("/{id}.yaml").to_ascii_lowercase();
        let named = |entry: &&Entry| format!("/{}", entry.path).to_ascii_lowercase().ends_with(&file);
        if let Some(entry) = self.entries.iter().find(named) {
            return Some(entry.compiled().clone());
        }
        let is = |rule: &Arc<CompiledRule>| rule.rule.id.eq_ignore_ascii_case(id);
        self.entries
            .iter()
            .filter_map(|entry| entry.compiled.get()?.as_ref().ok())
            .find(|rule| is(rule))
            .cloned()
            .map(Ok)
    }

    /// Tells of rules that another engine runs, so that comments which name them are known.
    pub fn know(&mut self, ids: impl IntoIterator<Item = String>) {
        self.elsewhere.extend(ids);
    }

    /// Whether there is a rule of an id, here or elsewhere.
    pub fn knows(&self, id: &str) -> bool {
        self.elsewhere.contains(id) || self.find(id).is_some()
    }

    /// The kinds some rule asks for with `all("kind")`, and the patterns of kinds such rules apply to, told from the
    /// texts alone.
    pub fn crossing(&self) -> Crossing {
        let mut crossing = Crossing::default();
        for entry in &self.entries {
            let asked = asked(&entry.text);
            if !asked.is_empty() {
                crossing.asked.extend(asked.into_iter().map(str::to_owned));
                crossing.applies.extend(entry.applies.iter().cloned());
            }
        }
        crossing
    }
}

/// What must be kept until everything was read.
#[derive(Clone, Debug, Default)]
pub struct Crossing {
    pub asked: BTreeSet<String>,
    pub applies: BTreeSet<String>,
}

impl Crossing {
    pub fn concerns(&self, kind: &str) -> bool {
        self.asked.contains(kind) || self.applies.iter().any(|pattern| takes(pattern, kind))
    }
}

/// The kinds in `all("kind")` of a text, quotes escaped or not. Examples may say too much, which costs memory only.
pub fn asked(text: &str) -> Vec<&str> {
    let mut kinds = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("all(") {
        rest = after;
        let quoted = after.trim_start().trim_start_matches('\\');
        let Some(inner) = quoted.strip_prefix(['"', '\'']) else { continue };
        let inner = inner.trim_start_matches('\'');
        let end = inner.find(['"', '\'', '\\']).unwrap_or(0);
        kinds.extend(inner.get(..end).filter(|kind| kind.contains('/')));
    }
    kinds
}
