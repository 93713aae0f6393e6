//! Manifests: Dockerfiles, compose files, Kubernetes objects, shell scripts.

use yagura_configuration::spliced::Spliced;
use yagura_configuration::{Parsed, SourceFile, shell, source};
use yagura_formats::document;

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "manifests/dockerfile",
        seeds: || {
            vec![
                b"# escape=`\nARG B=debian\nFROM ${B:-x}:12 AS a\nRUN --mount=type=secret,id=x apt-get install -y `\n # c\n curl | sh\nFROM a\nCOPY --from=a <<E /x\nb\nE\nUSER 1:1\n".to_vec(),
                b"FROM scratch\nENV A=1 B=$A\nONBUILD RUN [\"a\", \"b\"]\nHEALTHCHECK --interval=5s CMD x || exit 1\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nEXPOSE 80-90/udp\nRUN <<-'A'\n\tx\n\tA\n".to_vec(),
            ]
        },
        run: |bytes| read("dockerfile", "Dockerfile", bytes),
    },
    Target {
        name: "manifests/compose",
        seeds: || {
            vec![
                b"services:\n  a: {image: 'x:${T:-1}', ports: ['1:2:3/udp', {target: 1}], environment: [A=1, B]}\n  b: {extends: {service: a}, volumes: ['c:\\\\d:/e:ro']}\n".to_vec(),
                b"x-a: &a {restart: always}\nservices:\n  c: {<<: *a, extends: c}\n".to_vec(),
            ]
        },
        run: |bytes| read("compose", "compose.yaml", bytes),
    },
    Target {
        name: "manifests/kubernetes",
        seeds: || {
            vec![
                b"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{command: [kube-apiserver, --a=b, --c, d]}]}}\n".to_vec(),
                b"apiVersion: x/v1\nkind: X\nmetadata: {name: {{ .Values.a }}}\nspec: {a: [{spec: {containers: [{image: b}]}}]}\n".to_vec(),
            ]
        },
        run: |bytes| read("kubernetes", "object.yaml", bytes),
    },
    Target {
        name: "manifests/image",
        seeds: || {
            vec![br#"{"architecture": "a", "os": "l", "config": {"User": "a:b", "Env": ["A=b"]}, "history": [{"created_by": "/bin/sh -c #(nop) ADD x"}]}"#.to_vec()]
        },
        run: |bytes| read("image", "config.json", bytes),
    },
    Target {
        name: "manifests/shell",
        seeds: || {
            vec![
                b"if [ -f x ]; then curl \"$(cat u)\" | sudo sh -c 'eval \"a\"'; fi; case $x in a|b) c;; esac\n".to_vec(),
                b"f() { cat <<E >&2; }\nx\nE\nfor i in `ls`; do (a && b) || c & done; [[ a =~ b ]] ${X:-y} $((1)) <(d)\n".to_vec(),
            ]
        },
        run: |bytes| {
            let text = document::decode(bytes);
            for command in shell::parse(&Spliced::of(&text, 0)).commands {
                shell::program(&command.words);
            }
        },
    },
];

/// Reads a file as a source would, and walks what rules would judge.
fn read(name: &str, path: &str, bytes: &[u8]) {
    let Some(source) = source::named(name) else { panic!("no source is called {name}") };
    let text = document::decode(bytes);
    let mut parsed = Parsed::default();
    (source.parse)(&[SourceFile { path, text: &text }], &mut parsed);
    for resource in &parsed.resources {
        (source.subjects)(resource, &mut |subject| assert!(!subject.kind.is_empty()));
    }
}
