//! Stacks: a template with the values of its parameters, and the stacks nested in it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use yagura_formats::document::{Entry, Node, Span, Value};
use yagura_model::SkipReason;

use super::serverless;
use crate::Problem;
use crate::cloud::{Language, Raw, structured, symbol};

/// Most values that all templates give together, whatever their functions copy.
const MAX_VALUES: usize = 5_000_000;
/// Most stacks, nested ones counted each time.
const MAX_STACKS: usize = 1_000;
/// How deep stacks may nest, and how many functions, parameters and conditions may ask for one another.
const MAX_NESTED: usize = 16;
pub(super) const MAX_CHAIN: u32 = 200;
const MAX_PROBLEMS: usize = 200;

/// A file that holds resources.
pub(super) struct Template<'a> {
    pub path: &'a str,
    pub source: u32,
    pub root: Node<'a>,
}

pub(super) struct Stacks<'t, 'a> {
    templates: &'t [Template<'a>],
    by_path: HashMap<&'a str, usize>,
    problems: &'t mut Vec<Problem>,
    told: HashSet<(u32, u32)>,
    stacks: Vec<Stack>,
    pub chain: u32,
    values: usize,
}

/// One use of a template.
pub(super) struct Stack {
    pub template: usize,
    /// `Network/` for what is nested under that logical id.
    pub prefix: String,
    /// Values of parameters; none for a stack that nobody nests.
    pub given: HashMap<String, Node<'static>>,
    pub conditions: HashMap<String, Option<Option<bool>>>,
    /// Stacks nested in it, by logical id.
    nested: HashMap<String, Option<usize>>,
    ancestors: Vec<usize>,
}

