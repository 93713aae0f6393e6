//! Alerts: what a threat rule says of one event.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::field::FieldValue;

/// Syslog's severities under Falco's names: Emergency is the lowest value and the highest priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Informational,
    Debug,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no priority: emergency, alert, critical, error, warning, notice, informational or debug")]
pub struct InvalidPriority(String);

/// One alert, ready to be written in whatever form.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    pub rule: Arc<str>,
    pub priority: Priority,
    /// The event's source, such as `syscall`.
    pub source: Arc<str>,
    /// Nanoseconds since 1970, UTC: when the event happened.
    pub time: u64,
    pub hostname: Arc<str>,
    /// The rule's output with its values.
    pub message: String,
    pub tags: Arc<BTreeSet<String>>,
    /// The fields that the output names, and those that were asked for besides.
    pub fields: Vec<(String, AlertValue)>,
    /// How many like it were held back before it.
    pub repeats: u64,
}

/// The value of a field in an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertValue {
    Missing,
    One(FieldValue<'static>),
    List(Vec<FieldValue<'static>>),
}

impl Priority {
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }

    /// Syslog's severity, 0 to 7.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Priority {
    type Err = InvalidPriority;

    /// In any case; `info` is short for informational.
    fn from_str(text: &str) -> Result<Self, InvalidPriority> {
        if text.eq_ignore_ascii_case("info") {
            return Ok(Self::Informational);
        }
        let found = Self::ALL.into_iter().find(|priority| priority.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| InvalidPriority(text.chars().take(40).collect()))
    }
}
