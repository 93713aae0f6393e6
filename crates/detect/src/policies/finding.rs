//! A finding from a verdict: where, why, and the lines that say so.

use sha2::{Digest, Sha256};
use yagura_configuration::{Resource, Subject};
use yagura_formats::document::Span;
use yagura_model::finding::Evidence;
use yagura_model::{Finding, Location};

use super::check::{FileText, Settings};
use super::rule::Rule;

/// Lines shown of the place itself.
const MAX_LINES: u32 = 6;
/// Longest line shown, in characters.
const MAX_LINE: usize = 160;

/// Where a rule found something.
pub(super) struct Place<'p> {
    pub subject: Subject<'p, 'p>,
    pub resource: &'p Resource<'p>,
    pub files: &'p [FileText<'p>],
    pub spans: &'p [Span],
}

/// The finding of a rule at a place.
pub(super) fn make(rule: &Rule, place: &Place<'_>, settings: &Settings<'_>) -> Finding {
    let first = place.spans.first().copied().unwrap_or(place.subject.node.span);
    let file = place.files.get(first.source as usize);
    let path = file.map_or("", |file| file.path);
    let location = Location {
        path: path.to_owned(),
        // What stands in no file has no lines.
        start_line: (first.line > 0).then_some(first.line),
        end_line: (first.line > 0).then_some(first.end_line.max(first.line)),
        start_column: (first.line > 0).then_some(first.column.max(1)),
        layer: None,
    };
    let resource = describe(place);
    let mut notes = file.map(|file| excerpt(file.text, first)).unwrap_or_default();
    for span in place.spans.iter().skip(1) {
        let Some(file) = place.files.get(span.source as usize) else { continue };
        let beside = if span.source == first.source { String::new() } else { format!("{}:", file.path) };
        notes.extend(excerpt(file.text, *span).into_iter().take(1).map(|line| format!("{beside}{line}")));
    }
    Finding {
        id: identity(rule, settings.target, path, place),
        rule: rule.id.clone(),
        kind: rule.kind,
        severity: rule.severity,
        title: rule.title.by_tag(settings.language).to_owned(),
        target: settings.target.to_owned(),
        location,
        package: None,
        fixed_version: None,
        aliases: Vec::new(),
        controls: rule.control_ids(),
        vulnerability: None,
        evidence: Evidence { resource, notes, ..Evidence::default() },
        fix: rule.fix.by_tag(settings.language).to_owned(),
        created_by: String::new(),
        from_base_image: None,
    }
}

/// `Deployment shop/web, container nginx`.
fn describe(place: &Place<'_>) -> String {
    let Place { subject, resource, .. } = place;
    let short = |kind: &str| kind.split_once('/').map_or(kind, |(_, kind)| kind).to_owned();
    let whole = format!("{} {}", short(&resource.kind), resource.name);
    if subject.kind == resource.kind || subject.role.is_empty() && subject.kind != "kubernetes/container" {
        return whole;
    }
    match subject.node.text_of("name") {
        Some(name) => format!("{whole}, {} {name}", short(subject.kind)),
        None => format!("{whole}, {}", short(subject.kind)),
    }
}

/// The same flaw of the same thing at the same place in the next scan has the same id, whatever lines moved.
fn identity(rule: &Rule, target: &str, path: &str, place: &Place<'_>) -> String {
    let name = place.subject.node.text_of("name").unwrap_or_default();
    let parts =
        [&rule.id, target, path, &place.resource.kind, &place.resource.name, place.subject.kind, name];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hex}", rule.id)
}

/// The lines of a span with their numbers; values that look secret are cut short.
pub(super) fn excerpt(text: &str, span: Span) -> Vec<String> {
    let first = span.line.max(1);
    let last = span.end_line.max(first).min(first.saturating_add(MAX_LINES - 1));
    // Only the lines around are looked at: files may be large, findings many.
    let start = text.get(..span.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let before = text.get(..start.saturating_sub(1)).unwrap_or_default();
    let mut previous = before.rsplit('\n').next().unwrap_or_default();
    let mut lines = Vec::new();
    for (number, line) in (first..=last).zip(text.get(start..).unwrap_or_default().lines()) {
        let shown: String = masked(line, previous).chars().take(MAX_LINE).collect();
        lines.push(format!("{number}: {}", shown.trim_end()));
        previous = line;
    }
    lines
}

/// Words that say that the value after them is secret.
const SECRET_WORDS: [&str; 9] =
    ["password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "access_key", "credential"];

/// A line with the value cut that its name, or the name in the line before, says is secret.
fn masked(line: &str, previous: &str) -> String {
    let tells = |text: &str| {
        let lower = text.to_ascii_lowercase();
        SECRET_WORDS.iter().any(|word| lower.contains(word))
    };
    let Some(at) = line.find([':', '=']) else { return line.to_owned() };
    let (name, value) = line.split_at(at + 1);
    let is_value = name.trim_start().trim_start_matches("- ").starts_with("value");
    let plain = value.trim().trim_matches(['"', '\'']);
    let secret = tells(name) || is_value && tells(previous) || tells(value) && value.contains('=');
    if !secret || plain.len() < 6 || matches!(plain, "false" | "null") || plain.starts_with(['{', '[', '$']) {
        return line.to_owned();
    }
    let lead: String = plain.chars().take(2).collect();
    format!("{name} {lead}…")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_are_cut() {
        for (line, previous, expected) in [
            ("  password: hunter2hunter2", "", "  password: hu…"),
            ("    value: hunter2hunter2", "  - name: DB_PASSWORD", "    value: hu…"),
            ("ENV API_TOKEN=abcdefgh", "", "ENV API_TOKEN= ab…"),
            ("  privileged: true", "", "  privileged: true"),
            ("  automountServiceAccountToken: true", "", "  automountServiceAccountToken: true"),
            ("  image: nginx", "", "  image: nginx"),
        ] {
            assert_eq!(masked(line, previous), expected);
        }
    }
}
