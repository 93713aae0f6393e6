//! Lists, macros, exceptions, overrides, and what is said of mistakes.

use yagura_language::falco::predicate::Memory;
use yagura_language::falco::rules::{LoadResult, Loader, RuleSet};
use yagura_model::alert::Priority;

use crate::files::{SOURCES, options};
use crate::paper::Event;

fn load_all(files: &[&str]) -> (Vec<LoadResult>, RuleSet) {
    let options = options();
    let mut loader = Loader::new(SOURCES, &options);
    let results = files
        .iter()
        .zip(1..)
        .map(|(text, number)| loader.load(&format!("file{number}.yaml"), text.as_bytes()))
        .collect();
    (results, loader.finish())
}

#[track_caller]
fn load(files: &[&str]) -> RuleSet {
    let (results, rules) = load_all(files);
    for result in results {
        assert!(result.is_successful(), "{}", result.details());
    }
    rules
}

/// The names of the rules that an event matches.
fn matching(rules: &RuleSet, event: &Event) -> Vec<String> {
    let source = rules.source("syscall").unwrap();
    let mut memory = Memory::default();
    memory.next_event();
    let matches = |rule: &&yagura_language::falco::rules::CompiledRule| {
        source.program.evaluate(rule.condition, event, &mut memory)
    };
    source.rules.iter().filter(matches).map(|rule| rule.rule.name.clone()).collect()
}

fn rule(name: &str, condition: &str) -> String {
    format!(
        "- rule: {name}\n  desc: d\n  condition: {condition}\n  output: out %proc.name\n  priority: WARNING\n  warn_evttypes: false\n"
    )
}

fn process(name: &str, parent: &str) -> Event {
    Event::of("execve").with(&[
        ("proc.name", name),
        ("proc.pname", parent),
        ("proc.cmdline", &format!("{name} -x")),
        ("fd.name", "/etc/passwd"),
    ])
}

#[track_caller]
fn error_of(files: &[&str], code: &str, message: &str) -> LoadResult {
    let (mut results, _) = load_all(files);
    let result = results.pop().unwrap();
    let error = result.errors.first().unwrap_or_else(|| panic!("no error: {}", result.details()));
    assert_eq!(error.code.code(), code, "{}", result.details());
    assert!(error.message.contains(message), "{}", result.details());
    result
}

#[track_caller]
fn warnings_of(text: &str) -> Vec<&'static str> {
    let (results, _) = load_all(&[text]);
    assert!(results[0].is_successful(), "{}", results[0].details());
    results[0].warnings.iter().map(|warning| warning.code.code()).collect()
}

#[test]
fn lists_and_macros_are_written_out() {
    let text = "- list: shells\n  items: [sh, bash]\n- list: more\n  items: [shells, 'my shell', zsh]\n\
                - macro: by_web\n  condition: proc.pname in (nginx, httpd)\n\
                - macro: bad\n  condition: (proc.name in (more) and by_web)\n"
        .to_owned()
        + &rule("r", "evt.type=execve and bad");
    let rules = load(&[&text]);
    assert_eq!(matching(&rules, &process("bash", "nginx")), ["r"]);
    assert_eq!(matching(&rules, &process("my shell", "nginx")), ["r"]);
    assert_eq!(matching(&rules, &process("bash", "init")), [""; 0]);
}

