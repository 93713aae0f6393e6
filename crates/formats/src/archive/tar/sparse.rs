//! Sparse files: which parts of the content are stored, the rest being zeros (GNU tar's manual, "Storing Sparse
//! Files": old GNU, 0.0, 0.1 and 1.0).

use super::header::number;

/// Bound for the segments of one file.
pub(super) const MAX_SEGMENTS: usize = 1 << 16;

/// A stored part of a sparse file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Appends the segments of an old GNU map (24 bytes each). `None` when a number is broken or the bound is reached.
pub(super) fn read_old_map(bytes: &[u8], segments: &mut Vec<Segment>) -> Option<()> {
    for pair in bytes.as_chunks::<24>().0 {
        // An unused slot is empty.
        if pair[0] == 0 {
            return Some(());
        }
        if segments.len() >= MAX_SEGMENTS {
            return None;
        }
        segments.push(Segment { offset: number(&pair[..12])?, length: number(&pair[12..])? });
    }
    Some(())
}

/// Whether the segments follow one another within `size` and hold exactly the `stored` bytes.
pub(super) fn is_valid(segments: &[Segment], size: u64, stored: u64) -> bool {
    let mut end = 0u64;
    let mut total = 0u64;
    for segment in segments {
        let Some(segment_end) = segment.offset.checked_add(segment.length) else { return false };
        if segment.offset < end || segment_end > size {
            return false;
        }
        end = segment_end;
        total = total.saturating_add(segment.length);
    }
    total == stored
}
