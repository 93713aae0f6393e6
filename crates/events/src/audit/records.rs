//! JSON records in a stream of bytes, found by counting brackets; nothing else is parsed here.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use yagura_model::SkipReason;

/// Largest record. The API server cuts its own at 1.5 MB, CloudTrail at 256 kB.
pub const MAX_RECORD: usize = 16 << 20;
const BUFFER: usize = 256 << 10;
/// Keys of an object that hold records, as they are written.
const LIST_KEYS: &[&[u8]] = &[b"\"Records\"", b"\"items\""];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Something in the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// The text of one object.
    Text(&'a [u8]),
    /// Bytes that hold no record, or too large a one; the stream goes on behind them.
    Skipped { reason: SkipReason, line: u64, detail: &'static str },
}

/// Finds the records of a log.
pub struct Records<R> {
    input: R,
    scanner: Scanner,
    /// Nothing more can be read.
    ended: bool,
}

impl Records<BufReader<Box<dyn Read + Send>>> {
    /// Reads a log that may be compressed with gzip.
    pub fn open(input: impl Read + Send + 'static) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(BUFFER, input);
        let compressed = input.fill_buf()?.starts_with(&GZIP_MAGIC);
        let input: Box<dyn Read + Send> =
            if compressed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        Ok(Self::new(BufReader::with_capacity(BUFFER, input)))
    }
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self { input, scanner: Scanner::default(), ended: false }
    }

    /// The next record, or none at the end.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        self.scanner.record.clear();
        while !self.ended {
            let (used, found) = match self.input.fill_buf() {
                Ok([]) => {
                    self.ended = true;
                    let detail = "the log ends within a record";
                    return Ok(self
                        .scanner
                        .is_open()
                        .then(|| self.scanner.skip(SkipReason::Truncated, detail)));
                }
                Ok(chunk) => self.scanner.scan(chunk),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_damage(&error) => {
                    self.ended = true;
                    let detail = "the compressed log is damaged or cut off";
                    return Ok(Some(self.scanner.skip(SkipReason::Truncated, detail)));
                }
                Err(error) => return Err(error),
            };
            self.input.consume(used);
            match found {
                None => {}
                Some(Found::Record) => return Ok(Some(Record::Text(&self.scanner.record))),
                Some(Found::TooLarge) => {
                    let detail = "a record is larger than 16 MiB";
                    return Ok(Some(self.scanner.skip(SkipReason::TooLarge, detail)));
                }
                Some(Found::Noise) => {
                    let detail = "text that is no JSON object";
                    return Ok(Some(self.scanner.skip(SkipReason::Malformed, detail)));
                }
            }
        }
        Ok(None)
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}

enum Found {
    Record,
    TooLarge,
    Noise,
}

/// What the bytes so far mean.
#[derive(Default)]
struct Scanner {
    record: Vec<u8>,
    /// Brackets open within the record, its own counted.
    depth: u32,
    /// Lists of records that are open, with the depth of what stands around them once they end.
    lists: u32,
    /// Brackets open in what stands around the records: the rest of an object whose list was found.
    around: u32,
    in_text: bool,
    escaped: bool,
    /// Where in the record the last text at its first level starts.
    text_start: usize,
    /// The last token at the first level was a key that names a list, and then its colon.
    list_key: ListKey,
    too_large: bool,
    /// Bytes that belong to nothing are passed over up to the end of their line.
    in_noise: bool,
    lines: u64,
    record_line: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum ListKey {
    #[default]
    None,
    Name,
    Colon,
}

impl Scanner {
    fn is_open(&self) -> bool {
        self.depth > 0
    }

    fn skip(&mut self, reason: SkipReason, detail: &'static str) -> Record<'static> {
        self.record.clear();
        Record::Skipped { reason, line: self.record_line.saturating_add(1), detail }
    }

    /// Reads bytes up to the end of a record, and says how many it took.
    fn scan(&mut self, chunk: &[u8]) -> (usize, Option<Found>) {
        for (at, byte) in chunk.iter().enumerate() {
            if *byte == b'\n' {
                self.lines += 1;
            }
            let found = if self.in_noise {
                self.in_noise = *byte != b'\n';
                None
            } else if self.depth == 0 {
                self.between(*byte)
            } else {
                self.within(*byte)
            };
            if found.is_some() {
                return (at + 1, found);
            }
        }
        (chunk.len(), None)
    }

    /// A byte that is in no record.
    fn between(&mut self, byte: u8) -> Option<Found> {
        if self.around > 0 && self.lists == 0 {
            self.around(byte);
            return None;
        }
        match byte {
            b'{' => {
                self.record_line = self.lines;
                (self.depth, self.too_large, self.list_key) = (1, false, ListKey::None);
                self.record.push(byte);
            }
            b'[' => self.lists += 1,
            b']' if self.lists > 0 => self.lists -= 1,
            // NUL bytes and byte order marks stand at the start of some logs.
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0 | 0xef | 0xbb | 0xbf => {}
            _ => {
                self.record_line = self.lines;
                self.in_noise = true;
                return Some(Found::Noise);
            }
        }
        None
    }

    /// The rest of an object whose list of records has been read.
    fn around(&mut self, byte: u8) {
        if self.in_text {
            self.text(byte);
            return;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.around = self.around.saturating_add(1),
            b'}' | b']' => self.around -= 1,
            _ => {}
        }
    }

    fn text(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_text = false;
        }
    }

