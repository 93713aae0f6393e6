//! `yagura graph connectivity`: which pods and addresses may talk to which, as policies decide it.

use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use yagura_assess::connectivity::addresses::Family;
use yagura_assess::connectivity::table::{Row, rows};
use yagura_assess::connectivity::{Connectivity, Direction};
use yagura_report::terminal;

use super::{Outcome, tell};
use crate::arguments::{Everywhere, GraphConnectivity, TableFormat};
use crate::output::csv_field;
use crate::progress::Progress;
use crate::stack;

pub fn run(arguments: &GraphConnectivity, everywhere: &Everywhere) -> Result<Outcome> {
    let progress = Progress::new(everywhere.quiet);
    let stack = stack::read(&arguments.paths)?;
    let connectivity = Connectivity::new(&stack.cluster);
    let mut notes: Vec<String> =
        stack.skipped.iter().map(|skipped| format!("{}: {}", skipped.path, skipped.detail)).collect();
    notes.extend(notes_on(&connectivity, arguments.ipv6));
    if stack.cluster.workloads.is_empty() {
        notes.push("no workload was found: nothing can talk".to_owned());
    }
    let families: &[Family] = if arguments.ipv6 { &[Family::V4, Family::V6] } else { &[Family::V4] };
    let written = match arguments.output {
        TableFormat::Csv => csv(&connectivity, families),
        TableFormat::Json => json(&connectivity, families),
        TableFormat::Table => table(&connectivity, families),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.context("writing the table")?,
    }
    tell(&progress, &notes);
    Ok(Outcome::Fine)
}

/// What the reader of the table should know.
fn notes_on(connectivity: &Connectivity<'_>, ipv6: bool) -> Vec<String> {
    let cluster = connectivity.cluster;
    let mut notes: Vec<String> = connectivity
        .entries()
        .1
        .into_iter()
        .map(|dead| format!("{}: {}", cluster.show(dead.place), dead.detail))
        .collect();
    let speaks_of_v6 = [Direction::Ingress, Direction::Egress]
        .into_iter()
        .any(|direction| connectivity.address_ranges(direction, Family::V6).len() > 1);
    if speaks_of_v6 && !ipv6 {
        notes.push("policies speak of IPv6 addresses; --ipv6 lists them, too".to_owned());
    }
    let on_host = cluster.workloads.iter().filter(|workload| workload.spec.host_network).count();
    if on_host > 0 && !cluster.policies.is_empty() {
        notes.push(format!(
            "{on_host} workloads are on the network of their node, where most network plugins apply no policy; the \
             table shows what the policies say"
        ));
    }
    notes
}

fn csv(connectivity: &Connectivity<'_>, families: &[Family]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "src,dst,conn")?;
    rows(connectivity, families, |row| {
        writeln!(
            out,
            "{},{},{}",
            csv_field(&row.source),
            csv_field(&row.destination),
            csv_field(&row.connections)
        )
    })?;
    out.flush()
}

fn json(connectivity: &Connectivity<'_>, families: &[Family]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut before = "[\n";
    rows(connectivity, families, |row| {
        write!(out, "{before}  {}", serde_json::to_string(&row)?)?;
        before = ",\n";
        io::Result::Ok(())
    })?;
    writeln!(out, "{}", if before == "[\n" { "[]" } else { "\n]" })?;
    out.flush()
}

fn table(connectivity: &Connectivity<'_>, families: &[Family]) -> io::Result<()> {
    let mut all: Vec<Row> = Vec::new();
    rows(connectivity, families, |row| {
        all.push(row);
        io::Result::Ok(())
    })?;
    let widest =
        |text: fn(&Row) -> &str| all.iter().map(|row| terminal::width(&terminal::escape(text(row)))).max();
    let source = widest(|row| &row.source).unwrap_or(0).max("SOURCE".len());
    let destination = widest(|row| &row.destination).unwrap_or(0).max("DESTINATION".len());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = |a: &str, b: &str, c: &str| {
        let pad = |text: &str, columns| terminal::pad(&terminal::escape(text), columns);
        writeln!(out, "{}  {}  {}", pad(a, source), pad(b, destination), terminal::escape(c))
    };
    line("SOURCE", "DESTINATION", "CONNECTIONS")?;
    for row in &all {
        line(&row.source, &row.destination, &row.connections)?;
    }
    out.flush()
}
