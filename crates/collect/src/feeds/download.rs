//! One file brought up to date: asked for only when it has changed, taken up where it broke off, replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::local_path;
use crate::error::{Error, ErrorKind, Result};
use crate::hash;
use crate::http::{HttpClient, Request, Response};
use crate::registry::Progress;

/// Times a download is taken up again without having grown.
const MAX_FRUITLESS: u32 = 3;
const MAX_RECORD: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Unchanged,
    Replaced,
}

/// A file and where it comes from.
pub(super) struct Download<'a> {
    pub(super) http: &'a HttpClient,
    pub(super) address: &'a str,
    pub(super) path: &'a Path,
    /// Largest size accepted, in bytes.
    pub(super) bound: u64,
    pub(super) progress: &'a dyn Progress,
}

/// What the server said of a version of the file (RFC 9110 section 8.8), kept beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Version {
    address: String,
    etag: String,
    last_modified: String,
    sha256: String,
}

impl Version {
    fn of(address: &str, response: &Response) -> Self {
        let header = |name: &str| response.header(name).unwrap_or_default().to_owned();
        Self {
            address: address.to_owned(),
            etag: header("etag"),
            last_modified: header("last-modified"),
            sha256: String::new(),
        }
    }

    fn read(path: &Path) -> Self {
        let mut text = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_RECORD).read_to_end(&mut text));
        read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        fs::write(path, text).map_err(|error| Error::io(path, &error))
    }

    /// What may stand in `If-Range`: a strong tag, or a date.
    fn validator(&self) -> Option<&str> {
        if !self.etag.is_empty() && !self.etag.starts_with("W/") {
            Some(&self.etag)
        } else {
            Some(self.last_modified.as_str()).filter(|date| !date.is_empty())
        }
    }
}

