//! Globs as fnmatch(3) without flags has them: `*` and `?` match slashes and leading dots, too.
//!
//! Over bytes, in time proportional to pattern times text at worst: only the last `*` is ever tried again.

/// A pattern and whether case counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
    ignore_case: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Byte(u8),
    Any,
    Star,
    Class { negated: bool, ranges: Vec<(u8, u8)> },
}

impl Glob {
    pub fn new(pattern: &[u8], ignore_case: bool) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            parts.push(match byte {
                b'*' => {
                    if parts.last() == Some(&Part::Star) {
                        continue;
                    }
                    Part::Star
                }
                b'?' => Part::Any,
                b'\\' => match rest.split_first() {
                    Some((escaped, after)) => {
                        rest = after;
                        Part::Byte(*escaped)
                    }
                    None => Part::Byte(b'\\'),
                },
                b'[' => match class(rest) {
                    Some((part, after)) => {
                        rest = after;
                        part
                    }
                    None => Part::Byte(b'['),
                },
                other => Part::Byte(*other),
            });
        }
        Self { parts, ignore_case }
    }

    /// Whether a text has anything that a glob treats specially.
    pub fn is_pattern(text: &[u8]) -> bool {
        text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        let (mut part, mut at) = (0, 0);
        // Where to go on when a later part fails: behind the last star, one byte further on in the text.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let step = match (self.parts.get(part), text.get(at)) {
                (Some(Part::Star), _) => {
                    retry = Some((part + 1, at + 1));
                    part += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(wanted), Some(byte)) => self.matches_byte(wanted, *byte),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if step {
                part += 1;
                at += 1;
            } else {
                match retry {
                    Some((behind_star, next)) if next <= text.len() => {
                        (part, at) = (behind_star, next);
                        retry = Some((behind_star, next + 1));
                    }
                    _ => return false,
                }
            }
        }
    }

    fn matches_byte(&self, wanted: &Part, byte: u8) -> bool {
        match wanted {
            Part::Star | Part::Any => true,
            Part::Byte(wanted) if self.ignore_case => wanted.eq_ignore_ascii_case(&byte),
            Part::Byte(wanted) => *wanted == byte,
            Part::Class { negated, ranges } => {
                let within = |byte: u8| ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte));
                let found = within(byte)
                    || (self.ignore_case
                        && (within(byte.to_ascii_lowercase()) || within(byte.to_ascii_uppercase())));
                found != *negated
            }
        }
    }
}

/// What follows an opening bracket; none when no closing one does, so that the bracket stands for itself.
fn class(text: &[u8]) -> Option<(Part, &[u8])> {
    let mut rest = text;
    let negated = matches!(rest.first(), Some(b'!' | b'^'));
    if negated {
        rest = rest.get(1..)?;
    }
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        if *byte == b']' && !first {
            return Some((Part::Class { negated, ranges }, rest));
        }
        first = false;
        if *byte == b'[' && rest.first() == Some(&b':') {
            let end = rest.windows(2).position(|pair| pair == b":]")?;
            ranges.extend(named(rest.get(1..end)?)?);
            rest = rest.get(end + 2..)?;
            continue;
        }
        let low = if *byte == b'\\' {
            let (escaped, after) = rest.split_first()?;
            rest = after;
            *escaped
        } else {
            *byte
        };
        if let [b'-', high, after @ ..] = rest
            && *high != b']'
        {
            ranges.push((low, *high));
            rest = after;
        } else {
            ranges.push((low, low));
        }
    }
}

/// A character class of POSIX, in the C locale.
fn named(name: &[u8]) -> Option<Vec<(u8, u8)>> {
    Some(match name {
        b"alpha" => vec![(b'a', b'z'), (b'A', b'Z')],
        b"digit" => vec![(b'0', b'9')],
        b"alnum" => vec![(b'a', b'z'), (b'A', b'Z'), (b'0', b'9')],
        b"upper" => vec![(b'A', b'Z')],
        b"lower" => vec![(b'a', b'z')],
        b"space" => vec![(b'\t', b'\r'), (b' ', b' ')],
        b"blank" => vec![(b'\t', b'\t'), (b' ', b' ')],
        b"punct" => vec![(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        b"print" => vec![(b' ', b'~')],
        b"graph" => vec![(b'!', b'~')],
        b"cntrl" => vec![(0, 0x1f), (0x7f, 0x7f)],
        b"xdigit" => vec![(b'0', b'9'), (b'a', b'f'), (b'A', b'F')],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn globs_match_as_fnmatch_does() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("a*c", "a/b/c", true),
            ("/home/*/.ssh/*", "/home/u/x/.ssh/id", true),
            ("*../*../*", "a/../b/../c", true),
            ("*../*../*", "a/../b", false),
            ("?", "", false),
            ("?", ".", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[[:digit:]]*", "1a", true),
            ("[[:digit:]]*", "a1", false),
            ("a*b*c*d", "aXbXcXbXcd", true),
            ("a*b", "ac", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()),
                *expected,
                "{pattern} {text}"
            );
        }
        assert!(Glob::new(b"A[x]*", true).matches(b"aXb"));
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!Glob::new(pattern.as_bytes(), false).matches("a".repeat(20_000).as_bytes()));
    }
}
