//! Captures as files: each is whole under its name, or has none yet.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use yagura_events::scap::{CaptureWriter, Segments};
use yagura_events::state::State;

/// How captures are packed; both are what sysdig reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
}

/// Where the bytes of a capture go.
pub enum Output {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Output {
    pub fn create(path: &Path, compression: Compression) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(match compression {
            Compression::None => Self::Plain(file),
            // A capture is written while others wait: speed before size.
            Compression::Gzip => Self::Gzip(Box::new(GzEncoder::new(file, Level::fast()))),
        })
    }

    /// Ends the compression and brings everything to the disk.
    pub fn finish(self) -> io::Result<()> {
        let mut file = match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder.finish()?,
        };
        file.flush()?;
        file.get_ref().sync_data()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

/// Writes the machine as it is known at this moment.
pub fn preamble<W: Write>(writer: &mut CaptureWriter<W>, state: &State) -> io::Result<()> {
    writer.machine(&state.machine)?;
    let threads = state.thread_entries();
    writer.threads(threads.iter().cloned())?;
    for thread in &threads {
        if thread.tid == thread.pid {
            writer.descriptors(thread.tid, state.descriptor_entries(thread.tid).into_iter())?;
        }
    }
    writer.accounts(state.accounts.users().into_iter(), state.accounts.groups().into_iter())
}

/// Segments of one capture as files: `name.scap` alone, or `name.000001.scap` and so on when there may be more.
#[derive(Clone)]
pub struct FileSegments {
    path: PathBuf,
    compression: Compression,
    numbered: bool,
    /// What the next segment begins with: written by [`FileSegments::remember`].
    known: Vec<u8>,
}

impl FileSegments {
    pub fn new(path: &Path, compression: Compression, numbered: bool) -> Self {
        Self { path: path.to_owned(), compression, numbered, known: Vec::new() }
    }

    /// The file of a segment.
    pub fn path(&self, number: u64) -> PathBuf {
        if !self.numbered {
            return self.path.clone();
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stem, end) = name.split_once(".scap").map_or((name.as_str(), ""), |(stem, end)| (stem, end));
        self.path.with_file_name(format!("{stem}.{number:06}.scap{end}"))
    }

    fn unfinished(&self, number: u64) -> PathBuf {
        let path = self.path(number);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.with_file_name(format!(".{name}.part"))
    }

    /// Keeps what a new segment must begin with.
    pub fn remember(&mut self, state: &State) -> io::Result<()> {
        let mut writer = CaptureWriter::new(Vec::new())?;
        let section = writer.bytes();
        preamble(&mut writer, state)?;
        let bytes = writer.finish()?;
        self.known = bytes.get(usize::try_from(section).unwrap_or_default()..).unwrap_or_default().to_vec();
        Ok(())
    }
}

impl Segments for FileSegments {
    type File = Output;

    fn create(&mut self, number: u64) -> io::Result<Output> {
        Output::create(&self.unfinished(number), self.compression)
    }

    fn preamble(&mut self, writer: &mut CaptureWriter<Output>) -> io::Result<()> {
        writer.get_mut().write_all(&self.known)
    }

    fn finish(&mut self, number: u64, file: Output) -> io::Result<()> {
        file.finish()?;
        fs::rename(self.unfinished(number), self.path(number))
    }

    fn remove(&mut self, number: u64) -> io::Result<()> {
        match fs::remove_file(self.path(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
