//! DEFLATE (RFC 1951) decoded piece by piece, at the speed of decoders that want the whole stream at once.
//!
//! Half the time of a scan goes into inflating layers, so this is ours: a wide bit buffer, one table look-up for a
//! literal, and matches copied in words within the caller's buffer, whose beginning is the window. What it accepts is
//! what zlib and Go accept; a test holds it against zlib.

mod codes;

use codes::{
    DISTANCE_SYMBOLS, DISTANCES, END, EXCEPTION, LITERAL, LITERAL_SYMBOLS, LITERALS, PRECODE_SYMBOLS,
    PRECODES, SUBTABLE, Table, bits, code_length, value,
};

/// How far back a match may reach.
pub const WINDOW_BYTES: usize = 32 << 10;
/// Room for the longest match and what its last words write too much; with less than this, nothing is decoded.
pub const MIN_ROOM: usize = 258 + 2 * WORD;
/// Input that suffices for the longest block header; with less than this the input must be at its end.
pub const MIN_INPUT: usize = 512;

/// Bytes that are copied at once.
const WORD: usize = 16;
/// Input for one round of the decoder: it looks twice at eight bytes, seven further on the second time.
const ROUND_INPUT: usize = 24;

/// What one step did. All that was written stands, whatever the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub consumed: usize,
    pub written: usize,
    pub state: Progress,
}

/// Why a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More input is needed; some of what was given may be left and must be given again.
    NeedsInput,
    /// Less than [`MIN_ROOM`] bytes of room are left.
    NeedsRoom,
    /// The stream has ended; what follows it was not consumed.
    Ended,
    Broken(Broken),
}

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("block of an unknown type")]
    Block,
    #[error("stored block whose lengths disagree")]
    Stored,
    #[error("code lengths that make no code")]
    Codes,
    #[error("code that stands for nothing")]
    Symbol,
    #[error("match that reaches back before the beginning")]
    Distance,
    #[error("ends early")]
    Truncated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Header,
    Stored(usize),
    Coded,
    Ended,
}

/// A stream that is being decoded.
pub struct Inflate {
    literals: Table<2342, 11>,
    distances: Table<402, 8>,
    /// Fewer than eight bits between two steps.
    buffer: u64,
    count: u32,
    within: Within,
    last: bool,
}

impl Default for Inflate {
    fn default() -> Self {
        Self {
            literals: Table::empty(),
            distances: Table::empty(),
            buffer: 0,
            count: 0,
            within: Within::Header,
            last: false,
        }
    }
}

/// The bits of the stream that come next.
#[derive(Clone, Copy)]
struct Bits<'a> {
    buffer: u64,
    /// How many there are, in the lowest six bits; the others mean nothing, so that a whole table entry may be
    /// subtracted.
    count: u32,
    /// Where further bits come from.
    rest: &'a [u8],
}

impl<'a> Bits<'a> {
    /// At least 56 bits, where eight bytes are left.
    #[inline(always)]
    fn refill(&mut self) {
        if let Some((word, _)) = self.rest.split_first_chunk() {
            self.buffer |= u64::from_le_bytes(*word) << (self.count & 63);
            let taken = 7 - (self.count >> 3 & 7) as usize;
            self.rest = self.rest.get(taken..).unwrap_or_default();
            self.count |= 56;
        }
    }

    /// Takes as many bits as the lowest six of an entry say.
    #[inline(always)]
    fn consume(&mut self, entry: u32) {
        self.buffer >>= entry & 63;
        self.count = self.count.wrapping_sub(entry);
    }

    #[inline(always)]
    fn take(&mut self, count: u32) -> usize {
        let bits = self.buffer & ((1 << count) - 1);
        self.consume(count);
        bits as usize
    }

    /// The value of a length or distance: its base and the extra bits that follow the code.
    #[inline(always)]
    fn take_value(&mut self, entry: u32) -> usize {
        let extra = (self.buffer & ((1_u64 << bits(entry)) - 1)) >> code_length(entry);
        self.consume(entry);
        value(entry) + extra as usize
    }

    /// Gives whole bytes back to `input`, which the rest is the rest of.
    fn rewind(&mut self, input: &'a [u8]) {
        let at = input.len() - self.rest.len().min(input.len());
        self.rest = input.get(at.saturating_sub((self.count >> 3 & 7) as usize)..).unwrap_or_default();
        self.count &= 7;
        self.buffer &= (1 << self.count) - 1;
    }
}

impl Inflate {
    /// Begins another stream.
    pub fn reset(&mut self) {
        self.buffer = 0;
        self.count = 0;
        self.within = Within::Header;
        self.last = false;
    }

    /// Decodes into `output[position..]` as far as input and room go. `output[..position]` is what came out last: all of
    /// it, or at least [`WINDOW_BYTES`]. `ends` says that no input follows `input`.
    pub fn step(&mut self, input: &[u8], ends: bool, output: &mut [u8], position: usize) -> Step {
        let step = self.run(input, output, position);
        if !ends || step.state != Progress::NeedsInput {
            return step;
        }
        // The last bytes are decoded with zeros behind them; to reach those is to end early.
        let rest = input.get(step.consumed..).unwrap_or_default();
        let mut tail = [0; 2 * MIN_INPUT + 2 * ROUND_INPUT];
        if let Some(start) = tail.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        let last = self.run(&tail, output, position + step.written);
        if last.consumed > rest.len() || last.state == Progress::NeedsInput {
            return Step { state: Progress::Broken(Broken::Truncated), ..step };
        }
        let (consumed, written) = (step.consumed + last.consumed, step.written + last.written);
        Step { consumed, written, state: last.state }
    }

