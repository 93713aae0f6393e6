//! Stanzas of `Field: value` lines, the form of Debian's control files (deb822(5)), and of opkg's.

use yagura_model::Location;

/// A paragraph of fields and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stanza<'a> {
    text: &'a str,
    first_line: u32,
}

/// The paragraphs of a text, which blank lines part.
pub(super) fn stanzas(text: &str) -> impl Iterator<Item = Stanza<'_>> {
    let mut rest = text;
    let mut line = 1_u32;
    std::iter::from_fn(move || {
        loop {
            let start_line = line;
            let (stanza, after) = cut(rest)?;
            line = line.saturating_add(newlines(&rest[..rest.len() - after.len()]));
            rest = after;
            if !stanza.is_empty() {
                return Some(Stanza { text: stanza, first_line: start_line });
            }
        }
    })
}

/// The text up to the next blank line, and what comes after that line; `None` at the end.
fn cut(text: &str) -> Option<(&str, &str)> {
    if text.is_empty() {
        return None;
    }
    let mut at = 0;
    loop {
        let tail = text.get(at..)?;
        let (line, next) = match memchr::memchr(b'\n', tail.as_bytes()) {
            Some(end) => (tail.get(..end)?, at + end + 1),
            None => (tail, text.len()),
        };
        if line.trim_end().is_empty() {
            return Some((text.get(..at)?, text.get(next..)?));
        }
        if next >= text.len() {
            return Some((text, ""));
        }
        at = next;
    }
}

fn newlines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

impl<'a> Stanza<'a> {
    /// The fields in their order. A value runs over its continuation lines (those which begin with a blank) and
    /// keeps their line breaks.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            loop {
                if rest.is_empty() {
                    return None;
                }
                let field = rest.get(..field_end(rest))?;
                rest = rest.get(field.len()..)?;
                if let Some((name, value)) = field.split_once(':')
                    && !name.starts_with([' ', '\t'])
                    && !name.contains('\n')
                {
                    return Some((name, value.trim()));
                }
            }
        })
    }

    /// The whole stanza as a place in `path`.
    pub(super) fn location(&self, path: &str) -> Location {
        let last = self.first_line.saturating_add(newlines(self.text.trim_end()));
        Location { start_line: Some(self.first_line), end_line: Some(last), ..Location::file(path) }
    }
}

/// Where the first field with all its continuation lines ends.
fn field_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\n', bytes)
        .map(|newline| newline + 1)
        .find(|next| !matches!(bytes.get(*next), Some(b' ' | b'\t')))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_values_and_lines() {
        let text = "\nPackage: a\nDescription: short\n long\n .\n more\nVersion:1\n\n\n \t\nPackage: b\r\n";
        let all: Vec<Stanza<'_>> = stanzas(text).collect();
        assert_eq!(all.len(), 2);
        let first: Vec<_> = all[0].fields().collect();
        assert_eq!(first, [("Package", "a"), ("Description", "short\n long\n .\n more"), ("Version", "1")]);
        let place = all[0].location("x");
        assert_eq!((place.start_line, place.end_line), (Some(2), Some(7)));
        assert_eq!(all[1].fields().collect::<Vec<_>>(), [("Package", "b")]);
        assert_eq!(all[1].location("x").start_line, Some(11));
    }

    #[test]
    fn lines_that_are_no_fields_are_passed_over() {
        let text = "no colon here\n continuation: of nothing\nPackage: a";
        let fields: Vec<_> = stanzas(text).flat_map(|s| s.fields()).collect();
        assert_eq!(fields, [("Package", "a")]);
    }
}
