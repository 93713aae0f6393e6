//! Sections: items in order, gathered into blocks when written, found in blocks when read.

use sha2::{Digest, Sha256};

use super::layout::{BLOCK_TARGET, BlockRow, MAX_BLOCK_BYTES, read_varint, write_varint};

/// zstd's strongest ordinary level: the file is written once and read everywhere.
const COMPRESSION_LEVEL: i32 = 19;

/// Gathers items of one section.
#[derive(Default)]
pub struct SectionWriter {
    rows: Vec<BlockRow>,
    bytes: Vec<u8>,
    raw: Vec<u8>,
    key: Vec<u8>,
    first: u32,
    items: u32,
}

/// A finished section; offsets count from its own start.
pub struct Section {
    pub rows: Vec<BlockRow>,
    pub bytes: Vec<u8>,
    pub items: u32,
}

impl SectionWriter {
    /// Adds an item; the key is kept only for the first of a block. False when the item is too large to be kept.
    pub fn push(&mut self, key: &[u8], item: &[u8]) -> std::io::Result<bool> {
        if item.len() > MAX_BLOCK_BYTES / 2 {
            return Ok(false);
        }
        if !self.raw.is_empty() && self.raw.len() + item.len() > BLOCK_TARGET {
            self.close()?;
        }
        if self.raw.is_empty() {
            self.key = key.to_vec();
            self.first = self.items;
        }
        write_varint(&mut self.raw, item.len() as u64);
        self.raw.extend_from_slice(item);
        self.items += 1;
        Ok(true)
    }

    fn close(&mut self) -> std::io::Result<()> {
        if self.raw.is_empty() {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&self.raw, COMPRESSION_LEVEL)?;
        self.rows.push(BlockRow {
            offset: self.bytes.len() as u64,
            length: packed.len() as u32,
            raw_length: self.raw.len() as u32,
            sha256: Sha256::digest(&packed).into(),
            first: self.first,
            key: std::mem::take(&mut self.key),
        });
        self.bytes.extend_from_slice(&packed);
        self.raw.clear();
        Ok(())
    }

    pub fn finish(mut self) -> std::io::Result<Section> {
        self.close()?;
        Ok(Section { rows: self.rows, bytes: self.bytes, items: self.items })
    }
}

/// A verified, inflated block and where its items lie.
#[derive(Debug)]
pub struct Block {
    raw: Vec<u8>,
    /// Start and end of each item.
    items: Vec<(u32, u32)>,
}

impl Block {
    /// Verifies and inflates; the error says what is wrong.
    pub fn open(row: &BlockRow, packed: &[u8]) -> Result<Self, &'static str> {
        if Sha256::digest(packed).as_slice() != row.sha256 {
            return Err("a block does not have the checksum its directory states");
        }
        let raw_length = row.raw_length as usize;
        if raw_length > MAX_BLOCK_BYTES {
            return Err("a block is larger than the bound");
        }
        let raw = zstd::bulk::decompress(packed, raw_length).map_err(|_| "a block does not inflate")?;
        if raw.len() != raw_length {
            return Err("a block does not have the size its directory states");
        }
        let mut items = Vec::new();
        let mut rest = raw.as_slice();
        while !rest.is_empty() {
            let length = read_varint(&mut rest).and_then(|length| usize::try_from(length).ok());
            let length = length.filter(|length| *length <= rest.len()).ok_or("a block's items are cut")?;
            let start = raw.len() - rest.len();
            items.push((start as u32, (start + length) as u32));
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(Self { raw, items })
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// An item by its number within the block; empty past the end.
    pub fn item(&self, number: usize) -> &[u8] {
        let Some((start, end)) = self.items.get(number) else { return &[] };
        self.raw.get(*start as usize..*end as usize).unwrap_or_default()
    }

    /// Bytes it takes in memory.
    pub fn weight(&self) -> usize {
        self.raw.capacity() + self.items.capacity() * 8
    }
}
