//! Image references, normalised by the rules of Docker's reference grammar (`distribution/reference`).
//!
//! `debian` means `docker.io/library/debian:latest`; the part before the first `/` is a host only when it has a dot
//! or a colon, or is `localhost`. Nothing here touches the network.

use std::fmt;

use yagura_model::Digest;

use crate::error::{Error, ErrorKind, Result};

/// The registry that a bare name means, by Docker's rule.
pub const DEFAULT_REGISTRY: &str = "docker.io";
/// Where that registry's API answers.
pub const DEFAULT_REGISTRY_API: &str = "registry-1.docker.io";
const DEFAULT_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";
/// Longest repository name with its registry (the grammar's own bound).
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// A full reference: registry, repository, and a tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageReference {
    /// `host[:port]`; `docker.io` for bare names.
    pub registry: String,
    /// Path of the repository, without the registry.
    pub repository: String,
    /// The tag as given; `None` when only a digest was given.
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl ImageReference {
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |why: &str| {
            Error::new(ErrorKind::InvalidReference, format!("`{text}` is not an image reference: {why}"))
                .advise("expected [registry/]repository[:tag][@sha256:digest]")
        };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                (name, Some(digest.parse::<Digest>().map_err(|error| invalid(&error.to_string()))?))
            }
            None => (text, None),
        };
        // A colon after the last slash starts the tag; before it, a port.
        let last_slash = name.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match name[last_slash..].find(':') {
            Some(at) => (&name[..last_slash + at], Some(&name[last_slash + at + 1..])),
            None => (name, None),
        };
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(invalid("the tag is malformed"));
        }
        if name.is_empty() {
            return Err(invalid("the name is empty"));
        }
        if name.len() > MAX_NAME {
            return Err(invalid("the name is longer than 255 bytes"));
        }
        let (registry, repository) = match name.split_once('/') {
            Some((host, rest)) if is_host(host) => (host, rest),
            _ => (DEFAULT_REGISTRY, name),
        };
        let registry = match registry {
            "index.docker.io" | DEFAULT_REGISTRY_API => DEFAULT_REGISTRY,
            other => other,
        };
        if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(invalid("repository names are lower case"));
        }
        if !repository.split('/').all(is_path_component) {
            return Err(invalid("the repository name is malformed"));
        }
        if !is_registry(registry) {
            return Err(invalid("the registry's host name is malformed"));
        }
        let repository = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
            format!("{DEFAULT_NAMESPACE}/{repository}")
        } else {
            repository.to_owned()
        };
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, None) => Some(DEFAULT_TAG.to_owned()),
            (None, Some(_)) => None,
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }

    /// What to ask the registry for: the digest where there is one, else the tag.
    pub fn version(&self) -> String {
        match &self.digest {
            Some(digest) => digest.to_string(),
            None => self.tag.clone().unwrap_or_else(|| DEFAULT_TAG.to_owned()),
        }
    }

    /// Where the registry's API answers.
    pub fn api_host(&self) -> &str {
        if self.registry == DEFAULT_REGISTRY { DEFAULT_REGISTRY_API } else { &self.registry }
    }

    /// The short form people type and runtimes list: Docker's defaults left out.
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        let name = full.strip_prefix("docker.io/").unwrap_or(&full);
        name.strip_prefix("library/").unwrap_or(name).to_owned()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// `[\w][\w.-]{0,127}`
pub(crate) fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

fn is_host(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':']) || text.bytes().any(|b| b.is_ascii_uppercase())
}

/// `host[:port]`, where host is a name, an IPv4 address or `[IPv6]`.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (None, rest.strip_prefix(':').or(if rest.is_empty() { None } else { Some("") }))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        },
    };
    let host_fits = host.is_none_or(|host| {
        host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    });
    host_fits && port.is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !bytes.first().is_some_and(alphanumeric) || !bytes.last().is_some_and(alphanumeric) {
        return false;
    }
    bytes.split(alphanumeric).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed_as_docker_does() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, full) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("org/app", "docker.io/org/app:latest"),
            ("index.docker.io/org/app:1", "docker.io/org/app:1"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("127.0.0.1:5000/a/b/c:v1", "127.0.0.1:5000/a/b/c:v1"),
            ("[::1]:5000/app:v1", "[::1]:5000/app:v1"),
            ("registry.example/app__x/b--c:V_1.0-rc", "registry.example/app__x/b--c:V_1.0-rc"),
            ("Registry/app", "Registry/app:latest"),
        ] {
            assert_eq!(ImageReference::parse(text).unwrap().to_string(), full, "{text}");
        }
        let pinned = ImageReference::parse(&format!("debian@{digest}")).unwrap();
        assert_eq!((pinned.tag.as_deref(), pinned.version().as_str()), (None, digest.as_str()));
        let both = ImageReference::parse(&format!("registry.example:443/a:b@{digest}")).unwrap();
        assert_eq!((both.tag.as_deref(), both.version().as_str()), (Some("b"), digest.as_str()));
        assert_eq!(ImageReference::parse("debian:12").unwrap().familiar(), "debian:12");
        assert_eq!(ImageReference::parse("quay.example/a").unwrap().familiar(), "quay.example/a:latest");
    }

    #[test]
    fn malformed_references_are_refused() {
        for text in [
            "",
            ":tag",
            "a:",
            "a:-x",
            "a//b",
            "/a",
            "a/",
            "a.",
            "a..b",
            "a___b",
            "Debian",
            "a/B",
            "a@sha256:00",
            "host.example:99999/a",
            "host..example/a",
            "[::g]/a",
            "[::1]x/a",
            "a b",
            "a\n",
            "../../etc/passwd",
            "a:é",
        ] {
            let error = ImageReference::parse(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidReference, "{text}");
        }
    }
}
