//! Compressed streams, told by their first bytes and inflated within bounds.
//!
//! Gzip (RFC 1952) with any number of members and zstd (RFC 8878) with any number of frames, skippable ones
//! included; that covers eStargz and zstd:chunked, which append their tables as further members and skippable frames.

use std::io::{self, BufRead, Read};

use yagura_model::SkipReason;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

use super::Problem;
use super::gzip::{BrokenMember, Member, MemberProgress};
use super::inflate::WINDOW_BYTES;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Bytes [`Compression::of`] wants to see.
pub const SNIFF_BYTES: usize = 10;
/// Largest zstd window accepted, as a power of two: 128 MiB, which is also the limit of the `zstd` program.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;
/// Compressed bytes held; a gzip header must fit.
const INPUT_BYTES: usize = 256 << 10;
/// Bytes of a chunk, the window before them not counted.
const CHUNK_BYTES: usize = 256 << 10;

impl Compression {
    /// Tells the compression by the first bytes; what is neither gzip nor zstd counts as not compressed.
    pub fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame may come first (RFC 8878, 3.1.2).
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// The name of a compression that is known and not read: layers have no media type for it.
fn unread(first: &[u8]) -> Option<&'static str> {
    match first {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some("bzip2"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some("lz4"),
        _ => None,
    }
}

/// How far a stream may inflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateLimits {
    /// Total bytes that may come out.
    pub max_bytes: u64,
    /// The ratio counts only beyond this many bytes: a large file of zeros is no attack.
    pub free_bytes: u64,
    /// Bytes that may come out for each byte that goes in.
    pub max_ratio: u64,
}

impl Default for InflateLimits {
    /// 6 GiB freely (a layer with one 4 GiB sparse file written out inflates a thousandfold and is no bomb), then at
    /// most two hundred bytes for one (three million empty files reach about a hundred), 256 GiB in all.
    fn default() -> Self {
        Self { max_bytes: 256 << 30, free_bytes: 6 << 30, max_ratio: 200 }
    }
}

/// A piece of an inflated stream. The memory is used again and again.
#[derive(Default)]
pub struct Chunk {
    /// What came out before, which matches may refer to, then what is new.
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Chunk {
    /// What is new in this chunk and was not yet consumed.
    pub fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    /// Passes over the first of [`Chunk::bytes`].
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }
}

