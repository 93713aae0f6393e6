use yagura_formats::document::{Node, Span, Value as Raw, yaml};

use super::{Activation, Environment, Fault, Program, Value, equal};

/// The outcome of an expression over a document that is `self`: as text.
fn outcome(text: &str, document: &Node<'_>) -> String {
    let environment = Environment { variables: vec!["self".to_owned()], ..Environment::default() };
    let program = match Program::compile(text, &environment) {
        Ok(program) => program,
        Err(error) => return format!("syntax: {error}"),
    };
    let activation = Activation { variables: &[Value::of(document)], host: None };
    match program.evaluate(&activation) {
        Ok(value) => format!("{value:?}"),
        Err(Fault::Unknown) => "unknown".to_owned(),
        Err(fault) => format!("error: {fault}"),
    }
}

fn document(text: &str) -> Node<'static> {
    let mut node = yaml::parse(text).documents.remove(0).into_owned();
    make_unknown(&mut node);
    node
}

/// `!unknown` stands for a value that cannot be known.
fn make_unknown(node: &mut Node<'_>) {
    if node.tag.as_deref() == Some("!unknown") {
        node.value = Raw::Unknown;
    }
    match &mut node.value {
        Raw::Sequence(items) => items.iter_mut().for_each(make_unknown),
        Raw::Mapping(entries) => entries.iter_mut().for_each(|entry| make_unknown(&mut entry.value)),
        _ => {}
    }
}

/// Each expression is true over the document.
fn all_true(text: &str, expressions: &[&str]) {
    let document = document(text);
    for expression in expressions {
        assert_eq!(outcome(expression, &document), "Bool(true)", "{expression}");
    }
}

#[test]
fn optional_fields_work_over_documents() {
    all_true(
        "{a: {b: true, n: null}, l: [x, {y: 1}], 80: p}",
        &[
            "self.?a.?b.orValue(false)",
            "!self.?a.?c.orValue(false)",
            "!self.?z.?b.?c.hasValue()",
            "self.?a.b.hasValue()",
            "has(self.a.b) && !has(self.a.n) && !has(self.z)",
            "self[?'a'][?'b'].orValue(false)",
            "self.l[?5].orValue('none') == 'none'",
            "self.l[1].y == 1",
            "self.?a.optMap(a, a.b).orValue(false)",
            "self.?z.or(self.?a).orValue({}).b",
            "optional.none().orValue(1) == 1",
            "[?self.?z, 1].size() == 1",
            "{?'a': self.?z}.size() == 0",
            "self.?l.orValue([]).exists(i, type(i) == string && i == 'x')",
            "self[80] == 'p'",
            "self.a.size() == 1",
        ],
    );
}

#[test]
fn unknown_is_neither_true_nor_false() {
    let node = document("{u: !unknown , t: true, f: false, l: [1, !unknown , 3]}");
    for (text, expected) in [
        ("self.u", "unknown"),
        ("self.u || self.t", "Bool(true)"),
        ("self.t || self.u", "Bool(true)"),
        ("self.u && self.f", "Bool(false)"),
        ("self.u || self.f", "unknown"),
        ("self.u && self.t", "unknown"),
        ("!self.u", "unknown"),
        ("self.u == 1", "unknown"),
        ("has(self.u)", "unknown"),
        ("self.?u.orValue(true)", "unknown"),
        ("1 in self.l", "Bool(true)"),
        ("2 in self.l", "unknown"),
        ("self.l.exists(x, x == 3)", "Bool(true)"),
        ("self.l.exists(x, x == 7)", "unknown"),
        ("self.l.all(x, x > 1)", "Bool(false)"),
        ("self.l.all(x, x > 0)", "unknown"),
        ("self.l.size()", "Int(3)"),
        ("self.u ? 1 : 2", "unknown"),
        ("self.u || 1 / 0 == 1", "unknown"),
        ("1 / 0 == 1 || self.u", "unknown"),
        ("self.nothing || self.t", "Bool(true)"),
        ("self.nothing && self.f", "Bool(false)"),
        ("self.nothing", "error: no such key: nothing"),
    ] {
        assert_eq!(outcome(text, &node), expected, "{text}");
    }
}

#[test]
fn evidence_is_what_decided() {
    let text = "\
a: {privileged: true, other: 1}
caps: [NET_RAW, SYS_ADMIN]
rules:
- {verbs: [get], resources: [pods]}
- {verbs: ['*'], resources: [secrets]}
";
    let node = document(text);
    let environment = Environment { variables: vec!["self".to_owned()], ..Environment::default() };
    for (expression, expected) in [
        ("self.?a.?privileged.orValue(false)", &["true"][..]),
        ("self.a.other == 2 || self.a.privileged", &["true"]),
        ("self.a.other == 1 && self.a.privileged", &["1", "true"]),
        ("!has(self.a.missing)", &["{privileged: true, other: 1}"]),
        ("'SYS_ADMIN' in self.caps", &["[NET_RAW, SYS_ADMIN]"]),
        ("self.caps.exists(c, c == 'SYS_ADMIN')", &["SYS_ADMIN"]),
        (
            "self.rules.exists(r, '*' in r.verbs && r.resources.exists(x, x == 'secrets'))",
            &["['*']", "secrets"],
        ),
        ("!self.caps.all(c, c != 'SYS_ADMIN')", &["SYS_ADMIN"]),
        ("self.rules.filter(r, '*' in r.verbs).size() > 0", &["['*']"]),
    ] {
        let program = Program::compile(expression, &environment).unwrap();
        let variables = [Value::of(&node)];
        let (outcome, touched) = program.explain(&Activation { variables: &variables, host: None });
        assert!(matches!(outcome, Ok(Value::Bool(true))), "{expression}: {outcome:?}");
        let slice = |span: Span| text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let shown: Vec<&str> = touched.iter().map(|touched| slice(touched.node.span)).collect();
        assert_eq!(shown, expected, "{expression}");
    }
}

