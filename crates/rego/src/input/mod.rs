//! Files as the documents that policies judge.
//!
//! Plain documents are those of conftest: YAML, JSON and TOML as they are, each document of a file by itself; a
//! Dockerfile as the list of its instructions; HCL as JSON whose expressions stand as `${…}`. Placed documents are those
//! of Trivy: mappings of manifests and instructions of Dockerfiles know their lines.

mod dockerfile;
mod pairs;
mod terraform;
mod values;

use regorus::Value;
use yagura_configuration::dockerfile::is_name;
use yagura_configuration::kubernetes;
use yagura_configuration::source::extension;
use yagura_formats::document::{Node, Problem, Span, Tree, json, toml, yaml};

use crate::check::Shape;

/// One thing that checks look at.
pub struct Document {
    pub value: Value,
    /// First and last line of it.
    pub lines: (u32, u32),
    /// `Deployment shop/web`, or empty.
    pub name: String,
    /// What selectors may call it.
    pub kinds: &'static [&'static str],
    /// Kind, group and version of a Kubernetes object, in lower case.
    pub subtypes: Vec<String>,
}

/// A file that was parsed.
pub struct Read<'t> {
    path: &'t str,
    content: Content<'t>,
}

enum Content<'t> {
    Tree { tree: Tree<'t>, format: Format },
    Dockerfile { text: &'t str, file: yagura_configuration::dockerfile::Dockerfile },
    Terraform { text: &'t str, file: yagura_configuration::terraform::syntax::File<'t> },
    Pairs(Value, u32),
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml,
    Json,
    Toml,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tree(Format),
    Dockerfile,
    Terraform,
    Environment,
    Sections,
    Properties,
}

/// What a path is read as.
fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_name(name) {
        return Some(Kind::Dockerfile);
    }
    if name == ".env" || name.starts_with(".env.") {
        return Some(Kind::Environment);
    }
    Some(match extension(name).to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Kind::Tree(Format::Yaml),
        "json" => Kind::Tree(Format::Json),
        "toml" => Kind::Tree(Format::Toml),
        "tf" | "tofu" | "hcl" | "tfvars" => Kind::Terraform,
        "env" => Kind::Environment,
        "ini" => Kind::Sections,
        "properties" => Kind::Properties,
        _ => return None,
    })
}

/// Whether a path is of a format that is read.
pub fn wants(path: &str) -> bool {
    kind(path).is_some()
}

/// Parses a file.
pub fn read<'t>(path: &'t str, text: &'t str) -> Read<'t> {
    let last = || u32::try_from(text.lines().count()).unwrap_or(u32::MAX).max(1);
    let content = match kind(path) {
        Some(Kind::Tree(format)) => {
            let tree = match format {
                Format::Yaml => yaml::parse(text),
                Format::Json => json::parse(text, json::Dialect::Json),
                Format::Toml => toml::parse(text),
            };
            Content::Tree { tree, format }
        }
        Some(Kind::Dockerfile) => {
            Content::Dockerfile { text, file: yagura_configuration::dockerfile::parse(text) }
        }
        Some(Kind::Terraform) => {
            Content::Terraform { text, file: yagura_configuration::terraform::syntax::parse(text, 0) }
        }
        Some(Kind::Environment) => Content::Pairs(pairs::environment(text), last()),
        Some(Kind::Sections) => Content::Pairs(pairs::sections(text), last()),
        Some(Kind::Properties) => Content::Pairs(pairs::properties(text), last()),
        None => Content::Nothing,
    };
    Read { path, content }
}

