//! Risks: findings read in context, and the changes that end them.

use serde::{Deserialize, Serialize};

/// What somebody could do, and why it matters or can wait.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// Stable across scans: the same flaws in the same package of the same image have the same id.
    pub id: String,
    pub title: String,
    /// 0 to 100: the product of the terms, times 100.
    pub score: f64,
    /// The score after a proposed change; 0 where the risk is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
    /// Ids of the findings it is made of, the one that decides first.
    pub findings: Vec<String>,
    #[serde(default)]
    pub urgency: Urgency,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Term>,
    /// From where an attacker starts to what hurts; empty where nobody gets there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Hop>,
    /// Why it matters, or why it can wait, in one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Ids of the changes that end it, the one that ends most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// When to act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    Now,
    Soon,
    #[default]
    Later,
}

impl Urgency {
    pub fn of_score(score: f64) -> Self {
        match score {
            score if score >= 20.0 => Self::Now,
            score if score >= 5.0 => Self::Soon,
            _ => Self::Later,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Soon => "soon",
            Self::Later => "later",
        }
    }
}

/// One factor of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    pub name: TermName,
    /// 0 to 1.
    pub value: f64,
    /// False where the value had to be assumed.
    pub known: bool,
    /// What it was taken from, in words.
    pub fact: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TermName {
    /// How likely somebody who can get at the flaw uses it.
    Exploitation,
    /// Whether anybody can.
    Reachability,
    /// Whether the program uses the code.
    InUse,
    /// What whoever succeeds then has.
    Power,
    /// Whether something can be done.
    Fixability,
}

impl TermName {
    pub fn name(self) -> &'static str {
        match self {
            Self::Exploitation => "exploitation",
            Self::Reachability => "reachability",
            Self::InUse => "in use",
            Self::Power => "power",
            Self::Fixability => "fixability",
        }
    }
}

/// One step of an attacker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    pub from: Place,
    pub to: Place,
    /// What the attacker then has of `to`: `reaches`, `controls` or `reads`.
    pub state: String,
    /// The rule, such as `YGR-PATH-005`.
    pub rule: String,
    /// What the attacker does: "Break out to the node".
    pub title: String,
    /// ATT&CK technique.
    pub technique: String,
    /// The facts that make the step possible.
    pub evidence: Vec<Proof>,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// `kind:key`, the same in every scan.
    pub id: String,
    pub kind: crate::graph::NodeKind,
    pub label: String,
}

/// A fact and where it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    pub fact: String,
    /// `file:line`, an image and a path in it, an advisory; empty for what follows from nothing being said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// An edit that ends paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub id: String,
    pub kind: ChangeKind,
    /// `kind:key` of the node that is changed.
    pub subject: String,
    /// What to do, as an instruction.
    pub title: String,
    /// Where; empty where something new is to be written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Risks that fall below half of their score by it.
    pub ends: Vec<String>,
    /// How much of all scores together it takes away, 0 to 1.
    pub relief: f64,
    /// A unified diff, where the text to change was read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub patch: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Close a door to the outside.
    Close,
    /// Upgrade a package.
    Upgrade,
    /// Let only its clients reach a workload.
    Protect,
    /// Limit what a workload opens.
    Limit,
    /// Take from a workload what lets it break out.
    Contain,
    /// Enforce pod security in a namespace.
    PodSecurity,
    /// Do not mount a service account's token.
    UnmountToken,
    /// Remove a binding or what a role grants.
    Unbind,
}
