//! Prints the packages read from an SBOM: `cargo run -p yagura-formats --example read_sbom -- FILE`.

use std::io::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name an SBOM")?;
    let sbom = yagura_formats::sbom::read(&std::fs::read(path)?)?;
    let mut out = std::io::stdout().lock();
    let inventory = &sbom.inventory;
    writeln!(out, "# {} of {}, {:?}", sbom.format, sbom.subject, sbom.kind)?;
    writeln!(out, "# {:?}", inventory.system)?;
    writeln!(out, "# {} relations, {} files", inventory.relations.len(), inventory.file_digests.len())?;
    for package in &inventory.packages {
        let source = package.source.as_ref().map_or(String::new(), |s| format!("{}@{}", s.name, s.version));
        let purl = package.purl().map_or(String::new(), |purl| purl.to_string());
        let location = package.locations.first().map_or("", |location| &location.path);
        writeln!(out, "{} {} {source} {purl} {location}", package.name, package.version)?;
    }
    for skipped in &inventory.skipped {
        writeln!(out, "! {:?} ×{} {}: {}", skipped.reason, skipped.count, skipped.path, skipped.detail)?;
    }
    Ok(())
}
