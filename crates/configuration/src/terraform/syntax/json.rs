//! The JSON syntax: the same bodies, with expressions in strings.
//!
//! Which properties are blocks depends on schemas that nobody here has. Only the levels that Terraform itself defines
//! are read as blocks; everything in a resource is an attribute, which whoever reads a resource takes as well.

use std::borrow::Cow;

use yagura_formats::document::json::{self, Dialect};
use yagura_formats::document::{Entry, Node, Problem, Span, Value};
use yagura_model::SkipReason;

use super::{Attribute, Block, Body, Expression, File, Kind, Part, parse_expression, parse_template};

/// Blocks of a file and how many labels each has.
const BLOCKS: &[(&str, usize)] = &[
    ("resource", 2),
    ("data", 2),
    ("module", 1),
    ("variable", 1),
    ("output", 1),
    ("provider", 1),
    ("locals", 0),
    ("terraform", 0),
];

/// Reads one file of the JSON syntax; `variables` says that it is a tfvars file, which holds plain values.
pub fn parse(text: &str, source: u32, variables: bool) -> File<'_> {
    let tree = json::parse(text, Dialect::Json);
    let mut reader = Reader { source, variables, problems: tree.problems };
    let mut body = Body::default();
    for document in tree.documents {
        let Value::Mapping(entries) = document.value else {
            reader.problem(document.span, "the file is no object");
            continue;
        };
        for entry in entries {
            let name = entry.key.string().unwrap_or_default();
            match BLOCKS.iter().find(|(kind, _)| *kind == name && !variables) {
                Some((kind, labels)) => {
                    reader.blocks(
                        kind,
                        *labels,
                        &mut Vec::new(),
                        entry.value,
                        entry.key.span,
                        &mut body.blocks,
                    );
                }
                None => body.attributes.extend(reader.attribute(entry)),
            }
        }
    }
    File { body, problems: reader.problems }
}

struct Reader {
    source: u32,
    variables: bool,
    problems: Vec<Problem>,
}

