//! Text for HTML, and JSON for inside a script element.

use std::borrow::Cow;

use crate::terminal;

/// Text between tags or in a quoted attribute. Characters that would mislead a reader are written out.
pub fn text(text: &str) -> Cow<'_, str> {
    let text = terminal::escape(text);
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// JSON in which no character could end a script element or start a comment: these stand only inside strings, where
/// an escape means the same.
pub fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(text("<b a='x'>\"&"), "&lt;b a=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(text("a\u{202e}b"), "a\\u{202e}b");
        let hostile = serde_json::to_string("</script><!-- \u{2028} &").unwrap();
        let safe = json(&hostile);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}']), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!-- \u{2028} &");
    }
}
