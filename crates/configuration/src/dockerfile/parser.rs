//! From text to instructions.

use yagura_formats::document::{Lines, Problem};
use yagura_model::SkipReason;

use super::arguments::{self, exec_form, heredoc_words, pairs, words};
use super::lines::Reader;
use super::{Arguments, Dockerfile, Heredoc, Instruction, MAX_BYTES, MAX_INSTRUCTIONS, MAX_STAGES, Word};
use crate::spliced::Spliced;

/// Reads a file. What breaks the grammar becomes a problem, and what stands before and after it is read all the same.
pub fn parse(text: &str) -> Dockerfile {
    let text_start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut file =
        Dockerfile { directives: Vec::new(), escape: '\\', instructions: Vec::new(), problems: Vec::new() };
    if text.len() > MAX_BYTES {
        let detail = format!("a Dockerfile of more than {MAX_BYTES} bytes");
        file.problems.push(Problem { reason: Some(SkipReason::TooLarge), line: 1, detail });
        return file;
    }
    let lines = Lines::of(text);
    let mut reader = Reader { text, at: text_start };
    file.directives = reader.directives();
    if let Some(escape) = file.directives.iter().find(|directive| directive.name == "escape") {
        match escape.value.text.as_str() {
            "\\" => {}
            "`" => file.escape = '`',
            other => {
                let detail = format!("escape directive `{other}`: only \\ and ` are allowed");
                let line = lines.at(escape.value.range.start);
                file.problems.push(Problem { reason: Some(SkipReason::Malformed), line, detail });
            }
        }
    }
    let mut stages = 0usize;
    while let Some(logical) = reader.logical(file.escape) {
        let line = lines.at(logical.range.start);
        if file.instructions.len() >= MAX_INSTRUCTIONS || stages > MAX_STAGES {
            let detail = format!("more than {MAX_INSTRUCTIONS} instructions or {MAX_STAGES} stages");
            file.problems.push(Problem { reason: Some(SkipReason::TooMany), line, detail });
            break;
        }
        let mut instruction = match instruction(&logical.line, file.escape, false) {
            Ok(instruction) => instruction,
            Err(detail) => {
                file.problems.push(Problem { reason: Some(SkipReason::Malformed), line, detail });
                continue;
            }
        };
        if instruction.keyword == "FROM" {
            stages += 1;
        }
        instruction.range = logical.range;
        instruction.empty_continuation = logical.empty_continuation;
        if let Err(detail) = heredocs(&mut instruction, &logical.line, file.escape, &mut reader) {
            file.problems.push(Problem { reason: Some(SkipReason::Malformed), line, detail });
        }
        file.instructions.push(instruction);
    }
    file
}

/// Reads the bodies of the here-documents that an instruction's line names.
fn heredocs(
    instruction: &mut Instruction,
    line: &Spliced,
    escape: char,
    reader: &mut Reader<'_>,
) -> Result<(), String> {
    let inner = match &mut instruction.arguments {
        Arguments::Trigger(inner) => inner.as_mut(),
        _ => instruction,
    };
    if !matches!(inner.keyword.as_str(), "RUN" | "COPY" | "ADD")
        || matches!(inner.arguments, Arguments::Exec(_))
    {
        return Ok(());
    }
    let mut end = None;
    for declared in heredoc_words(line, escape) {
        let start = reader.at;
        let mut content = Spliced::default();
        let mut terminated = false;
        while let Some((at, text)) = reader.line() {
            let kept = if declared.tabs { text.trim_start_matches('\t') } else { text };
            if kept == declared.name {
                terminated = true;
                end = Some(at + text.len());
                break;
            }
            content.push(kept, at + text.len() - kept.len());
            content.push("\n", at + text.len());
        }
        let range = start..end.unwrap_or(reader.at);
        inner.heredocs.push(Heredoc {
            name: declared.name.clone(),
            expands: declared.expands,
            content,
            range,
        });
        if !terminated {
            return Err(format!("here-document `{}` has no end", declared.name));
        }
    }
    if let Some(end) = end {
        inner.range.end = end;
        instruction.range.end = end;
    }
    Ok(())
}

