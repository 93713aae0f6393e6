//! Feeds from a local HTTP server with tags and ranges, and from a directory.

mod support;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::server::{Received, Reply, Server};
use support::{sha256, skip};
use yagura_collect::ErrorKind;
use yagura_collect::feeds::{FeedDirectory, FeedReport, FeedSources, FeedState};
use yagura_collect::http::{HttpClient, HttpSettings, RetryPolicy};

fn http() -> HttpClient {
    let retry = RetryPolicy {
        retries: 1,
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(50),
    };
    HttpClient::new(HttpSettings { retry, ..HttpSettings::default() })
}

fn only_osv(base: String, ecosystems: &[&str]) -> FeedSources {
    FeedSources {
        osv: vec![base],
        ecosystems: ecosystems.iter().map(|name| (*name).to_owned()).collect(),
        kev: Vec::new(),
        epss: Vec::new(),
    }
}

fn update(directory: &FeedDirectory, sources: &FeedSources) -> Vec<FeedReport> {
    directory.update(&http(), sources, &()).unwrap()
}

fn states(reports: &[FeedReport]) -> Vec<(String, FeedState)> {
    reports.iter().map(|report| (report.name.clone(), report.state.clone())).collect()
}

/// Serves a file as a good server does: tag, conditional requests, ranges.
fn file_reply(request: &Received, body: Vec<u8>) -> Reply {
    let tag = format!("\"{}\"", &sha256(&body)[7..39]);
    if request.header("if-none-match") == Some(&tag) {
        return Reply::new(304, "").header("ETag", tag);
    }
    match request.range_start() {
        Some(start) if request.header("if-range") == Some(&tag) && start < body.len() => {
            let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
            Reply::new(206, body[start..].to_vec()).header("Content-Range", range).header("ETag", tag)
        }
        _ => Reply::new(200, body).header("ETag", tag),
    }
}

#[test]
fn real_feeds_are_fetched_once_and_then_only_asked_for() {
    let name = "real_feeds_are_fetched_once_and_then_only_asked_for";
    let data = std::env::var_os("YAGURA_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !data.join("osv/crates.io/all.zip").is_file() {
        skip(name, "no advisory data");
        return;
    }
    let served = data.clone();
    let server = Server::start(move |request| {
        let path = request.path.trim_start_matches('/').replace("%20", " ");
        match std::fs::read(served.join(path)) {
            Ok(body) => file_reply(request, body),
            Err(_) => Reply::new(404, "none"),
        }
    });
    let scratch = tempfile::tempdir().unwrap();
    let directory = FeedDirectory::open(scratch.path()).unwrap();
    // No list of ecosystems there: what the schema defines is tried, and what is absent is no failure.
    let sources = FeedSources {
        kev: vec![server.url("/nowhere.json"), server.url("/kev/known_exploited_vulnerabilities.json")],
        ..only_osv(server.url("/osv"), &[])
    };
    let reports = update(&directory, &sources);
    let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
    let expected =
        ["AlmaLinux", "Bitnami", "Debian", "Go", "Packagist", "PyPI", "RubyGems", "crates.io", "npm"];
    let mut expected: Vec<String> = expected.iter().map(|name| format!("osv/{name}")).collect();
    expected.push("kev".into());
    assert_eq!(names, expected);
    for report in &reports {
        assert_eq!(report.state, FeedState::Replaced, "{}", report.name);
        let original = data.join(report.path.strip_prefix(scratch.path()).unwrap());
        assert_eq!(std::fs::read(&report.path).unwrap(), std::fs::read(original).unwrap(), "{}", report.name);
    }
    server.log.lock().unwrap().clear();
    let again = update(&directory, &sources);
    assert!(again.iter().all(|report| report.state == FeedState::Unchanged), "{:?}", states(&again));
    let log = server.log.lock().unwrap();
    let conditional = log.iter().filter(|request| request.header("if-none-match").is_some()).count();
    assert_eq!(conditional, reports.len());
}

#[test]
fn a_download_that_breaks_off_is_taken_up_again() {
    let body: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
    let whole = body.clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/Go/all.zip" => file_reply(request, body.clone()).cut_after(300_000),
        _ => Reply::new(404, ""),
    });
    // The last part is shorter than the cut.
    let log = server.log.clone();
    let scratch = tempfile::tempdir().unwrap();
    let directory = FeedDirectory::open(scratch.path()).unwrap();
    let reports = update(&directory, &only_osv(server.url(""), &["Go"]));
    assert_eq!(reports[0].state, FeedState::Replaced);
    assert_eq!(std::fs::read(&reports[0].path).unwrap(), whole);
    let starts: Vec<usize> = log.lock().unwrap().iter().filter_map(Received::range_start).collect();
    assert_eq!(starts, [300_000, 600_000, 900_000, 1_200_000, 1_500_000]);
    assert!(!scratch.path().join("osv/Go/all.zip.part").exists());
}

#[test]
fn a_file_that_changes_between_two_parts_is_fetched_anew() {
    let versions = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if request.path != "/Go/all.zip" {
            return Reply::new(404, "");
        }
        match versions.fetch_add(1, Ordering::SeqCst) {
            0 => file_reply(request, vec![b'a'; 100_000]).cut_after(40_000),
            _ => file_reply(request, vec![b'b'; 100_000]),
        }
    });
    let scratch = tempfile::tempdir().unwrap();
    let directory = FeedDirectory::open(scratch.path()).unwrap();
    let reports = update(&directory, &only_osv(server.url(""), &["Go"]));
    assert_eq!(reports[0].state, FeedState::Replaced);
    assert_eq!(std::fs::read(&reports[0].path).unwrap(), vec![b'b'; 100_000]);
}

