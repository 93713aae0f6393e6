//! Kernel to events.
//!
//! The eBPF programs in `bpf/` (C, relocated by BTF when loaded, the compiled object committed) send records; this crate
//! loads them, and turns the records into the events of [`yagura_events::table`], the same bytes that captures hold. This
//! crate must not know any rule: it is told which event types are wanted.

mod capability;
pub mod machine;
pub mod record;
mod sensor;
mod shapes;
mod translate;

pub use capability::{Capability, Coverage};
pub use sensor::{Loss, Options, Sensor, SensorError};
pub use translate::Translator;
