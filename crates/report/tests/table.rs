//! `-o table`: what a person reads first.

use yagura_report::{Format, Language, Options, View, terminal};

mod sample;

fn table(options: &Options) -> String {
    sample::text(Format::Table, &sample::report(), options)
}

#[test]
fn says_what_is_wrong_and_what_to_fix() {
    let text = table(&Options::default());
    let expected = [
        "registry.example/shop:1.2  image · linux/amd64 · sha256:111111111111 · 2 layers · base debian:12 (1 layers)",
        "Debian GNU/Linux 12 (bookworm) · no security updates since 2026-06-10",
        "10 packages: 3 deb, 2 generic",
        "CRITICAL 1  HIGH 2  MEDIUM 1  LOW 1",
        "5 findings · 3 have a fixed version · 1 known to be exploited · 3 from the base image, 2 yours",
        "org.apache.logging.log4j:log4j-core 2.14.1 → 2.15.0",
        "openssl 3.0.11-1~deb12u1",
        "in libssl3, openssl",
        "EPSS 12%",
        "will not be fixed",
        "Not looked at",
        "2 too large",
        "data/huge.bin: 9 GiB, bound 1 GiB (×2)",
        "1 finding taken out: ignore-file 1",
        "expired on 2026-10-01",
        "The advisory database is 19 days old",
        "38,165 advisories",
    ];
    for line in expected {
        assert!(text.contains(line), "missing: {line}\n{text}");
    }
    // The exploited one comes first, and one flaw of two binary packages is one row.
    assert!(text.find("log4j").unwrap() < text.find("openssl").unwrap());
    assert_eq!(text.matches("CVE-2024-5535").count(), 1);
}

#[test]
fn keeps_to_the_width_of_the_terminal() {
    for width in [60, 80, 120] {
        for language in Language::ALL {
            let text = table(&Options { width, language, ..Options::default() });
            let rows = text.lines().filter(|line| line.contains("CVE-") || line.contains("YGR-"));
            for line in rows {
                assert!(terminal::width(line) <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn hostile_names_do_nothing() {
    for colour in [false, true] {
        let text = table(&Options { colour, width: 0, ..Options::default() });
        assert!(text.contains("\\u{1b}[31m"), "{text}");
        assert!(!text.contains('\u{202e}'));
        assert!(text.contains("\\u{202e}txt.key"));
        assert_eq!(text.contains('\u{1b}'), colour);
    }
}

#[test]
fn long_lists_are_cut_visibly_and_shown_on_demand() {
    let mut report = sample::report();
    let pattern = report.findings[1].clone();
    report.findings = (0..400)
        .map(|n| {
            let mut finding = pattern.clone();
            finding.rule = format!("CVE-2024-{n:04}");
            finding.evidence.matched_name = format!("source{:02}", n / 10);
            finding
        })
        .collect();
    let text = sample::text(Format::Table, &report, &Options::default());
    assert!(
        text.contains("… 10 more places to fix with 100 findings; --all shows them (HIGH 100)"),
        "{text}"
    );
    assert!(text.contains("… 4 more; --all shows them (HIGH 4)"));
    let all = sample::text(Format::Table, &report, &Options { all: true, ..Options::default() });
    assert!((0..400).all(|n| all.contains(&format!("CVE-2024-{n:04}"))));
}

#[test]
fn an_empty_report_says_so() {
    let mut report = sample::empty();
    assert!(sample::text(Format::Table, &report, &Options::default()).contains("Nothing was scanned."));
    report.targets = sample::report().targets;
    let text = sample::text(Format::Table, &report, &Options::default());
    assert!(text.contains("No advisory database was used"));
    report.database = sample::report().database;
    assert!(sample::text(Format::Table, &report, &Options::default()).contains("No findings."));
}

#[test]
fn the_inventory_lists_every_package() {
    let options = Options { view: View::Inventory, ..Options::default() };
    let text = table(&options);
    for line in ["NAME", "libssl3", "github.com/BurntSushi/toml", "npm (declared) (not at run time)"] {
        assert!(text.contains(line), "missing: {line}\n{text}");
    }
    let japanese = table(&Options { language: Language::Japanese, ..options });
    assert!(japanese.contains("名前") && japanese.contains("パッケージ 10 個"), "{japanese}");
}