impl<'t, 'a> Stacks<'t, 'a> {
    pub fn new(
        templates: &'t [Template<'a>],
        by_path: HashMap<&'a str, usize>,
        problems: &'t mut Vec<Problem>,
    ) -> Self {
        Self {
            templates,
            by_path,
            problems,
            told: HashSet::new(),
            stacks: Vec::new(),
            chain: 0,
            values: MAX_VALUES,
        }
    }

    /// The resources of every template that no other nests, and of what those nest.
    pub fn all(&mut self) -> Vec<Raw> {
        let templates = self.templates;
        let nested: HashSet<usize> = templates
            .iter()
            .flat_map(|template| {
                let resources = template.root.get("Resources").map(Node::entries).unwrap_or_default();
                resources.iter().filter_map(|entry| self.nested_template(template, &entry.value))
            })
            .collect();
        let mut roots: Vec<usize> = (0..templates.len()).filter(|at| !nested.contains(at)).collect();
        let mut raws = Vec::new();
        let mut seen = HashSet::new();
        loop {
            for root in std::mem::take(&mut roots) {
                let stack = self.push(root, String::new(), HashMap::new(), Vec::new());
                let Some(mut at) = stack else { continue };
                while at < self.stacks.len() {
                    seen.extend(self.stacks.get(at).map(|stack| stack.template));
                    self.resources(at, &mut raws);
                    at += 1;
                }
            }
            // Templates that only nest one another.
            match (0..templates.len()).find(|at| !seen.contains(at)) {
                Some(left) if seen.insert(left) => roots.push(left),
                _ => return raws,
            }
        }
    }

    pub fn stack(&mut self, at: usize) -> Option<&mut Stack> {
        self.stacks.get_mut(at)
    }

    pub fn template(&self, at: usize) -> Option<&'t Template<'a>> {
        let templates = self.templates;
        templates.get(self.stacks.get(at)?.template)
    }

    /// A top-level section's entry.
    pub fn section(&self, at: usize, section: &str, name: &str) -> Option<&'t Node<'a>> {
        self.template(at)?.root.get(section)?.get(name)
    }

    pub fn tell(&mut self, stack: usize, span: Span, reason: SkipReason, detail: impl Into<String>) {
        let source = self.template(stack).map_or(0, |template| template.source);
        if self.problems.len() < MAX_PROBLEMS && self.told.insert((source, span.line)) {
            self.problems.push(Problem { source, line: span.line, reason, detail: detail.into() });
        }
    }

    /// Counts a value; false when there are too many.
    pub fn spend(&mut self, stack: usize, span: Span) -> bool {
        if self.values == 0 {
            let detail = format!("functions give more than {MAX_VALUES} values");
            self.tell(stack, span, SkipReason::TooMany, detail);
            return false;
        }
        self.values -= 1;
        true
    }

    fn push(
        &mut self,
        template: usize,
        prefix: String,
        given: HashMap<String, Node<'static>>,
        ancestors: Vec<usize>,
    ) -> Option<usize> {
        if self.stacks.len() >= MAX_STACKS {
            return None;
        }
        let (conditions, nested) = (HashMap::new(), HashMap::new());
        self.stacks.push(Stack { template, prefix, given, conditions, nested, ancestors });
        Some(self.stacks.len() - 1)
    }

    fn resources(&mut self, at: usize, raws: &mut Vec<Raw>) {
        let Some(template) = self.template(at) else { return };
        self.transforms(at, &template.root);
        let resources = template.root.get("Resources").map(Node::entries).unwrap_or_default();
        for entry in resources {
            let Some(id) = entry.key.scalar() else { continue };
            if id.starts_with("Fn::") {
                let detail = format!("{id} is unsupported: the resources it makes are unknown");
                self.tell(at, entry.key.span, SkipReason::Unsupported, detail);
                continue;
            }
            let Some(kind) = entry.value.text_of("Type") else { continue };
            if let Some(condition) = entry.value.text_of("Condition")
                && self.condition(at, condition, entry.key.span) == Some(false)
            {
                continue;
            }
            let prefix = self.stack(at).map(|stack| stack.prefix.clone()).unwrap_or_default();
            let source = template.source;
            let span = Span {
                end: entry.value.span.end,
                end_line: entry.value.span.end_line,
                source,
                ..entry.key.span
            };
            let properties = entry.value.get("Properties");
            let mut body = properties
                .and_then(|properties| self.resolve(at, properties))
                .map_or_else(|| Node::new(span, Value::Mapping(Vec::new())), |body| Node { span, ..body });
            finish(&mut body);
            if matches!(kind, "AWS::CloudFormation::Stack" | "AWS::Serverless::Application") {
                self.nest(at, id, &entry.value, &body, span);
            }
            let name = format!("{prefix}{id}");
            if let Value::Mapping(entries) = &mut body.value {
                let key = Node::new(span, Value::String(Cow::Borrowed("Ref")));
                entries.push(Entry { key, value: symbol::unknown(span, &symbol::mark(&name)) });
            }
            let raw = Raw {
                language: Language::CloudFormation,
                kind: kind.to_owned(),
                name,
                body,
                region: None,
                project: None,
                default_tags: None,
            };
            if kind.starts_with("AWS::Serverless::") {
                let globals =
                    kind.rsplit("::").next().and_then(|part| template.root.get("Globals")?.get(part));
                let globals = globals.and_then(|globals| self.resolve(at, globals)).map(|mut globals| {
                    finish(&mut globals);
                    globals
                });
                raws.extend(serverless::expanded(raw, globals));
            } else {
                raws.push(raw);
            }
        }
    }

    /// Names macros; SAM's own we expand ourselves, and language extensions are functions that we know.
    fn transforms(&mut self, at: usize, root: &Node<'_>) {
        let Some(transform) = root.get("Transform") else { return };
        let single = std::slice::from_ref(transform);
        let items = if transform.items().is_empty() { single } else { transform.items() };
        for item in items {
            let name = item.scalar().or_else(|| item.text_of("Name")).unwrap_or_default();
            if !matches!(name, "AWS::Serverless-2016-10-31" | "AWS::LanguageExtensions" | "") {
                let detail = format!("the macro {name} is unsupported: what it changes is not seen");
                self.tell(at, item.span, SkipReason::Unsupported, detail);
            }
        }
    }

    /// The template that a resource nests, where it is a file of this configuration.
    fn nested_template(&self, template: &Template<'_>, resource: &Node<'_>) -> Option<usize> {
        let location = match resource.text_of("Type")? {
            "AWS::CloudFormation::Stack" => resource.get("Properties")?.get("TemplateURL")?.string()?,
            "AWS::Serverless::Application" => resource.get("Properties")?.get("Location")?.string()?,
            _ => return None,
        };
        let directory = template.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let path = crate::terraform::joined(directory, location)?;
        self.by_path.get(path.as_str()).copied()
    }

    fn nest(&mut self, at: usize, id: &str, resource: &Node<'_>, body: &Node<'static>, span: Span) {
        if self.stack(at).is_some_and(|stack| stack.nested.contains_key(id)) {
            return;
        }
        let Some(template) = self.template(at) else { return };
        let nested = self.nested_template(template, resource);
        let Some(stack) = self.stack(at) else { return };
        let (prefix, mut ancestors) = (format!("{}{id}/", stack.prefix), stack.ancestors.clone());
        ancestors.push(stack.template);
        let refused = match nested {
            None => Some("its template is not in this configuration".to_owned()),
            Some(nested) if ancestors.contains(&nested) => Some("its template nests itself".to_owned()),
            Some(_) if ancestors.len() >= MAX_NESTED => Some(format!("stacks nest deeper than {MAX_NESTED}")),
            Some(_) => None,
        };
        if let Some(why) = refused {
            let detail = format!("the stack {prefix} is unknown: {why}");
            self.tell(at, span, SkipReason::Unsupported, detail);
        }
        let made = nested
            .filter(|nested| !ancestors.contains(nested) && ancestors.len() < MAX_NESTED)
            .and_then(|nested| {
                let parameters = body.get("Parameters").map(Node::entries).unwrap_or_default();
                let given = parameters
                    .iter()
                    .filter_map(|entry| Some((entry.key.scalar()?.to_owned(), entry.value.clone())))
                    .collect();
                self.push(nested, prefix, given, ancestors)
            });
        if let Some(stack) = self.stack(at) {
            stack.nested.insert(id.to_owned(), made);
        }
    }

    /// An output of a stack nested under a logical id.
    pub fn output(&mut self, at: usize, id: &str, name: &str) -> Option<Node<'static>> {
        let resource = self.section(at, "Resources", id)?;
        if !self.stack(at)?.nested.contains_key(id) {
            let properties = resource.get("Properties")?;
            let body = self.resolve(at, properties)?;
            self.nest(at, id, resource, &body, resource.span);
        }
        let nested = (*self.stack(at)?.nested.get(id)?)?;
        let value = self.section(nested, "Outputs", name)?.get("Value")?;
        self.resolve(nested, value)
    }
}

/// Shows the references of unknown values as people write them, and reads JSON that is unknown in part.
fn finish(node: &mut Node<'static>) {
    match &mut node.value {
        Value::Unknown => {
            let marked = node.tag.take().unwrap_or_default();
            if let Some(stated) = structured::marked(&marked, node.span) {
                *node = stated;
            } else if !marked.is_empty() {
                *node = symbol::unknown(node.span, &marked);
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(finish),
        Value::Mapping(entries) => entries.iter_mut().for_each(|entry| finish(&mut entry.value)),
        _ => {}
    }
}
