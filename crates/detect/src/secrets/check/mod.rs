//! What the shape alone does not tell: checksums, structure, randomness. Rules name these checks.

mod checksum;
mod pem;
mod randomness;
mod structure;

use std::ops::Range;

/// A match that is asked about.
pub(super) struct Candidate<'a> {
    /// The secret itself.
    pub secret: &'a [u8],
    /// The name it is assigned to; empty where there is none.
    pub name: &'a [u8],
    /// What follows the match, as far as the block at hand goes.
    pub after: &'a [u8],
    pub quoted: bool,
    /// Whether the file holds no program, so that literals need no quotes.
    pub plain_file: bool,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// No secret.
    No,
    /// Has the shape but not the sum: mistyped, altered or made up.
    Doubtful(String),
    /// Nothing speaks against it.
    Maybe,
    /// What only a real one has.
    Sure(Facts),
}

/// What a check learns of a secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// In words, holding nothing secret.
    pub note: String,
    /// The secret goes on behind the match, for so many bytes.
    pub continues: usize,
    /// A form of it that is the same however it was written down.
    pub canonical: Option<Vec<u8>>,
}

impl Facts {
    fn note(note: impl Into<String>) -> Self {
        Self { note: note.into(), ..Self::default() }
    }
}

/// A check by name.
#[derive(Clone, Copy)]
pub(super) struct Check {
    name: &'static str,
    run: fn(&Candidate<'_>) -> Verdict,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const CHECKS: &[Check] = &[
    Check { name: "crc32-base62", run: checksum::crc32_base62 },
    Check { name: "bech32", run: checksum::bech32 },
    Check { name: "base58-check", run: checksum::base58_check },
    Check { name: "aws-key-id", run: checksum::aws_key_id },
    Check { name: "pem", run: pem::private_key },
    Check { name: "encoded-pem", run: pem::encoded },
    Check { name: "jwt", run: structure::jwt },
    Check { name: "encoded-json", run: structure::encoded_json },
    Check { name: "macaroon", run: structure::macaroon },
    Check { name: "basic-auth", run: structure::basic_auth },
    Check { name: "key-of-64-bytes", run: structure::key_of_64_bytes },
    Check { name: "encoded-number", run: structure::encoded_number },
    Check { name: "url-password", run: structure::url_password },
    Check { name: "named-secret", run: randomness::named_secret },
    Check { name: "mixed", run: randomness::mixed },
    Check { name: "random", run: randomness::random },
    Check { name: "password", run: randomness::password },
];

impl Check {
    pub fn named(name: &str) -> Option<Self> {
        CHECKS.iter().find(|check| check.name == name).copied()
    }

    pub fn run(&self, candidate: &Candidate<'_>) -> Verdict {
        (self.run)(candidate)
    }
}

/// Bytes of base64 in either alphabet, padded or not; none when they are no base64.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    use base64::alphabet;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let url = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

/// The longest beginning that is base64.
pub(super) fn base64_prefix(text: &[u8]) -> Range<usize> {
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    0..text.iter().take_while(is_base64).count()
}