enum Decoder {
    Plain,
    Gzip(Box<Member>),
    Zstd(ZstdDecoder<'static>),
}

/// Reads the inflated bytes of a stream. Errors carry a [`Problem`].
pub struct Inflater<R> {
    source: R,
    input: Box<[u8]>,
    start: usize,
    end: usize,
    source_ended: bool,
    decoder: Decoder,
    /// Between two gzip members or zstd frames, where the stream may end.
    at_boundary: bool,
    finished: bool,
    /// What ended the stream, once the bytes before it are handed out.
    failed: Option<Problem>,
    /// The last bytes of the last chunk.
    window: Vec<u8>,
    /// The chunk that is being read through [`BufRead`].
    current: Chunk,
    bytes_in: u64,
    bytes_out: u64,
    limits: InflateLimits,
}

impl<R: Read> Inflater<R> {
    /// Looks at the first bytes of `source` and opens it. An error is one of reading `source`, or names a
    /// compression that is not read.
    pub fn new(source: R, limits: InflateLimits) -> io::Result<Self> {
        let mut inflater = Self {
            source,
            input: vec![0; INPUT_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            source_ended: false,
            decoder: Decoder::Plain,
            at_boundary: true,
            finished: false,
            failed: None,
            window: Vec::new(),
            current: Chunk::default(),
            bytes_in: 0,
            bytes_out: 0,
            limits,
        };
        while inflater.end < SNIFF_BYTES && !inflater.source_ended {
            inflater.fill()?;
        }
        if let Some(name) = unread(inflater.buffered()) {
            return Err(Problem::new(
                SkipReason::Unsupported,
                format!("compressed with {name}, which is not read"),
            )
            .into());
        }
        inflater.decoder = match Compression::of(inflater.buffered()) {
            Compression::None => Decoder::Plain,
            Compression::Gzip => Decoder::Gzip(Box::new(Member::new())),
            Compression::Zstd => Decoder::Zstd(new_zstd()?),
        };
        Ok(inflater)
    }

    pub fn compression(&self) -> Compression {
        match self.decoder {
            Decoder::Plain => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Zstd(_) => Compression::Zstd,
        }
    }

    /// Bytes taken from the source so far that were decoded.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes inflated so far.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    pub fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Gives the source back; up to 256 KiB beyond the last decoded byte may have been read from it.
    pub fn into_source(self) -> R {
        self.source
    }

    /// Inflates the next bytes into `chunk`, replacing what it held. `false` at the end of the stream.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        chunk.memory.resize(WINDOW_BYTES + CHUNK_BYTES, 0);
        chunk.start = self.window.len();
        chunk.end = chunk.start;
        if let Some(window) = chunk.memory.get_mut(..chunk.start) {
            window.copy_from_slice(&self.window);
        }
        while !self.finished && self.failed.is_none() {
            match self.step(&mut chunk.memory, chunk.end) {
                Ok(Stepped { written, full }) => {
                    chunk.end += written;
                    self.bytes_out += written as u64;
                    self.failed = self.check_limits().err();
                    if full {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failed = Some(Problem::of(&error)),
            }
        }
        if chunk.start == chunk.end {
            return self.failed.clone().map_or(Ok(false), |problem| Err(problem.into()));
        }
        if matches!(self.decoder, Decoder::Gzip(_)) {
            let window = chunk.end.saturating_sub(WINDOW_BYTES);
            self.window.clear();
            self.window.extend_from_slice(chunk.memory.get(window..chunk.end).unwrap_or_default());
        }
        Ok(true)
    }

    fn buffered(&self) -> &[u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads more input behind what is buffered, which is moved to the front first.
    fn fill(&mut self) -> io::Result<()> {
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let Some(room) = self.input.get_mut(self.end..).filter(|room| !room.is_empty()) else {
            return Ok(());
        };
        let count = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.source_ended = count == 0;
        self.end = (self.end + count).min(self.input.len());
        Ok(())
    }

    fn consume_input(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.bytes_in += count as u64;
    }

    fn check_limits(&self) -> Result<(), Problem> {
        let InflateLimits { max_bytes, free_bytes, max_ratio } = self.limits;
        if self.bytes_out > max_bytes {
            return Err(Problem::new(
                SkipReason::TooLarge,
                format!("inflates to more than {max_bytes} bytes"),
            ));
        }
        if self.bytes_out > free_bytes && self.bytes_out / max_ratio.max(1) > self.bytes_in {
            return Err(Problem::new(
                SkipReason::Ratio,
                format!(
                    "inflates to more than {max_ratio} times its size: stopped after {} bytes",
                    self.bytes_out
                ),
            ));
        }
        Ok(())
    }

    /// At the end of a member: whether another one follows.
    fn next_member(&mut self) -> io::Result<bool> {
        while self.end - self.start < SNIFF_BYTES && !self.source_ended {
            self.fill()?;
        }
        let expected = self.compression();
        let rest = self.buffered();
        if rest.is_empty() {
            return Ok(false);
        }
        if Compression::of(rest) == expected {
            return Ok(true);
        }
        self.skip_padding()?;
        Ok(false)
    }

    /// Zeros may follow the last member (tapes and some builders pad); anything else is worth a word.
    fn skip_padding(&mut self) -> io::Result<()> {
        loop {
            if self.buffered().iter().any(|byte| *byte != 0) {
                return Err(Problem::new(
                    SkipReason::Malformed,
                    "bytes follow the end of the compressed data",
                )
                .into());
            }
            self.consume_input(self.end - self.start);
            if self.source_ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// One step of the decoder into `output[position..]`, with input read where it wants more.
    fn step(&mut self, output: &mut [u8], position: usize) -> io::Result<Stepped> {
        if self.start == self.end && !self.source_ended {
            self.fill()?;
        }
        let starved = self.start == self.end && self.source_ended;
        if matches!(self.decoder, Decoder::Plain) {
            return Ok(self.pass_on(output, position));
        }
        if self.at_boundary && !self.next_member()? {
            self.finished = true;
            return Ok(Stepped::default());
        }
        let input = self.input.get(self.start..self.end).unwrap_or_default();
        match &mut self.decoder {
            Decoder::Plain => Ok(Stepped::default()),
            Decoder::Gzip(member) => {
                let step = member.step(input, self.source_ended, output, position);
                let input_full = input.len() == INPUT_BYTES && step.consumed == 0;
                self.at_boundary = step.state == Ok(MemberProgress::Ended);
                if self.at_boundary {
                    member.reset();
                }
                self.consume_input(step.consumed);
                let state = match step.state {
                    Err(broken) if step.written > 0 => {
                        // What came out first is handed on.
                        self.failed = Some(problem_of(broken, self.bytes_in));
                        return Ok(Stepped { written: step.written, full: true });
                    }
                    Err(broken) => return Err(problem_of(broken, self.bytes_in).into()),
                    Ok(state) => state,
                };
                if state == MemberProgress::NeedsInput {
                    if input_full {
                        return Err(Problem::new(SkipReason::Malformed, "endless gzip header").into());
                    }
                    self.fill()?;
                }
                Ok(Stepped { written: step.written, full: state == MemberProgress::NeedsRoom })
            }
            Decoder::Zstd(decoder) => {
                let room = output.get_mut(position..).unwrap_or_default();
                let mut from = InBuffer::around(input);
                let mut to = OutBuffer::around(room);
                let hint = decoder.run(&mut from, &mut to).map_err(|error| {
                    Problem::new(SkipReason::Malformed, format!("broken zstd data: {error}"))
                })?;
                let (consumed, written) = (from.pos(), to.pos());
                self.at_boundary = hint == 0;
                if consumed == 0 && written == 0 && hint != 0 {
                    if starved {
                        return Err(ends_early(self.bytes_in).into());
                    }
                    if position < output.len() && !input.is_empty() {
                        let detail = "broken zstd data: no progress";
                        return Err(Problem::new(SkipReason::Malformed, detail).into());
                    }
                }
                self.consume_input(consumed);
                Ok(Stepped { written, full: position + written >= output.len() })
            }
        }
    }

    /// What is not compressed.
    fn pass_on(&mut self, output: &mut [u8], position: usize) -> Stepped {
        let room = output.get_mut(position..).unwrap_or_default();
        let count = (self.end - self.start).min(room.len());
        let input = self.input.get(self.start..self.start + count);
        if let (Some(from), Some(to)) = (input, room.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.finished = self.start == self.end && self.source_ended;
        self.consume_input(count);
        Stepped { written: count, full: count == output.len() - position }
    }
}

/// What one step of a decoder did.
#[derive(Clone, Copy, Default)]
struct Stepped {
    written: usize,
    /// There is no more room.
    full: bool,
}

fn problem_of(broken: BrokenMember, bytes_in: u64) -> Problem {
    match broken {
        BrokenMember::Truncated => ends_early(bytes_in),
        broken => Problem::new(SkipReason::Malformed, broken.to_string()),
    }
}

fn ends_early(bytes_in: u64) -> Problem {
    Problem::new(SkipReason::Truncated, format!("the compressed data ends early, after {bytes_in} bytes"))
}

fn new_zstd() -> io::Result<ZstdDecoder<'static>> {
    let mut decoder = ZstdDecoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(MAX_ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

impl<R: Read> BufRead for Inflater<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.bytes().is_empty() {
            let mut chunk = std::mem::take(&mut self.current);
            let filled = self.next_chunk(&mut chunk);
            self.current = chunk;
            filled?;
        }
        Ok(self.current.bytes())
    }

    fn consume(&mut self, count: usize) {
        self.current.consume(count);
    }
}

impl<R: Read> Read for Inflater<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(output)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(bytes, 3).unwrap()
    }

    fn skippable(bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x5e, 0x2a, 0x4d, 0x18];
        frame.extend((bytes.len() as u32).to_le_bytes());
        frame.extend(bytes);
        frame
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u64;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 60) as u8 | (state >> 33) as u8 & 0xf0
            })
            .collect()
    }

