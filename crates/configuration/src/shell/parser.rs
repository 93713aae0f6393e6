//! From text to simple commands.

use std::ops::Range;

use super::program::program;
use super::words::{Lexed, word};
use super::{Command, Joint, MAX_COMMANDS, MAX_NESTING, Redirection, Script, Word};
use crate::spliced::Spliced;

/// Adds the commands of `text` to the script.
pub(super) fn parse(text: &Spliced, depth: u32, inside: Option<usize>, script: &mut Script) {
    if depth > MAX_NESTING {
        script.cut = true;
        return;
    }
    let pipeline = script.commands.last().map_or(0, |command| command.pipeline + 1);
    let parser = Parser {
        text,
        at: 0,
        depth,
        inside,
        current: None,
        joint: Joint::First,
        pipeline,
        highest: pipeline,
        brackets: 0,
        cases: 0,
        pattern: false,
        bodies: Vec::new(),
        nested: Vec::new(),
        script,
    };
    parser.run();
}

/// Adds a single command, given as its words.
pub(super) fn command(words: Vec<Word>, range: Range<usize>, script: &mut Script) {
    let command = Command {
        words,
        assignments: Vec::new(),
        redirections: Vec::new(),
        joint: Joint::First,
        pipeline: 0,
        inside: None,
        range,
    };
    let nested = handed_over(&command);
    script.commands.push(command);
    if let Some(nested) = nested {
        parse(&nested, 1, Some(0), script);
    }
}

/// A command whose end has not come yet.
#[derive(Default)]
struct Open {
    words: Vec<Word>,
    assignments: Vec<Word>,
    redirections: Vec<Redirection>,
    /// Ranges of the text that are scripts.
    scripts: Vec<Range<usize>>,
    range: Range<usize>,
}

/// A here-document whose body starts with the next line.
struct Body {
    terminator: String,
    tabs: bool,
}

struct Parser<'s> {
    text: &'s Spliced,
    at: usize,
    depth: u32,
    inside: Option<usize>,
    current: Option<Open>,
    joint: Joint,
    pipeline: usize,
    highest: usize,
    /// Subshells that are open.
    brackets: usize,
    /// `case`s that are open.
    cases: usize,
    /// Whether a pattern of a `case` comes next.
    pattern: bool,
    bodies: Vec<Body>,
    /// Scripts in words and the command that holds them, read when the script around them is done.
    nested: Vec<(Option<usize>, Spliced)>,
    script: &'s mut Script,
}

