//! Edits of Dockerfiles: instructions added at the end of a stage, lines rewritten.

use regex::Regex;
use yagura_detect::policies::Proposal;
use yagura_detect::policies::patch::Action;

use crate::patch::{NoPatch, refuse};

pub fn apply(text: &str, proposal: &Proposal) -> Result<String, NoPatch> {
    let mut text = text.to_owned();
    for edit in &proposal.edits {
        text = match &edit.action {
            Action::Instruction(instruction) => add(&text, proposal, instruction),
            Action::Replace { pattern, with } => replace(&text, proposal, pattern, with)?,
            _ => return refuse("only instruction and replace are edits of Dockerfiles"),
        };
    }
    Ok(text)
}

/// Adds an instruction to the end of the stage that the subject stands in, before its CMD and ENTRYPOINT.
fn add(text: &str, proposal: &Proposal, instruction: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let keyword = |line: &str| line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    let begins: Vec<bool> = instruction_starts(&lines);
    let is = |at: usize, word: &str| {
        begins.get(at) == Some(&true) && lines.get(at).is_some_and(|line| keyword(line) == word)
    };
    // The stage: from its FROM to the next one. Without a place the last stage is meant.
    let place =
        usize::try_from(proposal.subject.end_line.max(1)).unwrap_or(usize::MAX).min(lines.len().max(1)) - 1;
    let first = (0..=place).rev().find(|at| is(*at, "FROM")).unwrap_or(0);
    let end = (first + 1..lines.len()).find(|at| is(*at, "FROM")).unwrap_or(lines.len());
    let command = (first..end).find(|at| is(*at, "CMD") || is(*at, "ENTRYPOINT"));
    let at = command.unwrap_or_else(|| {
        // Blank lines and comments before the next stage belong to that.
        let blank = |at: &usize| {
            lines.get(*at).is_some_and(|line| line.trim().is_empty() || line.trim().starts_with('#'))
        };
        let mut at = end;
        while at > first + 1 && end < lines.len() && blank(&(at - 1)) {
            at -= 1;
        }
        at
    });
    let mut out: String = lines.iter().take(at).copied().collect();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(newline);
    }
    out.push_str(instruction);
    out.push_str(newline);
    out.extend(lines.iter().skip(at).copied());
    out
}

/// Which lines begin an instruction: those that no backslash and no here-document continues into.
fn instruction_starts(lines: &[&str]) -> Vec<bool> {
    let (mut continued, mut here): (bool, Option<String>) = (false, None);
    let mut starts = Vec::with_capacity(lines.len());
    for line in lines {
        let trimmed = line.trim();
        if let Some(end) = &here {
            starts.push(false);
            if trimmed == end {
                here = None;
            }
            continue;
        }
        let blank = trimmed.is_empty() || trimmed.starts_with('#');
        starts.push(!continued && !blank);
        if !blank {
            continued = trimmed.ends_with('\\');
        }
        if let Some((_, after)) = trimmed.split_once("<<") {
            let word: String = after
                .trim_start_matches('-')
                .trim_start_matches(['"', '\''])
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            here = (!word.is_empty()).then_some(word);
        }
    }
    starts
}

/// Rewrites the lines of the evidence.
fn replace(text: &str, proposal: &Proposal, pattern: &str, with: &str) -> Result<String, NoPatch> {
    let pattern = Regex::new(pattern).map_err(|error| NoPatch(error.to_string()))?;
    let Some(span) = proposal.evidence.first() else { return refuse("there is no line to rewrite") };
    let (first, last) = (span.line.max(1) as usize, span.end_line.max(span.line).max(1) as usize);
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if (first..=last).contains(&(at + 1)) {
            out.push_str(&pattern.replace_all(line, with));
        } else {
            out.push_str(line);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use yagura_formats::document::Span;

    use super::*;

    fn proposal(line: u32) -> Proposal {
        let span = Span { line, end_line: line, ..Span::default() };
        Proposal {
            rule: "X-1".to_owned(),
            finding: String::new(),
            source: "dockerfile".to_owned(),
            path: "Dockerfile".to_owned(),
            resource: String::new(),
            edits: Vec::new(),
            review: false,
            subject: span,
            pod: None,
            object: span,
            evidence: vec![span],
        }
    }

    #[test]
    fn instructions_go_before_the_command_of_their_stage() {
        let text = "FROM a AS b\nRUN x \\\n  CMD y\n\n# next\nFROM c\nCOPY . .\nENTRYPOINT [\"x\"]\nCMD y";
        assert_eq!(add(text, &proposal(6), "USER 1"), text.replace("ENTRYPOINT", "USER 1\nENTRYPOINT"));
        assert_eq!(
            add(text, &proposal(1), "USER 1"),
            text.replace("CMD y\n\n# next", "CMD y\nUSER 1\n\n# next")
        );
        assert_eq!(add("FROM c", &proposal(1), "USER 1"), "FROM c\nUSER 1\n");
    }

    #[test]
    fn only_the_evidence_is_rewritten() {
        let text = "FROM a\nADD x y\nADD z w\n";
        let changed = replace(text, &proposal(2), r"^(?i-u:ADD)\b", "COPY").unwrap();
        assert_eq!(changed, "FROM a\nCOPY x y\nADD z w\n");
    }
}
