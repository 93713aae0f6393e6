//! Extended headers (POSIX.1-2001 pax interchange format) and GNU tar's records in them.

use super::sparse::{MAX_SEGMENTS, Segment};

/// The records of one extended header that matter here; empty values count as absent.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) size: Option<u64>,
    pub(super) capability: Vec<u8>,
    /// `GNU.sparse.name`: the real name, `path` being a made-up one.
    pub(super) sparse_name: Vec<u8>,
    /// `GNU.sparse.size` (0.x) or `GNU.sparse.realsize` (1.0).
    pub(super) sparse_size: Option<u64>,
    pub(super) sparse_major: Option<u64>,
    /// Whether 0.x records gave a map.
    pub(super) sparse_mapped: bool,
    pub(super) segments: Vec<Segment>,
}

/// Why a header could not be used to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A record's length or form is wrong; what came before it stands.
    Record,
    /// A sparse map with more segments than the bound.
    Segments,
}

impl Records {
    pub(super) fn clear(&mut self) {
        self.path.clear();
        self.link.clear();
        self.capability.clear();
        self.sparse_name.clear();
        self.segments.clear();
        self.size = None;
        self.sparse_size = None;
        self.sparse_major = None;
        self.sparse_mapped = false;
    }

    /// Reads the records of one header: `length SP key=value LF`, each.
    pub(super) fn read(&mut self, mut body: &[u8]) -> Result<(), Broken> {
        self.clear();
        let mut pending_offset = None;
        while !body.is_empty() && body.first() != Some(&0) {
            let space = memchr::memchr(b' ', body.get(..20).unwrap_or(body)).ok_or(Broken::Record)?;
            let length =
                decimal(&body[..space]).and_then(|n| usize::try_from(n).ok()).ok_or(Broken::Record)?;
            let record = body.get(space + 1..length).ok_or(Broken::Record)?;
            let record = record.strip_suffix(b"\n").ok_or(Broken::Record)?;
            let equals = memchr::memchr(b'=', record).ok_or(Broken::Record)?;
            self.take(&record[..equals], &record[equals + 1..], &mut pending_offset)?;
            body = &body[length..];
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], value: &[u8], pending_offset: &mut Option<u64>) -> Result<(), Broken> {
        let number = || decimal(value).ok_or(Broken::Record);
        let name = || if memchr::memchr(0, value).is_some() { Err(Broken::Record) } else { Ok(value) };
        match key {
            b"path" => replace(&mut self.path, name()?),
            b"linkpath" => replace(&mut self.link, name()?),
            b"size" if !value.is_empty() => self.size = Some(number()?),
            b"SCHILY.xattr.security.capability" => replace(&mut self.capability, value),
            b"GNU.sparse.name" => replace(&mut self.sparse_name, name()?),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse_size = Some(number()?),
            b"GNU.sparse.major" => self.sparse_major = Some(number()?),
            b"GNU.sparse.offset" => *pending_offset = Some(number()?),
            b"GNU.sparse.numbytes" => {
                let offset = pending_offset.take().ok_or(Broken::Record)?;
                self.push(Segment { offset, length: number()? })?;
            }
            b"GNU.sparse.map" if !value.is_empty() => {
                let mut numbers = value.split(|byte| *byte == b',');
                while let Some(offset) = numbers.next() {
                    let length = numbers.next().and_then(decimal).ok_or(Broken::Record)?;
                    self.push(Segment { offset: decimal(offset).ok_or(Broken::Record)?, length })?;
                }
            }
            b"GNU.sparse.map" | b"GNU.sparse.numblocks" => self.sparse_mapped = true,
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, segment: Segment) -> Result<(), Broken> {
        self.sparse_mapped = true;
        if self.segments.len() >= MAX_SEGMENTS {
            return Err(Broken::Segments);
        }
        self.segments.push(segment);
        Ok(())
    }
}

fn replace(field: &mut Vec<u8>, value: &[u8]) {
    field.clear();
    field.extend_from_slice(value);
}

/// Decimal digits only; no sign, no spaces, not empty.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with its length counted in, as pax demands.
    fn record(key: &str, value: &str) -> String {
        let rest = format!(" {key}={value}\n");
        let mut length = rest.len() + 1;
        while length.to_string().len() + rest.len() != length {
            length += 1;
        }
        format!("{length}{rest}")
    }

    #[test]
    fn reads_names_numbers_and_maps() {
        let body = [
            record("mtime", "1.5"),
            record("path", "a/b\n30 path=evil"),
            record("size", "12"),
            record("GNU.sparse.map", "0,5,100,7"),
        ]
        .concat();
        let mut records = Records::default();
        records.read(body.as_bytes()).unwrap();
        assert_eq!(records.path, b"a/b\n30 path=evil");
        assert_eq!(records.size, Some(12));
        assert_eq!(records.segments, [Segment { offset: 0, length: 5 }, Segment { offset: 100, length: 7 }]);
    }

    #[test]
    fn refuses_records_that_lie_about_their_length() {
        let mut records = Records::default();
        for body in [
            "5 a=b\n",
            "999 path=x\n",
            "path=x\n",
            "99999999999999999999 path=x\n",
            "0 \n",
            "1 \n",
            "9 path=\0\n",
        ] {
            assert_eq!(records.read(body.as_bytes()), Err(Broken::Record), "{body:?}");
        }
        assert_eq!(records.read(record("path", "a\0b").as_bytes()), Err(Broken::Record));
        let offsets = "0,0,".repeat(MAX_SEGMENTS) + "0,0";
        assert_eq!(records.read(record("GNU.sparse.map", &offsets).as_bytes()), Err(Broken::Segments));
    }
}
