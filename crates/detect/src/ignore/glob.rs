//! Patterns of ignore entries: `*`, `**` and `?`, matched in time proportional to pattern times text.

/// A pattern ready to be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    One(char),
    /// `?`: one character other than `/`.
    Any,
    /// `*` in a path: any number of characters other than `/`.
    Segment,
    /// `**`, and `*` in a name: any number of characters.
    All,
    /// The beginning of `**/`: nothing at all, or folders.
    Open,
    /// The folders of `**/`, up to a `/`.
    Folders,
}

impl Pattern {
    /// A glob over a path: `*` stays inside a folder.
    pub fn path(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let at_folder = matches!(tokens.last(), None | Some(Token::One('/') | Token::Folders));
            let length = match c {
                '*' if at_folder && rest.starts_with("**/") => {
                    tokens.extend([Token::Open, Token::Folders]);
                    3
                }
                '*' if rest.starts_with("**") => {
                    tokens.push(Token::All);
                    2
                }
                '*' => {
                    tokens.push(Token::Segment);
                    1
                }
                '?' => {
                    tokens.push(Token::Any);
                    1
                }
                c => {
                    tokens.push(Token::One(c));
                    c.len_utf8()
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        Self(tokens)
    }

    /// A pattern over a name: `*` is anything, nothing else means more than itself.
    pub fn name(text: &str) -> Self {
        Self(text.chars().map(|c| if c == '*' { Token::All } else { Token::One(c) }).collect())
    }

    pub fn fits(&self, text: &str) -> bool {
        // `reached[n]`: the first n tokens fit the text so far.
        let mut reached = vec![false; self.0.len() + 1];
        mark(&mut reached, 0);
        self.pass_over(&mut reached);
        for c in text.chars() {
            let mut next = vec![false; reached.len()];
            for (at, token) in self.0.iter().enumerate().filter(|(at, _)| reached.get(*at) == Some(&true)) {
                let (stays, steps) = match token {
                    Token::One(own) => (false, *own == c),
                    Token::Any => (false, c != '/'),
                    Token::Segment => (c != '/', false),
                    Token::All => (true, false),
                    Token::Open => (false, false),
                    Token::Folders => (true, c == '/'),
                };
                if stays {
                    mark(&mut next, at);
                }
                if steps {
                    mark(&mut next, at + 1);
                }
            }
            self.pass_over(&mut next);
            reached = next;
        }
        reached.last() == Some(&true)
    }

    /// Goes past the tokens that may stand for nothing.
    fn pass_over(&self, reached: &mut [bool]) {
        for (at, token) in self.0.iter().enumerate() {
            if reached.get(at) != Some(&true) {
                continue;
            }
            match token {
                Token::Segment | Token::All => mark(reached, at + 1),
                Token::Open => {
                    mark(reached, at + 1);
                    mark(reached, at + 2);
                }
                Token::One(_) | Token::Any | Token::Folders => {}
            }
        }
    }
}

fn mark(reached: &mut [bool], at: usize) {
    if let Some(slot) = reached.get_mut(at) {
        *slot = true;
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn stars_keep_to_their_folders() {
        for (pattern, fits, does_not) in [
            ("usr/lib/*", &["usr/lib/a", "usr/lib/"][..], &["usr/lib/a/b", "usr/lib", "xusr/lib/a"][..]),
            ("usr/**", &["usr/a", "usr/a/b/c"], &["usr", "opt/usr/a"]),
            ("**/a.jar", &["a.jar", "x/a.jar", "x/y/a.jar"], &["xa.jar", "x/ba.jar"]),
            ("x/**/y", &["x/y", "x/a/y", "x/a/b/y"], &["x/ay", "xy", "x/a/by"]),
            ("**/**/y", &["y", "a/y"], &["ay"]),
            ("a?c", &["abc", "a日c"], &["a/c", "ac"]),
            ("*", &["", "a"], &["a/b"]),
            ("a[b]", &["a[b]"], &["ab"]),
        ] {
            let pattern = Pattern::path(pattern);
            for text in fits {
                assert!(pattern.fits(text), "{pattern:?} {text}");
            }
            for text in does_not {
                assert!(!pattern.fits(text), "{pattern:?} {text}");
            }
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = Pattern::name(&format!("{}b", "a*".repeat(200)));
        let text = "a".repeat(1000);
        assert!(!pattern.fits(&text));
        assert!(pattern.fits(&format!("{text}b")));
    }
}
