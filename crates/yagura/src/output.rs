//! Where results go: formats and files, the terminal's width, colour and language.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use yagura_model::Report;
use yagura_report::{Format, Language, Options, OutputSpec, Template, View};

use crate::arguments::{self, Colour, Everywhere};

/// The outputs asked for, checked and opened before any work is done.
pub struct Outputs {
    outputs: Vec<Output>,
    options: Options,
}

struct Output {
    format: Format,
    /// None for standard output.
    file: Option<(PathBuf, File)>,
    template: Option<Template>,
}

/// Where a file lies: what must be writable for it to get its name.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

impl Outputs {
    /// Reads `-o` and creates the files, so that a wrong word or an unwritable place is told at once.
    pub fn open(arguments: &arguments::Output, everywhere: &Everywhere, view: View) -> Result<Self> {
        let specs: Vec<OutputSpec> = match arguments.output.as_slice() {
            [] => vec!["table".parse()?],
            texts => texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        };
        if specs.iter().filter(|spec| spec.destination.is_none()).count() > 1 {
            bail!("only one output can go to the terminal: write -o FORMAT=FILE for the others");
        }
        let outputs = specs.into_iter().map(open).collect::<Result<_>>()?;
        Ok(Self { outputs, options: options(arguments, everywhere, view) })
    }

    /// Writes the report everywhere it was asked for.
    pub fn write(mut self, report: &Report) -> Result<()> {
        for output in &mut self.outputs {
            let mut options = Options { template: output.template.take(), ..self.options.clone() };
            let written = match &mut output.file {
                Some((_, file)) => {
                    options.colour = false;
                    options.width = 0;
                    write(output.format, report, &options, file)
                }
                None => write(output.format, report, &options, &mut io::stdout().lock()),
            };
            match (written, &output.file) {
                // Whoever read us has seen enough.
                (Err(error), None) if error.kind() == io::ErrorKind::BrokenPipe => {}
                (Err(error), None) => return Err(error).context("writing the result"),
                (Err(error), Some((path, _))) => {
                    return Err(error).with_context(|| format!("writing {}", path.display()));
                }
                (Ok(()), _) => {}
            }
        }
        Ok(())
    }
}

fn write(format: Format, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut buffered = BufWriter::new(out);
    yagura_report::write(format, report, options, &mut buffered)?;
    buffered.flush()
}

fn open(spec: OutputSpec) -> Result<Output> {
    let template = match spec.template {
        Some(path) => {
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            Some(Template { name: path.display().to_string(), text })
        }
        None => None,
    };
    let file = match spec.destination {
        Some(path) => {
            let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            Some((path, file))
        }
        None => None,
    };
    Ok(Output { format: spec.format, file, template })
}

fn options(arguments: &arguments::Output, everywhere: &Everywhere, view: View) -> Options {
    let terminal = io::stdout().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = match everywhere.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => terminal && !no_color,
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = match terminal_size::terminal_size() {
        Some((terminal_size::Width(width), _)) if terminal => usize::from(width),
        _ => columns.unwrap_or(if terminal { 100 } else { 0 }),
    };
    Options { language: language(everywhere), colour, width, all: arguments.all, view, template: None }
}

/// `--lang`, else the first of the variables that locale(7) names.
pub fn language(everywhere: &Everywhere) -> Language {
    match everywhere.lang {
        Some(arguments::Language::En) => Language::English,
        Some(arguments::Language::Ja) => Language::Japanese,
        None => ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .and_then(|tag| Language::from_tag(&tag))
            .unwrap_or(Language::English),
    }
}

/// Prints text for people; a reader that has seen enough is no error.
pub fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing the result"),
    }
}

/// A field of RFC 4180. Names come from strangers: what a spreadsheet would take for a formula is disarmed.
pub fn csv_field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
