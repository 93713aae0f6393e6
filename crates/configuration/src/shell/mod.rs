//! Shell scripts (POSIX sh and what bash adds) as the commands they would run.
//!
//! This is not an interpreter: control flow is flattened, every command that could run is listed once, with its words,
//! redirections and its place in a pipeline. Commands within substitutions, `sh -c '…'` and `eval` are listed too.
//! The grammar is that of <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>.

mod parser;
mod program;
mod words;

use std::ops::Range;

use crate::spliced::Spliced;

pub(crate) use parser::is_shell;
pub use program::{Program, program};

/// Most commands of one script.
pub const MAX_COMMANDS: usize = 20_000;
/// Deepest nesting of scripts in words of scripts.
pub const MAX_NESTING: u32 = 8;

/// A word after quote removal. Expansions stay as written (`$HOME`, `${X:-y}`, `$(date)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// Its bytes in the file, quotes included.
    pub range: Range<usize>,
    /// Whether any of it was quoted.
    pub quoted: bool,
}

/// How a command follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    First,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`, a line break, `&`
    Then,
    /// `|`, `|&`
    Pipe,
}

impl Joint {
    pub fn text(self) -> &'static str {
        match self {
            Self::First => "",
            Self::And => "&&",
            Self::Or => "||",
            Self::Then => ";",
            Self::Pipe => "|",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Redirection {
    /// `>`, `>>`, `<`, `<<<`, `&>`, …
    pub operator: String,
    pub target: Word,
}

/// One simple command.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The name and its arguments.
    pub words: Vec<Word>,
    /// `NAME=value` before the name.
    pub assignments: Vec<Word>,
    pub redirections: Vec<Redirection>,
    pub joint: Joint,
    /// Commands of one pipeline have the same number.
    pub pipeline: usize,
    /// The command one of whose words holds this one: an index into the script's commands.
    pub inside: Option<usize>,
    pub range: Range<usize>,
}

/// The commands of a script in the order of its text, those of a nested script after the command that holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    pub commands: Vec<Command>,
    /// Whether a bound cut it.
    pub cut: bool,
}

/// Reads a script. Any text is one; what breaks the grammar is read as the words it is made of.
pub fn parse(text: &Spliced) -> Script {
    let mut script = Script::default();
    parser::parse(text, 0, None, &mut script);
    script
}

/// The command of an argument list that no shell reads, and those that it hands to one.
pub fn of_words(words: Vec<Word>) -> Script {
    let mut script = Script::default();
    let start = words.first().map_or(0, |word| word.range.start);
    let end = words.last().map_or(start, |word| word.range.end);
    parser::command(words, start..end.max(start), &mut script);
    script
}

#[cfg(test)]
mod tests;