#[test]
fn later_files_append_and_replace() {
    let base = "- list: names\n  items: [a]\n- macro: m\n  condition: proc.pname=x\n".to_owned()
        + &rule("r", "proc.name in (names) and m");
    let append = "- list: names\n  items: [b]\n  append: true\n\
                  - macro: m\n  condition: or proc.pname=y\n  override: {condition: append}\n\
                  - rule: r\n  condition: and proc.name!=c\n  tags: [t]\n  output: more\n\
                  \n  override: {condition: append, tags: append, output: append}\n";
    let rules = load(&[&base, append]);
    for (name, parent, expected) in [("a", "x", 1), ("b", "x", 1), ("b", "y", 1), ("c", "y", 0)] {
        assert_eq!(matching(&rules, &process(name, parent)).len(), expected, "{name} {parent}");
    }
    let loaded = &rules.rules().next().unwrap().rule;
    assert!(loaded.tags.contains("t"));
    assert!(loaded.output.starts_with("out %proc.name more container_id=%container.id container_name="));
    let replace = "- rule: r\n  condition: proc.name=z\n  priority: critical\n  enabled: false\n  desc: new\n\
                   \n  override: {condition: replace, priority: replace, enabled: replace, desc: replace}\n";
    let rules = load(&[&base, append, replace]);
    let loaded = &rules.rules().next().unwrap().rule;
    assert_eq!(
        (loaded.priority, loaded.enabled, loaded.description.as_str()),
        (Priority::Critical, false, "new")
    );
    assert_eq!(matching(&rules, &process("z", "")), ["r"]);
    // Redefined wholly.
    let rules = load(&[&base, &rule("r", "proc.name=q")]);
    assert_eq!(matching(&rules, &process("q", "")), ["r"]);
    assert_eq!(rules.rules().count(), 1);
    // Only switched off.
    let rules = load(&[&base, "- rule: r\n  enabled: false\n"]);
    assert!(!rules.rules().next().unwrap().rule.enabled);
}

#[test]
fn exceptions_become_part_of_the_condition() {
    let text = rule("r", "evt.type=execve or proc.name=never")
        + "  exceptions:\n\
           \x20 - name: by_parent\n    fields: proc.pname\n    values: [cron, 'my cron']\n\
           \x20 - name: pairs\n    fields: [proc.name, fd.name]\n    comps: [=, startswith]\n\
           \x20   values:\n    - [cat, /etc]\n    - [less, /var]\n\
           \x20 - name: lists\n    fields: [proc.name, proc.pname]\n    comps: [in, in]\n\
           \x20   values:\n    - [[one, two], [three]]\n\
           \x20 - name: empty\n    fields: [proc.name]\n";
    let rules = load(&[&text]);
    for (name, parent, expected) in [
        ("ls", "init", 1),
        ("ls", "cron", 0),
        ("ls", "my cron", 0),
        ("cat", "init", 0),
        ("less", "init", 1),
        ("two", "three", 0),
        ("two", "init", 1),
    ] {
        assert_eq!(matching(&rules, &process(name, parent)).len(), expected, "{name} {parent}");
    }
    let append = "- rule: r\n  exceptions:\n  - name: by_parent\n    values: [init]\n  override: {exceptions: append}\n";
    let rules = load(&[&text, append]);
    assert_eq!(matching(&rules, &process("ls", "init")), [""; 0]);
    let pmatch = rule("r", "proc.name exists")
        + "  exceptions:\n  - name: e\n    fields: fd.name\n    comps: pmatch\n    values: [/etc, /usr]\n";
    assert_eq!(matching(&load(&[&pmatch]), &process("ls", "init")), [""; 0]);
}

#[test]
fn wrong_exceptions_are_told() {
    let with = |exception: &str| rule("r", "proc.name=a") + "  exceptions:\n  - name: e\n" + exception;
    for (exception, code, message) in [
        ("    comps: in\n", "LOAD_ERR_YAML_VALIDATE", "no mapping for key 'fields'"),
        ("    fields: [proc.name]\n    comps: [in, in]\n", "LOAD_ERR_VALIDATE", "equal length"),
        ("    fields: [proc.name]\n    comps: ['~']\n", "LOAD_ERR_VALIDATE", "not a supported comparison"),
        ("    fields: [proc.nope]\n", "LOAD_ERR_VALIDATE", "'proc.nope' is not a supported filter field"),
        ("    fields: proc.name\n    comps: [in]\n", "LOAD_ERR_VALIDATE", "must both be strings"),
        ("    fields: proc.name\n    comps: '='\n", "LOAD_ERR_VALIDATE", "comps must be one of"),
        ("    fields: [proc.name]\n    values: [[a, b]]\n", "LOAD_ERR_VALIDATE", "equal length"),
        ("    fields: [proc.name]\n    values: a\n", "LOAD_ERR_YAML_VALIDATE", "must be a sequence"),
    ] {
        error_of(&[&with(exception)], code, message);
    }
    let base = with("    fields: proc.name\n    values: [x]\n");
    let append = |exception: &str| format!("- rule: r\n  append: true\n  exceptions:\n  - name: {exception}");
    error_of(
        &[&base, &append("e\n    fields: proc.name\n")],
        "LOAD_ERR_VALIDATE",
        "Can not append exception fields",
    );
    error_of(&[&base, &append("new\n    values: [x]\n")], "LOAD_ERR_VALIDATE", "must have fields property");
}