impl Parser<'_> {
    fn run(mut self) {
        while let Some(&byte) = self.bytes().get(self.at) {
            if self.script.cut {
                break;
            }
            if self.pattern {
                self.skip_pattern();
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.byte(1) == Some(b'\n') => self.at += 2,
                b'#' => self.skip_line(),
                b'\n' => {
                    self.finish(Joint::Then);
                    self.at += 1;
                    self.skip_bodies();
                }
                b';' => {
                    self.finish(Joint::Then);
                    self.at += 1;
                    self.pattern = self.cases > 0 && self.byte(0) == Some(b';');
                }
                b'&' if self.byte(1) == Some(b'&') => self.operator(2, Joint::And),
                b'&' if self.byte(1) == Some(b'>') => {
                    self.at += 1;
                    self.redirection("&");
                }
                b'&' => self.operator(1, Joint::Then),
                b'|' if self.byte(1) == Some(b'|') => self.operator(2, Joint::Or),
                b'|' if self.byte(1) == Some(b'&') => self.operator(2, Joint::Pipe),
                b'|' => self.operator(1, Joint::Pipe),
                b'(' if self.byte(1) == Some(b'(') && self.current.is_none() => self.arithmetic(),
                b'(' => {
                    // After a name it declares a function, whose body follows.
                    if self.current.take().is_none() {
                        self.brackets += 1;
                    }
                    self.at += 1;
                }
                b')' => {
                    if self.brackets > 0 {
                        self.brackets -= 1;
                        self.finish(Joint::Then);
                    } else {
                        // The end of a function's empty list.
                        self.current = None;
                    }
                    self.at += 1;
                }
                b'<' | b'>' if self.byte(1) != Some(b'(') => self.redirection(""),
                b'0'..=b'9' if self.descriptor() => {}
                _ => self.word(),
            }
        }
        self.finish(Joint::Then);
        let nested = std::mem::take(&mut self.nested);
        for (command, text) in nested {
            parse(&text, self.depth + 1, command.or(self.inside), self.script);
        }
    }

    fn bytes(&self) -> &[u8] {
        self.text.text().as_bytes()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes().get(self.at + ahead).copied()
    }

    fn skip_line(&mut self) {
        let rest = self.bytes().get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn operator(&mut self, width: usize, joint: Joint) {
        self.finish(joint);
        self.at += width;
    }

    /// `((…))`, which runs nothing.
    fn arithmetic(&mut self) {
        let rest = self.text.text().get(self.at..).unwrap_or_default();
        self.at += rest.find("))").map_or(rest.len(), |end| end + 2);
    }

    /// `2>…`: a descriptor before a redirection.
    fn descriptor(&mut self) -> bool {
        let rest = self.bytes().get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !matches!(rest.get(digits), Some(b'<' | b'>')) || rest.get(digits + 1) == Some(&b'(') {
            return false;
        }
        let descriptor = self.text.text().get(self.at..self.at + digits).unwrap_or_default().to_owned();
        self.at += digits;
        self.redirection(&descriptor);
        true
    }

    fn redirection(&mut self, before: &str) {
        let start = self.at;
        let rest = self.text.text().get(start..).unwrap_or_default();
        let operator = ["<<<", "<<-", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"]
            .into_iter()
            .find(|operator| rest.starts_with(operator))
            .unwrap_or(">");
        let operator = operator.to_owned();
        self.at += operator.len();
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let (target, scripts) = self.lex();
        if matches!(operator.as_str(), "<<" | "<<-") {
            self.bodies.push(Body { terminator: target.text.clone(), tabs: operator == "<<-" });
        }
        let end = self.at;
        let open = self.open(start);
        open.range.end = end;
        open.scripts.extend(scripts);
        open.redirections.push(Redirection { operator: format!("{before}{operator}"), target });
    }

    fn skip_bodies(&mut self) {
        for body in std::mem::take(&mut self.bodies) {
            while self.at < self.bytes().len() {
                let start = self.at;
                self.skip_line();
                let line = self.text.text().get(start..self.at).unwrap_or_default().trim_end_matches('\r');
                self.at += 1;
                let line = if body.tabs { line.trim_start_matches('\t') } else { line };
                if line == body.terminator {
                    break;
                }
            }
        }
        self.at = self.at.min(self.bytes().len());
    }

    /// The word here; moves on even where none starts.
    fn lex(&mut self) -> (Word, Vec<Range<usize>>) {
        let Lexed { text, quoted, scripts, end } = word(self.text.text(), self.at);
        let range = self.text.range(self.at..end);
        self.at = end;
        (Word { text, range, quoted }, scripts)
    }

    fn open(&mut self, at: usize) -> &mut Open {
        self.current.get_or_insert_with(|| Open { range: at..at, ..Open::default() })
    }

    fn word(&mut self) {
        let start = self.at;
        let (word, scripts) = self.lex();
        if self.at == start {
            self.at += 1; // No word starts here; never stand still.
            return;
        }
        let end = self.at;
        let first = self.current.as_ref().is_none_or(|open| open.words.is_empty());
        if first && !word.quoted {
            match word.text.as_str() {
                "if" | "then" | "else" | "elif" | "fi" | "while" | "until" | "do" | "done" | "{" | "}"
                | "!" | "time" | "coproc" => return,
                "esac" => {
                    self.cases = self.cases.saturating_sub(1);
                    return;
                }
                "for" | "select" => return self.loop_header(),
                "case" => return self.case_header(),
                "function" => {
                    self.lex_blank();
                    self.lex();
                    return;
                }
                "[[" => return self.test(start, word),
                _ => {}
            }
        }
        let open = self.open(start);
        open.range.end = end;
        open.scripts.extend(scripts);
        if open.words.is_empty() && is_assignment(&word) {
            open.assignments.push(word);
        } else {
            open.words.push(word);
        }
    }

    /// A word of no command, whose substitutions run all the same.
    fn loose_word(&mut self) -> Word {
        let (word, scripts) = self.lex();
        self.nested.extend(scripts.into_iter().map(|range| (None, self.text.part(range))));
        word
    }

    fn lex_blank(&mut self) {
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// `for NAME in WORDS` runs nothing itself.
    fn loop_header(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b';' | b'\n' => break,
                b'(' => self.arithmetic(),
                b' ' | b'\t' | b')' => self.at += 1,
                _ => {
                    let before = self.at;
                    let word = self.loose_word();
                    if word.text == "do" && !word.quoted {
                        break;
                    }
                    if self.at == before {
                        self.at += 1;
                    }
                }
            }
        }
    }

    /// `case WORD in`, after which patterns and commands alternate.
    fn case_header(&mut self) {
        self.lex_blank();
        self.loose_word();
        while matches!(self.byte(0), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let rest = self.text.text().get(self.at..).unwrap_or_default();
        if rest.starts_with("in") {
            self.at += 2;
            self.cases += 1;
            self.pattern = true;
        }
    }

    /// `(PATTERN | PATTERN)` before the commands of a case.
    fn skip_pattern(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b')' => {
                    self.at += 1;
                    break;
                }
                b'#' => self.skip_line(),
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b'|' | b';' | b'&' | b'<' | b'>' => self.at += 1,
                _ => {
                    let start = self.at;
                    let word = self.loose_word();
                    if word.text == "esac" && !word.quoted {
                        self.at = start;
                        break;
                    }
                    if self.at == start {
                        self.at += 1;
                    }
                }
            }
        }
        self.pattern = false;
    }

    /// `[[ … ]]`, whose operators are not ours.
    fn test(&mut self, start: usize, word: Word) {
        let mut words = vec![word];
        while let Some(byte) = self.byte(0) {
            match byte {
                b' ' | b'\t' | b'\n' | b'(' | b')' | b'<' | b'>' | b'&' | b'|' | b';' => self.at += 1,
                _ => {
                    let before = self.at;
                    let (word, _) = self.lex();
                    if self.at == before {
                        self.at += 1;
                        continue;
                    }
                    let last = word.text == "]]";
                    words.push(word);
                    if last {
                        break;
                    }
                }
            }
        }
        let end = self.at;
        let open = self.open(start);
        open.range.end = end;
        open.words.extend(words);
    }

    /// Ends the current command; `next` says how the next one follows it.
    fn finish(&mut self, next: Joint) {
        let Some(open) = self.current.take() else {
            // After `done |` and the like the pipe still counts.
            let first = self.joint == Joint::First && next == Joint::Then;
            if next == Joint::Pipe || (self.joint != Joint::Pipe && !first) {
                self.joint = next;
            }
            return;
        };
        if self.script.commands.len() >= MAX_COMMANDS {
            self.script.cut = true;
            return;
        }
        if self.joint != Joint::Pipe {
            self.pipeline = self.highest;
            self.highest += 1;
        }
        let index = self.script.commands.len();
        let command = Command {
            range: self.text.range(open.range),
            words: open.words,
            assignments: open.assignments,
            redirections: open.redirections,
            joint: self.joint,
            pipeline: self.pipeline,
            inside: self.inside,
        };
        let substituted = open.scripts.into_iter().map(|range| (Some(index), self.text.part(range)));
        self.nested.extend(substituted);
        self.nested.extend(handed_over(&command).map(|script| (Some(index), script)));
        self.script.commands.push(command);
        self.joint = next;
    }
}

fn is_assignment(word: &Word) -> bool {
    let Some((name, _)) = word.text.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The script that a command hands to a shell: `sh -c '…'`, `eval '…'`.
fn handed_over(command: &Command) -> Option<Spliced> {
    let called = program(&command.words);
    let arguments = called.arguments(&command.words);
    let word = match called.name {
        "eval" => arguments.first()?,
        name if is_shell(name) => {
            let option = arguments.iter().position(|word| {
                word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
            })?;
            arguments.get(option + 1)?
        }
        _ => return None,
    };
    // Offsets inside a quoted word are exact where nothing in it was escaped.
    let quote = usize::from(word.quoted && word.range.len() > word.text.len());
    Some(Spliced::of(&word.text, word.range.start + quote))
}

/// Shells that read the POSIX language.
pub(crate) fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "mksh" | "rbash")
}
