//! What judges events, put together: sources, rules, engine, and where alerts go.

mod destination;
mod rules;
mod session;

pub use destination::{Sinks, hostname};
pub use rules::{load, print_fields, report_failures, results, sources};
pub use session::Session;
