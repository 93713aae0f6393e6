//! The content of one entry, holes included.

use std::io::{self, BufRead, Read};

use yagura_model::SkipReason;

use super::input::Input;
use super::sparse::Segment;
use crate::archive::Problem;

/// Reads the bytes of an entry. Holes of sparse files are read as zeros. Need not be read to its end.
pub struct Content<'a, R> {
    input: &'a mut Input<R>,
    /// Stored bytes of the entry not yet taken from the archive.
    stored: &'a mut u64,
    /// The map of a sparse file, not yet begun segments only.
    segments: Option<&'a [Segment]>,
    size: u64,
    position: u64,
    readable: bool,
}

impl<'a, R: BufRead> Content<'a, R> {
    pub(super) fn new(
        input: &'a mut Input<R>,
        stored: &'a mut u64,
        segments: Option<&'a [Segment]>,
        size: u64,
        readable: bool,
    ) -> Self {
        Self { input, stored, segments, size, position: 0, readable }
    }

    /// How many bytes of a read of up to `wanted` come next from the archive (true) or from a hole (false).
    fn next_run(&mut self, wanted: u64) -> (u64, bool) {
        let wanted = wanted.min(self.size - self.position);
        let Some(segments) = self.segments else { return (wanted.min(*self.stored), true) };
        let mut rest = segments;
        while let Some((segment, later)) = rest.split_first() {
            let end = segment.offset + segment.length;
            if self.position < segment.offset {
                self.segments = Some(rest);
                return (wanted.min(segment.offset - self.position), false);
            }
            if self.position < end {
                self.segments = Some(rest);
                return (wanted.min(end - self.position), true);
            }
            rest = later;
        }
        self.segments = Some(rest);
        (wanted, false)
    }
}

impl<R: BufRead> Read for Content<'_, R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || output.is_empty() {
            return Ok(0);
        }
        if !self.readable {
            return Err(Problem::new(SkipReason::Malformed, "sparse file whose map cannot be read").into());
        }
        let (run, stored) = self.next_run(output.len() as u64);
        let Some(output) = output.get_mut(..run as usize).filter(|output| !output.is_empty()) else {
            return Ok(0);
        };
        let count = if stored {
            let count = self.input.read(output)?;
            if count == 0 {
                let detail =
                    format!("the tar ends within the content of an entry, at byte {}", self.input.offset());
                return Err(Problem::new(SkipReason::Truncated, detail).into());
            }
            *self.stored = self.stored.saturating_sub(count as u64);
            count
        } else {
            output.fill(0);
            output.len()
        };
        self.position += count as u64;
        Ok(count)
    }
}
