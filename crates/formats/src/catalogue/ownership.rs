//! From the file lists of package databases to path keys.
//!
//! Keys are of the paths as listed; that `/lib` may be a link to `/usr/lib` is the business of whoever looks one up.

use yagura_model::Ecosystem;

use super::Ownership;
use crate::layer::PathKey;

/// Most files one package may own; the largest of Debian has a tenth of this.
const MAX_FILES: usize = 1_000_000;

/// The ownership of one package, from the paths its database lists.
pub(super) fn of<P: AsRef<[u8]>>(
    ecosystem: Ecosystem,
    package: &str,
    paths: impl Iterator<Item = P>,
) -> Ownership {
    let listed = paths.filter(|path| !path.as_ref().is_empty()).take(MAX_FILES);
    Ownership {
        ecosystem,
        package: package.to_owned(),
        files: listed.map(|path| PathKey::of(path.as_ref())).collect(),
    }
}