impl Reader {
    fn blocks<'a>(
        &mut self,
        kind: &'static str,
        labels: usize,
        above: &mut Vec<Cow<'a, str>>,
        node: Node<'a>,
        span: Span,
        out: &mut Vec<Block<'a>>,
    ) {
        match node.value {
            Value::Sequence(items) => {
                for item in items {
                    let span = item.span;
                    self.blocks(kind, labels, above, item, span, out);
                }
            }
            Value::Mapping(entries) if labels > 0 => {
                for entry in entries.into_iter().filter(|entry| !is_comment(entry)) {
                    let span = entry.key.span;
                    if let Value::String(label) = entry.key.value {
                        above.push(label);
                        self.blocks(kind, labels - 1, above, entry.value, span, out);
                        above.pop();
                    }
                }
            }
            Value::Mapping(entries) => {
                let end = node.span;
                let body = self.body(entries, kind);
                let span = Span { end: end.end, end_line: end.end_line, ..self.placed(span) };
                out.push(Block { kind: Cow::Borrowed(kind), labels: above.clone(), body, span });
            }
            _ => self.problem(node.span, "a block is missing"),
        }
    }

    fn body<'a>(&mut self, entries: Vec<Entry<'a>>, kind: &str) -> Body<'a> {
        let mut body = Body::default();
        for entry in entries.into_iter().filter(|entry| !is_comment(entry)) {
            // `dynamic: {setting: {for_each: …, content: {…}}}` generates blocks and stays one.
            if entry.key.string() == Some("dynamic") && matches!(kind, "resource" | "data" | "content") {
                self.dynamics(entry.value, &mut body.blocks);
            } else {
                body.attributes.extend(self.attribute(entry));
            }
        }
        body
    }

    fn dynamics<'a>(&mut self, node: Node<'a>, out: &mut Vec<Block<'a>>) {
        let Value::Mapping(entries) = node.value else { return };
        for entry in entries {
            let Value::String(label) = entry.key.value else { continue };
            let items = match entry.value.value {
                Value::Sequence(items) => items,
                value => vec![Node::new(entry.value.span, value)],
            };
            for item in items {
                let span = self.placed(item.span);
                let Value::Mapping(entries) = item.value else { continue };
                let mut body = Body::default();
                for entry in entries {
                    match (entry.key.string(), entry.value.value) {
                        (Some("content"), Value::Mapping(content)) => {
                            let span = self.placed(entry.key.span);
                            let inner = self.body(content, "content");
                            let kind = Cow::Borrowed("content");
                            body.blocks.push(Block { kind, labels: Vec::new(), body: inner, span });
                        }
                        (_, value) => {
                            let value = Node::new(entry.value.span, value);
                            body.attributes.extend(self.attribute(Entry { key: entry.key, value }));
                        }
                    }
                }
                let kind = Cow::Borrowed("dynamic");
                out.push(Block { kind, labels: vec![label.clone()], body, span });
            }
        }
    }

    fn attribute<'a>(&mut self, entry: Entry<'a>) -> Option<Attribute<'a>> {
        let span = self.placed(entry.key.span);
        let Value::String(name) = entry.key.value else { return None };
        // These hold references or types, not templates.
        let bare =
            matches!(name.as_ref(), "provider" | "type" | "providers" | "depends_on" | "ignore_changes");
        let value = self.expression(entry.value, bare);
        Some(Attribute { name, span, value })
    }

    fn expression<'a>(&mut self, node: Node<'a>, bare: bool) -> Expression<'a> {
        let span = self.placed(node.span);
        let kind = match node.value {
            Value::Null | Value::Unknown => Kind::Null,
            Value::Bool(value) => Kind::Bool(value),
            Value::Number(text) => Kind::Number(text),
            Value::String(text) => self.text(text, span, bare),
            Value::Sequence(items) => {
                Kind::Tuple(items.into_iter().map(|item| self.expression(item, bare)).collect())
            }
            Value::Mapping(entries) => {
                let entries = entries.into_iter().filter(|entry| !is_comment(entry));
                Kind::Object(
                    entries
                        .map(|entry| (self.expression(entry.key, false), self.expression(entry.value, bare)))
                        .collect(),
                )
            }
        };
        Expression::leaf(span, kind)
    }

    fn text<'a>(&mut self, text: Cow<'a, str>, span: Span, bare: bool) -> Kind<'a> {
        let plain = self.variables || !(bare || text.contains("${") || text.contains("%{"));
        if plain {
            return Kind::String(text);
        }
        let parsed = match &text {
            Cow::Borrowed(text) if bare => parse_expression(text, self.source),
            Cow::Borrowed(text) => parse_template(text, self.source),
            // Text with escapes has no bytes of its own to point into; the tree owns what it read.
            Cow::Owned(text) => parse_template(text, self.source).map(owned),
        };
        match parsed {
            Ok(mut expression) => {
                place(&mut expression, span);
                expression.kind
            }
            Err(_) if bare => Kind::String(text),
            Err(detail) => {
                self.problem(span, &detail);
                Kind::String(text)
            }
        }
    }

    fn placed(&self, span: Span) -> Span {
        Span { source: self.source, ..span }
    }

    fn problem(&mut self, span: Span, detail: &str) {
        let reason = Some(SkipReason::Malformed);
        self.problems.push(Problem { reason, line: span.line, detail: detail.to_owned() });
    }
}

/// `"//"` holds comments.
fn is_comment(entry: &Entry<'_>) -> bool {
    entry.key.string() == Some("//")
}

/// Puts every part of an expression at the string that holds it.
fn place(expression: &mut Expression<'_>, span: Span) {
    expression.span = span;
    each_child(&mut expression.kind, &mut |child| place(child, span));
}

