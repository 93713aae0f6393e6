//! The shapes of `conversions.txt`.

use super::EventCode;

/// What happens to an event of an older capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It stays as it is.
    Pass,
    /// An enter event is kept for its exit event; with `pass`, it is an event of its own, too.
    Store { pass: bool },
    /// Parameters are appended.
    Add,
    /// It becomes an event of this code, of nothing but the listed parameters.
    Become(EventCode),
}

/// Where a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Parameter of the event itself.
    Own(u8),
    /// Parameter of the stored enter event; if there is none, empty or the default of the type.
    Enter {
        parameter: u8,
        or_empty: bool,
    },
    Empty,
    Default,
    /// The parameters of the first container event as the JSON of the present one.
    ContainerJson,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// The number of parameters in the file, which selects the line.
    pub recorded: usize,
    pub action: Action,
    pub parameters: Vec<From>,
}
