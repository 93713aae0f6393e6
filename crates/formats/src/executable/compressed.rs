//! Documents that build tools store compressed inside a program.
//!
//! cargo-auditable writes its dependency list as zlib-compressed JSON (its PARSING.md); GraalVM writes a CycloneDX
//! document compressed with gzip. Both are known by what they inflate to.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::window::Window;
use crate::archive::inflate::{Inflate, MIN_ROOM};

/// Compressed bytes of one document.
const MAX_COMPRESSED: usize = 4 << 20;
/// Inflated bytes of one document.
const MAX_INFLATED: u64 = 16 << 20;
/// Places in one file where inflating is tried; chance gives one in 16 kB.
const MAX_TRIES: u32 = 1 << 18;
/// Documents gathered whole and found to be something else.
const MAX_FALSE_STARTS: u32 = 32;

const ZLIB_HEADER: usize = 2;
const GZIP_HEADER: usize = 10;

/// Compressed bytes that are looked at to tell what they are.
const BEGINNING: usize = 4 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Zlib,
    Gzip,
}

struct Open {
    wrapping: Wrapping,
    start: u64,
    bytes: Vec<u8>,
}

#[derive(Default)]
pub(super) struct CompressedDocuments {
    pub(super) rust_audit: Option<Vec<u8>>,
    pub(super) native_image_sbom: Option<Vec<u8>>,
    open: Vec<Open>,
    tries: u32,
    false_starts: u32,
    inflate: Inflate,
}

impl CompressedDocuments {
    pub(super) fn feed(&mut self, window: &Window<'_>) {
        for mut open in std::mem::take(&mut self.open) {
            let next = open.start.saturating_add(open.bytes.len() as u64);
            if let Some(rest) = window.rest_at(next) {
                let missing = MAX_COMPRESSED.saturating_sub(open.bytes.len());
                open.bytes.extend_from_slice(rest.get(..missing).unwrap_or(rest));
            }
            self.settle(open);
        }
    }

    pub(super) fn zlib_at(&mut self, at: usize, window: &Window<'_>) {
        if self.rust_audit.is_some() || !self.may_try() {
            return;
        }
        let body = window.bytes().get(at.saturating_add(ZLIB_HEADER)..).unwrap_or_default();
        // A last or middle block with fixed or dynamic codes: text is never stored as it is.
        if body.first().is_none_or(|first| !matches!((first >> 1) & 3, 1 | 2)) {
            return;
        }
        self.tries += 1;
        if starts_like(&mut self.inflate, body, &[b"{\"packages\":[{\"", b"{\"format\":"]) {
            self.begin(Wrapping::Zlib, at, window);
        }
    }

    pub(super) fn gzip_at(&mut self, at: usize, window: &Window<'_>) {
        if self.native_image_sbom.is_some() || !self.may_try() {
            return;
        }
        // Only the plain header (no name, no extra field), as GraalVM writes it.
        let bytes = window.bytes().get(at..).unwrap_or_default();
        if bytes.get(3) != Some(&0) {
            return;
        }
        self.tries += 1;
        let body = bytes.get(GZIP_HEADER..).unwrap_or_default();
        let beginnings: [&[u8]; 3] = [b"{\"bomFormat\"", b"{\n  \"bomFormat\"", b"{\"$schema\""];
        if starts_like(&mut self.inflate, body, &beginnings) {
            self.begin(Wrapping::Gzip, at, window);
        }
    }

    /// Why something may have been missed.
    pub(super) fn problem(&self) -> Option<String> {
        (!self.may_try()).then(|| "too many places that look like compressed data".to_owned())
    }

    fn may_try(&self) -> bool {
        self.tries < MAX_TRIES && self.false_starts < MAX_FALSE_STARTS
    }

    fn begin(&mut self, wrapping: Wrapping, at: usize, window: &Window<'_>) {
        if self.open.iter().any(|open| open.wrapping == wrapping) {
            return;
        }
        let start = window.base().saturating_add(at as u64);
        let bytes = window.bytes().get(at..).unwrap_or_default();
        let bytes = bytes.get(..MAX_COMPRESSED).unwrap_or(bytes).to_vec();
        self.settle(Open { wrapping, start, bytes });
    }

    /// Inflates what has been gathered; keeps it open when the compressed data goes on beyond it.
    fn settle(&mut self, open: Open) {
        let mut inflated = Vec::new();
        let result = match open.wrapping {
            Wrapping::Zlib => {
                ZlibDecoder::new(open.bytes.as_slice()).take(MAX_INFLATED).read_to_end(&mut inflated)
            }
            Wrapping::Gzip => {
                GzDecoder::new(open.bytes.as_slice()).take(MAX_INFLATED).read_to_end(&mut inflated)
            }
        };
        match (result, open.wrapping) {
            (Ok(_), Wrapping::Zlib) => self.rust_audit = Some(inflated),
            (Ok(_), Wrapping::Gzip) => self.native_image_sbom = Some(inflated),
            (Err(error), _)
                if error.kind() == std::io::ErrorKind::UnexpectedEof && open.bytes.len() < MAX_COMPRESSED =>
            {
                self.open.push(open);
            }
            (Err(_), _) => self.false_starts += 1,
        }
    }
}

/// Whether compressed bytes inflate to text with one of these beginnings.
fn starts_like(inflate: &mut Inflate, bytes: &[u8], beginnings: &[&[u8]]) -> bool {
    inflate.reset();
    let bytes = bytes.get(..BEGINNING).unwrap_or(bytes);
    let mut start = [0; 2 * MIN_ROOM];
    // An error after the beginning has come out does not matter here.
    let produced = inflate.step(bytes, true, &mut start, 0).written;
    let start = start.get(..produced).unwrap_or_default();
    beginnings.iter().any(|beginning| start.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    fn program(document: &[u8], before: usize) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend_from_slice(&[2, 0]);
        file.resize(before.max(64), b'x');
        file.extend_from_slice(document);
        file.resize(file.len() + 100_000, 0x78);
        file
    }

    fn zlib(document: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(document).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn finds_documents_across_windows() {
        let json = format!(
            r#"{{"packages":[{}]}}"#,
            (0..20_000)
                .map(|i| format!(r#"{{"name":"p{}","version":"1.{i}.0"}}"#, i * 7919 % 10007))
                .collect::<Vec<_>>()
                .join(",")
        );
        for (level, before) in [(1, 64), (6, 255 * 1024), (7, 600 * 1024), (9, 256 * 1024 - 1)] {
            let file = program(&zlib(json.as_bytes(), level), before);
            let mut reader = file.as_slice();
            let evidence = super::super::read(&mut reader, &mut |_| ()).unwrap().unwrap();
            assert_eq!(evidence.rust_audit.as_deref(), Some(json.as_bytes()), "level {level}");
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(br#"{"bomFormat":"CycloneDX","components":[]}"#).unwrap();
        let file = program(&encoder.finish().unwrap(), 5000);
        let mut reader = file.as_slice();
        let evidence = super::super::read(&mut reader, &mut |_| ()).unwrap().unwrap();
        assert!(evidence.native_image_sbom.is_some() && evidence.rust_audit.is_none());
    }

    #[test]
    fn other_compressed_data_is_left_alone() {
        let file = program(&zlib(br#"{"name":"packages"}"#, 6), 64);
        let mut reader = file.as_slice();
        let evidence = super::super::read(&mut reader, &mut |_| ()).unwrap().unwrap();
        assert_eq!(evidence, super::super::Evidence::default());
    }
}
