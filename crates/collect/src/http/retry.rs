//! When to try again, and after how long.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use super::Response;
use crate::error::{ErrorKind, Result};

/// Exponential back-off with jitter, bounded in number and time.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the first retry; it doubles each time.
    pub first_wait: Duration,
    /// Longest wait, also where the server asks for more (then we give up instead).
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 4, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(60) }
    }
}

impl RetryPolicy {
    /// `None` when the outcome stands.
    pub(super) fn wait_before_next(&self, attempt: u32, outcome: &Result<Response>) -> Option<Duration> {
        if attempt >= self.retries {
            return None;
        }
        let asked = match outcome {
            Ok(response) if matches!(response.status, 429 | 500 | 502 | 503 | 504) => {
                response.header("retry-after").and_then(|text| retry_after(text, jiff::Timestamp::now()))
            }
            Err(error) if error.kind == ErrorKind::Unreachable => None,
            _ => return None,
        };
        match asked {
            Some(asked) if asked > self.longest_wait => None,
            Some(asked) => Some(asked),
            None => Some(self.backoff(attempt)),
        }
    }

    /// Half of the doubled wait, and a random part of the other half.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        let whole = self.first_wait.saturating_mul(1 << attempt.min(16)).min(self.longest_wait);
        let random = std::hash::RandomState::new().build_hasher().finish() % 1024;
        whole / 2 + whole / 2 * u32::try_from(random).unwrap_or(0) / 1024
    }
}

/// Seconds or an HTTP date (RFC 9110 section 10.2.3).
fn retry_after(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    let wait = at.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_may_name_seconds_or_a_date() {
        let now: jiff::Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 07:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 06:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        let policy = RetryPolicy {
            retries: 9,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(10),
        };
        for (attempt, whole) in [(0, 1.0), (1, 2.0), (3, 8.0), (4, 10.0), (40, 10.0)] {
            let wait = policy.backoff(attempt).as_secs_f64();
            assert!(wait >= whole / 2.0 && wait <= whole, "{attempt}: {wait}");
        }
    }
}