impl Download<'_> {
    pub(super) fn run(&self) -> Result<Outcome> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(|error| Error::io(directory, &error))?;
        }
        match local_path(self.address) {
            Some(source) => self.copy(&source),
            None => self.download(),
        }
    }

    /// `name` → `name.suffix`
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }

    fn copy(&self, source: &Path) -> Result<Outcome> {
        let found = fs::metadata(source).map_err(|error| Error::io(source, &error))?;
        if !found.is_file() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} is not a regular file", source.display()),
            ));
        }
        self.within_bound(found.len())?;
        let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let version = Version {
            address: self.address.to_owned(),
            etag: format!("{}-{}", found.len(), modified.unwrap_or_default().as_nanos()),
            ..Version::default()
        };
        let kept = Version::read(&self.beside(".version"));
        if self.path.is_file() && kept.address == version.address && kept.etag == version.etag {
            return Ok(Outcome::Unchanged);
        }
        let partial = self.beside(".part");
        fs::copy(source, &partial).map_err(|error| Error::io(source, &error))?;
        self.replace(&partial, version, &kept)
    }

    fn download(&self) -> Result<Outcome> {
        let partial = self.beside(".part");
        let mut fruitless = 0;
        loop {
            let before = fs::metadata(&partial).map_or(0, |found| found.len());
            match self.attempt(&partial) {
                Err(error) if error.kind == ErrorKind::Unreachable => {
                    let after = fs::metadata(&partial).map_or(0, |found| found.len());
                    fruitless = if after > before { 0 } else { fruitless + 1 };
                    if fruitless > MAX_FRUITLESS {
                        return Err(error);
                    }
                    std::thread::sleep(self.http.settings().retry.backoff(fruitless));
                }
                outcome => return outcome,
            }
        }
    }

    fn attempt(&self, partial: &Path) -> Result<Outcome> {
        let kept = Version::read(&self.beside(".version"));
        let begun = Version::read(&self.beside(".part.version"));
        let length = fs::metadata(partial).map_or(0, |found| found.len());
        let mut request = Request::get(self.address);
        let resume = begun.validator().filter(|_| length > 0 && begun.address == self.address);
        if let Some(validator) = resume {
            request = request.header("range", format!("bytes={length}-")).header("if-range", validator);
        } else if self.path.is_file() && kept.address == self.address {
            if !kept.etag.is_empty() {
                request = request.header("if-none-match", kept.etag.as_str());
            }
            if !kept.last_modified.is_empty() {
                request = request.header("if-modified-since", kept.last_modified.as_str());
            }
        }
        let response = self.http.send(&request)?;
        let status = response.status;
        let start = match status {
            304 => return Ok(Outcome::Unchanged),
            200 => 0,
            206 if resume.is_some() && starts_at(&response, length) => length,
            416 => {
                // The partial file is whole already, or of another version: start over.
                let _ = fs::remove_file(partial);
                return Err(Error::new(ErrorKind::Unreachable, format!("{}: no such range", self.address)));
            }
            404 | 410 => {
                return Err(Error::new(ErrorKind::NotFound, format!("{} does not exist", self.address)));
            }
            401 | 403 => {
                return Err(Error::new(
                    ErrorKind::Unauthorized,
                    format!("{} is refused (status {status})", self.address),
                ));
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!("{} answered with status {status}", self.address),
                ));
            }
        };
        let version = Version::of(self.address, &response);
        if start > 0 && version.validator() != begun.validator() {
            let _ = fs::remove_file(partial);
            return Err(Error::new(ErrorKind::Unreachable, format!("{} changed meanwhile", self.address)));
        }
        let expected = response.header("content-length").and_then(|text| text.parse::<u64>().ok());
        if let Some(expected) = expected {
            self.within_bound(start.saturating_add(expected))?;
            self.progress.expect(expected);
        }
        version.write(&self.beside(".part.version"))?;
        let received = self.receive(partial, start, response)?;
        if expected.is_some_and(|expected| received != expected) {
            return Err(Error::new(ErrorKind::Unreachable, format!("{} broke off", self.address)));
        }
        self.replace(partial, version, &kept)
    }

    /// Appends the body to the partial file from `start` on.
    fn receive(&self, partial: &Path, start: u64, response: Response) -> Result<u64> {
        let failed = |error: std::io::Error| Error::io(partial, &error);
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(false).open(partial).map_err(failed)?;
        file.set_len(start).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut body = response.into_reader();
        let mut buffer = vec![0; 128 << 10];
        let mut received = 0_u64;
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(received),
                Ok(read) => read,
                Err(error) => {
                    return Err(Error::new(
                        ErrorKind::Unreachable,
                        format!("{} broke off: {error}", self.address),
                    ));
                }
            };
            received += read as u64;
            if let Err(error) = self.within_bound(start + received) {
                let _ = fs::remove_file(partial);
                return Err(error);
            }
            file.write_all(&buffer[..read]).map_err(failed)?;
            self.progress.advance(read as u64);
        }
    }

    fn within_bound(&self, size: u64) -> Result<()> {
        if size <= self.bound {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!("{} is larger than the {} bytes allowed", self.address, self.bound),
        ))
    }

    /// Puts the partial file into its place. The same bytes again are no change.
    fn replace(&self, partial: &Path, mut version: Version, kept: &Version) -> Result<Outcome> {
        let failed = |error: std::io::Error| Error::io(partial, &error);
        let mut file = File::open(partial).map_err(failed)?;
        version.sha256 = hash::sha256_of(&mut file).map_err(failed)?.hex().to_owned();
        file.sync_all().map_err(failed)?;
        fs::rename(partial, self.path).map_err(|error| Error::io(self.path, &error))?;
        let _ = fs::remove_file(self.beside(".part.version"));
        version.write(&self.beside(".version"))?;
        Ok(if version.sha256 == kept.sha256 { Outcome::Unchanged } else { Outcome::Replaced })
    }
}

fn starts_at(response: &Response, start: u64) -> bool {
    response.header("content-range").is_some_and(|text| text.trim().starts_with(&format!("bytes {start}-")))
}
