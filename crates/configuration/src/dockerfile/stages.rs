//! What is known while a file is followed from top to bottom: variables, the stage, its user and shell.

use std::collections::HashMap;

use super::Instruction;
use super::expand::{Known, expand};

/// Most variables that are followed in a stage; what is set beyond counts as unknown.
const MAX_VARIABLES: usize = 1000;

/// Arguments that the builder sets by itself.
const BUILDER: &[&str] = &[
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

/// Variables at one place of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    values: HashMap<String, Known>,
    /// Whether a base image that we do not see may have set others.
    pub open: bool,
}

impl Scope {
    pub fn lookup(&self, name: &str) -> Known {
        match self.values.get(name) {
            Some(known) => known.clone(),
            None if self.open => Known::Unknown,
            None => Known::Unset,
        }
    }

    pub fn set(&mut self, name: &str, value: Option<String>) {
        let value = value.map_or(Known::Unknown, Known::Value);
        if self.values.len() < MAX_VARIABLES || self.values.contains_key(name) {
            self.values.insert(name.to_owned(), value);
        } else {
            self.open = true;
        }
    }

    pub fn expand(&self, raw: &str, escape: char) -> Option<String> {
        expand(raw, escape, &|name| self.lookup(name))
    }
}

/// The scope of what stands before the first `FROM`.
pub(super) fn global() -> Scope {
    let values = BUILDER.iter().map(|name| ((*name).to_owned(), Known::Unknown)).collect();
    Scope { values, open: false }
}

/// A stage as far as it was followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    pub index: usize,
    pub name: Option<String>,
    /// The reference it starts from; none where it cannot be known.
    pub image: Option<String>,
    /// The earlier stage it starts from.
    pub parent: Option<usize>,
    pub scope: Scope,
    /// Whether its files end up in the image that the file builds: the last stage and those it starts from.
    pub shipped: bool,
    pub user: User,
    pub shell: Shell,
    pub workdir: bool,
    pub windows: bool,
}

/// Whom commands run as.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum User {
    /// Whatever the base image says.
    #[default]
    Base,
    /// Root: nothing else in an image that starts from nothing.
    Nobody,
    Named(String),
    Unknown,
}

/// What runs command lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shell {
    pub words: Vec<String>,
    /// Whether it reads the POSIX language.
    pub posix: bool,
    /// Whether a `SHELL` instruction chose it.
    pub chosen: bool,
}

impl Default for Shell {
    fn default() -> Self {
        Self { words: vec!["/bin/sh".to_owned(), "-c".to_owned()], posix: true, chosen: false }
    }
}

impl Shell {
    pub fn windows() -> Self {
        let words = ["cmd", "/S", "/C"].map(str::to_owned).to_vec();
        Self { words, posix: false, chosen: false }
    }

    pub fn of(words: Vec<String>) -> Self {
        let program = words.first().map_or("", |word| word.rsplit(['/', '\\']).next().unwrap_or(word));
        let program = program.to_ascii_lowercase();
        let posix = crate::shell::is_shell(program.strip_suffix(".exe").unwrap_or(&program));
        Self { words, posix, chosen: true }
    }

    /// Whether a failing command of a pipeline fails the pipeline.
    pub fn pipefail(&self) -> bool {
        let options = self.words.iter().skip(1);
        let mut after = false;
        for word in options {
            if after && word == "pipefail" {
                return true;
            }
            after = word.starts_with('-') && word.ends_with('o');
        }
        false
    }
}

/// Whether an image is one of Windows, by its name.
pub(super) fn is_windows(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    ["windowsservercore", "nanoserver", "windows/servercore", "microsoft/windows", "/windows:", "/windows/"]
        .iter()
        .any(|part| image.contains(part))
}

/// The value of a flag.
pub(super) fn flag<'i>(instruction: &'i Instruction, name: &str) -> Option<&'i str> {
    instruction.flags.iter().find(|flag| flag.name == name)?.value.as_deref()
}
