//! From syntax trees to nodes of a program.

use std::collections::HashMap;
use std::sync::Arc;

use yagura_model::field::{FieldCatalogue, FieldError, FieldType, Multiplicity};

use super::event_types::EventTypes;
use super::matcher::Matcher;
use super::operand::Operand;
use super::program::{Check as CompiledCheck, NodeId, Program, Quantifier};
use crate::falco::condition::{
    Check, Comparison, Expression, Modifier, Operator, Position, Right, Term, TransformerName,
};

/// Why a condition does not fit its source's fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    pub message: String,
    pub at: Position,
    /// A field or an event type that this source does not have; a rule may ask to be skipped then.
    pub unknown: bool,
}

/// Something that is likely not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub message: String,
    pub at: Position,
}

/// Compiles conditions of one source into a program.
pub struct Compiler<'c> {
    catalogue: &'c dyn FieldCatalogue,
    /// What the macros that conditions share compiled to, by their address: the trees live as long as their rules.
    shared: HashMap<*const Expression, (Arc<Expression>, NodeId)>,
    pub warnings: Vec<Warning>,
}

impl CompileError {
    pub(super) fn new(message: impl Into<String>, at: Position) -> Self {
        Self { message: message.into(), at, unknown: false }
    }

    pub(super) fn unknown(message: impl Into<String>, at: Position) -> Self {
        Self { message: message.into(), at, unknown: true }
    }
}

impl<'c> Compiler<'c> {
    pub fn new(catalogue: &'c dyn FieldCatalogue) -> Self {
        Self { catalogue, shared: HashMap::new(), warnings: Vec::new() }
    }

    /// Adds a condition to a program.
    pub fn condition(
        &mut self,
        expression: &Expression,
        program: &mut Program,
    ) -> Result<NodeId, CompileError> {
        match expression {
            Expression::And(children) => {
                let children = self.all(children, program)?;
                Ok(program.and(children))
            }
            Expression::Or(children) => {
                let children = self.all(children, program)?;
                Ok(program.or(children))
            }
            Expression::Not(child) => {
                let child = self.condition(child, program)?;
                Ok(program.not(child))
            }
            Expression::Shared(inner) => {
                let address = Arc::as_ptr(inner);
                if let Some((_, known)) = self.shared.get(&address) {
                    return Ok(*known);
                }
                let id = self.condition(inner, program)?;
                self.shared.insert(address, (Arc::clone(inner), id));
                Ok(id)
            }
            Expression::Macro(name, at) => {
                Err(CompileError::new(format!("filter error: unexpected identifier '{name}'"), *at))
            }
            Expression::Check(check) => self.check(check, program),
        }
    }

    fn all(&mut self, children: &[Expression], program: &mut Program) -> Result<Vec<NodeId>, CompileError> {
        children.iter().map(|child| self.condition(child, program)).collect()
    }

    fn check(&mut self, check: &Check, program: &mut Program) -> Result<NodeId, CompileError> {
        let values: Vec<&[u8]> = match &check.right {
            Right::Value(value) => vec![value],
            Right::List(values) => values.iter().map(Vec::as_slice).collect(),
            Right::None | Right::Term(_) => Vec::new(),
        };
        let constant = matches!(check.right, Right::Value(_) | Right::List(_));
        if constant {
            self.warn(check, &values);
        }
        if constant && let Some(types) = self.event_types(check, &values)? {
            let node = program.types(types);
            let negated = check.operator.comparison == Comparison::NotEqual;
            return Ok(if negated { program.not(node) } else { node });
        }
        let catalogue = self.catalogue;
        if let Some(known) = invariant(check, &values) {
            // The field must exist all the same.
            Operand::compile(&check.left, catalogue)?;
            return Ok(if known { Program::ALWAYS } else { Program::NEVER });
        }
        program.check(written(check), || compile_check(check, &values, catalogue))
    }

    /// The types that a comparison of `evt.type` names, where it is one that the index can use.
    fn event_types(&self, check: &Check, values: &[&[u8]]) -> Result<Option<EventTypes>, CompileError> {
        let is_type = matches!(&check.left, Term::Field { name, argument: None, .. }
            if name == "evt.type" || name == "syscall.type");
        let set = matches!(
            check.operator,
            Operator {
                comparison: Comparison::Equal | Comparison::NotEqual | Comparison::In,
                modifier: None
            } | Operator { comparison: Comparison::Equal, modifier: Some(Modifier::AnyOf) }
        );
        if !is_type || !set || self.catalogue.event_types() == 0 {
            return Ok(None);
        }
        let mut types = EventTypes::default();
        for value in values {
            let name = String::from_utf8_lossy(value);
            match self.catalogue.event_type(&name) {
                Some(event_type) => types.insert(event_type),
                None => return Err(CompileError::unknown(format!("unknown event type {name}"), check.at)),
            }
        }
        Ok(Some(types))
    }

