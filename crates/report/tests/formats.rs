//! SARIF, Markdown, JUnit and templates.

use serde_json::Value;
use yagura_model::Report;
use yagura_report::{Format, Language, Options, Template};

mod sample;

fn text(format: Format, report: &Report) -> String {
    sample::text(format, report, &Options::default())
}

fn sarif(report: &Report) -> Value {
    serde_json::from_str(&text(Format::Sarif, report)).unwrap()
}

fn sarif_errors(instance: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("schemas/sarif-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn sarif_keeps_to_its_schema() {
    for report in [sample::report(), sample::empty()] {
        assert_eq!(sarif_errors(&sarif(&report)), Vec::<String>::new());
    }
    assert!(!sarif_errors(&serde_json::json!({"version": "2.1.0"})).is_empty());
}

#[test]
fn sarif_has_what_code_scanning_shows() {
    let log = sarif(&sample::report());
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (5, 6));
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].as_str().is_some_and(|help| !help.is_empty()));
        assert!(rule["properties"]["security-severity"].as_str().unwrap().parse::<f64>().is_ok());
        assert!(!result["partialFingerprints"].as_object().unwrap().is_empty());
        let place = &result["locations"][0];
        assert!(place["physicalLocation"]["region"]["startLine"].as_u64() >= Some(1));
    }
    let log4j = &results[0];
    assert_eq!(log4j["level"], "error");
    let logical = log4j["locations"][0]["logicalLocations"].as_array().unwrap();
    assert!(logical.iter().any(|place| place["kind"] == "layer"));
    let suppressed = results.iter().find(|result| result["ruleId"] == "CVE-2019-10906").unwrap();
    assert_eq!(suppressed["suppressions"][0]["status"], "accepted");
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 3);
}

#[test]
fn markdown_is_bounded_and_says_what_it_leaves_out() {
    let mut report = sample::report();
    let short = text(Format::Markdown, &report);
    for piece in
        ["🟥 **1** CRITICAL", "| CVE-2021-44228 **EXPLOITED** EPSS 98% |", "`2.15.0`", "&lt;script&gt;"]
    {
        assert!(short.contains(piece), "missing: {piece}\n{short}");
    }
    assert!(!short.contains("<script>") && !short.contains('\u{1b}') && !short.contains('\u{202e}'));
    let pattern = report.findings[0].clone();
    report.findings = (0..20_000)
        .map(|n| {
            let mut finding = pattern.clone();
            finding.rule = format!("CVE-2024-{n:05}");
            finding.title = "(\u{1}".repeat(500);
            finding.evidence.matched_name = "|".repeat(500);
            finding
        })
        .collect();
    let long = text(Format::Markdown, &report);
    // Hosts refuse or cut longer comments.
    assert!(long.chars().count() < 65_536 * 2, "{}", long.chars().count());
    assert!(long.contains("… 19,900 more"));
    let japanese = sample::text(
        Format::Markdown,
        &report,
        &Options { language: Language::Japanese, ..Options::default() },
    );
    assert!(japanese.contains("深刻度"));
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let report = sample::report();
    let xml = text(Format::Junit, &report);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suites: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    assert_eq!(suites.len(), 1);
    let of = |name: &str| suites[0].descendants().filter(|node| node.has_tag_name(name)).count();
    assert_eq!((of("testcase"), of("failure"), of("skipped")), (6, 5, 1));
    assert_eq!(suites[0].attribute("tests"), Some("6"));
    assert_eq!(suites[0].attribute("failures"), Some("5"));
    let clean = sample::empty();
    assert!(roxmltree::Document::parse(&text(Format::Junit, &clean)).is_ok());
    assert!(xml.contains("&lt;script&gt;") && !xml.contains('\u{1b}'));
}

fn render(template: &str) -> Result<String, String> {
    let template = Some(Template { name: "mine.tpl".into(), text: template.into() });
    let options = Options { template, ..Options::default() };
    let mut bytes = Vec::new();
    yagura_report::write(Format::Template, &sample::report(), &options, &mut bytes)
        .map(|()| String::from_utf8(bytes).unwrap())
        .map_err(|error| error.to_string())
}

#[test]
fn templates_see_the_shape_of_json() {
    let text = render(
        "{% for f in findings %}{{ f.rule }} {{ f.package.name }} {{ f.fixedVersion | default('-') }}\n{% endfor %}{{ targets[0].inventory.packages[0].purl }}\n{{ tool | json }}\n",
    )
    .unwrap();
    assert!(text.starts_with("CVE-2021-44228 org.apache.logging.log4j:log4j-core 2.15.0\n"), "{text}");
    assert!(text.contains("\npkg:deb/debian/libssl3@"));
    assert!(text.contains(r#""name":"Yagura""#) && text.ends_with("}\n"), "{text}");
}

#[test]
fn templates_that_do_not_work_say_where_and_end() {
    assert!(render("{{ ").unwrap_err().contains("template mine.tpl"));
    assert!(render("a\n{{ nothing() }}").unwrap_err().contains("mine.tpl:2"));
    let endless = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
    assert!(render(endless).unwrap_err().contains("mine.tpl"));
    let long = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}";
    assert!(render(long).unwrap_err().contains("fuel"));
    assert!(render("{% include '/etc/passwd' %}").is_err());
}
