//! Credential helpers: programs called `docker-credential-NAME` (docker/docker-credential-helpers, protocol `get`).

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;

use super::credentials::Login;
use crate::error::{Error, ErrorKind, Result};

/// A helper may ask a key ring or a cloud, but not for ever.
const TIME_LIMIT: Duration = Duration::from_secs(30);
const MAX_ANSWER: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks a helper for a server's login; `None` when it has none.
pub(super) fn get(name: &str, server: &str) -> Result<Option<Login>> {
    get_within(name, server, TIME_LIMIT)
}

fn get_within(name: &str, server: &str, limit: Duration) -> Result<Option<Login>> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(Error::new(ErrorKind::Malformed, "the name of the credential helper is malformed"));
    }
    let program = format!("docker-credential-{name}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            Error::new(
                ErrorKind::Unauthorized,
                format!("cannot run the credential helper {program}: {error}"),
            )
            .advise("install it, or take it out of Docker's config.json")
        })?;
    let outcome = converse(&mut child, server, limit);
    let status = end(&mut child, outcome.is_some());
    let Some(answer) = outcome else {
        return Err(Error::new(
            ErrorKind::Unauthorized,
            format!("the credential helper {program} did not answer within {} s", limit.as_secs()),
        ));
    };
    if !status.is_some_and(|status| status.success()) {
        let text = String::from_utf8_lossy(&answer);
        // This sentence is the protocol's way to say that there is no login.
        if text.contains("credentials not found") || text.contains("no credentials server URL") {
            return Ok(None);
        }
        return Err(Error::new(
            ErrorKind::Unauthorized,
            format!("the credential helper {program} failed: {}", text.trim()),
        ));
    }
    let answer: Answer = serde_json::from_slice(&answer).map_err(|_| {
        Error::new(ErrorKind::Malformed, format!("the credential helper {program} gave no valid JSON"))
    })?;
    Ok(match answer.username.as_str() {
        _ if answer.secret.is_empty() => None,
        "<token>" => Some(Login::IdentityToken(answer.secret)),
        user => Some(Login::Password { user: user.to_owned(), password: answer.secret }),
    })
}

/// Waits a moment for a helper that has answered; what does not end is killed.
fn end(child: &mut Child, answered: bool) -> Option<ExitStatus> {
    for _ in 0..if answered { 100 } else { 0 } {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    child.wait().ok()
}

/// `None` when time ran out.
fn converse(child: &mut Child, server: &str, limit: Duration) -> Option<Vec<u8>> {
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read its input still answers or fails.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        let _ = output.take(MAX_ANSWER).read_to_end(&mut answer);
        let _ = sender.send(answer);
    });
    receiver.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_paths_are_refused() {
        for name in ["", "../evil", "a b", "a/b"] {
            assert_eq!(get(name, "registry.example").unwrap_err().kind, ErrorKind::Malformed, "{name}");
        }
        let error = get("surely-not-installed", "registry.example").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthorized);
    }
}
