//! Huffman codes as lookup tables (RFC 1951, 3.2.2).
//!
//! One 32-bit entry answers all that a decoder asks: how many bits to take, what they stand for, and which of them are
//! extra. Codes longer than the table's index lead to a second table behind the first.

/// Longest code there is.
pub(super) const MAX_LENGTH: usize = 15;
/// Symbols for literals, lengths and the end of a block.
pub(super) const LITERALS: usize = 288;
pub(super) const DISTANCES: usize = 32;
pub(super) const PRECODES: usize = 19;

/// The entry is a literal: its byte is the entry's value.
pub(super) const LITERAL: u32 = 1 << 31;
/// The entry is neither a literal, a length nor a distance: the flags below say what it is.
pub(super) const EXCEPTION: u32 = 1 << 15;
/// The value is where a second table begins; bits 8 to 11 are the bits of its index.
pub(super) const SUBTABLE: u32 = 1 << 14;
/// The end of the block.
pub(super) const END: u32 = 1 << 13;

const VALUE_SHIFT: u32 = 16;
const LENGTH_SHIFT: u32 = 8;

/// A literal's byte, a length's or distance's base, the start of a second table.
#[inline(always)]
pub(super) fn value(entry: u32) -> usize {
    ((entry & !LITERAL) >> VALUE_SHIFT) as usize
}

/// Bits to take, extra ones included.
#[inline(always)]
pub(super) fn bits(entry: u32) -> u32 {
    entry & 0x3f
}

/// The length of the code alone, or of a second table's index.
#[inline(always)]
pub(super) fn code_length(entry: u32) -> u32 {
    entry >> LENGTH_SHIFT & 0xf
}

const fn entry(value: u32, extra_bits: u32) -> u32 {
    value << VALUE_SHIFT | extra_bits
}

/// What the symbols of literals and lengths stand for (RFC 1951, 3.2.5).
pub(super) static LITERAL_SYMBOLS: [u32; LITERALS] = {
    let mut symbols = [EXCEPTION; LITERALS];
    let mut symbol = 0;
    while symbol < 256 {
        symbols[symbol] = LITERAL | entry(symbol as u32, 0);
        symbol += 1;
    }
    symbols[256] = EXCEPTION | END;
    let mut base = 3;
    symbol = 257;
    while symbol < 285 {
        let extra_bits = if symbol < 265 { 0 } else { (symbol as u32 - 261) / 4 };
        symbols[symbol] = entry(base, extra_bits);
        base += 1 << extra_bits;
        symbol += 1;
    }
    symbols[285] = entry(258, 0);
    symbols
};

pub(super) static DISTANCE_SYMBOLS: [u32; DISTANCES] = {
    let mut symbols = [EXCEPTION; DISTANCES];
    let mut base = 1;
    let mut symbol = 0;
    while symbol < 30 {
        let extra_bits = if symbol < 4 { 0 } else { symbol as u32 / 2 - 1 };
        symbols[symbol] = entry(base, extra_bits);
        base += 1 << extra_bits;
        symbol += 1;
    }
    symbols
};

pub(super) static PRECODE_SYMBOLS: [u32; PRECODES] = {
    let mut symbols = [0; PRECODES];
    let mut symbol = 0;
    while symbol < PRECODES {
        symbols[symbol] = entry(symbol as u32, 0);
        symbol += 1;
    }
    symbols
};

/// A table of `SIZE` entries, the first `1 << INDEX_BITS` of which are looked up with the next bits of the stream.
pub(super) struct Table<const SIZE: usize, const INDEX_BITS: u32> {
    entries: [u32; SIZE],
}

impl<const SIZE: usize, const INDEX_BITS: u32> Table<SIZE, INDEX_BITS> {
    const INDEX: usize = {
        assert!(SIZE >= 1 << INDEX_BITS);
        (1 << INDEX_BITS) - 1
    };

    pub(super) const fn empty() -> Self {
        Self { entries: [EXCEPTION; SIZE] }
    }

    /// The entry for the next bits of the stream.
    #[inline(always)]
    pub(super) fn look_up(&self, bits: u64) -> u32 {
        self.entries[bits as usize & Self::INDEX]
    }

    /// The entry of the second table that `pointer` names, once the first table's bits are taken.
    #[inline(always)]
    pub(super) fn look_deeper(&self, pointer: u32, bits: u64) -> u32 {
        let index = value(pointer) + (bits as usize & ((1 << code_length(pointer)) - 1));
        self.entries.get(index).copied().unwrap_or(EXCEPTION)
    }

