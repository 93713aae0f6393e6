//! Pairs of versions to compare, the same on every run.

/// xorshift64*
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Pieces of a generated version.
const MAX_PIECES: usize = 7;
/// Versions of one ecosystem that are compared.
const MAX_VERSIONS: usize = 60_000;

/// Versions made of pieces, paired with a version that differs in one piece or with another one.
pub fn generated(starts: &[&str], pieces: &[&str], count: usize) -> Vec<(String, String)> {
    let mut dice = Dice(SEED);
    let version = |dice: &mut Dice| -> Vec<&str> {
        let (start, length) = (dice.pick(starts), dice.below(MAX_PIECES));
        std::iter::once(start).chain((0..length).map(|_| dice.pick(pieces))).collect()
    };
    (0..count)
        .map(|_| {
            let first = version(&mut dice);
            let second = if dice.below(3) == 0 {
                version(&mut dice)
            } else {
                let mut second = first.clone();
                let at = dice.below(second.len());
                match dice.below(3) {
                    0 => second[at] = dice.pick(pieces),
                    1 => second.insert(at, dice.pick(pieces)),
                    _ => drop(second.remove(at)),
                }
                second
            };
            (first.concat(), second.concat())
        })
        .filter(|(a, b)| !a.is_empty() && !b.is_empty())
        .collect()
}

/// Each version with the one after it in the alphabet, and with one from anywhere.
pub fn neighbours(versions: &[String]) -> Vec<(String, String)> {
    let mut dice = Dice(SEED);
    let step = versions.len().div_ceil(MAX_VERSIONS).max(1);
    versions
        .windows(2)
        .step_by(step)
        .flat_map(|pair| {
            let anywhere = versions[dice.below(versions.len())].clone();
            [(pair[0].clone(), pair[1].clone()), (pair[0].clone(), anywhere)]
        })
        .collect()
}

/// npm ranges, each with a version.
pub fn ranges_and_versions(count: usize) -> Vec<(String, String)> {
    const OPERATORS: [&str; 12] = ["", "", "^", "~", ">", ">=", "<", "<=", "=", "~>", "^ ", ">= "];
    const NUMBERS: [&str; 6] = ["0", "1", "2", "3", "10", "x"];
    const PRE: [&str; 6] = ["", "", "", "-0", "-rc.1", "-beta"];
    let mut dice = Dice(SEED);
    let partial = |dice: &mut Dice| -> String {
        let parts = 1 + dice.below(5).min(2);
        let numbers: Vec<&str> = (0..parts).map(|_| dice.pick(&NUMBERS)).collect();
        // A number behind a wildcard means different things from release to release.
        let open = numbers.iter().position(|number| *number == "x").map_or(parts, |at| at + 1);
        let numbers = &numbers[..open];
        let pre = if parts == 3 && !numbers.contains(&"x") { dice.pick(&PRE) } else { "" };
        format!("{}{pre}", numbers.join("."))
    };
    let set = |dice: &mut Dice| -> String {
        match dice.below(6) {
            0 => format!("{} - {}", partial(dice), partial(dice)),
            1 => ["*", "", "x", "latest", ">*", "<x", "1.2.3.4"][dice.below(7)].to_owned(),
            2 | 3 => format!(
                "{}{} {}{}",
                dice.pick(&OPERATORS),
                partial(dice),
                dice.pick(&OPERATORS),
                partial(dice)
            ),
            _ => format!("{}{}", dice.pick(&OPERATORS), partial(dice)),
        }
    };
    (0..count)
        .map(|_| {
            let range = match dice.below(4) {
                0 => format!("{} || {}", set(&mut dice), set(&mut dice)),
                _ => set(&mut dice),
            };
            let version: Vec<&str> = (0..3).map(|_| dice.pick(&NUMBERS[..5])).collect();
            (range, format!("{}{}", version.join("."), dice.pick(&PRE)))
        })
        .collect()
}