impl Read<'_> {
    /// What of the file could not be read.
    pub fn problems(&self) -> Vec<&Problem> {
        let all = match &self.content {
            Content::Tree { tree, .. } => &tree.problems,
            Content::Dockerfile { file, .. } => &file.problems,
            Content::Terraform { file, .. } => &file.problems,
            Content::Pairs(..) | Content::Nothing => return Vec::new(),
        };
        all.iter().filter(|problem| problem.reason.is_some()).collect()
    }

    /// The file's values, none taken apart.
    pub fn whole(&self, shape: Shape) -> Vec<Value> {
        match &self.content {
            Content::Tree { tree, .. } => tree.documents.iter().map(|node| self.value(node, shape)).collect(),
            _ => self.documents(shape).into_iter().map(|document| document.value).collect(),
        }
    }

    fn value(&self, node: &Node<'_>, shape: Shape) -> Value {
        values::value(node, (shape == Shape::Placed).then_some(self.path))
    }

    /// What checks of a shape look at.
    pub fn documents(&self, shape: Shape) -> Vec<Document> {
        match &self.content {
            Content::Tree { tree, format } => self.of_tree(tree, *format, shape),
            Content::Dockerfile { text, file } => {
                let value = match shape {
                    Shape::Plain => dockerfile::plain(file, text),
                    Shape::Placed => dockerfile::placed(file, text, self.path),
                };
                let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX).max(1);
                vec![whole(value, (1, lines), &["dockerfile"])]
            }
            Content::Terraform { text, file } => {
                let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX).max(1);
                vec![whole(terraform::value(&file.body, text), (1, lines), &["hcl"])]
            }
            Content::Pairs(value, lines) => vec![whole(value.clone(), (1, *lines), &[])],
            Content::Nothing => Vec::new(),
        }
    }

    fn of_tree(&self, tree: &Tree<'_>, format: Format, shape: Shape) -> Vec<Document> {
        let mut documents = Vec::new();
        for node in &tree.documents {
            // A list at the top is several configurations, as several documents are.
            let parts = match node.items() {
                [] => std::slice::from_ref(node),
                items if shape == Shape::Plain && tree.documents.len() == 1 => items,
                _ => std::slice::from_ref(node),
            };
            for part in parts {
                documents.extend(self.of_node(part, format, shape));
            }
        }
        documents
    }

    fn of_node(&self, node: &Node<'_>, format: Format, shape: Shape) -> Vec<Document> {
        let manifest = node.text_of("apiVersion").is_some() && node.text_of("kind").is_some();
        if !manifest {
            let kinds: &[&str] = match format {
                Format::Yaml => &["yaml"],
                Format::Json => &["json"],
                Format::Toml => &["toml"],
            };
            return vec![whole(self.value(node, shape), lines(node.span), kinds)];
        }
        let kinds: &[&str] = if format == Format::Json {
            &["kubernetes", "rbac", "json"]
        } else {
            &["kubernetes", "rbac", "yaml"]
        };
        let object = |object: kubernetes::Object<'_, '_>| {
            let name = match object.namespace {
                Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
                None => format!("{} {}", object.kind, object.name),
            };
            let version = object.api_version.rsplit('/').next().unwrap_or_default();
            let subtypes = [object.kind, object.group(), version, object.api_version];
            Document {
                value: self.value(object.node, shape),
                lines: lines(object.node.span),
                name: name.trim_end().to_owned(),
                kinds,
                subtypes: subtypes.iter().map(|word| word.to_ascii_lowercase()).collect(),
            }
        };
        match shape {
            Shape::Placed => kubernetes::objects_of(node).into_iter().map(object).collect(),
            // Policies that take lists apart themselves must find them.
            Shape::Plain => {
                let text = |key| node.text_of(key).unwrap_or_default();
                let metadata = node.get("metadata");
                vec![object(kubernetes::Object {
                    api_version: text("apiVersion"),
                    kind: text("kind"),
                    name: metadata.and_then(|metadata| metadata.text_of("name")).unwrap_or_default(),
                    namespace: metadata.and_then(|metadata| metadata.text_of("namespace")),
                    node,
                })]
            }
        }
    }
}

fn whole(value: Value, lines: (u32, u32), kinds: &'static [&'static str]) -> Document {
    Document { value, lines, name: String::new(), kinds, subtypes: Vec::new() }
}

fn lines(span: Span) -> (u32, u32) {
    (span.line.max(1), span.end_line.max(span.line).max(1))
}

/// A document of data as a value.
pub(crate) fn value_of(node: &Node<'_>) -> Value {
    values::value(node, None)
}