    /// Lays out the table for these code lengths, one a symbol; 0 leaves a symbol out. `None` when they make no code:
    /// too many codes or too few, save that of one symbol alone, or none at all, which writers do make.
    pub(super) fn build(&mut self, lengths: &[u8], symbols: &[u32]) -> Option<()> {
        let mut counts = [0_u16; MAX_LENGTH + 1];
        for length in lengths {
            *counts.get_mut(usize::from(*length))? += 1;
        }
        counts[0] = 0;
        // Symbols in the order of their codes.
        let mut starts = [0_u16; MAX_LENGTH + 2];
        let mut space = 0_u32;
        for length in 1..=MAX_LENGTH {
            starts[length + 1] = starts[length] + counts[length];
            space += u32::from(counts[length]) << (MAX_LENGTH - length);
        }
        let used = usize::from(starts[MAX_LENGTH + 1]);
        let mut sorted = [0_u16; LITERALS];
        for (symbol, length) in lengths.iter().enumerate() {
            if *length != 0 {
                let place = starts.get_mut(usize::from(*length))?;
                *sorted.get_mut(usize::from(*place))? = symbol as u16;
                *place += 1;
            }
        }
        let sorted = sorted.get(..used)?;
        if space < 1 << MAX_LENGTH {
            return self.build_incomplete(sorted, &counts, symbols);
        }
        if space > 1 << MAX_LENGTH {
            return None;
        }
        self.build_complete(sorted, &counts, symbols)
    }

    /// No symbol, or one with a code of one bit.
    fn build_incomplete(
        &mut self,
        sorted: &[u16],
        counts: &[u16; MAX_LENGTH + 1],
        symbols: &[u32],
    ) -> Option<()> {
        self.entries.fill(EXCEPTION | 1);
        match sorted {
            [] => Some(()),
            [only] if counts[1] == 1 => {
                let symbol = symbols.get(usize::from(*only))? + (1 << LENGTH_SHIFT | 1);
                for entry in self.entries.get_mut(..=Self::INDEX)?.iter_mut().step_by(2) {
                    *entry = symbol;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Codes are counted up bit-reversed, as the stream holds them. The table begins with as few entries as the
    /// shortest code needs and is doubled whenever codes grow by a bit, so each entry is written about twice.
    fn build_complete(
        &mut self,
        sorted: &[u16],
        counts: &[u16; MAX_LENGTH + 1],
        symbols: &[u32],
    ) -> Option<()> {
        let mut sorted = sorted.iter();
        let mut code = 0_usize;
        let mut size = 1;
        for (length, count) in counts.iter().enumerate().take(INDEX_BITS as usize + 1).skip(1) {
            let (filled, rest) = self.entries.split_at_mut_checked(size)?;
            rest.get_mut(..size)?.copy_from_slice(filled);
            size <<= 1;
            for symbol in sorted.by_ref().take(usize::from(*count)) {
                let entry = symbols.get(usize::from(*symbol))? + (length << LENGTH_SHIFT | length) as u32;
                *self.entries.get_mut(code)? = entry;
                code = next_code(code, length);
            }
        }
        let index_bits = INDEX_BITS as usize;
        let mut prefix = None;
        let (mut start, mut end) = (0, size);
        for length in index_bits + 1..=MAX_LENGTH {
            let beyond = length - index_bits;
            for at in 0..counts[length] {
                let symbol = sorted.next()?;
                if prefix != Some(code & Self::INDEX) {
                    prefix = Some(code & Self::INDEX);
                    // As many bits as fill the space below this prefix.
                    let mut table_bits = beyond;
                    let mut space = usize::from(counts[length] - at);
                    while space < 1 << table_bits && index_bits + table_bits < MAX_LENGTH {
                        table_bits += 1;
                        space = (space << 1) + usize::from(counts[index_bits + table_bits]);
                    }
                    start = end;
                    end += 1 << table_bits;
                    let pointer = EXCEPTION | SUBTABLE | entry(start as u32, INDEX_BITS);
                    *self.entries.get_mut(code & Self::INDEX)? =
                        pointer | (table_bits as u32) << LENGTH_SHIFT;
                }
                let entry = symbols.get(usize::from(*symbol))? + (beyond << LENGTH_SHIFT | beyond) as u32;
                let first = start + (code >> index_bits);
                for slot in self.entries.get_mut(first..end)?.iter_mut().step_by(1 << beyond) {
                    *slot = entry;
                }
                code = next_code(code, length);
            }
        }
        Some(())
    }
}

/// The code after this one, counted with the first bit of the stream as the highest.
fn next_code(code: usize, length: usize) -> usize {
    let zeros = !code & ((1 << length) - 1);
    match zeros.checked_ilog2() {
        Some(highest) => code & ((1 << highest) - 1) | 1 << highest,
        None => code,
    }
}
