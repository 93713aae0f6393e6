//! Every target for a moment, on stable: a panic names the target, and the round reproduces it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use yagura_fuzz::mutate::Mutator;

const ROUNDS: u64 = 400;

#[test]
fn no_target_panics() {
    let mut broken = Vec::new();
    for target in yagura_fuzz::all() {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for seed in &seeds {
            (target.run)(seed);
        }
        for round in 0..ROUNDS {
            let input = Mutator::new(round).input(&seeds);
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
                broken.push(format!("{} at round {round}", target.name));
                break;
            }
        }
    }
    assert!(broken.is_empty(), "panicked: {broken:?}");
}
