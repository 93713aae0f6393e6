//! The file's outer form: a fixed header, a directory, and compressed blocks.
//!
//! ```text
//! 0    8  magic "YAGURADB"
//! 8    4  format version, little endian
//! 12   4  length of the directory in bytes
//! 16  32  SHA-256 of the directory
//! 48   1  0 unsigned, 1 ed25519
//! 49  32  public key
//! 81  64  signature of bytes 0..48 behind the context of `SIGNATURE_CONTEXT`
//! 145     directory (postcard), then the blocks
//! ```
//!
//! The directory holds the SHA-256 of every block, and the header that of the directory: one signature covers the
//! whole file, and each part is verified when it is first read.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::DatabaseError;
use super::stored::Info;

pub const MAGIC: &[u8; 8] = b"YAGURADB";
/// Raised when an older program would misread the file.
pub const FORMAT: u32 = 1;
pub const HEADER_BYTES: usize = 145;
/// Raw size at which a block is closed. Larger ones compress better and cost more to read one package from.
pub const BLOCK_TARGET: usize = 64 << 10;
/// Largest raw block; a block grows past the target only for a single large item.
pub const MAX_BLOCK_BYTES: usize = 32 << 20;
/// Largest directory; the full public feeds need less than 2 MB.
pub const MAX_DIRECTORY_BYTES: usize = 64 << 20;
const SIGNED_BYTES: usize = 48;
const SIGNATURE_CONTEXT: &[u8] = b"yagura advisory database\0";

/// Everything but the blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    pub info: Info,
    pub packages: Vec<BlockRow>,
    pub records: Vec<BlockRow>,
    pub flaws: Vec<BlockRow>,
    pub products: Vec<BlockRow>,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRow {
    /// From the start of the file.
    pub offset: u64,
    pub length: u32,
    /// Inflated.
    pub raw_length: u32,
    pub sha256: [u8; 32],
    /// Number of the first item within its section.
    pub first: u32,
    /// Key of the first item.
    pub key: Vec<u8>,
}

/// The fixed part.
pub struct Header {
    pub directory_length: usize,
    pub directory_sha256: [u8; 32],
    /// Whose signature it carries (verified against that key, which need not be a trusted one).
    pub signer: Option<VerifyingKey>,
}

/// Reads and checks the fixed part.
pub fn read_header(bytes: &[u8; HEADER_BYTES]) -> Result<Header, DatabaseError> {
    let field = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
    let number = |from: usize| {
        let mut four = [0; 4];
        four.copy_from_slice(field(from, from + 4));
        u32::from_le_bytes(four)
    };
    if field(0, 8) != MAGIC {
        return Err(DatabaseError::NotADatabase);
    }
    match number(8) {
        FORMAT => {}
        found if found > FORMAT => return Err(DatabaseError::Newer { found, supported: FORMAT }),
        found => return Err(DatabaseError::Older { found, supported: FORMAT }),
    }
    let directory_length = number(12) as usize;
    if directory_length > MAX_DIRECTORY_BYTES {
        return Err(DatabaseError::Damaged("its directory is larger than the bound".into()));
    }
    let mut directory_sha256 = [0; 32];
    directory_sha256.copy_from_slice(field(16, 48));
    let signer = match bytes.get(48) {
        Some(0) => None,
        Some(1) => {
            let mut key = [0; 32];
            key.copy_from_slice(field(49, 81));
            let mut signature = [0; 64];
            signature.copy_from_slice(field(81, 145));
            let key = VerifyingKey::from_bytes(&key).map_err(|_| DatabaseError::BadSignature)?;
            key.verify_strict(&signed_message(field(0, SIGNED_BYTES)), &Signature::from_bytes(&signature))
                .map_err(|_| DatabaseError::BadSignature)?;
            Some(key)
        }
        _ => return Err(DatabaseError::Damaged("its header names an unknown signature scheme".into())),
    };
    Ok(Header { directory_length, directory_sha256, signer })
}

/// Writes the fixed part for a directory.
pub fn write_header(directory: &[u8], signing_key: Option<&SigningKey>) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..16].copy_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes[16..48].copy_from_slice(&Sha256::digest(directory));
    if let Some(key) = signing_key {
        bytes[48] = 1;
        bytes[49..81].copy_from_slice(key.verifying_key().as_bytes());
        let signature = key.sign(&signed_message(&bytes[..SIGNED_BYTES]));
        bytes[81..145].copy_from_slice(&signature.to_bytes());
    }
    bytes
}

fn signed_message(header: &[u8]) -> Vec<u8> {
    [SIGNATURE_CONTEXT, header].concat()
}

/// Appends a number as LEB128.
pub fn write_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads a LEB128 number; none when it is cut or longer than ten bytes.
pub fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
