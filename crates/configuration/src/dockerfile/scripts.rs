//! The shell scripts in an instruction.

use super::stages::Stage;
use super::{Arguments, Heredoc, Instruction};
use crate::shell::{self, Script, Word, is_shell, program};

/// What an instruction runs, as scripts. Command lines for another shell than a POSIX one have none.
pub(super) fn of(instruction: &Instruction, stage: &Stage) -> Vec<Script> {
    let line = match &instruction.arguments {
        Arguments::Exec(words) => {
            let words = words.iter().map(|word| Word {
                text: word.text.clone(),
                range: word.range.clone(),
                quoted: true,
            });
            return vec![shell::of_words(words.collect())];
        }
        Arguments::Shell(line) if stage.shell.posix => line,
        _ => return Vec::new(),
    };
    let script = shell::parse(line);
    if script.commands.iter().all(|command| command.words.is_empty()) {
        // `RUN <<EOF` runs the document itself.
        let document = instruction.heredocs.first();
        return document.filter(|document| is_posix(document)).map(read).into_iter().collect();
    }
    let handed = script.commands.iter().filter_map(|command| {
        // `RUN sh <<EOF` hands it to another shell.
        let called = program(&command.words);
        let plain = called.arguments(&command.words).iter().all(|word| word.text.starts_with('-'));
        let input =
            command.redirections.iter().find(|input| matches!(input.operator.as_str(), "<<" | "<<-"))?;
        let document = instruction.heredocs.iter().find(|document| document.name == input.target.text)?;
        (is_shell(called.name) && plain).then(|| read(document))
    });
    let handed: Vec<Script> = handed.collect();
    std::iter::once(script).chain(handed).collect()
}

fn read(document: &Heredoc) -> Script {
    shell::parse(&document.content)
}

/// Whether a document's first line names no other interpreter than a POSIX shell.
fn is_posix(document: &Heredoc) -> bool {
    let interpreter = document.content.text().lines().next().and_then(|line| line.strip_prefix("#!"));
    interpreter.is_none_or(|line| {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        is_shell(if first == "env" { words.next().unwrap_or_default() } else { first })
    })
}
