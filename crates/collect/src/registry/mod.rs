//! A client of OCI registries (distribution specification 1.1, and Docker's registry API v2).
//!
//! It brings manifests and blobs into the cache, verified; what they mean is read later, without a network.

mod authorization;
mod blobs;
pub mod challenge;
mod credentials;
mod helper;
mod referrers;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use yagura_formats::image::{
    Document, LayerForm, MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, Manifest, Platform, parse_config,
    parse_document,
};
use yagura_model::Digest;

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::hash;
use crate::http::{HttpClient, Request, Response, is_loopback, parse_url};
use crate::image::not_an_image;
use crate::image::platform;
use crate::reference::ImageReference;

pub use blobs::Progress;
pub use credentials::{CredentialFiles, Login};
pub use referrers::{Artifact, Attachment};

/// Deepest nesting of indexes followed.
const MAX_INDEX_DEPTH: usize = 4;
/// Bound for an error's body, in bytes.
const MAX_ERROR_BODY: u64 = 64 << 10;
/// Every form of manifest and index we read.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// How registries are used.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// Where to ask instead: registry host and the mirror's address, tried in this order before the registry itself.
    /// A path in the address goes before the repository (`https://mirror.example/hub` asks for `/v2/hub/…`).
    pub mirrors: Vec<(String, String)>,
    /// A login given by hand, for the registry that the image is named under.
    pub login: Option<Login>,
    pub credentials: CredentialFiles,
    /// Blobs fetched at the same time.
    pub parallel: usize,
    /// Largest image, all layers together as stored, in bytes.
    pub max_image_bytes: u64,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            mirrors: Vec::new(),
            login: None,
            credentials: CredentialFiles::of_this_user(),
            parallel: 4,
            max_image_bytes: 200 << 30,
        }
    }
}

/// A client; tokens are kept for its life.
pub struct RegistryClient<'a> {
    http: &'a HttpClient,
    settings: &'a RegistrySettings,
    /// `Authorization` by API root and repository.
    authorizations: Mutex<HashMap<(String, String), String>>,
    /// The scheme that a host turned out to speak.
    roots: Mutex<HashMap<String, String>>,
}

/// An image whose manifest, configuration and layers are in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedImage {
    /// Digest of what the reference led to: an index, or the manifest itself. This is the digest of a pull by tag.
    pub digest: Digest,
    /// Digest of the manifest for the platform.
    pub manifest: Digest,
    /// The reference, in full.
    pub name: String,
}

/// One place that serves a repository.
#[derive(Clone, Debug)]
struct Endpoint {
    /// `https://host[:port]`
    root: String,
    repository: String,
    /// The host whose login is to be used.
    registry: String,
    is_mirror: bool,
}

impl Endpoint {
    fn url(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", self.root, self.repository)
    }
}

impl<'a> RegistryClient<'a> {
    pub fn new(http: &'a HttpClient, settings: &'a RegistrySettings) -> Self {
        Self { http, settings, authorizations: Mutex::default(), roots: Mutex::default() }
    }

