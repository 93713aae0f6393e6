//! SARIF 2.1.0, as GitHub code scanning and other viewers read it.
//!
//! Format: OASIS SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>. A rule is a flaw or one of our
//! rules, a result is a finding. Paths are relative to the target's root (`%TARGET%`), layers are logical locations.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};
use yagura_model::report::Suppressed;
use yagura_model::{Finding, Report, Severity};

use crate::Options;
use crate::sbom::{Lazy, kind_name, timestamp};

/// The URI base every path is relative to.
const ROOT: &str = "TARGET";
/// Longest path written; a viewer has no use for more.
const MAX_PATH: usize = 4096;

pub fn write(report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let all = || {
        let open = report.findings.iter().map(|finding| (finding, None));
        open.chain(report.suppressed.iter().map(|suppressed| (&suppressed.finding, Some(suppressed))))
    };
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for (finding, _) in all() {
        // The worst finding speaks for the rule: its severity is what the rule is sorted by.
        let known = rules.entry(&finding.rule).or_insert(finding);
        if finding.severity > known.severity {
            *known = finding;
        }
    }
    let index: HashMap<&str, usize> = rules.keys().enumerate().map(|(at, rule)| (*rule, at)).collect();
    let results = Lazy(|| {
        all().map(|(finding, suppressed)| {
            result(finding, suppressed, index.get(finding.rule.as_str()).copied().unwrap_or_default())
        })
    });
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: json!({"driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }}),
            invocations: [invocation(report)],
            original_uri_base_ids: json!({ROOT: {"description": {"text": "The root of the scanned target"}}}),
            column_kind: "unicodeCodePoints",
            artifacts: report.targets.iter().map(|target| {
                json!({"description": {"text": format!("{}: {}", kind_name(target.kind), target.name)}})
            }).collect(),
            results,
        }],
    };
    serde_json::to_writer(&mut *out, &log)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<R>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    tool: Value,
    invocations: [Value; 1],
    original_uri_base_ids: Value,
    column_kind: &'static str,
    artifacts: Vec<Value>,
    results: R,
}

/// What the run could not look at is a notification: a viewer shows that the scan was not whole.
fn invocation(report: &Report) -> Value {
    let skipped = report.skipped.iter().chain(report.targets.iter().flat_map(|t| &t.inventory.skipped));
    let mut notifications: Vec<Value> = skipped
        .map(|skipped| {
            let times = if skipped.count > 1 { format!(" (×{})", skipped.count) } else { String::new() };
            json!({"level": "warning", "message": {"text": format!("{}: {}{times}", skipped.path, skipped.detail)}})
        })
        .collect();
    notifications
        .extend(report.notices.iter().map(|notice| json!({"level": "note", "message": {"text": notice}})));
    let mut invocation = json!({"executionSuccessful": true, "toolExecutionNotifications": notifications});
    if let Some(created) = timestamp(&report.created) {
        invocation["endTimeUtc"] = created.into();
    }
    invocation
}

fn rule(finding: &Finding) -> Value {
    let mut help = Vec::new();
    if let Some(package) = &finding.package {
        help.push(format!("Package: {} {}", package.name, package.version));
    }
    match &finding.fixed_version {
        Some(version) => help.push(format!("Fixed in: {version}")),
        None if finding.package.is_some() => help.push("Fixed in: no fixed version is known".to_owned()),
        None => {}
    }
    if !finding.fix.is_empty() {
        help.push(format!("What to do: {}", finding.fix));
    }
    if !finding.aliases.is_empty() {
        help.push(format!("Also known as: {}", finding.aliases.join(", ")));
    }
    let known = finding.vulnerability.as_ref();
    if let Some(exploited) = known.and_then(|known| known.known_exploited.as_ref()) {
        help.push(format!("Known to be exploited since {}", exploited.date_added));
    }
    let help = if help.is_empty() { finding.title.clone() } else { help.join("\n") };
    let markdown =
        help.lines().map(|line| format!("- {}", crate::markdown::escape(line))).collect::<Vec<_>>();
    let mut tags = vec![json!("security"), json!(finding.kind.name())];
    tags.extend(
        known
            .into_iter()
            .flat_map(|known| &known.weaknesses)
            .map(|weakness| json!(format!("external/cwe/{}", weakness.to_ascii_lowercase()))),
    );
    tags.extend(finding.controls.iter().map(|control| json!(control)));
    tags.dedup();
    json!({
        "id": finding.rule,
        "name": pascal_case(finding.kind.name()),
        "shortDescription": {"text": shown(&finding.title, &finding.rule)},
        "fullDescription": {"text": shown(&finding.title, &finding.rule)},
        "help": {"text": help, "markdown": markdown.join("\n")},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {"tags": tags, "precision": "very-high", "security-severity": security_severity(finding)},
    })
}

