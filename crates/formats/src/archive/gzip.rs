//! One gzip member (RFC 1952): header, DEFLATE data, checksum.

use crc32fast::Hasher;

use super::inflate::{Broken, Inflate, Progress, Step};

const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const HEADER_CHECKSUM: u8 = 2;

/// A member that is being read.
pub(super) struct Member {
    part: Part,
    inflate: Inflate,
    checksum: Hasher,
    length: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Data,
    Trailer,
}

/// What is wrong with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenMember {
    #[error("broken gzip header")]
    Header,
    #[error("broken gzip data: {0}")]
    Data(Broken),
    #[error("gzip data that does not have the checksum it states")]
    Checksum,
    #[error("ends early")]
    Truncated,
}

/// What one step did.
pub(super) struct MemberStep {
    pub(super) consumed: usize,
    pub(super) written: usize,
    pub(super) state: Result<MemberProgress, BrokenMember>,
}

/// Why a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberProgress {
    NeedsInput,
    NeedsRoom,
    Ended,
}

impl Member {
    pub(super) fn new() -> Self {
        Self { part: Part::Header, inflate: Inflate::default(), checksum: Hasher::new(), length: 0 }
    }

    /// Begins another member.
    pub(super) fn reset(&mut self) {
        self.part = Part::Header;
        self.inflate.reset();
        self.checksum.reset();
        self.length = 0;
    }

    /// As [`Inflate::step`]. The header must fit in `input` as a whole.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        ends: bool,
        output: &mut [u8],
        position: usize,
    ) -> MemberStep {
        let mut step = MemberStep { consumed: 0, written: 0, state: Ok(MemberProgress::Ended) };
        let starved = || if ends { Err(BrokenMember::Truncated) } else { Ok(MemberProgress::NeedsInput) };
        if self.part == Part::Header {
            match header_length(input) {
                Some(Ok(length)) => step.consumed = length,
                Some(Err(broken)) => return MemberStep { state: Err(broken), ..step },
                None => return MemberStep { state: starved(), ..step },
            }
            self.part = Part::Data;
        }
        if self.part == Part::Data {
            let rest = input.get(step.consumed..).unwrap_or_default();
            let Step { consumed, written, state } = self.inflate.step(rest, ends, output, position);
            let new = output.get(position..position + written).unwrap_or_default();
            self.checksum.update(new);
            self.length = self.length.wrapping_add(written as u32);
            step.consumed += consumed;
            step.written = written;
            match state {
                Progress::Ended => self.part = Part::Trailer,
                Progress::NeedsInput => return MemberStep { state: Ok(MemberProgress::NeedsInput), ..step },
                Progress::NeedsRoom => return MemberStep { state: Ok(MemberProgress::NeedsRoom), ..step },
                Progress::Broken(Broken::Truncated) => {
                    return MemberStep { state: Err(BrokenMember::Truncated), ..step };
                }
                Progress::Broken(broken) => {
                    return MemberStep { state: Err(BrokenMember::Data(broken)), ..step };
                }
            }
        }
        let Some(trailer) = input.get(step.consumed..).and_then(|rest| rest.first_chunk::<8>()) else {
            return MemberStep { state: starved(), ..step };
        };
        let [a, b, c, d, lengths @ ..] = *trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.checksum.clone().finalize()
            || u32::from_le_bytes(lengths) != self.length
        {
            return MemberStep { state: Err(BrokenMember::Checksum), ..step };
        }
        step.consumed += trailer.len();
        step
    }
}

/// The length of the header that `input` begins with; `None` when it goes on beyond it.
fn header_length(input: &[u8]) -> Option<Result<usize, BrokenMember>> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = input else {
        return (input.len() >= 10).then_some(Err(BrokenMember::Header));
    };
    let mut rest = rest;
    if flags & EXTRA != 0 {
        let (length, extra) = rest.split_first_chunk::<2>()?;
        rest = extra.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        let (stated, after) = rest.split_first_chunk::<2>()?;
        let before = input.get(..input.len() - rest.len())?;
        if crc32fast::hash(before) as u16 != u16::from_le_bytes(*stated) {
            return Some(Err(BrokenMember::Header));
        }
        rest = after;
    }
    Some(Ok(input.len() - rest.len()))
}
