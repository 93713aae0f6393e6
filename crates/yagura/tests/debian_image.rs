//! One real Debian image through every way an image can reach us, before and after its security updates.

mod bed;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bed::{has, made_once, oci_layout, run, scan, text, verdicts};

fn layout() -> std::path::PathBuf {
    let root = bed::bullseye();
    made_once("bullseye-oci", |directory| oci_layout(&directory.join("image"), &[&root])).join("image")
}

#[test]
fn layout_archive_and_registry_give_the_same_findings() {
    if !has(&["debootstrap", "umoci", "skopeo", "docker-registry", "htpasswd", "openssl"]) {
        return;
    }
    let layout = layout();
    let work = tempfile::tempdir().unwrap();
    let source = format!("oci:{}:latest", text(&layout));

    let archive = work.path().join("image.tar");
    run("skopeo", &["copy", &source, &format!("docker-archive:{}:bullseye:plain", text(&archive))]);
    let registry = Registry::start(work.path());
    registry.push(work.path(), &source);

    let cache = work.path().join("cache");
    let from_layout = verdicts(&scan(&cache, &[&format!("oci-dir:{}:latest", text(&layout))]));
    let from_archive = verdicts(&scan(&cache, &[&format!("docker-archive:{}", text(&archive))]));
    let from_registry = verdicts(&registry.report(work.path(), &[]));

    assert!(from_layout.len() > 30, "a root without updates has dozens of flaws: {from_layout:?}");
    assert_eq!(from_layout, from_archive);
    assert_eq!(from_layout, from_registry);
}

#[test]
fn vex_attached_in_the_registry_applies() {
    if !has(&["debootstrap", "umoci", "skopeo", "docker-registry", "htpasswd", "openssl", "curl"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let registry = Registry::start(work.path());
    let source = format!("oci:{}:latest", text(&layout()));
    registry.push(work.path(), &source);
    let image = registry.report(work.path(), &[]);
    let subject = image["targets"][0]["image"]["manifestDigest"].as_str().unwrap().to_owned();
    assert!(verdicts(&image).iter().any(|verdict| verdict.starts_with("CVE-2024-0727 libssl1.1")));

    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:example:vex","author":"us","timestamp":
        "2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2024-0727"},"products":
        [{"@id":"pkg:deb/debian/libssl1.1"}],"status":"not_affected",
        "justification":"vulnerable_code_not_in_execute_path"}]}"#;
    registry.attach(work.path(), &subject, vex);
    let excused = registry.report(work.path(), &["--vex-attached"]);
    assert!(!verdicts(&excused).iter().any(|verdict| verdict.starts_with("CVE-2024-0727 libssl1.1")));
    let suppressed = excused["suppressed"].as_array().unwrap();
    let by_vex = suppressed.iter().filter(|suppressed| suppressed["by"] == "vex");
    assert_eq!(by_vex.count(), 1, "{suppressed:?}");
}

