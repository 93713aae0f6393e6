//! A small HTTP/1.1 server that takes what others post: Kubernetes' audit webhook.
//!
//! Everything is bounded: connections, heads, bodies, time. A body is handed over whole and only then answered, so that
//! whoever posts keeps what was not taken. What a body says is for others.

mod connection;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::error::{Error, ErrorKind, Result};

/// Connections served at once; more are told to come again.
const MAX_CONNECTIONS: usize = 64;
/// Largest body. The API server's batches stay well below by its own defaults.
pub const MAX_BODY: usize = 12 << 20;
/// Longest silence of a peer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the end of listening waits for answers that are under way.
const MAX_FAREWELL: Duration = Duration::from_secs(2);
/// Bodies that wait to be judged.
const QUEUE: usize = 64;

/// What is listened for.
pub struct Receiver {
    listener: TcpListener,
    path: String,
    tls: Option<Arc<ServerConfig>>,
}

/// What was posted. Whoever drops it waits a moment for the answers to what was taken: a peer that gets none posts again.
pub struct Bodies {
    taken: mpsc::Receiver<Vec<u8>>,
    unanswered: Arc<AtomicUsize>,
}

impl Bodies {
    pub fn recv_timeout(&self, patience: Duration) -> std::result::Result<Vec<u8>, mpsc::RecvTimeoutError> {
        self.taken.recv_timeout(patience)
    }

    pub fn try_recv(&self) -> std::result::Result<Vec<u8>, mpsc::TryRecvError> {
        self.taken.try_recv()
    }
}

impl Drop for Bodies {
    fn drop(&mut self) {
        let until = Instant::now() + MAX_FAREWELL;
        while self.unanswered.load(Ordering::Acquire) > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Where connections put bodies.
#[derive(Clone)]
struct Queue {
    bodies: mpsc::SyncSender<Vec<u8>>,
    /// Bodies handed over whose posts have no answer yet.
    unanswered: Arc<AtomicUsize>,
}

impl Queue {
    /// Hands over a body and then answers; false when nobody takes it.
    fn hand_over(&self, body: Vec<u8>, answer: impl FnOnce() -> io::Result<()>) -> io::Result<bool> {
        self.unanswered.fetch_add(1, Ordering::AcqRel);
        let taken = self.bodies.try_send(body).is_ok();
        let answered = if taken { answer() } else { Ok(()) };
        self.unanswered.fetch_sub(1, Ordering::AcqRel);
        answered.map(|()| taken)
    }
}

impl Receiver {
    /// Listens on `address` for posts to `path`; over TLS when there is a certificate with its key (PEM, may be one file).
    pub fn bind(address: &str, path: &str, certificate: Option<(&Path, &Path)>) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot listen on {address}: {error}")))?;
        let tls = certificate.map(|(certificate, key)| tls(certificate, key)).transpose()?;
        Ok(Self { listener, path: path.to_owned(), tls })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts in the background. When nobody takes the bodies, posts are answered with 503.
    pub fn start(self) -> Bodies {
        let (sender, taken) = mpsc::sync_channel(QUEUE);
        let unanswered = Arc::new(AtomicUsize::new(0));
        let queue = Queue { bodies: sender, unanswered: Arc::clone(&unanswered) };
        std::thread::spawn(move || self.accept(&queue));
        Bodies { taken, unanswered }
    }

    fn accept(self, bodies: &Queue) {
        let open = Arc::new(AtomicUsize::new(0));
        let path: Arc<str> = self.path.into();
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else {
                // Out of descriptors, most likely: wait until some are closed.
                std::thread::sleep(Duration::from_millis(50));
                continue;
            };
            let timed =
                stream.set_read_timeout(Some(TIMEOUT)).and_then(|()| stream.set_write_timeout(Some(TIMEOUT)));
            if timed.is_err() || open.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
                open.fetch_sub(1, Ordering::AcqRel);
                continue;
            }
            let (open, path, bodies, tls) =
                (Arc::clone(&open), Arc::clone(&path), bodies.clone(), self.tls.clone());
            std::thread::spawn(move || {
                serve(stream, tls, &path, &bodies);
                open.fetch_sub(1, Ordering::AcqRel);
            });
        }
    }
}

fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, path: &str, bodies: &Queue) {
    // A peer that breaks off or breaks the protocol is not heard any more; that is all.
    let _ = match tls {
        None => connection::serve(stream, path, bodies),
        Some(configuration) => match ServerConnection::new(configuration) {
            Ok(session) => connection::serve(StreamOwned::new(session, stream), path, bodies),
            Err(_) => Ok(()),
        },
    };
}

fn tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let unusable =
        |path: &Path, why: String| Error::new(ErrorKind::Tls, format!("{}: {why}", path.display()));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    Ok(Arc::new(configuration))
}

#[cfg(test)]
mod tests;
