//! A rule with its expressions compiled, and one judgement by it.

use yagura_formats::document::{Node, Span};
use yagura_language::cel::{
    Activation, Environment, Fault, Host, HostFunction, List, Outcome, Program, Text, Value,
};

use super::rule::{Expression, Rule};
use super::text::InvalidRule;

/// What expressions see, in the order of [`Seen::values`].
const VARIABLES: [&str; 7] =
    ["self", "object", "pod", "role", "resource.kind", "resource.name", "resource.path"];

/// Most positions kept of one finding.
const MAX_EVIDENCE: usize = 12;

/// A rule ready to judge.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    pub rule: Rule,
    when: Program,
    evidence: Option<Program>,
    /// The kinds whose subjects it asks for.
    pub asks: Vec<String>,
}

/// What an expression may look at.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub node: &'a Node<'a>,
    pub object: &'a Node<'a>,
    pub pod: Option<&'a Node<'a>>,
    pub role: &'a str,
    pub kind: &'a str,
    pub name: &'a str,
    pub path: &'a str,
}

/// What a rule says of a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Fine,
    /// It is wrong, and these positions say so: the most telling one first.
    Wrong(Vec<Span>),
    /// Nobody can know.
    Unknown,
    /// The expression met what it did not expect.
    Error(String),
}

impl CompiledRule {
    /// Compiles the expressions of a rule; a mistake has its place in the rule file.
    pub fn of(rule: Rule) -> Result<Self, InvalidRule> {
        let mut environment = environment();
        let mut asks = Vec::new();
        let compile = |expression: &Expression, environment: &Environment, asks: &mut Vec<String>| {
            let program = Program::compile(&expression.text, environment)
                .map_err(|error| misplaced(&rule, expression, &error))?;
            for call in program.host_calls(0) {
                match call.first() {
                    Some(Some(kind)) if call.get(1).is_none_or(Option::is_some) => asks.push(kind.clone()),
                    _ => {
                        let message = "all() takes a kind (and a path) written out as text".to_owned();
                        return Err(InvalidRule {
                            path: rule.path.clone(),
                            line: expression.line,
                            column: expression.column,
                            message,
                        });
                    }
                }
            }
            Ok(program)
        };
        for (name, expression) in &rule.variables {
            let program = compile(expression, &environment, &mut asks)?;
            environment.expressions.push((format!("variables.{name}"), program));
        }
        let when = compile(&rule.when, &environment, &mut asks)?;
        let evidence = rule
            .evidence
            .as_ref()
            .map(|expression| compile(expression, &environment, &mut asks))
            .transpose()?;
        asks.sort();
        asks.dedup();
        Ok(Self { rule, when, evidence, asks })
    }

    /// Judges one subject.
    pub fn judge<'a>(&'a self, seen: &Seen<'a>, host: Option<&dyn Host<'a>>) -> Verdict {
        let variables = seen.values();
        let activation = Activation { variables: &variables, host };
        match self.when.evaluate(&activation) {
            Ok(Value::Bool(false)) => Verdict::Fine,
            Ok(Value::Bool(true)) => Verdict::Wrong(self.positions(seen, &activation)),
            Ok(other) => Verdict::Error(format!("`when` is a {}, not a bool", other.type_of().0)),
            Err(Fault::Unknown) => Verdict::Unknown,
            Err(fault) => Verdict::Error(fault.to_string()),
        }
    }

    /// Where the subject is wrong. What is there comes before what lacks something, and the subject itself last.
    fn positions<'a>(&'a self, seen: &Seen<'a>, activation: &Activation<'_, 'a>) -> Vec<Span> {
        let mut spans = Vec::new();
        if let Some(evidence) = &self.evidence {
            let (chosen, touched) = evidence.explain(activation);
            if let Ok(value) = &chosen {
                of_value(value, &mut spans);
            }
            if spans.is_empty() && chosen.is_ok() {
                spans
                    .extend(touched.iter().filter(|touched| !touched.lacks).map(|touched| touched.node.span));
            }
        }
        if spans.is_empty() {
            let (_, touched) = self.when.explain(activation);
            let of = |lacks: bool| touched.iter().filter(move |touched| touched.lacks == lacks);
            spans.extend(of(false).chain(of(true)).map(|touched| touched.node.span));
        }
        // What stands outside the resource (the answer of `all`) supports, and is not where to look first.
        let within = |span: &Span| {
            let own = seen.object.span;
            span.source == own.source && span.start >= own.start && span.end <= own.end
        };
        spans.retain(|span| span.line > 0);
        spans.sort_by_key(|span| !within(span));
        if !spans.first().is_some_and(within) {
            spans.insert(0, seen.node.span);
        }
        let mut kept: Vec<Span> = Vec::new();
        for span in spans {
            if kept.len() < MAX_EVIDENCE && !kept.contains(&span) {
                kept.push(span);
            }
        }
        kept
    }
}

/// Positions of a value that lies in a document: its own, or those of a list's items.
fn of_value(value: &Value<'_>, spans: &mut Vec<Span>) {
    match value {
        Value::List(list @ (List::Nodes(_) | List::Owned(_))) => {
            spans.extend((0..list.len()).filter_map(|at| list.node(at)).map(|node| node.span));
        }
        Value::Optional(Some(inner)) => of_value(inner, spans),
        _ => spans.extend(value.node().map(|node| node.span)),
    }
}

/// What rules may name.
fn environment() -> Environment {
    Environment {
        variables: VARIABLES.iter().map(|name| (*name).to_owned()).collect(),
        functions: vec![HostFunction { name: "all".to_owned(), arguments: 1..=3 }],
        ..Environment::default()
    }
}

/// A mistake within an expression, where it stands in the rule file.
fn misplaced(rule: &Rule, expression: &Expression, error: &yagura_language::cel::SyntaxError) -> InvalidRule {
    let (line, column) = error.place(&expression.text);
    let (line, column) = match (expression.block, line) {
        // Lines below the indicator; their indentation is not known any more.
        (true, line) => (expression.line.saturating_add(line), column),
        (false, 1) => (expression.line, expression.column.saturating_add(column - 1)),
        (false, line) => (expression.line.saturating_add(line - 1), column),
    };
    InvalidRule { path: rule.path.clone(), line, column, message: error.message.clone() }
}

impl<'a> Seen<'a> {
    fn values(&self) -> [Outcome<'a>; 7] {
        let text = |text: &'a str| Ok(Value::String(Text::Borrowed(text)));
        let pod = match self.pod {
            Some(pod) => Value::of(pod),
            None => Ok(Value::Null),
        };
        [
            Value::of(self.node),
            Value::of(self.object),
            pod,
            text(self.role),
            text(self.kind.split_once('/').map_or(self.kind, |(_, kind)| kind)),
            text(self.name),
            text(self.path),
        ]
    }
}
