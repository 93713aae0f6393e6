//! Events in, matching rules and alerts out.

use std::collections::HashMap;
use std::sync::Arc;

use yagura_language::falco::predicate::{EventTypes, Memory, NodeId, Program};
use yagura_language::falco::rules::{CompiledRule, RuleSet};
use yagura_model::alert::{Alert, AlertValue};
use yagura_model::field::{EventType, FieldValue, Fields, TimeStyle};

use super::selection::Selection;

/// How many rules may match one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// The first in the order of the files, as Falco does by default.
    #[default]
    First,
    All,
}

/// A source of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(usize);

/// What an engine did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub events: u64,
    /// Matches by rule, in the order of the rules.
    pub matches: Vec<(Arc<str>, u64)>,
}

/// The rules that are heeded, ready for events. One for each thread that judges.
#[derive(Clone, Debug)]
pub struct Engine {
    sources: Vec<Source>,
    matching: Matching,
    hostname: Arc<str>,
    events: u64,
}

#[derive(Clone, Debug)]
struct Source {
    name: Arc<str>,
    program: Program,
    rules: Vec<Heeded>,
    /// For each event type the list of its candidates in `candidates`; types beyond have the first list.
    lists: Vec<u16>,
    /// The first list is that of types which no rule names, and of sources without types.
    candidates: Vec<Box<[Candidate]>>,
    memory: Memory,
}

#[derive(Clone, Debug)]
struct Heeded {
    compiled: CompiledRule,
    name: Arc<str>,
    tags: Arc<std::collections::BTreeSet<String>>,
    matches: u64,
}

/// A rule that an event of some type can match, and what of its condition is still open then.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    rule: usize,
    condition: NodeId,
}

impl Engine {
    pub fn new(rules: RuleSet, selection: &Selection, matching: Matching, hostname: &str) -> Self {
        let sources = rules.sources.into_iter().map(|source| {
            let heeded = source.rules.into_iter().filter(|compiled| selection.heeds(&compiled.rule));
            let rules = heeded.map(|compiled| Heeded {
                name: compiled.rule.name.as_str().into(),
                tags: Arc::new(compiled.rule.tags.clone()),
                compiled,
                matches: 0,
            });
            Source::new(source.source.into(), source.program, rules.collect())
        });
        Self { sources: sources.collect(), matching, hostname: hostname.into(), events: 0 }
    }

    pub fn source(&self, name: &str) -> Option<SourceId> {
        self.sources.iter().position(|source| &*source.name == name).map(SourceId)
    }

    /// How many rules of a source are heeded.
    pub fn rules(&self, source: SourceId) -> usize {
        self.sources.get(source.0).map_or(0, |source| source.rules.len())
    }

    /// The event types of a source that a rule could match: what else happens need not be told. None when every type
    /// could, or when there are none.
    pub fn event_types(&self, source: SourceId) -> Option<EventTypes> {
        let source = self.sources.get(source.0)?;
        if source.candidates.first().is_none_or(|others| !others.is_empty()) {
            return None;
        }
        let named = source.lists.iter().zip(0..).filter(|(list, _)| {
            source.candidates.get(usize::from(**list)).is_some_and(|candidates| !candidates.is_empty())
        });
        Some(named.map(|(_, number)| EventType(number)).collect())
    }

    /// Asks the rules of a source about an event, and gives an alert for each that matches.
    pub fn judge<E: Fields + ?Sized>(&mut self, source: SourceId, event: &E, alert: &mut dyn FnMut(Alert)) {
        self.events += 1;
        let Some(source) = self.sources.get_mut(source.0) else { return };
        let Source { program, rules, lists, candidates, memory, name } = source;
        let list = match event.event_type() {
            Some(EventType(number)) => lists.get(usize::from(number)).copied().unwrap_or(0),
            None => 0,
        };
        let Some(candidates) = candidates.get(usize::from(list)) else { return };
        if candidates.is_empty() {
            return;
        }
        memory.next_event();
        for candidate in candidates {
            if !program.evaluate(candidate.condition, event, memory) {
                continue;
            }
            if let Some(rule) = rules.get_mut(candidate.rule) {
                rule.matches += 1;
                alert(rule.alert(event, name, &self.hostname));
            }
            if self.matching == Matching::First {
                return;
            }
        }
    }

    pub fn statistics(&self) -> Statistics {
        let rules = self.sources.iter().flat_map(|source| &source.rules);
        Statistics {
            events: self.events,
            matches: rules.map(|rule| (Arc::clone(&rule.name), rule.matches)).collect(),
        }
    }
}

impl Source {
    fn new(name: Arc<str>, mut program: Program, rules: Vec<Heeded>) -> Self {
        let named: Vec<EventType> = program.named_types().iter().collect();
        let mut candidates = vec![open_for(None, &rules, &mut program)];
        let mut lists = Vec::new();
        for event_type in named {
            let number = usize::from(event_type.0);
            if lists.len() <= number {
                lists.resize(number + 1, 0);
            }
            if let Some(list) = lists.get_mut(number) {
                *list = u16::try_from(candidates.len()).unwrap_or(0);
            }
            candidates.push(open_for(Some(event_type), &rules, &mut program));
        }
        Self { name, program, rules, lists, candidates, memory: Memory::default() }
    }
}

/// What events of one type could match.
fn open_for(event_type: Option<EventType>, rules: &[Heeded], program: &mut Program) -> Box<[Candidate]> {
    let mut known = HashMap::new();
    let mut open = Vec::new();
    for (rule, heeded) in rules.iter().enumerate() {
        let condition = program.specialise(heeded.compiled.condition, event_type, &mut known);
        if condition != Program::NEVER {
            program.use_node(condition);
            open.push(Candidate { rule, condition });
        }
    }
    open.into()
}

impl Heeded {
    fn alert<E: Fields + ?Sized>(&self, event: &E, source: &Arc<str>, hostname: &Arc<str>) -> Alert {
        let output = &self.compiled.output;
        let time = event.time();
        let mut fields: Vec<(String, AlertValue)> =
            output.values(event).map(|(name, value)| (name.to_owned(), value)).collect();
        if !fields.iter().any(|(name, _)| name == "evt.time") {
            let value = FieldValue::Time { nanoseconds: time, style: TimeStyle::Clock };
            fields.push(("evt.time".to_owned(), AlertValue::One(value)));
        }
        for (key, format, raw) in &self.compiled.extra_fields {
            let value = match raw {
                true => format.values(event).next().map_or(AlertValue::Missing, |(_, value)| value),
                false => {
                    let text = format.text(event).unwrap_or_default();
                    AlertValue::One(FieldValue::owned_text(text))
                }
            };
            fields.retain(|(name, _)| name != key);
            fields.push((key.clone(), value));
        }
        Alert {
            rule: Arc::clone(&self.name),
            priority: self.compiled.rule.priority,
            source: Arc::clone(source),
            time,
            hostname: Arc::clone(hostname),
            message: output.text(event).unwrap_or_default(),
            tags: Arc::clone(&self.tags),
            fields,
            repeats: 0,
        }
    }
}
