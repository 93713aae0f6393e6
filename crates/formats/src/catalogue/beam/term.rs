//! Words of Erlang and Elixir terms.

/// A word of a term, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// `"text"`, without its quotes; escapes stay as written.
    Text(&'a str),
    /// `name`, `:name`, `'name'` or a number.
    Atom(&'a str),
    /// Any other character: brackets and separators.
    Sign(char),
}

/// The words of a text with their lines, comments left out; `comment` is `#` in Elixir, `%` in Erlang.
pub(super) fn words(text: &str, comment: char) -> Vec<(u32, Word<'_>)> {
    let mut words = Vec::new();
    let mut line = 1_u32;
    let mut rest = text;
    let mut at_line_start = true;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            // Elixir's `%{` opens a map; a comment of Erlang stands at the start of a line in generated files.
            _ if first == comment && (comment != '%' || at_line_start) => {
                rest.find('\n').unwrap_or(rest.len())
            }
            '"' | '\'' => {
                let body = rest.get(1..).unwrap_or_default();
                let end = closing_quote(body, first);
                let inner = body.get(..end).unwrap_or_default();
                words.push((line, if first == '"' { Word::Text(inner) } else { Word::Atom(inner) }));
                (end + 2).min(rest.len())
            }
            _ if is_word(first) => {
                let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                words.push((line, Word::Atom(rest.get(..end).unwrap_or_default())));
                end
            }
            _ => {
                if !first.is_whitespace() {
                    words.push((line, Word::Sign(first)));
                }
                first.len_utf8()
            }
        };
        let (passed, next) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        let breaks = memchr::memchr_iter(b'\n', passed.as_bytes()).count();
        line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        at_line_start = passed.ends_with('\n') || (at_line_start && first.is_whitespace());
        rest = next;
    }
    words
}

fn closing_quote(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at,
            _ => {}
        }
    }
    body.len()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '@' | '-' | '+' | '?' | '!')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_languages() {
        let found = words("%{ # note\n  \"a\\\"b\": {:hex, :plug, \"1.0\"},", '#');
        assert_eq!(
            found,
            [
                (1, Word::Sign('%')),
                (1, Word::Sign('{')),
                (2, Word::Text("a\\\"b")),
                (2, Word::Sign(':')),
                (2, Word::Sign('{')),
                (2, Word::Sign(':')),
                (2, Word::Atom("hex")),
                (2, Word::Sign(',')),
                (2, Word::Sign(':')),
                (2, Word::Atom("plug")),
                (2, Word::Sign(',')),
                (2, Word::Text("1.0")),
                (2, Word::Sign('}')),
                (2, Word::Sign(',')),
            ]
        );
        assert_eq!(words("%% c\n{é,'x y'", '%').len(), 4);
    }
}
