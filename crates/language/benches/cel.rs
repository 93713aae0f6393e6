//! CEL measured: compiling and evaluating expressions as rules write them, over a container of a manifest.
//! `cargo bench -p yagura-language --bench cel` prints nanoseconds.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use yagura_formats::document::yaml;
use yagura_language::cel::{Activation, Environment, Program, Value};

const ROUNDS: u32 = 200_000;
const CONTAINER: &str = "\
name: web
image: registry.example/web:1.2.3
ports: [{containerPort: 8080}, {containerPort: 8443}]
env: [{name: LEVEL, value: info}, {name: MODE, value: fast}]
securityContext: {privileged: true, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
";
const EXPRESSIONS: [(&str, &str); 4] = [
    ("one field", "self.?securityContext.?privileged.orValue(false)"),
    ("a text", "self.image.endsWith(':latest') || !self.image.contains(':')"),
    ("a list", "self.?ports.orValue([]).exists(p, p.?containerPort.orValue(0) < 1024)"),
    ("two lists", "self.env.exists(e, e.name in ['A', 'B'] && e.value.size() > 0)"),
];

fn main() {
    let tree = yaml::parse(CONTAINER);
    let Some(container) = tree.root() else { return };
    let environment = Environment { variables: vec!["self".to_owned()], ..Environment::default() };
    for (name, text) in EXPRESSIONS {
        let begun = Instant::now();
        for _ in 0..ROUNDS / 100 {
            black_box(Program::compile(black_box(text), &environment).is_ok());
        }
        let compiling = begun.elapsed().as_nanos() / u128::from(ROUNDS / 100);
        let Ok(program) = Program::compile(text, &environment) else { continue };
        let variables = [Value::of(container)];
        let activation = Activation { variables: &variables, host: None };
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            black_box(program.evaluate(black_box(&activation)).is_ok());
        }
        let evaluating = begun.elapsed().as_nanos() / u128::from(ROUNDS);
        println!("{name:10} compile {compiling:6} ns   evaluate {evaluating:5} ns");
    }
}
