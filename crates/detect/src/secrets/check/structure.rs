//! Tokens that hold something to be decoded.

use super::{Candidate, Facts, Verdict, base64, base64_prefix};
use crate::secrets::entropy;

/// A JSON Web Token (RFC 7519): header and claims are JSON objects.
pub fn jwt(candidate: &Candidate<'_>) -> Verdict {
    let mut parts = candidate.secret.split(|byte| *byte == b'.');
    let mut object = || -> Option<serde_json::Map<String, serde_json::Value>> {
        serde_json::from_slice(&base64(parts.next()?)?).ok()
    };
    let Some(header) = object() else { return Verdict::No };
    let Some(algorithm) = header.get("alg").and_then(|value| value.as_str()) else { return Verdict::No };
    // The claims of an encrypted token cannot be read.
    let claims = object();
    if claims.is_none() && !header.contains_key("enc") {
        return Verdict::No;
    }
    let claims = claims.unwrap_or_default();
    let known =
        |text: &str| text.chars().take(80).filter(|character| !character.is_control()).collect::<String>();
    let mut note = format!("signed with {}", known(algorithm));
    if let Some(issuer) = claims.get("iss").and_then(|value| value.as_str()) {
        note = format!("{note}, issued by {}", known(issuer));
    }
    match claims.get("exp").and_then(serde_json::Value::as_i64) {
        Some(expiry) => note = format!("{note}, expires at {expiry} (seconds of 1970)"),
        None => note.push_str(", never expires"),
    }
    // The name everybody writes into tokens that are shown as examples.
    let subject = claims.get("name").and_then(|value| value.as_str());
    if subject == Some("John Doe") {
        return Verdict::No;
    }
    Verdict::Sure(Facts::note(note))
}

/// Base64 of a JSON object from `eyJ` on.
pub fn encoded_json(candidate: &Candidate<'_>) -> Verdict {
    let Some(start) = memchr::memmem::find(candidate.secret, b"eyJ") else { return Verdict::No };
    let encoded = candidate.secret.get(start..).unwrap_or_default();
    let Some(bytes) = encoded.get(base64_prefix(encoded)).map(|run| {
        // Whole groups of four only: what follows the object may be base64, too.
        run.get(..run.len() / 4 * 4).unwrap_or_default()
    }) else {
        return Verdict::No;
    };
    match base64(bytes) {
        Some(decoded) if decoded.starts_with(b"{\"") && decoded.is_ascii() => Verdict::Maybe,
        _ => Verdict::No,
    }
}

/// A macaroon's binary form in base64, behind a prefix: version 2, then the location that issued it.
pub fn macaroon(candidate: &Candidate<'_>) -> Verdict {
    let Some(at) = memchr::memchr(b'-', candidate.secret) else { return Verdict::No };
    let encoded = candidate.secret.get(at + 1..).unwrap_or_default();
    let Some(bytes) = base64(encoded) else { return Verdict::No };
    // Version, field 1 (location), its length, the location; then field 2 (identifier).
    let [2, 1, length, rest @ ..] = bytes.as_slice() else { return Verdict::No };
    match rest.get(..usize::from(*length)) {
        Some(location) if rest.get(usize::from(*length)) == Some(&2) => Verdict::Sure(Facts::note(format!(
            "issued by {}",
            String::from_utf8_lossy(location).replace('\0', "")
        ))),
        _ => Verdict::No,
    }
}

/// `user:password` in base64 (RFC 7617).
pub fn basic_auth(candidate: &Candidate<'_>) -> Verdict {
    let Some(decoded) = base64(candidate.secret) else { return Verdict::No };
    let Some(colon) = memchr::memchr(b':', &decoded) else { return Verdict::No };
    let (user, password) =
        (decoded.get(..colon).unwrap_or_default(), decoded.get(colon + 1..).unwrap_or_default());
    let printable = decoded.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if !printable || user.is_empty() || password.is_empty() || crate::secrets::allow::is_placeholder(password)
    {
        return Verdict::No;
    }
    let facts =
        Facts { canonical: Some(password.to_vec()), ..Facts::note("a name and a password in base64") };
    Verdict::Sure(facts)
}

/// 64 bytes in base64, as Azure's account keys are.
pub fn key_of_64_bytes(candidate: &Candidate<'_>) -> Verdict {
    match base64(candidate.secret) {
        Some(bytes) if bytes.len() == 64 && entropy::bits(&bytes) > 4.5 => Verdict::Sure(Facts::default()),
        _ => Verdict::No,
    }
}

/// The part before the first dot is a number in base64, as in Discord's bot tokens.
pub fn encoded_number(candidate: &Candidate<'_>) -> Verdict {
    let first = candidate.secret.split(|byte| *byte == b'.').next().unwrap_or_default();
    match base64(first) {
        Some(bytes) if bytes.len() >= 15 && bytes.iter().all(u8::is_ascii_digit) => {
            Verdict::Sure(Facts::default())
        }
        _ => Verdict::No,
    }
}

/// The password of a URL: not what stands for one, and not the name of a variable.
pub fn url_password(candidate: &Candidate<'_>) -> Verdict {
    let password = candidate.secret;
    let letters_only = password.iter().all(u8::is_ascii_lowercase);
    if password.len() < 4 || crate::secrets::allow::is_placeholder(password) {
        return Verdict::No;
    }
    // Printed by programs, put together by others: `:%s@`, `:$PASSWORD@`, `:{password}@`.
    if password
        .iter()
        .any(|byte| matches!(byte, b'$' | b'{' | b'}' | b'<' | b'>' | b'%' if !is_escape(password)))
    {
        return Verdict::No;
    }
    if letters_only && password.len() < 12 {
        return Verdict::Doubtful("the password is a plain word".into());
    }
    Verdict::Maybe
}

/// Whether percent signs begin escapes (RFC 3986), and nothing else that templates use is there.
fn is_escape(password: &[u8]) -> bool {
    let mut percents = memchr::memchr_iter(b'%', password);
    let no_template = !password.iter().any(|byte| matches!(byte, b'$' | b'{' | b'}' | b'<' | b'>'));
    no_template
        && percents.all(|at| {
            password.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        })
}
