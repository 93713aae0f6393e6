//! Registries that break off, redirect, limit, lie or are none: a server whose faults the test writes.

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::server::{Received, Reply, Server};
use support::sha256;
use yagura_collect::cache::Cache;
use yagura_collect::http::{HttpClient, HttpSettings, RetryPolicy};
use yagura_collect::image::open_fetched;
use yagura_collect::registry::{CredentialFiles, Login, RegistryClient, RegistrySettings};
use yagura_collect::{ErrorKind, ImageHandle, ImageReference, Result};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image of one layer, as a registry would serve it.
struct Image {
    layer: Vec<u8>,
    config: String,
    manifest: String,
}

impl Image {
    fn new() -> Self {
        let layer: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let config = format!(
            r#"{{"os":"linux","architecture":"amd64","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            sha256(&layer)
        );
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": sha256(config.as_bytes()), "size": config.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": sha256(&layer), "size": layer.len(),
            }],
        });
        Self { layer, config, manifest: manifest.to_string() }
    }

    fn is_layer(&self, request: &Received) -> bool {
        request.path.ends_with(&sha256(&self.layer))
    }

    /// The answer of an honest registry.
    fn answer(&self, request: &Received) -> Reply {
        let path = request.path.as_str();
        if path == "/v2/" {
            return Reply::new(200, "{}");
        }
        if path.contains("/manifests/") {
            return Reply::new(200, self.manifest.clone()).header("Content-Type", MANIFEST);
        }
        if path.ends_with(&sha256(self.config.as_bytes())) {
            return Reply::new(200, self.config.clone());
        }
        if !self.is_layer(request) {
            return Reply::new(404, "");
        }
        match request.range_start() {
            Some(start) => Reply::new(206, self.layer[start..].to_vec()).header(
                "Content-Range",
                format!("bytes {start}-{}/{}", self.layer.len() - 1, self.layer.len()),
            ),
            None => Reply::new(200, self.layer.clone()),
        }
    }
}

fn fetch(server: &Server, login: Option<Login>, cache: &Path) -> Result<ImageHandle> {
    let retry = RetryPolicy {
        retries: 3,
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_secs(3),
    };
    let http = HttpClient::new(HttpSettings { retry, ..HttpSettings::default() });
    let settings =
        RegistrySettings { login, credentials: CredentialFiles::default(), ..RegistrySettings::default() };
    let cache = Cache::open(cache).unwrap();
    let reference = ImageReference::parse(&format!("127.0.0.1:{}/app:v1", server.port)).unwrap();
    let fetched = RegistryClient::new(&http, &settings).fetch(&reference, None, &cache, &())?;
    open_fetched(&cache, &fetched)
}

fn layer_requests(server: &Server) -> Vec<Option<usize>> {
    let digest = sha256(&Image::new().layer);
    let log = server.log.lock().unwrap();
    log.iter().filter(|request| request.path.ends_with(&digest)).map(Received::range_start).collect()
}

#[test]
fn a_blob_that_breaks_off_is_resumed_also_by_the_next_run() {
    let image = Image::new();
    let layer = image.layer.clone();
    let server = Server::start(move |request| {
        let reply = image.answer(request);
        if image.is_layer(request) { reply.cut_after(150_000) } else { reply }
    });
    let scratch = tempfile::tempdir().unwrap();
    // What an earlier run left.
    let cache = Cache::open(scratch.path()).unwrap();
    let digest = sha256(&layer);
    let partial = cache.root().join("partial").join(digest.replace(':', "-"));
    std::fs::write(&partial, &layer[..10_000]).unwrap();
    let opened = fetch(&server, None, scratch.path()).unwrap();
    assert_eq!(support::layer_bytes(&opened, 0), layer);
    assert_eq!(layer_requests(&server), [Some(10_000), Some(160_000), Some(310_000)]);
    assert!(!partial.exists());
    // Everything is in the cache now.
    fetch(&server, None, scratch.path()).unwrap();
    assert_eq!(layer_requests(&server).len(), 3);
}

