//! Why something could not be brought in: one line for the user, and a kind for the program.

use std::fmt;
use std::io;
use std::path::Path;

/// What went wrong, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The text given is not a target, a reference or an address.
    InvalidReference,
    /// The file, image, tag or blob does not exist.
    NotFound,
    /// A login is missing or was refused.
    Unauthorized,
    /// The peer's certificate is not trusted, or TLS failed otherwise.
    Tls,
    /// No image for the wanted platform.
    WrongPlatform,
    /// The content exists and is not an image (or not a registry, not an archive).
    NotAnImage,
    /// The name service knows no such host.
    UnknownHost,
    /// Nobody answered: no network, connection refused, timed out.
    Unreachable,
    /// The bytes do not have the digest that names them.
    DigestMismatch,
    /// Larger than the bound for its kind.
    TooLarge,
    /// Does not follow its format.
    Malformed,
    /// A form we know of and do not read.
    Unsupported,
    /// Forbidden by our own settings (plain HTTP without `--insecure`, say).
    Refused,
    /// The operating system refused.
    Io,
}

/// One clear line: what happened, and after a semicolon what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    message: String,
    advice: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: one_line(message.into()), advice: String::new() }
    }

    /// Adds what the user can do.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = one_line(advice.into());
        self
    }

    /// Puts the thing being worked upon before the message.
    pub fn within(mut self, subject: impl fmt::Display) -> Self {
        self.message = one_line(format!("{subject}: {}", self.message));
        self
    }

    /// An error of the operating system at a path.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Self::new(kind, format!("{}: {reason}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.advice.is_empty() {
            write!(f, "; {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Longest message kept, in characters: parts of it come from servers and files.
const MAX_MESSAGE_CHARS: usize = 800;

/// Text from outside must not break out of its line nor drive the terminal.
fn one_line(text: String) -> String {
    if text.chars().count() <= MAX_MESSAGE_CHARS && !text.chars().any(char::is_control) {
        return text;
    }
    text.chars().take(MAX_MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_from_outside_stays_on_one_line() {
        let error = Error::new(ErrorKind::NotFound, "no\u{1b}[31m such\nimage").advise("check\rit");
        assert_eq!(error.to_string(), "no [31m such image; check it");
    }
}
