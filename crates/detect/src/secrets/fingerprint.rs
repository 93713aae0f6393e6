//! A name for a secret that gives nothing of it away to those without the key.

use sha2::{Digest as _, Sha256};

/// Bytes of a block of SHA-256, for HMAC (RFC 2104).
const BLOCK_BYTES: usize = 64;
/// Bytes of a fingerprint that are kept: enough that two secrets never share one.
const KEPT_BYTES: usize = 16;

/// The key of fingerprints. Reports can be compared when they were made with the same one; whoever has it can test
/// guesses, so that it is as private as the secrets that are easy to guess.
#[derive(Clone, PartialEq, Eq)]
pub struct FingerprintKey([u8; 32]);

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

impl FingerprintKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// From 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut key = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(Self(key))
    }

    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// A name of the key that does not tell the key.
    pub fn name(&self) -> String {
        hex(self.hmac(b"yagura fingerprint key").get(..8).unwrap_or_default())
    }

    /// The fingerprint of a secret, in hexadecimal.
    pub fn of(&self, secret: &[u8]) -> String {
        hex(self.hmac(secret).get(..KEPT_BYTES).unwrap_or_default())
    }

    fn hmac(&self, message: &[u8]) -> [u8; 32] {
        let pad = |with: u8| {
            let mut block = [with; BLOCK_BYTES];
            for (byte, key) in block.iter_mut().zip(self.0) {
                *byte ^= key;
            }
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_hmac_of_rfc_4231() {
        // Test case 2, its key padded with zeros as HMAC itself would.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let key = FingerprintKey::new(key);
        assert_eq!(key.of(b"what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c7");
        assert_eq!(FingerprintKey::from_hex(&key.to_hex()), Some(key));
        assert_eq!(FingerprintKey::from_hex("12"), None);
    }
}
