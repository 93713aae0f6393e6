use std::sync::Arc;

use yagura_formats::layer::{Analyser as _, PassingFile};

use super::*;

fn secrets() -> Secrets {
    static RULES: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    let rules = RULES.get_or_init(|| Arc::new(RuleSet::builtin().unwrap()));
    Secrets::new(Arc::clone(rules), FingerprintKey::new([7; 32]))
}

fn found(secrets: &Secrets, path: &str, text: &str) -> Vec<(String, Option<u32>)> {
    let observed = secrets.search(path, text.as_bytes());
    observed.observations.into_iter().map(|seen| (seen.rule, seen.location.start_line)).collect()
}

#[test]
fn every_rule_finds_its_examples_and_only_those() {
    let secrets = secrets();
    let mut wrong = Vec::new();
    for rule in secrets.rules().rules() {
        assert!(rule.compiles(), "{}", rule.id);
        if rule.examples.matching.is_empty() || rule.examples.clean.is_empty() {
            wrong.push(format!("{}: needs examples of both kinds", rule.id));
        }
        for example in &rule.examples.matching {
            let found = found(&secrets, &example.file, &example.text);
            if !found.iter().any(|(id, _)| *id == rule.id) {
                wrong.push(format!("{}: not found in {:?}, but {found:?}", rule.id, example));
            }
        }
        for example in &rule.examples.clean {
            let found = found(&secrets, &example.file, &example.text);
            // What is no key of this provider may be one of no known kind.
            let generic = |id: &str| secrets.rules().get(id).is_some_and(|rule| rule.generic);
            if found.iter().any(|(id, _)| *id == rule.id || rule.generic || !generic(id)) {
                wrong.push(format!("{}: {found:?} in {:?}", rule.id, example));
            }
        }
    }
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
    assert!(secrets.rules().rules().len() >= 250);
}
