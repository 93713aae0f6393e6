//! Hashes of text, and identifiers made of them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Call, Function, row};
use crate::terraform::value::Outcome;

pub(super) const FUNCTIONS: &[Function] = &[
    row("base64sha256", 1, 1, |call| call.give_text(STANDARD.encode(Sha256::digest(&*call.text(0)?)))),
    row("base64sha512", 1, 1, |call| call.give_text(STANDARD.encode(Sha512::digest(&*call.text(0)?)))),
    row("md5", 1, 1, |call| call.give_text(hex(&Md5::digest(&*call.text(0)?)))),
    row("sha1", 1, 1, |call| call.give_text(hex(&Sha1::digest(&*call.text(0)?)))),
    row("sha256", 1, 1, |call| call.give_text(hex(&Sha256::digest(&*call.text(0)?)))),
    row("sha512", 1, 1, |call| call.give_text(hex(&Sha512::digest(&*call.text(0)?)))),
    row("uuidv5", 2, 2, uuidv5),
];

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// RFC 9562, section 5.5; the namespaces of its section 6.6 by name.
fn uuidv5(call: &Call<'_>) -> Outcome {
    let namespace = call.text(0)?;
    let namespace: &str = match &*namespace {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let digits = namespace.replace('-', "");
    let bytes = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
    let bytes = bytes.ok_or("the namespace is no UUID")?.to_be_bytes();
    let hash = Sha1::new().chain_update(bytes).chain_update(&*call.text(1)?).finalize();
    let mut id: [u8; 16] = hash.as_slice().first_chunk().copied().unwrap_or_default();
    id[6] = (id[6] & 0x0f) | 0x50;
    id[8] = (id[8] & 0x3f) | 0x80;
    let text = hex(&id);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    call.give_text(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}
