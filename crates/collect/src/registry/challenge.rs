//! `WWW-Authenticate`: what a registry asks for (RFC 9110 section 11.6.1; the distribution project's token
//! specification for `Bearer`).

/// A way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    Bearer { realm: String, service: String, scope: String },
}

/// All challenges we understand, in the order given.
pub fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut scanner = Scanner { rest: header };
    let mut current: Option<(String, Vec<(String, String)>)> = None;
    while let Some(word) = scanner.token() {
        if scanner.eat('=') {
            let value = scanner.value();
            if let Some((_, parameters)) = &mut current {
                parameters.push((word.to_ascii_lowercase(), value));
            }
        } else {
            challenges.extend(current.take().and_then(known));
            current = Some((word.to_ascii_lowercase(), Vec::new()));
        }
        scanner.skip_separators();
    }
    challenges.extend(current.and_then(known));
    challenges
}

fn known((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let parameter = |name: &str| {
        parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    match scheme.as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" if !parameter("realm").is_empty() => Some(Challenge::Bearer {
            realm: parameter("realm"),
            service: parameter("service"),
            scope: parameter("scope"),
        }),
        _ => None,
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn skip_separators(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }

    fn token(&mut self) -> Option<String> {
        self.skip_separators();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/:".contains(c)))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return None;
        }
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(token.to_owned())
    }

    fn eat(&mut self, wanted: char) -> bool {
        let trimmed = self.rest.trim_start_matches([' ', '\t']);
        match trimmed.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest.trim_start_matches([' ', '\t']);
                true
            }
            None => false,
        }
    }

    /// A token or a quoted string.
    fn value(&mut self) -> String {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return self.token().unwrap_or_default();
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return value;
                }
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                other => value.push(other),
            }
        }
        self.rest = "";
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_servers_write_them() {
        let bearer = |realm: &str, service: &str, scope: &str| Challenge::Bearer {
            realm: realm.into(),
            service: service.into(),
            scope: scope.into(),
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull""#,
                vec![bearer("https://auth.example/token", "registry.example", "repository:a/b:pull")],
            ),
            (
                r#"bearer realm=https://auth.example/t , service = "x y" , error="invalid_token""#,
                vec![bearer("https://auth.example/t", "x y", "")],
            ),
            (r#"Basic realm="Registry \"one\", two""#, vec![Challenge::Basic]),
            (
                r#"Negotiate, Basic realm="r", Bearer realm="https://a/""#,
                vec![Challenge::Basic, bearer("https://a/", "", "")],
            ),
            (r#"Bearer service="no realm""#, vec![]),
            (r#"Bearer realm="unclosed"#, vec![bearer("unclosed", "", "")]),
            ("", vec![]),
            ("\"\"\"===,,,", vec![]),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }
}
