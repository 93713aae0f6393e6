//! The fuzz targets for as long as asked: the loop of the brief test with a clock instead of a count.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use yagura_fuzz::mutate::Mutator;

const DEFAULT_SECONDS: u64 = 60;

/// An input that takes longer than this counts as a hang.
const SLOW: Duration = Duration::from_secs(5);

pub fn run(arguments: &[String]) -> Result<()> {
    let (mut pattern, mut seconds) = ("", DEFAULT_SECONDS);
    for argument in arguments {
        match argument.parse() {
            Ok(number) => seconds = number,
            Err(_) => pattern = argument,
        }
    }
    let targets: Vec<_> = yagura_fuzz::all().into_iter().filter(|t| t.name.contains(pattern)).collect();
    if targets.is_empty() {
        bail!("no fuzz target has `{pattern}` in its name");
    }
    let mut broken = 0;
    for target in targets {
        let seeds = (target.seeds)();
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut round = 0;
        while Instant::now() < end {
            let input = Mutator::new(round).input(&seeds);
            let start = Instant::now();
            let panicked = catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err();
            if panicked || start.elapsed() > SLOW {
                broken += 1;
                let file =
                    std::env::temp_dir().join(format!("fuzz-{}-{round}", target.name.replace('/', "-")));
                std::fs::write(&file, &input).with_context(|| format!("writing {}", file.display()))?;
                let what = if panicked { "panicked" } else { "hung" };
                println!("{}: {what} at round {round}; input in {}", target.name, file.display());
                break;
            }
            round += 1;
        }
        println!("{}: {round} rounds", target.name);
    }
    if broken > 0 {
        bail!("{broken} targets are broken");
    }
    Ok(())
}
