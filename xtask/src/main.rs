//! What developers run: `cargo run -p xtask -- TASK`.

#![allow(clippy::print_stdout)]

mod snapshot;

use anyhow::{Result, bail};

/// The tasks by name, each in its own file.
const TASKS: &[(&str, fn(&[String]) -> Result<()>)] = &[("snapshot", snapshot::run)];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    match TASKS.iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(arguments.get(1..).unwrap_or_default()),
        None => {
            let names: Vec<&str> = TASKS.iter().map(|(known, _)| *known).collect();
            bail!("no task `{name}`: use one of {}", names.join(", "))
        }
    }
}
