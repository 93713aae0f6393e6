//! Just enough of SQLite's file format to read one table: `Packages` of rpmdb.sqlite.
//!
//! Format: "Database File Format" of SQLite's documentation (sections 1.3 header, 1.6 B-tree pages, 1.7 overflow
//! pages, 2.1 records, 2.6 schema table). Read only, no index, no free list, no write-ahead log.

use super::bytes::{Order, size_at, slice, u16_at};
use super::{Broken, Each};

/// Size of a write-ahead log that holds nothing but its header.
pub(super) const EMPTY_LOG: u64 = 32;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the B-tree begins on the first page, after the file's header.
const FILE_HEADER: usize = 100;

const INTERIOR: u8 = 0x05;
const LEAF: u8 = 0x0d;

/// Deepest tree: SQLite's own bound on a cursor.
const MAX_DEPTH: usize = 20;

const TABLE: &[u8] = b"Packages";

pub(super) fn blobs(bytes: &[u8], each: Each<'_>) -> Result<(), Broken> {
    let database = Database::open(bytes)?;
    let mut root = None;
    database.walk(1, &mut |record| {
        // Of the schema: type, name, tbl_name, rootpage, sql.
        if let Ok(record) = record
            && let (Some(Column::Bytes(b"table")), Some(Column::Bytes(TABLE)), Some(Column::Number(page))) =
                (column(record, 0), column(record, 1), column(record, 3))
        {
            root = usize::try_from(page).ok();
        }
        root.is_none()
    })?;
    let root = root.ok_or("a SQLite database without rpm's table `Packages`")?;
    database.walk(root, &mut |record| {
        each(record.and_then(|record| match column(record, 1) {
            Some(Column::Bytes(blob)) => Ok(blob),
            _ => Err("a row without a header"),
        }))
    })
}

struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// The page without its reserved tail.
    usable: usize,
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Broken> {
        if !bytes.starts_with(MAGIC) {
            return Err("not a SQLite database");
        }
        let page_size = match u16_at(bytes, 16, Order::Big) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return Err("an impossible page size"),
        };
        let reserved = usize::from(bytes.get(20).copied().unwrap_or_default());
        let usable = page_size - reserved;
        if usable < 480 {
            return Err("pages with more reserved than SQLite allows");
        }
        Ok(Self { bytes, page_size, usable })
    }

    fn page(&self, number: usize) -> Result<&'a [u8], Broken> {
        let at = number.checked_sub(1).and_then(|index| index.checked_mul(self.page_size));
        let page = at
            .and_then(|at| slice(self.bytes, at, self.page_size))
            .ok_or("a page past the end of the file")?;
        Ok(page.get(..self.usable).unwrap_or(page))
    }

    /// Every record of the table whose tree begins at `root`, until `each` has enough.
    fn walk(&self, root: usize, each: Each<'_>) -> Result<(), Broken> {
        let mut budget = Budget { pages: self.bytes.len() / self.page_size + 1, bytes: self.bytes.len() };
        self.walk_page(root, 0, &mut budget, each).map(|_| ())
    }

    /// Whether to go on.
    fn walk_page(
        &self,
        number: usize,
        depth: usize,
        budget: &mut Budget,
        each: Each<'_>,
    ) -> Result<bool, Broken> {
        if depth > MAX_DEPTH {
            return Err("a tree deeper than SQLite builds");
        }
        budget.pages = budget.pages.checked_sub(1).ok_or("a tree with more pages than the file")?;
        let page = match self.page(number) {
            Ok(page) => page,
            Err(reason) if depth > 0 => return Ok(each(Err(reason))),
            Err(reason) => return Err(reason),
        };
        let start = if number == 1 { FILE_HEADER } else { 0 };
        let cells = usize::from(u16_at(page, start + 3, Order::Big).ok_or("a cut page")?);
        match page.get(start) {
            Some(&INTERIOR) => {
                let right = size_at(page, start + 8, Order::Big);
                let children = (0..cells).map(|index| {
                    let cell = u16_at(page, start + 12 + index * 2, Order::Big)?;
                    size_at(page, usize::from(cell), Order::Big)
                });
                for child in children.chain([right]) {
                    let wants_more = match child {
                        Some(child) => self.walk_page(child, depth + 1, budget, each)?,
                        None => each(Err("a cell past its page")),
                    };
                    if !wants_more {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Some(&LEAF) => {
                for index in 0..cells {
                    let cell = u16_at(page, start + 8 + index * 2, Order::Big).map(usize::from);
                    let record =
                        cell.ok_or("a cell past its page").and_then(|at| self.record(page, at, budget));
                    let wants_more = match record {
                        Ok(Record::Here(record)) => each(Ok(record)),
                        Ok(Record::Joined(record)) => each(Ok(&record)),
                        Err(reason) => each(Err(reason)),
                    };
                    if !wants_more {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => {
                let reason = "a page that is no table page";
                if depth > 0 { Ok(each(Err(reason))) } else { Err(reason) }
            }
        }
    }

    /// The record of a leaf cell, joined from its overflow pages where it has some.
    fn record(&self, page: &'a [u8], at: usize, budget: &mut Budget) -> Result<Record<'a>, Broken> {
        let (length, at) = varint(page, at).ok_or("a cut cell")?;
        let (_row, at) = varint(page, at).ok_or("a cut cell")?;
        let length = usize::try_from(length).map_err(|_| "a record longer than the file")?;
        budget.bytes = budget.bytes.checked_sub(length).ok_or("records longer than the file")?;
        let most = self.usable - 35;
        if length <= most {
            return slice(page, at, length).map(Record::Here).ok_or("a cut cell");
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let spread = least + (length - least) % (self.usable - 4);
        let local = if spread <= most { spread } else { least };
        let mut record = Vec::with_capacity(length);
        record.extend_from_slice(slice(page, at, local).ok_or("a cut cell")?);
        let mut next = size_at(page, at + local, Order::Big).ok_or("a cut cell")?;
        while record.len() < length {
            let overflow = self.page(next)?;
            next = size_at(overflow, 0, Order::Big).ok_or("a cut page")?;
            let data = overflow.get(4..).ok_or("a cut page")?;
            let wanted = (length - record.len()).min(data.len());
            record.extend_from_slice(data.get(..wanted).ok_or("a cut page")?);
        }
        Ok(Record::Joined(record))
    }
}

/// What a walk may still visit; a sound file is never visited twice.
struct Budget {
    pages: usize,
    bytes: usize,
}

enum Record<'a> {
    Here(&'a [u8]),
    Joined(Vec<u8>),
}

enum Column<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

/// The value of a column; `None` for NULL, fractions and records that end early.
fn column(record: &[u8], wanted: usize) -> Option<Column<'_>> {
    let (header_length, mut at) = varint(record, 0)?;
    let header_length = usize::try_from(header_length).ok()?;
    let mut value_at = header_length;
    let mut index = 0;
    while at < header_length {
        let (kind, after) = varint(record, at)?;
        at = after;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        if index == wanted {
            let value = slice(record, value_at, length)?;
            return match kind {
                8 => Some(Column::Number(0)),
                9 => Some(Column::Number(1)),
                1..=6 => Some(Column::Number(integer(value))),
                12.. => Some(Column::Bytes(value)),
                _ => None,
            };
        }
        value_at = value_at.checked_add(length)?;
        index += 1;
    }
    None
}

/// Big endian, signed, one to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| (number << 8) | i64::from(*byte))
}

/// A variable-length number and where it ends: seven bits a byte, the ninth byte whole.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for index in 0..9 {
        let byte = *bytes.get(at + index)?;
        if index == 8 {
            return Some((number << 8 | u64::from(byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        assert_eq!(integer(&[0xff, 0xfe]), -2);
        assert_eq!(integer(&[0x01, 0x00]), 256);
        assert_eq!(integer(&[0x80, 0, 0, 0, 0, 0, 0, 0]), i64::MIN);
    }
}
