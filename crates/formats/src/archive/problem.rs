//! Why a stream could not be read further, in a form that passes through `std::io::Error`.

use std::io;

use yagura_model::SkipReason;

/// A reason with its words; travels inside an [`io::Error`] through readers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    pub reason: SkipReason,
    pub detail: String,
}

impl Problem {
    pub fn new(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// The problem an error carries; errors of the system itself are `Unreadable`, an early end is `Truncated`.
    pub fn of(error: &io::Error) -> Self {
        if let Some(problem) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return problem.clone();
        }
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => SkipReason::Truncated,
            io::ErrorKind::InvalidData => SkipReason::Malformed,
            io::ErrorKind::TimedOut => SkipReason::TimedOut,
            _ => SkipReason::Unreadable,
        };
        Self::new(reason, error.to_string())
    }
}

impl From<Problem> for io::Error {
    fn from(problem: Problem) -> Self {
        io::Error::other(problem)
    }
}
