//! Files in, rules out.

use yagura_formats::document::{decode, yaml};
use yagura_model::field::FieldCatalogue;

use super::collect::Collector;
use super::compile::{self, CompiledRule, SourceRules};
use super::indentation;
use super::items::Rule;
use super::read;
use super::result::{Context, ErrorCode, LoadResult, Problem};
use super::versions::Version;

/// Largest rule file.
const MAX_FILE: usize = 64 << 20;

/// Fields that every output of system calls gets, as the container plugin suggests them to Falco.
const SUGGESTED: &[(&str, &str)] = &[
    ("container_id", "container.id"),
    ("container_name", "container.name"),
    ("container_image_repository", "container.image.repository"),
    ("container_image_tag", "container.image.tag"),
    ("k8s_pod_name", "k8s.pod.name"),
    ("k8s_ns_name", "k8s.ns.name"),
];

/// Something that gives fields, by the name and version that rule files require.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    pub name: &'static str,
    pub version: Version,
}

/// What is appended to the outputs of some rules (Falco's `append_output`).
#[derive(Clone, Debug, Default)]
pub struct AppendOutput {
    /// Only rules of this source, this name, and all of these tags.
    pub source: Option<String>,
    pub rule: Option<String>,
    pub tags: Vec<String>,
    pub text: Option<String>,
    /// Further fields of the JSON: key, format, and whether the format is one field whose value is wanted raw.
    pub fields: Vec<(String, String, bool)>,
    /// The fields that a source suggests.
    pub suggested: bool,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub plugins: Vec<Plugin>,
    pub append_output: Vec<AppendOutput>,
}

/// Rules that are ready, by source.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub sources: Vec<SourceRules>,
}

/// Takes rule files in order.
pub struct Loader<'s> {
    collector: Collector<'s>,
    options: &'s Options,
    rules: RuleSet,
}

impl AppendOutput {
    /// What Falco appends unless told otherwise.
    pub fn suggested() -> Self {
        Self { suggested: true, ..Self::default() }
    }

    pub(super) fn applies_to(&self, rule: &Rule) -> bool {
        self.source.as_ref().is_none_or(|source| *source == rule.source)
            && self.rule.as_ref().is_none_or(|name| *name == rule.name)
            && self.tags.iter().all(|tag| rule.tags.contains(tag))
    }

    pub(super) fn texts(&self, catalogue: &dyn FieldCatalogue) -> Vec<String> {
        let suggested = SUGGESTED
            .iter()
            .filter(|(_, field)| self.suggested && catalogue.resolve(field, None).is_ok())
            .map(|(key, field)| format!("{key}=%{field}"));
        self.text.iter().cloned().chain(suggested).collect()
    }
}

impl<'s> Loader<'s> {
    pub fn new(sources: &'s [&'s dyn FieldCatalogue], options: &'s Options) -> Self {
        let collector = Collector::new(sources, &options.plugins);
        Self { collector, options, rules: RuleSet::default() }
    }

    /// Adds a file. After an error what the files before it defined stays.
    pub fn load(&mut self, name: &str, bytes: &[u8]) -> LoadResult {
        if bytes.len() > MAX_FILE {
            return LoadResult::unreadable(name, &format!("larger than {MAX_FILE} bytes"));
        }
        let decoded = decode(bytes);
        let content = indentation::mend(&decoded);
        let mut result = LoadResult::new(name, &content);
        let tree = yaml::parse(&content);
        if let Some(problem) = tree.problems.iter().find(|problem| problem.reason.is_some()) {
            let context = Context::file(name).within("value for", "", line_start(&content, problem.line));
            let (code, message) = (ErrorCode::YamlParse, problem.detail.clone());
            result.errors.push(Problem { code, message, context });
            return result;
        }
        let mut collector = self.collector.clone();
        for document in &tree.documents {
            if let Err(error) = read::document(document, &mut collector, &mut result) {
                result.errors.push(*error);
                return result;
            }
        }
        match compile::compile(&collector, &self.options.append_output, &mut result) {
            Ok(sources) => {
                self.rules = RuleSet { sources };
                self.collector = collector;
            }
            Err(error) => result.errors.push(*error),
        }
        result
    }

    /// The rules of all files that loaded.
    pub fn finish(self) -> RuleSet {
        self.rules
    }
}

fn line_start(content: &str, line: u32) -> yagura_formats::document::Span {
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = content.split_inclusive('\n').take(before).map(str::len).sum();
    let start = u32::try_from(start).unwrap_or(u32::MAX);
    yagura_formats::document::Span { start, end: start, line, column: 1, end_line: line, source: 0 }
}

impl RuleSet {
    /// Every rule, source by source.
    pub fn rules(&self) -> impl Iterator<Item = &CompiledRule> {
        self.sources.iter().flat_map(|source| &source.rules)
    }

    pub fn source(&self, name: &str) -> Option<&SourceRules> {
        self.sources.iter().find(|source| source.source == name)
    }
}
