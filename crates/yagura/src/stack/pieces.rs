//! Large texts in pieces that are texts themselves: documents of YAML, items of a list that `kubectl` dumped as JSON.
//!
//! The document parsers bound what one text may hold; a dump of a large cluster holds more. Pieces are parsed one at a
//! time, so memory does not grow with the dump.

/// Texts up to this size stay whole, in bytes.
const WHOLE: usize = 4 << 20;

/// A part of a text and how many lines stand before it.
pub struct Piece<'t> {
    pub text: &'t str,
    pub lines_before: u32,
}

/// The pieces in the order of the text; the whole where it is small or has no parts.
pub fn of(text: &str, is_json: bool) -> Vec<Piece<'_>> {
    let whole = || vec![Piece { text, lines_before: 0 }];
    if text.len() <= WHOLE {
        return whole();
    }
    let parts = if is_json { items(text) } else { documents(text) };
    // Items that leave their kind to the list are read with it.
    let first = parts.first().and_then(|(start, end)| text.get(*start..*end));
    if first.is_none_or(|first| is_json && !first.contains("\"apiVersion\"")) {
        return whole();
    }
    let (mut at, mut lines) = (0, 0usize);
    let mut pieces = Vec::with_capacity(parts.len());
    for (start, end) in parts {
        let before = text.get(at..start).unwrap_or_default();
        lines = lines.saturating_add(before.bytes().filter(|byte| *byte == b'\n').count());
        at = start;
        let lines_before = u32::try_from(lines).unwrap_or(u32::MAX);
        pieces.push(Piece { text: text.get(start..end).unwrap_or_default(), lines_before });
    }
    pieces
}

/// Where the documents of a YAML text start and end.
fn documents(text: &str) -> Vec<(usize, usize)> {
    let mut starts = vec![0];
    starts.extend(text.match_indices("\n---").map(|(at, _)| at.saturating_add(1)));
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).collect()
}

/// Where the objects in the `items` of the outermost object start and end; none where there is no such list.
fn items(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut depth, mut at, mut start) = (0usize, 0usize, 0usize);
    let mut inside = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let from = at;
                at = string_end(bytes, at);
                let is_key = depth == 1 && text.get(from..=at) == Some("\"items\"");
                inside |= is_key && found.is_empty();
            }
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if inside && depth == 3 && *byte == b'{' {
                    start = at;
                }
            }
            b'}' | b']' => {
                if inside && depth == 3 && *byte == b'}' {
                    found.push((start, at.saturating_add(1)));
                }
                depth = depth.saturating_sub(1);
                if inside && depth == 1 && *byte == b']' {
                    return found;
                }
            }
            _ => {}
        }
        at = at.saturating_add(1);
    }
    // The list never ends: the whole text says better what is wrong with it.
    Vec::new()
}

/// The position of the quote that ends a string.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start.saturating_add(1);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at = at.saturating_add(2),
            b'"' => return at,
            _ => at = at.saturating_add(1),
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{WHOLE, documents, items, of};

    #[test]
    fn items_are_found_whatever_their_strings_hold() {
        let text = r#"{"kind": "List", "x": {"items": [{"no": 1}]}, "items": [ {"a": "}]\"{", "b": [{}]}, {"c": 2} ], "z": 1}"#;
        let parts: Vec<&str> = items(text).into_iter().map(|(start, end)| &text[start..end]).collect();
        assert_eq!(parts, [r#"{"a": "}]\"{", "b": [{}]}"#, r#"{"c": 2}"#]);
        assert!(
            items(r#"{"items": [{"a": 1}"#).is_empty()
                && items("[1, 2]").is_empty()
                && items("\"").is_empty()
        );
    }

    #[test]
    fn pieces_know_their_lines() {
        let long = "x".repeat(WHOLE);
        let text = format!("{{\"items\": [\n{{\"apiVersion\": \"{long}\"}},\n{{\"b\": 1}}]}}");
        let pieces = of(&text, true);
        assert_eq!(pieces.iter().map(|piece| piece.lines_before).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(of("a: 1\n---\nb: 2\n", false).len(), 1);
        assert_eq!(documents("a: 1\n---\nb: 2\n"), [(0, 5), (5, 14)]);
    }
}
