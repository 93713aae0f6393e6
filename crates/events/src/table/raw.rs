//! One event as bytes.
//!
//! The encoding is that of `.scap` captures since version 2 of the event block, and the sensor's: a header of
//! [`HEADER_BYTES`] (`u64` nanoseconds since 1970, `u64` thread id, `u32` length of the whole event, `u16` code, `u32`
//! number of parameters), the length of each parameter (`u16`, or `u32` in events marked large), and the parameters,
//! all little-endian and without gaps. Texts and paths end with a NUL that their length counts; a parameter of
//! length 0 is one that could not be had.

use thiserror::Error;

use super::{EventCode, EventFlags, table};

/// Bytes of an encoded event before the lengths of its parameters.
pub const HEADER_BYTES: usize = 26;
/// Most parameters an event may have.
pub const MAX_PARAMETERS: usize = 32;

/// Why bytes are no event.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RawProblem {
    #[error("the event ends in its header")]
    Short,
    #[error("{0} parameters, more than the 32 an event may have")]
    Parameters(u32),
    #[error("the lengths of the parameters exceed the event")]
    Lengths,
}

/// A view of one event. Copying it copies no bytes.
#[derive(Clone, Copy, Debug)]
pub struct RawEvent<'a> {
    /// Nanoseconds since 1970.
    pub ts: u64,
    pub tid: i64,
    pub cpu: u16,
    pub code: EventCode,
    /// Flags of the block in the file; 0 elsewhere.
    pub flags: u32,
    lengths: &'a [u8],
    wide: bool,
    values: &'a [u8],
}

impl<'a> RawEvent<'a> {
    /// Reads the encoding described above; what follows the event in `bytes` is not looked at.
    pub fn parse(bytes: &'a [u8], cpu: u16, flags: u32) -> Result<Self, RawProblem> {
        let header = bytes.first_chunk::<HEADER_BYTES>().ok_or(RawProblem::Short)?;
        let [
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            t6,
            t7,
            i0,
            i1,
            i2,
            i3,
            i4,
            i5,
            i6,
            i7,
            l0,
            l1,
            l2,
            l3,
            c0,
            c1,
            n0,
            n1,
            n2,
            n3,
        ] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let count = u32::from_le_bytes([n0, n1, n2, n3]);
        let body = bytes.get(HEADER_BYTES..length).ok_or(RawProblem::Short)?;
        let code = u16::from_le_bytes([c0, c1]);
        Self::assemble(
            u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            i64::from_le_bytes([i0, i1, i2, i3, i4, i5, i6, i7]),
            code,
            count,
            body,
        )
        .map(|event| Self { cpu, flags, ..event })
    }

    /// An event of its parts; `body` is the lengths, then the values.
    pub fn assemble(
        ts: u64,
        tid: i64,
        code: EventCode,
        count: u32,
        body: &'a [u8],
    ) -> Result<Self, RawProblem> {
        if count as usize > MAX_PARAMETERS {
            return Err(RawProblem::Parameters(count));
        }
        let wide = table().event(code).is_some_and(|event| event.flags.has(EventFlags::LARGE));
        let width = if wide { 4 } else { 2 };
        let (lengths, values) = body.split_at_checked(count as usize * width).ok_or(RawProblem::Lengths)?;
        let event = Self { ts, tid, cpu: 0, code, flags: 0, lengths, wide, values };
        if event.lengths().sum::<usize>() > values.len() {
            return Err(RawProblem::Lengths);
        }
        Ok(event)
    }

    /// Parameters that were recorded; older events have fewer than the table says.
    pub fn count(&self) -> usize {
        self.lengths.len() / if self.wide { 4 } else { 2 }
    }

