//! The page: safe, self-contained, and alive in a real browser.

use std::path::PathBuf;
use std::process::Command;

use yagura_model::Report;
use yagura_report::{Format, Language, Options};

mod sample;

fn page(report: &Report, language: Language) -> String {
    sample::text(Format::Html, report, &Options { language, ..Options::default() })
}

#[test]
fn nothing_is_fetched_and_nothing_of_a_target_is_markup() {
    let mut report = sample::report();
    let hostile = "</script><img src=x onerror=alert(1)>\"'<!--\u{202e}";
    report.findings[0].title = hostile.into();
    report.findings[0].rule = hostile.into();
    report.targets[0].name = hostile.into();
    report.targets[0].inventory.packages[0].name = hostile.into();
    report.notices.push(hostile.into());
    for finding in &mut report.findings {
        finding.target = hostile.into();
        finding.evidence.matched_name = hostile.into();
    }
    for language in Language::ALL {
        let page = page(&report, language);
        assert!(!page.contains("<img"), "markup of a target");
        assert!(!page.contains('\u{202e}'));
        assert_eq!(page.matches("</script>").count(), 2);
        for fetch in ["src=", "href=", "url(", "@import", "http-equiv=\"refresh"] {
            let own = page.replace("img src=x", "");
            assert!(!own.contains(fetch), "{fetch}");
        }
        assert!(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"));
        assert!(page.contains(&format!("<html lang=\"{}\">", language.tag())));
    }
}

#[test]
fn the_top_can_be_read_without_a_script() {
    let page = page(&sample::report(), Language::English);
    let top = page.split("application/json").next().unwrap();
    for piece in [
        "1 finding is known to be exploited",
        "Fix these first",
        "→ 2.15.0",
        "<svg",
        "no security updates since",
    ] {
        assert!(top.contains(piece), "missing: {piece}");
    }
}

/// The browser, where there is one: named by `CHROMIUM`, or on the path.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file())
}

/// The document after the script has run.
#[expect(clippy::print_stdout, reason = "a skipped test says so by name")]
fn dom(page: &str) -> Option<String> {
    let Some(browser) = browser() else {
        assert!(std::env::var_os("CI").is_none(), "the suite needs a browser in CI");
        println!("skipped: html in a browser: no chromium on this machine");
        return None;
    };
    let folder = std::env::temp_dir().join(format!("yagura-html-{}-{}", std::process::id(), page.len()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("report.html");
    std::fs::write(&file, page).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_browser_runs_the_script_under_the_policy() {
    let Some(dom) = dom(&page(&sample::report(), Language::English)) else { return };
    assert!(dom.contains("data-ready=\"yes\""), "the script did not finish");
    assert_eq!(dom.matches("<tr class=\"row\">").count(), 5);
    assert!(dom.contains("5 of 5"));
    assert!(dom.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn thousands_of_findings_are_drawn_a_page_at_a_time() {
    let mut report = sample::report();
    let pattern = report.findings[1].clone();
    report.findings = (0..5000)
        .map(|n| {
            let mut finding = pattern.clone();
            finding.rule = format!("CVE-2024-{n:04}");
            finding
        })
        .collect();
    let Some(dom) = dom(&page(&report, Language::Japanese)) else { return };
    assert!(dom.contains("data-ready=\"yes\""));
    let rows = dom.matches("<tr class=\"row\">").count();
    assert!((100..2000).contains(&rows), "{rows}");
    assert!(dom.contains("5,000 件中 5,000 件"));
}