#[test]
fn errors_have_codes_and_places() {
    let ok = rule("r", "proc.name=a");
    for (text, code, message) in [
        ("- rule: [", "LOAD_ERR_YAML_PARSE", ""),
        ("rule: x\n", "LOAD_ERR_YAML_VALIDATE", "not yaml array"),
        ("just text\n", "LOAD_ERR_YAML_VALIDATE", "not yaml"),
        ("- text\n", "LOAD_ERR_YAML_VALIDATE", "associative array"),
        ("- list: a\n", "LOAD_ERR_YAML_VALIDATE", "no mapping for key 'items'"),
        ("- list: a\n  items: b\n", "LOAD_ERR_YAML_VALIDATE", "not a sequence"),
        ("- list: a\n  items: [[b]]\n", "LOAD_ERR_YAML_VALIDATE", "not scalar"),
        ("- macro: a\n", "LOAD_ERR_YAML_VALIDATE", "no mapping for key 'condition'"),
        ("- macro: a\n  condition:\n", "LOAD_ERR_YAML_VALIDATE", "Mapping for key 'condition' is empty"),
        ("- rule: a\n", "LOAD_ERR_YAML_VALIDATE", "no mapping for key 'enabled'"),
        ("- rule: a\n  enabled: true\n", "LOAD_ERR_VALIDATE", "no rule by that name"),
        ("- rule: a\n  condition: proc.name=a\n", "LOAD_ERR_YAML_VALIDATE", "no mapping for key 'output'"),
        ("- rule: a\n  append: true\n  condition: x\n", "LOAD_ERR_VALIDATE", "no rule by that name"),
        ("- macro: a\n  append: true\n  condition: x\n", "LOAD_ERR_VALIDATE", "no macro by that name"),
        ("- list: a\n  append: true\n  items: [x]\n", "LOAD_ERR_VALIDATE", "no list by that name"),
        ("- required_engine_version: 99\n", "LOAD_ERR_VALIDATE", "Rules require engine version 0.99.0"),
        ("- required_engine_version: x\n", "LOAD_ERR_YAML_VALIDATE", "Unable to parse engine version"),
        (
            "- required_plugin_versions:\n  - name: okta\n    version: 0.1.0\n",
            "LOAD_ERR_VALIDATE",
            "must load one of: okta (>= 0.1.0)",
        ),
        (
            "- required_plugin_versions:\n  - name: json\n    version: x\n",
            "LOAD_ERR_VALIDATE",
            "Invalid required version",
        ),
        (
            "- list: a\n  items: []\n  override: {items: burn}\n",
            "LOAD_ERR_YAML_VALIDATE",
            "Invalid override operation",
        ),
        (
            "- list: a\n  items: []\n  override: {name: append}\n",
            "LOAD_ERR_YAML_VALIDATE",
            "cannot be appended to",
        ),
        (
            "- list: a\n  items: []\n  append: true\n  override: {items: append}\n",
            "LOAD_ERR_YAML_VALIDATE",
            "cannot be used together",
        ),
        (
            "- rule: r\n  priority: info\n  override: {priority: append}\n",
            "LOAD_ERR_YAML_VALIDATE",
            "use 'replace'",
        ),
        (
            "- rule: r\n  priority: info\n  override: {desc: replace}\n",
            "LOAD_ERR_YAML_VALIDATE",
            "'desc' is not defined",
        ),
        (
            "- rule: r\n  priority: info\n  desc: x\n  override: {desc: replace}\n",
            "LOAD_ERR_YAML_VALIDATE",
            "Unexpected key 'priority'",
        ),
    ] {
        error_of(&[&ok, text], code, message);
    }
    for (condition, code, message) in [
        ("proc.name=", "LOAD_ERR_COMPILE_CONDITION", "expected a string value"),
        ("undefined", "LOAD_ERR_VALIDATE", "Undefined macro 'undefined' used in filter."),
        ("proc.nope=1", "LOAD_ERR_COMPILE_CONDITION", "nonexistent field proc.nope"),
        ("evt.type=nope", "LOAD_ERR_COMPILE_CONDITION", "unknown event type nope"),
        ("proc.pid contains 1", "LOAD_ERR_COMPILE_CONDITION", "not supported for numeric"),
    ] {
        error_of(&[&rule("r", condition)], code, message);
    }
    error_of(&[&ok.replace("WARNING", "LOUD")], "LOAD_ERR_YAML_VALIDATE", "Invalid priority");
    error_of(&[&ok.replace("%proc.name", "%proc.nope")], "LOAD_ERR_COMPILE_OUTPUT", "unknown filter");
    error_of(&[&ok, &(ok.clone() + "  source: k8s_audit\n")], "LOAD_ERR_VALIDATE", "different source");
}

