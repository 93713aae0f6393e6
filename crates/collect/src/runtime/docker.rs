//! Docker's Engine API, which Podman serves too: an image is saved into a temporary file.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tempfile::NamedTempFile;
use ureq::Agent;

use super::{Address, RuntimeSettings, socket};
use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Progress;
use crate::target::Runtime;

/// Largest image taken from a daemon, in bytes.
const MAX_IMAGE: u64 = 200 << 30;
const MAX_ANSWER: u64 = 8 << 20;
/// A daemon may be silent for so long while it gathers layers.
const SILENCE: Duration = Duration::from_secs(300);

/// A docker archive that goes away with this value.
#[derive(Debug)]
pub struct SavedImage {
    file: NamedTempFile,
    /// Names under which the runtime keeps the image.
    pub tags: Vec<String>,
}

impl SavedImage {
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

/// Saves an image of Docker or Podman, named by reference or id.
pub(crate) fn save(
    runtime: Runtime,
    name: &str,
    settings: &RuntimeSettings,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<SavedImage> {
    let daemon = Daemon::new(runtime, settings)?;
    let bytes = daemon.get(&format!("/images/{}/json", encode(name)), name)?;
    let mut text = Vec::new();
    let read = bytes.take(MAX_ANSWER).read_to_end(&mut text);
    let inspected: Inspected =
        read.ok().and_then(|_| serde_json::from_slice(&text).ok()).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                format!("{} gave no valid description of {name}", runtime.name()),
            )
        })?;
    progress.expect(inspected.size);
    // A name with a digest cannot be saved; the id always can.
    let wanted = if name.contains('@') { &inspected.id } else { name };
    let mut tar = daemon.get(&format!("/images/{}/get", encode(wanted)), name)?;

    let directory = cache.temporary_directory();
    let failed = |error: std::io::Error| Error::io(&directory, &error);
    let mut file =
        tempfile::Builder::new().prefix("image-").suffix(".tar").tempfile_in(&directory).map_err(failed)?;
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0_u64;
    loop {
        let read = match tar.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!("{} broke off while it saved {name}: {error}", runtime.name()),
                ));
            }
        };
        total += read as u64;
        if total > MAX_IMAGE {
            return Err(Error::new(ErrorKind::TooLarge, format!("{name} is over {MAX_IMAGE} bytes")));
        }
        file.write_all(&buffer[..read]).map_err(failed)?;
        progress.advance(read as u64);
    }
    Ok(SavedImage { file, tags: inspected.repo_tags.unwrap_or_default() })
}

struct Daemon {
    runtime: Runtime,
    address: Address,
    agent: Agent,
}

impl Daemon {
    fn new(runtime: Runtime, settings: &RuntimeSettings) -> Result<Self> {
        let address = Address::of(runtime, settings)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_per_read(Some(SILENCE))
            .timeout_connect(Some(Duration::from_secs(10)))
            .build();
        let agent = socket::agent(&address, config);
        Ok(Self { runtime, address, agent })
    }

    fn get(&self, path: &str, image: &str) -> Result<impl Read + use<>> {
        let host = match &self.address {
            Address::Unix(_) => "localhost",
            Address::Tcp(host) => host,
        };
        let shown = match &self.address {
            Address::Unix(path) => path.display().to_string(),
            Address::Tcp(host) => host.clone(),
        };
        let name = self.runtime.name();
        let response =
            self.agent.get(format!("http://{host}{path}")).call().map_err(|error| match error {
                ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    Error::new(ErrorKind::Unauthorized, format!("{name}: {shown}: permission denied"))
                        .advise("run as a user who may use it")
                }
                error => {
                    Error::new(ErrorKind::Unreachable, format!("{name} does not answer on {shown}: {error}"))
                }
            })?;
        let status = response.status().as_u16();
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        if status == 200 {
            return Ok(body);
        }
        let mut text = Vec::new();
        let _ = body.by_ref().take(64 << 10).read_to_end(&mut text);
        let says =
            serde_json::from_slice::<Refusal>(&text).map(|refusal| refusal.message).unwrap_or_default();
        Err(match status {
            404 => Error::new(ErrorKind::NotFound, format!("{name} has no image `{image}`")).advise(format!(
                "pull it ({name} pull {image}), or scan it from its registry: registry:{image}"
            )),
            _ => Error::new(ErrorKind::Unreachable, format!("{name} answered with status {status}: {says}")),
        })
    }
}

/// Daemons take slashes and colons of names as they are; nothing else may change the path.
fn encode(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b':' | b'@' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