    fn run(&mut self, input: &[u8], output: &mut [u8], start: usize) -> Step {
        let mut stream = Bits { buffer: self.buffer, count: self.count, rest: input };
        let mut position = start;
        let state = loop {
            match self.within {
                Within::Ended => break Progress::Ended,
                Within::Header => {
                    if stream.rest.len() < MIN_INPUT {
                        break Progress::NeedsInput;
                    }
                    if let Err(broken) = self.header(&mut stream, input) {
                        break Progress::Broken(broken);
                    }
                }
                Within::Stored(left) => {
                    let room = output.len().saturating_sub(position);
                    let count = left.min(room).min(stream.rest.len());
                    let (from, rest) = stream.rest.split_at_checked(count).unwrap_or_default();
                    if let Some(to) = output.get_mut(position..position + count) {
                        to.copy_from_slice(from);
                    }
                    stream.rest = rest;
                    position += count;
                    if left == count {
                        self.within = self.after_block();
                        continue;
                    }
                    self.within = Within::Stored(left - count);
                    break if room == count { Progress::NeedsRoom } else { Progress::NeedsInput };
                }
                Within::Coded => match self.coded(&mut stream, output, &mut position) {
                    Progress::Ended => self.within = self.after_block(),
                    other => break other,
                },
            }
        };
        stream.rewind(input);
        (self.buffer, self.count) = (stream.buffer, stream.count);
        Step { consumed: input.len() - stream.rest.len(), written: position - start, state }
    }

    fn after_block(&self) -> Within {
        if self.last { Within::Ended } else { Within::Header }
    }

