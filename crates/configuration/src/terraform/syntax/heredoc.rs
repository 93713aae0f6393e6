//! Strings of several lines: `<<WORD` and `<<-WORD`.

use super::{Expression, Failure, Parser};

impl<'a> Parser<'a> {
    pub(super) fn heredoc(&mut self) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        self.cursor.at += 2;
        let flush = self.cursor.take("-");
        let Some(word) = self.cursor.identifier() else { return self.fail("a word is missing after `<<`") };
        self.cursor.take("\r");
        if self.cursor.peek() != Some(b'\n') {
            return self.fail("a line break is missing after the word of a heredoc");
        }
        self.cursor.pass(1);
        let begin = self.cursor.at;
        let body = self.cursor.slice(usize::MAX - self.cursor.at);
        let Some((length, marker)) = extent(body, word) else {
            return self.fail(format!("heredoc without its closing `{word}`"));
        };
        let indent = if flush { common_indent(body.get(..length).unwrap_or_default()) } else { 0 };
        let whole = self.cursor.end;
        self.cursor.end = begin + length;
        let mut value = self.plain_template(indent)?;
        self.cursor.end = whole;
        self.cursor.pass(begin + length + marker - self.cursor.at);
        value.span = self.cursor.until(start);
        Ok(value)
    }
}

/// The length of the text before the closing line, and of that line up to and with the word.
fn extent(body: &str, word: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if line.trim() == word {
            let marker = line.trim_end().len();
            return Some((at, marker));
        }
        at += line.len();
    }
    None
}

/// The smallest indentation of the lines that hold more than blanks.
fn common_indent(body: &str) -> usize {
    body.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0)
}
