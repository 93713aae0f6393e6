//! What an event can be asked: the seam between whoever knows events and whoever judges them.
//!
//! A source of events (system calls, Kubernetes audit, CloudTrail) has a [`FieldCatalogue`], which turns a field's name
//! into a typed [`Field`] once, and events that implement [`Fields`], which give the field's value as often as asked.
//! A rule language compiles against the first and runs against the second; neither side knows the other. Names,
//! types and meanings of fields are those of Falco's (<https://falco.org/docs/reference/rules/supported-fields/>).

mod value;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use value::{FieldValue, TimeStyle};

/// What a source of events can be asked.
pub trait FieldCatalogue {
    /// As rules name it: `syscall`, `k8s_audit`, `aws_cloudtrail`.
    fn source(&self) -> &'static str;

    /// The field `name[argument]`. Called once for each use in a rule, so it may be slow.
    fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError>;

    /// The event type that `evt.type` gives as `name`; none when no event of this source is called so.
    fn event_type(&self, name: &str) -> Option<EventType>;

    /// How many event types there are: all are below it. 0 for a source whose events have no types, so that every
    /// rule sees every event.
    fn event_types(&self) -> u16;

    /// Every field, in the order in which people should see them.
    fn describe(&self) -> Vec<FieldDescription>;
}

/// One event together with the state it needs to be understood.
///
/// A value is missing when the event or the state does not have it; judging treats that as its own case, so nothing
/// may stand in for it (no empty text, no `<NA>`).
pub trait Fields {
    /// None for sources without event types.
    fn event_type(&self) -> Option<EventType>;

    /// Nanoseconds since 1970, UTC.
    fn time(&self) -> u64;

    /// The value of a field with one value; the first of one with several.
    ///
    /// Called millions of times a second: numbers and texts that the event or the state holds must not allocate.
    fn value(&self, field: &Field) -> Option<FieldValue<'_>>;

    /// Every value of a field that may have several ([`Field::multiplicity`]), until `visit` has seen enough.
    fn each(&self, field: &Field, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        if let Some(value) = self.value(field) {
            let _ = visit(value);
        }
    }
}

/// A field whose name has been understood: what [`Fields::value`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The catalogue's own number for the name.
    pub id: u16,
    pub argument: Argument,
    pub kind: FieldType,
    pub multiplicity: Multiplicity,
}

/// What stood in brackets behind a field's name, or after the name as in `evt.arg.flags`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Argument {
    #[default]
    None,
    Index(u32),
    Key(Arc<str>),
}

/// What a field's values are, and so which operators and right-hand sides it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    Boolean,
    Signed,
    Unsigned,
    Double,
    /// A length of time in nanoseconds, unsigned.
    Duration,
    /// Nanoseconds since 1970, unsigned.
    Time,
    /// A port: unsigned, and comparable with a service's name.
    Port,
    Text,
    /// A path: a text to all operators.
    Path,
    Bytes,
    /// An IPv4 or IPv6 address.
    Address,
    /// An address that is compared with networks.
    Network,
}

/// How many values a field has and what an operator means then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Multiplicity {
    #[default]
    One,
    /// A list: only `exists`, `in` (all values are in the set) and `intersects` (one is).
    List,
    /// Operators hold when they hold of one of the values: `proc.aname` without an index.
    Any,
    /// As [`Multiplicity::Any`], but `!=` must hold of all values: the two ends of a connection.
    Ends,
}

/// A type of event of one source, such as `openat`; dense, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventType(pub u16);

/// A field as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDescription {
    pub name: &'static str,
    pub kind: FieldType,
    pub list: bool,
    pub argument: ArgumentRule,
    pub description: &'static str,
}

/// Whether a field takes an argument in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentRule {
    None,
    OptionalIndex,
    RequiredIndex,
    OptionalKey,
    RequiredKey,
}

/// Why a name is no field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("filter_check called with nonexistent field {0}")]
    Unknown(String),
    #[error("filter {0} does not take an argument")]
    UnexpectedArgument(String),
    #[error("filter {0} needs an argument, as in {0}[…]")]
    MissingArgument(String),
    #[error("`{argument}` is no argument that filter {field} understands: {reason}")]
    InvalidArgument { field: String, argument: String, reason: String },
}

impl FieldType {
    /// As Falco lists it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOL",
            Self::Signed => "INT64",
            Self::Unsigned => "UINT64",
            Self::Double => "DOUBLE",
            Self::Duration => "RELTIME",
            Self::Time => "ABSTIME",
            Self::Port => "PORT",
            Self::Text => "CHARBUF",
            Self::Path => "FSPATH",
            Self::Bytes => "BYTEBUF",
            Self::Address => "IPADDR",
            Self::Network => "IPNET",
        }
    }

    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Signed | Self::Unsigned | Self::Double | Self::Duration | Self::Time | Self::Port
        )
    }

    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Path)
    }
}

impl Argument {
    /// The key, for fields that take one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            _ => None,
        }
    }

    pub fn index(&self) -> Option<u32> {
        match self {
            Self::Index(index) => Some(*index),
            _ => None,
        }
    }
}

impl ArgumentRule {
    /// Reads what stood in brackets as the rule wants it.
    pub fn read(self, field: &str, argument: Option<&str>) -> Result<Argument, FieldError> {
        let index = |text: &str| {
            text.parse().map(Argument::Index).map_err(|_| FieldError::InvalidArgument {
                field: field.to_owned(),
                argument: text.to_owned(),
                reason: "a number is wanted".to_owned(),
            })
        };
        match (self, argument) {
            (Self::None, Some(_)) => Err(FieldError::UnexpectedArgument(field.to_owned())),
            (Self::RequiredIndex | Self::RequiredKey, None) => {
                Err(FieldError::MissingArgument(field.to_owned()))
            }
            (Self::None | Self::OptionalIndex | Self::OptionalKey, None) => Ok(Argument::None),
            (Self::OptionalIndex | Self::RequiredIndex, Some(text)) => index(text),
            (Self::OptionalKey | Self::RequiredKey, Some(text)) => Ok(Argument::Key(text.into())),
        }
    }
}
