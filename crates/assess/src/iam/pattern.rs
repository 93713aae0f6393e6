//! Texts with wildcards, policy variables and references that only the cloud fills in.

use super::Truth;
use super::condition::Context;

/// Longest pattern or text that is compared; longer ones are not known to match.
const MAX_BYTES: usize = 8 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// `?`.
    One,
    /// `*`.
    Any,
    /// What is not known: any text, perhaps none.
    Unknown,
}

/// Whether a pattern of a policy (`*`, `?`, `${aws:username}`) matches a text. Case is heeded unless `fold`.
pub fn matches(pattern: &str, text: &str, context: &Context, fold: bool) -> Truth {
    if pattern.len() > MAX_BYTES || text.len() > MAX_BYTES {
        return Truth::Unknown;
    }
    let pieces = pieces(pattern, context, fold, true);
    decide(&pieces, text.as_bytes(), fold)
}

/// The same without wildcards: variables alone are replaced.
pub fn equals(pattern: &str, text: &str, context: &Context, fold: bool) -> Truth {
    if pattern.len() > MAX_BYTES || text.len() > MAX_BYTES {
        return Truth::Unknown;
    }
    decide(&pieces(pattern, context, fold, false), text.as_bytes(), fold)
}

fn decide(pieces: &[Piece], text: &[u8], fold: bool) -> Truth {
    let text: Vec<u8> = if fold { text.to_ascii_lowercase() } else { text.to_vec() };
    if !wild(pieces, &text) {
        return Truth::No;
    }
    if pieces.contains(&Piece::Unknown) { Truth::Unknown } else { Truth::Yes }
}

/// ARNs compare part by part, so that a wildcard stays in its part; the last part may hold colons. A part of the resource
/// that is `?` is not known and taken to be the right one: configurations rarely name their own account and region.
pub fn matches_arn(pattern: &str, arn: &str, context: &Context) -> Truth {
    if pattern == "*" {
        return Truth::Yes;
    }
    let (pattern, arn) = (split(pattern), split(arn));
    let (Some(pattern), Some(arn)) = (pattern, arn) else { return Truth::No };
    pattern.iter().zip(arn).fold(Truth::Yes, |all, (pattern, part)| {
        let one = if part == "?" && !pattern.is_empty() {
            Truth::Yes
        } else {
            matches(pattern, part, context, false)
        };
        all.and(one)
    })
}

/// The six parts of an ARN, colons within `${…}` left alone; a text that is a reference alone stands for any.
fn split(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut depth) = (0, 0usize);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes.get(at - 1) == Some(&b'$') => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && parts.len() < 5 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (parts.len() == 6).then_some(parts)
}

/// Whether a whole ARN hangs on one reference: `${aws_s3_bucket.a.arn}/*`.
pub fn is_reference(text: &str) -> bool {
    text.starts_with("${") && split(text).is_none()
}

fn pieces(pattern: &str, context: &Context, fold: bool, wildcards: bool) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let literal = |pieces: &mut Vec<Piece>, text: &str| {
        pieces.extend(
            text.bytes().map(|byte| Piece::Byte(if fold { byte.to_ascii_lowercase() } else { byte })),
        );
    };
    let mut rest = pattern;
    while let Some(start) = rest.find(['*', '?', '$']) {
        let (before, from) = rest.split_at(start);
        literal(&mut pieces, before);
        let inside = from.strip_prefix("${").and_then(|inside| inside.split_once('}'));
        let length = match (from.as_bytes().first(), inside) {
            (Some(b'*'), _) if wildcards => {
                pieces.push(Piece::Any);
                1
            }
            (Some(b'?'), _) if wildcards => {
                pieces.push(Piece::One);
                1
            }
            (Some(b'$'), Some((name, _))) => {
                variable(&mut pieces, name, context, &literal);
                name.len() + 3
            }
            _ => {
                literal(&mut pieces, from.get(..1).unwrap_or_default());
                1
            }
        };
        rest = from.get(length..).unwrap_or_default();
    }
    literal(&mut pieces, rest);
    pieces
}

/// `${*}`, `${aws:username}`, `${aws:username, 'default'}`; a reference of a configuration language is not known.
fn variable(
    pieces: &mut Vec<Piece>,
    inside: &str,
    context: &Context,
    literal: &dyn Fn(&mut Vec<Piece>, &str),
) {
    if matches!(inside, "*" | "?" | "$") {
        return literal(pieces, inside);
    }
    let (name, default) = match inside.split_once(',') {
        Some((name, default)) => (name.trim(), Some(default.trim().trim_matches('\''))),
        None => (inside.trim(), None),
    };
    match (context.get(name), default) {
        (Some([one]), _) => literal(pieces, one),
        (None, Some(default)) if context.complete => literal(pieces, default),
        // A variable without a value matches nothing; text that cannot be there says so.
        (None, None) if context.complete && name.contains(':') => pieces.push(Piece::Byte(0)),
        _ => pieces.push(Piece::Unknown),
    }
}

fn wild(pattern: &[Piece], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(Piece::Any | Piece::Unknown), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(Piece::One), Some(_)) => {
                p += 1;
                t += 1;
            }
            (Some(Piece::Byte(wanted)), Some(byte)) if wanted == byte => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, t));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|piece| matches!(piece, Piece::Any | Piece::Unknown))
}

#[cfg(test)]
mod tests {
    use super::{Context, Truth, equals, matches, matches_arn};

    #[test]
    fn wildcards_variables_and_references() {
        let known = Context::complete().with("aws:username", &["ann"]);
        for (pattern, text, expected) in [
            ("s3:Get*", "s3:GetObject", Truth::Yes),
            ("a?c", "ac", Truth::No),
            ("home/${aws:username}/*", "home/ann/x", Truth::Yes),
            ("home/${aws:username}/*", "home/bob/x", Truth::No),
            ("${aws:PrincipalTag/team, 'none'}", "none", Truth::Yes),
            ("a${*}b", "a*b", Truth::Yes),
            ("a${*}b", "axb", Truth::No),
        ] {
            assert_eq!(matches(pattern, text, &known, false), expected, "{pattern} {text}");
        }
        let nothing = Context::default();
        assert_eq!(matches("home/${aws:username}", "home/ann", &nothing, false), Truth::Unknown);
        assert_eq!(matches("home/${aws:username}", "tmp/ann", &nothing, false), Truth::No);
        assert_eq!(equals("a*", "a*", &nothing, false), Truth::Yes);
        let arn = "arn:aws:dynamodb:?:?:table/orders";
        assert_eq!(matches_arn("arn:aws:dynamodb:eu-west-1:111122223333:table/*", arn, &nothing), Truth::Yes);
        assert_eq!(matches_arn("arn:aws:s3:::*", arn, &nothing), Truth::No);
        assert_eq!(matches_arn("arn:aws:s3:::${var.bucket}/*", "arn:aws:s3:::a/b", &nothing), Truth::Unknown);
    }
}