#[test]
fn brackets_may_stand_at_the_start_of_a_line() {
    let text = "- list: l\n  items: [\n  a,\n b\n]\n".to_owned() + &rule("r", "proc.name in (l)");
    assert_eq!(matching(&load(&[&text]), &process("b", "")), ["r"]);
    let result = error_of(&[&(text + "- list: [\n")], "LOAD_ERR_YAML_PARSE", "");
    assert_eq!(result.errors[0].context.file_name(), "file1.yaml");
}

#[test]
fn an_error_in_a_later_file_leaves_the_earlier_ones() {
    let (results, rules) = load_all(&[&rule("r", "proc.name=a"), &rule("s", "nope")]);
    assert!(results[0].is_successful() && !results[1].is_successful());
    assert_eq!(rules.rules().count(), 1);
}

#[test]
fn macros_see_what_was_defined_before_them() {
    error_of(
        &[&("- macro: a\n  condition: b\n- macro: b\n  condition: proc.name=x\n".to_owned()
            + &rule("r", "a"))],
        "LOAD_ERR_VALIDATE",
        "Undefined macro 'b'",
    );
    let loop_text =
        "- macro: a\n  condition: proc.name=x\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n";
    error_of(&[&(loop_text.to_owned() + &rule("r", "a"))], "LOAD_ERR_VALIDATE", "reference loop in macro");
    // A redefinition may use macros that came between.
    let text = "- macro: a\n  condition: proc.name=x\n- macro: b\n  condition: proc.name=y\n- macro: a\n  condition: b\n";
    let rules = load(&[&(text.to_owned() + &rule("r", "a"))]);
    assert_eq!(matching(&rules, &process("y", "")), ["r"]);
}

#[test]
fn macros_that_double_do_not_explode() {
    let mut text = "- macro: m0\n  condition: (proc.name=a or proc.name=b)\n".to_owned();
    for level in 1..90 {
        let below = level - 1;
        text += &format!("- macro: m{level}\n  condition: (m{below} and m{below} or not m{below})\n");
    }
    load(&[&(text.clone() + &rule("r", "m50"))]);
    for level in 90..2000 {
        text += &format!("- macro: m{level}\n  condition: not (m{})\n", level - 1);
    }
    error_of(&[&(text + &rule("r", "m1999"))], "LOAD_ERR_VALIDATE", "nests conditions deeper");
}

#[test]
fn lists_that_double_do_not_explode() {
    let mut text = String::from("- list: l0\n  items: [aaaaaaaaaaaaaaaa, b]\n");
    for level in 1..40 {
        text += &format!("- list: l{level}\n  items: ['l{0}, l{0}', x{level}]\n", level - 1);
    }
    let (results, _) = load_all(&[&(text + &rule("r", "proc.name in (l39)"))]);
    assert!(results[0].is_successful() || results[0].errors[0].message.contains("longer than"));
}

