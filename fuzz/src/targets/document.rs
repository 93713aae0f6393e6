//! Structured text: YAML, JSON and TOML trees.

use yagura_formats::document::{self, json, toml, yaml};

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
            let text = document::decode(bytes);
            json::parse(&text, json::Dialect::Json);
            json::parse(&text, json::Dialect::Commented);
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
            let text = document::decode(bytes);
            for document in yaml::parse(&text).documents {
                assert!(document.span.end as usize <= text.len());
            }
        },
    },
    Target {
        name: "document/toml",
        seeds: || {
            vec![
                b"a = 1\n[b.c]\nd = [{e = 'f'}, 2026-11-22]\n[[g]]\nh = true\n[[g]]\n".to_vec(),
                "é = \"\"\"\nx\\u00e9\"\"\"\n[a.\"b c\"]\ni = 0x1F\n".as_bytes().to_vec(),
            ]
        },
        run: |bytes| {
            toml::parse(&document::decode(bytes));
        },
    },
];
