//! What is replayed: files by their content, whatever they are called.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Work, audit};
use crate::progress::Progress;

/// First bytes that tell what a file is, compressed or not.
const SNIFFED: usize = 4;
/// A section header block of a capture, in either byte order the same.
const CAPTURE_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Most files of one directory.
const MAX_FILES: usize = 1_000_000;
/// Deepest directory.
const MAX_DEPTH: usize = 32;

/// A file, opened when its turn comes: directories may hold more than can be open at once.
pub enum Input {
    StandardInput,
    File(PathBuf),
}

enum Stream {
    Audit(Box<dyn Read + Send>),
    /// A capture of system events (`.scap`).
    Capture(Box<dyn Read + Send>),
}

impl Input {
    /// As people know it.
    pub fn name(&self) -> String {
        match self {
            Self::StandardInput => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Gives every event to the work.
    pub fn read(&self, work: &mut Work, progress: &Progress) -> Result<()> {
        let name = self.name();
        progress.stage(format!("reading {name}"));
        let stream = match self {
            Self::StandardInput => sniff(io::stdin())?,
            Self::File(path) => sniff(File::open(path)?)?,
        };
        match stream {
            Stream::Audit(stream) => audit::read(&name, stream, work),
            Stream::Capture(stream) => {
                // Taken out while it uses the rest of the work.
                let Some(mut captures) = work.captures.take() else { return Ok(()) };
                let read = captures.read(&name, stream, work);
                work.captures = Some(captures);
                read
            }
        }
    }
}

/// The files that are meant, in order; what cannot be opened is told before anything is read.
pub fn list(paths: &[PathBuf]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::StandardInput);
        } else if path.is_dir() {
            let mut files = Vec::new();
            walk(path, 0, &mut files)?;
            files.sort();
            if files.is_empty() {
                bail!("{} holds no log or capture", path.display());
            }
            inputs.extend(files.into_iter().map(Input::File));
        } else {
            File::open(path).with_context(|| format!("opening {}", path.display()))?;
            inputs.push(Input::File(path.clone()));
        }
    }
    Ok(inputs)
}

fn walk(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let reading = || format!("reading {}", directory.display());
    for entry in fs::read_dir(directory).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let kind = entry.file_type().with_context(reading)?;
        let path = entry.path();
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, files)?;
        } else if kind.is_file() && is_log(&path) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            bail!("{} holds more than {MAX_FILES} files", directory.display());
        }
    }
    Ok(())
}

/// By its name: directories of logs hold digests and notes, too.
fn is_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".jsonl", ".ndjson", ".log", ".scap"].iter().any(|end| name.ends_with(end))
}

fn sniff(mut stream: impl Read + Send + 'static) -> Result<Stream> {
    let mut first = Vec::new();
    stream.by_ref().take(64 << 10).read_to_end(&mut first)?;
    let is_capture = if first.starts_with(&GZIP_MAGIC) {
        let mut inflated = [0; SNIFFED];
        let mut decoder = flate2::read::GzDecoder::new(first.as_slice());
        decoder.read_exact(&mut inflated).is_ok() && inflated == CAPTURE_MAGIC
    } else {
        first.starts_with(&CAPTURE_MAGIC)
    };
    let stream: Box<dyn Read + Send> = Box::new(io::Cursor::new(first).chain(stream));
    Ok(if is_capture { Stream::Capture(stream) } else { Stream::Audit(stream) })
}
