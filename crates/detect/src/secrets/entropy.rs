//! How random a text looks.

/// Shannon's entropy of the bytes, in bits a byte: 0 for one repeated byte, at most 8.
pub fn bits(text: &[u8]) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let mut counts = [0u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let length = text.len() as f64;
    let share = |count: &u32| {
        let share = f64::from(*count) / length;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(share).sum()
}

/// The longest run of bytes that follow one another by one step (`abcdef`, `4321`) or are equal (`xxxx`).
pub fn longest_run(text: &[u8]) -> usize {
    let mut longest = usize::from(!text.is_empty());
    let mut run = 1;
    let mut step = None;
    for pair in text.windows(2) {
        let [first, second] = pair else { continue };
        let this = i16::from(*second) - i16::from(*first);
        run = if this.abs() <= 1 && (step == Some(this) || run == 1) { run + 1 } else { 1 };
        step = (run > 1).then_some(this);
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_has_more_than_words() {
        assert_eq!(bits(b""), 0.0);
        assert_eq!(bits(b"aaaa"), 0.0);
        assert_eq!(bits(b"abab"), 1.0);
        assert!(bits(b"q8Zr3Wp0Lk5Yt7Vb2Nm9") > 4.2);
    }

    #[test]
    fn runs_are_seen_in_both_directions() {
        assert_eq!(longest_run(b"abcdef9"), 6);
        assert_eq!(longest_run(b"x54321x"), 5);
        assert_eq!(longest_run(b"zzzz"), 4);
        assert_eq!(longest_run(b"a1b2"), 1);
    }
}