/// Reads one instruction from its line.
fn instruction(line: &Spliced, escape: char, trigger: bool) -> Result<Instruction, String> {
    let text = line.text();
    let keyword_start = text.len() - text.trim_start().len();
    let keyword_end = text
        .get(keyword_start..)
        .and_then(|rest| rest.find(char::is_whitespace))
        .map_or(text.len(), |end| keyword_start + end);
    let written = text.get(keyword_start..keyword_end).unwrap_or_default();
    let keyword = written.to_ascii_uppercase();
    let (flags, rest) = arguments::flags(line, keyword_end, escape);
    let arguments = match keyword.as_str() {
        "RUN" | "CMD" | "ENTRYPOINT" => exec_or_shell(line, rest),
        "SHELL" => exec_form(line, rest).map(Arguments::Exec).ok_or_else(|| {
            "SHELL takes a JSON list of strings, such as [\"/bin/bash\", \"-c\"]".to_owned()
        })?,
        "COPY" | "ADD" | "VOLUME" => match exec_form(line, rest) {
            Some(words) => Arguments::Exec(words),
            None => Arguments::Words(words(line, rest)),
        },
        "FROM" | "EXPOSE" => Arguments::Words(words(line, rest)),
        "ENV" | "LABEL" => Arguments::Pairs(pairs(line, rest, escape, false)?),
        "ARG" => Arguments::Pairs(pairs(line, rest, escape, true)?),
        "USER" | "WORKDIR" | "STOPSIGNAL" | "MAINTAINER" => {
            Arguments::Words(whole(line, rest).into_iter().collect())
        }
        "HEALTHCHECK" => healthcheck(line, rest)?,
        "ONBUILD" if trigger => return Err("ONBUILD within ONBUILD is not allowed".to_owned()),
        "ONBUILD" => {
            let inner = instruction(&line.part(rest..text.len()), escape, true)?;
            Arguments::Trigger(Box::new(inner))
        }
        _ => {
            let shown: String = written.chars().take(40).collect();
            return Err(format!("unknown instruction `{shown}`"));
        }
    };
    let empty = match &arguments {
        Arguments::Words(words) => words.is_empty(),
        Arguments::Pairs(pairs) => pairs.is_empty(),
        Arguments::Shell(script) => script.text().trim().is_empty(),
        Arguments::Exec(_) | Arguments::Nothing | Arguments::Trigger(_) => false,
    };
    if empty {
        return Err(format!("{keyword} needs an argument"));
    }
    Ok(Instruction {
        written: Word { text: written.to_owned(), range: line.range(keyword_start..keyword_end) },
        keyword,
        flags,
        arguments,
        heredocs: Vec::new(),
        range: line.range(keyword_start..text.len()),
        empty_continuation: false,
    })
}

fn exec_or_shell(line: &Spliced, at: usize) -> Arguments {
    match exec_form(line, at) {
        Some(words) => Arguments::Exec(words),
        None => Arguments::Shell(line.part(at..line.text().len())),
    }
}

fn healthcheck(line: &Spliced, at: usize) -> Result<Arguments, String> {
    let rest = line.text().get(at..).unwrap_or_default();
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    match rest.get(..end).unwrap_or_default().to_ascii_uppercase().as_str() {
        "NONE" => Ok(Arguments::Nothing),
        "CMD" => {
            let after = rest.get(end..).unwrap_or_default();
            let blank = after.len() - after.trim_start().len();
            Ok(exec_or_shell(line, at + end + blank))
        }
        _ => Err("HEALTHCHECK takes CMD or NONE".to_owned()),
    }
}

/// Everything up to the end of the line as one word.
fn whole(line: &Spliced, at: usize) -> Option<Word> {
    let rest = line.text().get(at..)?;
    let text = rest.trim();
    let start = at + (rest.len() - rest.trim_start().len());
    (!text.is_empty()).then(|| Word { text: text.to_owned(), range: line.range(start..start + text.len()) })
}
