//! AWS's policy language evaluated: whether policies together let a principal do something to a resource.
//!
//! Much of a request is not known from configuration alone (from where it is made, by when, with which tags), so verdicts
//! have three values: what hangs on an unknown key or on a text that only the cloud fills in is [`Truth::Unknown`] and
//! says on what it hangs. Semantics are those of the IAM user guide ("Policy evaluation logic", "IAM JSON policy
//! elements"). This module must not know the graph.

pub mod condition;
pub mod evaluation;
pub mod pattern;
pub mod policy;

pub use condition::Context;
pub use evaluation::{Layers, Verdict, evaluate};
pub use policy::{Effect, Policy, Principal, Statement};

/// Three-valued logic; the order makes `min` its "and" and `max` its "or".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    pub fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// `s3:GetObject`.
    pub action: &'r str,
    /// An ARN, in which a part that is not known is `?`; `*` for actions that have no resource.
    pub resource: &'r str,
    pub principal: &'r Principal,
    pub context: &'r Context,
}
