//! The table of system events: every event code, its name, category and parameters, as data.
//!
//! The facts are in `data/*.txt` of this crate. Codes and parameters are those of `.scap` captures, and the sensor
//! sends the same ones: an event is the same bytes from the kernel to the file. This part knows no state.

mod conversions;
mod parse;
mod raw;
mod types;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use conversions::{Action, Conversion, From};
pub use raw::{EventEncoder, HEADER_BYTES, MAX_PARAMETERS, RawEvent, RawProblem};
pub(crate) use raw::{signed, unsigned, until_nul};
pub use types::{
    Category, Detail, Dynamic, EventCode, EventFlags, EventInfo, FlagName, FlagTable, Format, Parameter,
    ParameterType, Source,
};

/// All that is known of events.
pub struct Table {
    events: Vec<EventInfo>,
    flag_tables: Vec<FlagTable>,
    dynamics: Vec<Dynamic>,
    conversions: Vec<Vec<Conversion>>,
    syscalls: Vec<(&'static str, Category)>,
    by_key: HashMap<&'static str, EventCode>,
    current_exit: HashMap<&'static str, EventCode>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    parse::table(
        include_str!("../../data/events.txt"),
        include_str!("../../data/flags.txt"),
        include_str!("../../data/conversions.txt"),
        include_str!("../../data/syscalls.txt"),
    )
    .unwrap_or_else(|problem| unreachable!("the event table that is part of the program: {problem}"))
});

/// The table. Read once; callers on hot paths keep the reference.
pub fn table() -> &'static Table {
    &TABLE
}

impl Table {
    /// What is known of an event code; nothing for codes that are newer than this table.
    pub fn event(&self, code: EventCode) -> Option<&EventInfo> {
        self.events.get(usize::from(code))
    }

    /// Codes below this are known.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn events(&self) -> impl Iterator<Item = &EventInfo> {
        self.events.iter()
    }

    /// The code of a key such as `SYSCALL_OPENAT_2_X`.
    pub fn code(&self, key: &str) -> Option<EventCode> {
        self.by_key.get(key).copied()
    }

    /// The exit event that is written today for a system call or other event of this name (`openat`, `procexit`).
    pub fn current(&self, name: &str) -> Option<EventCode> {
        self.current_exit.get(name).copied()
    }

    /// How an event of an older capture, which recorded so many parameters, becomes one of today.
    pub fn conversion(&self, code: EventCode, recorded: usize) -> Option<&Conversion> {
        let of_code = self.conversions.get(usize::from(code))?;
        of_code.iter().find(|conversion| conversion.recorded == recorded)
    }

    /// The name of a system call by the number that generic events carry.
    pub fn syscall(&self, number: u16) -> Option<&'static str> {
        self.syscalls.get(usize::from(number)).map(|(name, _)| *name)
    }

    /// What a system call is about, for generic events.
    pub fn syscall_category(&self, number: u16) -> Option<Category> {
        self.syscalls.get(usize::from(number)).map(|(_, category)| *category)
    }

    pub fn syscall_number(&self, name: &str) -> Option<u16> {
        self.syscalls
            .iter()
            .position(|(known, _)| *known == name)
            .and_then(|number| u16::try_from(number).ok())
    }

    /// All names of events and system calls, the values that `evt.type` takes.
    pub fn type_names(&self) -> impl Iterator<Item = &'static str> {
        self.events.iter().map(|event| event.name).chain(self.syscalls.iter().map(|(name, _)| *name))
    }

    pub fn flag_table(&self, number: u8) -> Option<&FlagTable> {
        self.flag_tables.get(usize::from(number))
    }

    pub fn flag_table_named(&self, name: &str) -> Option<&FlagTable> {
        self.flag_tables.iter().find(|table| table.name == name)
    }

    /// The type of the value inside a `dyn` parameter, by its first byte.
    pub fn dynamic(&self, number: u8, alternative: u8) -> Option<(ParameterType, Format)> {
        self.dynamics.get(usize::from(number))?.alternatives.get(usize::from(alternative)).copied()
    }
}

#[cfg(test)]
mod tests;