#[test]
fn warnings_have_codes() {
    let used = rule("r", "evt.type=open and proc.name=a");
    for (text, code) in [
        ("- macro: m\n  condition: proc.name=a\n", "LOAD_UNUSED_MACRO"),
        ("- list: l\n  items: [a]\n", "LOAD_UNUSED_LIST"),
        ("- something: else\n", "LOAD_UNKNOWN_ITEM"),
        ("- list: 'a b'\n  items: []\n", "LOAD_INVALID_LIST_NAME"),
        ("- macro: 'a-b'\n  condition: proc.name=a\n", "LOAD_INVALID_MACRO_NAME"),
        ("- rule: r\n  enabled: false\n", "LOAD_DEPRECATED_ITEM"),
        ("- rule: r\n  append: true\n  condition: and proc.pid=1\n", "LOAD_DEPRECATED_ITEM"),
    ] {
        assert!(warnings_of(&(used.clone() + text)).contains(&code), "{code}");
    }
    for (text, code) in [
        (used.clone() + "  colour: red\n", "LOAD_UNKNOWN_KEY"),
        (used.clone() + "  source: elsewhere\n", "LOAD_UNKNOWN_SOURCE"),
        (used.replace("proc.name=a", "proc.name=proc.pname"), "LOAD_COMPILE_CONDITION"),
        (used.replace("proc.name=a", "evt.dir=<"), "LOAD_DEPRECATED_ITEM"),
        (rule("r", "proc.nope=1") + "  skip-if-unknown-filter: true\n", "LOAD_UNKNOWN_FILTER"),
        (rule("r", "proc.name=a").replace("  warn_evttypes: false\n", ""), "LOAD_NO_EVTTYPE"),
        (rule("r", "jevt.value[/x]=\"<NA>\"") + "  source: k8s_audit\n", "LOAD_UNSAFE_NA_CHECK"),
        (
            used.clone()
                + "  exceptions:\n  - {name: e, fields: [proc.name]}\n  - {name: e, fields: [proc.name]}\n",
            "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
        ),
        (
            used.clone()
                + "  exceptions:\n  - {name: e, fields: [proc.name]}\n- rule: r\n  append: true\n  exceptions: [{name: e}]\n",
            "LOAD_APPEND_NO_VALUES",
        ),
    ] {
        let text = text.replace("out %proc.name", "out");
        assert!(warnings_of(&text).contains(&code), "{code}: {:?}", warnings_of(&text));
    }
    assert_eq!(warnings_of(&used), [""; 0]);
    // A macro that can never be true costs nothing, whatever it names.
    assert_eq!(warnings_of(&rule("r", "evt.num=0").replace("  warn_evttypes: false\n", "")), [""; 0]);
}

#[test]
fn results_tell_places_as_text_and_as_falcos_json() {
    let text = rule("first", "proc.name=a") + &rule("bad one", "(proc.name=a and proc.nope=1)");
    let result = error_of(&[&text], "LOAD_ERR_COMPILE_CONDITION", "nonexistent field");
    let details = result.details();
    assert!(
        details.contains("file1.yaml: Invalid\n1 Errors:\nIn rules content: (file1.yaml:1:1)\n"),
        "{details}"
    );
    assert!(details.contains("    rule 'bad one': (file1.yaml:7:3)\n"), "{details}");
    assert!(details.contains("(proc.name=a and proc.nope=1)\n                 ^\n"), "{details}");
    assert!(result.summary().contains("1 errors: [LOAD_ERR_COMPILE_CONDITION (Error compiling condition)]"));
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(json["successful"], false);
    assert_eq!(json["name"], "file1.yaml");
    assert_eq!(json["errors"][0]["code"], "LOAD_ERR_COMPILE_CONDITION");
    assert_eq!(json["errors"][0]["codedesc"], "Error compiling condition");
    let locations = &json["errors"][0]["context"]["locations"];
    assert_eq!(locations[1]["item_type"], "rule");
    assert_eq!(locations[1]["item_name"], "bad one");
    assert_eq!(locations[1]["position"]["line"], 6);
    assert_eq!(locations[1]["position"]["column"], 2);
    assert!(json["errors"][0]["context"]["snippet"].as_str().unwrap().contains('^'));
}
