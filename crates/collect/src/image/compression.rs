//! Archives that were compressed as a whole, and the inflated copy that makes them readable by position.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// Largest inflated archive, in bytes.
const MAX_INFLATED: u64 = 64 << 30;
/// An archive may inflate to this many times its size (layers inside are mostly compressed already), …
const MAX_RATIO: u64 = 100;
/// … or to this many bytes, whichever is more.
const ALWAYS_ALLOWED: u64 = 1 << 30;

/// A compressed stream by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Compression {
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ => None,
        }
    }
}

/// A reader of the inflated bytes.
pub(crate) fn decompress(
    compression: Compression,
    source: Box<dyn Read + Send>,
) -> Result<Box<dyn Read + Send>> {
    let source = BufReader::with_capacity(128 << 10, source);
    match compression {
        Compression::Gzip => Ok(Box::new(flate2::bufread::MultiGzDecoder::new(source))),
        Compression::Zstd => match zstd::stream::read::Decoder::with_buffer(source) {
            Ok(decoder) => Ok(Box::new(decoder)),
            Err(error) => Err(Error::new(ErrorKind::Io, format!("zstd: {error}"))),
        },
        Compression::Xz => {
            Err(Error::new(ErrorKind::Unsupported, "archives compressed with xz are not read")
                .advise("decompress it first: xz -dk FILE"))
        }
        Compression::Bzip2 => {
            Err(Error::new(ErrorKind::Unsupported, "archives compressed with bzip2 are not read")
                .advise("decompress it first: bzip2 -dk FILE"))
        }
    }
}

/// Inflates a file into an unnamed temporary one in `scratch`; it vanishes when it is closed.
pub(crate) fn inflate_to_temporary(
    compression: Compression,
    path: &Path,
    file: File,
    scratch: &Path,
) -> Result<File> {
    let failed = |error: io::Error| Error::new(ErrorKind::Malformed, format!("{}: {error}", path.display()));
    let size = file.metadata().map_err(failed)?.len();
    let bound = size.saturating_mul(MAX_RATIO).clamp(ALWAYS_ALLOWED, MAX_INFLATED);
    let mut reader = decompress(compression, Box::new(file))?.take(bound + 1);
    let mut copy = tempfile::tempfile_in(scratch).map_err(|error| Error::io(scratch, &error))?;
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0_u64;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        total += read as u64;
        copy.write_all(&buffer[..read]).map_err(|error| Error::io(scratch, &error))?;
    }
    if total > bound {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("{} inflates to over {bound} bytes from {size}", path.display()),
        ));
    }
    Ok(copy)
}