    /// A source that gives one byte at a time, so that every boundary falls between two reads.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
            let count = output.len().min(1);
            self.0.read(&mut output[..count])
        }
    }

    fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
        let read = |source: &mut dyn Read| {
            let mut output = Vec::new();
            let mut inflater = Inflater::new(source, InflateLimits::default()).unwrap();
            inflater.read_to_end(&mut output).map_err(|error| Problem::of(&error))?;
            Ok(output)
        };
        let whole = read(&mut &bytes[..]);
        assert_eq!(whole, read(&mut Trickle(bytes)));
        whole
    }

    #[test]
    fn inflates_every_form_across_members_and_frames() {
        let content = noise(70_000);
        let (first, second) = content.split_at(30_000);
        let forms = [
            content.clone(),
            gzip(&content),
            [gzip(first), gzip(&[]), gzip(second)].concat(),
            [gzip(&content), vec![0; 1000]].concat(),
            zstd_frame(&content),
            [zstd_frame(first), skippable(b"table"), zstd_frame(second), skippable(b"")].concat(),
            [skippable(b"leads"), zstd_frame(&content)].concat(),
        ];
        for (index, form) in forms.iter().enumerate() {
            assert!(inflate(form).as_ref() == Ok(&content), "form {index}");
        }
        assert_eq!(inflate(&[]), Ok(Vec::new()));
    }

    #[test]
    fn names_what_is_wrong() {
        let content = noise(50_000);
        for packed in [gzip(&content), zstd_frame(&content)] {
            for cut in [packed.len() / 2, packed.len() - 1, 12] {
                assert_eq!(
                    inflate(&packed[..cut]).unwrap_err().reason,
                    SkipReason::Truncated,
                    "cut at {cut}"
                );
            }
            let trailing = [packed, b"garbage".to_vec()].concat();
            assert_eq!(inflate(&trailing).unwrap_err().reason, SkipReason::Malformed);
        }
        // Zstd frames need not carry a checksum, so only gzip is sure to notice.
        let mut broken = gzip(&content);
        broken[25_000..25_200].fill(0x55);
        let problem = inflate(&broken).map(|bytes| bytes.len()).unwrap_err();
        assert_eq!(problem.reason, SkipReason::Malformed);
    }

    #[test]
    fn names_compressions_that_are_not_read() {
        for (bytes, name) in [(&b"\xfd7zXZ\0\0\x04"[..], "xz"), (b"BZh91AY&SY....", "bzip2")] {
            let error = Inflater::new(bytes, InflateLimits::default()).err().unwrap();
            let problem = Problem::of(&error);
            assert_eq!(problem.reason, SkipReason::Unsupported);
            assert!(problem.detail.contains(name));
        }
        assert!(Inflater::new(&b"BZh9-is-a-file-name"[..], InflateLimits::default()).is_ok());
    }

    #[test]
    fn stops_at_the_ratio_and_at_the_size() {
        let bomb = gzip(&vec![0; 8 << 20]);
        let limits = InflateLimits { max_bytes: 4 << 20, free_bytes: 1 << 20, max_ratio: 100 };
        let read = |limits| {
            let mut inflater = Inflater::new(&bomb[..], limits).unwrap();
            let error = io::copy(&mut inflater, &mut io::sink()).unwrap_err();
            (Problem::of(&error).reason, inflater.bytes_out())
        };
        let (reason, inflated) = read(limits);
        assert_eq!(reason, SkipReason::Ratio);
        assert!(inflated < 2 << 20, "{inflated}");
        assert_eq!(read(InflateLimits { max_ratio: 5000, ..limits }).0, SkipReason::TooLarge);
    }
}