    fn within(&mut self, byte: u8) -> Option<Found> {
        if self.record.len() < MAX_RECORD {
            self.record.push(byte);
        } else {
            self.too_large = true;
        }
        if self.in_text {
            self.text(byte);
            if !self.in_text && self.depth == 1 && !self.too_large {
                let text = self.record.get(self.text_start..).unwrap_or_default();
                self.list_key = if LIST_KEYS.contains(&text) { ListKey::Name } else { ListKey::None };
            }
            return None;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.text_start = self.record.len().saturating_sub(1);
            }
            b':' if self.list_key == ListKey::Name => {
                self.list_key = ListKey::Colon;
                return None;
            }
            b' ' | b'\t' | b'\r' | b'\n' => return None,
            b'[' if self.list_key == ListKey::Colon && self.depth == 1 && self.around == 0 => {
                // This object is no record but holds them.
                self.record.clear();
                (self.depth, self.around, self.lists) = (0, 1, 1);
            }
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(if self.too_large { Found::TooLarge } else { Found::Record });
                }
            }
            _ => {}
        }
        if byte != b'"' {
            self.list_key = ListKey::None;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut records = Records::open(io::Cursor::new(bytes.to_vec())).unwrap();
        let mut all = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            all.push(match record {
                Record::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Record::Skipped { reason, line, .. } => format!("{reason:?} {line}"),
            });
        }
        all
    }

    #[test]
    fn records_are_found_in_every_form_of_a_log() {
        let expected = ["{\"a\":\"}{\\\"[\"}", "{\"b\": [{}, 1]}"];
        let [a, b] = expected;
        for log in [
            format!("{a}\n{b}\n"),
            format!("{a}{b}"),
            format!("[{a},\n {b}]"),
            format!("{{\"Records\":[{a},{b}]}}"),
            format!(
                "{{\"kind\": \"EventList\", \"metadata\": {{}}, \"items\" : [ {a}, {b} ], \"x\": [\"]}}\"]}}"
            ),
            format!("\u{feff}{{\"Records\": [{a}]}}\n{{\"Records\": [{b}]}}"),
        ] {
            assert_eq!(read(log.as_bytes()), expected, "{log}");
        }
        let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        write!(compressed, "{{\"Records\":[{a},{b}]}}").unwrap();
        let bytes = compressed.finish().unwrap();
        assert_eq!(read(&bytes), expected);
        let cut = read(&bytes[..bytes.len() - 12]);
        assert!(cut.last().unwrap().starts_with("Truncated"), "{cut:?}");
    }

    #[test]
    fn what_is_no_record_is_told_and_passed_over() {
        assert_eq!(read(b"noise { here\n{\"a\":1}\n"), ["Malformed 1", "{\"a\":1}"]);
        assert_eq!(read(b"{\"a\":1}\n{\"b\":"), ["{\"a\":1}", "Truncated 2"]);
        assert_eq!(read(b""), [""; 0]);
        assert_eq!(read(b"{\"Records\":[]}"), [""; 0]);
        // A key of that name further inside is a record's own.
        assert_eq!(read(b"{\"x\":{\"items\":[{}]}}"), ["{\"x\":{\"items\":[{}]}}"]);
        assert_eq!(read(b"{\"Records\":[{\"items\":[{}]}]}"), ["{\"items\":[{}]}"]);
    }

    #[test]
    fn a_record_without_end_costs_no_memory() {
        let mut log = b"{\"a\":\"".to_vec();
        log.resize(MAX_RECORD + 1000, b'x');
        log.extend_from_slice(b"\"}{\"b\":1}");
        assert_eq!(read(&log), ["TooLarge 1", "{\"b\":1}"]);
    }
}
