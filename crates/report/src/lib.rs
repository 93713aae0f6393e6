//! The report as text: one file a format, all with the same shape.
//!
//! A writer turns a [`Report`] into bytes and decides nothing: what is a finding, how bad it is and in which order
//! it comes was settled before. This crate must not know how facts were gathered, open files, or read the clock or
//! the environment; what depends on those (colour, width, language, a template's text) comes in by [`Options`].

use std::io::{self, Write};

use yagura_model::Report;

pub mod alerts;
mod cyclonedx;
pub mod graph;
mod grouping;
mod html;
mod json;
mod junit;
mod licence;
mod markdown;
mod messages;
mod openvex;
mod output;
mod sarif;
mod sbom;
mod spdx;
mod summary;
mod table;
mod template;
pub mod terminal;

pub use messages::{Language, Messages};
pub use output::{Format, InvalidOutput, OutputSpec};

/// What a writer may be told; each format heeds what concerns it.
#[derive(Clone, Debug)]
pub struct Options {
    pub language: Language,
    /// Whether terminal colours are wanted. The caller heeds `NO_COLOR` and whether the output is a terminal.
    pub colour: bool,
    /// Columns of the terminal; 0 for no limit.
    pub width: usize,
    /// Show every row where a format would cut a long list.
    pub all: bool,
    pub view: View,
    /// The template of [`Format::Template`].
    pub template: Option<Template>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            language: Language::English,
            colour: false,
            width: 100,
            all: false,
            view: View::Findings,
            template: None,
        }
    }
}

/// What the table shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Findings,
    /// Packages only: `yagura sbom`.
    Inventory,
}

/// A template and the name by which its errors speak of it.
#[derive(Clone, Debug)]
pub struct Template {
    pub name: String,
    pub text: String,
}

/// Writes the report in a format.
pub fn write(format: Format, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, options, out),
        Format::Json => json::write(report, options, out),
        Format::CycloneDxJson => cyclonedx::write(report, options, out),
        Format::SpdxJson => spdx::write(report, options, out),
        Format::Sarif => sarif::write(report, options, out),
        Format::Html => html::write(report, options, out),
        Format::Markdown => markdown::write(report, options, out),
        Format::Junit => junit::write(report, options, out),
        Format::OpenVex => openvex::write(report, options, out),
        Format::Template => template::write(report, options, out),
    }
}
