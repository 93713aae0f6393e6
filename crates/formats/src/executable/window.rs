//! A stream seen through a window that slides over it once, so that a file of any size is searched in constant
//! memory.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes taken from the stream at a time.
const STEP: usize = 256 * 1024;

/// Bytes kept from one window to the next: whatever starts before them was seen with at least this many bytes
/// after it.
pub(crate) const LOOKAHEAD: usize = 16 * 1024;

/// The part of a stream that is in memory.
pub(crate) struct Window<'r> {
    reader: &'r mut dyn Read,
    buffer: Vec<u8>,
    /// Offset in the stream of the buffer's first byte.
    base: u64,
    ended: bool,
}

impl<'r> Window<'r> {
    pub(crate) fn new(reader: &'r mut dyn Read) -> Self {
        Self { reader, buffer: Vec::new(), base: 0, ended: false }
    }

    /// Slides on; `false` when the stream has ended.
    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let keep_from = self.buffer.len().saturating_sub(LOOKAHEAD);
        self.buffer.drain(..keep_from);
        self.base = self.base.saturating_add(keep_from as u64);
        let before = self.buffer.len();
        let taken = (&mut self.reader).take(STEP as u64).read_to_end(&mut self.buffer)?;
        self.ended = taken < STEP;
        Ok(before + taken > 0)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Offset in the stream of the window's first byte.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Offset in the stream of the end of what was read.
    pub(crate) fn end(&self) -> u64 {
        self.base.saturating_add(self.buffer.len() as u64)
    }

    /// Where a find may start so that each place in the stream is offered exactly once, with [`LOOKAHEAD`] bytes
    /// after it unless the stream ends sooner.
    pub(crate) fn starts(&self) -> Range<usize> {
        let end = if self.ended { self.buffer.len() } else { self.buffer.len().saturating_sub(LOOKAHEAD) };
        0..end
    }

    /// What the window holds of the stream from `at` on; `None` when `at` is outside of it.
    pub(crate) fn rest_at(&self, at: u64) -> Option<&[u8]> {
        let start = usize::try_from(at.checked_sub(self.base)?).ok()?;
        self.buffer.get(start..).filter(|rest| !rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_every_start_once() {
        for length in [0, 1, LOOKAHEAD, STEP - 1, STEP, STEP + 1, 2 * STEP + LOOKAHEAD + 7] {
            let data: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let mut reader = data.as_slice();
            let mut window = Window::new(&mut reader);
            let mut next = 0;
            while window.advance().unwrap() {
                let starts = window.starts();
                assert_eq!(window.base() + starts.start as u64, next, "{length}");
                next = window.base() + starts.end as u64;
                assert_eq!(window.bytes(), &data[window.base() as usize..][..window.bytes().len()]);
            }
            assert_eq!(next, length as u64);
        }
    }
}
