//! Every threat rule that the program carries tells of its examples, and keeps silent about their look-alikes.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::LazyLock;

use yagura_detect::threats::{Engine, Matching, Selection};
use yagura_events::audit::{AuditEvent, AuditSource};
use yagura_events::cloudtrail::{CloudTrail, CloudTrailEvent};
use yagura_events::fields::SyscallCatalogue;
use yagura_events::kubernetes_audit::{KubernetesAudit, KubernetesAuditEvent};
use yagura_formats::document::{Node, Value, yaml};
use yagura_language::falco::rules::{Loader, Options, RuleSet};
use yagura_model::field::{EventType, Field, FieldCatalogue, FieldType, FieldValue, Fields};
use yagura_rules::RuleFile;

static SYSCALLS: LazyLock<SyscallCatalogue> = LazyLock::new(SyscallCatalogue::new);

fn carried(examples: bool) -> impl Iterator<Item = &'static RuleFile> {
    let files = yagura_rules::family("threats").iter();
    files.filter(move |file| file.path.ends_with(".yaml") && file.path.starts_with("examples/") == examples)
}

fn rules() -> RuleSet {
    let options = Options { plugins: Vec::new(), append_output: Vec::new() };
    let sources: &[&dyn FieldCatalogue] = &[&*SYSCALLS, &KubernetesAudit, &CloudTrail];
    let mut loader = Loader::new(sources, &options);
    for file in carried(false) {
        let result = loader.load(file.path, file.text.as_bytes());
        assert!(result.is_successful(), "{}", result.details());
    }
    loader.finish()
}

fn json(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Null | Value::Unknown => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_ref().into()),
        Value::String(text) => text.as_ref().into(),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => entries
            .iter()
            .map(|entry| (entry.key.scalar().unwrap().to_owned(), json(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// The rules that tell of a record.
fn told_of(engine: &mut Engine, record: &Node<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut note = |alert: yagura_model::alert::Alert| {
        assert!(!alert.message.is_empty());
        names.insert(alert.rule.to_string());
    };
    if record.get("evt.type").is_some() {
        let source = engine.source("syscall").unwrap();
        engine.judge(source, &Written::of(record, &SYSCALLS), &mut note);
        return names;
    }
    let text = json(record).to_string();
    let event = AuditEvent::parse(&text).unwrap_or_else(|(_, reason)| panic!("{reason}: {text}"));
    let source = engine.source(event.source.name()).unwrap();
    match event.source {
        AuditSource::Kubernetes => engine.judge(source, &KubernetesAuditEvent(&event), &mut note),
        AuditSource::CloudTrail => engine.judge(source, &CloudTrailEvent(&event), &mut note),
    }
    names
}

#[test]
fn rules_tell_of_their_examples_alone() {
    let rules = rules();
    let mut lacking: BTreeSet<String> = rules.rules().map(|compiled| compiled.rule.name.clone()).collect();
    let mut engine = Engine::new(rules, &Selection::default(), Matching::All, "host");
    let mut wrong = Vec::new();
    for file in carried(true) {
        let tree = yaml::parse(file.text);
        assert!(tree.problems.iter().all(|problem| problem.reason.is_none()), "{:?}", tree.problems);
        for example in tree.root().unwrap().items() {
            let Some(rule) = example.text_of("rule") else { continue };
            assert!(lacking.remove(rule), "{}: no rule is called {rule}", file.path);
            for (key, expected) in [("fires", true), ("silent", false)] {
                let events = example.get(key).unwrap().items();
                assert!(!events.is_empty(), "{rule} has no example that {key}");
                for event in events {
                    if told_of(&mut engine, event).contains(rule) != expected {
                        wrong.push(format!("{} line {}: {rule} {key}", file.path, event.span.line));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(lacking.is_empty(), "rules without examples: {lacking:?}");
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_technique() {
    let mut ids = BTreeSet::new();
    let mut techniques = BTreeSet::new();
    for file in carried(false) {
        let tree = yaml::parse(file.text);
        for item in tree.root().unwrap().items() {
            let Some(rule) = item.text_of("rule") else { continue };
            let tags: Vec<&str> = item.get("tags").unwrap().items().iter().filter_map(Node::scalar).collect();
            let id = tags.iter().find(|tag| tag.starts_with("YGR-RT-"));
            let id = id.unwrap_or_else(|| panic!("{rule} has no id"));
            assert!(ids.insert((*id).to_owned()), "{rule}: {id} is taken");
            let is_technique = |tag: &&&str| {
                tag.strip_prefix('T')
                    .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
            };
            let named: Vec<String> = tags.iter().filter(is_technique).map(|tag| (*tag).to_owned()).collect();
            assert!(!named.is_empty(), "{rule} names no technique");
            techniques.extend(named);
        }
    }
    // ATT&CK v18 has 48 techniques for containers.
    assert!(techniques.len() >= 48, "{}", techniques.len());
}

/// A system event that answers what its example says.
struct Written {
    event_type: Option<EventType>,
    values: HashMap<Field, Vec<FieldValue<'static>>>,
}

impl Written {
    fn of(node: &Node<'_>, catalogue: &SyscallCatalogue) -> Self {
        let mut values = HashMap::new();
        for entry in node.entries() {
            let name = entry.key.scalar().unwrap();
            let field = catalogue.resolve(name, None).unwrap_or_else(|error| panic!("{name}: {error}"));
            let nodes = match &entry.value.value {
                Value::Sequence(items) => items.iter().collect(),
                _ => vec![&entry.value],
            };
            let all = nodes.into_iter().map(|node| value(node.scalar().unwrap(), field.kind)).collect();
            values.insert(field, all);
        }
        Self { event_type: catalogue.event_type(node.text_of("evt.type").unwrap()), values }
    }
}

fn value(text: &str, kind: FieldType) -> FieldValue<'static> {
    match kind {
        FieldType::Boolean => FieldValue::Boolean(text == "true"),
        FieldType::Signed => FieldValue::Signed(text.parse().unwrap()),
        FieldType::Unsigned | FieldType::Duration | FieldType::Time | FieldType::Port => {
            FieldValue::Unsigned(text.parse().unwrap())
        }
        FieldType::Double => FieldValue::Double(text.parse().unwrap()),
        FieldType::Address | FieldType::Network => FieldValue::Address(text.parse().unwrap()),
        FieldType::Text | FieldType::Path => FieldValue::owned_text(text.to_owned()),
        FieldType::Bytes => FieldValue::Bytes(text.as_bytes().to_vec().into()),
    }
}

impl Fields for Written {
    fn event_type(&self) -> Option<EventType> {
        self.event_type
    }

    fn time(&self) -> u64 {
        0
    }

    fn value(&self, field: &Field) -> Option<FieldValue<'_>> {
        self.values.get(field)?.first().cloned()
    }

    fn each(&self, field: &Field, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        let _ = self.values.get(field).into_iter().flatten().cloned().try_for_each(visit);
    }
}
