use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Decompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::*;

/// Decodes in portions of input and room of these sizes.
fn inflate(stream: &[u8], portion: usize, room: usize) -> Result<(Vec<u8>, usize), Broken> {
    let mut inflate = Inflate::default();
    let mut memory = vec![0; WINDOW_BYTES + MIN_ROOM + room];
    let (mut all, mut kept, mut position) = (Vec::new(), 0, 0);
    let (mut start, mut end) = (0, portion.min(stream.len()));
    loop {
        let step = inflate.step(&stream[start..end], end == stream.len(), &mut memory, position);
        start += step.consumed;
        all.extend_from_slice(&memory[position..position + step.written]);
        position += step.written;
        match step.state {
            Progress::Ended => return Ok((all, start)),
            Progress::Broken(broken) => return Err(broken),
            Progress::NeedsInput => {
                assert!(end < stream.len(), "asks for more than there is");
                end = (end + portion).min(stream.len());
            }
            Progress::NeedsRoom => {
                assert!(position > kept, "no progress");
                let window = position.saturating_sub(WINDOW_BYTES);
                memory.copy_within(window..position, 0);
                position -= window;
                kept = position;
            }
        }
    }
}

/// What zlib makes of a stream, and how much of it is the stream.
fn zlib(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut decoder = Decompress::new(false);
    let mut all = Vec::new();
    loop {
        let mut output = vec![0; 1 << 16];
        let (consumed, produced) = (decoder.total_in() as usize, decoder.total_out() as usize);
        let status = decoder.decompress(&stream[consumed..], &mut output, FlushDecompress::None).ok()?;
        let new = decoder.total_out() as usize - produced;
        all.extend_from_slice(&output[..new]);
        match status {
            Status::StreamEnd => return Some((all, decoder.total_in() as usize)),
            _ if new == 0 && decoder.total_in() as usize == consumed => return None,
            _ => {}
        }
    }
}

fn deflate(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Text, runs, noise and far repetitions.
fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut bytes = Vec::new();
    while bytes.len() < length {
        match next() % 6 {
            0 => bytes.extend((0..next() % 600).map(|_| next() as u8)),
            1 => bytes.resize(bytes.len() + next() % 5000, next() as u8),
            2 => {
                let pattern: Vec<u8> = (0..1 + next() % 20).map(|_| next() as u8).collect();
                (0..next() % 60).for_each(|_| bytes.extend_from_slice(&pattern));
            }
            3 if !bytes.is_empty() => {
                let from = bytes.len() - 1 - next() % bytes.len().min(WINDOW_BYTES);
                let to = bytes.len().min(from + next() % 400);
                bytes.extend_from_within(from..to);
            }
            _ => bytes.extend((0..next() % 2000).map(|_| b"etaoin shrdlu\n"[next() % 14])),
        }
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn agrees_with_zlib_on_whole_streams() {
    for (seed, length) in [(1, 0), (2, 1), (3, 300), (4, 70_000), (5, 400_000), (6, 1_000_000)] {
        let bytes = content(seed, length);
        for level in [0, 1, 6, 9] {
            let mut stream = deflate(&bytes, level);
            let end = stream.len();
            stream.extend_from_slice(b"what follows");
            for (portion, room) in [(stream.len(), 1 << 16), (1, 1000), (777, 1), (65_536, 400_000)] {
                if portion > 1 || length < 400_000 {
                    let (inflated, consumed) = inflate(&stream, portion, room).unwrap();
                    assert!(inflated == bytes, "{length} bytes, level {level}, {portion}, {room}");
                    assert_eq!(consumed, end);
                }
            }
        }
    }
}

/// Blocks no encoder of ours writes.
#[test]
fn reads_blocks_of_every_kind() {
    // Fixed codes: a literal, then a match of length 258 at distance 1.
    assert_eq!(
        inflate(&[0x4b, 0x1c, 0x05, 0x00], 9, 9).map(|(bytes, _)| bytes),
        zlib(&[0x4b, 0x1c, 0x05, 0x00]).map(|(bytes, _)| bytes).ok_or(Broken::Symbol)
    );
    // An empty stored block, then an empty fixed one.
    assert_eq!(inflate(&[0, 0, 0, 0xff, 0xff, 3, 0], 9, 9), Ok((Vec::new(), 7)));
    // Stored lengths that disagree, an unknown type, nothing at all.
    assert_eq!(inflate(&[1, 1, 0, 0xff, 0xff, 3, 0], 9, 9), Err(Broken::Stored));
    assert_eq!(inflate(&[7], 9, 9), Err(Broken::Block));
    assert_eq!(inflate(&[], 9, 9), Err(Broken::Truncated));
    // A match before there is anything to match.
    assert_eq!(inflate(&[0x03, 0x02, 0, 0], 9, 9), Err(Broken::Distance));
}

#[test]
fn every_cut_is_told() {
    let stream = deflate(&content(7, 3000), 6);
    for cut in 0..stream.len() {
        assert_eq!(inflate(&stream[..cut], 100, 500), Err(Broken::Truncated), "at {cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What zlib takes, this takes, to the same end and the same bytes; what zlib refuses is refused.
    #[test]
    fn agrees_with_zlib_on_broken_streams(
        seed in any::<u64>(), length in 0_usize..3000, level in 1_u32..10,
        flips in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4),
    ) {
        let mut stream = deflate(&content(seed, length), level);
        for (at, bits) in flips {
            let at = usize::from(at) % stream.len();
            stream[at] ^= bits;
        }
        prop_assert_eq!(inflate(&stream, 1000, 5000).ok(), zlib(&stream));
    }

    #[test]
    fn agrees_with_zlib_on_noise(stream in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(inflate(&stream, 64, 100).ok(), zlib(&stream));
    }
}