    fn warn(&mut self, check: &Check, values: &[&[u8]]) {
        for value in values {
            let Ok(text) = std::str::from_utf8(value) else { continue };
            let close: String = text.chars().filter(|character| !character.is_whitespace()).collect();
            let mut messages = Vec::new();
            if check.operator.comparison == Comparison::Regex && is_needless_regex(text) {
                messages.push(format!(
                    "regex check with '{text}' may be optimized with simpler operators such as '=', 'contains', \
                     'startswith', 'endswith'"
                ));
            }
            if self.is_field(&close) {
                messages.push(format!("'{text}' may be a valid field misused as a const string value"));
            }
            let is_call = |name: &TransformerName| {
                close
                    .strip_prefix(name.name())
                    .is_some_and(|rest| rest.starts_with('(') && rest.ends_with(')'))
            };
            if TransformerName::ALL.iter().any(is_call) {
                messages.push(format!(
                    "'{text}' may be a valid field transformer misused as a const string value"
                ));
            }
            self.warnings.extend(messages.into_iter().map(|message| Warning { message, at: check.at }));
        }
    }

    fn is_field(&self, text: &str) -> bool {
        if !text.contains('.') || text.contains('/') {
            return false;
        }
        match crate::falco::condition::parse_term(text) {
            Ok((Term::Field { name, argument, .. }, length)) if length == text.len() => {
                !matches!(self.catalogue.resolve(&name, argument.as_deref()), Err(FieldError::Unknown(_)))
            }
            _ => false,
        }
    }
}

fn compile_check(
    check: &Check,
    values: &[&[u8]],
    catalogue: &dyn FieldCatalogue,
) -> Result<CompiledCheck, CompileError> {
    let fail = |message: String| CompileError::new(message, check.at);
    let operand = Operand::compile(&check.left, catalogue)?;
    let Operator { comparison, modifier } = check.operator;
    supports(operand.kind, operand.multiplicity, check.operator).map_err(fail)?;
    let quantifier = match (operand.multiplicity, comparison) {
        (Multiplicity::One, _) => Quantifier::Single,
        (Multiplicity::List, Comparison::In) | (Multiplicity::Ends, Comparison::NotEqual) => Quantifier::All,
        _ => Quantifier::Any,
    };
    let matcher = match &check.right {
        Right::Term(term) => {
            let right = Operand::compile(term, catalogue)?;
            supports_operand(&operand, &right, comparison).map_err(fail)?;
            Matcher::Operand(comparison, Box::new(right))
        }
        _ => Matcher::new(operand.kind, comparison, modifier, values).map_err(fail)?,
    };
    Ok(CompiledCheck { operand, matcher, quantifier })
}

/// A check as it is written, as its identity.
fn written(check: &Check) -> String {
    let Operator { comparison, modifier } = check.operator;
    let modifier = modifier.map(Modifier::name).unwrap_or_default();
    let escaped = |value: &[u8]| value.escape_ascii().to_string();
    let right = match &check.right {
        Right::None => String::new(),
        Right::Value(value) => format!("\"{}\"", escaped(value)),
        Right::List(values) => {
            let mut values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
            values.sort();
            format!("({})", values.join(","))
        }
        Right::Term(term) => identity(term),
    };
    format!("{} {} {modifier} {right}", identity(&check.left), comparison.name())
}

/// A term with its constants told from its fields.
fn identity(term: &Term) -> String {
    let all = |terms: &[Term]| terms.iter().map(identity).collect::<Vec<_>>().join(",");
    match term {
        Term::Field { name, argument, .. } => format!("{name}[{}]", argument.as_deref().unwrap_or_default()),
        Term::Transformer { name, arguments, argument, .. } => {
            format!("{}({})[{}]", name.name(), all(arguments), argument.as_deref().unwrap_or_default())
        }
        Term::Value(value, _) => format!("\"{}\"", value.escape_ascii()),
        Term::List(items, _) => format!("({})", all(items)),
    }
}

