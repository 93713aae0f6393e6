//! Text put together of pieces of a file, every byte of which knows where it came from.
//!
//! A Dockerfile's instruction is one line made of several, a command inside a string of a list; whoever parses the
//! whole must still point at the place in the file.

use std::ops::Range;

use yagura_formats::document::{Lines, Span};

/// A text and where its pieces stand in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spliced {
    text: String,
    /// Offset in `text`, offset in the file; ascending in both.
    pieces: Vec<(usize, usize)>,
}

impl Spliced {
    /// A text that stands in the file as it is, from `offset` on.
    pub fn of(text: &str, offset: usize) -> Self {
        Self { text: text.to_owned(), pieces: vec![(0, offset)] }
    }

    /// Adds a piece that stands at `offset`.
    pub fn push(&mut self, piece: &str, offset: usize) {
        if !piece.is_empty() {
            self.pieces.push((self.text.len(), offset));
            self.text.push_str(piece);
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file's offset of the byte at `at`; the end of the text stands after its last byte.
    pub fn offset(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|(start, _)| *start <= at);
        let piece = after.checked_sub(1).and_then(|last| self.pieces.get(last));
        piece.map_or(0, |(start, offset)| offset.saturating_add(at.saturating_sub(*start)))
    }

    /// The file's range of a range of the text.
    pub fn range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        if range.is_empty() {
            return start..start;
        }
        start..self.offset(range.end.saturating_sub(1)).saturating_add(1)
    }

    /// A part of the text.
    pub fn part(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or_default().to_owned();
        let mut pieces = vec![(0, self.offset(range.start))];
        let inside = self.pieces.iter().filter(|(start, _)| *start > range.start && *start < range.end);
        pieces.extend(inside.map(|(start, offset)| (start.saturating_sub(range.start), *offset)));
        Self { text, pieces }
    }
}

/// Gives spans to byte ranges of one file.
pub struct Places<'t> {
    text: &'t str,
    lines: Lines,
    source: u32,
}

impl<'t> Places<'t> {
    pub fn of(text: &'t str, source: u32) -> Self {
        Self { text, lines: Lines::of(text), source }
    }

    pub fn span(&self, range: Range<usize>) -> Span {
        let end = range.end.max(range.start);
        let last = if end > range.start { end.saturating_sub(1) } else { end };
        let line = self.lines.at(range.start);
        let start = self.lines.start(range.start);
        Span {
            start: u32::try_from(range.start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
            line,
            column: column(self.text.get(start..range.start).unwrap_or_default()),
            end_line: self.lines.at(last).max(line),
            source: self.source,
        }
    }
}

/// Characters before a place in its line, plus 1.
fn column(before: &str) -> u32 {
    /// Beyond this a line is not read by people, and bytes are counted to stay quick.
    const LONG_LINE: usize = 4096;
    let characters = if before.len() < LONG_LINE { before.chars().count() } else { before.len() };
    u32::try_from(characters).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::{Places, Spliced};

    #[test]
    fn every_byte_knows_its_place() {
        let file = "RUN a \\\n  b\n";
        let mut line = Spliced::default();
        line.push("RUN a ", 0);
        line.push("  b", 8);
        assert_eq!(line.text(), "RUN a   b");
        assert_eq!(line.range(4..9), 4..11);
        assert_eq!(line.part(4..9).range(4..5), 10..11);
        let span = Places::of(file, 0).span(line.range(8..9));
        assert_eq!((span.line, span.column, span.end_line), (2, 3, 2));
        assert_eq!(Places::of(file, 0).span(line.range(4..9)).end_line, 2);
    }
}
