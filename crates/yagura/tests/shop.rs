//! The example stack as its users meet it: the order of risks, the path, the reasons, and what edits change.

mod bed;

use std::fs;

use serde_json::Value;

fn shop() -> String {
    bed::text(&bed::workspace().join("examples/shop")).to_owned()
}

fn labels(risk: &Value) -> Vec<&str> {
    let hops = risk["path"].as_array().map(Vec::as_slice).unwrap_or_default();
    let first = hops.first().and_then(|hop| hop["from"]["label"].as_str());
    first.into_iter().chain(hops.iter().filter_map(|hop| hop["to"]["label"].as_str())).collect()
}

#[test]
fn one_medium_flaw_outranks_dozens_of_critical_ones() {
    let cache = tempfile::tempdir().unwrap();
    let report = bed::scan(cache.path(), &[&shop()]);
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(bed::workspace().join("docs/schema/report-1.0.json")).unwrap(),
    )
    .unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .take(3)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let risks = report["risks"].as_array().unwrap();
    let first = &risks[0];
    assert!(first["title"].as_str().unwrap().starts_with("CVE-2023-23752 (medium)"), "{}", first["title"]);
    let path = labels(first);
    assert_eq!(
        path[..4],
        ["the internet", "security group shop-public", "Ingress shop/shop", "service shop/storefront"]
    );
    assert!(
        path.contains(&"shop/storefront[Deployment]") && path.contains(&"service account shop/storefront")
    );
    assert_eq!(*path.last().unwrap(), "the cluster");
    for hop in first["path"].as_array().unwrap() {
        assert!(hop["technique"].as_str().unwrap().starts_with('T'));
        assert!(hop["evidence"].as_array().unwrap().iter().all(|proof| proof["fact"] != ""), "{hop}");
    }
    let loaded = "/opt/bitnami/php/bin/php loaded /opt/bitnami/joomla/api/index.php in storefront and listens on TCP 8080";
    assert!(first.to_string().contains(loaded), "{first}");
    assert!(first["reason"].as_str().unwrap().contains("the code listens"));
    let nightly: Vec<&Value> =
        risks.iter().filter(|risk| risk["title"].as_str().unwrap().contains("figures:2023.1")).collect();
    let critical =
        report["findings"].as_array().unwrap().iter().filter(|one| {
            one["severity"] == "critical" && one["target"].as_str().unwrap().contains("figures")
        });
    assert!(critical.count() > 20);
    assert!(!nightly.is_empty());
    for risk in nightly {
        assert!(risk["reason"].as_str().unwrap().starts_with("Can wait"), "{}", risk["reason"]);
        assert!(risk["score"].as_f64().unwrap() < first["score"].as_f64().unwrap() / 5.0);
    }
    let changes = report["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["kind"] == "upgrade" && change["title"].as_str().unwrap().contains("joomla")));
    assert!(
        changes.iter().any(|change| change["patch"].as_str().is_some_and(|patch| patch.starts_with("--- ")))
    );
}

#[test]
fn edits_change_the_order_as_they_should() {
    let cache = tempfile::tempdir().unwrap();
    let with = |patch: &str| -> (f64, f64) {
        let patch = bed::workspace().join("examples").join(patch);
        let report = bed::scan(cache.path(), &[&shop(), "--what-if", bed::text(&patch)]);
        let risk = report["risks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["title"].as_str().unwrap().contains("joomla"))
            .unwrap();
        (risk["score"].as_f64().unwrap(), risk["after"].as_f64().unwrap())
    };
    let (before, closed) = with("shop-closed.patch");
    assert!(closed < before / 2.0, "closing the security group: {before} to {closed}");
    let (same, unbound) = with("shop-without-binding.patch");
    assert_eq!(same, before);
    assert!(unbound < before && unbound > closed, "removing the binding: {before} to {unbound}");
}

#[test]
fn a_proposed_patch_is_one_that_the_program_takes_back() {
    let work = tempfile::tempdir().unwrap();
    let report = bed::scan(work.path(), &[&shop()]);
    let mut tried = 0;
    for change in report["changes"].as_array().unwrap() {
        let Some(patch) = change["patch"].as_str().filter(|patch| !patch.is_empty()) else { continue };
        let file = work.path().join("change.patch");
        fs::write(&file, patch).unwrap();
        let after = bed::scan(work.path(), &[&shop(), "--what-if", bed::text(&file)]);
        let sum = |key: &str| -> f64 {
            after["risks"].as_array().unwrap().iter().map(|risk| risk[key].as_f64().unwrap_or(0.0)).sum()
        };
        assert!(sum("after") < sum("score"), "{}", change["title"]);
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn a_risk_is_explained_by_its_flaw_and_the_graph_is_written_for_others() {
    let cache = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = bed::yagura(cache.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&["risk", "explain", "CVE-2023-23752", &shop()]);
    for part in [
        "exploitation",
        "known to be exploited",
        "the way",
        "YGR-PATH-001",
        "aws/network.tf:",
        "any of these ends it",
        "listening: /opt/bitnami/php/bin/php loaded /opt/bitnami/joomla/api/index.php",
        "-    cidr_blocks = [\"0.0.0.0/0\"]",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let graph: Value = serde_json::from_str(&run(&["graph", "export", &shop(), "-o", "json"])).unwrap();
    let kinds: Vec<&str> =
        graph["nodes"].as_array().unwrap().iter().filter_map(|node| node["kind"].as_str()).collect();
    for kind in [
        "internet",
        "security-group",
        "ingress",
        "workload",
        "service-account",
        "role",
        "bucket",
        "vulnerability",
        "container",
        "process",
        "socket",
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let table = run(&["graph", "connectivity", &shop(), "-o", "csv"]);
    assert!(table.contains("shop/cart[Deployment],data/orders[StatefulSet],TCP 5432\n"), "{table}");
    assert!(!table.contains(",reports/figures[CronJob],"), "{table}");
    let screen = run(&["scan", &shop()]);
    let first_screen: Vec<&str> = screen.lines().take(12).collect();
    assert!(first_screen.iter().any(|line| line.contains("CVE-2023-23752 (medium)")), "{first_screen:?}");
}
