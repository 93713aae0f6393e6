//! Dockerfiles as policies know them: instructions in lower case with their words, as BuildKit's parser gives them.

use std::ops::Range;

use regorus::Value;
use yagura_configuration::dockerfile::{Arguments, Dockerfile, Instruction};
use yagura_formats::document::Lines;

use super::values::{object, texts};

/// What both shapes say of an instruction.
struct Parts {
    sub_command: String,
    json: bool,
    words: Vec<String>,
}

fn parts(instruction: &Instruction) -> Parts {
    let mut parts = Parts { sub_command: String::new(), json: false, words: Vec::new() };
    let inner = match &instruction.arguments {
        Arguments::Trigger(inner) => {
            parts.sub_command.clone_from(&inner.written.text);
            inner.as_ref()
        }
        _ => instruction,
    };
    let check = (inner.keyword == "HEALTHCHECK").then(|| "CMD".to_owned());
    match &inner.arguments {
        Arguments::Words(words) => parts.words.extend(words.iter().map(|word| word.text.clone())),
        Arguments::Exec(words) => {
            parts.words.extend(check);
            parts.json = true;
            parts.words.extend(words.iter().map(|word| word.text.clone()));
        }
        Arguments::Shell(line) => {
            parts.words.extend(check);
            parts.words.push(line.text().trim().to_owned());
        }
        Arguments::Pairs(pairs) if inner.keyword == "ARG" => {
            parts.words.extend(pairs.iter().map(|pair| match &pair.value {
                Some(value) => format!("{}={}", pair.name.text, value.text),
                None => pair.name.text.clone(),
            }));
        }
        Arguments::Pairs(pairs) => {
            for pair in pairs {
                let value = pair.value.as_ref();
                // The old form, `ENV name value`, has white space between them.
                let joint = value.is_some_and(|value| value.range.start == pair.name.range.end + 1);
                parts.words.push(pair.name.text.clone());
                parts.words.push(value.map_or(String::new(), |value| value.text.clone()));
                parts.words.push(if joint { "=".to_owned() } else { String::new() });
            }
        }
        Arguments::Nothing => parts.words.push("NONE".to_owned()),
        Arguments::Trigger(_) => {}
    }
    parts
}

fn flags<'t>(instruction: &'t Instruction, text: &'t str) -> impl Iterator<Item = &'t str> {
    instruction.flags.iter().filter_map(move |flag| text.get(flag.range.clone()))
}

/// The comments right above an instruction.
fn comments(text: &str, between: Range<usize>) -> Vec<&str> {
    let mut comments = Vec::new();
    for line in text.get(between).unwrap_or_default().lines() {
        match line.trim_start().strip_prefix('#') {
            Some(comment) => comments.push(comment.trim()),
            None if line.trim().is_empty() && !comments.is_empty() => comments.clear(),
            None => {}
        }
    }
    comments
}

/// A list of instructions, comments among them.
pub fn plain(file: &Dockerfile, text: &str) -> Value {
    let mut commands = Vec::new();
    let (mut stages, mut end) = (0_usize, 0_usize);
    for instruction in &file.instructions {
        if instruction.keyword == "FROM" {
            stages += 1;
        }
        let stage = || Value::from(stages.saturating_sub(1));
        for comment in comments(text, end..instruction.range.start) {
            commands.push(object([
                ("Cmd", Value::from("comment")),
                ("SubCmd", Value::from("")),
                ("JSON", Value::from(false)),
                ("Flags", Value::Null),
                ("Value", texts([comment])),
                ("Stage", stage()),
            ]));
        }
        end = instruction.range.end;
        let parts = parts(instruction);
        commands.push(object([
            ("Cmd", Value::from(instruction.keyword.to_ascii_lowercase())),
            ("SubCmd", Value::from(parts.sub_command)),
            ("JSON", Value::from(parts.json)),
            ("Flags", texts(flags(instruction, text))),
            (
                "Value",
                if parts.words.is_empty() {
                    Value::Null
                } else {
                    texts(parts.words.iter().map(String::as_str))
                },
            ),
            ("Stage", stage()),
        ]));
    }
    Value::from(commands)
}

/// `Stages` with their `Commands`, which know their lines.
pub fn placed(file: &Dockerfile, text: &str, path: &str) -> Value {
    let lines = Lines::of(text);
    let mut stages: Vec<(String, Vec<Value>)> = vec![(String::new(), Vec::new())];
    for instruction in &file.instructions {
        let original = original(text, instruction.range.clone(), file.escape);
        if instruction.keyword == "FROM" {
            let name = original.strip_prefix("FROM ").unwrap_or(&original).trim().to_owned();
            stages.push((name, Vec::new()));
        }
        // What stands before the first stage counts to it.
        let number = stages.len().saturating_sub(2);
        let mut parts = parts(instruction);
        if let Some(script) = here_documents(instruction, &parts.words) {
            parts.words = vec![script];
        }
        let line = |at: usize| Value::from(i64::from(lines.at(at)));
        let command = object([
            ("Cmd", Value::from(instruction.keyword.to_ascii_lowercase())),
            ("SubCmd", Value::from(parts.sub_command)),
            ("Flags", texts(flags(instruction, text))),
            ("Value", texts(parts.words.iter().map(String::as_str))),
            ("Original", Value::from(original)),
            ("JSON", Value::from(parts.json)),
            ("Stage", Value::from(number)),
            ("Path", Value::from(path)),
            ("StartLine", line(instruction.range.start)),
            ("EndLine", line(instruction.range.end.saturating_sub(1).max(instruction.range.start))),
        ]);
        if let Some((_, commands)) = stages.last_mut() {
            commands.push(command);
        }
    }
    let filled = stages.into_iter().filter(|(_, commands)| !commands.is_empty());
    let stages = filled
        .map(|(name, commands)| object([("Name", Value::from(name)), ("Commands", Value::from(commands))]));
    object([("Stages", Value::from(stages.collect::<Vec<_>>()))])
}

/// The commands of here-documents in one line, as a shell would run them.
fn here_documents(instruction: &Instruction, words: &[String]) -> Option<String> {
    let first = instruction.heredocs.first()?;
    let content = first.content.text();
    let line = words.first()?;
    if !line.starts_with("<<") || line.contains(' ') || content.starts_with("#!") {
        let mut script = line.clone();
        for heredoc in &instruction.heredocs {
            script.push('\n');
            script.push_str(heredoc.content.text());
            script.push_str(&heredoc.name);
        }
        return Some(script);
    }
    let content = content.strip_suffix('\n').unwrap_or(content);
    Some(content.lines().collect::<Vec<_>>().join(" ; "))
}

/// An instruction in one line: continuations joined, comments between them left out.
fn original(text: &str, range: Range<usize>, escape: char) -> String {
    let mut whole = String::new();
    for line in text.get(range).unwrap_or_default().lines() {
        let trimmed = line.trim();
        if !whole.is_empty() && (trimmed.is_empty() || trimmed.starts_with('#')) {
            continue;
        }
        match line.trim_end().strip_suffix(escape) {
            Some(continued) => whole.push_str(continued),
            None => {
                whole.push_str(line);
                break;
            }
        }
    }
    whole.trim_end().to_owned()
}
