//! The ClamAV daemon, asked about the files of a scan over its socket.
//!
//! Connections are opened before the scan confines itself and speak the session form of clamd's protocol (clamd(8):
//! `IDSESSION`, `INSTREAM`), one for each thread that reads. A connection that fails later cannot be opened anew; what it
//! could not be asked is reported. This module must not know what a finding is.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use yagura_formats::layer::{Analyser, FileConsumer, Observed, PassingFile};
use yagura_model::{Observation, SkipReason, Skipped};

/// Largest file that is sent: clamd's own default of `StreamMaxLength`.
const MAX_FILE_BYTES: u64 = 25 << 20;
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Longest answer.
const MAX_ANSWER: usize = 4096;

/// A daemon with open connections.
pub struct ClamAv {
    connections: Mutex<Vec<Connection>>,
    version: String,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "ClamAV daemon at {address}: {problem}; give the path of its socket (LocalSocket in clamd.conf) or HOST:PORT"
)]
pub struct ClamAvError {
    pub address: String,
    pub problem: String,
}

trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

struct Connection {
    stream: Box<dyn Duplex>,
}

impl ClamAv {
    /// Opens `connections` sessions with the daemon at a socket's path or `HOST:PORT`.
    pub fn connect(address: &str, connections: usize) -> Result<Self, ClamAvError> {
        let failed = |problem: String| ClamAvError { address: address.to_owned(), problem };
        let version = version(address).map_err(|error| failed(error.to_string()))?;
        if !version.starts_with("ClamAV") {
            return Err(failed(format!(
                "answers `{}`, which is not how clamd answers",
                version.escape_default()
            )));
        }
        let sessions = (0..connections.max(1)).map(|_| Connection::session(address));
        let sessions = sessions.collect::<io::Result<Vec<_>>>().map_err(|error| failed(error.to_string()))?;
        Ok(Self { connections: Mutex::new(sessions), version })
    }

    fn take(&self) -> Option<Connection> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl fmt::Debug for ClamAv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)
    }
}

impl Analyser for ClamAv {
    fn name(&self) -> &'static str {
        "clamav"
    }

    /// The daemon's version names its database, so that a newer database is asked anew.
    fn version(&self) -> String {
        self.version.clone()
    }

    fn begin(&self) -> Box<dyn FileConsumer + '_> {
        Box::new(Asking { daemon: self, connection: self.take(), file: State::Idle })
    }
}

/// A connection at work; it goes back to the daemon's when the layer is done.
struct Asking<'d> {
    daemon: &'d ClamAv,
    connection: Option<Connection>,
    file: State,
}

enum State {
    Idle,
    Sending,
    Failed(String),
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.daemon.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

impl FileConsumer for Asking<'_> {
    fn wants(&mut self, file: &PassingFile<'_>) -> bool {
        self.file = State::Idle;
        if file.size == 0 {
            return false;
        }
        if file.size > MAX_FILE_BYTES {
            self.file = State::Failed(format!("larger than {} MiB", MAX_FILE_BYTES >> 20));
            return true;
        }
        self.file = match &mut self.connection {
            None => State::Failed("no connection is left".to_owned()),
            Some(connection) => match connection.stream.write_all(b"zINSTREAM\0") {
                Ok(()) => State::Sending,
                Err(error) => {
                    self.connection = None;
                    State::Failed(error.to_string())
                }
            },
        };
        true
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let (State::Sending, Some(connection)) = (&self.file, &mut self.connection)
            && let Err(error) = connection.send(bytes)
        {
            self.file = State::Failed(error.to_string());
            self.connection = None;
        }
    }

