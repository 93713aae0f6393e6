//! A stack as it lies in files: which of them say something of it, and what they say together.

mod files;
pub mod parts;
mod patches;
mod pieces;
pub mod profiles;
pub mod risks;
pub mod what_if;

use std::path::{Path, PathBuf};

use anyhow::Result;
use yagura_assess::graph::Cloud;
use yagura_assess::kubernetes::Cluster;
use yagura_assess::profiles::{Observed, Runtime};
use yagura_collect::sandbox;
use yagura_configuration::{Parsed, Resource, SourceFile};
use yagura_formats::document::{self, json, yaml};
use yagura_model::Skipped;

use files::Text;

/// The sources of cloud resources.
const CLOUD_SOURCES: [&str; 2] = ["terraform", "cloudformation"];

/// What was read of the files.
#[derive(Default)]
pub struct Stack {
    pub cluster: Cluster,
    pub cloud: Cloud,
    /// What profiles saw running.
    pub runtime: Runtime,
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
        for text in &found.texts {
            if profiles::is_profile(&text.bytes) {
                match profiles::parse(&text.bytes) {
                    Ok(profile) => self.runtime.profiles.push(Observed { name: text.name.clone(), profile }),
                    Err(error) => {
                        let reason = yagura_model::SkipReason::Malformed;
                        self.skipped.push(Skipped::new(text.name.clone(), reason, format!("{error:#}")));
                    }
                }
                continue;
            }
            self.take(text);
        }
        self.take_cloud(&found.texts);
        Ok(())
    }

    /// Reads Terraform and CloudFormation, whose files speak of one another.
    fn take_cloud(&mut self, texts: &[Text]) {
        let decoded: Vec<(&str, std::borrow::Cow<'_, str>)> =
            texts.iter().map(|text| (text.name.as_str(), document::decode(&text.bytes))).collect();
        for name in CLOUD_SOURCES {
            let Some(source) = yagura_configuration::source::named(name) else { continue };
            let files: Vec<SourceFile<'_>> = decoded
                .iter()
                .filter(|(path, text)| (source.wants)(path) && (source.recognises)(path, text))
                .map(|(path, text)| SourceFile { path, text })
                .collect();
            if files.is_empty() {
                continue;
            }
            let mut parsed = Parsed::default();
            (source.parse)(&files, &mut parsed);
            let Ok(first) = u32::try_from(self.cloud.files.len()) else { return };
            self.cloud.files.extend(files.iter().map(|file| file.path.to_owned()));
            let clouds = ["aws/", "azure/", "gcp/"];
            let of_cloud = parsed.resources.into_iter();
            let of_cloud = of_cloud.filter(|one| clouds.iter().any(|cloud| one.kind.starts_with(cloud)));
            self.cloud.resources.extend(of_cloud.map(|resource| {
                let mut node = resource.node.into_owned();
                node.shift_source(first);
                Resource { kind: resource.kind, name: resource.name, node }
            }));
            self.skipped.extend(parsed.problems.iter().map(|problem| {
                let at = usize::try_from(problem.source).ok().and_then(|at| files.get(at));
                let path = at.map_or("?", |file| file.path);
                Skipped::new(format!("{path}:{}", problem.line), problem.reason, problem.detail.clone())
            }));
        }
    }

    /// Joins what belongs together, once all is read.
    pub fn finished(mut self) -> Self {
        self.cluster.finish();
        self.skipped.append(&mut self.cluster.skipped);
        self
    }

    fn take(&mut self, text: &Text) {
        if !text.has_objects() {
            return;
        }
        let decoded = document::decode(&text.bytes);
        let is_json = text.name.ends_with(".json");
        for piece in pieces::of(&decoded, is_json) {
            let mut tree = match is_json {
                true => json::parse(piece.text, json::Dialect::Json),
                false => yaml::parse(piece.text),
            };
            for problem in &mut tree.problems {
                problem.line = problem.line.saturating_add(piece.lines_before);
                if let Some(reason) = problem.reason {
                    self.skipped.push(Skipped::new(text.name.clone(), reason, problem.to_string()));
                }
            }
            if piece.lines_before > 0 {
                tree.documents.iter_mut().for_each(|document| document.shift_lines(piece.lines_before));
            }
            self.cluster.read(&text.name, &tree);
        }
    }
}
