//! `name = value` in all the ways that languages and configuration files write it.
//!
//! The reader begins at a keyword inside a name and knows no grammar: it looks for the rest of the name, an operator
//! and a value. What is quoted is a literal everywhere; what is not quoted is one only in files that hold no programs.

use std::ops::Range;

/// Longest name, to either side of the keyword.
const MAX_NAME: usize = 64;
/// Longest value.
pub(super) const MAX_VALUE: usize = 4096;
/// Spaces between the parts.
const MAX_SPACES: usize = 24;

/// What was read, as ranges of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) quoted: bool,
}

/// Whether values of this file need no quotes to be literals, by its name.
pub(super) fn holds_plain_values(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "env",
        "ini",
        "cfg",
        "cnf",
        "conf",
        "config",
        "properties",
        "yaml",
        "yml",
        "toml",
        "sh",
        "bash",
        "zsh",
        "profile",
        "bashrc",
        "zshrc",
        "tfvars",
        "tfstate",
        "txt",
        "log",
        "json",
        "xml",
        "npmrc",
        "pypirc",
        "netrc",
        "pgpass",
        "dockerfile",
        "service",
        "credentials",
        "md",
        "csv",
        "sql",
        "ps1",
        "bat",
        "cmd",
        "plist",
        "history",
        "envrc",
        "gitconfig",
        "s3cfg",
        "boto",
        "ovpn",
        "xcconfig",
        "tf",
        "hcl",
        "nix",
        "jsonc",
        "rst",
        "http",
        "rest",
        "k8s",
    ];
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ending = name.rsplit('.').next().unwrap_or(&name);
    if !name.contains('.')
        || name.starts_with('.')
        || name.starts_with("dockerfile")
        || name.contains("history")
    {
        return true;
    }
    ENDINGS.contains(&ending)
}

/// Reads the assignment whose name holds `keyword`. `plain` says whether values without quotes count.
pub(super) fn read(text: &[u8], keyword: Range<usize>, plain: bool) -> Option<Assignment> {
    let name_start = text.get(keyword.start.saturating_sub(MAX_NAME)..keyword.start)?;
    let start = keyword.start - name_start.iter().rev().take_while(|byte| is_name(**byte)).count();
    let rest = text.get(keyword.end..)?;
    let end = keyword.end + rest.iter().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let mut at = end;
    // `"name": `, `name[...]`, `\"name\": ` in a string.
    if text.get(at) == Some(&b'\\') {
        at += 1;
    }
    let name_quoted = matches!(text.get(at), Some(b'"' | b'\'' | b'`'));
    if name_quoted {
        at += 1;
    }
    if text.get(at) == Some(&b']') {
        at += 1;
    }
    let spaced = at;
    at = skip_spaces(text, at);
    at = skip_type(text, at).unwrap_or(at);
    let element = text.get(at) == Some(&b'>');
    at = operator(text, at, name_quoted).or_else(|| (element && at == spaced).then_some(at + 1))?;
    at = skip_spaces(text, at);
    value(text, at, plain || element).map(|(value, quoted)| Assignment { name: start..end, value, quoted })
}

/// The end of an operator of assignment.
fn operator(text: &[u8], at: usize, name_quoted: bool) -> Option<usize> {
    const OPERATORS: &[&[u8]] = &[b":=", b"=>", b"?=", b"||=", b"+=", b"->", b"=", b":"];
    let rest = text.get(at..)?;
    if rest.starts_with(b"==") || rest.starts_with(b"!=") || rest.starts_with(b"::") {
        return None;
    }
    if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(operator)) {
        return Some(at + operator.len());
    }
    // `put("password", "…")`, `setPassword("…")`.
    match rest.first()? {
        b',' if name_quoted => Some(at + 1),
        b'(' if !name_quoted && matches!(rest.get(1), Some(b'"' | b'\'')) => Some(at + 1),
        _ => None,
    }
}

/// A type between name and operator: `password: string = "…"`, `var password string = "…"`.
fn skip_type(text: &[u8], at: usize) -> Option<usize> {
    let mut rest = at;
    if text.get(rest) == Some(&b':') {
        rest = skip_spaces(text, rest + 1);
    }
    if text.get(rest) == Some(&b'&') {
        rest += 1;
    }
    let word =
        text.get(rest..)?.iter().take(24).take_while(|byte| is_name(**byte) || **byte == b'\'').count();
    if word == 0 {
        return None;
    }
    let after = skip_spaces(text, rest + word);
    let assigns = text.get(after) == Some(&b'=') && !matches!(text.get(after + 1), Some(b'=' | b'>'));
    (assigns && after > rest).then_some(after)
}

