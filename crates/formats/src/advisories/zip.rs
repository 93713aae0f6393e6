//! Zips of records, as OSV's public bucket lays them out: `<Ecosystem>/all.zip` with one `<ID>.json` each.
//!
//! Read as a stream through the zip's directory, one record in memory at a time.

use std::io::{Read, Seek};

use rawzip::{CompressionMethod, ZipArchive};
use yagura_model::SkipReason;

use super::{Problem, osv};

/// Members one zip may have; the largest public feed has some 220,000.
pub const MAX_MEMBERS: u64 = 2_000_000;
/// How many times its compressed size a member may inflate to; JSON reaches 40 at the most.
pub const MAX_RATIO: u64 = 200;
/// Inflated size that is never judged by ratio, for a member and, times 64, for a whole zip.
const RATIO_FLOOR: u64 = 1 << 20;

/// What a member's directory entry says: enough to know that it has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub crc32: u32,
    pub bytes: u64,
}

/// Takes the records of a zip, in the order of its directory.
pub trait Visitor {
    /// Whether this member is to be inflated.
    fn wants(&mut self, name: &str, fingerprint: Fingerprint) -> bool;
    /// A wanted member, or why it could not be had.
    fn member(&mut self, name: &str, fingerprint: Fingerprint, content: Result<&[u8], Problem>);
}

/// Walks a zip. The error tells why the rest of the zip could not be read; members before it have been visited.
pub fn read<R: Read + Seek>(mut reader: R, visitor: &mut dyn Visitor) -> Result<(), Problem> {
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let length = reader
        .seek(std::io::SeekFrom::End(0))
        .map_err(|error| Problem::new(SkipReason::Unreadable, error.to_string()))?;
    let archive = ZipArchive::from_seekable(reader, &mut buffer).map_err(broken)?;
    let mut left = length.saturating_mul(MAX_RATIO).saturating_add(RATIO_FLOOR * 64);
    let mut inflater =
        Inflater { state: flate2::Decompress::new(false), compressed: Vec::new(), content: Vec::new() };
    let mut entries = archive.entries(&mut buffer);
    let mut members = 0;
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        members += 1;
        if members > MAX_MEMBERS {
            return Err(Problem::new(SkipReason::TooMany, format!("more than {MAX_MEMBERS} members")));
        }
        let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        if entry.is_dir() || !name.ends_with(".json") {
            continue;
        }
        let fingerprint = Fingerprint { crc32: entry.crc32(), bytes: entry.uncompressed_size_hint() };
        if !visitor.wants(&name, fingerprint) {
            continue;
        }
        let read = archive.get_entry(entry.wayfinder()).map_err(broken).and_then(|local| {
            let allowed = allowance(entry.compressed_size_hint(), fingerprint.bytes, left)?;
            inflater.inflate(&local, entry.compression_method(), allowed)
        });
        left = left.saturating_sub(inflater.content.len() as u64);
        visitor.member(&name, fingerprint, read.map(|()| inflater.content.as_slice()));
        inflater.content.clear();
        if left == 0 {
            return Err(Problem::new(
                SkipReason::Ratio,
                format!("inflates to more than {MAX_RATIO} times its {length} bytes"),
            ));
        }
    }
    Ok(())
}

/// How many bytes a member may inflate to.
fn allowance(compressed: u64, claimed: u64, left: u64) -> Result<u64, Problem> {
    if claimed > osv::MAX_RECORD_BYTES {
        return Err(osv::too_large(claimed));
    }
    let by_ratio = compressed.saturating_mul(MAX_RATIO).max(RATIO_FLOOR);
    if claimed > by_ratio {
        return Err(Problem::new(
            SkipReason::Ratio,
            format!("{compressed} bytes claim to hold {claimed}, and {MAX_RATIO} times is the bound"),
        ));
    }
    Ok(by_ratio.min(osv::MAX_RECORD_BYTES).min(left))
}

/// Inflates members one after the other with one state: a state for each would leave the allocator with holes of
/// its size between the facts that are kept.
struct Inflater {
    state: flate2::Decompress,
    compressed: Vec<u8>,
    content: Vec<u8>,
}

