//! Unified diffs (`diff -u`, `git apply`).

use std::fmt::Write as _;

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// Most lines that differ between two texts; beyond it everything between the first and last change is one change.
const MAX_CHANGES: usize = 2_000;

/// One line of the way from the old text to the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Keep,
    Delete,
    Insert,
}

/// The diff of a file's two texts; empty when they are the same.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let steps = steps(&old, &new);
    let mut out = format!("--- a/{path}\n+++ b/{path}\n");
    let changes: Vec<usize> =
        steps.iter().enumerate().filter(|(_, step)| **step != Step::Keep).map(|(at, _)| at).collect();
    let mut from = 0;
    while let Some(first) = changes.get(from).copied() {
        let mut to = from;
        while changes.get(to + 1).is_some_and(|next| next - changes[to] <= 2 * CONTEXT) {
            to += 1;
        }
        let last = changes.get(to).copied().unwrap_or(first);
        let (start, end) = (first.saturating_sub(CONTEXT), (last + CONTEXT + 1).min(steps.len()));
        hunk(&mut out, &steps, start, end, &old, &new);
        from = to + 1;
    }
    out
}

fn hunk(out: &mut String, steps: &[Step], start: usize, end: usize, old: &[&str], new: &[&str]) {
    let count = |range: &[Step], without: Step| range.iter().filter(|step| **step != without).count();
    let before = steps.get(..start).unwrap_or_default();
    let within = steps.get(start..end).unwrap_or_default();
    let (mut old_at, mut new_at) = (count(before, Step::Insert), count(before, Step::Delete));
    let (old_lines, new_lines) = (count(within, Step::Insert), count(within, Step::Delete));
    let first = |at: usize, lines: usize| if lines == 0 { at } else { at + 1 };
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "@@ -{},{old_lines} +{},{new_lines} @@",
        first(old_at, old_lines),
        first(new_at, new_lines)
    );
    for step in within {
        let (mark, line) = match step {
            Step::Keep => (' ', old.get(old_at)),
            Step::Delete => ('-', old.get(old_at)),
            Step::Insert => ('+', new.get(new_at)),
        };
        old_at += usize::from(*step != Step::Insert);
        new_at += usize::from(*step != Step::Delete);
        let line = line.copied().unwrap_or_default();
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The shortest way, by Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986), on what the common beginning and
/// end leave.
fn steps(old: &[&str], new: &[&str]) -> Vec<Step> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    let mut steps = vec![Step::Keep; start];
    steps.extend(shortest(old_rest, new_rest).unwrap_or_else(|| {
        let mut all = vec![Step::Delete; old_rest.len()];
        all.extend(vec![Step::Insert; new_rest.len()]);
        all
    }));
    steps.extend(vec![Step::Keep; end]);
    steps
}

fn shortest(old: &[&str], new: &[&str]) -> Option<Vec<Step>> {
    let most = (old.len() + new.len()).min(MAX_CHANGES);
    let middle = most + 1;
    let mut furthest = vec![0_usize; 2 * most + 3];
    let mut trail: Vec<Vec<usize>> = Vec::new();
    for changes in 0..=most {
        trail.push(furthest[middle - changes..=middle + changes].to_vec());
        for step in 0..=changes {
            // Diagonals −changes, −changes+2, …; `at` is the index of one.
            let at = middle + 2 * step - changes;
            let down = step == 0 || (step != changes && furthest[at - 1] < furthest[at + 1]);
            let mut x = if down { furthest[at + 1] } else { furthest[at - 1] + 1 };
            let mut y = (x + middle).checked_sub(at)?;
            while x < old.len() && y < new.len() && old[x] == new[y] {
                x += 1;
                y += 1;
            }
            furthest[at] = x;
            if x >= old.len() && y >= new.len() {
                return Some(walk_back(&trail, old.len(), new.len()));
            }
        }
    }
    None
}

/// The steps that led to the end.
fn walk_back(trail: &[Vec<usize>], mut x: usize, mut y: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for (changes, furthest) in trail.iter().enumerate().rev() {
        // `furthest` holds the diagonals −changes..=changes as they were before this round.
        let value = |diagonal: isize| {
            usize::try_from(diagonal + changes as isize)
                .ok()
                .and_then(|at| furthest.get(at))
                .copied()
                .unwrap_or(0)
        };
        let diagonal = x as isize - y as isize;
        let limit = changes as isize;
        if changes == 0 {
            steps.extend(std::iter::repeat_n(Step::Keep, x));
            break;
        }
        let down = diagonal == -limit || (diagonal != limit && value(diagonal - 1) < value(diagonal + 1));
        let before = if down { diagonal + 1 } else { diagonal - 1 };
        let before_x = value(before);
        let before_y = usize::try_from(before_x as isize - before).unwrap_or(0);
        let (turn_x, turn_y) = if down { (before_x, before_y + 1) } else { (before_x + 1, before_y) };
        while x > turn_x && y > turn_y {
            steps.push(Step::Keep);
            (x, y) = (x - 1, y - 1);
        }
        steps.push(if down { Step::Insert } else { Step::Delete });
        (x, y) = (before_x, before_y);
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn a_change_shows_with_its_surroundings() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n13a\n14\n15\n";
        let expected = "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -11,5 +11,6 @@\n 11\n 12\n 13\n+13a\n 14\n 15\n";
        assert_eq!(unified("f", old, new), expected);
        assert_eq!(unified("f", old, old), "");
        assert_eq!(
            unified("f", "a", "a\nb"),
            "--- a/f\n+++ b/f\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n"
        );
    }
}
