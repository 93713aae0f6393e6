//! Hash maps keyed by small numbers.
//!
//! Thread ids and descriptors come from captures, which may be hostile: the key of the hash is random, once for each
//! process, so that colliding keys cannot be prepared. Results must not depend on the order of such a map.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0x59u8));

/// A map from a number.
pub type NumberMap<K, V> = HashMap<K, V, NumberHashing>;

#[derive(Clone, Copy, Debug)]
pub struct NumberHashing(u64);

impl Default for NumberHashing {
    fn default() -> Self {
        Self(*SEED)
    }
}

impl BuildHasher for NumberHashing {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher(self.0)
    }
}

/// Folds the double-width product of key and a constant, which spreads every bit over the whole hash.
#[derive(Clone, Copy, Debug)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.write_u64(chunk.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
}
