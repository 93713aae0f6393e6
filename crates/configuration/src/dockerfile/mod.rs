//! Dockerfiles and Containerfiles.
//!
//! The grammar is that of BuildKit's frontend (<https://docs.docker.com/reference/dockerfile/>): parser directives,
//! continuations with comments in between, flags, exec and shell forms, here-documents, `ONBUILD`. [`parse`] gives
//! instructions with their places; [`resources`] follows arguments and stages and gives what rules judge:
//! - `dockerfile/file`: directives, global arguments, all stages and instructions;
//! - `dockerfile/stage`: what a stage starts from and what its instructions leave behind (user, ports, environment, …);
//! - `dockerfile/instruction`: one instruction, its values with known variables filled in;
//! - `dockerfile/command`: one command that a `RUN`, `CMD`, `ENTRYPOINT` or `HEALTHCHECK` runs.

mod arguments;
mod commands;
mod expand;
mod lines;
mod packages;
mod parser;
mod resources;
mod scripts;
mod shapes;
mod source;
mod stages;

use std::ops::Range;

use yagura_formats::document::Problem;

use crate::spliced::Spliced;

pub use parser::parse;
pub use resources::resources;
pub use source::SOURCE;

/// Largest file that is read.
pub const MAX_BYTES: usize = 2 << 20;
/// Most instructions of a file.
pub const MAX_INSTRUCTIONS: usize = 20_000;
/// Most stages of a file: each keeps its variables.
pub const MAX_STAGES: usize = 500;
/// Most commands of a file, all instructions together.
pub const MAX_COMMANDS: usize = 20_000;

/// Whether a file's name says that it is one: `Dockerfile`, `Dockerfile.dev`, `api.Dockerfile`, `Containerfile`.
pub fn is_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|known| {
        name == *known
            || name.strip_suffix(known).is_some_and(|before| before.ends_with(['.', '-', '_']))
            || name.strip_prefix(known).is_some_and(|after| {
                // `Dockerfile.dockerignore` and editors' leavings are something else.
                after.starts_with(['.', '-', '_'])
                    && ![".dockerignore", ".swp", ".orig", ".bak", ".md"]
                        .iter()
                        .any(|end| after.ends_with(end))
            })
    })
}

/// A text and its bytes in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// As written, quotes and variables included.
    pub text: String,
    pub range: Range<usize>,
}

/// `# escape=...` and the like at the top of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Directive {
    /// In lower case.
    pub name: String,
    pub value: Word,
}

/// `--name=value` or `--name` before an instruction's arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    pub name: String,
    pub value: Option<String>,
    pub range: Range<usize>,
}

/// A here-document of a `RUN`, `COPY` or `ADD`.
#[derive(Clone, Debug, PartialEq)]
pub struct Heredoc {
    pub name: String,
    /// Whether variables in it are filled in: its name was not quoted.
    pub expands: bool,
    pub content: Spliced,
    pub range: Range<usize>,
}

/// What follows an instruction's keyword and flags.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// Separate words: `FROM`, `COPY`, `EXPOSE`, …
    Words(Vec<Word>),
    /// `["executable", "argument"]`.
    Exec(Vec<Word>),
    /// A command line for the shell.
    Shell(Spliced),
    /// `NAME=value` pairs: `ENV`, `LABEL`, `ARG` (whose value may be absent).
    Pairs(Vec<Pair>),
    /// `HEALTHCHECK NONE`.
    Nothing,
    /// The instruction of an `ONBUILD`.
    Trigger(Box<Instruction>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub name: Word,
    pub value: Option<Word>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// In upper case; `RUN`, `FROM`, …
    pub keyword: String,
    /// The keyword as written.
    pub written: Word,
    pub flags: Vec<Flag>,
    pub arguments: Arguments,
    pub heredocs: Vec<Heredoc>,
    /// From its keyword to the end of its last line or here-document.
    pub range: Range<usize>,
    /// Whether an empty line stands between its continued lines.
    pub empty_continuation: bool,
}

/// A file's instructions, and what could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Dockerfile {
    pub directives: Vec<Directive>,
    /// What continues a line and escapes a character: `\` or a backtick.
    pub escape: char,
    pub instructions: Vec<Instruction>,
    pub problems: Vec<Problem>,
}

#[cfg(test)]
mod tests;