#[test]
fn libraries_of_kubernetes() {
    all_true(
        "{}",
        &[
            "quantity('1.5Gi').compareTo(quantity('1536Mi')) == 0",
            "quantity('250m').isLessThan(quantity('1'))",
            "quantity('2').add(quantity('1k')).sub(2).asInteger() == 1000",
            "!isQuantity('1.2.3') && isQuantity('10e3')",
            "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP('11.0.0.1')",
            "cidr('0.0.0.0/0').containsCIDR('192.168.0.0/16') && cidr('::/0').prefixLength() == 0",
            "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && ip('::1').isLoopback()",
            "ip('192.168.1.1').family() == 4 && ip.isCanonical('::1') && !isIP('1.2.3')",
            "url('https://a.example:8443/p?x=1&x=2').getPort() == '8443'",
            "url('https://[::1]/').getHostname() == '::1' && !isURL('../x')",
            "url('https://a/?x=1&y=%20').getQuery()['y'] == [' ']",
            "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
            "format.dns1123Label().validate('Bad').hasValue() && !format.dns1123Label().validate('ok').hasValue()",
            "format.named('uuid').hasValue() && !format.named('nothing').hasValue()",
            "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2",
            "semver('1.0.0-rc.1').isLessThan(semver('1.0.0')) && !isSemver('1.0')",
            "[1, 2, 3].sum() == 6 && [3, 1].max() == 3 && [1, 2].isSorted() && ['a', 'b', 'a'].lastIndexOf('a') == 2",
            "sets.contains([1, 2, 3], [2]) && sets.intersects(['a'], ['a', 'b']) && sets.equivalent([1, 1], [1])",
            "base64.encode(b'hello') == 'aGVsbG8=' && base64.decode('aGVsbG8') == b'hello'",
            "[3, 1, 2].sort() == [1, 2, 3] && [[1], [2]].flatten() == [1, 2] && [{'a': 2}, {'a': 1}].sortBy(x, x.a)[0].a == 1",
            "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 2) == {'b': 4}",
            "[5, 6].transformList(i, v, i + v) == [5, 7] && {'a': 1}.exists(k, v, k == 'a' && v == 1)",
            "cel.bind(x, 2, x * x) == 4 && math.greatest(1, 2.5, 2u) == 2.5",
            "'%s is %d and %.2f'.format(['a', 3, 1.5]) == 'a is 3 and 1.50'",
            "regex.replace('a1b2', '([a-z])([0-9])', r'\\2\\1') == '1a2b'",
            "self.size() == 0 && \"a\".matches('^[a-z]$') && 'x/y'.split('/')[1] == 'y'",
        ],
    );
}

#[test]
fn mistakes_are_told_before_the_first_document() {
    let node = document("{}");
    for (text, expected) in [
        ("self.", "syntax: at character 5: expected a field's name, found the end"),
        ("other.a", "syntax: at character 0: there is no `other`; there are self"),
        ("self.a.nothing()", "syntax: at character 0: there is no function nothing()"),
        ("size()", "syntax: at character 0: size() is not called like this, or with 0 arguments"),
        ("self.a.matches('(')", "syntax: at character 0: no regular expression"),
        ("a b", "syntax: at character 2: expected the end, found `b`"),
        ("'abc", "syntax: at character 0: a string without an end"),
    ] {
        let shown = outcome(text, &node);
        assert!(shown.starts_with(expected), "{text}: {shown}");
    }
}

#[test]
fn evaluation_is_bounded() {
    let node = document("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]");
    let mut text = "1".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        text = format!("self.map({name}, {text})");
    }
    assert_eq!(outcome(&text, &node), "error: the expression takes too many steps");
    assert_eq!(outcome(&format!("true || {text} == []"), &node), "Bool(true)");
    assert_eq!(
        outcome(&format!("{text} == [] || true"), &node),
        "error: the expression takes too many steps"
    );
    assert!(outcome(&"(".repeat(10_000), &node).contains("nested deeper"));
    assert!(outcome(&format!("1{}", "+1".repeat(10_000)), &node).contains("nested deeper"));
    assert_eq!(outcome(&format!("true{}", " && true".repeat(4_000)), &node), "Bool(true)");
}

#[test]
fn numbers_are_equal_whatever_their_type() {
    assert!(equal(&Value::Int(i64::MAX), &Value::Double(9_223_372_036_854_775_808.0)).unwrap());
    assert!(equal(&Value::Int(1), &Value::Uint(1)).unwrap());
    assert!(!equal(&Value::Double(f64::NAN), &Value::Double(f64::NAN)).unwrap());
}
