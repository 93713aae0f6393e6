//! Which packages of the operating system hold code at all.

use std::collections::{HashMap, HashSet};

use yagura_model::Ecosystem;

use super::{Found, Visible};
use crate::layer::{LayerFacts, PathKey};

/// Sets [`yagura_model::Package::holds_code`] of packages whose every file was seen: one that was left out of the image,
/// or stands there under another name, may be code.
pub(super) fn assign(found: &mut [Found], layers: &[LayerFacts], visible: &[Visible<'_>]) {
    let code: HashSet<PathKey> = layers.iter().flat_map(|layer| &layer.code).copied().collect();
    let roots = [PathKey::of(b""), PathKey::of(b".")];
    let seen = |key: &PathKey| {
        roots.contains(key)
            || layers.iter().any(|layer| {
                layer.non_directories.binary_search(key).is_ok()
                    || layer.directories.binary_search(key).is_ok()
            })
    };
    let mut known: HashMap<(Ecosystem, &str), Option<bool>> = HashMap::new();
    for ownership in visible.iter().flat_map(|visible| &visible.evidence.facts.ownership) {
        if !ownership.ecosystem.is_operating_system() {
            continue;
        }
        let holds_code = if ownership.files.iter().any(|file| code.contains(file)) {
            Some(true)
        } else if !ownership.files.is_empty() && ownership.files.iter().all(seen) {
            Some(false)
        } else {
            None
        };
        let entry = known.entry((ownership.ecosystem, &ownership.package)).or_insert(holds_code);
        *entry = match (*entry, holds_code) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    for Found { package, .. } in found {
        package.holds_code = known.get(&(package.ecosystem, package.name.as_str())).copied().flatten();
    }
}
