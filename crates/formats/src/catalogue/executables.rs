//! Programs and shared libraries, read once for every language that leaves evidence in them.

use std::io::Read;

use yagura_model::SkipReason;

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, golang, java, programs, rust};
use crate::archive::Problem;
use crate::executable;

/// ELF, PE and Mach-O (both word sizes, both byte orders, universal).
const SELECTS: &[Select] = &[
    Select::Magic(b"\x7fELF"),
    Select::Magic(b"MZ"),
    Select::Magic(b"\xcf\xfa\xed\xfe"),
    Select::Magic(b"\xce\xfa\xed\xfe"),
    Select::Magic(b"\xfe\xed\xfa\xcf"),
    Select::Magic(b"\xfe\xed\xfa\xce"),
    Select::Magic(b"\xca\xfe\xba\xbe"),
];

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "executable",
    selects: SELECTS,
    max_bytes: u64::MAX,
    reads: Reads::Stream(catalogue),
}];

fn catalogue(file: EvidenceFile<'_>, reader: &mut dyn Read, facts: &mut Facts) {
    let mut search = programs::Search::for_file(file);
    let mut look = |window: &[u8]| {
        if let Some(search) = &mut search {
            search.look(window);
        }
    };
    let evidence = match executable::read(reader, &mut look) {
        Ok(Some(evidence)) => evidence,
        Ok(None) => return,
        Err(error) => {
            let problem = Problem::of(&error);
            return facts.skip(file.path, problem.reason, problem.detail);
        }
    };
    if let Some(build) = &evidence.go {
        golang::binary::packages(build, file.path, facts);
    }
    if let Some(audit) = &evidence.rust_audit {
        rust::auditable::packages(audit, file.path, facts);
    }
    if let Some(document) = &evidence.native_image_sbom {
        java::native_image::packages(document, file.path, facts);
    }
    facts.packages.extend(search.and_then(programs::Search::finish));
    if let Some(reason) = evidence.incomplete {
        facts.skip(file.path, SkipReason::TooMany, reason);
    }
}
