//! Digests of bytes that pass by.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use yagura_model::Digest;
use yagura_model::digest::Algorithm;

use crate::error::{Error, ErrorKind, Result};

/// A running digest in one of the algorithms that images may use.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// MD5 and SHA-1 name no content safely and are refused.
    pub(crate) fn new(algorithm: Algorithm) -> Result<Self> {
        match algorithm {
            Algorithm::Sha256 => Ok(Self::Sha256(Sha256::new())),
            Algorithm::Sha384 => Ok(Self::Sha384(Sha384::new())),
            Algorithm::Sha512 => Ok(Self::Sha512(Sha512::new())),
            Algorithm::Md5 | Algorithm::Sha1 => Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} digests do not identify content", algorithm.name()),
            )),
        }
    }

    /// The same algorithm, nothing hashed yet.
    pub(crate) fn fresh(&self) -> Self {
        match self {
            Self::Sha256(_) => Self::Sha256(Sha256::new()),
            Self::Sha384(_) => Self::Sha384(Sha384::new()),
            Self::Sha512(_) => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Sha384(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
        }
    }

    /// Whether what passed has this digest.
    pub(crate) fn matches(self, expected: &Digest) -> bool {
        let bytes = match self {
            Self::Sha256(state) => state.finalize().to_vec(),
            Self::Sha384(state) => state.finalize().to_vec(),
            Self::Sha512(state) => state.finalize().to_vec(),
        };
        Digest::from_bytes(expected.algorithm(), &bytes).as_ref() == Some(expected)
    }
}

/// Refuses bytes that do not have the digest that names them.
pub(crate) fn verify(bytes: &[u8], expected: &Digest) -> Result<()> {
    let mut hasher = Hasher::new(expected.algorithm())?;
    hasher.update(bytes);
    if hasher.matches(expected) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::DigestMismatch, format!("the content does not have the digest {expected}"))
        .advise("it was changed or damaged on its way"))
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    from_sha256(&Sha256::digest(bytes))
}

/// The digest of a whole stream, in constant memory.
pub(crate) fn sha256_of(reader: &mut dyn Read) -> io::Result<Digest> {
    let mut state = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(from_sha256(&state.finalize())),
            Ok(read) => state.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn from_sha256(bytes: &[u8]) -> Digest {
    // The length is SHA-256's own: `from_bytes` cannot refuse it.
    Digest::from_bytes(Algorithm::Sha256, bytes).unwrap_or_else(|| unreachable!("SHA-256 has 32 bytes"))
}
