//! Names of fields to fields.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use yagura_model::field::{
    Argument, EventType, Field, FieldCatalogue, FieldDescription, FieldError, FieldType, Multiplicity,
};

use super::names::{DEFINITIONS, FieldId, IDS};
use crate::table::{Detail, EventCode, ParameterType, Table, table};

/// What system events can be asked.
pub struct SyscallCatalogue {
    table: &'static Table,
    by_name: HashMap<&'static str, u16>,
    /// Types of events: the names of events and of system calls, dense.
    types: HashMap<&'static str, EventType>,
    names: Vec<&'static str>,
    /// The type of each event code.
    of_code: Vec<EventType>,
    /// The type of each system call of generic events.
    of_syscall: Vec<EventType>,
    generic: [Option<EventCode>; 2],
}

impl Default for SyscallCatalogue {
    fn default() -> Self {
        Self::new()
    }
}

impl SyscallCatalogue {
    pub fn new() -> Self {
        let table = table();
        let mut types: HashMap<&'static str, EventType> = HashMap::new();
        let mut names = Vec::new();
        let mut intern = |name: &'static str| {
            *types.entry(name).or_insert_with(|| {
                names.push(name);
                EventType(u16::try_from(names.len() - 1).unwrap_or(u16::MAX))
            })
        };
        let of_code = table.events().map(|event| intern(event.name)).collect();
        let of_syscall = (0..u16::MAX).map_while(|number| table.syscall(number)).map(&mut intern).collect();
        let by_name =
            DEFINITIONS.iter().zip(0u16..).map(|(definition, number)| (definition.name, number)).collect();
        let generic = [table.code("GENERIC_E"), table.code("GENERIC_X")];
        Self { table, by_name, types, names, of_code, of_syscall, generic }
    }

    /// The type of an event: for generic ones that of the system call they carry.
    pub fn type_of(&self, event: &crate::table::RawEvent<'_>) -> EventType {
        if self.generic.contains(&Some(event.code))
            && let Some(of_syscall) =
                event.unsigned(0).and_then(|number| self.of_syscall.get(usize::try_from(number).ok()?))
        {
            return *of_syscall;
        }
        self.of_code.get(usize::from(event.code)).copied().unwrap_or(EventType(0))
    }

    /// The name of a type: what `evt.type` shows.
    pub fn type_name(&self, event_type: EventType) -> &'static str {
        self.names.get(usize::from(event_type.0)).copied().unwrap_or("NA")
    }

    /// The type of the value of `evt.rawarg.NAME`: that of the longest parameter of this name.
    fn raw_kind(&self, name: &str) -> Option<FieldType> {
        self.table
            .events()
            .flat_map(|event| &event.parameters)
            .filter(|parameter| parameter.name == name)
            .max_by_key(|parameter| parameter.kind.width())
            .map(|parameter| raw_type(parameter.kind))
    }

    fn has_argument(&self, name: &str) -> bool {
        self.table.events().any(|event| event.parameter_index(name).is_some())
    }

    /// The longest field of which `name` is a dotted continuation, as in `evt.arg.flags`.
    fn prefix(&self, name: &str) -> Option<(u16, FieldId, usize)> {
        ["evt.rawarg.", "evt.arg.", "evt.type.is.", "evt.abspath.", "thread.cgroup.", "k8s.pod.label."]
            .iter()
            .find(|prefix| name.starts_with(*prefix))
            .and_then(|prefix| {
                let field = self.by_name.get(prefix.strip_suffix('.')?)?;
                Some((*field, *IDS.get(usize::from(*field))?, prefix.len()))
            })
    }
}

static CATALOGUE: LazyLock<SyscallCatalogue> = LazyLock::new(SyscallCatalogue::new);

/// The catalogue of system events, made when first asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Syscall;

impl Syscall {
    pub fn catalogue() -> &'static SyscallCatalogue {
        &CATALOGUE
    }
}

impl FieldCatalogue for Syscall {
    fn source(&self) -> &'static str {
        CATALOGUE.source()
    }

    fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        CATALOGUE.resolve(name, argument)
    }

    fn event_type(&self, name: &str) -> Option<EventType> {
        CATALOGUE.event_type(name)
    }

    fn event_types(&self) -> u16 {
        CATALOGUE.event_types()
    }

    fn describe(&self) -> Vec<FieldDescription> {
        CATALOGUE.describe()
    }
}