    fn end(&mut self, _whole: bool) -> Observed {
        let mut observed = Observed::default();
        let answer = match (std::mem::replace(&mut self.file, State::Idle), &mut self.connection) {
            (State::Sending, Some(connection)) => connection.answer().map_err(|error| {
                self.connection = None;
                error.to_string()
            }),
            (State::Failed(problem), _) => Err(problem),
            _ => return observed,
        };
        match answer.as_deref().map(verdict) {
            Ok(Verdict::Clean) => {}
            Ok(Verdict::Found(name)) => {
                let mut seen = Observation::new(name, None);
                seen.facts.insert("title".to_owned(), format!("ClamAV: {name}"));
                seen.facts.insert("severity".to_owned(), severity(name).to_owned());
                seen.facts.insert("pack".to_owned(), self.daemon.version.clone());
                observed.observations.push(seen);
            }
            Ok(Verdict::Failed(problem)) => {
                let detail = format!("ClamAV: {}", problem.escape_default());
                observed.skipped.push(Skipped::new("", SkipReason::Unreadable, detail));
            }
            Err(problem) => {
                let detail = format!("ClamAV was not asked: {problem}");
                observed.skipped.push(Skipped::new("", SkipReason::Unreadable, detail));
            }
        }
        observed
    }
}

impl Connection {
    fn open(address: &str) -> io::Result<Self> {
        let stream: Box<dyn Duplex> = if Path::new(address).is_absolute() {
            let stream = UnixStream::connect(address)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            Box::new(stream)
        } else {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            Box::new(stream)
        };
        Ok(Self { stream })
    }

    fn session(address: &str) -> io::Result<Self> {
        let mut connection = Self::open(address)?;
        connection.stream.write_all(b"zIDSESSION\0")?;
        Ok(connection)
    }

    /// One chunk of the stream: its length in network order, then its bytes.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.stream.write_all(&length.to_be_bytes())?;
        self.stream.write_all(bytes)
    }

    /// Ends the stream and reads the answer.
    fn answer(&mut self) -> io::Result<String> {
        self.stream.write_all(&0u32.to_be_bytes())?;
        read_answer(&mut self.stream)
    }
}

/// Bytes up to a NUL.
fn read_answer(stream: &mut impl Read) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut byte = [0];
    loop {
        match stream.read(&mut byte)? {
            0 => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the daemon closed the connection"));
            }
            _ if byte == [0] => return Ok(String::from_utf8_lossy(&answer).into_owned()),
            _ if answer.len() == MAX_ANSWER => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer does not end"));
            }
            _ => answer.extend(byte),
        }
    }
}

fn version(address: &str) -> io::Result<String> {
    let mut connection = Connection::open(address)?;
    connection.stream.write_all(b"zVERSION\0")?;
    read_answer(&mut connection.stream)
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict<'a> {
    Clean,
    Found(&'a str),
    Failed(&'a str),
}

/// `1: stream: OK`, `1: stream: NAME FOUND`, or anything else.
fn verdict(answer: &str) -> Verdict<'_> {
    let said = answer.split_once("stream: ").map_or(answer, |(_, said)| said);
    match said.strip_suffix(" FOUND") {
        Some(name) => Verdict::Found(name),
        None if said == "OK" => Verdict::Clean,
        None => Verdict::Failed(said),
    }
}

/// ClamAV's names begin with a platform and a category; unwanted programs and heuristics are less sure than malware.
fn severity(name: &str) -> &'static str {
    if name.starts_with("PUA.") || name.starts_with("Heuristics.") { "medium" } else { "critical" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood() {
        for (answer, expected) in [
            ("1: stream: OK", Verdict::Clean),
            ("12: stream: Unix.Trojan.X-1 FOUND", Verdict::Found("Unix.Trojan.X-1")),
            ("INSTREAM size limit exceeded. ERROR", Verdict::Failed("INSTREAM size limit exceeded. ERROR")),
        ] {
            assert_eq!(verdict(answer), expected);
        }
        assert_eq!(severity("PUA.Linux.X"), "medium");
    }

    #[test]
    fn an_endless_answer_is_cut() {
        assert!(read_answer(&mut io::repeat(b'a')).is_err());
        assert!(read_answer(&mut &b"a"[..]).is_err());
        assert_eq!(read_answer(&mut &b"ab\0c"[..]).unwrap(), "ab");
    }
}
