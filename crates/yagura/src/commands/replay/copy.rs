//! `-w FILE`: the events that are heeded, as a capture of their own.
//!
//! Events that are not heeded but change what is known of threads and descriptors are copied, too, marked so that
//! readers use them and do not show them: every copied event means in the copy what it meant before.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::write::GzEncoder;
use yagura_events::scap::{CaptureWriter, STATE_ONLY};
use yagura_events::state::State;
use yagura_events::table::RawEvent;

/// A capture that is being written, under another name until it is whole.
pub struct Copy {
    writer: CaptureWriter<Sink>,
    path: PathBuf,
    unfinished: PathBuf,
    described: bool,
}

enum Sink {
    Plain(BufWriter<File>),
    Compressed(Box<GzEncoder<BufWriter<File>>>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Compressed(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Compressed(encoder) => encoder.flush(),
        }
    }
}

impl Copy {
    /// A name that ends in `.gz` asks for compression.
    pub fn create(path: &Path) -> Result<Self> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".part");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).with_context(|| format!("creating {}", unfinished.display()))?;
        let file = BufWriter::new(file);
        let sink = if path.extension().is_some_and(|extension| extension == "gz") {
            Sink::Compressed(Box::new(GzEncoder::new(file, flate2::Compression::default())))
        } else {
            Sink::Plain(file)
        };
        let writer = CaptureWriter::new(sink)?;
        Ok(Self { writer, path: path.to_owned(), unfinished, described: false })
    }

    /// What was known is over; what is known next is written before the next event.
    pub fn start_over(&mut self) {
        self.described = false;
    }

    /// Called before each event is taken into account: writes what is known, once for each section.
    pub fn before(&mut self, state: &State) -> Result<()> {
        if !self.described {
            if self.writer.events() > 0 {
                self.writer.section()?;
            }
            state.describe(&mut self.writer)?;
            self.described = true;
        }
        Ok(())
    }

    pub fn event(&mut self, mut event: RawEvent<'_>, heeded: bool) -> Result<()> {
        if !heeded {
            event.flags |= STATE_ONLY;
        }
        Ok(self.writer.event(&event)?)
    }

    /// Ends the file and gives it its name.
    pub fn finish(self) -> Result<()> {
        let mut file = match self.writer.finish()? {
            Sink::Plain(file) => file,
            Sink::Compressed(encoder) => encoder.finish()?,
        };
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&self.unfinished, &self.path).with_context(|| format!("naming {}", self.path.display()))
    }
}
