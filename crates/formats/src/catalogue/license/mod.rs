//! Licences as people write them, turned into SPDX licence expressions (SPDX 2.3, annex D).
//!
//! One reading for every ecosystem: SPDX itself, Debian's and Fedora's short names, PyPI classifiers, npm's, CRAN's
//! and Maven's free texts and licence URLs. A bare `BSD` is not one licence and stays as it is. This module must not
//! know which package a text belongs to.

mod expression;
mod key;
mod names;
mod text;

pub use text::of_text;

/// Longest text that is read as a licence statement, in bytes; what is longer is somebody's whole licence text.
const MAX_STATEMENT: usize = 1024;

/// Longest raw text that is kept, in characters.
const MAX_RAW: usize = 120;

/// The statement as an SPDX expression where it can be read as one, else the statement itself: whitespace collapsed,
/// its first line only, cut after 120 characters. Empty when the statement says nothing (`UNKNOWN`, `None`).
pub fn normalise(statement: &str) -> String {
    if let Some(expression) = to_expression(statement) {
        return expression;
    }
    let line = subject(statement).lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let raw: String = line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_RAW).collect();
    if names::says_nothing(&raw) { String::new() } else { raw }
}

/// The statement as an SPDX expression; `None` where it cannot be read as one.
///
/// Terms without an SPDX identifier inside an expression with known ones become `LicenseRef-…`.
pub fn to_expression(statement: &str) -> Option<String> {
    let statement = subject(statement);
    if statement.is_empty() {
        return None;
    }
    if statement.len() > MAX_STATEMENT {
        return names::identify(statement.get(..MAX_STATEMENT)?.lines().next()?);
    }
    names::identify(statement)
        .or_else(|| names::of_url(statement))
        .or_else(|| expression::parse(statement))
        .or_else(|| {
            // A licence text whose first line is its name.
            let (first, rest) = statement.split_once('\n')?;
            names::identify(first).filter(|_| !rest.trim().is_empty())
        })
}

/// Most licences that one package or text is given.
pub const MAX_LICENSES: usize = 256;

/// Normalises each of several statements and drops the empty, the repeated, and all after the first
/// [`MAX_LICENSES`].
pub fn normalise_all<'a>(statements: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut all = Vec::new();
    for statement in statements {
        if all.len() >= MAX_LICENSES {
            break;
        }
        let license = normalise(statement);
        if !license.is_empty() && !all.contains(&license) {
            all.push(license);
        }
    }
    all
}

/// Without what surrounds the statement proper: blanks, quotes, a classifier's path.
fn subject(statement: &str) -> &str {
    let statement = statement.trim().trim_matches(['"', '\'']).trim();
    match statement.strip_prefix("License ::") {
        Some(classifier) => classifier.rsplit("::").next().unwrap_or_default().trim(),
        None => statement,
    }
}

#[cfg(test)]
mod tests;
