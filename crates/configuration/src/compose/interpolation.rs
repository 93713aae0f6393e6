//! `${NAME}` in values, as Compose fills them in from the environment of whoever starts it.

/// A value with defaults filled in; none where a variable without one decides it.
pub(super) fn fill(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some(braced) = rest.strip_prefix('{') else {
            if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                return None;
            }
            out.push('$');
            continue;
        };
        let (inside, after) = braced.split_at(end(braced)?);
        rest = after.strip_prefix('}').unwrap_or(after);
        let name = inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let operator = inside.get(name..).unwrap_or_default();
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'))?;
        // A default may hold variables of its own, each shorter than what holds it.
        out.push_str(&fill(default)?);
    }
    out.push_str(rest);
    Some(out)
}

/// Where the brace that was opened before is closed.
fn end(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ if at > MAX_EXPRESSION => return None,
            _ => {}
        }
    }
    None
}

/// Longest `${…}` that is looked into.
const MAX_EXPRESSION: usize = 4096;

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn defaults_count_and_the_rest_is_unknown() {
        for (text, expected) in [
            ("a", Some("a")),
            ("$$A", Some("$A")),
            ("$A", None),
            ("${A}", None),
            ("x:${A:-1}y", Some("x:1y")),
            ("${A-${B:-2}}", Some("2")),
            ("${A:?must}", None),
            ("5$", Some("5$")),
            ("${", None),
        ] {
            assert_eq!(fill(text).as_deref(), expected, "{text}");
        }
    }
}
