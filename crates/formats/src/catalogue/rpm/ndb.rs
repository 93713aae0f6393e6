//! ndb, rpm's own database (`Packages.db`), the default on SUSE.
//!
//! Format: lib/backend/ndb/rpmpkg.c of rpm. Little endian; pages of 4,096 bytes hold slots of 16 bytes, the first
//! page begins with a header of two slots' size; a slot names where its blob lies, in blocks of 16 bytes.

use super::bytes::{Order, size_at, slice};
use super::{Broken, Each};

const PAGE: usize = 4096;
const SLOT: usize = 16;
const BLOCK: usize = 16;

/// Bytes before a blob: magic, package number, generation, length.
const BLOB_HEAD: usize = 16;

/// Bytes after it: checksum, length, magic.
const BLOB_TAIL: usize = 12;

pub(super) fn blobs(bytes: &[u8], each: Each<'_>) -> Result<(), Broken> {
    if !bytes.starts_with(b"RpmP") {
        return Err("not an ndb package database");
    }
    if size_at(bytes, 4, Order::Little) != Some(0) {
        return Err("an unknown version of the ndb package database");
    }
    let pages = size_at(bytes, 12, Order::Little).ok_or("the header is cut")?;
    let end = pages.checked_mul(PAGE).filter(|end| *end <= bytes.len() && *end > 0);
    let end = end.ok_or("the slot pages reach past the end of the file")?;
    let mut left = bytes.len();
    for slot in bytes.get(2 * SLOT..end).unwrap_or_default().chunks_exact(SLOT) {
        if !slot.starts_with(b"Slot") {
            if !each(Err("a slot without its magic")) {
                return Ok(());
            }
            continue;
        }
        let (Some(number), Some(block), Some(count)) = (
            size_at(slot, 4, Order::Little),
            size_at(slot, 8, Order::Little),
            size_at(slot, 12, Order::Little),
        ) else {
            continue;
        };
        // Free slots.
        if number == 0 || block == 0 {
            continue;
        }
        let blob = blob(bytes, number, block, count);
        // Blobs do not overlap: together they are no longer than the file.
        left = left.checked_sub(blob.map_or(0, <[u8]>::len)).ok_or("the slots share blobs")?;
        if !each(blob) {
            return Ok(());
        }
    }
    Ok(())
}

fn blob(bytes: &[u8], number: usize, block: usize, count: usize) -> Result<&[u8], Broken> {
    let at = block.checked_mul(BLOCK).ok_or("a blob past the end of the file")?;
    let room = count.checked_mul(BLOCK).ok_or("a blob past the end of the file")?;
    let whole = slice(bytes, at, room).ok_or("a blob past the end of the file")?;
    if !whole.starts_with(b"BlbS") || size_at(whole, 4, Order::Little) != Some(number) {
        return Err("a blob that is not its slot's");
    }
    let length = size_at(whole, 12, Order::Little).ok_or("a blob without a length")?;
    let most = whole.len().checked_sub(BLOB_HEAD + BLOB_TAIL).ok_or("a blob shorter than its frame")?;
    if length > most {
        return Err("a blob longer than its blocks");
    }
    slice(whole, BLOB_HEAD, length).ok_or("a blob longer than its blocks")
}
