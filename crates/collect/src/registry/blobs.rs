//! Blobs into the cache: in parallel, resumed where a connection broke off, verified while they are written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use yagura_formats::image::Descriptor;
use yagura_model::Digest;

use super::{Endpoint, RegistryClient};
use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{Hasher, verify};
use crate::http::{Request, Response};

/// Times a blob is taken up again without having grown.
const MAX_FRUITLESS: u32 = 4;

/// Told how a fetch goes; called from several threads.
pub trait Progress: Sync {
    /// So many bytes are to be fetched in all; called once, before any are.
    fn expect(&self, _bytes: u64) {}
    /// So many more have come.
    fn advance(&self, _bytes: u64) {}
}

impl Progress for () {}

impl RegistryClient<'_> {
    /// Fetches blobs in parallel; the first failure ends it.
    pub(super) fn blobs(
        &self,
        endpoint: &Endpoint,
        wanted: &[&Descriptor],
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut missing: Vec<&Descriptor> = Vec::new();
        for blob in wanted {
            let listed = missing.iter().any(|other| other.digest == blob.digest);
            if !listed && !cache.has_blob(&blob.digest, blob.size) {
                missing.push(blob);
            }
        }
        progress.expect(missing.iter().map(|blob| blob.size).sum());
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..self.settings.parallel.clamp(1, 16).min(missing.len()) {
                scope.spawn(|| {
                    while let Some(blob) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = self.blob(endpoint, blob, cache, progress) {
                            next.store(missing.len(), Ordering::Relaxed);
                            failure
                                .lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner)
                                .get_or_insert(error);
                        }
                    }
                });
            }
        });
        match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Fetches one blob into the cache, unless it is there.
    pub(super) fn blob(
        &self,
        endpoint: &Endpoint,
        blob: &Descriptor,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<()> {
        if cache.has_blob(&blob.digest, blob.size) {
            return Ok(());
        }
        let mut partial = Partial::open(cache, &blob.digest)?;
        let url = endpoint.url(&format!("blobs/{}", blob.digest));
        let mut fruitless = 0;
        loop {
            let before = partial.length;
            let outcome = self.take_up(endpoint, &url, blob, &mut partial, progress);
            match outcome {
                Ok(()) if partial.length == blob.size => match partial.matches(&blob.digest) {
                    true => return partial.finish(cache, &blob.digest),
                    // A leftover of an earlier run may have been the cause: once more from the start.
                    false if partial.resumed => partial.restart()?,
                    false => {
                        partial.discard();
                        return Err(Error::new(
                            ErrorKind::DigestMismatch,
                            format!("what {} sent does not have the digest {}", endpoint.root, blob.digest),
                        ));
                    }
                },
                Err(error) if error.kind != ErrorKind::Unreachable => return Err(error),
                outcome => {
                    fruitless = if partial.length > before { 0 } else { fruitless + 1 };
                    if fruitless > MAX_FRUITLESS {
                        return Err(outcome.err().unwrap_or_else(|| {
                            Error::new(
                                ErrorKind::Unreachable,
                                format!("{} keeps breaking off the blob {}", endpoint.root, blob.digest),
                            )
                        }));
                    }
                    std::thread::sleep(self.http.settings().retry.backoff(fruitless));
                }
            }
        }
    }

    /// One request for what is still missing, appended to the partial file.
    fn take_up(
        &self,
        endpoint: &Endpoint,
        url: &str,
        blob: &Descriptor,
        partial: &mut Partial,
        progress: &dyn Progress,
    ) -> Result<()> {
        if partial.length > blob.size {
            partial.restart()?;
        }
        if partial.length == blob.size && blob.size > 0 {
            return Ok(());
        }
        let mut request = Request::get(url);
        if partial.length > 0 {
            request = request.header("range", format!("bytes={}-", partial.length));
        }
        let response = self.ask(endpoint, &request)?;
        match response.status {
            200 if partial.length > 0 => partial.restart()?,
            200 => {}
            206 if range_start(&response) == Some(partial.length) => {}
            206 | 416 => {
                partial.restart()?;
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    "the server gave another range than asked for",
                ));
            }
            404 => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("{} does not have the blob {}", endpoint.root, blob.digest),
                ));
            }
            401 | 403 => return Err(self.refused_login(endpoint, "")),
            status => {
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!("{} answered with status {status} for the blob {}", endpoint.root, blob.digest),
                ));
            }
        }
        // One byte more than is due shows a body that is too long.
        let mut body = response.into_reader().take((blob.size - partial.length).saturating_add(1));
        let mut buffer = vec![0; 128 << 10];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) => {
                    return Err(Error::new(
                        ErrorKind::Unreachable,
                        format!("the blob {} broke off: {error}", blob.digest),
                    ));
                }
            };
            if partial.length + read as u64 > blob.size {
                partial.discard();
                return Err(Error::new(
                    ErrorKind::DigestMismatch,
                    format!("the blob {} is longer than its manifest says", blob.digest),
                ));
            }
            partial.append(&buffer[..read])?;
            progress.advance(read as u64);
        }
    }

    /// A whole small blob, verified, outside the cache.
    pub(super) fn small_blob(&self, endpoint: &Endpoint, blob: &Descriptor, bound: u64) -> Result<Vec<u8>> {
        if blob.size > bound {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("the blob {} has {} bytes, more than {bound}", blob.digest, blob.size),
            ));
        }
        let response = self.ask(endpoint, &Request::get(endpoint.url(&format!("blobs/{}", blob.digest))))?;
        if response.status != 200 {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{} does not have the blob {} (status {})",
                    endpoint.root, blob.digest, response.status
                ),
            ));
        }
        let bytes = response.bytes(bound)?;
        verify(&bytes, &blob.digest)?;
        Ok(bytes)
    }
}

