//! Telling what was drawn at random, or thought up as a password, from words, names and numbers.

use super::{Candidate, Verdict};
use crate::secrets::{allow, entropy};

/// Longest value that is a secret of the generic kind.
const MAX_LENGTH: usize = 200;

/// Digits and letters, or letters of both cases: numbers and words are neither keys nor tokens.
pub fn mixed(candidate: &Candidate<'_>) -> Verdict {
    let secret = candidate.secret;
    let count = |class: fn(&u8) -> bool| secret.iter().filter(|byte| class(byte)).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let classes = (digits >= 2 && upper + lower >= 2) || (upper >= 4 && lower >= 4);
    if !classes || looks_like_words(secret) { Verdict::No } else { Verdict::Maybe }
}

/// The name says that it is a secret, not only whose.
pub fn named_secret(candidate: &Candidate<'_>) -> Verdict {
    const WORDS: [&[u8]; 8] = [b"key", b"token", b"secret", b"passw", b"auth", b"cred", b"pwd", b"pat"];
    let name = candidate.name.to_ascii_lowercase();
    let says = WORDS.iter().any(|word| memchr::memmem::find(&name, word).is_some());
    if says && !allow::is_harmless_name(candidate.name) { Verdict::Maybe } else { Verdict::No }
}

/// A key or token of no known kind.
pub fn random(candidate: &Candidate<'_>) -> Verdict {
    let secret = candidate.secret;
    if secret.len() < 16 || secret.len() > MAX_LENGTH || allow::is_harmless_name(candidate.name) {
        return Verdict::No;
    }
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.~!@#%^*:".contains(byte);
    if !secret.iter().all(known) || is_address(secret) || !candidate.quoted && !candidate.plain_file {
        return Verdict::No;
    }
    if repeats_name(secret, candidate.name) {
        return Verdict::No;
    }
    let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
    let hexadecimal = secret.iter().all(u8::is_ascii_hexdigit);
    let least = if hexadecimal { 2.9 } else { 3.4 };
    let letters = secret.iter().any(u8::is_ascii_alphabetic);
    let few_digits = digits < 2 || digits * 20 < secret.len();
    if !letters || few_digits || looks_like_words(secret) || entropy::bits(secret) < least {
        return Verdict::No;
    }
    if is_uuid(secret) {
        return Verdict::Doubtful("a UUID, which names things more often than it opens them".into());
    }
    Verdict::Maybe
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &[u8]) -> bool {
    let lengths: Vec<usize> = text.split(|byte| *byte == b'-').map(<[u8]>::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// Whether a value only says the name again (`tokenHeader = "X-Token-Header"`).
fn repeats_name(value: &[u8], name: &[u8]) -> bool {
    let letters = |text: &[u8]| -> Vec<u8> {
        text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
    };
    let (value, name) = (letters(value), letters(name));
    name.len() >= 6
        && (memchr::memmem::find(&value, &name).is_some() || memchr::memmem::find(&name, &value).is_some())
}

/// Something a person chose.
pub fn password(candidate: &Candidate<'_>) -> Verdict {
    let secret = candidate.secret;
    if secret.len() < 6 || secret.len() > 128 || !secret.iter().all(u8::is_ascii_graphic) {
        return Verdict::No;
    }
    if allow::is_harmless_name(candidate.name)
        || is_address(secret)
        || is_expression(secret)
        || repeats_name(secret, candidate.name)
    {
        return Verdict::No;
    }
    let has = |class: fn(&u8) -> bool| secret.iter().any(class);
    let (lower, upper) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    let (digit, symbol) = (has(u8::is_ascii_digit), has(|byte| b"!@#$%^&*+=?~".contains(byte)));
    let classes = [lower, upper, digit, symbol].iter().filter(|class| **class).count();
    // Words joined by `_`, `-` and `.` are names of things.
    let strong = (digit || symbol) && (lower || upper) && classes >= 2;
    if !strong || entropy::bits(secret) < 2.5 || (looks_like_words(secret) && classes < 4) {
        return Verdict::No;
    }
    if !candidate.plain_file && (secret.len() < 8 || classes < 3 && !entropy_of_token(secret)) {
        return Verdict::Doubtful("a string in a program that may as well be no password".into());
    }
    Verdict::Maybe
}

fn entropy_of_token(secret: &[u8]) -> bool {
    secret.len() >= 12 && entropy::bits(secret) >= 3.2
}

/// Paths, URLs, names of classes, addresses of mail.
fn is_address(text: &[u8]) -> bool {
    let starts =
        |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    let dotted_words = text.iter().filter(|byte| **byte == b'.').count() >= 2;
    let mail = memchr::memchr(b'@', text).is_some_and(|at| {
        text.get(at + 1..).is_some_and(|host| {
            host.contains(&b'.') && host.iter().all(|b| b.is_ascii_lowercase() || *b == b'.' || *b == b'-')
        })
    });
    has(b"://")
        || has(b"//")
        || has(b"\\")
        || starts(b"/")
        || starts(b"./")
        || starts(b"../")
        || starts(b"~/")
        || starts(b"arn:")
        || starts(b"urn:")
        || starts(b"data:")
        || starts(b"sha256")
        || starts(b"sha512")
        || starts(b"sha1")
        || starts(b"md5:")
        || starts(b"ssh-")
        || starts(b"--")
        || mail
        || dotted_words && !has_digit_run(text)
}

fn has_digit_run(text: &[u8]) -> bool {
    text.iter().filter(|byte| byte.is_ascii_digit()).count() * 5 >= text.len()
}

/// Code and templates rather than a literal.
fn is_expression(text: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    let call = has(b"(") && has(b")");
    let ends = matches!(text.last(), Some(b'{' | b'(' | b'[' | b':'));
    call || ends
        || has(b"=>")
        || has(b"&&")
        || has(b"||")
        || has(b"</")
        || has(b"/>")
        || has(b"[]")
        || has(b"->")
        || has(b"==")
        || text.starts_with(b"&")
        || text.starts_with(b"*")
        || text.starts_with(b"!")
        || text.starts_with(b"@")
        || text.starts_with(b"#")
        || text.starts_with(b"^")
}

/// Whether letters stand in words (`getAccessTokenV2`, `my-service-key-01`) rather than at random. Random text changes
/// between lower case, upper case and digits every other character.
pub(in crate::secrets) fn looks_like_words(text: &[u8]) -> bool {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Lower,
        Upper,
        Digit,
        Other,
    }
    let class = |byte: &u8| match byte {
        b'a'..=b'z' => Class::Lower,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Other,
    };
    let mut changes = 0;
    let mut lower_run = 0;
    let mut in_words = 0;
    let mut before = None;
    for byte in text {
        let this = class(byte);
        if let Some(before) = before
            && before != this
            && this != Class::Other
            && before != Class::Other
            // A capital and its word are no change.
            && !(before == Class::Upper && this == Class::Lower)
        {
            changes += 1;
        }
        if this == Class::Lower {
            lower_run += 1;
        } else {
            in_words += if lower_run >= 4 { lower_run } else { 0 };
            lower_run = 0;
        }
        before = Some(this);
    }
    in_words += if lower_run >= 4 { lower_run } else { 0 };
    let one_case = !text.iter().any(u8::is_ascii_uppercase) || !text.iter().any(u8::is_ascii_lowercase);
    let least = if one_case { 0.12 } else { 0.2 };
    let rarely = f64::from(changes) < least * text.len() as f64;
    // Letters and digits of one case run on where they are random, too.
    let joined = !one_case || text.iter().any(|byte| matches!(byte, b'_' | b'-' | b'.' | b' '));
    let mostly_words = joined && in_words * 2 > text.len();
    rarely || mostly_words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_random_text() {
        for words in [
            "getAccessTokenV2",
            "my-service-key-01",
            "access_token_secret",
            "AWS_SECRET_ACCESS_KEY",
            "application/json",
            "abcdefghijklmnop",
        ] {
            assert!(looks_like_words(words.as_bytes()), "{words}");
        }
        for random in [
            "q8Zr3Wp0Lk5Yt7Vb",
            "9f86d081884c7d659a2feaa0c55ad015",
            "hV4nT9zKx2LmQ7sWbR1e",
            "x7k2m9q4w8z1c5v3",
        ] {
            assert!(!looks_like_words(random.as_bytes()), "{random}");
        }
    }
}
