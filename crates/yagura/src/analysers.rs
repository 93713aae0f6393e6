//! Who looks into files during a scan, by the kinds of findings that were asked for.

use std::sync::Arc;

use anyhow::Result;
use yagura_formats::layer::Analyser;
use yagura_model::FindingKind;

/// Builds an analyser, its rules compiled.
type Build = fn() -> Result<Arc<dyn Analyser>>;

/// One row an analyser: the kind of finding it is for, and how it is built.
const ANALYSERS: &[(FindingKind, Build)] = &[];

/// The analysers that findings of these kinds need; of every kind when none is named.
pub fn wanted(only: &[FindingKind]) -> Result<Vec<Arc<dyn Analyser>>> {
    let wanted = ANALYSERS.iter().filter(|(kind, _)| only.is_empty() || only.contains(kind));
    wanted.map(|(_, build)| build()).collect()
}
