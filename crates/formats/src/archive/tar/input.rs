//! The buffered bytes under a tar reader.

use std::io::{self, BufRead};

use yagura_model::SkipReason;

use super::header::BLOCK;
use crate::archive::Problem;

/// A source with a buffer of its own, from which contents are taken without another copy.
pub(super) struct Input<R> {
    source: R,
    /// Bytes consumed so far.
    offset: u64,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, offset: 0 }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn into_source(self) -> R {
        self.source
    }

    /// The next bytes, as many as are there; empty at the end of the source.
    pub(super) fn peek(&mut self) -> Result<&[u8], Problem> {
        loop {
            match self.source.fill_buf() {
                // The borrow of a returned buffer would last for the whole loop.
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Problem::of(&error)),
            }
        }
        self.source.fill_buf().map_err(|error| Problem::of(&error))
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.offset += count as u64;
    }

    /// The next block, consumed. `None` at the end of the source.
    pub(super) fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Problem> {
        let offset = self.offset;
        let bytes = self.peek()?;
        if let Some(block) = bytes.first_chunk::<BLOCK>().copied() {
            self.consume(BLOCK);
            return Ok(Some(block));
        }
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read(room)? {
                0 if filled == 0 => return Ok(None),
                0 => {
                    return Err(Problem::new(
                        SkipReason::Truncated,
                        format!("the tar ends within a block, at byte {offset}"),
                    ));
                }
                count => filled += count,
            }
        }
        Ok(Some(block))
    }

    /// Passes over `count` bytes. Returns how many were missing at the end of the source.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<u64, Problem> {
        while count > 0 {
            let there = self.peek()?.len();
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
        let bytes = self.peek()?;
        let count = bytes.len().min(output.len());
        if let (Some(from), Some(to)) = (bytes.get(..count), output.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}
