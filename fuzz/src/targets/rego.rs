//! Files that policies in Rego are run over. The policies themselves are the user's own, and their parser is the
//! interpreter's.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use yagura_rego::{Judge, Pack, PolicyFile};

use crate::Target;

pub const TARGETS: &[Target] = &[
    Target { name: "rego/yaml", seeds: yaml, run: |bytes| judge("a.yaml", bytes) },
    Target { name: "rego/dockerfile", seeds: dockerfiles, run: |bytes| judge("Dockerfile", bytes) },
    Target { name: "rego/hcl", seeds: hcl, run: |bytes| judge("a.tf", bytes) },
    Target { name: "rego/pairs", seeds: pairs, run: of_pairs },
];

const POLICY: &str = r#"# METADATA
# title: A
# custom: {id: A-1, severity: high}
package main
import rego.v1
import data.lib.docker
# METADATA
# custom: {id: A-2}
deny contains msg if {
    not startswith(input.metadata.name, "a")
    some i, item in input.list
    msg := sprintf("%v %05d %q %s", [item, i, rego.metadata.rule().custom.id, count(docker.run)])
}
warn contains result.new("b", json.patch(input, [{"op": "add", "path": "/a", "value": 1}])) if every x in [1] { x > 0 }
deny_c[key] if { key := [1, 2][_] }
f(x) := y if { y := x + 1 } else := 0
"#;

fn judge(path: &str, bytes: &[u8]) {
    static PACK: LazyLock<Option<Pack>> = LazyLock::new(|| {
        let file = PolicyFile { path: "a.rego".to_owned(), text: POLICY.to_owned() };
        Pack::load(&[file], &[], BTreeMap::new()).ok()
    });
    let Some(pack) = PACK.as_ref() else { return };
    Judge::new(pack).file("t", path, &String::from_utf8_lossy(bytes), false);
}

fn yaml() -> Vec<Vec<u8>> {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nlist: [0x1F, 1.5, .inf, ~, [a]]\n---\n- 1\n- {a: b}\n";
    vec![text.as_bytes().to_vec()]
}

fn dockerfiles() -> Vec<Vec<u8>> {
    let text = "ARG A=1\nFROM a AS b\n# c\nRUN <<EOF\nx\nEOF\nENV a b\nENV c=d e=\"f\"\nHEALTHCHECK CMD [\"a\"]\nONBUILD RUN a \\\n b\n";
    vec![text.as_bytes().to_vec()]
}

fn hcl() -> Vec<Vec<u8>> {
    let text = "a \"b\" \"c\" {\n  d = \"x${e.f}%{if g}h%{else}i%{endif}\"\n  j { k = [1, {l = m(2)}] }\n}\na \"b\" {}\n";
    vec![text.as_bytes().to_vec()]
}

fn pairs() -> Vec<Vec<u8>> {
    vec![b"export A='b' # c\n[s]\nd = 1.5\ne: true\nf g \\\n h\n".to_vec()]
}

fn of_pairs(bytes: &[u8]) {
    for path in [".env", "a.ini", "a.properties"] {
        judge(path, bytes);
    }
}
