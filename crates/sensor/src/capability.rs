//! What the kernel gave.

/// One thing the sensor would use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// `tp_btf/sys_exit`, …
    pub name: String,
    /// Why it cannot be used; nothing when it can.
    pub problem: Option<String>,
}

/// What can be seen, and what cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub capabilities: Vec<Capability>,
    /// Wanted event types that cannot be told.
    pub blind: Vec<String>,
}
