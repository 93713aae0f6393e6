//! `-p FORMAT` and `--filter CONDITION`, compiled for each source when its first event comes.

use std::collections::HashMap;
use std::io::{self, Write};

use anyhow::{Result, anyhow, bail};
use yagura_language::falco::condition::{self, Expression};
use yagura_language::falco::output::Format;
use yagura_language::falco::predicate::{Compiler, Memory, NodeId, Program};
use yagura_model::field::{FieldCatalogue, Fields};

use crate::threats;

pub struct Printer {
    format: Option<String>,
    filter: Option<Expression>,
    sources: HashMap<&'static str, Compiled>,
    out: io::BufWriter<io::Stdout>,
}

struct Compiled {
    format: Option<Format>,
    filter: Option<(Program, NodeId, Memory)>,
}

impl Printer {
    pub fn new(format: Option<&str>, filter: Option<&str>) -> Result<Self> {
        let filter = match filter {
            Some(text) => {
                Some(condition::parse(text).map_err(|error| anyhow!("--filter, {}: {error}", error.at))?)
            }
            None => None,
        };
        let printer = Self {
            format: format.map(str::to_owned),
            filter,
            sources: HashMap::new(),
            out: io::BufWriter::new(io::stdout()),
        };
        // What suits no source at all is wrong use, before anything is read.
        let mut errors = Vec::new();
        for catalogue in threats::sources() {
            match printer.compile(catalogue) {
                Ok(_) => return Ok(printer),
                Err(error) => errors.push(error.to_string()),
            }
        }
        match errors.into_iter().next() {
            Some(error) => bail!(error),
            None => Ok(printer),
        }
    }

    fn compile(&self, catalogue: &dyn FieldCatalogue) -> Result<Compiled> {
        let source = catalogue.source();
        let format = match &self.format {
            Some(text) => Some(
                Format::compile(text, catalogue).map_err(|error| anyhow!("--print for {source}: {error}"))?,
            ),
            None => None,
        };
        let filter = match &self.filter {
            Some(expression) => {
                let mut program = Program::default();
                let node = Compiler::new(catalogue)
                    .condition(expression, &mut program)
                    .map_err(|error| anyhow!("--filter for {source}, {}: {error}", error.at))?;
                Some((program, node, Memory::default()))
            }
            None => None,
        };
        Ok(Compiled { format, filter })
    }

    fn source(&mut self, source: &'static str) -> Result<&mut Compiled> {
        if !self.sources.contains_key(source) {
            let catalogue = threats::sources().into_iter().find(|catalogue| catalogue.source() == source);
            let catalogue = catalogue.ok_or_else(|| anyhow!("no source is called {source}"))?;
            let compiled = self.compile(catalogue)?;
            self.sources.insert(source, compiled);
        }
        self.sources.get_mut(source).ok_or_else(|| anyhow!("no source is called {source}"))
    }

    pub fn heeds<E: Fields + ?Sized>(&mut self, source: &'static str, event: &E) -> Result<bool> {
        if self.filter.is_none() {
            return Ok(true);
        }
        let Some((program, node, memory)) = &mut self.source(source)?.filter else { return Ok(true) };
        memory.next_event();
        Ok(program.evaluate(*node, event, memory))
    }

    /// Prints nothing for an event that lacks a value, unless the format starts with `*`.
    pub fn print<E: Fields + ?Sized>(&mut self, source: &'static str, event: &E) -> Result<()> {
        if self.format.is_none() {
            return Ok(());
        }
        let line = self.source(source)?.format.as_ref().and_then(|format| format.text(event));
        if let Some(line) = line {
            writeln!(self.out, "{}", yagura_report::terminal::escape(&line))?;
        }
        Ok(())
    }

    pub fn finish(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
