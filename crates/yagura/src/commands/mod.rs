//! One file a command; this table is the whole program on a page.

mod db;
mod explain;
mod fix;
mod graph;
mod policy;
mod record;
mod replay;
mod risk;
mod rules;
mod sbom;
mod scan;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;

use crate::arguments::{Command, Yagura};

/// What a command that worked says about its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fine,
    /// Findings at or over the threshold that was asked for.
    Findings,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => ExitCode::SUCCESS,
            Outcome::Findings => ExitCode::from(1),
        }
    }
}

pub fn run(arguments: Yagura) -> Result<Outcome> {
    let everywhere = &arguments.everywhere;
    match arguments.command {
        Command::Scan(scan) => scan::run(&scan, everywhere),
        Command::Sbom(sbom) => sbom::run(&sbom, everywhere),
        Command::Db(db) => db::run(&db, everywhere),
        Command::Explain(explain) => explain::run(&explain, everywhere),
        Command::Risk(risk) => risk::run(&risk, everywhere),
        Command::Graph(graph) => graph::run(&graph, everywhere),
        Command::Replay(replay) => replay::run(&replay, everywhere),
        Command::Watch(watch) => watch::run(&watch, everywhere),
        Command::Fix(fix) => fix::run(&fix, everywhere),
        Command::Policy(policy) => policy::run(&policy, everywhere),
        Command::Record(record) => record::run(&record, everywhere),
        Command::Rules(rules) => rules::run(&rules),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Yagura::command(), "yagura", &mut std::io::stdout());
            Ok(Outcome::Fine)
        }
    }
}
