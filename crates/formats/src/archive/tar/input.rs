//! The buffered bytes under a tar reader.

use std::io::{self, Read};

use yagura_model::SkipReason;

use super::header::BLOCK;
use crate::archive::Problem;

const BUFFER_BYTES: usize = 256 << 10;

/// A source with one large buffer, so that headers are read in place.
pub(super) struct Input<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    ended: bool,
    /// Bytes consumed so far.
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { source, buffer, start: 0, end: 0, ended: false, offset: 0 }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn into_source(self) -> R {
        self.source
    }

    /// Reads until `wanted` bytes (at most the buffer) are there or the source ends, and returns what is there.
    pub(super) fn peek(&mut self, wanted: usize) -> Result<&[u8], Problem> {
        if self.end - self.start < wanted && !self.ended {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < wanted && !self.ended {
                self.fill()?;
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn fill(&mut self) -> Result<(), Problem> {
        let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) else {
            return Ok(());
        };
        match self.source.read(room) {
            Ok(0) => self.ended = true,
            Ok(count) => self.end = (self.end + count).min(self.buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Problem::of(&error)),
        }
        Ok(())
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// The next block, consumed. `None` at the end of the source.
    pub(super) fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Problem> {
        let offset = self.offset;
        let bytes = self.peek(BLOCK)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let Some(block) = bytes.first_chunk::<BLOCK>().copied() else {
            return Err(Problem::new(
                SkipReason::Truncated,
                format!("the tar ends within a block, at byte {offset}"),
            ));
        };
        self.consume(BLOCK);
        Ok(Some(block))
    }

    /// Passes over `count` bytes. Returns how many were missing at the end of the source.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<u64, Problem> {
        while count > 0 {
            let there = self.peek(1)?.len();
            if there == 0 {
                return Ok(count);
            }
            let step = count.min(there as u64);
            self.consume(step as usize);
            count -= step;
        }
        Ok(0)
    }

    /// Copies buffered bytes to `output`; 0 at the end of the source.
    pub(super) fn read(&mut self, output: &mut [u8]) -> Result<usize, Problem> {
        let bytes = self.peek(1)?;
        let count = bytes.len().min(output.len());
        if let (Some(from), Some(to)) = (bytes.get(..count), output.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}
