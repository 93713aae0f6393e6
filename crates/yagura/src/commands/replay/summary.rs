//! `--summary`: what happened, in numbers.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use yagura_language::falco::output::text;
use yagura_model::field::{Field, FieldCatalogue, Fields};
use yagura_report::terminal::escape;

use crate::threats::{self, Session};

/// Most different values counted for one field.
const MAX_VALUES: usize = 10_000;
/// Rows of one table.
const MAX_ROWS: usize = 20;

/// What is counted for each source, under which title.
const COUNTED: &[(&str, &str, &str)] = &[
    ("syscall", "proc.name", "processes"),
    ("syscall", "container.id", "containers"),
    ("k8s_audit", "ka.user.name", "users"),
    ("k8s_audit", "ka.target.resource", "resources"),
    ("aws_cloudtrail", "ct.user", "callers"),
    ("aws_cloudtrail", "ct.name", "calls"),
];

#[derive(Default)]
pub struct Summary {
    number: u64,
    first: Option<u64>,
    last: u64,
    pub skipped: u64,
    by_source: BTreeMap<&'static str, u64>,
    fields: HashMap<&'static str, Vec<Counter>>,
}

/// Events and alerts by the value of a field.
struct Counter {
    field: Field,
    title: &'static str,
    values: HashMap<String, (u64, u64)>,
    /// Events of values that were too many to count.
    others: u64,
}

impl Summary {
    pub fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// The time of the first event, which may be this one's.
    pub fn first_time(&mut self, time: u64) -> u64 {
        *self.first.get_or_insert(time)
    }

    pub fn count<E: Fields + ?Sized>(&mut self, source: &'static str, event: &E, alerts: usize) {
        *self.by_source.entry(source).or_default() += 1;
        self.first_time(event.time());
        self.last = self.last.max(event.time());
        let counters = self.fields.entry(source).or_insert_with(|| counters(source));
        for counter in counters {
            let Some(value) = event.value(&counter.field) else { continue };
            let value = text(&value);
            let full = counter.values.len() >= MAX_VALUES;
            match counter.values.get_mut(&value) {
                Some((events, told)) => {
                    *events += 1;
                    *told += alerts as u64;
                }
                None if full => counter.others += 1,
                None => {
                    counter.values.insert(value, (1, alerts as u64));
                }
            }
        }
    }

    pub fn text(&self, session: Option<&Session>) -> String {
        let mut out = String::new();
        let events: u64 = self.by_source.values().sum();
        let sources: Vec<String> =
            self.by_source.iter().map(|(source, count)| format!("{count} {source}")).collect();
        let seconds = self.last.saturating_sub(self.first.unwrap_or(self.last)) / 1_000_000_000;
        let _ = writeln!(out, "{events} events ({}) in {seconds} s", sources.join(", "));
        if self.skipped > 0 {
            let _ = writeln!(out, "{} records passed over", self.skipped);
        }
        if let Some(session) = session {
            let total: u64 = session.alerts.values().sum();
            let _ = writeln!(out, "{total} alerts");
            for ((priority, rule), count) in &session.alerts {
                let _ = writeln!(out, "  {count:8}  {:13} {}", priority.name(), escape(rule));
            }
        }
        let mut sources: Vec<_> = self.fields.iter().collect();
        sources.sort_by_key(|(source, _)| **source);
        for counter in sources.into_iter().flat_map(|(_, counters)| counters) {
            counter.write(&mut out);
        }
        out
    }
}

impl Counter {
    fn write(&self, out: &mut String) {
        if self.values.is_empty() {
            return;
        }
        let mut rows: Vec<_> = self.values.iter().collect();
        rows.sort_by(|left, right| (right.1, left.0).cmp(&(left.1, right.0)));
        let _ = writeln!(out, "\n    events    alerts  {}", self.title);
        for (value, (events, alerts)) in rows.iter().take(MAX_ROWS) {
            let shown = if value.is_empty() { "(empty)" } else { value };
            let _ = writeln!(out, "  {events:8}  {alerts:8}  {}", escape(shown));
        }
        let more = rows.len().saturating_sub(MAX_ROWS);
        if more > 0 || self.others > 0 {
            let least = if self.others > 0 { "at least " } else { "" };
            let _ = writeln!(out, "                      and {least}{more} more");
        }
    }
}

fn counters(source: &str) -> Vec<Counter> {
    let catalogue = threats::sources().into_iter().find(|catalogue| catalogue.source() == source);
    let Some(catalogue) = catalogue else { return Vec::new() };
    let counter = |name: &str, title: &'static str| {
        let field = FieldCatalogue::resolve(catalogue, name, None).ok()?;
        Some(Counter { field, title, values: HashMap::new(), others: 0 })
    };
    let counted = COUNTED.iter().filter(|(of, ..)| *of == source);
    counted.filter_map(|(_, name, title)| counter(name, title)).collect()
}
