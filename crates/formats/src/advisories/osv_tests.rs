use super::*;

fn read(json: &str) -> Parsed {
    parse(json.as_bytes()).unwrap_or_else(|problem| panic!("{problem:?}"))
}

#[test]
fn reads_a_distributors_bulletin() {
    let parsed = read(
        r#"{"id":"ALSA-2025:0001","summary":"Moderate: nodejs:18 security update","modified":"2025-07-28T08:35:47Z",
        "related":["CVE-2025-1","CVE-2025-2"],"details":null,"schema_version":null,
        "affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"nodejs"},
          "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:18.1-2.module_el8"}]}]}]}"#,
    );
    let advisory = parsed.advisory;
    assert_eq!(advisory.rating.vendor, Some(Severity::Medium));
    assert_eq!(advisory.module, "nodejs:18");
    assert_eq!(advisory.related, ["CVE-2025-1", "CVE-2025-2"]);
    assert_eq!(advisory.modified.map(|day| day.to_string()).as_deref(), Some("2025-07-28"));
    assert_eq!(
        advisory.affected[0].ranges[0].events,
        [Event::Introduced("0".into()), Event::Fixed("1:18.1-2.module_el8".into())]
    );
    assert!(parsed.problems.is_empty());
}

#[test]
fn tells_the_vendors_rating_from_a_databases() {
    let ubuntu = read(
        r#"{"id":"UBUNTU-CVE-2024-1","upstream":["CVE-2024-1"],"severity":[{"type":"Ubuntu","score":"medium"},
        {"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected":[{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"openssl"},"versions":["3.0.2-0ubuntu1"]}]}"#,
    );
    assert_eq!(ubuntu.advisory.rating.vendor, Some(Severity::Medium));
    assert_eq!(ubuntu.advisory.rating.vectors.len(), 1);
    let debian = read(
        r#"{"id":"DEBIAN-CVE-2024-1","affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"urgency":"unimportant"}}]}"#,
    );
    assert_eq!(debian.advisory.affected[0].rating.vendor, Some(Severity::Negligible));
    let github = read(
        r#"{"id":"GHSA-x","database_specific":{"severity":"MODERATE","cwe_ids":["CWE-79","CWE-20","odd",7]},
        "affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"]}]}"#,
    );
    assert_eq!(
        (github.advisory.rating.vendor, github.advisory.rating.database),
        (None, Some(Severity::Medium))
    );
    assert_eq!(github.advisory.weaknesses, [20, 79]);
}

#[test]
fn counts_commit_ranges_and_reports_odd_parts() {
    let parsed = read(
        r#"{"id":"X-1","aliases":null,"affected":[null,
        {"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"}]}]},
        {"package":{"ecosystem":"PyPI","name":"a"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]},
        {"package":{"ecosystem":"PyPI","name":"b"},"ranges":[{"type":"ECOSYSTEM","events":[{"fixed":"1"}]}]},
        {"package":{"ecosystem":"PyPI","name":"c"},"ranges":[{"type":"NEW","events":[]}],"versions":["1",null,"2"]}]}"#,
    );
    assert_eq!(parsed.git_only, 2);
    let names: Vec<_> =
        parsed.advisory.affected.iter().map(|a| (a.name.as_str(), a.versions.len())).collect();
    assert_eq!(names, [("c", 2)]);
    assert_eq!(parsed.problems.len(), 3, "{:?}", parsed.problems);
}

#[test]
fn bounds_what_a_record_may_hold() {
    let many = vec!["\"A\""; MAX_ALIASES + 5].join(",");
    let parsed = read(&format!(r#"{{"id":"X","aliases":[{many}]}}"#));
    assert_eq!(parsed.advisory.aliases.len(), MAX_ALIASES);
    assert_eq!(parsed.problems[0].reason, SkipReason::TooMany);

    let long = "v".repeat(MAX_NAME_BYTES + 1);
    let parsed =
        read(&format!(r#"{{"id":"X","affected":[{{"package":{{"ecosystem":"npm","name":"{long}"}}}}]}}"#));
    assert!(parsed.advisory.affected.is_empty());
    assert_eq!(parsed.problems[0].reason, SkipReason::TooLarge);

    let huge = format!(r#"{{"id":"X","details":"{}"}}"#, "d".repeat(10 << 20));
    assert_eq!(parse(huge.as_bytes()).unwrap_err().reason, SkipReason::TooLarge);
    let deep = format!(r#"{{"id":"X","database_specific":{}}}"#, "[".repeat(100_000));
    assert_eq!(parse(deep.as_bytes()).unwrap_err().reason, SkipReason::Malformed);
    for bytes in ["", "null", "[]", "{}", r#"{"id":""}"#, r#"{"id":7}"#] {
        assert!(parse(bytes.as_bytes()).is_err(), "{bytes}");
    }
}

#[test]
fn rustsec_notices_keep_their_kind() {
    let json = |word: &str| {
        format!(
            r#"{{"id":"RUSTSEC-2020-1","affected":[{{"package":{{"ecosystem":"crates.io","name":"a"}},
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0.0.0-0"}}]}}],
            "database_specific":{{"informational":{word}}}}}]}}"#
        )
    };
    for (word, kind) in [
        ("null", AdvisoryKind::Vulnerability),
        ("\"unmaintained\"", AdvisoryKind::Unmaintained),
        ("\"unsound\"", AdvisoryKind::Unsound),
        ("\"notice\"", AdvisoryKind::Notice),
    ] {
        assert_eq!(read(&json(word)).advisory.kind, kind);
    }
    assert_eq!(read(r#"{"id":"MAL-2026-1"}"#).advisory.kind, AdvisoryKind::Malicious);
}
