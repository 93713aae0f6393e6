//! The declaration of the source.

use std::collections::HashMap;

use yagura_formats::document::{json, yaml};

use super::stacks::{Stacks, Template};
use crate::cloud::normalise;
use crate::source::{extension, whole_only};
use crate::{Parsed, Reach, Source, SourceFile};

pub const SOURCE: Source = Source {
    name: "cloudformation",
    reach: Reach::Tree,
    wants: |path| matches!(extension(path), "yaml" | "yml" | "json" | "template"),
    recognises,
    max_bytes: 16 << 20,
    parse,
    subjects: whole_only,
    example: "template.yaml",
};

/// The version is optional, and resources of other makers look alike otherwise.
fn recognises(_: &str, text: &str) -> bool {
    text.contains("AWSTemplateFormatVersion")
        || text.contains("AWS::Serverless-2016-10-31")
        || text.contains("Resources") && text.contains("Type") && text.contains("AWS::")
}

fn parse<'a>(files: &[SourceFile<'a>], out: &mut Parsed<'a>) {
    let mut templates: Vec<Template<'a>> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let source = u32::try_from(index).unwrap_or(u32::MAX);
        let is_json = file.text.trim_start().starts_with('{');
        let tree = match is_json {
            true => json::parse(file.text, json::Dialect::Json),
            false => yaml::parse(file.text),
        };
        out.tree_problems(source, &tree.problems);
        // Other files that speak of such resources, such as policies and logs, hold no resources of their own.
        if let Some(root) = tree
            .documents
            .into_iter()
            .find(|root| !root.get("Resources").is_none_or(|of| of.entries().is_empty()))
        {
            templates.push(Template { path: file.path, source, root });
        }
    }
    let by_path: HashMap<&str, usize> =
        templates.iter().enumerate().map(|(at, template)| (template.path, at)).collect();
    let mut stacks = Stacks::new(&templates, by_path, &mut out.problems);
    let raws = stacks.all();
    out.resources.extend(normalise(raws));
}
