//! Deltas: an object as copies out of another one and bytes of its own.

use super::{InvalidObject, MAX_OBJECT_BYTES};

/// The object that `delta` makes of `base`.
pub fn apply(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, InvalidObject> {
    let cut = InvalidObject("a delta that ends early");
    let mut rest = delta;
    let base_size = size(&mut rest).ok_or(cut)?;
    let result_size = size(&mut rest).ok_or(cut)?;
    if base_size != base.len() {
        return Err(InvalidObject("a delta of an object of another size"));
    }
    if result_size > MAX_OBJECT_BYTES {
        return Err(InvalidObject("larger than the bound for objects"));
    }
    let mut result = Vec::with_capacity(result_size);
    while let Some((instruction, after)) = rest.split_first() {
        rest = after;
        let piece = if instruction & 0x80 != 0 {
            let mut number = |bits: u8, shift: u8| {
                let mut value = 0usize;
                for index in 0..bits {
                    if instruction & (1 << (index + shift)) != 0 {
                        let (byte, after) = rest.split_first()?;
                        value |= usize::from(*byte) << (8 * index);
                        rest = after;
                    }
                }
                Some(value)
            };
            let offset = number(4, 0).ok_or(cut)?;
            let length = number(3, 4).ok_or(cut)?;
            let length = if length == 0 { 0x1_0000 } else { length };
            base.get(offset..offset.saturating_add(length))
                .ok_or(InvalidObject("a delta that copies from behind its base"))?
        } else if *instruction > 0 {
            let (piece, after) = rest.split_at_checked(usize::from(*instruction)).ok_or(cut)?;
            rest = after;
            piece
        } else {
            return Err(InvalidObject("a delta with an instruction that is reserved"));
        };
        if result.len() + piece.len() > result_size {
            return Err(InvalidObject("a delta that makes more than it states"));
        }
        result.extend_from_slice(piece);
    }
    if result.len() == result_size { Ok(result) } else { Err(cut) }
}

/// A number in groups of seven bits, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0usize;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_inserts_within_bounds() {
        // Base of 5, result of 7: copy 1..4, insert "xy", copy 0..2.
        let delta = [5, 7, 0x91, 1, 3, 2, b'x', b'y', 0x90, 2];
        assert_eq!(apply(b"abcde", &delta), Ok(b"bcdxyab".to_vec()));
        for cut in 0..delta.len() {
            assert!(apply(b"abcde", &delta[..cut]).is_err(), "{cut}");
        }
        assert!(apply(b"abcd", &delta).is_err());
        assert!(apply(b"abcde", &[5, 3, 0x91, 4, 3]).is_err());
        assert!(apply(b"abcde", &[5, 1, 0]).is_err());
    }
}