    /// Reads a block's header; there is input enough.
    fn header<'a>(&mut self, stream: &mut Bits<'a>, input: &'a [u8]) -> Result<(), Broken> {
        stream.refill();
        self.last = stream.take(1) == 1;
        match stream.take(2) {
            0 => {
                // The lengths begin at the next byte.
                stream.consume(stream.count & 7);
                let lengths = stream.take(32);
                let (length, complement) = (lengths & 0xffff, lengths >> 16);
                if length != !complement & 0xffff {
                    return Err(Broken::Stored);
                }
                stream.rewind(input);
                self.within = Within::Stored(length);
                Ok(())
            }
            1 => {
                let mut lengths = [8; LITERALS];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                self.literals.build(&lengths, &LITERAL_SYMBOLS).ok_or(Broken::Codes)?;
                self.distances.build(&[5; DISTANCES], &DISTANCE_SYMBOLS).ok_or(Broken::Codes)?;
                self.within = Within::Coded;
                Ok(())
            }
            2 => self.dynamic_header(stream),
            _ => Err(Broken::Block),
        }
    }

    /// The codes of a block, themselves coded (RFC 1951, 3.2.7).
    fn dynamic_header(&mut self, stream: &mut Bits<'_>) -> Result<(), Broken> {
        const ORDER: [u8; PRECODES] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let literals = 257 + stream.take(5);
        let distances = 1 + stream.take(5);
        let precodes = 4 + stream.take(4);
        if literals > 286 || distances > 30 {
            return Err(Broken::Codes);
        }
        let mut precode_lengths = [0; PRECODES];
        for symbol in ORDER.iter().take(precodes) {
            stream.refill();
            if let Some(length) = precode_lengths.get_mut(usize::from(*symbol)) {
                *length = stream.take(3) as u8;
            }
        }
        let mut precode = Table::<128, 7>::empty();
        precode.build(&precode_lengths, &PRECODE_SYMBOLS).ok_or(Broken::Codes)?;
        let mut lengths = [0_u8; LITERALS + DISTANCES];
        let wanted = literals + distances;
        let mut filled = 0;
        while filled < wanted {
            stream.refill();
            let entry = precode.look_up(stream.buffer);
            if entry & EXCEPTION != 0 {
                return Err(Broken::Symbol);
            }
            stream.consume(entry);
            let (length, repeats) = match value(entry) {
                16 => {
                    let before = filled.checked_sub(1).and_then(|before| lengths.get(before));
                    (*before.ok_or(Broken::Codes)?, 3 + stream.take(2))
                }
                17 => (0, 3 + stream.take(3)),
                18 => (0, 11 + stream.take(7)),
                length => (length as u8, 1),
            };
            if repeats > wanted - filled {
                return Err(Broken::Codes);
            }
            lengths.get_mut(filled..filled + repeats).ok_or(Broken::Codes)?.fill(length);
            filled += repeats;
        }
        let (literal_lengths, rest) = lengths.split_at_checked(literals).ok_or(Broken::Codes)?;
        // A block without an end.
        if literal_lengths.get(256).is_none_or(|length| *length == 0) {
            return Err(Broken::Codes);
        }
        self.literals.build(literal_lengths, &LITERAL_SYMBOLS).ok_or(Broken::Codes)?;
        let distance_lengths = rest.get(..distances).ok_or(Broken::Codes)?;
        self.distances.build(distance_lengths, &DISTANCE_SYMBOLS).ok_or(Broken::Codes)?;
        self.within = Within::Coded;
        Ok(())
    }

    /// Literals and matches, to the end of the block or of input or room.
    fn coded(&self, stream: &mut Bits<'_>, output: &mut [u8], end: &mut usize) -> Progress {
        let mut bit = *stream;
        let mut position = *end;
        let last_room = output.len().checked_sub(MIN_ROOM);
        let state = loop {
            if bit.rest.len() < ROUND_INPUT {
                break Progress::NeedsInput;
            }
            if last_room.is_none_or(|last| position > last) {
                break Progress::NeedsRoom;
            }
            bit.refill();
            let mut entry = self.literals.look_up(bit.buffer);
            // Up to four literals fit in what the bit buffer surely holds; a match needs another look at the input.
            if entry & LITERAL != 0 {
                let Some(room) = output.get_mut(position..).and_then(|rest| rest.first_chunk_mut::<4>())
                else {
                    break Progress::NeedsRoom;
                };
                room[0] = (entry >> 16) as u8;
                bit.consume(entry);
                position += 1;
                entry = self.literals.look_up(bit.buffer);
                if entry & LITERAL != 0 {
                    room[1] = (entry >> 16) as u8;
                    bit.consume(entry);
                    position += 1;
                    entry = self.literals.look_up(bit.buffer);
                    if entry & LITERAL != 0 {
                        room[2] = (entry >> 16) as u8;
                        bit.consume(entry);
                        position += 1;
                        entry = self.literals.look_up(bit.buffer);
                        if entry & LITERAL != 0 {
                            room[3] = (entry >> 16) as u8;
                            bit.consume(entry);
                            position += 1;
                            continue;
                        }
                    }
                }
                bit.refill();
            }
            if entry & EXCEPTION != 0 {
                if entry & SUBTABLE != 0 {
                    bit.consume(entry);
                    entry = self.literals.look_deeper(entry, bit.buffer);
                    if entry & LITERAL != 0 {
                        if let Some(byte) = output.get_mut(position) {
                            *byte = (entry >> 16) as u8;
                        }
                        bit.consume(entry);
                        position += 1;
                        continue;
                    }
                }
                if entry & END != 0 {
                    bit.consume(entry);
                    break Progress::Ended;
                }
                if entry & EXCEPTION != 0 {
                    break Progress::Broken(Broken::Symbol);
                }
            }
            // Code and extra bits of a length are 20 at most, those of a distance 28: 48 of 56.
            let length = bit.take_value(entry);
            let mut entry = self.distances.look_up(bit.buffer);
            if entry & EXCEPTION != 0 {
                if entry & SUBTABLE == 0 {
                    break Progress::Broken(Broken::Symbol);
                }
                bit.consume(entry);
                entry = self.distances.look_deeper(entry, bit.buffer);
                if entry & EXCEPTION != 0 {
                    break Progress::Broken(Broken::Symbol);
                }
            }
            let distance = bit.take_value(entry);
            let Some(from) = position.checked_sub(distance) else { break Progress::Broken(Broken::Distance) };
            copy_match(output, from, position, length);
            position += length;
        };
        *stream = bit;
        *end = position;
        state
    }
}

/// Repeats what is at `from` at `to`; up to a word more than `length` may be written.
#[inline(always)]
fn copy_match(output: &mut [u8], from: usize, to: usize, length: usize) {
    let distance = to - from;
    if distance >= WORD {
        copy_words::<WORD>(output, from, to, length);
    } else if distance >= 8 {
        copy_words::<8>(output, from, to, length);
    } else {
        repeat(output, from, to, length);
    }
}

#[inline(always)]
fn copy_words<const BYTES: usize>(output: &mut [u8], from: usize, to: usize, length: usize) {
    let mut done = 0;
    loop {
        let Some(word) = output.get(from + done..).and_then(|rest| rest.first_chunk::<BYTES>()) else {
            return;
        };
        let word = *word;
        let Some(room) = output.get_mut(to + done..).and_then(|rest| rest.first_chunk_mut::<BYTES>()) else {
            return;
        };
        *room = word;
        done += BYTES;
        if done >= length {
            return;
        }
    }
}

/// A pattern shorter than a word, over and over.
fn repeat(output: &mut [u8], from: usize, to: usize, length: usize) {
    let distance = to - from;
    if distance == 1 {
        let byte = output.get(from).copied().unwrap_or_default();
        if let Some(run) = output.get_mut(to..to + length) {
            run.fill(byte);
        }
        return;
    }
    // What is copied grows with what is there.
    let end = to + length;
    let mut at = to;
    while at < end && end <= output.len() {
        let count = (at - from).min(end - at);
        output.copy_within(from..from + count, at);
        at += count;
    }
}

#[cfg(test)]
mod tests;
