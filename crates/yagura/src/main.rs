//! The `yagura` program: arguments in, one command run, an exit code out.
//!
//! Exit codes: 0 fine, 1 findings at or over `--fail-on`, 2 wrong use or failed work.

use std::process::ExitCode;

use clap::Parser;

mod advisories;
mod analysers;
mod arguments;
mod commands;
mod feeds;
mod judgement;
mod live;
mod output;
mod policies;
mod progress;
mod scan;
mod secrets;
mod stack;
mod summary;
mod threats;

fn main() -> ExitCode {
    let arguments = match arguments::Yagura::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nothing is left to do when the terminal is gone.
            let _ = error.print();
            return ExitCode::from(if wrong { 2 } else { 0 });
        }
    };
    match commands::run(arguments) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            progress::complain(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
