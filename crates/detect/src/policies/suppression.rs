//! Suppressions in the judged file itself: `# yagura:ignore=ID reason=… until=2027-01-01`.
//!
//! A comment speaks of its own line; alone on a line, of the next line that is neither blank nor a comment, and of the
//! block that begins there.

/// What a comment begins with, after its comment sign.
const MARK: &str = "yagura:ignore=";
/// Most comments heeded in one file.
const MAX_COMMENTS: usize = 10_000;
/// Longest reason that is kept, in bytes.
const MAX_REASON: usize = 500;

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub ids: Vec<String>,
    pub reason: String,
    pub until: Option<String>,
    /// Where the comment stands, from 1.
    pub line: u32,
    /// The line it speaks of.
    pub of: u32,
    /// The last line of the block that begins there, told by indentation.
    pub through: u32,
    pub used: bool,
}

/// The comments of a text, whatever its language.
pub fn read(text: &str) -> Vec<Suppression> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once(MARK) else { continue };
        // Only what follows a comment sign is a comment.
        let code = before.trim_end();
        let Some(code) = ["#", "//", "/*", "--", ";"].iter().find_map(|sign| code.strip_suffix(sign)) else {
            continue;
        };
        if found.len() == MAX_COMMENTS {
            break;
        }
        let own = number(at);
        let of = if code.trim().is_empty() {
            let next = lines.iter().enumerate().skip(at + 1).find(|(_, line)| is_code(line));
            next.map_or(own, |(at, _)| number(at))
        } else {
            own
        };
        let through = block_end(&lines, of);
        found.push(Suppression { of, through, ..parse(after.trim_end_matches("*/"), own) });
    }
    found
}

/// The last line of what is indented below a line.
fn block_end(lines: &[&str], of: u32) -> u32 {
    let start = of.saturating_sub(1) as usize;
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let Some(first) = lines.get(start) else { return of };
    let (own, item) = (indentation(first), first.trim_start().starts_with("- "));
    let mut end = start;
    for (at, line) in lines.iter().enumerate().skip(start + 1) {
        let text = line.trim_start();
        // The items of a YAML list may stand below their key without more indentation.
        let within = indentation(line) > own || (!item && indentation(line) == own && text.starts_with("- "));
        if !text.is_empty() && !within {
            break;
        }
        if !text.is_empty() {
            end = at;
        }
    }
    number(end)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    let comment = ["#", "//", "/*", "*"].iter().any(|sign| line.starts_with(sign));
    !(line.is_empty() || comment || line == "---")
}

/// `ID,ID reason=words to the end or until=DATE`.
fn parse(text: &str, line: u32) -> Suppression {
    let (ids, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = |key: &str| -> Option<String> {
        let (_, after) = rest.split_once(key)?;
        let end =
            ["reason=", "until="].iter().filter_map(|next| after.find(next)).min().unwrap_or(after.len());
        let value = after.get(..end).unwrap_or_default().trim().trim_matches('"');
        let cut =
            (0..=value.len().min(MAX_REASON)).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
        value.get(..cut).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Suppression {
        ids: ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect(),
        reason: value("reason=").unwrap_or_default(),
        until: value("until="),
        line,
        of: line,
        through: line,
        used: false,
    }
}

impl Suppression {
    pub fn names(&self, rule: &str) -> bool {
        self.ids.iter().any(|id| id.eq_ignore_ascii_case(rule))
    }

    pub fn covers(&self, line: u32) -> bool {
        (self.of..=self.through).contains(&line)
    }

    /// Why it does not apply on a day (`YYYY-MM-DD`), if it does not.
    pub fn flaw(&self, today: &str) -> Option<String> {
        let is_date = |text: &str| {
            text.len() == 10
                && text.bytes().enumerate().all(|(at, byte)| match at {
                    4 | 7 => byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
        };
        match &self.until {
            _ if self.ids.is_empty() => Some("names no rule".to_owned()),
            _ if self.reason.is_empty() => Some("has no reason= and does not apply".to_owned()),
            Some(until) if !is_date(until) => {
                Some(format!("has until={until}, which is no date such as 2027-01-01, and does not apply"))
            }
            Some(until) if until.as_str() < today => {
                Some(format!("expired after {until} and no longer applies"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_speak_of_lines() {
        let text = "\
a: 1  # yagura:ignore=X-1 reason=it is fine until=2027-01-01
# yagura:ignore=X-1,X-2 reason=\"on purpose\"

# another comment
b: 2
// yagura:ignore=X-3
c: \"yagura:ignore=X-4 reason=no comment\"
";
        let found = read(text);
        let shown: Vec<_> = found.iter().map(|s| (s.line, s.of, s.ids.len(), s.reason.as_str())).collect();
        assert_eq!(shown, [(1, 1, 1, "it is fine"), (2, 5, 2, "on purpose"), (6, 7, 1, "")]);
        assert_eq!(found[0].flaw("2026-12-31"), None);
        assert!(found[0].flaw("2027-01-02").unwrap().contains("expired after 2027-01-01"));
        assert!(found[2].flaw("2026-12-31").unwrap().contains("no reason="));
    }
}
