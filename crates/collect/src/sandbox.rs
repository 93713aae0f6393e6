//! Confines the process before it parses what strangers wrote.
//!
//! Two layers, each as strong as the kernel allows: Landlock (paths that may be read or written, no TCP, no signals or
//! abstract sockets to the outside) and a seccomp filter (no sockets, no other programs, no mounts, no tracing, no
//! io_uring, which would go around the rest). Threads stay possible: parsers run on several.
//!
//! Call [`restrict`] once everything is fetched, before parser threads start, and drop HTTP clients first: a
//! connection that is open already stays usable.

use std::fmt;
use std::path::Path;

/// How far the process is confined; the text is what a report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxStatus {
    /// The Landlock ABI in force, where there is one.
    pub landlock: Option<u32>,
    /// Whether Landlock binds every thread; kernels before 7.0 bind the calling one and those it starts.
    pub all_threads: bool,
    pub seccomp: bool,
    /// Why a layer is missing.
    pub missing: Vec<String>,
}

impl SandboxStatus {
    /// Nothing in force, for `reason`.
    pub fn none(reason: impl Into<String>) -> Self {
        Self { landlock: None, all_threads: false, seccomp: false, missing: vec![reason.into()] }
    }
}

impl fmt::Display for SandboxStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layers = Vec::new();
        if let Some(version) = self.landlock {
            let reach = if self.all_threads { "" } else { " (not in threads started before)" };
            layers.push(format!("landlock v{version}{reach}"));
        }
        if self.seccomp {
            layers.push("seccomp".to_owned());
        }
        match (layers.is_empty(), self.missing.is_empty()) {
            (true, _) => write!(f, "none: {}", self.missing.join("; ")),
            (false, true) => f.write_str(&layers.join(", ")),
            (false, false) => write!(f, "{} (without {})", layers.join(", "), self.missing.join("; ")),
        }
    }
}

/// Confines the process to reading below `read` and writing below `write` (which may be read too). What does not
/// exist is left out. It cannot be undone.
#[cfg(target_os = "linux")]
pub fn restrict(read: &[&Path], write: &[&Path]) -> SandboxStatus {
    let mut status =
        SandboxStatus { landlock: None, all_threads: false, seccomp: false, missing: Vec::new() };
    match landlock::restrict(read, write) {
        Ok((version, all_threads)) => {
            status.landlock = Some(version);
            status.all_threads = all_threads;
        }
        Err(reason) => status.missing.push(format!("landlock: {reason}")),
    }
    match seccomp::restrict() {
        Ok(()) => status.seccomp = true,
        Err(reason) => status.missing.push(format!("seccomp: {reason}")),
    }
    status
}

#[cfg(not(target_os = "linux"))]
pub fn restrict(_read: &[&Path], _write: &[&Path]) -> SandboxStatus {
    SandboxStatus::none("only Linux is supported")
}

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod seccomp;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_reads_as_the_report_shows_it() {
        let full = SandboxStatus { landlock: Some(6), all_threads: true, seccomp: true, missing: Vec::new() };
        assert_eq!(full.to_string(), "landlock v6, seccomp");
        let half = SandboxStatus {
            landlock: None,
            missing: vec!["landlock: not built into this kernel".into()],
            ..full
        };
        assert_eq!(half.to_string(), "seccomp (without landlock: not built into this kernel)");
        assert_eq!(SandboxStatus::none("switched off").to_string(), "none: switched off");
    }
}
