//! The bounds of a scan.

use std::sync::Arc;

use super::{Analyser, Selection};
use crate::archive::InflateLimits;

/// What a scan looks for and how far it goes. The defaults suit images of any honest size.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    pub selection: Arc<Selection>,
    /// Who looks into files beside the cataloguers.
    pub analysers: Vec<Arc<dyn Analyser>>,
    /// How far one layer may inflate.
    pub inflate: InflateLimits,
    /// Entries of one layer (or tree); each costs 16 bytes of memory in a layer.
    pub max_entries: u64,
    /// Packages of one layer.
    pub max_packages: usize,
    /// Memory that the facts of one layer may take, roughly.
    pub max_facts_bytes: usize,
    /// Symbolic links of one layer that are remembered.
    pub max_symlinks: usize,
    /// Observations of one layer, all analysers together.
    pub max_observations: usize,
    /// Bytes of one file that are given to those who read it as a stream.
    pub max_stream_bytes: u64,
    /// Whether executables are hashed ([`yagura_model::Inventory::file_digests`]).
    pub executable_digests: bool,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            selection: Arc::new(Selection::all()),
            analysers: Vec::new(),
            inflate: InflateLimits::default(),
            max_entries: 6_000_000,
            max_packages: 300_000,
            max_facts_bytes: 256 << 20,
            max_symlinks: 50_000,
            max_observations: 50_000,
            max_stream_bytes: 2 << 30,
            executable_digests: false,
        }
    }
}
