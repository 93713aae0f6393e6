//! Values of an evaluation: cheap to copy, and each knows the place that states it.

use std::collections::BTreeMap;
use std::sync::Arc;

use yagura_formats::document::{Entry, Node, Span, Value as Stated};

use super::number::Number;
use crate::cloud::{structured, symbol};

/// Deepest nesting of a value; deeper ones are unknown.
const MAX_VALUE_DEPTH: u8 = 128;
/// Most values within a value, shared ones counted each time; larger ones are unknown.
const MAX_VALUE_SIZE: u32 = 1_000_000;

#[derive(Clone, Debug)]
pub struct Value {
    /// Where it is stated, through variables and modules.
    pub span: Span,
    pub kind: Kind,
    /// Values in it and itself, so that no walk over shared parts takes longer than its bound.
    size: u32,
    depth: u8,
    wholly_known: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// What cannot be known. The text is what is known of it: references between marks ([`symbol`]) and what stands
    /// around them.
    Unknown(Option<Arc<str>>),
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    List(Arc<Vec<Value>>),
    /// Sorted, each element once.
    Set(Arc<Vec<Value>>),
    Map(Arc<Map>),
    /// JSON text, kept as the value it states so that its parts know their places and may be unknown.
    Json(Arc<Value>),
    /// One instance of a resource or data source; its attributes are evaluated when they are asked for.
    Resource(Arc<ResourceReference>),
    /// One instance of a module, by its number in the evaluation.
    Module(usize),
}

/// Entries in the order of their keys, each with the place of its key.
pub type Map = BTreeMap<Arc<str>, (Span, Value)>;

#[derive(Debug)]
pub struct ResourceReference {
    /// The module instance's number in the evaluation.
    pub module: usize,
    /// The resource's number in its module.
    pub resource: usize,
    /// Which of its instances.
    pub instance: usize,
    /// `module.network.aws_subnet.private[0]`.
    pub address: Arc<str>,
}

/// Why an expression has no value; what Terraform itself would refuse.
pub type Failed = String;
pub type Outcome = Result<Value, Failed>;

impl Value {
    pub fn new(span: Span, kind: Kind) -> Self {
        let (mut size, mut depth, mut wholly_known) = (1_u32, 0, true);
        let mut add = |part: &Value| {
            size = size.saturating_add(part.size);
            depth = depth.max(part.depth + 1);
            wholly_known &= part.wholly_known;
        };
        match &kind {
            Kind::Unknown(_) | Kind::Resource(_) | Kind::Module(_) => wholly_known = false,
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
            Kind::List(items) | Kind::Set(items) => items.iter().for_each(add),
            Kind::Map(entries) => entries.values().for_each(|(_, value)| add(value)),
            Kind::Json(value) => add(value),
        }
        if depth > MAX_VALUE_DEPTH || size > MAX_VALUE_SIZE {
            return Self::unknown(span);
        }
        Self { span, kind, size, depth, wholly_known }
    }

    /// Values in it and itself.
    pub fn size(&self) -> u32 {
        self.size
    }

    pub fn unknown(span: Span) -> Self {
        Self::new(span, Kind::Unknown(None))
    }

    /// What a reference such as `var.region` or `aws_kms_key.main.arn` will give.
    pub fn reference(span: Span, text: &str) -> Self {
        Self::new(span, Kind::Unknown(Some(symbol::mark(text).into())))
    }

    pub fn string(span: Span, text: impl Into<Arc<str>>) -> Self {
        Self::new(span, Kind::String(text.into()))
    }

    pub fn number(span: Span, number: i128) -> Self {
        Self::new(span, Kind::Number(Number::Integer(number)))
    }

    pub fn bool(span: Span, value: bool) -> Self {
        Self::new(span, Kind::Bool(value))
    }

    pub fn list(span: Span, items: Vec<Value>) -> Self {
        Self::new(span, Kind::List(Arc::new(items)))
    }

    /// Elements in the order of sets, each once. Unknown elements are all kept: nobody knows whether they are alike.
    pub fn set(span: Span, mut items: Vec<Value>) -> Self {
        items.sort_by(order);
        items.dedup_by(|later, earlier| equal(later, earlier) == Some(true));
        Self::new(span, Kind::Set(Arc::new(items)))
    }

