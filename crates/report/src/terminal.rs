//! Text from a target on a terminal: escaped, measured, fitted.
//!
//! Package names, paths and titles are chosen by whoever made the image. Nothing of theirs may move the cursor,
//! change a colour, hide or reorder what a person reads.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character could act on a terminal or mislead its reader: controls, line separators, bidirectional
/// overrides and invisible characters (Unicode `Cc`, `Zl`, `Zp` and the deceptive part of `Cf`).
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every deceptive character written out as `\n`, `\t` or `\u{…}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            c if is_deceptive(c) => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Columns the text takes on a terminal; East Asian wide characters take two.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to at most `columns`, ending in `…` when something was cut; 0 means no limit.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if columns == 0 || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = used + c.width().unwrap_or(0);
        if next + 1 > columns {
            break;
        }
        used = next;
        cut.push(c);
    }
    cut.push('…');
    Cow::Owned(cut)
}

/// The end of a path, which tells more than its beginning, in at most `columns`; 0 means no limit.
pub fn fit_path(path: &str, columns: usize) -> Cow<'_, str> {
    if columns == 0 || width(path) <= columns {
        return Cow::Borrowed(path);
    }
    let mut kept = Vec::new();
    let mut used = 1;
    for c in path.chars().rev() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    Cow::Owned(kept.into_iter().rev().collect())
}

/// The text and as many spaces as fill `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(text))));
    padded
}

/// The text in lines of at most `columns`, broken at spaces where it has some; 0 means one line.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    if columns == 0 || width(text) <= columns {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        if !line.is_empty() && width(&line) + width(word.trim_end()) > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line.push_str(word);
        while width(line.trim_end()) > columns {
            let head: String = {
                let mut used = 0;
                line.chars()
                    .take_while(|c| {
                        used += c.width().unwrap_or(0);
                        used <= columns
                    })
                    .collect()
            };
            if head.is_empty() {
                break;
            }
            line.drain(..head.len());
            lines.push(head.trim_end().to_owned());
        }
    }
    if !line.trim().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        for (hostile, shown) in [
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("safe\u{202e}gpj.exe", "safe\\u{202e}gpj.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("日本語 é", "日本語 é"),
        ] {
            assert_eq!(escape(hostile), shown);
        }
    }

    #[test]
    fn fits_by_columns_not_by_characters() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit_path("usr/lib/python3/dist-packages", 10), "…-packages");
        assert_eq!(pad("日本", 6), "日本  ");
        for columns in 1..12 {
            assert!(width(&fit("日本語 text", columns)) <= columns);
            assert!(width(&fit_path("日本語/text", columns)) <= columns);
        }
    }

    #[test]
    fn wraps_at_words_and_breaks_what_has_none() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcd efgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("anything at all", 0), ["anything at all"]);
    }
}
