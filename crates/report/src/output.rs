//! What `-o FORMAT[=FILE]` means. The command line derives its help from [`Format::ALL`].

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Table,
    Json,
    CycloneDxJson,
    SpdxJson,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Table, Self::Json, Self::CycloneDxJson, Self::SpdxJson];

    /// The word of `-o`.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// One line of help.
    pub fn description(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Table => ("table", "for people at a terminal"),
            Self::Json => ("json", "everything, in the published schema (docs/schema)"),
            Self::CycloneDxJson => {
                ("cyclonedx-json", "CycloneDX 1.6, with vulnerabilities when there are findings")
            }
            Self::SpdxJson => ("spdx-json", "SPDX 2.3"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One `-o`: a format and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    pub format: Format,
    /// The template to read, for [`Format::Template`] only.
    pub template: Option<PathBuf>,
    /// The file to write; none for standard output.
    pub destination: Option<PathBuf>,
}

/// Why an `-o` means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOutput {
    #[error("`{word}` is not an output format: use one of {}", names())]
    UnknownFormat { word: String },
    #[error("`{word}` names no file after the `=`: write {word}FILE, or leave the `=` out")]
    EmptyFile { word: String },
    #[error("`template` needs a template: write template=TEMPLATE or template=TEMPLATE=FILE")]
    NoTemplate,
}

fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}

impl FromStr for OutputSpec {
    type Err = InvalidOutput;

    /// `FORMAT`, `FORMAT=FILE`, `template=TEMPLATE` or `template=TEMPLATE=FILE`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, file) = match text.split_once('=') {
            Some((word, file)) => (word, Some(file)),
            None => (text, None),
        };
        let format = Format::ALL.into_iter().find(|format| format.name() == word).ok_or_else(|| {
            InvalidOutput::UnknownFormat { word: crate::terminal::escape(word).chars().take(60).collect() }
        })?;
        if file == Some("") {
            return Err(InvalidOutput::EmptyFile { word: text.to_owned() });
        }
        Ok(Self { format, template: None, destination: file.map(PathBuf::from) })
    }
}