/// Whether a comparison of `evt.num` can be decided now: it starts at 1 and never lacks.
fn invariant(check: &Check, values: &[&[u8]]) -> Option<bool> {
    let Term::Field { name, argument: None, .. } = &check.left else { return None };
    if name != "evt.num" || check.operator.modifier.is_some() {
        return None;
    }
    let number = |value: &&[u8]| match std::str::from_utf8(value) {
        Ok(text) => text.parse::<u64>().ok(),
        Err(_) => None,
    };
    if check.operator.comparison == Comparison::In {
        let all_zero =
            matches!(check.right, Right::List(_)) && values.iter().all(|value| number(value) == Some(0));
        return all_zero.then_some(false);
    }
    let right = number(values.first()?)?;
    match (check.operator.comparison, right) {
        (Comparison::Equal, 0) | (Comparison::Less, 0 | 1) | (Comparison::LessOrEqual, 0) => Some(false),
        (Comparison::NotEqual | Comparison::Greater, 0) | (Comparison::GreaterOrEqual, 0 | 1) => Some(true),
        _ => None,
    }
}

fn supports(kind: FieldType, multiplicity: Multiplicity, operator: Operator) -> Result<(), String> {
    use Comparison as C;
    let Operator { comparison, modifier } = operator;
    if comparison == C::Exists {
        return Ok(());
    }
    if multiplicity == Multiplicity::List {
        return match comparison {
            C::In | C::Intersects if modifier.is_none() => Ok(()),
            _ => Err(format!("filter error: '{}' operator not supported list filters", comparison.name())),
        };
    }
    let equality = matches!(comparison, C::Equal | C::NotEqual | C::In | C::Intersects);
    let order = matches!(comparison, C::Less | C::LessOrEqual | C::Greater | C::GreaterOrEqual);
    let part = matches!(comparison, C::Contains | C::StartsWith | C::EndsWith);
    let (supported, what) = match kind {
        FieldType::Text | FieldType::Path => {
            (!matches!(comparison, C::ContainsBytes | C::StartsWithBytes), "string")
        }
        FieldType::Bytes => {
            (equality || part || matches!(comparison, C::ContainsBytes | C::StartsWithBytes), "buffer")
        }
        FieldType::Address | FieldType::Network => (equality, "ip address and network"),
        FieldType::Boolean => (equality, "numeric"),
        _ => (equality || order, "numeric"),
    };
    if supported {
        return Ok(());
    }
    Err(format!("filter error: '{}' operator not supported for {what} filters", comparison.name()))
}

fn supports_operand(left: &Operand, right: &Operand, comparison: Comparison) -> Result<(), String> {
    if matches!(comparison, Comparison::PathMatch | Comparison::Regex) {
        return Err(format!("operator '{}' doesn't support right-hand side fields", comparison.name()));
    }
    let single = |operand: &Operand| matches!(operand.multiplicity, Multiplicity::One | Multiplicity::List);
    if left.kind == FieldType::Network || !single(left) || !single(right) {
        return Err("this field doesn't support right-hand side fields, or can't be used as one".to_owned());
    }
    let same_kind = left.kind == right.kind || (left.kind.is_text() && right.kind.is_text());
    if !same_kind || left.multiplicity != right.multiplicity {
        let shown = |operand: &Operand| {
            let list = if operand.multiplicity == Multiplicity::List { " (list)" } else { "" };
            format!("'{}'{list}", operand.kind.name())
        };
        return Err(format!(
            "field has type {} while the right-hand side field has incompatible type {}",
            shown(left),
            shown(right)
        ));
    }
    Ok(())
}

/// Whether a pattern has nothing special but at its ends, so that another operator would do.
fn is_needless_regex(pattern: &str) -> bool {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    let occurs = |text: &str| text.starts_with(['+', '*', '?']);
    let inner = match inner.strip_prefix('.') {
        Some(rest) if occurs(rest) => rest.get(1..).unwrap_or_default(),
        _ => inner,
    };
    let inner = match inner.len().checked_sub(2).and_then(|at| inner.split_at_checked(at)) {
        Some((start, end)) if end.starts_with('.') && end.get(1..).is_some_and(occurs) => start,
        _ => inner,
    };
    !inner.contains(['.', '+', '*', '?', '^', '$', '(', ')', '[', ']', '{', '}', '|', '\\'])
}