fn each_child<'a>(kind: &mut Kind<'a>, f: &mut dyn FnMut(&mut Expression<'a>)) {
    match kind {
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Variable(_) => {}
        Kind::Template(parts) => each_part(parts, f),
        Kind::Tuple(items) | Kind::Call { arguments: items, .. } => items.iter_mut().for_each(f),
        Kind::Object(items) => items.iter_mut().for_each(|(key, value)| {
            f(key);
            f(value);
        }),
        Kind::Attribute(of, _) | Kind::Not(of) | Kind::Negate(of) => f(of),
        Kind::Index(pair) | Kind::Binary(_, pair) => {
            f(&mut pair.0);
            f(&mut pair.1);
        }
        Kind::Splat(of, steps) => {
            f(of);
            for step in steps {
                if let super::Step::Index(index) = step {
                    f(index);
                }
            }
        }
        Kind::Conditional(parts) => parts.iter_mut().for_each(f),
        Kind::For(of) => {
            f(&mut of.collection);
            f(&mut of.result);
            of.result_key.iter_mut().for_each(&mut *f);
            of.condition.iter_mut().for_each(f);
        }
    }
}

fn each_part<'a>(parts: &mut [Part<'a>], f: &mut dyn FnMut(&mut Expression<'a>)) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Interpolation(expression) => f(expression),
            Part::If { condition, then, otherwise } => {
                f(condition);
                each_part(then, f);
                each_part(otherwise, f);
            }
            Part::For { collection, body, .. } => {
                f(collection);
                each_part(body, f);
            }
        }
    }
}

/// The same expression with text of its own.
fn owned(expression: Expression<'_>) -> Expression<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    let all = |items: Vec<Expression<'_>>| items.into_iter().map(owned).collect::<Vec<_>>();
    let kind = match expression.kind {
        Kind::Null => Kind::Null,
        Kind::Bool(value) => Kind::Bool(value),
        Kind::Number(text) => Kind::Number(own(text)),
        Kind::String(text) => Kind::String(own(text)),
        Kind::Variable(text) => Kind::Variable(own(text)),
        Kind::Template(parts) => Kind::Template(parts.into_iter().map(owned_part).collect()),
        Kind::Tuple(items) => Kind::Tuple(all(items)),
        Kind::Object(items) => {
            Kind::Object(items.into_iter().map(|(key, value)| (owned(key), owned(value))).collect())
        }
        Kind::Attribute(of, name) => Kind::Attribute(Box::new(owned(*of)), own(name)),
        Kind::Not(of) => Kind::Not(Box::new(owned(*of))),
        Kind::Negate(of) => Kind::Negate(Box::new(owned(*of))),
        Kind::Index(pair) => Kind::Index(Box::new((owned(pair.0), owned(pair.1)))),
        Kind::Binary(operator, pair) => Kind::Binary(operator, Box::new((owned(pair.0), owned(pair.1)))),
        Kind::Splat(of, steps) => {
            let step = |step: super::Step<'_>| match step {
                super::Step::Attribute(name) => super::Step::Attribute(Cow::Owned(name.into_owned())),
                super::Step::Index(index) => super::Step::Index(owned(index)),
            };
            Kind::Splat(Box::new(owned(*of)), steps.into_iter().map(step).collect())
        }
        Kind::Call { name, arguments, expand } => {
            Kind::Call { name: own(name), arguments: all(arguments), expand }
        }
        Kind::Conditional(parts) => Kind::Conditional(Box::new((*parts).map(owned))),
        Kind::For(of) => Kind::For(Box::new(super::For {
            key: of.key.map(own),
            value: own(of.value),
            collection: owned(of.collection),
            result_key: of.result_key.map(owned),
            result: owned(of.result),
            group: of.group,
            condition: of.condition.map(owned),
        })),
    };
    Expression { span: expression.span, kind, height: expression.height }
}

fn owned_part(part: Part<'_>) -> Part<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    let all = |parts: Vec<Part<'_>>| parts.into_iter().map(owned_part).collect();
    match part {
        Part::Text(text) => Part::Text(own(text)),
        Part::Interpolation(expression) => Part::Interpolation(owned(expression)),
        Part::If { condition, then, otherwise } => {
            Part::If { condition: owned(condition), then: all(then), otherwise: all(otherwise) }
        }
        Part::For { key, value, collection, body } => {
            Part::For { key: key.map(own), value: own(value), collection: owned(collection), body: all(body) }
        }
    }
}
