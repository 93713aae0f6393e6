//! Images from the runtimes of this machine, through their own sockets.

pub(crate) mod containerd;
mod docker;
mod grpc;
mod socket;

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::target::Runtime;

pub use docker::SavedImage;
pub(crate) use docker::save;

/// Where runtimes listen.
#[derive(Clone, Debug, Default)]
pub struct RuntimeSettings {
    /// Used instead of the places where the runtime usually listens: `unix:///path`, or `tcp://host:port` where
    /// `allow_tcp` is set.
    pub address: Option<String>,
    /// Whether a daemon may be asked over TCP, which nothing protects.
    pub allow_tcp: bool,
    /// containerd's namespaces, in the order they are looked into; the usual ones where empty.
    pub namespaces: Vec<String>,
}

/// How a daemon is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    /// `host:port`
    Tcp(String),
}

impl Address {
    fn parse(text: &str, variable: &str, settings: &RuntimeSettings) -> Result<Self> {
        if let Some(path) = text.strip_prefix("unix://").or_else(|| text.starts_with('/').then_some(text)) {
            return Ok(Self::Unix(path.into()));
        }
        if let Some(host) = text.strip_prefix("tcp://") {
            if settings.allow_tcp {
                return Ok(Self::Tcp(host.trim_end_matches('/').to_owned()));
            }
            return Err(Error::new(
                ErrorKind::Refused,
                format!("{variable} is {text}, which nothing protects"),
            )
            .advise("use a unix:// socket, or allow TCP"));
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("{variable} is {text}: only unix:// sockets are spoken to"),
        ))
    }

    /// The address for a runtime: given, from the environment, or the first usual place that exists.
    pub(crate) fn of(runtime: Runtime, settings: &RuntimeSettings) -> Result<Self> {
        if let Some(text) = &settings.address {
            return Self::parse(text, "the address", settings);
        }
        let variable = match runtime {
            Runtime::Docker => "DOCKER_HOST",
            Runtime::Podman => "CONTAINER_HOST",
            Runtime::Containerd => "CONTAINERD_ADDRESS",
        };
        if let Ok(text) = std::env::var(variable)
            && !text.is_empty()
        {
            return Self::parse(&text, variable, settings);
        }
        let places = usual_places(runtime);
        match places.iter().find(|path| path.exists()) {
            Some(path) => Ok(Self::Unix(path.clone())),
            None => {
                let first = places.first().map(|path| path.display().to_string()).unwrap_or_default();
                Err(Error::new(
                    ErrorKind::NotFound,
                    format!("{} is not running here: there is no {first}", runtime.name()),
                )
                .advise(format!("start it, or set {variable}")))
            }
        }
    }

    /// Whether there is a sign of the runtime: a variable, or a socket in a usual place.
    pub(crate) fn is_likely(runtime: Runtime, settings: &RuntimeSettings) -> bool {
        match Self::of(runtime, settings) {
            Ok(Self::Unix(path)) => path.exists(),
            Ok(Self::Tcp(_)) => true,
            Err(_) => false,
        }
    }
}

fn usual_places(runtime: Runtime) -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let own = |rest: &str| own.as_ref().map(|directory| directory.join(rest));
    let fixed = |path: &str| Some(Path::new(path).to_owned());
    let places = match runtime {
        Runtime::Docker => [own("docker.sock"), fixed("/var/run/docker.sock"), fixed("/run/docker.sock")],
        Runtime::Podman => [own("podman/podman.sock"), fixed("/run/podman/podman.sock"), None],
        Runtime::Containerd => [
            fixed("/run/containerd/containerd.sock"),
            fixed("/run/k3s/containerd/containerd.sock"),
            fixed("/var/snap/microk8s/common/run/containerd.sock"),
        ],
    };
    let mut places: Vec<PathBuf> = places.into_iter().flatten().collect();
    // The machine's own daemon is what people mean; theirs is looked at when that is absent.
    places.sort_by_key(|path| !path.starts_with("/var/run") && !path.starts_with("/run/podman"));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_is_refused_unless_it_is_asked_for() {
        let mut settings =
            RuntimeSettings { address: Some("tcp://10.0.0.1:2375".into()), ..RuntimeSettings::default() };
        let error = Address::of(Runtime::Docker, &settings).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        settings.allow_tcp = true;
        assert_eq!(Address::of(Runtime::Docker, &settings).unwrap(), Address::Tcp("10.0.0.1:2375".into()));
        settings.address = Some("ssh://me@host".into());
        assert_eq!(Address::of(Runtime::Podman, &settings).unwrap_err().kind, ErrorKind::Unsupported);
        settings.address = Some("unix:///run/x.sock".into());
        assert_eq!(Address::of(Runtime::Podman, &settings).unwrap(), Address::Unix("/run/x.sock".into()));
    }
}
