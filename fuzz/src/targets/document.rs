//! Structured text: YAML and JSON trees.

use yagura_formats::document::{self, json, yaml};

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "document/json",
        seeds: || {
            vec![
                br#"{"a": [1, -2.5e3, true, null], "b": {"c": "\u00e9\ud83d\ude00\n"}}"#.to_vec(),
                b"{ // comment\n \"a\": [1, /* two */ 2,],\n}".to_vec(),
            ]
        },
        run: |bytes| {
            let Ok(text) = document::decode(bytes) else { return };
            json::parse(text, json::Dialect::Json);
            json::parse(text, json::Dialect::Commented);
        },
    },
    Target {
        name: "document/yaml",
        seeds: || {
            vec![
                b"a: &x {k: [1, 2]}\nb:\n  <<: *x\n  - c\n---\n? [k]\n: |\n  text\n  more\n".to_vec(),
                "é: 'q'\nlist:\n- !Ref é\n- \"esc\\u00e9\"\n- >-\n  folded\n...\n".as_bytes().to_vec(),
            ]
        },
        run: |bytes| {
            let Ok(text) = document::decode(bytes) else { return };
            for document in yaml::parse(text).documents {
                assert!(document.span.end as usize <= text.len());
            }
        },
    },
];
