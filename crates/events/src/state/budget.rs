//! How much state there may be.

use super::State;

/// Bytes of threads, programs and descriptors by default.
const DEFAULT_BYTES: usize = 32 << 20;
/// Bytes a thread counts beside its texts and descriptors.
const THREAD_BYTES: usize = 768;
/// How many threads may come before the bytes are counted again.
const RECOUNT_AFTER: usize = 256;

pub(super) struct Budget {
    bytes: usize,
    /// Threads and descriptors added since the last count.
    added: usize,
    pub(super) lost: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(DEFAULT_BYTES)
    }
}

impl Budget {
    pub(super) fn of(bytes: usize) -> Self {
        Self { bytes, added: 0, lost: 0 }
    }
}

impl State {
    /// Called where something was added: now and then counts, and forgets the threads that were not heard of for the
    /// longest time.
    pub(super) fn added(&mut self) {
        self.budget.added += 1;
        if self.budget.added < RECOUNT_AFTER {
            return;
        }
        self.budget.added = 0;
        let cost =
            |thread: &super::Thread| THREAD_BYTES + thread.program.bytes() + thread.descriptors.bytes();
        let mut total: usize = self.threads.values().map(cost).sum();
        if total <= self.budget.bytes {
            return;
        }
        // A quarter of the room is made at once, so that this is rare.
        let target = self.budget.bytes / 4 * 3;
        let mut by_age: Vec<(u64, i64)> =
            self.threads.values().map(|thread| (thread.last_seen, thread.tid)).collect();
        by_age.sort_unstable();
        for (_, tid) in by_age {
            if total <= target {
                break;
            }
            if let Some(thread) = self.threads.remove(&tid) {
                total = total.saturating_sub(cost(&thread));
                self.budget.lost += 1 + thread.descriptors.len() as u64;
            }
        }
    }
}