/// What a parameter is as the value of a field.
pub(super) fn raw_type(kind: ParameterType) -> FieldType {
    use ParameterType as P;
    match kind {
        P::Int8 | P::Int16 | P::Int32 | P::Int64 | P::Errno | P::Fd | P::Pid | P::Fd32 | P::Pid32 => {
            FieldType::Signed
        }
        P::Text | P::TextArray | P::TextPairArray => FieldType::Text,
        P::Path | P::RelativePath => FieldType::Path,
        P::Bytes | P::SocketAddress | P::SocketTuple | P::FdList | P::Dynamic => FieldType::Bytes,
        P::Bool => FieldType::Boolean,
        P::Double => FieldType::Double,
        P::RelativeTime => FieldType::Duration,
        P::AbsoluteTime => FieldType::Time,
        P::Port => FieldType::Port,
        P::Ipv4Address | P::Ipv6Address | P::IpAddress => FieldType::Address,
        P::Ipv4Network | P::Ipv6Network | P::IpNetwork => FieldType::Network,
        _ => FieldType::Unsigned,
    }
}

impl FieldCatalogue for SyscallCatalogue {
    fn source(&self) -> &'static str {
        "syscall"
    }

    fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        let unknown = || FieldError::Unknown(name.to_owned());
        let (number, id, key): (u16, FieldId, Option<&str>) = match self.by_name.get(name) {
            Some(number) => (*number, *IDS.get(usize::from(*number)).ok_or_else(unknown)?, argument),
            None => {
                let (number, id, length) = self.prefix(name).ok_or_else(unknown)?;
                if argument.is_some() {
                    return Err(FieldError::UnexpectedArgument(name.to_owned()));
                }
                (number, id, name.get(length..))
            }
        };
        let definition = DEFINITIONS.get(usize::from(number)).ok_or_else(unknown)?;
        let invalid = |argument: &str, reason: &str| FieldError::InvalidArgument {
            field: definition.name.to_owned(),
            argument: argument.to_owned(),
            reason: reason.to_owned(),
        };
        let mut argument = definition.argument.read(definition.name, key)?;
        let mut kind = definition.kind;
        match (id, &argument) {
            (FieldId::EvtArg | FieldId::EvtRawArg, Argument::Key(key)) => {
                if let Ok(index) = key.parse() {
                    argument = Argument::Index(index);
                } else if !self.has_argument(key) {
                    return Err(invalid(key, "no event has an argument of this name"));
                } else if id == FieldId::EvtRawArg {
                    kind = self.raw_kind(key).unwrap_or(FieldType::Bytes);
                }
            }
            (FieldId::EvtTypeIs, Argument::Key(key)) => {
                let event_type = self.event_type(key).ok_or_else(|| invalid(key, "no event is called so"))?;
                argument = Argument::Index(u32::from(event_type.0));
            }
            (FieldId::EvtAbsPath, Argument::Key(key)) if !matches!(&**key, "src" | "dst") => {
                return Err(invalid(key, "src or dst is wanted"));
            }
            (
                FieldId::ContainerMount
                | FieldId::ContainerMountSource
                | FieldId::ContainerMountDest
                | FieldId::ContainerMountMode
                | FieldId::ContainerMountRdwr
                | FieldId::ContainerMountPropagation,
                Argument::Key(key),
            ) => {
                if let Ok(index) = key.parse() {
                    argument = Argument::Index(index);
                }
            }
            (FieldId::ProcEnv | FieldId::ProcAenv, Argument::Key(key)) => {
                if let Ok(index) = key.parse() {
                    argument = Argument::Index(index);
                } else {
                    argument = Argument::Key(Arc::from(format!("{key}=")));
                }
            }
            _ => {}
        }
        let multiplicity = match (definition.multiplicity, &argument) {
            // One generation is one value; an environment's variable is asked of all.
            (Multiplicity::Any, Argument::Index(_)) => Multiplicity::One,
            (multiplicity, _) => multiplicity,
        };
        Ok(Field { id: number, argument, kind, multiplicity })
    }

    fn event_type(&self, name: &str) -> Option<EventType> {
        self.types.get(name).copied()
    }

    fn event_types(&self) -> u16 {
        u16::try_from(self.names.len()).unwrap_or(u16::MAX)
    }

    fn describe(&self) -> Vec<FieldDescription> {
        DEFINITIONS
            .iter()
            .map(|definition| FieldDescription {
                name: definition.name,
                kind: definition.kind,
                list: definition.multiplicity == Multiplicity::List,
                argument: definition.argument,
                description: definition.description,
            })
            .collect()
    }
}

/// The parameter with the directory of a path, for those that have one.
pub(super) fn directory_of(detail: Detail) -> Option<usize> {
    match detail {
        Detail::Directory(index) => Some(usize::from(index)),
        _ => None,
    }
}
