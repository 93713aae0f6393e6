//! Logins that Docker and Podman have stored: `config.json`, `auth.json` and credential helpers.
//!
//! Read in this order, the first that knows the registry wins: `$REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json`,
//! `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`, `~/.docker/config.json`
//! (containers-auth.json(5); Docker's CLI reference).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

use super::helper;
use crate::error::{Error, ErrorKind, Result};
use crate::reference::{DEFAULT_REGISTRY, DEFAULT_REGISTRY_API};

/// Largest file read, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// The key under which Docker keeps the login of its default registry.
const DEFAULT_REGISTRY_KEY: &str = "https://index.docker.io/v1/";

/// What proves who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    Password {
        user: String,
        password: String,
    },
    /// An OAuth2 refresh token.
    IdentityToken(String),
    /// A token to be shown as it is.
    RegistryToken(String),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Login::Password",
            Self::IdentityToken(_) => "Login::IdentityToken",
            Self::RegistryToken(_) => "Login::RegistryToken",
        })
    }
}

impl Login {
    /// The value of `Authorization` for HTTP basic authentication.
    pub(super) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            _ => None,
        }
    }

    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::Password { user, .. } => Some(user),
            _ => None,
        }
    }
}

/// The files to look into.
#[derive(Clone, Debug, Default)]
pub struct CredentialFiles {
    pub files: Vec<PathBuf>,
}

impl CredentialFiles {
    /// Those of this user and environment.
    pub fn of_this_user() -> Self {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = std::env::home_dir();
        let mut files = Vec::new();
        files.extend(variable("REGISTRY_AUTH_FILE"));
        files.extend(variable("DOCKER_CONFIG").map(|directory| directory.join("config.json")));
        files.extend(variable("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")));
        let configuration =
            variable("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        files.extend(configuration.map(|directory| directory.join("containers/auth.json")));
        if variable("DOCKER_CONFIG").is_none() {
            files.extend(home.map(|home| home.join(".docker/config.json")));
        }
        Self { files }
    }

    /// The login for a repository of a registry, where one is stored.
    pub fn login(&self, registry: &str, repository: &str) -> Result<Option<Login>> {
        for file in &self.files {
            let Some(stored) = Stored::read(file)? else { continue };
            if let Some(login) =
                stored.login(registry, repository).map_err(|error| error.within(file.display()))?
            {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stored {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Stored {
    fn read(path: &PathBuf) -> Result<Option<Self>> {
        let size = match fs::metadata(path) {
            Ok(found) => found.len(),
            Err(_) => return Ok(None),
        };
        if size > MAX_FILE {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("{} is over {MAX_FILE} bytes", path.display()),
            ));
        }
        let bytes = fs::read(path).map_err(|error| Error::io(path, &error))?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        // The parser's message could repeat a password.
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Error::new(
                ErrorKind::Malformed,
                format!("{} is not valid at line {} column {}", path.display(), error.line(), error.column()),
            )
        })
    }

    fn login(&self, registry: &str, repository: &str) -> Result<Option<Login>> {
        let keys = keys(registry, repository);
        let by_registry = self.cred_helpers.iter().find(|(key, _)| keys.contains(&bare(key)));
        if let Some((key, name)) = by_registry {
            return helper::get(name, key);
        }
        let known = keys.iter().find_map(|wanted| self.auths.iter().find(|(key, _)| bare(key) == *wanted));
        if let Some(login) = known.map(|(_, entry)| entry.login()).transpose()?.flatten() {
            return Ok(Some(login));
        }
        match &self.creds_store {
            Some(name) if !name.is_empty() => {
                let key = known.map_or_else(
                    || if registry == DEFAULT_REGISTRY { DEFAULT_REGISTRY_KEY } else { registry },
                    |(key, _)| key.as_str(),
                );
                helper::get(name, key)
            }
            _ => Ok(None),
        }
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(Login::RegistryToken(token)));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Login::IdentityToken(token)));
        }
        if let Some(auth) = filled(&self.auth) {
            let malformed =
                || Error::new(ErrorKind::Malformed, "an `auth` entry is not base64 of user:password");
            let trimmed = auth.trim().trim_end_matches('=');
            let bytes = STANDARD_NO_PAD.decode(trimmed).map_err(|_| malformed())?;
            let text = String::from_utf8(bytes).map_err(|_| malformed())?;
            let (user, password) = text.split_once(':').ok_or_else(malformed)?;
            // Docker's own reader takes trailing NULs off.
            return Ok(Some(Login::Password {
                user: user.to_owned(),
                password: password.trim_end_matches('\0').to_owned(),
            }));
        }
        Ok(match (filled(&self.username), filled(&self.password)) {
            (Some(user), Some(password)) => Some(Login::Password { user, password }),
            _ => None,
        })
    }
}

/// Names under which a registry's login may be kept, the most particular first: Podman keeps logins for namespaces.
fn keys(registry: &str, repository: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = repository;
    loop {
        keys.push(format!("{registry}/{path}"));
        match path.rsplit_once('/') {
            Some((above, _)) => path = above,
            None => break,
        }
    }
    keys.push(registry.to_owned());
    if registry == DEFAULT_REGISTRY {
        keys.push("index.docker.io".to_owned());
        keys.push(DEFAULT_REGISTRY_API.to_owned());
    }
    keys
}

/// A key without its scheme and API path.
fn bare(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(config: &str, registry: &str, repository: &str) -> Result<Option<Login>> {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("config.json");
        std::fs::write(&file, config).unwrap();
        CredentialFiles { files: vec![scratch.path().join("absent.json"), file] }.login(registry, repository)
    }

    fn password(user: &str, password: &str) -> Option<Login> {
        Some(Login::Password { user: user.into(), password: password.into() })
    }

    #[test]
    fn stored_logins_are_found_by_every_spelling() {
        // base64 of `me:pa:ss`, and of `ns:one`.
        let config = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "bWU6cGE6c3M="},
            "registry.example:5000": {"username": "u", "password": "p"},
            "https://old.example/v1/": {"auth": "bWU6cGE6c3M"},
            "quay.example/team": {"auth": "bnM6b25l"},
            "token.example": {"auth": "bWU6cGE6c3M=", "identitytoken": "refresh"},
            "empty.example": {}
        }}"#;
        for (registry, repository, expected) in [
            ("docker.io", "library/debian", password("me", "pa:ss")),
            ("registry.example:5000", "a", password("u", "p")),
            ("registry.example", "a", None),
            ("old.example", "a", password("me", "pa:ss")),
            ("quay.example", "team/app", password("ns", "one")),
            ("quay.example", "other/app", None),
            ("token.example", "a", Some(Login::IdentityToken("refresh".into()))),
            ("empty.example", "a", None),
        ] {
            assert_eq!(login(config, registry, repository).unwrap(), expected, "{registry}/{repository}");
        }
    }

    #[test]
    fn broken_files_are_told_without_their_secrets() {
        let error = login(r#"{"auths": {"a": {"password": "hunter2" x"#, "a", "b").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(login(" \n", "a", "b").unwrap(), None);
        let shown = format!("{:?}", password("me", "hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
