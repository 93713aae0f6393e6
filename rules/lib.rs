//! The rules the program carries: every data file below this directory, by family.
//!
//! Adding a rule is adding a file; this crate must not know what any of them means.

/// One data file.
#[derive(Clone, Copy, Debug)]
pub struct RuleFile {
    /// Relative to its family's directory, `/`-separated.
    pub path: &'static str,
    pub text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// The files of a family (a directory such as `policies`), sorted by path; none when there is no such family.
pub fn family(name: &str) -> &'static [RuleFile] {
    FAMILIES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, files)| files)
}
