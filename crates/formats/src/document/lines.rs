//! From byte offsets to line numbers, for parsers that give only offsets.

/// The start of every line of a text.
#[derive(Clone, Debug)]
pub struct Lines {
    breaks: Vec<u32>,
}

impl Lines {
    /// Texts of 4 GiB and more give lines only for their first 4 GiB.
    pub fn of(text: &str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes())
            .map_while(|offset| u32::try_from(offset).ok())
            .collect();
        Self { breaks }
    }

    /// The line (from 1) that holds the byte at `offset`.
    pub fn at(&self, offset: usize) -> u32 {
        let before = self.breaks.partition_point(|line_break| (*line_break as usize) < offset);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The offset at which the line that holds the byte at `offset` starts.
    pub fn start(&self, offset: usize) -> usize {
        self.start_of(self.at(offset))
    }

    /// The offset at which a line (from 1) starts; 0 where there is no such line.
    pub fn start_of(&self, line: u32) -> usize {
        let before = (line as usize).checked_sub(2);
        before.and_then(|last| self.breaks.get(last)).map_or(0, |at| *at as usize + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn a_line_break_belongs_to_the_line_it_ends() {
        let lines = Lines::of("ab\nc\n\nd");
        let at: Vec<u32> = (0..7).map(|offset| lines.at(offset)).collect();
        assert_eq!(at, [1, 1, 1, 2, 2, 3, 4]);
        let starts: Vec<usize> = (0..=5).map(|line| lines.start_of(line)).collect();
        assert_eq!(starts, [0, 0, 3, 5, 6, 0]);
        assert_eq!([lines.start(4), lines.start(6)], [3, 6]);
    }
}
