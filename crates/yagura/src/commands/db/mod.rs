//! `yagura db`: the advisory database.

mod affected;
mod build;
mod fetch;
mod search;
mod status;
mod update;

use anyhow::Result;

use super::Outcome;
use crate::arguments::{Db, Everywhere};

pub fn run(command: &Db, everywhere: &Everywhere) -> Result<Outcome> {
    match command {
        Db::Status => status::run(everywhere),
        Db::Search { text } => search::run(text, everywhere),
        Db::Build(build) => build::run(build, everywhere),
        Db::Update(update) => update::run(update, everywhere),
        Db::Affected(affected) => affected::run(affected, everywhere),
    }
}
