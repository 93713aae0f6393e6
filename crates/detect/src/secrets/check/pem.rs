//! Private keys in PEM (RFC 7468), OpenSSH's and OpenPGP's armour among them.

use super::{Candidate, Facts, Verdict, base64};

/// Longest body that is read.
const MAX_BODY: usize = 16 << 10;
/// Shortest body of a key, in bytes: an Ed25519 key in PKCS #8 has 48.
const MIN_BODY: usize = 30;
/// Lines of RFC 1421's and OpenPGP's headers.
const MAX_HEADERS: usize = 12;

/// The match is the BEGIN line; the key follows it.
pub fn private_key(candidate: &Candidate<'_>) -> Verdict {
    let text = candidate.after.get(..candidate.after.len().min(MAX_BODY)).unwrap_or_default();
    let Some(body) = body(text) else { return Verdict::No };
    let Some(bytes) = base64(&body.base64) else { return Verdict::No };
    let label = candidate.secret;
    let has = |word: &[u8]| memchr::memmem::find(label, word).is_some();
    let proper = if has(b"OPENSSH") {
        bytes.starts_with(b"openssh-key-v1\0")
    } else if has(b"PGP") {
        // A packet's tag: a secret key or a secret subkey, in the old or the new form (RFC 9580, 4.2).
        matches!(bytes.first(), Some(0x94..=0x97 | 0x9c..=0x9f | 0xc5 | 0xc7))
    } else if body.encrypted {
        true
    } else {
        // DER: a SEQUENCE whose length is that of what follows (X.690).
        is_sequence(&bytes)
    };
    if bytes.len() < MIN_BODY {
        return Verdict::No;
    }
    if !proper {
        return Verdict::Doubtful("what it holds is no key".into());
    }
    let encrypted = body.encrypted || has(b"ENCRYPTED") || openssh_is_encrypted(&bytes);
    let note = if encrypted { "encrypted with a passphrase" } else { "not encrypted" };
    Verdict::Sure(Facts { note: note.into(), continues: body.length, canonical: Some(bytes) })
}

/// A PEM key that was encoded once more, as kubeconfigs have them.
pub fn encoded(candidate: &Candidate<'_>) -> Verdict {
    let Some(bytes) = base64(candidate.secret) else { return Verdict::No };
    let begin = memchr::memmem::find(&bytes, b"-----BEGIN").is_some();
    let private = memchr::memmem::find(&bytes, b"PRIVATE KEY-----").is_some();
    if begin && private { Verdict::Sure(Facts::note("a private key in base64")) } else { Verdict::No }
}

struct Body {
    base64: Vec<u8>,
    /// Up to and with the END line.
    length: usize,
    encrypted: bool,
}

/// Gathers base64 up to the END line, past what languages and formats put between its lines.
fn body(text: &[u8]) -> Option<Body> {
    let mut base64 = Vec::new();
    let mut at = 0;
    let mut encrypted = false;
    let mut headers = 0;
    while let Some(byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        match byte {
            b'-' if rest.starts_with(b"-----END") => {
                let end = memchr::memmem::find(rest.get(8..)?, b"-----").map_or(8, |end| end + 13);
                return Some(Body { base64, length: at + end, encrypted });
            }
            b'\\' if matches!(rest.get(1), Some(b'n' | b'r' | b't')) => at += 2,
            b'\\' if rest.get(1) == Some(&b'\\') && matches!(rest.get(2), Some(b'n' | b'r')) => at += 3,
            b'\\' | b'"' | b'\'' | b'`' | b',' | b'.' | b'|' | b'>' | b'#' | b';' => at += 1,
            byte if byte.is_ascii_whitespace() => at += 1,
            byte if byte.is_ascii_alphanumeric() => {
                let word =
                    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
                if rest.get(word) == Some(&b':') {
                    // A header goes to the end of its line.
                    headers += 1;
                    if headers > MAX_HEADERS {
                        return None;
                    }
                    let line = end_of_line(rest);
                    let header = rest.get(..line).unwrap_or_default();
                    encrypted |= memchr::memmem::find(header, b"ENCRYPTED").is_some();
                    at += line;
                } else {
                    let run = rest.iter().take_while(|byte| is_base64(**byte)).count();
                    base64.extend_from_slice(rest.get(..run).unwrap_or_default());
                    at += run.max(1);
                }
            }
            b'+' | b'/' => {
                base64.push(*byte);
                at += 1;
            }
            // OpenPGP ends with a sum of its own, which is no part of the key.
            b'=' if rest.len() > 5
                && rest.get(1..5).is_some_and(|sum| sum.iter().all(|byte| is_base64(*byte))) =>
            {
                at += 5;
            }
            b'=' => at += 1,
            _ => return None,
        }
    }
    None
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn end_of_line(text: &[u8]) -> usize {
    let real = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let escaped = memchr::memmem::find(text, br"\n").unwrap_or(text.len());
    real.min(escaped)
}

fn is_sequence(bytes: &[u8]) -> bool {
    let (length, head) = match bytes {
        [0x30, length @ 0..=0x7f, ..] => (usize::from(*length), 2),
        [0x30, 0x81, length, ..] => (usize::from(*length), 3),
        [0x30, 0x82, high, low, ..] => (usize::from(*high) << 8 | usize::from(*low), 4),
        _ => return false,
    };
    // Bits left over from base64 without padding may make one byte more.
    (length + head).abs_diff(bytes.len()) <= 2
}

/// OpenSSH names the cipher first (PROTOCOL.key).
fn openssh_is_encrypted(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"openssh-key-v1\0\0\0\0").is_some_and(|rest| !rest.starts_with(b"\x04none"))
}
