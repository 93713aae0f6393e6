//! What rule files hold, before anything is compiled.

use std::collections::BTreeSet;

use serde::Serialize;
use yagura_model::alert::Priority;

use super::result::Context;

/// A rule as its files define it together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub name: String,
    pub description: String,
    /// As written, its exceptions not yet in it.
    pub condition: String,
    /// With everything that is appended to it.
    pub output: String,
    pub priority: Priority,
    pub source: String,
    pub tags: BTreeSet<String>,
    pub enabled: bool,
    /// A capture of what surrounds the event is asked for.
    pub capture: bool,
    /// Its length in milliseconds; 0 for the default.
    pub capture_duration: u32,
}

/// A rule with what compiling it needs.
#[derive(Clone, Debug)]
pub(super) struct RuleItem {
    pub rule: Rule,
    pub exceptions: Vec<Exception>,
    pub warn_event_types: bool,
    pub skip_if_unknown_filter: bool,
    pub unknown_source: bool,
    pub context: Context,
    pub condition_context: Context,
    pub output_context: Context,
}

/// What an item with `override` or `append` changes in an earlier rule.
#[derive(Clone, Debug)]
pub(super) struct RuleUpdate {
    pub name: String,
    /// Empty where none is given.
    pub source: String,
    pub condition: Option<String>,
    pub output: Option<String>,
    pub description: Option<String>,
    pub tags: Option<BTreeSet<String>>,
    pub exceptions: Option<Vec<Exception>>,
    pub priority: Option<Priority>,
    pub capture: Option<bool>,
    pub capture_duration: Option<u32>,
    pub enabled: Option<bool>,
    pub warn_event_types: Option<bool>,
    pub skip_if_unknown_filter: Option<bool>,
    pub context: Context,
}

#[derive(Clone, Debug)]
pub(super) struct ListItem {
    pub name: String,
    pub items: Vec<String>,
    pub context: Context,
    /// When it was first defined.
    pub index: u32,
    /// When it was last changed: it sees what was defined before.
    pub visibility: u32,
}

#[derive(Clone, Debug)]
pub(super) struct MacroItem {
    pub name: String,
    pub condition: String,
    pub context: Context,
    pub condition_context: Context,
    pub index: u32,
    pub visibility: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Exception {
    pub name: String,
    pub fields: Option<Entry>,
    pub comparisons: Option<Entry>,
    pub values: Vec<Entry>,
    pub context: Context,
}

/// A text or a list of such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Text(String),
    List(Vec<Entry>),
}

/// What must be there for a file's rules to make sense.
#[derive(Clone, Debug)]
pub(super) struct PluginRequirement {
    /// Name and version; one of them is enough.
    pub alternatives: Vec<(String, String)>,
    pub context: Context,
}

impl RuleUpdate {
    pub fn new(name: String, source: String, context: Context) -> Self {
        Self {
            name,
            source,
            condition: None,
            output: None,
            description: None,
            tags: None,
            exceptions: None,
            priority: None,
            capture: None,
            capture_duration: None,
            enabled: None,
            warn_event_types: None,
            skip_if_unknown_filter: None,
            context,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.condition.is_none()
            && self.output.is_none()
            && self.description.is_none()
            && self.tags.is_none()
            && self.exceptions.is_none()
            && self.priority.is_none()
            && self.capture.is_none()
            && self.capture_duration.is_none()
            && self.enabled.is_none()
            && self.warn_event_types.is_none()
            && self.skip_if_unknown_filter.is_none()
    }
}
