//! One 512-byte header block (POSIX.1-1988 ustar, GNU tar's manual "Basic Tar Format").

use yagura_model::SkipReason;

use crate::archive::Problem;

pub(super) const BLOCK: usize = 512;

/// Who wrote the block; decides what the bytes after the names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Before ustar: names and numbers only.
    V7,
    Ustar,
    Gnu,
}

/// A header block whose checksum is right.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    block: &'a [u8; BLOCK],
    pub(super) dialect: Dialect,
}

impl<'a> Header<'a> {
    /// Checks the block's checksum. `offset` is for the words of the problem.
    pub(super) fn new(block: &'a [u8; BLOCK], offset: u64) -> Result<Self, Problem> {
        let malformed =
            |detail: &str| Problem::new(SkipReason::Malformed, format!("{detail} at byte {offset}"));
        let stated = octal(&block[148..156]).ok_or_else(|| malformed("no tar header"))?;
        // The checksum counts its own field as spaces. Old programs summed signed bytes.
        let field: u32 = block[148..156].iter().map(|byte| u32::from(*byte)).sum();
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        if u64::from(sum - field + 8 * 32) != stated {
            let field: i64 = block[148..156].iter().map(|byte| i64::from(*byte as i8)).sum();
            let sum: i64 = block.iter().map(|byte| i64::from(*byte as i8)).sum();
            if i64::try_from(stated) != Ok(sum - field + 8 * 32) {
                return Err(malformed("tar header with a wrong checksum"));
            }
        }
        let dialect = match &block[257..265] {
            b"ustar  \0" => Dialect::Gnu,
            [b'u', b's', b't', b'a', b'r', 0, ..] => Dialect::Ustar,
            _ => Dialect::V7,
        };
        Ok(Self { block, dialect })
    }

    pub(super) fn kind(&self) -> u8 {
        self.block[156]
    }

    /// Appends the full name.
    pub(super) fn name_into(&self, out: &mut Vec<u8>) {
        let prefix = match self.dialect {
            Dialect::Ustar if &self.block[508..512] == b"tar\0" => text(&self.block[345..476]),
            Dialect::Ustar => text(&self.block[345..500]),
            // GNU keeps times here. Go before 1.9 wrote a prefix beside GNU's magic all the same.
            Dialect::Gnu if self.block[345] != 0 && number(&self.block[345..357]).is_none() => {
                text(&self.block[345..500])
            }
            _ => &[],
        };
        if !prefix.is_empty() {
            out.extend_from_slice(prefix);
            out.push(b'/');
        }
        out.extend_from_slice(text(&self.block[..100]));
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(&self.block[157..257])
    }

    pub(super) fn mode(&self) -> u32 {
        number(&self.block[100..108]).map_or(0, |mode| (mode & 0o7777) as u32)
    }

    /// Bytes of content stored in the archive; `None` when the field is no number.
    pub(super) fn size(&self) -> Option<u64> {
        number(&self.block[124..136])
    }

    /// Old GNU sparse files: the first four segments, whether more blocks of them follow, and the full size.
    pub(super) fn sparse(&self) -> (&'a [u8], bool, Option<u64>) {
        (&self.block[386..482], self.block[482] != 0, number(&self.block[483..495]))
    }
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    field.get(..end).unwrap_or_default()
}

/// A numeric field: octal text, or GNU's base-256 when the first bit is set. Negative numbers are `None`.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => {
            // The second bit is the sign of a two's complement number.
            if first & 0x40 != 0 {
                return None;
            }
            field.iter().enumerate().try_fold(0u64, |value, (index, byte)| {
                let byte = if index == 0 { byte & 0x3f } else { *byte };
                value.checked_mul(256)?.checked_add(u64::from(byte))
            })
        }
        _ => octal(field),
    }
}

/// Octal digits between spaces and NULs; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    digits.get(..end)?.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn reads_the_spellings_of_numbers() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"77777777777 ", Some(0o77777777777)),
            (b"\x80\0\0\0\0\0\0\x01\0\0\0\0", Some(1 << 32)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"00000899\0", None),
            (b"0x1f\0", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
