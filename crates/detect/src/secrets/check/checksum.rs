//! Sums that issuers put into their tokens.

use sha2::{Digest as _, Sha256};

use super::{Candidate, Facts, Verdict};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const WRONG: &str = "its checksum is wrong: mistyped, altered or made up";

/// Six digits at the end are the CRC-32 of what stands between the prefix and them (GitHub, "Behind GitHub's new
/// authentication token formats"; npm uses the same).
pub fn crc32_base62(candidate: &Candidate<'_>) -> Verdict {
    let body = memchr::memchr(b'_', candidate.secret).and_then(|at| candidate.secret.get(at + 1..));
    let Some((random, sum)) = body.and_then(|body| body.split_last_chunk::<6>()) else { return Verdict::No };
    let mut number = u64::from(crc32(random));
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(number % 62) as usize];
        number /= 62;
    }
    if digits == *sum {
        Verdict::Sure(Facts::note("its checksum is right"))
    } else {
        Verdict::Doubtful(WRONG.into())
    }
}

/// The CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

/// Bech32 (BIP 173), as age writes its identities.
pub fn bech32(candidate: &Candidate<'_>) -> Verdict {
    let text = candidate.secret.to_ascii_lowercase();
    let Some(split) = memchr::memrchr(b'1', &text) else { return Verdict::No };
    let (human, data) = (text.get(..split).unwrap_or_default(), text.get(split + 1..).unwrap_or_default());
    let mut values: Vec<u8> = human.iter().map(|byte| byte >> 5).collect();
    values.push(0);
    values.extend(human.iter().map(|byte| byte & 31));
    for byte in data {
        match BECH32.iter().position(|known| known == byte) {
            Some(value) => values.push(value as u8),
            None => return Verdict::No,
        }
    }
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let sum =
        values.iter().fold(1u32, |sum, value| {
            let top = sum >> 25;
            let next = ((sum & 0x01ff_ffff) << 5) ^ u32::from(*value);
            GENERATOR.iter().enumerate().fold(next, |next, (bit, generator)| {
                if (top >> bit) & 1 == 1 { next ^ generator } else { next }
            })
        });
    if sum == 1 {
        Verdict::Sure(Facts::note("its checksum is right"))
    } else {
        Verdict::Doubtful(WRONG.into())
    }
}

/// Base58Check, as extended private keys (BIP 32) are written.
pub fn base58_check(candidate: &Candidate<'_>) -> Verdict {
    let mut bytes: Vec<u8> = Vec::new();
    for byte in candidate.secret {
        let Some(value) = BASE58.iter().position(|known| known == byte) else { return Verdict::No };
        let mut carry = value;
        for digit in bytes.iter_mut().rev() {
            carry += usize::from(*digit) * 58;
            *digit = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.insert(0, (carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    let Some((payload, sum)) = bytes.split_last_chunk::<4>() else { return Verdict::No };
    let hash = Sha256::digest(Sha256::digest(payload));
    if hash.starts_with(sum) {
        Verdict::Sure(Facts::note("its checksum is right"))
    } else {
        Verdict::Doubtful(WRONG.into())
    }
}

/// The characters behind the prefix are base32; since 2019 they hold the account's number, which has twelve digits.
pub fn aws_key_id(candidate: &Candidate<'_>) -> Verdict {
    let Some(body) = candidate.secret.get(4..14) else { return Verdict::No };
    let mut number = 0u64;
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return Verdict::No,
        };
        number = number << 5 | u64::from(value);
    }
    // The first 48 bits; the topmost and the seven lowest are not the account's.
    let account = (number >> 2 & 0x7fff_ffff_ff80) >> 7;
    match body.first() {
        // Keys of before then begin with I or J and hold no account.
        Some(b'I' | b'J') => Verdict::Maybe,
        _ if account > 999_999_999_999 => {
            Verdict::Doubtful("the account number in it has more than twelve digits".into())
        }
        _ => Verdict::Sure(Facts::note(format!("of account {account:012}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_published_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // BIP 173's own example of a valid string.
        let candidate = |secret| Candidate { secret, name: b"", after: b"", quoted: false, plain_file: true };
        assert!(matches!(bech32(&candidate(b"A12UEL5L")), Verdict::Sure(_)));
        assert!(matches!(bech32(&candidate(b"A12UEL5M")), Verdict::Doubtful(_)));
        // BIP 32, test vector 1: the master key of a seed that everybody knows.
        let known = b"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi";
        assert!(matches!(base58_check(&candidate(known)), Verdict::Sure(_)));
        assert!(matches!(base58_check(&candidate(&known[..known.len() - 1])), Verdict::Doubtful(_)));
    }
}
