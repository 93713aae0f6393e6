//! A check: one rule of a policy that says what is wrong, and what its writer tells of it.

use std::sync::atomic::AtomicBool;

use serde_json::Value as Json;
use yagura_model::Severity;

/// Which documents a check expects, and how its results are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The file as it is parsed: a Dockerfile is a list of instructions.
    Plain,
    /// Documents whose parts know their lines: a Dockerfile has `Stages`, mappings of manifests a place.
    Placed,
}

/// What a check wants to see: `type` and `subtypes` of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    pub kind: String,
    /// Kinds, groups or versions of Kubernetes objects, in lower case; empty for all.
    pub subtypes: Vec<String>,
}

/// How a check is asked.
#[derive(Clone, Debug)]
pub enum Query {
    /// All rules of the name together.
    Name,
    /// One rule, an index into the rules of a module: others of the same name are other checks.
    Rule { module: usize, rule: usize },
}

#[derive(Debug)]
pub struct Check {
    pub id: String,
    /// Empty where nobody wrote one: messages stand for themselves.
    pub title: String,
    pub description: String,
    pub severity: Severity,
    /// What to do, in words.
    pub action: String,
    pub references: Vec<String>,
    /// `framework:control`.
    pub controls: Vec<String>,
    /// The package's path without `data`.
    pub package: Vec<String>,
    /// The rule's name: `deny`, `warn_labels`, …
    pub rule: String,
    /// The file it is written in, for people.
    pub path: String,
    pub line: u32,
    pub shape: Shape,
    /// Any of them; none takes every document.
    pub selectors: Vec<Selector>,
    pub(crate) query: Query,
    /// Set when it ran into a bound: it is asked no more.
    pub(crate) stopped: AtomicBool,
}

/// What is written about a check, gathered from annotations, the most particular first.
#[derive(Debug, Default)]
pub struct About {
    layers: Vec<Json>,
}

impl About {
    pub fn add(&mut self, layer: Json) {
        self.layers.push(layer);
    }

    /// A field of the annotation itself, or of its `custom` part.
    fn field(&self, names: &[&str]) -> Option<&Json> {
        self.layers.iter().find_map(|layer| {
            let custom = layer.get("custom");
            names.iter().find_map(|name| {
                custom
                    .and_then(|custom| custom.get(name))
                    .or_else(|| layer.get(name))
                    .filter(|it| !it.is_null())
            })
        })
    }

    fn text(&self, names: &[&str]) -> String {
        match self.field(names) {
            Some(Json::String(text)) => text.trim().to_owned(),
            Some(other @ (Json::Number(_) | Json::Bool(_))) => other.to_string(),
            _ => String::new(),
        }
    }

    pub fn id(&self) -> String {
        let id = self.text(&["id", "avd_id", "short_code"]);
        // Ids are printed, and written in comments.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
        id.chars().take(120).map(|c| if plain(c) { c } else { '_' }).collect()
    }

    pub fn title(&self) -> String {
        self.text(&["title"])
    }

    pub fn description(&self) -> String {
        self.text(&["description"])
    }

    pub fn action(&self) -> String {
        self.text(&["recommended_action", "recommended_actions", "remediation", "recommendation", "fix"])
    }

    pub fn severity(&self) -> Option<Severity> {
        severity(&self.text(&["severity"]))
    }

    /// A part of a library: its rules check nothing.
    pub fn is_library(&self) -> bool {
        self.field(&["library"]).and_then(Json::as_bool).unwrap_or(false)
    }

    pub fn is_deprecated(&self) -> bool {
        self.field(&["deprecated"]).and_then(Json::as_bool).unwrap_or(false)
    }

    pub fn references(&self) -> Vec<String> {
        let mut references: Vec<String> = Vec::new();
        let listed = self.field(&["related_resources"]).and_then(Json::as_array);
        for resource in listed.into_iter().flatten() {
            let reference = resource.as_str().or_else(|| resource.get("ref").and_then(Json::as_str));
            references.extend(reference.map(str::to_owned));
        }
        let url = self.text(&["url"]);
        if !url.is_empty() {
            references.push(url);
        }
        references
    }

    /// `frameworks: {cis: ["1.2"]}`, or `controls` likewise.
    pub fn controls(&self) -> Vec<String> {
        let frameworks = self.field(&["frameworks", "controls"]).and_then(Json::as_object);
        let mut controls = Vec::new();
        for (framework, ids) in frameworks.into_iter().flatten() {
            let ids = ids.as_array().map(Vec::as_slice).unwrap_or_default();
            let texts = ids.iter().map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
            controls.extend(texts.map(|id| format!("{framework}:{id}")));
        }
        controls
    }

    /// The selectors, and whether the writer speaks of input at all.
    pub fn selectors(&self) -> Option<Vec<Selector>> {
        let input = self.field(&["input"])?;
        let listed = input.get("selector").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(listed.iter().filter_map(selector).collect())
    }
}

fn selector(json: &Json) -> Option<Selector> {
    let kind = json.get("type")?.as_str()?.to_ascii_lowercase();
    let listed = json.get("subtypes").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let words = listed.iter().flat_map(|subtype| {
        ["kind", "group", "version"]
            .into_iter()
            .filter_map(|key| Some(subtype.get(key)?.as_str()?.to_ascii_lowercase()))
    });
    Some(Selector { kind, subtypes: words.filter(|word| !word.is_empty()).collect() })
}

/// A severity as writers of policies name it.
pub fn severity(text: &str) -> Option<Severity> {
    match text.to_ascii_lowercase().as_str() {
        "" => None,
        "error" => Some(Severity::High),
        "warning" | "warn" => Some(Severity::Low),
        "info" => Some(Severity::Negligible),
        other => other.parse().ok(),
    }
}

/// Whether conftest would ask a rule of this name: `deny`, `violation`, `warn`, with an ending or not.
pub fn is_check(rule: &str) -> bool {
    ["deny", "violation", "warn"].iter().any(|kind| {
        rule.strip_prefix(kind).is_some_and(|ending| {
            ending.is_empty()
                || ending.starts_with('_')
                    && !ending.ends_with('_')
                    && !ending.contains("__")
                    && ending.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    })
}

/// What a rule is called in an `exception`: its name without what it does.
pub fn exception_name(rule: &str) -> &str {
    ["violation", "deny", "warn"]
        .iter()
        .find_map(|kind| rule.strip_prefix(kind))
        .map_or(rule, |ending| ending.strip_prefix('_').unwrap_or(ending))
}
