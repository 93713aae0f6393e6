//! One run of an engine over events of whatever source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use yagura_detect::threats::{Engine, Matching, Repeats, Selection, SourceId};
use yagura_language::falco::predicate::EventTypes;
use yagura_language::falco::rules::RuleSet;
use yagura_model::alert::{Alert, Priority};
use yagura_model::field::Fields;

use super::Sinks;
use crate::arguments::threats::{RuleMatching, ThreatRules};

/// Engine, repeats and sinks, and what they did.
pub struct Session {
    engine: Engine,
    repeats: Repeats,
    sinks: Sinks,
    told: Vec<Alert>,
    /// The most urgent rule of the event judged last.
    latest: Option<(Priority, Arc<str>)>,
    /// Alerts by rule, with the rule's priority.
    pub alerts: BTreeMap<(Priority, String), u64>,
}

impl Session {
    pub fn new(rules: RuleSet, arguments: &ThreatRules, hostname: &str, sinks: Sinks) -> Result<Self> {
        let mut selection = Selection::at_least(arguments.min_priority);
        for what in &arguments.disable {
            selection.choose(false, what)?;
        }
        for what in &arguments.enable {
            selection.choose(true, what)?;
        }
        let matching = match arguments.rule_matching {
            RuleMatching::First => Matching::First,
            RuleMatching::All => Matching::All,
        };
        let window = Duration::from_secs(arguments.dedup).as_nanos();
        Ok(Self {
            engine: Engine::new(rules, &selection, matching, hostname),
            repeats: Repeats::new(u64::try_from(window).unwrap_or(u64::MAX)),
            sinks,
            told: Vec::new(),
            latest: None,
            alerts: BTreeMap::new(),
        })
    }

    pub fn source(&self, name: &str) -> Option<SourceId> {
        self.engine.source(name)
    }

    /// How many rules of a source are heeded.
    pub fn rules(&self, source: SourceId) -> usize {
        self.engine.rules(source)
    }

    /// The event types that rules of a source ask for; none for every type.
    pub fn event_types(&self, source: SourceId) -> Option<EventTypes> {
        self.engine.event_types(source)
    }

    /// The most urgent rule that the event judged last broke.
    pub fn latest(&self) -> Option<(Priority, &Arc<str>)> {
        self.latest.as_ref().map(|(priority, rule)| (*priority, rule))
    }

    /// Judges an event; alerts go to the sinks. The answer says how many there were.
    pub fn judge<E: Fields + ?Sized>(&mut self, source: SourceId, event: &E) -> Result<usize> {
        let Self { engine, repeats, told, latest, .. } = self;
        let mut matched = 0;
        *latest = None;
        engine.judge(source, event, &mut |alert| {
            matched += 1;
            if latest.as_ref().is_none_or(|(priority, _)| alert.priority < *priority) {
                *latest = Some((alert.priority, Arc::clone(&alert.rule)));
            }
            repeats.pass(alert, &mut |alert| told.push(alert));
        });
        if matched > 0 {
            self.tell()?;
        }
        Ok(matched)
    }

    fn tell(&mut self) -> Result<()> {
        for alert in self.told.drain(..) {
            *self.alerts.entry((alert.priority, alert.rule.to_string())).or_default() += 1 + alert.repeats;
            self.sinks.send(&alert)?;
        }
        Ok(())
    }

    /// Tells what was held back, and waits until everything has arrived.
    pub fn finish(&mut self) -> Result<()> {
        let Self { repeats, told, .. } = self;
        repeats.rest(&mut |alert| told.push(alert));
        self.tell()?;
        self.sinks.finish()
    }

    /// The highest priority of which there was an alert.
    pub fn worst(&self) -> Option<Priority> {
        self.alerts.keys().map(|(priority, _)| *priority).min()
    }
}
