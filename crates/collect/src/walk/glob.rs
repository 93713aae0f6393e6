//! Patterns of paths to leave out.
//!
//! `*` and `?` match within one component, `**` any number of components, `[a-z]` and `[!a-z]` one byte. A pattern
//! without a `/` (but at its end) names a component at any depth; one with a `/` is read from the root.

/// A pattern over paths relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    components: Vec<Vec<u8>>,
    builtin: bool,
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        let trimmed = text.trim_end_matches('/');
        let rooted = trimmed.contains('/');
        let body = trimmed.strip_prefix("./").unwrap_or(trimmed).trim_start_matches('/');
        let mut components: Vec<Vec<u8>> =
            body.split('/').filter(|part| !part.is_empty()).map(|part| part.as_bytes().to_vec()).collect();
        if !rooted && !components.is_empty() {
            components.insert(0, b"**".to_vec());
        }
        components.dedup_by(|next, before| next == b"**" && before == b"**");
        Self { components, builtin: false }
    }

    /// A pattern of our own, whose matches are reported.
    pub(super) fn builtin(text: &str) -> Self {
        Self { builtin: true, ..Self::new(text) }
    }

    pub(super) fn is_builtin(&self) -> bool {
        self.builtin
    }

    /// Whether the whole path matches; `path` is relative to the root without a leading `/`.
    pub fn matches(&self, path: &[u8]) -> bool {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        // Backtracking to the last `**` alone suffices, as to the last `*` in a component.
        let (mut at, mut part) = (0, 0);
        let mut resume: Option<(usize, usize)> = None;
        while part < parts.len() {
            match self.components.get(at) {
                Some(component) if component == b"**" => {
                    resume = Some((at + 1, part));
                    at += 1;
                }
                Some(component) if component_matches(component, parts[part]) => {
                    at += 1;
                    part += 1;
                }
                _ => match resume {
                    Some((after, from)) => {
                        resume = Some((after, from + 1));
                        at = after;
                        part = from + 1;
                    }
                    None => return false,
                },
            }
        }
        self.components[at..].iter().all(|component| component == b"**") && !self.components.is_empty()
    }
}

fn component_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut byte) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    while byte < name.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                resume = Some((at + 1, byte));
                at += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => class_matches(&pattern[at..], name[byte]),
            Some(literal) => (*literal == name[byte]).then_some(1),
            None => None,
        };
        match (step, resume) {
            (Some(length), _) => {
                at += length;
                byte += 1;
            }
            (None, Some((after, from))) => {
                resume = Some((after, from + 1));
                at = after;
                byte = from + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Length of the class when it takes the byte. A `[` that is never closed is itself.
fn class_matches(pattern: &[u8], byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let start = if negated { 2 } else { 1 };
    // A `]` right at the start is a member.
    let Some(end) = pattern.iter().skip(start + 1).position(|byte| *byte == b']').map(|at| at + start + 1)
    else {
        return (byte == b'[').then_some(1);
    };
    let members = &pattern[start..end];
    let mut at = 0;
    let mut found = false;
    while let Some(first) = members.get(at) {
        match (members.get(at + 1), members.get(at + 2)) {
            (Some(b'-'), Some(last)) => {
                found |= (*first..=*last).contains(&byte);
                at += 3;
            }
            _ => {
                found |= *first == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_match_as_described() {
        for (pattern, path, expected) in [
            ("node_modules", "a/b/node_modules", true),
            ("node_modules/", "node_modules", true),
            ("node_modules", "a/node_modules2", false),
            ("*.pyc", "a/b/c.pyc", true),
            ("/var/log", "var/log", true),
            ("/var/log", "srv/var/log", false),
            ("./src/*.rs", "src/lib.rs", true),
            ("./src/*.rs", "src/a/lib.rs", false),
            ("src/**/test?.txt", "src/test1.txt", true),
            ("src/**/test?.txt", "src/a/b/test2.txt", true),
            ("src/**/test?.txt", "src/a/b/test22.txt", false),
            ("**/a/**/b", "x/a/y/a/z/b", true),
            ("a/**", "a/b/c", true),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[ab", "[ab", true),
            ("a*b*c*d", "aXbXcXbXcXd", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(path.as_bytes()), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_pattern_made_to_backtrack_stays_quick() {
        let pattern = Pattern::new(&"*a".repeat(200));
        assert!(!pattern.matches(format!("{}b", "a".repeat(4000)).as_bytes()));
    }
}
