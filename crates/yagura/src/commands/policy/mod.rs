//! `yagura policy`: the configuration rules themselves.

mod describe;
mod export;
mod list;
mod new;
mod test;

use anyhow::Result;

pub use describe::{describe, describe_check};

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::policies::Policy;

pub fn run(arguments: &Policy, everywhere: &Everywhere) -> Result<Outcome> {
    match arguments {
        Policy::List(list) => list::run(list, everywhere),
        Policy::Test(test) => test::run(test),
        Policy::New(new) => new::run(new),
        Policy::Export(export) => export::run(export, everywhere),
    }
}
