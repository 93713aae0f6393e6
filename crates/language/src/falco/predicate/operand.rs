//! What is compared: a field, or transformers over fields and constants.

use std::borrow::Cow;
use std::ops::ControlFlow;

use yagura_model::field::{Field, FieldCatalogue, FieldType, FieldValue, Fields, Multiplicity};

use super::compile::CompileError;
use super::transform::{Options, Transform};
use crate::falco::condition::{Position, Term, TransformerName};

/// Most values of one list that a transformer looks at.
pub const MAX_VALUES: usize = 4096;

/// A term whose fields are resolved and whose type is known.
#[derive(Clone, Debug)]
pub struct Operand {
    pub kind: FieldType,
    pub multiplicity: Multiplicity,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Field(Field),
    Constant(Vec<u8>),
    List(Vec<Operand>),
    Each(Transform, Box<Operand>),
    /// Bytes of a text, or values of a list.
    Length(Box<Operand>),
    Join {
        separator: Box<Operand>,
        list: Box<Operand>,
    },
    Concat(Vec<Operand>),
    Options {
        arguments: Box<Operand>,
        specification: Box<Operand>,
        /// The option whose last value is wanted, instead of all options.
        selected: Option<u8>,
    },
}

impl Operand {
    pub fn compile(term: &Term, catalogue: &dyn FieldCatalogue) -> Result<Self, CompileError> {
        match term {
            Term::Field { name, argument, at } => {
                let field = catalogue
                    .resolve(name, argument.as_deref())
                    .map_err(|error| CompileError::unknown(error.to_string(), *at))?;
                Ok(Self { kind: field.kind, multiplicity: field.multiplicity, source: Source::Field(field) })
            }
            Term::Value(value, _) => Ok(Self::one(FieldType::Text, Source::Constant(value.clone()))),
            Term::List(items, at) => {
                let items: Vec<Self> =
                    items.iter().map(|item| Self::compile(item, catalogue)).collect::<Result<_, _>>()?;
                let kind = items.first().map_or(FieldType::Text, |item| item.kind);
                if items.iter().any(|item| item.multiplicity != Multiplicity::One) {
                    return Err(CompileError::new("a list may hold single values only", *at));
                }
                Ok(Self { kind, multiplicity: Multiplicity::List, source: Source::List(items) })
            }
            Term::Transformer { name, arguments, argument, at } => {
                let arguments = arguments
                    .iter()
                    .map(|argument| Self::compile(argument, catalogue))
                    .collect::<Result<Vec<_>, _>>()?;
                Self::transformer(*name, arguments, argument.as_deref(), *at)
            }
        }
    }

    fn one(kind: FieldType, source: Source) -> Self {
        Self { kind, multiplicity: Multiplicity::One, source }
    }

    fn is_list(&self) -> bool {
        self.multiplicity == Multiplicity::List
    }

    fn transformer(
        name: TransformerName,
        mut arguments: Vec<Self>,
        argument: Option<&str>,
        at: Position,
    ) -> Result<Self, CompileError> {
        let fail = |message: &str| Err(CompileError::new(message, at));
        if argument.is_some() && name != TransformerName::GetOption {
            return fail(&format!(
                "filter error: transformer '{}' does not support field arguments",
                name.name()
            ));
        }
        if arguments
            .iter()
            .any(|argument| matches!(argument.multiplicity, Multiplicity::Any | Multiplicity::Ends))
            && name != TransformerName::Value
        {
            return fail("field without an index has several values and does not support transformers");
        }
        match name {
            TransformerName::Join => {
                let [separator, list] = take(arguments).ok_or_else(|| {
                    CompileError::new("join() requires exactly 2 arguments: separator and list", at)
                })?;
                if separator.is_list() || !separator.kind.is_text() {
                    return fail("join() first argument (separator) must be a single value, not a list");
                }
                if !list.is_list() {
                    return fail("join() second argument must be a list");
                }
                let source = Source::Join { separator: Box::new(separator), list: Box::new(list) };
                Ok(Self::one(FieldType::Text, source))
            }
            TransformerName::Concat => {
                if arguments.len() < 2 {
                    return fail("concat() requires at least 2 arguments");
                }
                if arguments.iter().any(|argument| argument.is_list() || !argument.kind.is_text()) {
                    return fail("concat() arguments must be strings");
                }
                Ok(Self::one(FieldType::Text, Source::Concat(arguments)))
            }
            TransformerName::GetOption => {
                let Some([list, specification]) = take(arguments) else {
                    return fail("getopt() requires exactly 2 arguments: args list and optstring");
                };
                if !list.is_list() {
                    return fail("getopt() first argument must be a list");
                }
                if specification.is_list() || !specification.kind.is_text() || !list.kind.is_text() {
                    return fail(
                        "getopt() second argument (optstring) must be a single value, and both strings",
                    );
                }
                let selected = match argument.map(str::as_bytes) {
                    None => None,
                    Some([option]) => Some(*option),
                    Some(_) => return fail("getopt() field argument must be a single option character"),
                };
                let source = Source::Options {
                    arguments: Box::new(list),
                    specification: Box::new(specification),
                    selected,
                };
                let multiplicity = if selected.is_some() { Multiplicity::One } else { Multiplicity::List };
                Ok(Self { kind: FieldType::Text, multiplicity, source })
            }
            _ => {
                if arguments.len() != 1 {
                    return fail(&format!("{}() takes one argument", name.name()));
                }
                let inner = arguments.remove(0);
                let Some(transform) = Transform::of(name) else {
                    return Ok(match name {
                        TransformerName::Length => Self::length(inner, at)?,
                        _ => inner,
                    });
                };
                if !transform.takes(inner.kind) {
                    return fail(&format!(
                        "can't add field transformer: type '{}' is not supported by '{}' transformer",
                        inner.kind.name(),
                        name.name()
                    ));
                }
                Ok(Self {
                    kind: inner.kind,
                    multiplicity: inner.multiplicity,
                    source: Source::Each(transform, Box::new(inner)),
                })
            }
        }
    }

