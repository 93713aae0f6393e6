//! What the interpreter does not read, written so that it does. Lines stay where they are.

use std::ops::Range;

use serde_json::{Value as Json, json};

use crate::annotations::{Annotation, Scope};

/// Brings imports that stand below rules to the line of the package: OPA takes them anywhere.
pub fn imports_first(text: &str) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let package = lines.iter().position(|line| line.starts_with("package "))?;
    let mut moved = Vec::new();
    for line in lines.iter_mut().skip(package + 1).filter(|line| line.starts_with("import ")) {
        moved.push(line.split('#').next().unwrap_or_default().trim().to_owned());
        line.clear();
    }
    if moved.is_empty() {
        return None;
    }
    let line = lines.get_mut(package)?;
    let plain = line.split('#').next().unwrap_or_default().trim_end().to_owned();
    *line = format!("{plain} {}", moved.join(" "));
    Some(lines.join("\n") + "\n")
}

/// Puts the annotations that `rego.metadata.rule()` and `chain()` give where they are asked for: they are known before
/// anything runs.
pub fn metadata(text: &str, package: &[String], annotations: &[Annotation]) -> Option<String> {
    const RULE: &str = "rego.metadata.rule()";
    const CHAIN: &str = "rego.metadata.chain()";
    if !text.contains(RULE) && !text.contains(CHAIN) {
        return None;
    }
    let mut start = 0_u32;
    let mut name = String::new();
    let mut whole = String::with_capacity(text.len());
    for (line, number) in text.lines().zip(1_u32..) {
        let begins = line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if begins {
            start = number;
            name = line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        }
        let of = |scope: Scope| annotations.iter().find(move |it| it.scope == scope);
        let rule = annotations.iter().find(|it| it.scope == Scope::Rule && it.of == start);
        let content = |annotation: Option<&Annotation>| annotation.map(|it| it.content.clone());
        let path = |rule: bool| -> Vec<&str> {
            let end = rule.then_some(name.as_str());
            std::iter::once("data").chain(package.iter().map(String::as_str)).chain(end).collect()
        };
        let link = |annotation: Option<Json>, rule: bool| {
            Some(json!({"path": path(rule), "annotations": annotation?}))
        };
        let links = [
            // The rule itself stands in the chain, annotated or not.
            Some(link(content(rule), true).unwrap_or_else(|| json!({"path": path(true)}))),
            link(content(of(Scope::Document)), true),
            link(content(of(Scope::Package)), false),
            link(content(of(Scope::Subpackages)), false),
        ];
        let chain = Json::Array(links.into_iter().flatten().collect());
        let rule = content(rule).unwrap_or_else(|| json!({}));
        whole.push_str(&line.replace(RULE, &rule.to_string()).replace(CHAIN, &chain.to_string()));
        whole.push('\n');
    }
    Some(whole)
}

/// The text with other words at some of its bytes.
pub fn replaced(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut edits: Vec<_> = edits.iter().collect();
    edits.sort_by_key(|(range, _)| range.start);
    let mut whole = String::with_capacity(text.len() + edits.len() * 16);
    let mut at = 0;
    for (range, name) in edits {
        if range.start < at {
            continue;
        }
        whole.push_str(text.get(at..range.start).unwrap_or_default());
        whole.push_str(name);
        at = range.end;
    }
    whole.push_str(text.get(at..).unwrap_or_default());
    whole
}