fn value(text: &[u8], mut at: usize, plain: bool) -> Option<(Range<usize>, bool)> {
    let rest = text.get(at..)?;
    // `b"…"`, `r'…'`, `@"…"`, `L"…"`.
    if let [b'b' | b'r' | b'u' | b'f' | b'@' | b'L' | b'B' | b'R' | b'U', b'"' | b'\'', ..] = rest {
        at += 1;
    }
    if text.get(at) == Some(&b'\\') && matches!(text.get(at + 1), Some(b'"' | b'\'')) {
        at += 1;
    }
    let first = *text.get(at)?;
    if matches!(first, b'"' | b'\'' | b'`') {
        let start = at + 1;
        let inside = text.get(start..text.len().min(start + MAX_VALUE))?;
        let mut escaped = false;
        for (index, byte) in inside.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if inside.get(index + 1) == Some(&first) && first_is_escaped(text, at) => {
                    return Some((start..start + index, true));
                }
                b'\\' => escaped = true,
                b'\n' | b'\r' => return None,
                byte if *byte == first => return Some((start..start + index, true)),
                _ => {}
            }
        }
        return None;
    }
    if !plain {
        return None;
    }
    let inside = text.get(at..text.len().min(at + MAX_VALUE))?;
    let length = inside.iter().take_while(|byte| is_plain(**byte)).count();
    // `key = function(…)` and `key = list[…]` are no literals.
    if length == 0 || matches!(inside.get(length), Some(b'(' | b'[' | b'{')) {
        return None;
    }
    let trimmed = inside.get(..length)?;
    let length = length - trimmed.iter().rev().take_while(|byte| matches!(byte, b',' | b';' | b'.')).count();
    (length > 0).then_some((at..at + length, false))
}

/// Whether the quote at this place is itself escaped: a string inside a string.
fn first_is_escaped(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\\')
}

fn skip_spaces(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(MAX_SPACES).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b'[' | b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, plain: bool) -> Option<(&str, &str)> {
        let start = text.find("secret")?;
        let read = read(text.as_bytes(), start..start + 6, plain)?;
        Some((&text[read.name], &text[read.value]))
    }

    #[test]
    fn reads_the_forms_of_many_languages() {
        for (text, expected) in [
            (r#"my_secret_key = "abc""#, ("my_secret_key", "abc")),
            (r#""client-secret": "abc","#, ("client-secret", "abc")),
            (r#"const secret: string = 'abc';"#, ("secret", "abc")),
            (r#"let secret: &str = "abc";"#, ("secret", "abc")),
            (r#"var secret string = "abc""#, ("secret", "abc")),
            (r#"secret := `abc`"#, ("secret", "abc")),
            (r#"'secret' => 'abc'"#, ("secret", "abc")),
            (r#"conf["secret"] = b"abc""#, ("secret", "abc")),
            (r#"put("secret", "abc")"#, ("secret", "abc")),
            (r#"setsecret("abc")"#, ("setsecret", "abc")),
            (r#"\"secret\": \"abc\""#, ("secret", "abc")),
            (r#"secret = "a\"c""#, ("secret", r#"a\"c"#)),
            (r#"<secret>abc</secret>"#, ("secret", "abc")),
        ] {
            assert_eq!(parts(text, false), Some(expected), "{text}");
        }
        for text in [
            "secret == \"abc\"",
            "secret = value",
            "secret",
            "secret: ",
            "secret = \"abc\n\"",
            "secret = f(x)",
        ] {
            assert_eq!(parts(text, false), None, "{text}");
        }
    }

    #[test]
    fn plain_values_count_where_there_are_no_programs() {
        assert_eq!(parts("secret: abc # why", true), Some(("secret", "abc")));
        assert_eq!(parts("export A_secret=abc;", true), Some(("A_secret", "abc")));
        assert_eq!(parts("secret=call(abc)", true), None);
        assert!(holds_plain_values("a/.env.local") && holds_plain_values("app.properties"));
        assert!(!holds_plain_values("main.go") && holds_plain_values("root/.bash_history"));
    }
}
