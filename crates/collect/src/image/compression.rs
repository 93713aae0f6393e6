//! Archives that were compressed as a whole, and the inflated copy that makes them readable by position.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use yagura_formats::archive::{Compression, InflateLimits, Inflater, Problem};
use yagura_model::SkipReason;

use crate::error::{Error, ErrorKind, Result};

/// Images hold layers that are mostly compressed already: one that inflates further than this is a bomb.
const LIMITS: InflateLimits = InflateLimits { max_bytes: 64 << 30, free_bytes: 2 << 30, max_ratio: 100 };

/// The inflated bytes of a file, from its start.
pub(crate) fn inflated(file: File) -> io::Result<impl Read> {
    Inflater::new(file, LIMITS)
}

/// Whether the file is compressed in a way we can undo; an error names the ways we know and cannot.
pub(crate) fn is_compressed(start: &[u8]) -> Result<bool> {
    let unsupported = |name: &str, command: &str| {
        Err(Error::new(ErrorKind::Unsupported, format!("archives compressed with {name} are not read"))
            .advise(format!("decompress it first: {command} -dk FILE")))
    };
    match start {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => unsupported("xz", "xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => unsupported("bzip2", "bzip2"),
        _ => Ok(Compression::of(start) != Compression::None),
    }
}

/// Inflates a file into an unnamed temporary one in `scratch`; it vanishes when it is closed.
pub(crate) fn inflate_to_temporary(path: &Path, file: File, scratch: &Path) -> Result<File> {
    let failed = |error: io::Error| {
        let problem = Problem::of(&error);
        let kind = match problem.reason {
            SkipReason::TooLarge | SkipReason::Ratio => ErrorKind::TooLarge,
            SkipReason::Unreadable => ErrorKind::Io,
            _ => ErrorKind::Malformed,
        };
        Error::new(kind, format!("{}: {}", path.display(), problem.detail))
    };
    let mut reader = inflated(file).map_err(failed)?;
    let mut copy = tempfile::tempfile_in(scratch).map_err(|error| Error::io(scratch, &error))?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(copy),
            Ok(read) => copy.write_all(&buffer[..read]).map_err(|error| Error::io(scratch, &error))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
