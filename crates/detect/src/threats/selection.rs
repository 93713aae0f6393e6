//! Which rules are heeded.

use std::str::FromStr;

use yagura_language::falco::predicate::Glob;
use yagura_language::falco::rules::Rule;
use yagura_model::alert::Priority;

/// Rules switched on and off after what their files say.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Rules of a lower priority do not count.
    least: Priority,
    /// In order: the last choice that fits a rule decides.
    choices: Vec<(bool, Choice)>,
}

#[derive(Clone, Debug)]
enum Choice {
    Name(Glob),
    Tag(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a choice of rules is a name, in which `*` stands for anything, or `tag:NAME`; `{0}` is empty")]
pub struct InvalidChoice(String);

impl Default for Selection {
    fn default() -> Self {
        Self { least: Priority::Debug, choices: Vec::new() }
    }
}

impl FromStr for Choice {
    type Err = InvalidChoice;

    fn from_str(text: &str) -> Result<Self, InvalidChoice> {
        match text.strip_prefix("tag:") {
            Some("") => Err(InvalidChoice(text.to_owned())),
            Some(tag) => Ok(Self::Tag(tag.to_owned())),
            None if text.is_empty() => Err(InvalidChoice(text.to_owned())),
            None => Ok(Self::Name(Glob::new(text.as_bytes(), false))),
        }
    }
}

impl Selection {
    /// Only rules of at least this priority.
    pub fn at_least(least: Priority) -> Self {
        Self { least, ..Self::default() }
    }

    /// Switches rules on or off: by name, where `*` stands for anything, or `tag:NAME`.
    pub fn choose(&mut self, enabled: bool, what: &str) -> Result<(), InvalidChoice> {
        self.choices.push((enabled, what.parse()?));
        Ok(())
    }

    pub fn heeds(&self, rule: &Rule) -> bool {
        let fits = |choice: &Choice| match choice {
            Choice::Name(glob) => glob.matches(rule.name.as_bytes()),
            Choice::Tag(tag) => rule.tags.contains(tag),
        };
        let chosen = self.choices.iter().rev().find(|(_, choice)| fits(choice)).map(|(enabled, _)| *enabled);
        rule.priority <= self.least && chosen.unwrap_or(rule.enabled)
    }
}
