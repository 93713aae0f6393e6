//! What `yagura explain` says of a configuration rule: the text its findings carry, and its examples.

use std::fmt::Write as _;

use yagura_detect::policies::Framework;
use yagura_detect::policies::rule::{Example, Rule};
use yagura_rego::{Check, Pack};
use yagura_report::terminal::escape;

/// The whole of a rule for people.
pub fn describe(
    rule: &Rule,
    language: &str,
    frameworks: &std::collections::BTreeMap<String, Framework>,
) -> String {
    let japanese = language == "ja";
    let word =
        |english: &'static str, in_japanese: &'static str| if japanese { in_japanese } else { english };
    let mut text = format!("{}  {}\n", rule.id, rule.title.by_tag(language));
    // Writing to a string does not fail.
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label}: {value}");
    };
    line(word("severity", "重大度"), rule.severity.name());
    line(word("applies to", "対象"), &rule.applies.join(", "));
    line(word("wrong when", "違反の条件"), &rule.when.text);
    let _ = writeln!(text, "\n{}\n", rule.why.by_tag(language));
    let _ = writeln!(text, "{}: {}", word("What to do", "対処"), rule.fix.by_tag(language));
    if !rule.patch.is_empty() {
        let how = if rule.review {
            word(
                "`yagura fix` proposes a patch; look at it before you apply it",
                "`yagura fix` がパッチを提案します。適用前に確認してください",
            )
        } else {
            word(
                "`yagura fix` has a patch that is safe to apply",
                "`yagura fix` で安全に適用できるパッチがあります",
            )
        };
        let _ = writeln!(text, "{how}");
    }
    if !rule.controls.is_empty() {
        let _ = writeln!(text, "\n{}", word("Controls", "管理策"));
        for (framework, ids) in &rule.controls {
            for id in ids {
                let title = frameworks.get(framework).and_then(|framework| framework.controls.get(id));
                let title = title.map_or("", |title| title.by_tag(language));
                let _ = writeln!(text, "  {framework} {id}  {title}");
            }
        }
    }
    for (label, examples) in
        [(word("Wrong", "悪い例"), &rule.examples.bad), (word("Right", "良い例"), &rule.examples.good)]
    {
        if let Some(first) = examples.first() {
            let _ = writeln!(text, "\n{label}\n{}", example(first));
        }
    }
    for reference in &rule.references {
        let _ = writeln!(text, "{reference}");
    }
    text
}

/// The whole of a check in Rego for people.
pub fn describe_check(pack: &Pack, check: &Check, language: &str) -> String {
    let japanese = language == "ja";
    let word =
        |english: &'static str, in_japanese: &'static str| if japanese { in_japanese } else { english };
    let mut text = format!("{}  {}\n", escape(&check.id), escape(&check.title));
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label}: {}", escape(value));
    };
    line(word("severity", "重大度"), check.severity.name());
    line(word("rule", "規則"), &format!("data.{}.{}", check.package_name(), check.rule));
    line(word("file", "ファイル"), &format!("{}:{}", check.path, check.line));
    let kinds: Vec<&str> = check.selectors.iter().map(|selector| selector.kind.as_str()).collect();
    if !kinds.is_empty() {
        line(word("applies to", "対象"), &kinds.join(", "));
    }
    if !check.controls.is_empty() {
        line(word("controls", "管理策"), &check.controls.join(", "));
    }
    for paragraph in [&check.description, &check.action].into_iter().filter(|paragraph| !paragraph.is_empty())
    {
        let _ = writeln!(text, "\n{}", escape(paragraph));
    }
    let _ = writeln!(text);
    for line in check.text(pack).lines() {
        let _ = writeln!(text, "    {}", escape(line));
    }
    for reference in &check.references {
        let _ = writeln!(text, "{}", escape(reference));
    }
    text
}

fn example(example: &Example) -> String {
    let mut text = String::new();
    for (path, content) in &example.files {
        if example.files.len() > 1 {
            let _ = writeln!(text, "    # {path}");
        }
        for line in content.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.trim_end().to_owned()
}
