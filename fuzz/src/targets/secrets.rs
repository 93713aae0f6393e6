//! The search for secrets, and what a repository is made of.

use std::sync::{Arc, OnceLock};

use yagura_detect::secrets::{Baseline, FingerprintKey, RuleSet, Secrets};
use yagura_formats::git::{self, PackIndex};

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target { name: "secrets/text", seeds: examples, run: |bytes| search("settings.py", bytes) },
    Target { name: "secrets/configuration", seeds: examples, run: |bytes| search(".env", bytes) },
    Target { name: "secrets/manifest", seeds: manifests, run: |bytes| search("secret.yaml", bytes) },
    Target {
        name: "secrets/baseline",
        seeds: || vec![br#"{"form":"yagura-secrets-baseline-1","key":"00","secrets":[]}"#.to_vec()],
        run: |bytes| {
            let _ = Baseline::read(bytes);
        },
    },
    Target { name: "git/objects", seeds: objects, run: read_objects },
    Target { name: "git/pack-index", seeds: || vec![b"\xfftOc\0\0\0\x02".to_vec()], run: read_index },
    Target {
        name: "git/delta",
        seeds: || vec![vec![5, 7, 0x91, 1, 3, 2, b'x', b'y', 0x90, 2]],
        run: |bytes| {
            let _ = git::apply_delta(b"abcde", bytes);
            let _ = git::entry_header(bytes);
        },
    },
];

fn secrets() -> &'static Secrets {
    static SECRETS: OnceLock<Secrets> = OnceLock::new();
    SECRETS.get_or_init(|| match RuleSet::builtin() {
        Ok(rules) => Secrets::new(Arc::new(rules), FingerprintKey::new([1; 32])),
        Err(error) => panic!("the built-in rules: {error}"),
    })
}

/// Every example of every rule.
fn examples() -> Vec<Vec<u8>> {
    let rules = secrets().rules().rules().iter();
    rules.flat_map(|rule| &rule.examples.matching).map(|example| example.text.clone().into_bytes()).collect()
}

fn manifests() -> Vec<Vec<u8>> {
    vec![
        b"kind: Secret\ndata:\n  a: cGFzc3dvcmQxMjM=\nstringData: {b: c}\n---\nkind: List\nitems: []\n"
            .to_vec(),
    ]
}

fn search(path: &str, bytes: &[u8]) {
    let observed = secrets().search(path, bytes);
    for seen in observed.observations {
        assert!(seen.location.start_line.is_none_or(|line| line as usize <= bytes.len() + 1));
    }
}

fn objects() -> Vec<Vec<u8>> {
    let id = "0123456789abcdef0123456789abcdef01234567";
    vec![
        format!("tree {id}\nparent {id}\nauthor A <a@b> 1700000000 +0900\ncommitter A <a@b> 1 +0\n\nx\n")
            .into_bytes(),
        b"100644 a\0aaaaaaaaaaaaaaaaaaaa40000 b\0bbbbbbbbbbbbbbbbbbbb".to_vec(),
        b"blob 3\0abc".to_vec(),
    ]
}

fn read_objects(bytes: &[u8]) {
    let _ = git::commit(bytes);
    let _ = git::loose(bytes);
    let _ = git::tag_target(bytes);
    assert!(git::tree(bytes).count() <= bytes.len());
}

fn read_index(bytes: &[u8]) {
    // A valid size for one object, whatever the bytes say.
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for _ in 0..256 {
        index.extend_from_slice(&1u32.to_be_bytes());
    }
    index.extend_from_slice(bytes);
    index.resize(index.len().max(8 + 1024 + 68), 0);
    for bytes in [bytes.to_vec(), index] {
        if let Ok(index) = PackIndex::read(bytes) {
            let _ = index.offset(&git::ObjectId([0; 20]));
            let _ = index.offset(&git::ObjectId([0xff; 20]));
        }
    }
}