/// The start in `Content-Range: bytes START-END/TOTAL`.
fn range_start(response: &Response) -> Option<u64> {
    response.header("content-range")?.trim().strip_prefix("bytes")?.trim().split('-').next()?.parse().ok()
}

/// A file that grows into a blob. Left where it is when a run ends early, for the next to go on from.
struct Partial {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    length: u64,
    /// Whether bytes of an earlier run are in it.
    resumed: bool,
}

impl Partial {
    fn open(cache: &Cache, digest: &Digest) -> Result<Self> {
        let path = cache.partial_path(digest);
        let hasher = Hasher::new(digest.algorithm())?;
        let failed = |error: std::io::Error| Error::io(&path, &error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let mut partial = Self { path, file, hasher, length: 0, resumed: false };
                partial.read_back()?;
                Ok(partial)
            }
            // Another process is at it: each gets its own, and the first to finish wins.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {
                let own = tempfile::Builder::new()
                    .prefix("blob-")
                    .tempfile_in(cache.temporary_directory())
                    .map_err(failed)?;
                let (file, path) = own.keep().map_err(|error| failed(error.error))?;
                Ok(Self { path, file, hasher, length: 0, resumed: false })
            }
        }
    }

    /// Takes what an earlier run left into the digest.
    fn read_back(&mut self) -> Result<()> {
        let mut buffer = vec![0; 128 << 10];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    self.hasher.update(&buffer[..read]);
                    self.length += read as u64;
                }
                Err(error) => return Err(Error::io(&self.path, &error)),
            }
        }
        self.resumed = self.length > 0;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| Error::io(&self.path, &error))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        let failed = |error: std::io::Error| Error::io(&self.path, &error);
        self.file.set_len(0).map_err(failed)?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.hasher = self.hasher.fresh();
        self.length = 0;
        self.resumed = false;
        Ok(())
    }

    fn matches(&self, digest: &Digest) -> bool {
        self.hasher.clone().matches(digest)
    }

    fn discard(&self) {
        remove(&self.path);
    }

    fn finish(self, cache: &Cache, digest: &Digest) -> Result<()> {
        cache.adopt_blob(digest, &self.path)
    }
}

fn remove(path: &Path) {
    // A leftover costs space until eviction finds it, nothing more.
    let _ = std::fs::remove_file(path);
}
