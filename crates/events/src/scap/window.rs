//! The bytes of a capture that are in memory.

use std::io::{self, Read};

use yagura_formats::archive::compression::{Compression, InflateLimits, Inflater};

/// Bytes kept at least; blocks larger than this make the window grow.
const WINDOW_BYTES: usize = 256 << 10;

/// A stretch of the inflated stream that slides forward.
pub(super) struct Window<R> {
    source: Inflater<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Position of `start` in the inflated stream.
    offset: u64,
    ended: bool,
    /// Why the stream ended before its end.
    broken: Option<io::Error>,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        let source = Inflater::new(source, InflateLimits::default())?;
        Ok(Self {
            source,
            buffer: vec![0; WINDOW_BYTES],
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            broken: None,
        })
    }

    pub(super) fn compression(&self) -> Compression {
        self.source.compression()
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Compressed bytes taken from the source.
    pub(super) fn bytes_in(&self) -> u64 {
        self.source.bytes_in()
    }

    /// Makes `wanted` bytes available, or all that are left; says how many of the wanted there are.
    #[inline]
    pub(super) fn ensure(&mut self, wanted: usize) -> io::Result<usize> {
        if self.end - self.start >= wanted {
            return Ok(wanted);
        }
        self.refill(wanted)
    }

    #[cold]
    fn refill(&mut self, wanted: usize) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        } else if self.buffer.len() > WINDOW_BYTES && wanted <= WINDOW_BYTES && self.end <= WINDOW_BYTES {
            self.buffer.truncate(WINDOW_BYTES);
            self.buffer.shrink_to_fit();
        }
        while self.end < wanted && !self.ended {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What came before the error is still given out.
                Err(error) => {
                    self.ended = true;
                    self.broken = Some(error);
                }
            }
        }
        if self.end == 0
            && let Some(error) = self.broken.take()
        {
            return Err(error);
        }
        Ok(self.end.min(wanted))
    }

    /// The available bytes, at most `length` of them.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        let end = self.end.min(self.start.saturating_add(length));
        self.buffer.get(self.start..end).unwrap_or_default()
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.buffer.get(self.start..self.end)?.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(*bytes.first_chunk()?))
    }

    /// Passes over bytes that are available.
    pub(super) fn advance(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Passes over bytes whether they are available or not; says whether there were so many.
    pub(super) fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(WINDOW_BYTES / 2);
            let available = self.ensure(step)?;
            if available == 0 {
                return Ok(false);
            }
            self.advance(available);
            count -= available as u64;
        }
        Ok(true)
    }
}