    pub fn map(span: Span, entries: Map) -> Self {
        Self::new(span, Kind::Map(Arc::new(entries)))
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The value itself is unknown, whatever may be unknown within a known collection.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_) | Kind::Resource(_) | Kind::Module(_))
    }

    /// Nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        self.wholly_known
    }

    pub fn items(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(items) | Kind::Set(items) => Some(items),
            _ => None,
        }
    }

    pub fn entries(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries()?.get(key).map(|(_, value)| value)
    }

    /// The same value, stated elsewhere.
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// Text as templates and `tostring` give it. `Ok(None)` for what is unknown.
    pub fn text(&self) -> Result<Option<Arc<str>>, Failed> {
        Ok(Some(match &self.kind {
            Kind::Unknown(_) | Kind::Resource(_) | Kind::Module(_) => return Ok(None),
            Kind::String(text) => text.clone(),
            Kind::Number(number) => number.to_string().into(),
            Kind::Bool(true) => "true".into(),
            Kind::Bool(false) => "false".into(),
            Kind::Json(value) => match super::functions::json::text_of(value) {
                Some(text) => text.into(),
                None => return Ok(None),
            },
            Kind::Null => return Err("a string is required, but the value is null".to_owned()),
            Kind::List(_) | Kind::Set(_) | Kind::Map(_) => {
                return Err(format!("a string is required, but the value is {}", self.type_name()));
            }
        }))
    }

    /// What is known of the text of an unknown value, with marks around its references.
    pub fn symbolic(&self) -> String {
        match &self.kind {
            Kind::Unknown(Some(text)) => text.to_string(),
            Kind::Resource(reference) => symbol::mark(&reference.address),
            Kind::Json(value) => super::functions::json::symbolic_text_of(value),
            _ => match self.text() {
                Ok(Some(text)) => text.to_string(),
                _ => symbol::mark(""),
            },
        }
    }

    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Unknown(_) => "unknown",
            Kind::Null => "null",
            Kind::Bool(_) => "a bool",
            Kind::Number(_) => "a number",
            Kind::String(_) | Kind::Json(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Set(_) => "a set",
            Kind::Map(_) | Kind::Resource(_) | Kind::Module(_) => "an object",
        }
    }

    /// The value as a document. Text that states JSON around unknown parts becomes what it states; `budget` nodes are
    /// made at most, and what is beyond them is unknown.
    pub fn to_node(&self, budget: &mut usize) -> Node<'static> {
        let node = |value| Node::new(self.span, value);
        if *budget == 0 {
            return node(Stated::Unknown);
        }
        *budget -= 1;
        match &self.kind {
            Kind::Unknown(None) | Kind::Module(_) => node(Stated::Unknown),
            Kind::Unknown(Some(text)) => match structured::marked(text, self.span) {
                Some(stated) => stated,
                None => symbol::unknown(self.span, text),
            },
            Kind::Resource(reference) => symbol::unknown(self.span, &symbol::mark(&reference.address)),
            Kind::Null => node(Stated::Null),
            Kind::Bool(value) => node(Stated::Bool(*value)),
            Kind::Number(number) => node(Stated::Number(number.to_string().into())),
            Kind::String(text) => node(Stated::String(text.to_string().into())),
            Kind::List(items) | Kind::Set(items) => {
                node(Stated::Sequence(items.iter().map(|item| item.to_node(budget)).collect()))
            }
            Kind::Map(entries) => node(Stated::Mapping(
                entries
                    .iter()
                    .map(|(key, (span, value))| Entry {
                        key: Node::new(*span, Stated::String(key.to_string().into())),
                        value: value.to_node(budget),
                    })
                    .collect(),
            )),
            Kind::Json(value) => structured::tagged(value.to_node(budget)),
        }
    }

    /// A document as a value, as JSON and YAML texts give it.
    pub fn from_node(node: &Node<'_>, span: Option<Span>) -> Self {
        let at = span.unwrap_or(node.span);
        let kind = match &node.value {
            Stated::Unknown => Kind::Unknown(node.tag.as_deref().map(Arc::from)),
            Stated::Null => Kind::Null,
            Stated::Bool(value) => Kind::Bool(*value),
            Stated::Number(text) => match (Number::parse(text), node.integer()) {
                (Some(number), _) => Kind::Number(number),
                (None, Some(integer)) => Kind::Number(Number::Integer(integer.into())),
                (None, None) => Kind::Unknown(None),
            },
            Stated::String(text) => Kind::String(text.as_ref().into()),
            Stated::Sequence(items) => {
                Kind::List(Arc::new(items.iter().map(|item| Self::from_node(item, span)).collect()))
            }
            Stated::Mapping(entries) => Kind::Map(Arc::new(
                entries
                    .iter()
                    .filter_map(|entry| {
                        let key = entry.key.scalar()?;
                        Some((
                            key.into(),
                            (span.unwrap_or(entry.key.span), Self::from_node(&entry.value, span)),
                        ))
                    })
                    .collect(),
            )),
        };
        Self::new(at, kind)
    }
}

/// Whether two values are the same; none when that cannot be known.
pub fn equal(left: &Value, right: &Value) -> Option<bool> {
    let all = |pairs: &mut dyn Iterator<Item = Option<bool>>| {
        let mut known = Some(true);
        for pair in pairs {
            match pair {
                Some(false) => return Some(false),
                Some(true) => {}
                None => known = None,
            }
        }
        known
    };
    match (&left.kind, &right.kind) {
        (Kind::Json(_), _) | (_, Kind::Json(_)) => match (left.text(), right.text()) {
            (Ok(Some(left)), Ok(Some(right))) => Some(left == right),
            (Ok(_), Ok(_)) => None,
            _ => Some(false),
        },
        _ if left.is_unknown() || right.is_unknown() => None,
        (Kind::Null, Kind::Null) => Some(true),
        (Kind::Bool(left), Kind::Bool(right)) => Some(left == right),
        (Kind::Number(left), Kind::Number(right)) => Some(left == right),
        (Kind::String(left), Kind::String(right)) => Some(left == right),
        (Kind::List(left), Kind::List(right)) | (Kind::Set(left), Kind::Set(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            all(&mut left.iter().zip(right.iter()).map(|(left, right)| equal(left, right)))
        }
        (Kind::Map(left), Kind::Map(right)) => {
            if left.len() != right.len() || !left.keys().eq(right.keys()) {
                return Some(false);
            }
            all(&mut left.values().zip(right.values()).map(|((_, left), (_, right))| equal(left, right)))
        }
        _ => Some(false),
    }
}

/// The order of sets and of `sort`: by text where there is one.
fn order(left: &Value, right: &Value) -> std::cmp::Ordering {
    match (&left.kind, &right.kind) {
        (Kind::Number(left), Kind::Number(right)) => {
            left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal)
        }
        (Kind::Map(_) | Kind::List(_), Kind::Map(_) | Kind::List(_)) => {
            super::functions::json::text_of(left).cmp(&super::functions::json::text_of(right))
        }
        _ => {
            let text = |value: &Value| value.text().ok().flatten();
            // What has no text comes last, as it was.
            match (text(left), text(right)) {
                (Some(left), Some(right)) => left.cmp(&right),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => std::cmp::Ordering::Equal,
            }
        }
    }
}
