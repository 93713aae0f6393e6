//! The rules the program carries: every file is well formed, every control it names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use yagura_detect::policies::{CompiledRule, Framework, Rule, asked, examples};

fn rules() -> Vec<Rule> {
    let read = |file: &yagura_rules::RuleFile| {
        Rule::read(file.path, file.text).unwrap_or_else(|error| panic!("rules/policies/{error}"))
    };
    yagura_rules::family("policies").iter().map(read).collect()
}

fn frameworks() -> BTreeMap<String, Framework> {
    let read = |file: &yagura_rules::RuleFile| {
        let framework = Framework::read(file.path, file.text);
        framework.unwrap_or_else(|error| panic!("rules/frameworks/{error}"))
    };
    let files = yagura_rules::family("frameworks").iter().map(read);
    files.map(|framework| (framework.name.clone(), framework)).collect()
}

#[test]
fn rule_files_lie_where_their_kind_and_id_say() {
    let mut ids = BTreeSet::new();
    for rule in rules() {
        let group = rule.applies[0].split('/').next().unwrap_or_default();
        assert_eq!(rule.path, format!("{group}/{}.yaml", rule.id), "a rule's file is named by kind and id");
        assert!(rule.applies.iter().all(|kind| kind.starts_with(&format!("{group}/"))), "{}", rule.path);
        assert!(ids.insert(rule.id.clone()), "{} is there twice", rule.id);
        for words in [&rule.title, &rule.why, &rule.fix] {
            assert!(!words.ja.is_empty(), "{}: a text has no Japanese", rule.path);
        }
    }
    assert!(!ids.is_empty());
}

#[test]
fn every_rule_says_of_its_examples_what_it_should() {
    let mut failures = Vec::new();
    for file in yagura_rules::family("policies") {
        let rule = Rule::read(file.path, file.text).unwrap_or_else(|error| panic!("rules/policies/{error}"));
        failures.extend(examples::failures(&rule, file.text));
        match CompiledRule::of(rule) {
            Err(error) => failures.push(error.to_string()),
            Ok(compiled) => {
                let told = asked(file.text);
                let missing = compiled.asks.iter().filter(|kind| !told.contains(&kind.as_str()));
                failures.extend(missing.map(|kind| {
                    format!("{}: write all(\"{kind}\") on one line, so that it is found unread", file.path)
                }));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn rules_name_only_controls_that_exist() {
    let frameworks = frameworks();
    let mut wrong = Vec::new();
    for rule in rules() {
        for (name, ids) in &rule.controls {
            let Some(framework) = frameworks.get(name) else {
                wrong.push(format!("{}: there is no rules/frameworks/{name}.yaml", rule.path));
                continue;
            };
            let unknown = ids.iter().filter(|id| !framework.controls.contains_key(*id));
            wrong.extend(unknown.map(|id| format!("{}: {name} has no control {id}", rule.path)));
        }
    }
    for framework in frameworks.values() {
        let mut words = framework.controls.values().chain([&framework.title]);
        if words.any(|words| words.ja.is_empty()) {
            wrong.push(format!("rules/frameworks/{}.yaml: a text has no Japanese", framework.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nist_800_53_has_only_the_controls_of_its_catalogue() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("YAGURA_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let mut known = BTreeSet::new();
    for file in std::fs::read_dir(data.join("oscal")).into_iter().flatten() {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        collect(&serde_json::from_slice(&text).unwrap(), &mut known);
    }
    if known.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "no OSCAL catalogue in {}", data.display());
        println!("SKIPPED nist_800_53_has_only_the_controls_of_its_catalogue: no {}/oscal", data.display());
        return;
    }
    // In the catalogue, and in none of the baselines that the data has.
    known.extend(["sc-6", "sr-4"].map(str::to_owned));
    let framework = &frameworks()["nist-800-53"];
    let unknown: Vec<_> =
        framework.controls.keys().filter(|id| !known.contains(&id.to_ascii_lowercase())).collect();
    assert!(unknown.is_empty(), "not in the baselines of NIST SP 800-53: {unknown:?}");
}

/// Ids of controls in an OSCAL document, at any depth.
fn collect(value: &serde_json::Value, known: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for control in map.get("controls").and_then(serde_json::Value::as_array).into_iter().flatten() {
                known.extend(control.get("id").and_then(serde_json::Value::as_str).map(str::to_owned));
            }
            map.values().for_each(|value| collect(value, known));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, known)),
        _ => {}
    }
}
