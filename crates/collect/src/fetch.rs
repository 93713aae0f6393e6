//! The step that may use the network: from a target to something that can be opened without it.
//!
//! `fetch` → `sandbox::restrict(read_paths, …)` → [`Fetched::open_image`] or [`crate::walk::scan_tree`].

use std::path::{Path, PathBuf};

use yagura_formats::image::Platform;

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpClient, HttpSettings};
use crate::image::{self, ImageHandle};
use crate::reference::ImageReference;
use crate::registry::{FetchedImage, Progress, RegistryClient, RegistrySettings};
use crate::runtime::{self, Address, RuntimeSettings, SavedImage, containerd};
use crate::target::{ArchiveFormat, Runtime, Target};

/// How targets are brought in.
#[derive(Clone, Debug, Default)]
pub struct FetchOptions {
    /// Which image of an index.
    pub platform: Option<Platform>,
    pub http: HttpSettings,
    pub registry: RegistrySettings,
    pub runtime: RuntimeSettings,
    /// No network: registries are refused (sockets of this machine are not the network).
    pub offline: bool,
}

/// A target on this machine. Temporary files go away with it.
#[derive(Debug)]
pub enum Fetched {
    Archive {
        path: PathBuf,
        format: Option<ArchiveFormat>,
        reference: Option<String>,
    },
    OciDirectory {
        path: PathBuf,
        reference: Option<String>,
        /// Where symbolic links among its blobs lead, as some build tools write them.
        linked: Vec<PathBuf>,
    },
    /// Its blobs are in the cache.
    Cached(FetchedImage),
    /// Saved by a daemon into a temporary file.
    Saved(SavedImage),
    Directory(PathBuf),
    File(PathBuf),
    Sbom(PathBuf),
    /// A git repository.
    Git(PathBuf),
    Host,
}

/// Brings a target to this machine, as far as it is not here.
pub fn fetch(
    target: &Target,
    options: &FetchOptions,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched> {
    Ok(match target {
        Target::Archive { path, format, reference } => {
            Fetched::Archive { path: path.clone(), format: *format, reference: reference.clone() }
        }
        Target::OciDirectory { path, reference } => Fetched::OciDirectory {
            path: path.clone(),
            reference: reference.clone(),
            linked: image::linked_blobs(path),
        },
        Target::Registry(reference) => from_registry(reference, options, cache, progress)?,
        Target::Runtime { runtime, name } => from_runtime(*runtime, name, options, cache, progress)?,
        Target::Image(reference) => from_anywhere(reference, options, cache, progress)?,
        Target::Directory(path) => Fetched::Directory(path.clone()),
        Target::File(path) => Fetched::File(path.clone()),
        Target::Sbom(path) => Fetched::Sbom(path.clone()),
        Target::Git(path) => Fetched::Git(path.clone()),
        Target::Host => Fetched::Host,
    })
}

fn from_registry(
    reference: &ImageReference,
    options: &FetchOptions,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched> {
    if options.offline {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{reference} is in a registry, and this run is offline"),
        )
        .advise("leave --offline out, or give a local image"));
    }
    let http = HttpClient::new(options.http.clone());
    let client = RegistryClient::new(&http, &options.registry);
    client.fetch(reference, options.platform.as_ref(), cache, progress).map(Fetched::Cached)
}

fn from_runtime(
    runtime: Runtime,
    name: &str,
    options: &FetchOptions,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched> {
    match runtime {
        Runtime::Containerd => {
            containerd::fetch(name, options.platform.as_ref(), &options.runtime, cache, progress)
                .map(Fetched::Cached)
        }
        Runtime::Docker | Runtime::Podman => {
            runtime::save(runtime, name, &options.runtime, cache, progress).map(Fetched::Saved)
        }
    }
}

/// A bare reference: Docker, Podman, containerd where they are, then the registry. The registry's error counts, since
/// most people mean it; that a runtime cannot be asked is no reason to fail.
fn from_anywhere(
    reference: &ImageReference,
    options: &FetchOptions,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched> {
    let name = reference.familiar();
    for runtime in [Runtime::Docker, Runtime::Podman, Runtime::Containerd] {
        if Address::is_likely(runtime, &options.runtime)
            && let Ok(found) = from_runtime(runtime, &name, options, cache, progress)
        {
            return Ok(found);
        }
    }
    from_registry(reference, options, cache, progress)
}

impl Fetched {
    /// What will be read when this is opened or walked.
    pub fn read_paths<'a>(&'a self, cache: &'a Cache) -> Vec<&'a Path> {
        match self {
            Self::OciDirectory { path, linked, .. } => {
                std::iter::once(path).chain(linked).map(PathBuf::as_path).collect()
            }
            Self::Archive { path, .. }
            | Self::Directory(path)
            | Self::File(path)
            | Self::Sbom(path)
            | Self::Git(path) => vec![path],
            Self::Cached(_) => vec![cache.root()],
            Self::Saved(saved) => vec![saved.path()],
            Self::Host => vec![Path::new("/")],
        }
    }

    /// Opens an image; `None` when this is none. Needs no network; a compressed archive is inflated below the cache.
    pub fn open_image(&self, platform: Option<&Platform>, cache: &Cache) -> Option<Result<ImageHandle>> {
        match self {
            Self::Archive { path, format, reference } => {
                let scratch = cache.temporary_directory();
                Some(image::open_archive(path, *format, reference.as_deref(), platform, &scratch))
            }
            Self::OciDirectory { path, reference, .. } => {
                Some(image::open_directory(path, reference.as_deref(), platform))
            }
            Self::Cached(fetched) => Some(image::open_fetched(cache, fetched)),
            Self::Saved(saved) => {
                let scratch = cache.temporary_directory();
                let opened = image::open_archive(saved.path(), None, None, platform, &scratch);
                Some(opened.map(|mut image| {
                    if image.image.tags.is_empty() {
                        image.image.tags.clone_from(&saved.tags);
                    }
                    image
                }))
            }
            Self::Directory(_) | Self::File(_) | Self::Sbom(_) | Self::Git(_) | Self::Host => None,
        }
    }
}
