//! The registry client against Debian's docker-registry: TLS, logins, tokens, platforms.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use support::server::{Reply, Server};
use support::services::{certificates, registry};
use support::{have, layer_bytes, run, sha256, umoci_layout};
use yagura_collect::cache::Cache;
use yagura_collect::http::{HttpClient, HttpSettings, RetryPolicy};
use yagura_collect::image::{open_directory, open_fetched, parse_platform};
use yagura_collect::registry::{CredentialFiles, Login, RegistryClient, RegistrySettings};
use yagura_collect::{ErrorKind, ImageHandle, ImageReference, Result};

const TOOLS: &[&str] = &["docker-registry", "skopeo", "umoci", "openssl", "htpasswd", "sha256sum"];

fn http(ca_files: Vec<PathBuf>) -> HttpClient {
    let retry = RetryPolicy {
        retries: 2,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_secs(2),
    };
    HttpClient::new(HttpSettings {
        ca_files,
        certificate_directories: Vec::new(),
        retry,
        ..HttpSettings::default()
    })
}

fn settings(login: Option<(&str, &str)>, files: Vec<PathBuf>) -> RegistrySettings {
    let login =
        login.map(|(user, password)| Login::Password { user: user.into(), password: password.into() });
    RegistrySettings { login, credentials: CredentialFiles { files }, ..RegistrySettings::default() }
}

fn fetch(
    http: &HttpClient,
    settings: &RegistrySettings,
    reference: &str,
    platform: Option<&str>,
    cache: &Path,
) -> Result<ImageHandle> {
    let cache = Cache::open(cache).unwrap();
    let platform = platform.map(|text| parse_platform(text).unwrap());
    let client = RegistryClient::new(http, settings);
    let fetched = client.fetch(&ImageReference::parse(reference).unwrap(), platform.as_ref(), &cache, &())?;
    open_fetched(&cache, &fetched)
}

#[test]
fn tls_and_a_password() {
    if !have("tls_and_a_password", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let tls = certificates(root);
    let users = root.join("htpasswd");
    let entry = run("htpasswd", &["-Bbn", "me", "secret"]);
    std::fs::write(&users, entry.stdout).unwrap();
    let registry = registry(
        root,
        &format!("  tls: {{certificate: {}, key: {}}}\n", tls.certificate.display(), tls.key.display()),
        &format!("auth:\n  htpasswd: {{realm: test, path: {}}}\n", users.display()),
    );
    let layout = umoci_layout(root);
    let name = format!("{}/team/app:v1", registry.host);
    run(
        "skopeo",
        &[
            "copy",
            "-q",
            "--dest-tls-verify=false",
            "--dest-creds",
            "me:secret",
            &format!("oci:{}:v1", layout.display()),
            &format!("docker://{name}"),
        ],
    );
    let trusting = http(vec![tls.authority.clone()]);
    let failing = |http: &HttpClient, login, reference: &str| {
        fetch(http, &settings(login, Vec::new()), reference, None, &root.join("cache")).unwrap_err()
    };

    let error = failing(&http(Vec::new()), Some(("me", "secret")), &name);
    assert_eq!(error.kind, ErrorKind::Tls, "{error}");
    assert!(error.to_string().ends_with(
        "its certificate is signed by an unknown authority; give the authority's certificate with --ca-cert FILE"
    ));
    let error = failing(&trusting, None, &name);
    assert_eq!(error.kind, ErrorKind::Unauthorized, "{error}");
    assert!(error.to_string().contains(&format!("docker login {}", registry.host)), "{error}");
    assert_eq!(failing(&trusting, Some(("me", "wrong")), &name).kind, ErrorKind::Unauthorized);
    let error = failing(&trusting, Some(("me", "secret")), &format!("{}/team/app:v2", registry.host));
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    assert!(error.to_string().ends_with("check the name `team/app` and the tag `v2`"), "{error}");
    assert_eq!(
        failing(&trusting, Some(("me", "secret")), &format!("{}/team/other", registry.host)).kind,
        ErrorKind::NotFound
    );

    // The login from a stored file, the authority from a certs.d directory.
    let config = root.join("config.json");
    let auth = STANDARD.encode("me:secret");
    std::fs::write(&config, format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.host)).unwrap();
    let certs = root.join("certs.d").join(&registry.host);
    std::fs::create_dir_all(&certs).unwrap();
    std::fs::copy(&tls.authority, certs.join("ca.crt")).unwrap();
    let by_directory = HttpClient::new(HttpSettings {
        certificate_directories: vec![root.join("certs.d")],
        ..HttpSettings::default()
    });
    let stored = settings(None, vec![config]);
    let image = fetch(&by_directory, &stored, &name, None, &root.join("cache")).unwrap();
    let local = open_directory(&layout, Some("v1"), None).unwrap();
    assert_eq!(image.image.layers, local.image.layers);
    assert_eq!(image.image.manifest_digest, local.image.manifest_digest);
    assert_eq!(image.image.tags, std::slice::from_ref(&name));
    for index in 0..image.layer_count() {
        let expected = image.image.layers[index].blob_digest.as_ref().unwrap().to_string();
        assert_eq!(sha256(&layer_bytes(&image, index)), expected);
    }

    let pinned = format!("{}/team/app@{}", registry.host, local.image.manifest_digest.as_ref().unwrap());
    assert_eq!(fetch(&by_directory, &stored, &pinned, None, &root.join("cache")).unwrap().layer_count(), 2);
    let error = fetch(&by_directory, &stored, &name, Some("linux/s390x"), &root.join("cache")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::WrongPlatform, "{error}");

    // A mirror is asked first and the registry when the mirror does not have it.
    let mirrored = RegistrySettings {
        mirrors: vec![("registry.example".into(), format!("https://{}/team", registry.host))],
        ..stored.clone()
    };
    let by_mirror =
        fetch(&by_directory, &mirrored, "registry.example/app:v1", None, &root.join("cache2")).unwrap();
    assert_eq!(by_mirror.image.layers, local.image.layers);
}

