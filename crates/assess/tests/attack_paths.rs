//! Every rule of attack paths against its own example and counter-example.

use std::collections::HashSet;

use yagura_assess::paths::rules::call;
use yagura_assess::paths::{AttackState, Rules, Search, State, Steps};
use yagura_formats::document::{Node, yaml};
use yagura_model::graph::{Builder, EdgeKind, NodeKind};

/// Whether `then` follows from `given` by one rule alone.
fn follows(rules: &Rules, example: &Node<'_>) -> bool {
    let mut builder = Builder::default();
    let mut starts = Vec::new();
    let mut control = HashSet::new();
    let node = |builder: &mut Builder, text: &str| {
        let (kind, key) = text.split_once(' ').expect("a kind and a name");
        builder.node(NodeKind::of_name(kind).expect("a kind of node"), key, "")
    };
    for given in example.get("given").expect("given").items() {
        let (name, arguments) = call(given.string().unwrap()).unwrap();
        let nodes: Vec<_> = arguments.iter().map(|text| node(&mut builder, text)).collect();
        match (nodes.as_slice(), name) {
            ([one], "gives-control") => drop(control.insert(*one)),
            // By their kind.
            ([_], "identity-like" | "holds-data") => {}
            ([one], "outside") => assert!(matches!(builder.identity(*one), Some((NodeKind::Internet, _)))),
            ([one], name) => {
                let state = AttackState::ALL.into_iter().find(|state| state.name() == name).expect("a state");
                starts.push(State { state, node: *one });
            }
            ([from, to], name) => builder.edge(*from, EdgeKind::of_name(name).expect("an edge"), *to, "", ""),
            _ => panic!("{name}"),
        }
    }
    let (name, arguments) = call(example.get("then").unwrap().string().unwrap()).unwrap();
    let wanted = State {
        state: AttackState::ALL.into_iter().find(|state| state.name() == name).expect("a state"),
        node: node(&mut builder, arguments[0]),
    };
    let graph = builder.finish();
    let steps = Steps::new(rules, &graph, &|node| control.contains(&node));
    let search = Search { graph: &graph, steps: &steps, rules, likelihood: &|_| 1.0 };
    search.from(&starts).likelihood(&graph, wanted) > 0.0
}

#[test]
fn each_rule_follows_from_its_example_and_not_from_its_counter_example() {
    let all = Rules::built_in().unwrap();
    let mut checked = 0;
    for file in yagura_rules::family("attack-paths") {
        let tree = yaml::parse(file.text);
        for node in tree.root().unwrap().get("rules").map(Node::items).unwrap_or_default() {
            let id = node.text_of("id").unwrap();
            let alone = Rules {
                rules: all.rules.iter().filter(|rule| rule.id == id).cloned().collect(),
                goals: Vec::new(),
            };
            assert_eq!(alone.rules.len(), 1, "{id} is not unique");
            assert!(follows(&alone, node.get("example").unwrap()), "{id} does not follow from its example");
            assert!(!follows(&alone, node.get("counter").unwrap()), "{id} follows from its counter-example");
            assert!(node.text_of("technique").unwrap().starts_with('T'));
            checked += 1;
        }
    }
    assert_eq!(checked, all.rules.len());
}

#[test]
fn what_is_no_rule_is_an_error_that_names_its_line() {
    for rule in [
        "controls(Y) <- strolls(X)",
        "controls(Y) <- controls(X)",
        "controls(Y) <- controls(X), visits(X, Y)",
        "controls(Y) <- controls(X), contains(A, Y)",
        "controls(y) <- controls(X), contains(X, y)",
        "controls(Y), controls(X)",
        "controls(Y) <- controls(X), contains(X, Y",
    ] {
        let text = format!("rules:\n- {{id: A, title: t, technique: T1, rule: '{rule}'}}\n");
        let error = Rules::default().read(&text).unwrap_err();
        assert!(error.starts_with("line 2: "), "{rule}: {error}");
    }
}

#[test]
fn cycles_end() {
    let mut builder = Builder::default();
    let roles: Vec<_> = (0..50).map(|at| builder.node(NodeKind::Role, &at.to_string(), "")).collect();
    for from in &roles {
        for to in &roles {
            builder.edge(*from, EdgeKind::Becomes, *to, "each may take each", "");
        }
    }
    let graph = builder.finish();
    let rules = Rules::built_in().unwrap();
    let steps = Steps::new(&rules, &graph, &|_| false);
    let search = Search { graph: &graph, steps: &steps, rules: &rules, likelihood: &|_| 1.0 };
    let reach = search.from(&[State { state: AttackState::Controls, node: roles[0] }]);
    let last = State { state: AttackState::Controls, node: roles[49] };
    assert_eq!(reach.path(&graph, &steps, last).len(), 1);
    let (path, _) = search.to_goals().path(&graph, &steps, last);
    assert!(path.is_empty());
}
