//! SBOMs of others as targets: what they list is judged as if we had found it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use yagura_formats::sbom;
use yagura_model::report::{Target, TargetKind};

/// Largest SBOM that is read, in bytes.
const MAX_BYTES: u64 = 512 << 20;

/// Reads an SBOM of any format we know.
pub fn read(name: &str, path: &Path) -> Result<Target> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| path.display().to_string())?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("{}: larger than {} MiB, the bound for an SBOM", path.display(), MAX_BYTES >> 20);
    }
    let sbom = sbom::read(&bytes).with_context(|| path.display().to_string())?;
    Ok(Target { name: name.to_owned(), kind: TargetKind::Sbom, image: sbom.image, inventory: sbom.inventory })
}
