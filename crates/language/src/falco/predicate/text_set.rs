//! A set of texts that answers quickly for texts it does not hold, which is the usual case.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

#[derive(Clone, Debug, Default)]
pub struct TextSet {
    /// Bit n: a member has n bytes; the last bit stands for all longer ones.
    lengths: u64,
    members: HashSet<Box<[u8]>, BuildHasherDefault<Fnv>>,
}

impl TextSet {
    pub fn new<'a>(members: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut set = Self::default();
        for member in members {
            set.lengths |= length_bit(member);
            set.members.insert(member.into());
        }
        set
    }

    pub fn contains(&self, text: &[u8]) -> bool {
        self.lengths & length_bit(text) != 0 && self.members.contains(text)
    }
}

fn length_bit(text: &[u8]) -> u64 {
    1 << text.len().min(63)
}

/// FNV-1a. The members come from rules, so nobody who sends events can make them collide.
#[derive(Clone)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_usize(&mut self, length: usize) {
        self.0 = (self.0 ^ length as u64).wrapping_mul(0x0100_0000_01b3);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