fn shown<'a>(title: &'a str, rule: &'a str) -> &'a str {
    if title.trim().is_empty() { rule } else { title }
}

fn pascal_case(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Negligible | Severity::Unknown => "note",
    }
}

/// GitHub's scale: over 9.0 critical, from 7.0 high, from 4.0 medium, over 0 low. The score where it agrees with
/// the severity, for a vendor may rate otherwise than CVSS.
fn security_severity(finding: &Finding) -> String {
    let score = finding.vulnerability.as_ref().and_then(|known| known.score);
    match score {
        Some(score) if Severity::from_score(score) == finding.severity => format!("{score:.1}"),
        _ => match finding.severity {
            Severity::Critical => "9.5",
            Severity::High => "8.0",
            Severity::Medium => "5.5",
            Severity::Low => "2.0",
            Severity::Negligible => "0.5",
            Severity::Unknown => "0.0",
        }
        .to_owned(),
    }
}

fn result(finding: &Finding, suppressed: Option<&Suppressed>, rule_index: usize) -> Value {
    let mut text = shown(&finding.title, &finding.rule).to_owned();
    if let Some(package) = &finding.package {
        text = format!("{} in {} {}: {text}", finding.rule, package.name, package.version);
        match &finding.fixed_version {
            Some(version) => text.push_str(&format!(". Fixed in {version}.")),
            None => text.push_str(". No fixed version is known."),
        }
    }
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| {
        properties.insert(key.to_owned(), value);
    };
    set("severity", finding.severity.name().into());
    set("target", finding.target.clone().into());
    if let Some(from_base) = finding.from_base_image {
        set("fromBaseImage", from_base.into());
    }
    if let Some(purl) = finding.package.as_ref().and_then(|package| package.purl.as_ref()) {
        set("purl", purl.as_str().into());
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [location(finding)],
        // The finding's id is the same in every scan of the same flaw at the same place.
        "partialFingerprints": {"yaguraFindingId/v1": finding.id},
        "properties": properties,
    });
    if let Some(suppressed) = suppressed {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{} ({}: {})", suppressed.reason, suppressed.by, suppressed.source),
        }]);
    }
    result
}

fn location(finding: &Finding) -> Value {
    let place = &finding.location;
    let mut physical = json!({"artifactLocation": {"uri": uri(&place.path), "uriBaseId": ROOT}});
    // GitHub shows only results that have a region.
    let start = place.start_line.filter(|line| *line > 0).unwrap_or(1);
    let end = place.end_line.filter(|end| *end >= start).unwrap_or(start);
    physical["region"] = json!({"startLine": start, "endLine": end});
    if let Some(column) = finding.location.start_column {
        physical["region"]["startColumn"] = column.into();
    }
    let mut logical = vec![json!({"fullyQualifiedName": finding.target, "kind": "target"})];
    if let Some(package) = &finding.package {
        logical.push(json!({
            "name": package.name,
            "fullyQualifiedName": format!("{}@{}", package.name, package.version),
            "kind": "package",
        }));
    }
    if let Some(layer) = &place.layer {
        logical
            .push(json!({"name": layer.short(), "fullyQualifiedName": layer.to_string(), "kind": "layer"}));
    }
    json!({"physicalLocation": physical, "logicalLocations": logical})
}

/// A relative URI reference of a path (RFC 3986): what is not unreserved is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes().take(MAX_PATH) {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'@'
            | b'!'
            | b'+' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    if uri.is_empty() { ".".to_owned() } else { uri }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_uri_references() {
        for (path, expected) in [
            ("app/shop.jar!/lib/a b.jar", "app/shop.jar!/lib/a%20b.jar"),
            ("日", "%E6%97%A5"),
            ("a:b#c?d%", "a%3Ab%23c%3Fd%25"),
            ("", "."),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