#[test]
fn after_the_security_updates_nothing_is_left() {
    if !has(&["debootstrap", "mmdebstrap"]) {
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let updated = bed::bullseye_updated();
    let report = scan(cache.path(), &[&format!("dir:{}", text(&updated))]);
    assert_eq!(verdicts(&report), Vec::<String>::new());
    assert!(report["targets"][0]["inventory"]["packages"].as_array().unwrap().len() > 80);
}

#[test]
fn a_registry_that_refuses_the_login_says_what_to_do() {
    if !has(&["docker-registry", "htpasswd", "openssl"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let registry = Registry::start(work.path());
    let certificate = work.path().join("ca.crt");
    let output = bed::yagura(&work.path().join("cache"))
        .env("DOCKER_CONFIG", work.path().join("nowhere"))
        .args(["scan", &format!("registry:127.0.0.1:{}/debian:bullseye", registry.port)])
        .args(["--ca-cert", text(&certificate)])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("login"), "{errors}");
    assert!(!errors.contains("tower"), "a password is never shown: {errors}");
}

/// Makes `ca.crt`, and `registry.crt` with `registry.key` which that authority vouches for.
fn certify(work: &Path) {
    let configuration = work.join("openssl.cnf");
    fs::write(&configuration, "[req]\ndistinguished_name = name\n[name]\n").unwrap();
    let make = |name: &str, more: &[&str]| {
        let (key, certificate) = (work.join(format!("{name}.key")), work.join(format!("{name}.crt")));
        let mut arguments =
            vec!["req", "-x509", "-config", text(&configuration), "-newkey", "rsa:2048", "-nodes"];
        arguments.extend(["-days", "2", "-keyout", text(&key), "-out", text(&certificate)]);
        arguments.extend(more);
        run("openssl", &arguments);
    };
    make("ca", &["-subj", "/CN=authority", "-addext", "basicConstraints=critical,CA:TRUE"]);
    let (authority, key) = (work.join("ca.crt"), work.join("ca.key"));
    fs::create_dir_all(work.join("trust")).unwrap();
    fs::copy(&authority, work.join("trust/ca.crt")).unwrap();
    make(
        "registry",
        &[
            "-subj",
            "/CN=registry",
            "-CA",
            text(&authority),
            "-CAkey",
            text(&key),
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ],
    );
}

/// Debian's docker-registry on loopback, with TLS and a password file.
struct Registry {
    port: u16,
    process: Child,
}

impl Registry {
    fn start(work: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        certify(work);
        let passwords = run("htpasswd", &["-Bbn", "guard", "tower"]).stdout;
        fs::write(work.join("htpasswd"), passwords).unwrap();
        let configuration = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {0}/registry}}}}\n\
             http: {{addr: '127.0.0.1:{port}', tls: {{certificate: {0}/registry.crt, key: {0}/registry.key}}}}\n\
             auth: {{htpasswd: {{realm: tower, path: {0}/htpasswd}}}}\nlog: {{level: error}}\n",
            text(work)
        );
        fs::write(work.join("registry.yml"), configuration).unwrap();
        let process = Command::new("docker-registry")
            .args(["serve", text(&work.join("registry.yml"))])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the registry does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { port, process }
    }

    /// Copies an image here as `debian:bullseye`.
    fn push(&self, work: &Path, source: &str) {
        let trust = format!("--dest-cert-dir={}", text(&work.join("trust")));
        let destination = format!("docker://127.0.0.1:{}/debian:bullseye", self.port);
        run("skopeo", &["copy", "--dest-creds=guard:tower", &trust, source, &destination]);
    }

    /// Attaches a VEX document to an image by the tag scheme of the distribution specification.
    fn attach(&self, work: &Path, subject: &str, vex: &str) {
        let empty = self.put_blob(work, b"{}");
        let layer = self.put_blob(work, vex.as_bytes());
        let kind = "application/vnd.openvex+json";
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{manifest_type}","artifactType":"{kind}",
            "config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},
            "layers":[{{"mediaType":"{kind}","digest":"{layer}","size":{}}}],
            "subject":{{"mediaType":"{manifest_type}","digest":"{subject}","size":1}}}}"#,
            vex.len()
        );
        let digest = sha256(manifest.as_bytes());
        self.put_manifest(work, &digest, manifest_type, &manifest);
        let index_type = "application/vnd.oci.image.index.v1+json";
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"{index_type}","manifests":[{{"mediaType":"{manifest_type}",
            "artifactType":"{kind}","digest":"{digest}","size":{}}}]}}"#,
            manifest.len()
        );
        self.put_manifest(work, &subject.replace(':', "-"), index_type, &index);
    }

    fn curl(&self, work: &Path, arguments: &[&str]) -> String {
        let authority = work.join("ca.crt");
        let mut all = vec!["-sSi", "--http1.1", "--fail", "-u", "guard:tower", "--cacert", text(&authority)];
        all.extend(arguments);
        String::from_utf8_lossy(&run("curl", &all).stdout).into_owned()
    }

    fn put_blob(&self, work: &Path, bytes: &[u8]) -> String {
        let (file, digest) = (work.join("blob"), sha256(bytes));
        fs::write(&file, bytes).unwrap();
        let uploads = format!("https://127.0.0.1:{}/v2/debian/blobs/uploads/", self.port);
        let answer = self.curl(work, &["-X", "POST", &uploads]);
        let place =
            answer.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap().trim().to_owned();
        let kind = "Content-Type: application/octet-stream";
        let data = format!("@{}", text(&file));
        self.curl(
            work,
            &["-X", "PUT", "-H", kind, "--data-binary", &data, &format!("{place}&digest={digest}")],
        );
        digest
    }

    fn put_manifest(&self, work: &Path, reference: &str, kind: &str, manifest: &str) {
        let url = format!("https://127.0.0.1:{}/v2/debian/manifests/{reference}", self.port);
        self.curl(
            work,
            &["-X", "PUT", "-H", &format!("Content-Type: {kind}"), "--data-binary", manifest, &url],
        );
    }

    /// The report on `debian:bullseye` from here.
    fn report(&self, work: &Path, more: &[&str]) -> serde_json::Value {
        let docker = work.join("docker");
        fs::create_dir_all(&docker).unwrap();
        // guard:tower in base64.
        let login = format!(r#"{{"auths":{{"127.0.0.1:{}":{{"auth":"Z3VhcmQ6dG93ZXI="}}}}}}"#, self.port);
        fs::write(docker.join("config.json"), login).unwrap();
        let output = bed::yagura(&work.join("registry-cache"))
            .env("DOCKER_CONFIG", &docker)
            .args(["scan", &format!("registry:127.0.0.1:{}/debian:bullseye", self.port), "-o", "json"])
            .args(["--ca-cert", text(&work.join("ca.crt"))])
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
