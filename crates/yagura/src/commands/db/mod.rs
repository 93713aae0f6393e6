//! `yagura db`: the advisory database.

mod build;
mod search;
mod status;

use anyhow::Result;

use super::Outcome;
use crate::arguments::{Db, Everywhere};

pub fn run(command: &Db, everywhere: &Everywhere) -> Result<Outcome> {
    match command {
        Db::Status => status::run(everywhere),
        Db::Search { text } => search::run(text, everywhere),
        Db::Build(build) => build::run(build, everywhere),
    }
}