    fn lengths(&self) -> impl Iterator<Item = usize> + use<'a> {
        let wide = self.wide;
        self.lengths.chunks_exact(if wide { 4 } else { 2 }).map(move |chunk| match *chunk {
            [a, b] => usize::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => 0,
        })
    }

    /// The bytes of a parameter; nothing if the event does not have so many.
    pub fn parameter(&self, index: usize) -> Option<&'a [u8]> {
        let mut start = 0;
        for (position, length) in self.lengths().enumerate() {
            if position == index {
                return self.values.get(start..start + length);
            }
            start += length;
        }
        None
    }

    pub fn parameters(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut values = self.values;
        self.lengths().map(move |length| {
            let (value, rest) = values.split_at_checked(length).unwrap_or_default();
            values = rest;
            value
        })
    }

    /// A parameter as an unsigned number of up to eight bytes; nothing if it is absent, empty or longer.
    pub fn unsigned(&self, index: usize) -> Option<u64> {
        unsigned(self.parameter(index)?)
    }

    /// A parameter as a signed number, extended from the bytes it has.
    pub fn signed(&self, index: usize) -> Option<i64> {
        signed(self.parameter(index)?)
    }

    /// A text without the NUL at its end; nothing if the parameter is absent or empty.
    pub fn text(&self, index: usize) -> Option<&'a [u8]> {
        let bytes = self.parameter(index)?;
        if bytes.is_empty() {
            return None;
        }
        Some(until_nul(bytes))
    }

    /// Bytes of the encoding.
    pub fn encoded_len(&self) -> usize {
        HEADER_BYTES + self.lengths.len() + self.values.len()
    }

    /// Appends the encoding that [`RawEvent::parse`] reads.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ts.to_le_bytes());
        out.extend_from_slice(&self.tid.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.encoded_len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&self.code.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.count()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(self.lengths);
        out.extend_from_slice(self.values);
    }

    /// The lengths and the values, as they are encoded.
    pub fn body(&self) -> (&'a [u8], &'a [u8]) {
        (self.lengths, self.values)
    }
}

pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

pub(crate) fn unsigned(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

pub(crate) fn signed(bytes: &[u8]) -> Option<i64> {
    let missing = 64 - 8 * u32::try_from(bytes.len()).ok()?.min(8);
    let number = unsigned(bytes)?.cast_signed();
    Some(number.wrapping_shl(missing).wrapping_shr(missing))
}

/// Builds events one parameter after the other, reusing its buffers.
#[derive(Clone, Debug, Default)]
pub struct EventEncoder {
    ts: u64,
    tid: i64,
    cpu: u16,
    code: EventCode,
    wide: bool,
    lengths: Vec<u8>,
    values: Vec<u8>,
}

impl EventEncoder {
    /// Forgets what was built and starts an event.
    pub fn start(&mut self, ts: u64, tid: i64, cpu: u16, code: EventCode) -> &mut Self {
        let wide = table().event(code).is_some_and(|event| event.flags.has(EventFlags::LARGE));
        self.lengths.clear();
        self.values.clear();
        (self.ts, self.tid, self.cpu, self.code, self.wide) = (ts, tid, cpu, code, wide);
        self
    }

    /// Appends a parameter. What exceeds the length that the encoding can state is cut off.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        let most = if self.wide { u32::MAX as usize } else { usize::from(u16::MAX) };
        let value = value.get(..most).unwrap_or(value);
        if self.wide {
            self.lengths.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        } else {
            self.lengths.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
        self.values.extend_from_slice(value);
        self
    }

    /// A parameter that could not be had.
    pub fn empty(&mut self) -> &mut Self {
        self.bytes(&[])
    }

    /// A text or path; the NUL at its end is added.
    pub fn text(&mut self, value: &[u8]) -> &mut Self {
        let most = usize::from(u16::MAX) - 1;
        let value = until_nul(value.get(..most).unwrap_or(value));
        let start = self.values.len();
        self.bytes(value);
        self.values.push(0);
        let length = self.values.len() - start;
        let width = if self.wide { 4 } else { 2 };
        let at = self.lengths.len() - width;
        self.lengths.truncate(at);
        self.lengths.extend_from_slice(&(length as u64).to_le_bytes()[..width]);
        self
    }

    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// The event as built so far.
    pub fn event(&self) -> RawEvent<'_> {
        RawEvent {
            ts: self.ts,
            tid: self.tid,
            cpu: self.cpu,
            code: self.code,
            flags: 0,
            lengths: &self.lengths,
            wide: self.wide,
            values: &self.values,
        }
    }
}
