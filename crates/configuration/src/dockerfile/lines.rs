//! Physical lines, directives and continuations.

use std::ops::Range;

use super::{Directive, Word};
use crate::spliced::Spliced;

/// Walks a text line by line.
pub(super) struct Reader<'t> {
    pub text: &'t str,
    pub at: usize,
}

/// An instruction's line with its continuations put together.
pub(super) struct Logical {
    pub line: Spliced,
    pub range: Range<usize>,
    pub empty_continuation: bool,
}

impl<'t> Reader<'t> {
    /// The next physical line and where it starts; its line break is not part of it.
    pub fn line(&mut self) -> Option<(usize, &'t str)> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest.as_bytes());
        self.at = start + end.map_or(rest.len(), |end| end + 1);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        Some((start, line.strip_suffix('\r').unwrap_or(line)))
    }

    /// The directives at the top, up to the first line that is none.
    pub fn directives(&mut self) -> Vec<Directive> {
        let mut found: Vec<Directive> = Vec::new();
        loop {
            let before = self.at;
            let directive = self.line().and_then(|(start, line)| directive(line, start));
            match directive {
                Some(directive) if found.iter().all(|known| known.name != directive.name) => {
                    found.push(directive);
                }
                _ => {
                    self.at = before;
                    return found;
                }
            }
        }
    }

    /// The next instruction's line; comments and empty lines before it are passed over.
    pub fn logical(&mut self, escape: char) -> Option<Logical> {
        let (mut start, mut line) = self.line()?;
        loop {
            let trimmed = line.trim_start();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                start += line.len() - trimmed.len();
                line = trimmed;
                break;
            }
            (start, line) = self.line()?;
        }
        let mut logical =
            Logical { line: Spliced::default(), range: start..start, empty_continuation: false };
        let mut piece = (start, line);
        loop {
            let (start, line) = piece;
            let Some(kept) = continued(line, escape) else {
                logical.line.push(line, start);
                logical.range.end = start + line.len();
                return Some(logical);
            };
            logical.line.push(line.get(..kept).unwrap_or_default(), start);
            logical.range.end = start + line.len();
            piece = loop {
                let Some(next) = self.line() else { return Some(logical) };
                let trimmed = next.1.trim();
                if trimmed.is_empty() {
                    logical.empty_continuation = true;
                } else if !trimmed.starts_with('#') {
                    break next;
                }
            };
        }
    }
}

/// How many bytes of a line count where it is continued: the escape character comes last, and not twice.
fn continued(line: &str, escape: char) -> Option<usize> {
    let kept = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!kept.ends_with(escape)).then_some(kept.len())
}

fn directive(line: &str, start: usize) -> Option<Directive> {
    let (name, value) = line.strip_prefix('#')?.split_once('=')?;
    let name = name.trim();
    let known = matches!(name.to_ascii_lowercase().as_str(), "syntax" | "escape" | "check");
    let value_at = start + line.len() - value.trim_start().len();
    let value = value.trim();
    (known && !value.is_empty()).then(|| Directive {
        name: name.to_ascii_lowercase(),
        value: Word { text: value.to_owned(), range: value_at..value_at + value.len() },
    })
}
