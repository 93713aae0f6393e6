//! Captures in segments, each whole in itself.
//!
//! A segment is finished (flushed, its compression ended) before the next begins; what makes it visible under its
//! name is the caller's [`Segments::finish`], which renames a file, so that a kill at any moment leaves only whole
//! segments and one nameless rest.

use std::io::{self, Write};

use super::writer::CaptureWriter;
use crate::table::RawEvent;

/// When a segment ends. Absent limits do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes before compression.
    pub bytes: Option<u64>,
    /// Seconds between the first and the last event.
    pub seconds: Option<u64>,
    pub events: Option<u64>,
    /// Segments kept; the oldest goes when one more begins.
    pub segments: Option<u64>,
}

/// Where segments go.
pub trait Segments {
    type File: Write;
    /// Opens what segment `number` (from 0) is written to.
    fn create(&mut self, number: u64) -> io::Result<Self::File>;
    /// Writes what was known when the segment begins: machine, threads, descriptors, users.
    fn preamble(&mut self, writer: &mut CaptureWriter<Self::File>) -> io::Result<()>;
    /// Ends a segment that is complete: ends the compression and gives the file its name.
    fn finish(&mut self, number: u64, file: Self::File) -> io::Result<()>;
    /// Removes a segment that is no longer kept.
    fn remove(&mut self, number: u64) -> io::Result<()>;
}

/// Writes events to one segment after the other.
pub struct Rotation<S: Segments> {
    segments: S,
    limits: Limits,
    current: Option<(CaptureWriter<S::File>, u64)>,
    number: u64,
    events: u64,
}

impl<S: Segments> Rotation<S> {
    pub fn new(segments: S, limits: Limits) -> Self {
        Self { segments, limits, current: None, number: 0, events: 0 }
    }

    pub fn segments_mut(&mut self) -> &mut S {
        &mut self.segments
    }

    /// Events written to all segments.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether this event will begin a segment: what is known must be at hand then.
    pub fn begins(&self, event: &RawEvent<'_>) -> bool {
        self.current.is_none() || self.is_full(event)
    }

    /// Ends the segment under way, so that all that was recorded can be read.
    pub fn cut(&mut self) -> io::Result<()> {
        self.end_segment()
    }

    pub fn event(&mut self, event: &RawEvent<'_>) -> io::Result<()> {
        if self.is_full(event) {
            self.end_segment()?;
        }
        if self.current.is_none() {
            self.begin_segment(event.ts)?;
        }
        if let Some((writer, _)) = &mut self.current {
            writer.event(event)?;
            self.events += 1;
        }
        Ok(())
    }

    /// Ends the last segment. A capture without events is a segment, too.
    pub fn finish(mut self) -> io::Result<S> {
        if self.number == 0 && self.current.is_none() {
            self.begin_segment(0)?;
        }
        self.end_segment()?;
        Ok(self.segments)
    }

    fn is_full(&self, event: &RawEvent<'_>) -> bool {
        let Some((writer, first)) = &self.current else { return false };
        let over = |limit: Option<u64>, value: u64| limit.is_some_and(|limit| value >= limit.max(1));
        writer.events() > 0
            && (over(self.limits.bytes, writer.bytes() + event.encoded_len() as u64)
                || over(self.limits.events, writer.events())
                || over(self.limits.seconds, event.ts.saturating_sub(*first) / 1_000_000_000))
    }

    fn begin_segment(&mut self, ts: u64) -> io::Result<()> {
        if let Some(kept) = self.limits.segments
            && let Some(oldest) = self.number.checked_sub(kept.max(1))
        {
            self.segments.remove(oldest)?;
        }
        let mut writer = CaptureWriter::new(self.segments.create(self.number)?)?;
        self.segments.preamble(&mut writer)?;
        self.current = Some((writer, ts));
        self.number += 1;
        Ok(())
    }

    fn end_segment(&mut self) -> io::Result<()> {
        match self.current.take() {
            Some((writer, _)) => self.segments.finish(self.number - 1, writer.finish()?),
            None => Ok(()),
        }
    }
}
