//! Holds back alerts that say what was just said, and counts them.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use yagura_model::alert::Alert;

/// Most alerts remembered; the oldest is forgotten first.
const MAX_REMEMBERED: usize = 8192;

/// An alert of the same rule with the same message within a window is held back; the next one let through says how many
/// were. [`Repeats::rest`] gives the counts that nothing followed.
#[derive(Debug)]
pub struct Repeats {
    /// Nanoseconds; 0 lets everything through.
    window: u64,
    remembered: HashMap<u64, Remembered>,
    /// Keys in the order in which their windows started.
    order: VecDeque<(u64, u64)>,
}

#[derive(Debug)]
struct Remembered {
    since: u64,
    held_back: u64,
    /// The last one held back.
    last: Option<Alert>,
}

impl Repeats {
    pub fn new(window: u64) -> Self {
        Self { window, remembered: HashMap::new(), order: VecDeque::new() }
    }

    /// What is to be said now: the alert, or a summary of others whose window is over, or nothing.
    pub fn pass(&mut self, mut alert: Alert, say: &mut dyn FnMut(Alert)) {
        if self.window == 0 {
            say(alert);
            return;
        }
        self.expire(alert.time, say);
        let key = key(&alert);
        if let Some(known) = self.remembered.get_mut(&key) {
            known.held_back += 1;
            alert.repeats = known.held_back;
            known.last = Some(alert);
            return;
        }
        while self.remembered.len() >= MAX_REMEMBERED {
            self.forget_oldest(say);
        }
        self.remembered.insert(key, Remembered { since: alert.time, held_back: 0, last: None });
        self.order.push_back((alert.time, key));
        say(alert);
    }

    fn expire(&mut self, now: u64, say: &mut dyn FnMut(Alert)) {
        while let Some((since, _)) = self.order.front()
            && now.saturating_sub(*since) >= self.window
        {
            self.forget_oldest(say);
        }
    }

    fn forget_oldest(&mut self, say: &mut dyn FnMut(Alert)) {
        let Some((since, key)) = self.order.pop_front() else {
            self.remembered.clear();
            return;
        };
        if self.remembered.get(&key).is_some_and(|known| known.since == since)
            && let Some(last) = self.remembered.remove(&key).and_then(|known| known.last)
        {
            say(last);
        }
    }

    /// Everything that was held back and not told yet.
    pub fn rest(&mut self, say: &mut dyn FnMut(Alert)) {
        while !self.order.is_empty() {
            self.forget_oldest(say);
        }
    }
}

fn key(alert: &Alert) -> u64 {
    let mut hasher = DefaultHasher::new();
    Arc::as_ptr(&alert.rule).hash(&mut hasher);
    alert.message.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_model::alert::Priority;

    fn alert(rule: &Arc<str>, message: &str, time: u64) -> Alert {
        Alert {
            rule: Arc::clone(rule),
            priority: Priority::Notice,
            source: "syscall".into(),
            time,
            hostname: "h".into(),
            message: message.to_owned(),
            tags: Arc::default(),
            fields: Vec::new(),
            repeats: 0,
        }
    }

    #[test]
    fn repeats_are_counted_and_told_when_their_window_ends() {
        let rule: Arc<str> = "r".into();
        let mut said = Vec::new();
        let mut repeats = Repeats::new(100);
        for (message, time) in [("a", 0), ("a", 10), ("b", 20), ("a", 30), ("c", 110), ("a", 120), ("a", 130)]
        {
            repeats.pass(alert(&rule, message, time), &mut |alert| {
                said.push((alert.message, alert.time, alert.repeats));
            });
        }
        repeats.rest(&mut |alert| said.push((alert.message, alert.time, alert.repeats)));
        let expected = [("a", 0, 0), ("b", 20, 0), ("a", 30, 2), ("c", 110, 0), ("a", 120, 0), ("a", 130, 1)];
        assert_eq!(said, expected.map(|(message, time, repeats)| (message.to_owned(), time, repeats)));
    }

    #[test]
    fn memory_is_bounded() {
        let rule: Arc<str> = "r".into();
        let mut repeats = Repeats::new(u64::MAX);
        for number in 0..20_000 {
            repeats.pass(alert(&rule, &number.to_string(), number), &mut |_| ());
        }
        assert!(repeats.remembered.len() <= MAX_REMEMBERED && repeats.order.len() <= MAX_REMEMBERED);
    }
}