    fn length(inner: Self, at: Position) -> Result<Self, CompileError> {
        if !inner.is_list() && !inner.kind.is_text() && inner.kind != FieldType::Bytes {
            let message = format!(
                "can't add field transformer: type '{}' is not supported by 'len' transformer",
                inner.kind.name()
            );
            return Err(CompileError::new(message, at));
        }
        Ok(Self::one(FieldType::Unsigned, Source::Length(Box::new(inner))))
    }

    /// The field itself where nothing is done to it: the quick way.
    pub fn field(&self) -> Option<&Field> {
        match &self.source {
            Source::Field(field) => Some(field),
            _ => None,
        }
    }

    /// The value of an operand that has one.
    pub fn value<'e, E: Fields + ?Sized>(&'e self, event: &'e E) -> Option<FieldValue<'e>> {
        match &self.source {
            Source::Field(field) => event.value(field),
            Source::Constant(value) => Some(FieldValue::text_bytes(value)),
            Source::Each(transform, inner) => transform.apply(inner.value(event)?),
            Source::Length(inner) => {
                let length = if inner.is_list() {
                    inner.values(event)?.len()
                } else {
                    bytes(&inner.value(event)?).len()
                };
                Some(FieldValue::Unsigned(length as u64))
            }
            Source::Join { separator, list } => {
                let separator = separator.value(event)?;
                let mut joined = Vec::new();
                for (at, value) in list.values(event)?.iter().enumerate() {
                    if at > 0 {
                        joined.extend_from_slice(&bytes(&separator));
                    }
                    joined.extend_from_slice(&bytes(value));
                }
                Some(FieldValue::Text(Cow::Owned(joined)))
            }
            Source::Concat(parts) => {
                let mut text = Vec::new();
                for part in parts {
                    text.extend_from_slice(&bytes(&part.value(event)?));
                }
                Some(FieldValue::Text(Cow::Owned(text)))
            }
            Source::Options { arguments, specification, selected } => {
                let options = Options::parse(&bytes(&specification.value(event)?));
                let arguments = arguments.values(event)?;
                let arguments: Vec<Cow<'_, [u8]>> = arguments.iter().map(bytes).collect();
                options.last(&arguments, (*selected)?).map(|value| FieldValue::Text(Cow::Owned(value)))
            }
            Source::List(items) => items.first()?.value(event),
        }
    }

    /// Visits every value until `visit` has seen enough; false when there is none.
    pub fn each<E: Fields + ?Sized>(
        &self,
        event: &E,
        visit: &mut dyn FnMut(&FieldValue<'_>) -> ControlFlow<()>,
    ) -> bool {
        match &self.source {
            Source::Field(field) => {
                let mut present = false;
                event.each(field, &mut |value| {
                    present = true;
                    visit(&value)
                });
                present
            }
            _ if self.multiplicity == Multiplicity::One => match self.value(event) {
                Some(value) => {
                    let _ = visit(&value);
                    true
                }
                None => false,
            },
            _ => match self.values(event) {
                Some(values) => {
                    let _ = values.iter().try_for_each(visit);
                    true
                }
                None => false,
            },
        }
    }

    /// All values, of a list or of a single one. A list that a transformer makes may be empty; a field's is missing
    /// then.
    pub fn values<E: Fields + ?Sized>(&self, event: &E) -> Option<Vec<FieldValue<'static>>> {
        match &self.source {
            Source::Field(field) => {
                let mut values = Vec::new();
                event.each(field, &mut |value| {
                    values.push(value.into_owned());
                    if values.len() < MAX_VALUES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                (!values.is_empty()).then_some(values)
            }
            Source::List(items) => {
                items.iter().map(|item| item.value(event).map(FieldValue::into_owned)).collect()
            }
            Source::Each(transform, inner) if inner.is_list() => {
                inner.values(event)?.into_iter().map(|value| transform.apply(value)).collect()
            }
            Source::Options { arguments, specification, selected: None } => {
                let options = Options::parse(&bytes(&specification.value(event)?));
                let arguments = arguments.values(event)?;
                let arguments: Vec<Cow<'_, [u8]>> = arguments.iter().map(bytes).collect();
                let found = options.all(&arguments).into_iter();
                Some(found.map(|text| FieldValue::Text(Cow::Owned(text))).collect())
            }
            _ => self.value(event).map(|value| vec![value.into_owned()]),
        }
    }
}

fn take<const N: usize>(arguments: Vec<Operand>) -> Option<[Operand; N]> {
    arguments.try_into().ok()
}

/// A value as text: itself for texts, written out for all else.
pub(super) fn bytes<'v>(value: &'v FieldValue<'_>) -> Cow<'v, [u8]> {
    match value {
        FieldValue::Text(text) | FieldValue::Bytes(text) => Cow::Borrowed(text),
        other => Cow::Owned(crate::falco::output::text(other).into_bytes()),
    }
}
