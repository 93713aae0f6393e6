//! Berkeley DB hash databases (`Packages`), rpm's database up to 4.15.
//!
//! Format: dbinc/db_page.h of Berkeley DB 4 and 5. Page 0 describes the file; hash pages hold keys and values in
//! turn, values larger than a page lie in chains of overflow pages. Byte order is that of the machine that wrote it.

use super::bytes::{Order, size_at, slice, u16_at, u32_at};
use super::{Broken, Each};

const HASH_MAGIC: u32 = 0x0006_1561;

/// Bytes of a page's own header.
const PAGE_HEADER: usize = 26;

const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH: u8 = 13;

/// An item on its page.
const KEY_DATA: u8 = 1;
/// An item in a chain of overflow pages.
const OFF_PAGE: u8 = 3;

/// Page sizes Berkeley DB allows.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=65_536;

/// No header is smaller: the value under key 0 is a counter of four bytes.
const SMALLEST: usize = 24;

struct File<'a> {
    bytes: &'a [u8],
    order: Order,
    page_size: usize,
}

pub(super) fn blobs(bytes: &[u8], each: Each<'_>) -> Result<(), Broken> {
    let order = [Order::Little, Order::Big]
        .into_iter()
        .find(|order| u32_at(bytes, 12, *order) == Some(HASH_MAGIC))
        .ok_or("not a Berkeley DB hash database")?;
    if bytes.get(25) != Some(&HASH_META) {
        return Err("a Berkeley DB file without its first page");
    }
    if bytes.get(24) != Some(&0) {
        return Err("an encrypted Berkeley DB file");
    }
    let page_size = size_at(bytes, 20, order)
        .filter(|size| PAGE_SIZES.contains(size) && size.is_power_of_two())
        .ok_or("an impossible page size")?;
    let file = File { bytes, order, page_size };
    // Values do not overlap: together they are no longer than the file.
    let mut left = bytes.len();
    for page in bytes.chunks_exact(page_size).skip(1) {
        if !matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            continue;
        }
        for item in file.values(page) {
            let value = match item {
                Ok(Item::Here(value)) if value.len() < SMALLEST => continue,
                Ok(Item::Here(value)) => Ok(std::borrow::Cow::Borrowed(value)),
                Ok(Item::Chain { first, length }) => {
                    left = left.checked_sub(length).ok_or("the values are longer than the file")?;
                    file.chain(first, length).map(std::borrow::Cow::Owned)
                }
                Err(reason) => Err(reason),
            };
            if !each(value.as_deref().map_err(|reason| *reason)) {
                return Ok(());
            }
        }
    }
    if !bytes.len().is_multiple_of(page_size) {
        return Err("the last page is cut");
    }
    Ok(())
}

enum Item<'a> {
    Here(&'a [u8]),
    Chain { first: usize, length: usize },
}

impl<'a> File<'a> {
    /// The values of a hash page: every second item.
    fn values(&self, page: &'a [u8]) -> impl Iterator<Item = Result<Item<'a>, Broken>> + use<'a> {
        let order = self.order;
        let entries = usize::from(u16_at(page, 20, order).unwrap_or_default());
        let offset = move |index: usize| {
            let at = u16_at(page, PAGE_HEADER + index * 2, order)?;
            Some(usize::from(at))
        };
        (1..entries).step_by(2).map(move |index| {
            // Items fill the page from its end: one reaches up to the one before.
            let start = offset(index).ok_or("an item index past its page")?;
            let end = offset(index - 1).ok_or("an item index past its page")?;
            let item = page.get(start..end).ok_or("items that overlap")?;
            match item.split_first() {
                Some((&KEY_DATA, value)) => Ok(Item::Here(value)),
                Some((&OFF_PAGE, _)) => Ok(Item::Chain {
                    first: size_at(item, 4, order).ok_or("a cut reference")?,
                    length: size_at(item, 8, order).ok_or("a cut reference")?,
                }),
                _ => Err("an item of an unknown kind"),
            }
        })
    }

    /// Joins overflow pages from `first` until `length` bytes are there.
    fn chain(&self, first: usize, length: usize) -> Result<Vec<u8>, Broken> {
        let mut value = Vec::with_capacity(length.min(self.bytes.len()));
        let mut number = first;
        while value.len() < length {
            let at = number.checked_mul(self.page_size).filter(|_| number != 0);
            let page = at
                .and_then(|at| slice(self.bytes, at, self.page_size))
                .ok_or("an overflow page past the end of the file")?;
            if page.get(25) != Some(&OVERFLOW) {
                return Err("a chain that leaves the overflow pages");
            }
            let stored = usize::from(u16_at(page, 22, self.order).unwrap_or_default());
            let data = slice(page, PAGE_HEADER, stored).filter(|data| !data.is_empty());
            let data = data.ok_or("an overflow page of an impossible length")?;
            let wanted = (length - value.len()).min(data.len());
            value.extend_from_slice(data.get(..wanted).unwrap_or_default());
            number = size_at(page, 16, self.order).unwrap_or_default();
        }
        Ok(value)
    }
}
