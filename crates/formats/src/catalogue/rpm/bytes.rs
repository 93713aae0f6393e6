//! Numbers at an offset, or nothing where the file ends.

/// Byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

pub(super) fn u16_at(bytes: &[u8], at: usize, order: Order) -> Option<u16> {
    let raw = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(match order {
        Order::Little => u16::from_le_bytes(raw),
        Order::Big => u16::from_be_bytes(raw),
    })
}

pub(super) fn u32_at(bytes: &[u8], at: usize, order: Order) -> Option<u32> {
    let raw = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(match order {
        Order::Little => u32::from_le_bytes(raw),
        Order::Big => u32::from_be_bytes(raw),
    })
}

/// A 32-bit number as a size or an offset.
pub(super) fn size_at(bytes: &[u8], at: usize, order: Order) -> Option<usize> {
    usize::try_from(u32_at(bytes, at, order)?).ok()
}

/// `length` bytes from `at`.
pub(super) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}
