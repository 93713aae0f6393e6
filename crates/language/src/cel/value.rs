//! Values: those of a document are borrowed from it and never copied.

use std::collections::HashMap;
use std::sync::Arc;

use yagura_formats::document::{self, Node};

use super::error::Fault;
use super::extension::Extension;
use super::time::{Duration, Timestamp};

/// The outcome of an evaluation or a part of one.
pub type Outcome<'a> = Result<Value<'a>, Fault>;

/// A value of CEL.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Text<'a>),
    Bytes(Arc<[u8]>),
    List(List<'a>),
    Map(Map<'a>),
    Timestamp(Timestamp),
    Duration(Duration),
    Type(Type),
    Optional(Option<Arc<Value<'a>>>),
    /// A value of the Kubernetes libraries.
    Extension(Arc<Extension>),
}

#[derive(Clone, Debug)]
pub enum Text<'a> {
    Borrowed(&'a str),
    Owned(Arc<str>),
}

#[derive(Clone, Debug)]
pub enum List<'a> {
    /// A sequence of a document.
    Node(&'a Node<'a>),
    /// Nodes gathered from anywhere.
    Nodes(Arc<[&'a Node<'a>]>),
    Owned(Arc<[Value<'a>]>),
}

#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// A mapping of a document. A key whose value is null counts as absent.
    Node(&'a Node<'a>),
    Owned(Arc<OwnedMap<'a>>),
}

/// A type as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type(pub &'static str);

/// A map that an expression made.
#[derive(Clone, Debug, Default)]
pub struct OwnedMap<'a> {
    entries: Vec<(Value<'a>, Value<'a>)>,
    texts: HashMap<Box<str>, usize>,
    others: HashMap<Key, usize>,
}

/// A key that is no text; numbers that are equal are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Bool(bool),
    Int(i64),
    Uint(u64),
}

impl<'a> Value<'a> {
    /// The value a node states. Scalars are read, collections stay where they are.
    pub fn of(node: &'a Node<'a>) -> Outcome<'a> {
        Ok(match &node.value {
            document::Value::Unknown => return Err(Fault::Unknown),
            document::Value::Null => Value::Null,
            document::Value::Bool(value) => Value::Bool(*value),
            document::Value::Number(text) => number(node, text),
            document::Value::String(text) => Value::String(Text::Borrowed(text)),
            document::Value::Sequence(_) => Value::List(List::Node(node)),
            document::Value::Mapping(_) => Value::Map(Map::Node(node)),
        })
    }

    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Value::String(Text::Owned(text.into()))
    }

    pub fn list(items: Vec<Value<'a>>) -> Self {
        Value::List(List::Owned(items.into()))
    }

    pub fn some(value: Value<'a>) -> Self {
        Value::Optional(Some(Arc::new(value)))
    }

    pub fn type_of(&self) -> Type {
        Type(match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
            Value::Extension(extension) => extension.type_name(),
        })
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The node a collection is.
    pub fn node(&self) -> Option<&'a Node<'a>> {
        match self {
            Value::List(List::Node(node)) | Value::Map(Map::Node(node)) => Some(node),
            _ => None,
        }
    }
}

/// A number as YAML or JSON writes it: an int where it fits, else a uint, else a double.
fn number<'a>(node: &Node<'_>, text: &str) -> Value<'a> {
    if let Some(value) = node.integer() {
        return Value::Int(value);
    }
    if let Ok(value) = text.parse::<u64>() {
        return Value::Uint(value);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    Value::Double(match unsigned {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => f64::NEG_INFINITY,
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        _ => text.parse().unwrap_or(f64::NAN),
    })
}

impl<'a> Text<'a> {
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Owned(text) => text,
        }
    }
}

impl<'a> List<'a> {
    pub fn len(&self) -> usize {
        match self {
            List::Node(node) => node.items().len(),
            List::Nodes(nodes) => nodes.len(),
            List::Owned(items) => items.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<Outcome<'a>> {
        match self {
            List::Node(node) => node.items().get(index).map(Value::of),
            List::Nodes(nodes) => nodes.get(index).map(|node| Value::of(node)),
            List::Owned(items) => items.get(index).map(|item| Ok(item.clone())),
        }
    }

    /// The node of an item.
    pub fn node(&self, index: usize) -> Option<&'a Node<'a>> {
        match self {
            List::Node(node) => node.items().get(index),
            List::Nodes(nodes) => nodes.get(index).copied(),
            List::Owned(items) => items.get(index).and_then(Value::node),
        }
    }

    /// Every item; one that cannot be known is the outcome of the whole.
    pub fn items(&self) -> Result<Vec<Value<'a>>, Fault> {
        (0..self.len()).filter_map(|index| self.get(index)).collect()
    }
}

