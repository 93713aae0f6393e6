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
    Sarif,
    Html,
    Markdown,
    Junit,
    OpenVex,
    Template,
}

impl Format {
    pub const ALL: [Self; 10] = [
        Self::Table,
        Self::Json,
        Self::Sarif,
        Self::CycloneDxJson,
        Self::SpdxJson,
        Self::Html,
        Self::Markdown,
        Self::Junit,
        Self::OpenVex,
        Self::Template,
    ];

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
            Self::Sarif => ("sarif", "SARIF 2.1.0, for code scanning"),
            Self::Html => ("html", "one self-contained page to read and search"),
            Self::Markdown => ("markdown", "a comment for a pull request"),
            Self::Junit => ("junit", "JUnit XML, for CI systems"),
            Self::OpenVex => ("openvex", "OpenVEX 0.2.0: a statement for each flaw, to carry on from"),
            Self::Template => {
                ("template", "a Jinja template of yours, template=TEMPLATE[=FILE], over the shape of json")
            }
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
    #[error("`{word}` ends with `=`: write a file's name after it, or leave the `=` out")]
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
        let (template, file) = match (format, file) {
            (Format::Template, None) => return Err(InvalidOutput::NoTemplate),
            (Format::Template, Some(file)) => match file.split_once('=') {
                Some((template, file)) => (Some(template), Some(file)),
                None => (Some(file), None),
            },
            (_, file) => (None, file),
        };
        if file == Some("") || template == Some("") {
            return Err(InvalidOutput::EmptyFile { word: crate::terminal::escape(text).into_owned() });
        }
        Ok(Self { format, template: template.map(PathBuf::from), destination: file.map(PathBuf::from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Format, Option<String>, Option<String>), InvalidOutput> {
        let shown = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
        text.parse()
            .map(|OutputSpec { format, template, destination }| (format, shown(template), shown(destination)))
    }

    #[test]
    fn reads_formats_files_and_templates() {
        let some = |text: &str| Some(text.to_owned());
        for (text, expected) in [
            ("table", (Format::Table, None, None)),
            ("json=out/report.json", (Format::Json, None, some("out/report.json"))),
            ("sarif=a=b", (Format::Sarif, None, some("a=b"))),
            ("template=my.tpl", (Format::Template, some("my.tpl"), None)),
            ("template=my.tpl=out.txt", (Format::Template, some("my.tpl"), some("out.txt"))),
        ] {
            assert_eq!(parse(text), Ok(expected));
        }
        for format in Format::ALL {
            assert!(format == Format::Template || parse(format.name()).is_ok());
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert!(error("yaml").contains("use one of table, json, sarif, cyclonedx-json"));
        assert!(error("json=").contains("ends with `=`"));
        assert!(error("template").contains("template=TEMPLATE"));
        assert!(error("template=x=").contains("ends with `=`"));
        assert!(error("a\u{1b}[31m").contains("a\\u{1b}"));
    }
}