impl Inflater {
    /// Fills `content`, at most `allowed` bytes of it, and compares it with the size and checksum of the directory.
    fn inflate<R: rawzip::ReaderAt>(
        &mut self,
        entry: &rawzip::ZipEntry<'_, R>,
        method: CompressionMethod,
        allowed: u64,
    ) -> Result<(), Problem> {
        let unreadable = |error: std::io::Error| Problem::malformed(error.to_string());
        let mut reader = entry.reader();
        // One byte more than allowed, so that reaching the bound and breaking it can be told apart.
        let room = allowed.saturating_add(1);
        match method {
            CompressionMethod::STORE => {
                (&mut reader).take(room).read_to_end(&mut self.content).map_err(unreadable)?;
            }
            CompressionMethod::DEFLATE => {
                self.compressed.clear();
                (&mut reader).take(room).read_to_end(&mut self.compressed).map_err(unreadable)?;
                self.state.reset(false);
                self.content
                    .reserve(usize::try_from(room).unwrap_or(usize::MAX).min(2 * RATIO_FLOOR as usize));
                self.decompress(room)?;
            }
            other => return Err(Problem::new(SkipReason::Unsupported, format!("zip method {other:?}"))),
        }
        if self.content.len() as u64 > allowed {
            return Err(Problem::new(SkipReason::TooLarge, format!("inflates to more than {allowed} bytes")));
        }
        let mut crc = flate2::Crc::new();
        crc.update(&self.content);
        let found = rawzip::ZipVerification { crc: crc.sum(), uncompressed_size: self.content.len() as u64 };
        reader.claim_verifier().valid(found).map_err(broken)
    }

    fn decompress(&mut self, room: u64) -> Result<(), Problem> {
        loop {
            let read = usize::try_from(self.state.total_in()).unwrap_or(usize::MAX);
            let rest = self.compressed.get(read..).unwrap_or_default();
            let before = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress_vec(rest, &mut self.content, flate2::FlushDecompress::Finish)
                .map_err(|error| Problem::malformed(error.to_string()))?;
            let after = (self.state.total_in(), self.state.total_out());
            match status {
                flate2::Status::StreamEnd => return Ok(()),
                _ if after.1 >= room => return Ok(()),
                _ if self.content.len() == self.content.capacity() => {
                    self.content.reserve(RATIO_FLOOR as usize)
                }
                _ if after == before => {
                    return Err(Problem::new(SkipReason::Truncated, "its data ends early"));
                }
                _ => {}
            }
        }
    }
}

fn broken(error: rawzip::Error) -> Problem {
    Problem::malformed(error.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    /// A zip of the given members, deflated.
    pub(crate) fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
        for (name, content) in members {
            let builder = archive.new_file(*name).compression_method(CompressionMethod::DEFLATE);
            let (mut entry, config) = builder.start().unwrap();
            let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
            let mut writer = config.wrap(encoder);
            writer.write_all(content).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        bytes
    }

    #[derive(Default)]
    struct Seen(Vec<(String, Result<Vec<u8>, SkipReason>)>);

    impl Visitor for Seen {
        fn wants(&mut self, name: &str, _: Fingerprint) -> bool {
            name != "unwanted.json"
        }

        fn member(&mut self, name: &str, _: Fingerprint, content: Result<&[u8], Problem>) {
            self.0.push((name.to_owned(), content.map(<[u8]>::to_vec).map_err(|problem| problem.reason)));
        }
    }

    #[test]
    fn visits_records_and_reports_bombs() {
        let bomb = vec![b' '; 5 << 20];
        let bytes = zip_of(&[
            ("a.json", b"{}"),
            ("notes.txt", b"-"),
            ("unwanted.json", b"{}"),
            ("bomb.json", &bomb),
            ("b.json", b"[]"),
        ]);
        let mut seen = Seen::default();
        read(Cursor::new(&bytes), &mut seen).unwrap();
        assert_eq!(
            seen.0,
            [
                ("a.json".to_owned(), Ok(b"{}".to_vec())),
                ("bomb.json".to_owned(), Err(SkipReason::Ratio)),
                ("b.json".to_owned(), Ok(b"[]".to_vec())),
            ]
        );
    }

    #[test]
    fn a_lying_directory_does_not_pass() {
        let mut bytes = zip_of(&[("a.json", b"{\"id\":\"A\"}")]);
        let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[central + 16] ^= 1; // the checksum in the directory
        let mut seen = Seen::default();
        read(Cursor::new(&bytes), &mut seen).unwrap();
        assert_eq!(seen.0, [("a.json".to_owned(), Err(SkipReason::Malformed))]);
        assert!(read(Cursor::new(&bytes[..central]), &mut Seen::default()).is_err());
        assert!(read(Cursor::new(b"not a zip"), &mut Seen::default()).is_err());
    }
}
