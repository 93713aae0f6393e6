//! The ignore file.

use crate::Target;

pub(super) const TARGETS: &[Target] = &[Target {
    name: "ignore/file",
    seeds: || {
        vec![
            b"ignore:\n- id: CVE-1\n  package: a\n  path: 'usr/**'\n  target: '*'\n  reason: r\n  until: 2026-12-31\n".to_vec(),
            b"ignore:\n- {id: [A, B], reason: r}\n".to_vec(),
        ]
    },
    run: |bytes| {
        if let Ok(file) = yagura_formats::ignore::read(bytes) {
            assert!(file.entries.iter().all(|entry| !entry.reason.is_empty()));
        }
    },
}];
