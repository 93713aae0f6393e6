//! What a system event can be asked: the fields of Falco and sysdig.
//!
//! [`SyscallCatalogue`] turns names into fields once; [`EventView`] is one event with the state it needs and answers
//! them. Names, types and texts are those of falcosecurity/libs (userspace/libsinsp/sinsp_filtercheck_*.cpp), and of
//! its container plugin for `container.*` and `k8s.*`.

mod account;
mod arguments;
mod catalogue;
mod container;
mod descriptor;
mod event;
mod names;
mod paths;
mod process;
mod render;
mod symbols;
mod view;

pub use catalogue::{Syscall, SyscallCatalogue};
pub use view::{EventView, Moment};

#[cfg(test)]
mod tests;