#[test]
fn a_damaged_leftover_is_not_believed() {
    let image = Image::new();
    let layer = image.layer.clone();
    let server = Server::start(move |request| image.answer(request));
    let scratch = tempfile::tempdir().unwrap();
    let cache = Cache::open(scratch.path()).unwrap();
    let partial = cache.root().join("partial").join(sha256(&layer).replace(':', "-"));
    std::fs::write(&partial, vec![0xff; 10_000]).unwrap();
    let opened = fetch(&server, None, scratch.path()).unwrap();
    assert_eq!(support::layer_bytes(&opened, 0), layer);
    assert_eq!(layer_requests(&server), [Some(10_000), None]);
}

#[test]
fn a_blob_or_manifest_that_is_not_what_its_digest_says_is_refused() {
    for fault in ["changed", "longer", "manifest"] {
        let image = Image::new();
        let server = Server::start(move |request| {
            let mut reply = image.answer(request);
            match fault {
                "changed" if image.is_layer(request) => reply.body[77] ^= 1,
                "longer" if image.is_layer(request) => reply.body.push(0),
                "manifest" if request.path.contains("/manifests/") => {
                    return reply.header("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64)));
                }
                _ => {}
            }
            reply
        });
        let scratch = tempfile::tempdir().unwrap();
        let error = fetch(&server, None, scratch.path()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::DigestMismatch, "{fault}: {error}");
        assert_eq!(std::fs::read_dir(scratch.path().join("partial")).unwrap().count(), 0, "{fault}");
    }
}

#[test]
fn a_redirect_to_another_host_does_not_carry_the_login() {
    let image = Image::new();
    let layer = image.layer.clone();
    let store = Server::start(move |request| Image::new().answer(request));
    // Another origin: the same address by another name.
    let elsewhere = format!("http://localhost:{}", store.port);
    let server = Server::start(move |request| {
        if request.header("authorization") != Some("Basic bWU6c2VjcmV0") {
            return Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"r\"");
        }
        match image.is_layer(request) {
            true => Reply::new(307, "").header("Location", format!("{elsewhere}{}", request.path)),
            false => image.answer(request),
        }
    });
    let scratch = tempfile::tempdir().unwrap();
    let login = Login::Password { user: "me".into(), password: "secret".into() };
    let opened = fetch(&server, Some(login), scratch.path()).unwrap();
    assert_eq!(support::layer_bytes(&opened, 0), layer);
    let log = store.log.lock().unwrap();
    assert_eq!(log.len(), 1);
    assert!(log[0].header("authorization").is_none());
    assert!(log[0].header("user-agent").is_some_and(|agent| agent.starts_with("yagura/")));
}

#[test]
fn a_limit_is_waited_for_as_long_as_the_server_says() {
    let image = Image::new();
    let refused = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if request.path.contains("/manifests/") && refused.fetch_add(1, Ordering::SeqCst) == 0 {
            return Reply::new(429, "{}").header("Retry-After", "1");
        }
        image.answer(request)
    });
    let scratch = tempfile::tempdir().unwrap();
    let started = Instant::now();
    fetch(&server, None, scratch.path()).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));

    // Longer than we are willing to wait: told at once.
    let server = Server::start(|request| match request.path.as_str() {
        "/v2/" => Reply::new(200, ""),
        _ => Reply::new(429, r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#).header("Retry-After", "3600"),
    });
    let error = fetch(&server, None, scratch.path()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().ends_with("TOOMANYREQUESTS; log in, wait, or use --mirror"), "{error}");
}

#[test]
fn what_is_no_registry_is_told() {
    let page = || Reply::new(404, "<html>not here</html>").header("Content-Type", "text/html");
    let server = Server::start(move |_| page());
    let scratch = tempfile::tempdir().unwrap();
    let error = fetch(&server, None, scratch.path()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotAnImage, "{error}");
    assert!(error.to_string().ends_with("does not answer as a registry; check the host name"), "{error}");

    let chart = Image::new().manifest.replace("image.config.v1", "chart.config.v1");
    let server = Server::start(move |_| Reply::new(200, chart.clone()).header("Content-Type", MANIFEST));
    let error = fetch(&server, None, scratch.path()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotAnImage, "{error}");

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let http = HttpClient::new(HttpSettings::default());
    let settings =
        RegistrySettings { credentials: CredentialFiles::default(), ..RegistrySettings::default() };
    let reference = ImageReference::parse(&format!("127.0.0.1:{gone}/app")).unwrap();
    let error = RegistryClient::new(&http, &settings).resolve(&reference).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().ends_with("connection refused"), "{error}");
}
