//! Threat rules over events: which rule an event breaks, and what is then said.
//!
//! An [`Engine`] holds the rules of every source. For each event type it keeps its own list of conditions, already
//! simplified for that type, so that an event meets only what it could match. The engine must not know where events
//! come from or where alerts go; time is the events' own.

mod engine;
mod repeats;
mod selection;

pub use engine::{Engine, Matching, SourceId, Statistics};
pub use repeats::Repeats;
pub use selection::{InvalidChoice, Selection};