#[test]
fn only_changed_records_are_fetched_when_there_is_a_list_of_them() {
    let csv = Arc::new(Mutex::new("2026-01-02T00:00:00Z,GO-1\n2026-01-01T00:00:00Z,GO-0\n".to_owned()));
    let served = csv.clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/ecosystems.txt" => Reply::new(200, "Go\nGo:1.2\n../evil\n"),
        "/Go/modified_id.csv" => Reply::new(200, served.lock().unwrap().clone()),
        "/Go/all.zip" => file_reply(request, b"zip".to_vec()),
        "/Go/GO-2.json" | "/Go/GO-1.json" => file_reply(request, request.path.clone().into_bytes()),
        _ => Reply::new(404, ""),
    });
    let scratch = tempfile::tempdir().unwrap();
    let directory = FeedDirectory::open(scratch.path()).unwrap();
    let sources = only_osv(server.url(""), &[]);
    assert_eq!(states(&update(&directory, &sources)), [("osv/Go".to_owned(), FeedState::Replaced)]);
    assert_eq!(update(&directory, &sources)[0].state, FeedState::Unchanged);

    csv.lock().unwrap().insert_str(
        0,
        "2026-01-03T00:00:00Z,Go/GO-2\n2026-01-02T10:00:00Z,GO-1\n2026-01-02T09:00:00Z,../../evil\n",
    );
    server.log.lock().unwrap().clear();
    let changed = update(&directory, &sources);
    let paths = vec![PathBuf::from("osv/Go/changed/GO-2.json"), PathBuf::from("osv/Go/changed/GO-1.json")];
    assert_eq!(changed[0].state, FeedState::Changed(paths.clone()));
    assert_eq!(std::fs::read(scratch.path().join(&paths[0])).unwrap(), b"/Go/GO-2.json");
    assert!(!server.asked().iter().any(|request| request.contains("all.zip") || request.contains("evil")));
    assert_eq!(update(&directory, &sources)[0].state, FeedState::Unchanged);

    // Very many changes are cheaper as a whole, and the single records then go.
    let many: String = (0..500).map(|n| format!("2026-02-01T00:00:00Z,GO-{n}\n")).collect();
    csv.lock().unwrap().insert_str(0, &many);
    assert_eq!(update(&directory, &sources)[0].state, FeedState::Unchanged);
    assert!(!scratch.path().join("osv/Go/changed").exists());
}

#[test]
fn what_fails_leaves_the_old_file_and_a_mirror_helps() {
    let healthy = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let state = healthy.clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/kev.json" if state.load(Ordering::SeqCst) => file_reply(request, b"{\"a\":1}".to_vec()),
        "/kev.json" => Reply::new(503, "later"),
        "/mirror.json" => file_reply(request, b"{\"a\":2}".to_vec()),
        _ => Reply::new(404, ""),
    });
    let scratch = tempfile::tempdir().unwrap();
    let directory = FeedDirectory::open(scratch.path()).unwrap();
    let mut sources =
        FeedSources { osv: Vec::new(), kev: vec![server.url("/kev.json")], ..only_osv(String::new(), &[]) };
    assert_eq!(update(&directory, &sources)[0].state, FeedState::Replaced);
    healthy.store(false, Ordering::SeqCst);
    let reports = update(&directory, &sources);
    let FeedState::Failed(error) = &reports[0].state else { panic!("{reports:?}") };
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(std::fs::read(&reports[0].path).unwrap(), b"{\"a\":1}");
    sources.kev.push(server.url("/mirror.json"));
    assert_eq!(update(&directory, &sources)[0].state, FeedState::Replaced);
    assert_eq!(std::fs::read(&reports[0].path).unwrap(), b"{\"a\":2}");
}

#[test]
fn directories_and_file_addresses_are_sources_too() {
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("source");
    std::fs::create_dir_all(source.join("npm")).unwrap();
    std::fs::create_dir_all(source.join("empty")).unwrap();
    std::fs::write(source.join("npm/all.zip"), "one").unwrap();
    std::fs::write(source.join("scores.csv.gz"), "scores").unwrap();
    let directory = FeedDirectory::open(&scratch.path().join("feeds")).unwrap();
    let sources = FeedSources {
        epss: vec![format!("file://{}", source.join("scores.csv.gz").display())],
        ..only_osv(source.display().to_string(), &[])
    };
    let replaced = [("osv/npm".to_owned(), FeedState::Replaced), ("epss".to_owned(), FeedState::Replaced)];
    assert_eq!(states(&update(&directory, &sources)), replaced);
    let unchanged = [("osv/npm".to_owned(), FeedState::Unchanged), ("epss".to_owned(), FeedState::Unchanged)];
    assert_eq!(states(&update(&directory, &sources)), unchanged);
    std::fs::write(source.join("npm/all.zip"), "three").unwrap();
    assert_eq!(update(&directory, &sources)[0].state, FeedState::Replaced);
    assert_eq!(std::fs::read(directory.root().join("osv/npm/all.zip")).unwrap(), b"three");
}
