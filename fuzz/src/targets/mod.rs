//! The targets by area, one table a file.

mod advisories;
mod archive;
mod assess;
mod binaries;
mod cloud;
mod collect;
mod document;
mod events;
mod ignore;
mod language;
mod manifests;
mod os;
mod policies;
mod rego;
mod sbom;
mod secrets;
mod threats;
mod versions;
mod vex;

use yagura_formats::catalogue::{EvidenceFile, Facts, Reads, all};

use crate::Target;

#[rustfmt::skip] // One a line: areas join it independently.
pub(crate) const AREAS: &[&[Target]] = &[
    advisories::TARGETS,
    archive::TARGETS,
    assess::TARGETS,
    binaries::TARGETS,
    cloud::TARGETS,
    collect::TARGETS,
    document::TARGETS,
    events::TARGETS,
    ignore::TARGETS,
    language::TARGETS,
    manifests::TARGETS,
    os::TARGETS,
    policies::TARGETS,
    rego::TARGETS,
    sbom::TARGETS,
    secrets::TARGETS,
    threats::TARGETS,
    versions::TARGETS,
    vex::TARGETS,
];

/// Reads bytes as the cataloguer of this name would read a file at `path`.
fn catalogue(name: &str, path: &str, bytes: &[u8]) {
    catalogue_sized(name, path, bytes, bytes.len() as u64);
}

/// The same for a file whose header states another size, as one that is too large for memory.
fn catalogue_sized(name: &str, path: &str, bytes: &[u8], size: u64) {
    let Some(cataloguer) = all().find(|cataloguer| cataloguer.name == name) else {
        panic!("no cataloguer is called {name}");
    };
    let file = EvidenceFile { path, mode: 0o755, size };
    let mut facts = Facts::default();
    match cataloguer.reads {
        Reads::Whole(read) => read(file, bytes, &mut facts),
        Reads::Stream(read) => {
            let mut reader = bytes;
            read(file, &mut reader, &mut facts);
        }
    }
}
