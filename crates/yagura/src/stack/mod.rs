//! A stack as it lies in files: which of them say something of it, and what they say together.

mod files;
pub mod parts;
pub mod risks;
pub mod what_if;

use std::path::{Path, PathBuf};

use anyhow::Result;
use yagura_assess::graph::PackageUse;
use yagura_assess::kubernetes::Cluster;
use yagura_collect::sandbox;
use yagura_formats::document::{self, json, yaml};
use yagura_model::Skipped;

use files::Text;

/// What was read of the files.
#[derive(Default)]
pub struct Stack {
    pub cluster: Cluster,
    /// What profiles saw in use.
    pub uses: Vec<PackageUse>,
    pub skipped: Vec<Skipped>,
}

/// Confines the process, then reads every file below the paths that says something of a stack.
pub fn read(paths: &[PathBuf]) -> Result<Stack> {
    let readable: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    sandbox::restrict(&readable, &[]);
    let mut stack = Stack::default();
    for path in paths {
        stack.add(path)?;
    }
    Ok(stack.finished())
}

impl Stack {
    /// Takes in every file at or below a path that says something.
    pub fn add(&mut self, path: &Path) -> Result<()> {
        let found = files::below(path)?;
        self.skipped.extend(found.skipped);
        for text in found.texts {
            self.take(&text);
        }
        Ok(())
    }

    /// Joins what belongs together, once all is read.
    pub fn finished(mut self) -> Self {
        self.cluster.finish();
        self.skipped.append(&mut self.cluster.skipped);
        self
    }

    fn take(&mut self, text: &Text) {
        let decoded = document::decode(&text.bytes);
        let tree = match text.name.ends_with(".json") {
            true => json::parse(&decoded, json::Dialect::Json),
            false => yaml::parse(&decoded),
        };
        for problem in &tree.problems {
            if let Some(reason) = problem.reason {
                self.skipped.push(Skipped::new(text.name.clone(), reason, problem.to_string()));
            }
        }
        self.cluster.read(&text.name, &tree);
    }
}