/// Set in the child of the helper's test: where the registry is.
const HELPER_CHILD: &str = "YAGURA_TEST_HELPER";

#[test]
fn a_credential_helper_is_asked() {
    if let Ok(text) = std::env::var(HELPER_CHILD) {
        let (user, config) = text.split_once(' ').unwrap();
        let files = CredentialFiles { files: vec![config.into()] };
        let expected = match user {
            "none" => None,
            "<token>" => Some(Login::IdentityToken("for registry.example:5000".into())),
            user => Some(Login::Password { user: user.into(), password: "for registry.example:5000".into() }),
        };
        assert_eq!(files.login("registry.example:5000", "a/b").unwrap(), expected);
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let config = scratch.path().join("config.json");
    let helper = scratch.path().join("docker-credential-test");
    for (user, config_text) in [
        ("me", r#"{"credHelpers":{"registry.example:5000":"test"}}"#),
        ("<token>", r#"{"credsStore":"test"}"#),
        ("none", r#"{"credsStore":"test","auths":{"registry.example:5000":{}}}"#),
    ] {
        let script = match user {
            "none" => "#!/bin/sh\necho credentials not found in native keychain\nexit 1\n".to_owned(),
            user => format!(
                "#!/bin/sh\n[ \"$1\" = get ] || exit 3\nread server\nprintf '{{\"ServerURL\":\"%s\",\"Username\":\"{user}\",\
                 \"Secret\":\"for %s\"}}' \"$server\" \"$server\"\n"
            ),
        };
        std::fs::write(&helper, script).unwrap();
        run("chmod", &["+x", &helper.display().to_string()]);
        std::fs::write(&config, config_text).unwrap();
        let path = format!("{}:{}", scratch.path().display(), std::env::var("PATH").unwrap());
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_credential_helper_is_asked"])
            .env("PATH", path)
            .env(HELPER_CHILD, format!("{user} {}", config.display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{user}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_token_is_fetched_where_the_challenge_says() {
    if !have("a_token_is_fetched_where_the_challenge_says", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let at = |name: &str| root.join(name).display().to_string();
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=token",
            "-keyout",
            &at("token.key"),
            "-out",
            &at("token.crt"),
        ],
    );
    let der = run("openssl", &["x509", "-in", &at("token.crt"), "-outform", "DER"]).stdout;
    let key = at("token.key");
    let (input, output) = (at("claims"), at("signature"));
    let sign = move |actions: &str| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let header = serde_json::json!({"typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(&der)]});
        let claims = serde_json::json!({
            "iss": "test", "sub": "me", "aud": "registry", "exp": now + 60, "nbf": now - 10, "iat": now, "jti": "1",
            "access": [{"type": "repository", "name": "app", "actions": actions.split(',').collect::<Vec<_>>()}],
        });
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        std::fs::write(&input, &text).unwrap();
        run("openssl", &["dgst", "-sha256", "-sign", &key, "-out", &output, &input]);
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(std::fs::read(&output).unwrap()))
    };
    let (push, pull) = (sign("pull,push"), sign("pull"));
    let basic = format!("Basic {}", STANDARD.encode("me:secret"));
    let tokens = Server::start(move |request| {
        if request.method == "POST" {
            // OAuth2 with an identity token.
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let fits = body.contains("grant_type=refresh_token") && body.contains("refresh_token=long-lived");
            return match fits {
                true => Reply::new(200, format!(r#"{{"access_token":"{pull}"}}"#)),
                false => Reply::new(401, "{}"),
            };
        }
        if request.header("authorization") != Some(&basic) {
            return Reply::new(401, r#"{"errors":[{"message":"who are you"}]}"#);
        }
        let token = if request.path.contains("push") { &push } else { &pull };
        Reply::new(200, format!(r#"{{"token":"{token}"}}"#))
    });
    let registry = registry(
        root,
        "",
        &format!(
            "auth:\n  token: {{realm: \"{}\", service: registry, issuer: test, rootcertbundle: {}}}\n",
            tokens.url("/token"),
            at("token.crt")
        ),
    );
    let layout = umoci_layout(root);
    run(
        "skopeo",
        &[
            "copy",
            "-q",
            "--dest-tls-verify=false",
            "--dest-creds",
            "me:secret",
            &format!("oci:{}:v1", layout.display()),
            &format!("docker://{}/app:v1", registry.host),
        ],
    );
    let name = format!("{}/app:v1", registry.host);
    let http = http(Vec::new());
    let image = fetch(&http, &settings(Some(("me", "secret")), Vec::new()), &name, None, &root.join("cache"))
        .unwrap();
    assert_eq!(image.layer_count(), 2);
    let asked = tokens.asked();
    let ours = asked.last().unwrap();
    assert!(ours.contains("/token?scope=repository%3Aapp%3Apull&service=registry&account=me"), "{asked:?}");

    let identity = RegistrySettings {
        login: Some(Login::IdentityToken("long-lived".into())),
        ..settings(None, Vec::new())
    };
    assert_eq!(fetch(&http, &identity, &name, None, &root.join("cache2")).unwrap().layer_count(), 2);
    let error = fetch(&http, &settings(None, Vec::new()), &name, None, &root.join("cache3")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized, "{error}");
    assert!(error.to_string().contains("demands a login (who are you)"), "{error}");
}

#[test]
fn an_index_yields_the_platform_and_referrers_are_found_by_tag() {
    if !have("an_index_yields_the_platform_and_referrers_are_found_by_tag", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let layout = umoci_layout(root);
    let shown = layout.display().to_string();
    let s390x = format!("{shown}:other");
    run("umoci", &["tag", "--image", &format!("{shown}:v1"), "other"]);
    run("umoci", &["config", "--image", &s390x, "--architecture", "s390x"]);
    // One index over both, as builders write it, with an attestation beside them.
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let entry = |tag: &str, architecture: &str| {
        let found = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == tag)
            .unwrap();
        serde_json::json!({
            "mediaType": found["mediaType"], "digest": found["digest"], "size": found["size"],
            "platform": {"os": "linux", "architecture": architecture},
        })
    };
    let mut attestation = entry("v1", "unknown");
    attestation["platform"]["os"] = "unknown".into();
    let both = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [attestation, entry("v1", "amd64"), entry("other", "s390x")],
    })
    .to_string();
    let registry = registry(root, "", "");
    let http = http(Vec::new());
    for tag in ["v1", "other"] {
        run(
            "skopeo",
            &[
                "copy",
                "-q",
                "--dest-tls-verify=false",
                &format!("oci:{shown}:{tag}"),
                &format!("docker://{}/app:{tag}", registry.host),
            ],
        );
    }
    let put = |name: &str, body: &str, kind: &str| {
        let file = root.join("body");
        std::fs::write(&file, body).unwrap();
        let url = format!("http://{}/v2/app/{name}", registry.host);
        let output = Command::new("curl")
            .args(["-sS", "-f", "-X", "PUT", "-H", &format!("Content-Type: {kind}"), "--data-binary"])
            .arg(format!("@{}", file.display()))
            .arg(url)
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    if !have("an_index_yields_the_platform_and_referrers_are_found_by_tag", &["curl"]) {
        return;
    }
    assert!(put("manifests/multi", &both, "application/vnd.oci.image.index.v1+json"));

    let settings = settings(None, Vec::new());
    let name = format!("{}/app:multi", registry.host);
    let cache = root.join("cache");
    for architecture in ["amd64", "s390x"] {
        let platform = format!("linux/{architecture}");
        let image = fetch(&http, &settings, &name, Some(&platform), &cache).unwrap();
        assert_eq!(image.image.platform, platform);
    }
    let error = fetch(&http, &settings, &name, Some("linux/arm64"), &cache).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "there is no image for linux/arm64; choose with --platform one of linux/amd64, linux/s390x"
        ),
        "{error}"
    );

    // This registry has no referrers API: the index under the digest's tag is found.
    let client = RegistryClient::new(&http, &settings);
    let reference = ImageReference::parse(&name).unwrap();
    let subject = client.resolve(&reference).unwrap();
    assert_eq!(subject.to_string(), sha256(both.as_bytes()));
    assert!(client.referrers(&reference, &subject, None).unwrap().is_empty());
    let amd64 = entry("v1", "amd64");
    let listing = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": amd64["mediaType"], "digest": amd64["digest"], "size": amd64["size"],
            "artifactType": "application/vnd.example.vex+json",
        }],
    });
    let tag = format!("manifests/sha256-{}", subject.hex());
    assert!(put(&tag, &listing.to_string(), "application/vnd.oci.image.index.v1+json"));
    let found = client.referrers(&reference, &subject, Some("application/vnd.example.vex+json")).unwrap();
    assert_eq!(found.len(), 1);
    assert!(client.referrers(&reference, &subject, Some("application/other")).unwrap().is_empty());
    let parts = client.artifact(&reference, &found[0], 1 << 20).unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(client.artifact(&reference, &found[0], 10).unwrap_err().kind, ErrorKind::TooLarge);
}
