//! What Terraform writes itself: plans (`terraform show -json`, format 1) and state files (version 4).
//!
//! A plan knows values that the configuration does not, and says which are known only after it is applied; those refer
//! to what the configuration in the same file names.

use std::borrow::Cow;
use std::collections::HashMap;

use yagura_formats::document::json::{self, Dialect};
use yagura_formats::document::{Entry, Node, Problem as Broken, Span, Value};

use crate::cloud::{Language, Raw, symbol};
use crate::source::extension;

/// Deepest nesting of modules.
const MAX_MODULE_DEPTH: u32 = 32;

/// Whether a file is a plan or a state, from its first look.
pub fn recognises(path: &str, text: &str) -> bool {
    matches!(extension(path), "json" | "tfstate")
        && text.contains("\"terraform_version\"")
        && (text.contains("\"planned_values\"")
            || text.contains("\"lineage\"")
            || text.contains("\"values\""))
}

/// The resources of a plan or state, and where it is broken.
pub fn read(text: &str, source: u32) -> (Vec<Raw>, Vec<Broken>) {
    let tree = json::parse(text, Dialect::Json);
    let mut reader = Reader { source, ..Reader::default() };
    if let Some(root) = tree.root() {
        let modules =
            root.at(&["planned_values", "root_module"]).or_else(|| root.at(&["values", "root_module"]));
        match modules {
            Some(module) => {
                reader.changes(root);
                if let Some(configuration) = root.at(&["configuration", "root_module"]) {
                    reader.expressions("", configuration, MAX_MODULE_DEPTH);
                }
                reader.region = root
                    .at(&[
                        "configuration",
                        "provider_config",
                        "aws",
                        "expressions",
                        "region",
                        "constant_value",
                    ])
                    .map(|region| reader.own(region));
                reader.module(module, MAX_MODULE_DEPTH);
            }
            None => reader.state(root),
        }
    }
    (reader.raws, tree.problems)
}

#[derive(Default)]
struct Reader<'n> {
    source: u32,
    /// By address.
    unknown: HashMap<&'n str, &'n Node<'n>>,
    /// By address without indices.
    expressions: HashMap<String, &'n Node<'n>>,
    region: Option<Node<'static>>,
    raws: Vec<Raw>,
}

