//! Real services, started on a free port of the loopback and ended by their process id.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::run;

/// A process that ends with the test.
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a program; both its outputs go to a file.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = std::fs::File::create(log).unwrap();
        let child =
            command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Self { child, log: log.to_owned() }
    }

    pub fn wait_for_port(&mut self, port: u16) {
        self.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    pub fn wait_until(&mut self, ready: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the service did not come up: {}",
                std::fs::read_to_string(&self.log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        for _ in 0..200 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An authority and a certificate for 127.0.0.1 and localhost that it signed.
pub struct Certificates {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

pub fn certificates(directory: &Path) -> Certificates {
    let at = |name: &str| directory.join(name).display().to_string();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let mut authority = vec!["req", "-x509", "-days", "2", "-subj", "/CN=Test authority"];
    let (ca_key, ca) = (at("ca.key"), at("ca.crt"));
    authority.extend(curve);
    authority.extend(["-keyout", &ca_key, "-out", &ca]);
    run("openssl", &authority);
    let (key, request, certificate, extensions) =
        (at("tls.key"), at("tls.csr"), at("tls.crt"), at("tls.ext"));
    let mut server = vec!["req", "-subj", "/CN=localhost"];
    server.extend(curve);
    server.extend(["-keyout", &key, "-out", &request]);
    run("openssl", &server);
    std::fs::write(&extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    run(
        "openssl",
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ],
    );
    Certificates { authority: ca.into(), certificate: certificate.into(), key: key.into() }
}

/// Debian's docker-registry. `http` and `auth` are the bodies of those sections of its configuration.
pub struct Registry {
    pub host: String,
    pub _service: Service,
}

pub fn registry(directory: &Path, http: &str, auth: &str) -> Registry {
    let port = free_port();
    let config = directory.join("registry.yml");
    let storage = directory.join("registry");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\nhttp:\n  addr: 127.0.0.1:{port}\n  \
         secret: test\n{http}{auth}",
        storage.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(&config);
    let mut service = Service::start(&mut command, &directory.join("registry.log"));
    service.wait_for_port(port);
    Registry { host: format!("127.0.0.1:{port}"), _service: service }
}