impl<'a> Map<'a> {
    pub fn len(&self) -> usize {
        match self {
            Map::Node(node) => node.entries().iter().filter(|entry| !entry.value.is_null()).count(),
            Map::Owned(map) => map.entries.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a text key.
    pub fn field(&self, name: &str) -> Option<Outcome<'a>> {
        match self {
            Map::Node(_) => self.field_node(name).map(Value::of),
            Map::Owned(map) => map.field(name).map(|value| Ok(value.clone())),
        }
    }

    /// The node of a text key's value.
    pub fn field_node(&self, name: &str) -> Option<&'a Node<'a>> {
        match self {
            Map::Node(node) => node.get(name).filter(|value| !value.is_null()),
            Map::Owned(_) => None,
        }
    }

    /// The node of the value of any key.
    pub fn node_of(&self, key: &Value<'_>) -> Option<&'a Node<'a>> {
        match key {
            Value::String(text) => self.field_node(text.as_str()),
            Value::Int(value) => self.field_node(&value.to_string()),
            _ => None,
        }
    }

    /// The value of any key; an error when no key can be of that type.
    pub fn get(&self, key: &Value<'a>) -> Result<Option<Outcome<'a>>, Fault> {
        match (self, key) {
            (_, Value::String(text)) => Ok(self.field(text.as_str())),
            (Map::Node(_), Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Bool(_)) => {
                let text = match key {
                    Value::Int(value) => value.to_string(),
                    Value::Uint(value) => value.to_string(),
                    Value::Bool(value) => value.to_string(),
                    _ => return Ok(None),
                };
                Ok(self.field(&text))
            }
            (Map::Owned(map), _) => match key_of(key) {
                Some(key) => Ok(map
                    .others
                    .get(&key)
                    .and_then(|at| map.entries.get(*at))
                    .map(|entry| Ok(entry.1.clone()))),
                // A double may be no whole number, and then no key equals it.
                None if matches!(key, Value::Double(_)) => Ok(None),
                None => Err(unsupported_key(key)),
            },
            _ => Err(unsupported_key(key)),
        }
    }

    /// Keys with their values, in order; a value that cannot be known is told when it is used.
    pub fn entries(&self) -> Vec<(Value<'a>, Outcome<'a>)> {
        match self {
            Map::Node(node) => {
                let entries = node.entries().iter().filter(|entry| !entry.value.is_null());
                entries.map(|entry| (node_key(&entry.key), Value::of(&entry.value))).collect()
            }
            Map::Owned(map) => {
                map.entries.iter().map(|(key, value)| (key.clone(), Ok(value.clone()))).collect()
            }
        }
    }

    pub fn keys(&self) -> Vec<Value<'a>> {
        match self {
            Map::Node(node) => {
                let entries = node.entries().iter().filter(|entry| !entry.value.is_null());
                entries.map(|entry| node_key(&entry.key)).collect()
            }
            Map::Owned(map) => map.entries.iter().map(|(key, _)| key.clone()).collect(),
        }
    }
}

fn node_key<'a>(key: &'a Node<'a>) -> Value<'a> {
    match key.value {
        // Keys that are collections or null are none that an expression could name.
        document::Value::Number(_) | document::Value::Bool(_) | document::Value::String(_) => {
            Value::of(key).unwrap_or(Value::Null)
        }
        _ => Value::String(Text::Borrowed("")),
    }
}

fn unsupported_key(key: &Value<'_>) -> Fault {
    Fault::error(format!("a {} is no key of a map", key.type_of().0))
}

fn key_of(value: &Value<'_>) -> Option<Key> {
    Some(match value {
        Value::Bool(value) => Key::Bool(*value),
        Value::Int(value) => Key::Int(*value),
        Value::Uint(value) => i64::try_from(*value).map_or(Key::Uint(*value), Key::Int),
        Value::Double(value) if value.fract() == 0.0 && *value >= -9.2e18 && *value < 1.8e19 => {
            if *value < 9.2e18 { Key::Int(*value as i64) } else { Key::Uint(*value as u64) }
        }
        _ => return None,
    })
}

impl<'a> OwnedMap<'a> {
    /// Adds an entry; an error when the key is there already or can be no key.
    pub fn insert(&mut self, key: Value<'a>, value: Value<'a>) -> Result<(), Fault> {
        let at = self.entries.len();
        let before = match (&key, key_of(&key)) {
            (Value::String(text), _) => self.texts.insert(text.as_str().into(), at),
            (Value::Double(_), _) | (_, None) => return Err(unsupported_key(&key)),
            (_, Some(key)) => self.others.insert(key, at),
        };
        if before.is_some() {
            return Err(Fault::error("a map has the same key twice"));
        }
        self.entries.push((key, value));
        Ok(())
    }

    fn field(&self, name: &str) -> Option<&Value<'a>> {
        self.texts.get(name).and_then(|at| self.entries.get(*at)).map(|(_, value)| value)
    }

    pub fn into_value(self) -> Value<'a> {
        Value::Map(Map::Owned(Arc::new(self)))
    }
}
