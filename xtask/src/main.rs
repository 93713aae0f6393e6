//! What developers run: `cargo xtask TASK`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use anyhow::{Result, anyhow};

mod fuzz;
mod snapshot;
mod tidy;

const USAGE: &str = "usage: cargo xtask TASK

  tidy                     hold the crates and dependencies against the tables in ARCHITECTURE.md
  fuzz [TARGET] [SECONDS]  run the fuzz targets for a long time (default: all, 60 s each)
  snapshot --data DIR      compile the embedded advisory snapshot anew";

/// Takes the arguments after its name.
type Task = fn(&[String]) -> Result<()>;

/// The tasks by name, each in its own file.
const TASKS: &[(&str, Task)] = &[("tidy", tidy::run), ("fuzz", fuzz::run), ("snapshot", snapshot::run)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    let result = match TASKS.iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(arguments.get(1..).unwrap_or_default()),
        None => Err(anyhow!("{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