impl<'n> Reader<'n> {
    fn own(&self, node: &Node<'_>) -> Node<'static> {
        let span = Span { source: self.source, ..node.span };
        let value = match &node.value {
            Value::Sequence(items) => Value::Sequence(items.iter().map(|item| self.own(item)).collect()),
            Value::Mapping(entries) => Value::Mapping(
                entries
                    .iter()
                    .map(|entry| Entry { key: self.own(&entry.key), value: self.own(&entry.value) })
                    .collect(),
            ),
            other => Node::new(span, other.clone()).into_owned().value,
        };
        Node::new(span, value)
    }

    fn changes(&mut self, root: &'n Node<'n>) {
        for change in root.get("resource_changes").map(Node::items).unwrap_or_default() {
            if let (Some(address), Some(unknown)) =
                (change.text_of("address"), change.at(&["change", "after_unknown"]))
            {
                self.unknown.insert(address, unknown);
            }
        }
    }

    fn expressions(&mut self, prefix: &str, module: &'n Node<'n>, depth: u32) {
        for resource in module.get("resources").map(Node::items).unwrap_or_default() {
            if let (Some(address), Some(expressions)) =
                (resource.text_of("address"), resource.get("expressions"))
            {
                self.expressions.insert(format!("{prefix}{address}"), expressions);
            }
        }
        for call in module.get("module_calls").map(Node::entries).unwrap_or_default() {
            let (Some(name), Some(module)) = (call.key.scalar(), call.value.get("module")) else { continue };
            if depth > 0 {
                self.expressions(&format!("{prefix}module.{name}."), module, depth - 1);
            }
        }
    }

    fn module(&mut self, module: &'n Node<'n>, depth: u32) {
        for resource in module.get("resources").map(Node::items).unwrap_or_default() {
            let (Some(address), Some(kind)) = (resource.text_of("address"), resource.text_of("type")) else {
                continue;
            };
            if resource.text_of("mode") == Some("data") {
                continue;
            }
            let mut body = match resource.get("values") {
                Some(values) => self.own(values),
                None => Node::new(resource.span, Value::Mapping(Vec::new())),
            };
            body.span = Span { source: self.source, ..resource.span };
            if let Some(unknown) = self.unknown.get(address) {
                let plain = without_indices(address);
                let expressions = self.expressions.get(&plain).copied();
                let prefix = module_of(address);
                overlay(&mut body, unknown, expressions, prefix);
            }
            self.push(kind, address.to_owned(), body);
        }
        for child in module.get("child_modules").map(Node::items).unwrap_or_default() {
            if depth > 0 {
                self.module(child, depth - 1);
            }
        }
    }

    fn state(&mut self, root: &'n Node<'n>) {
        for resource in root.get("resources").map(Node::items).unwrap_or_default() {
            let (Some(kind), Some(name)) = (resource.text_of("type"), resource.text_of("name")) else {
                continue;
            };
            if resource.text_of("mode") == Some("data") {
                continue;
            }
            let module = resource.text_of("module").map(|module| format!("{module}.")).unwrap_or_default();
            for instance in resource.get("instances").map(Node::items).unwrap_or_default() {
                let index = instance.get("index_key").map(|key| match &key.value {
                    Value::String(key) => format!("[{key:?}]"),
                    _ => format!("[{}]", key.scalar().unwrap_or_default()),
                });
                let Some(attributes) = instance.get("attributes") else { continue };
                let mut body = self.own(attributes);
                body.span = Span { source: self.source, ..instance.span };
                self.push(kind, format!("{module}{kind}.{name}{}", index.unwrap_or_default()), body);
            }
        }
    }

    fn push(&mut self, kind: &str, name: String, body: Node<'static>) {
        self.raws.push(Raw {
            language: Language::Terraform,
            kind: kind.to_owned(),
            name,
            body,
            region: self.region.clone().filter(|_| kind.starts_with("aws_")),
            project: None,
            default_tags: None,
        });
    }
}

/// Makes unknown what is known only after the plan is applied, with what its expression refers to.
fn overlay(body: &mut Node<'static>, unknown: &Node<'_>, expressions: Option<&Node<'_>>, prefix: &str) {
    match (&mut body.value, &unknown.value) {
        (Value::Mapping(own), Value::Mapping(marks)) => {
            for mark in marks {
                let Some(key) = mark.key.scalar() else { continue };
                let expression = expressions.and_then(|expressions| expressions.get(key));
                let known = own.iter_mut().find(|own| own.key.scalar() == Some(key));
                match (known, mark.value.boolean()) {
                    (Some(entry), Some(true)) => {
                        entry.value = reference(entry.value.span, expression, prefix)
                    }
                    (None, Some(true)) => {
                        let key = Node::new(body.span, Value::String(Cow::Owned(key.to_owned())));
                        own.push(Entry { key, value: reference(body.span, expression, prefix) });
                    }
                    (Some(entry), None) => overlay(&mut entry.value, &mark.value, expression, prefix),
                    _ => {}
                }
            }
        }
        (Value::Sequence(own), Value::Sequence(marks)) => {
            for (at, (item, mark)) in own.iter_mut().zip(marks).enumerate() {
                // Blocks have an expression each; a list has one for all of it.
                let expression =
                    expressions.map(|expressions| expressions.items().get(at).unwrap_or(expressions));
                match mark.boolean() {
                    Some(true) => *item = reference(item.span, expression, prefix),
                    Some(false) => {}
                    None => overlay(item, mark, expression, prefix),
                }
            }
        }
        _ => {}
    }
}

fn reference(span: Span, expression: Option<&Node<'_>>, prefix: &str) -> Node<'static> {
    let named = expression.and_then(|expression| expression.get("references")?.items().first()?.scalar());
    match named {
        Some(name) => symbol::unknown(span, &symbol::mark(&format!("{prefix}{name}"))),
        None => Node::new(span, Value::Unknown),
    }
}

/// `module.a[0].aws_x.y["k"]` as `module.a.aws_x.y`.
fn without_indices(address: &str) -> String {
    let mut plain = String::with_capacity(address.len());
    let (mut depth, mut quoted) = (0_u32, false);
    for character in address.chars() {
        match character {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    plain
}

/// `module.a[0].` of `module.a[0].aws_x.y`.
fn module_of(address: &str) -> &str {
    let mut end = 0;
    let mut rest = address;
    while rest.starts_with("module.") {
        let after = rest.get("module.".len()..).unwrap_or_default();
        // The name, an index that may hold dots, and the dot.
        let close = match (after.find('['), after.find('.')) {
            (Some(open), Some(dot)) if open < dot => after.find("].").map(|at| at + 1),
            (_, dot) => dot,
        };
        let Some(close) = close else { break };
        end += "module.".len() + close + 1;
        rest = address.get(end..).unwrap_or_default();
    }
    address.get(..end).unwrap_or_default()
}
