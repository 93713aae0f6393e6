//! What is wrong with a policy, and where.

/// A policy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct InvalidPolicy {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

impl InvalidPolicy {
    pub(crate) fn at(path: &str, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: line.max(1), column: column.max(1), message: message.into() }
    }

    /// The interpreter's own error, which names its place in a drawing of the line.
    pub(crate) fn of(error: &anyhow::Error, path: &str) -> Self {
        let text = error.to_string();
        let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
        let mut parts = place.unwrap_or_default().rsplitn(3, ':');
        let column = parts.next().and_then(|column| column.parse().ok()).unwrap_or(1);
        let line = parts.next().and_then(|line| line.parse().ok()).unwrap_or(1);
        let path = parts.next().unwrap_or(path).to_owned();
        Self { path, line, column, message: message(&text) }
    }
}

/// The words of an error without the drawing.
pub(crate) fn message(text: &str) -> String {
    /// Longest message kept, in characters.
    const MAX_MESSAGE: usize = 500;
    let told = text.lines().filter_map(|line| line.trim().strip_prefix("error: ")).next_back();
    let plain = told.map_or_else(|| text.split_whitespace().collect::<Vec<_>>().join(" "), str::to_owned);
    plain.chars().take(MAX_MESSAGE).collect()
}