    /// Fetches an image of one platform into the cache: all that scanning it will need.
    pub fn fetch(
        &self,
        reference: &ImageReference,
        wanted: Option<&Platform>,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<FetchedImage> {
        let subject = |error: Error| error.within(reference);
        let (endpoint, bytes) = self.first_manifest(reference).map_err(subject)?;
        let digest = match &reference.digest {
            Some(digest) => digest.clone(),
            None => hash::sha256(&bytes),
        };
        let (manifest_digest, manifest) =
            self.choose(&endpoint, digest.clone(), bytes, wanted, cache).map_err(subject)?;
        manifest.check_is_image().map_err(|error| subject(not_an_image(error)))?;

        let total: u64 =
            manifest.layers.iter().fold(manifest.config.size, |sum, layer| sum.saturating_add(layer.size));
        if total > self.settings.max_image_bytes {
            return Err(subject(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the image has {total} bytes, more than the {} allowed",
                    self.settings.max_image_bytes
                ),
            )));
        }
        if manifest.config.size > MAX_CONFIG_BYTES as u64 {
            return Err(subject(Error::new(ErrorKind::TooLarge, "the image's configuration is too large")));
        }
        self.blob(&endpoint, &manifest.config, cache, &()).map_err(subject)?;
        if let Some(wanted) = wanted {
            let config = std::fs::read(cache.blob_path(&manifest.config.digest))
                .map_err(|error| Error::io(cache.root(), &error))?;
            let configuration = parse_config(&config).map_err(|error| subject(not_an_image(error)))?;
            platform::check(&configuration.platform, Some(wanted)).map_err(subject)?;
        }
        // What cannot be had or read is reported by whoever opens the image.
        let layers: Vec<_> = manifest
            .layers
            .iter()
            .filter(|layer| !matches!(layer.layer_form(), LayerForm::Encrypted | LayerForm::Foreign))
            .collect();
        self.blobs(&endpoint, &layers, cache, progress).map_err(subject)?;
        Ok(FetchedImage { digest, manifest: manifest_digest, name: reference.to_string() })
    }

    /// The digest a reference leads to at this moment, without fetching anything else.
    pub fn resolve(&self, reference: &ImageReference) -> Result<Digest> {
        if let Some(digest) = &reference.digest {
            return Ok(digest.clone());
        }
        let head = |endpoint: &Endpoint| {
            let url = endpoint.url(&format!("manifests/{}", reference.version()));
            let response = self.ask(endpoint, &Request::head(url).header("accept", MANIFEST_TYPES))?;
            if response.status != 200 {
                return Err(self.refusal(endpoint, reference, response));
            }
            Ok(response.header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok()))
        };
        match self.at_first(reference, head).map_err(|error| error.within(reference))? {
            (_, Some(digest)) => Ok(digest),
            // Not every registry says so in the headers.
            (endpoint, None) => {
                let bytes =
                    self.manifest_at(&endpoint, reference).map_err(|error| error.within(reference))?;
                Ok(hash::sha256(&bytes))
            }
        }
    }

    /// The manifest or index a reference names, and the endpoint that had it.
    fn first_manifest(&self, reference: &ImageReference) -> Result<(Endpoint, Vec<u8>)> {
        self.at_first(reference, |endpoint| self.manifest_at(endpoint, reference))
    }

    /// Asks the endpoints in order; the first that answers wins, and the registry's own error counts in the end.
    fn at_first<T>(
        &self,
        reference: &ImageReference,
        ask: impl Fn(&Endpoint) -> Result<T>,
    ) -> Result<(Endpoint, T)> {
        let mirrors = self
            .settings
            .mirrors
            .iter()
            .filter(|(host, _)| host == &reference.registry || host == reference.api_host());
        let mut last = None;
        for place in mirrors.map(|(_, address)| Some(address)).chain([None]) {
            let endpoint = match place {
                Some(address) => mirror(address, reference),
                // Made when its turn comes, since that may cost a probe.
                None => self.own_endpoint(reference),
            };
            match endpoint.and_then(|endpoint| ask(&endpoint).map(|answer| (endpoint, answer))) {
                Ok(found) => return Ok(found),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(ErrorKind::Unreachable, "there is nobody to ask")))
    }

    fn own_endpoint(&self, reference: &ImageReference) -> Result<Endpoint> {
        Ok(Endpoint {
            root: self.root(reference.api_host())?,
            repository: reference.repository.clone(),
            registry: reference.registry.clone(),
            is_mirror: false,
        })
    }

    /// `https://host`, or `http://host` where plain HTTP is allowed and TLS is not spoken.
    fn root(&self, host: &str) -> Result<String> {
        let secure = format!("https://{host}");
        let name = parse_url(&secure)?.host().unwrap_or_default().to_owned();
        if !is_loopback(&name) && !self.http.settings().insecure {
            return Ok(secure);
        }
        if let Some(root) = self.roots.lock().unwrap_or_else(PoisonError::into_inner).get(host) {
            return Ok(root.clone());
        }
        let plain = format!("http://{host}");
        let root = match self.http.try_once(&Request::get(format!("{secure}/v2/"))) {
            Ok(_) => secure,
            // A certificate that is not trusted is no reason to do without.
            Err(error) if error.kind == ErrorKind::Tls => return Err(error),
            Err(error) => match self.http.try_once(&Request::get(format!("{plain}/v2/"))) {
                Ok(_) => plain,
                Err(_) => return Err(error),
            },
        };
        self.roots.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), root.clone());
        Ok(root)
    }

    /// A manifest by tag or digest; the latter is verified.
    fn manifest_at(&self, endpoint: &Endpoint, reference: &ImageReference) -> Result<Vec<u8>> {
        let url = endpoint.url(&format!("manifests/{}", reference.version()));
        let response = self.ask(endpoint, &Request::get(url).header("accept", MANIFEST_TYPES))?;
        if response.status != 200 {
            return Err(self.refusal(endpoint, reference, response));
        }
        let kind = response.header("content-type").unwrap_or_default().to_owned();
        let stated = response.header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok());
        let bytes = response.bytes(MAX_MANIFEST_BYTES as u64)?;
        if kind.starts_with("text/html") {
            return Err(not_a_registry(endpoint));
        }
        if let Some(expected) = reference.digest.as_ref().or(stated.as_ref()) {
            hash::verify(&bytes, expected)?;
        }
        Ok(bytes)
    }

    /// From what a reference led to down to one manifest; every document on the way goes into the cache.
    fn choose(
        &self,
        endpoint: &Endpoint,
        mut digest: Digest,
        mut bytes: Vec<u8>,
        wanted: Option<&Platform>,
        cache: &Cache,
    ) -> Result<(Digest, Box<Manifest>)> {
        for _ in 0..MAX_INDEX_DEPTH {
            cache.put_blob(&digest, &bytes)?;
            match parse_document(&bytes).map_err(not_an_image)? {
                Document::Manifest(manifest) => return Ok((digest, manifest)),
                Document::Index(index) => {
                    let chosen = platform::choose(&index, wanted)?;
                    digest = chosen.digest.clone();
                    bytes = self.manifest_by_digest(endpoint, &digest)?;
                }
            }
        }
        Err(Error::new(ErrorKind::Malformed, format!("indexes are nested deeper than {MAX_INDEX_DEPTH}")))
    }

    fn manifest_by_digest(&self, endpoint: &Endpoint, digest: &Digest) -> Result<Vec<u8>> {
        let url = endpoint.url(&format!("manifests/{digest}"));
        let response = self.ask(endpoint, &Request::get(url).header("accept", MANIFEST_TYPES))?;
        if response.status != 200 {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("{} does not have the manifest {digest} (status {})", endpoint.root, response.status),
            ));
        }
        let bytes = response.bytes(MAX_MANIFEST_BYTES as u64)?;
        hash::verify(&bytes, digest)?;
        Ok(bytes)
    }

    /// Why a manifest was not given.
    fn refusal(&self, endpoint: &Endpoint, reference: &ImageReference, response: Response) -> Error {
        let status = response.status;
        let says = message(response);
        let host = endpoint.root.split("://").nth(1).unwrap_or_default();
        match status {
            401 | 403 => self.refused_login(endpoint, &says),
            404 if says.is_empty() && !self.is_registry(endpoint) => not_a_registry(endpoint),
            404 => Error::new(ErrorKind::NotFound, format!("{host} has no such image")).advise(format!(
                "check the name `{}` and the tag `{}`",
                reference.repository,
                reference.version()
            )),
            429 => Error::new(ErrorKind::Unreachable, format!("{host} limits how often it answers: {says}"))
                .advise("log in, wait, or use --mirror"),
            _ => Error::new(ErrorKind::Unreachable, format!("{host} answered with status {status}: {says}")),
        }
    }

    /// Every registry answers `/v2/` with success or a challenge.
    fn is_registry(&self, endpoint: &Endpoint) -> bool {
        match self.http.try_once(&Request::get(format!("{}/v2/", endpoint.root))) {
            Ok(response) => {
                matches!(response.status, 200 | 401 | 403)
                    && !response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
            }
            Err(_) => true,
        }
    }
}

/// A mirror's address with the repository below its path.
fn mirror(address: &str, reference: &ImageReference) -> Result<Endpoint> {
    let url = parse_url(address)?;
    let root = crate::http::origin(&url);
    let path = url.path().trim_matches('/');
    Ok(Endpoint {
        registry: root.split("://").nth(1).unwrap_or_default().to_owned(),
        repository: [path, &reference.repository].join("/").trim_start_matches('/').to_owned(),
        root,
        is_mirror: true,
    })
}

fn not_a_registry(endpoint: &Endpoint) -> Error {
    Error::new(ErrorKind::NotAnImage, format!("{} does not answer as a registry", endpoint.root))
        .advise("check the host name")
}

/// What a registry says in an error's body.
fn message(response: Response) -> String {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        errors: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(bytes) = response.bytes(MAX_ERROR_BODY) else { return String::new() };
    let Ok(body) = serde_json::from_slice::<Body>(&bytes) else { return String::new() };
    let said = body.errors.first();
    said.map(|item| if item.message.is_empty() { item.code.clone() } else { item.message.clone() })
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect()
}
