//! Policy rules: expressions, rule files and suppressions, as people write them.

use yagura_detect::policies::{CompiledRule, Rule};
use yagura_formats::document::yaml;
use yagura_language::cel::{Activation, Environment, Program, Value};

use crate::Target;

pub const TARGETS: &[Target] = &[
    Target { name: "policies/cel", seeds: expressions, run: evaluate },
    Target { name: "policies/rule", seeds: rules, run: read },
];

fn expressions() -> Vec<Vec<u8>> {
    [
        "self.?a.?b.orValue(false) && self.l.exists(x, x in ['y', \"z\"])",
        "self.map(x, x.size() > 0, x + 'a').join(',').matches('^[a-z]+$') ? 1 : -2.5e3",
        "has(self.a) || !(r'\\d' == b'\\x41' ) && self.l[0] != null && {1: 2u}[1] < 0x1F",
        "cel.bind(x, self.l.filter(i, i != 1), '%s %d'.format([x, 3]).split(' ')[?0].optMap(y, y).orValue(''))",
        "quantity('1.5Gi').compareTo(quantity('250m')) + duration('1h30m').getMinutes()",
        "self.l.transformMap(i, v, i > 0, [v]).all(k, v, cidr('10.0.0.0/8').containsIP('10.1.2.3'))",
        "timestamp('2026-11-25T00:00:00Z').getFullYear('+02:00') % 400 == 0 // comment",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn evaluate(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let environment = Environment { variables: vec!["self".to_owned()], ..Environment::default() };
    let Ok(program) = Program::compile(&text, &environment) else { return };
    let tree = yaml::parse("{a: {b: true}, l: [1, x, {y: z}, 2.5, null]}");
    let Some(document) = tree.root() else { return };
    let variables = [Value::of(document)];
    let activation = Activation { variables: &variables, host: None };
    // Evaluation is bounded, and explaining it takes the same way.
    let plain = program.evaluate(&activation).is_ok();
    assert_eq!(plain, program.explain(&activation).0.is_ok());
}

fn rules() -> Vec<Vec<u8>> {
    let text = "id: X-1\ntitle: {en: a, ja: b}\nseverity: high\napplies: [kubernetes/pod, kubernetes/*]\nvariables:\n  x: self.?a\nwhen: |\n  variables.x.hasValue() && all(\"kubernetes/Pod\").size() > 0\nwhy: w\nfix: {text: f, review: true, patch: {kubernetes: [{set: 'a.b[\"c\"]', value: {d: 1}}, {append: x, value: y, on: pod}]}}\ncontrols: {nist-800-53: [AC-6]}\nexamples:\n  bad: [{kubernetes: a}]\n  good: [{terraform: {main.tf: b}}]\n";
    vec![text.as_bytes().to_vec()]
}

fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(rule) = Rule::read("X-1.yaml", &text) {
        let _ = CompiledRule::of(rule);
    }
}
