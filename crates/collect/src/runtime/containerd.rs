//! containerd: images from its content store (`containerd.services.images.v1`, `containerd.services.content.v1`).
//!
//! Messages are written by hand, with the field numbers of containerd's published `.proto` files; what we do not
//! need of them is left out, as protobuf allows.

use std::io::Write;

use prost::Message;
use yagura_formats::image::{
    Descriptor, Document, LayerForm, MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, Platform, parse_config,
    parse_document,
};
use yagura_model::Digest;

use super::grpc::Connection;
use super::{Address, RuntimeSettings};
use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{Hasher, verify};
use crate::image::{not_an_image, platform};
use crate::reference::ImageReference;
use crate::registry::{FetchedImage, Progress};
use crate::target::Runtime;

const GET_IMAGE: &str = "containerd.services.images.v1.Images/Get";
const READ_CONTENT: &str = "containerd.services.content.v1.Content/Read";
const CONTENT_INFO: &str = "containerd.services.content.v1.Content/Info";
/// Where images usually are: `ctr`'s own, Kubernetes', and Docker's.
const NAMESPACES: &[&str] = &["default", "k8s.io", "moby"];
const MAX_INDEX_DEPTH: usize = 4;

#[derive(Clone, PartialEq, Message)]
struct GetImageRequest {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct GetImageResponse {
    #[prost(message, optional, tag = "1")]
    image: Option<StoredImage>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredImage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "3")]
    target: Option<StoredDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredDescriptor {
    #[prost(string, tag = "2")]
    digest: String,
}

#[derive(Clone, PartialEq, Message)]
struct InfoRequest {
    #[prost(string, tag = "1")]
    digest: String,
}

#[derive(Clone, PartialEq, Message)]
struct InfoResponse {
    #[prost(message, optional, tag = "1")]
    info: Option<Info>,
}

#[derive(Clone, PartialEq, Message)]
struct Info {
    #[prost(int64, tag = "2")]
    size: i64,
}

#[derive(Clone, PartialEq, Message)]
struct ReadContentRequest {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(int64, tag = "2")]
    offset: i64,
    #[prost(int64, tag = "3")]
    size: i64,
}

#[derive(Clone, PartialEq, Message)]
struct ReadContentResponse {
    #[prost(int64, tag = "1")]
    offset: i64,
    #[prost(bytes = "vec", tag = "2")]
    data: Vec<u8>,
}

/// Copies an image's blobs from containerd into the cache.
pub(crate) fn fetch(
    name: &str,
    wanted: Option<&Platform>,
    settings: &RuntimeSettings,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<FetchedImage> {
    let Address::Unix(socket) = Address::of(Runtime::Containerd, settings)? else {
        return Err(Error::new(ErrorKind::Unsupported, "containerd is reached through a Unix socket alone"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot start an event loop: {error}")))?;
    runtime.block_on(async {
        let connection = Connection::open(&socket).await?;
        let mut store = ContentStore { connection, namespace: String::new() };
        let (digest, full_name) = store.find(name, settings).await?;
        store.fetch(digest, full_name, wanted, cache, progress).await.map_err(|error| error.within(name))
    })
}

struct ContentStore {
    connection: Connection,
    namespace: String,
}

impl ContentStore {
    /// Looks for an image in the namespaces, by the name as given and in full.
    async fn find(&mut self, name: &str, settings: &RuntimeSettings) -> Result<(Digest, String)> {
        let mut namespaces: Vec<String> = settings.namespaces.clone();
        if namespaces.is_empty() {
            match std::env::var("CONTAINERD_NAMESPACE") {
                Ok(namespace) if !namespace.is_empty() => namespaces.push(namespace),
                _ => namespaces.extend(NAMESPACES.iter().map(|name| (*name).to_owned())),
            }
        }
        let mut names = vec![name.to_owned()];
        names.extend(ImageReference::parse(name).ok().map(|reference| reference.to_string()));
        names.dedup();
        for namespace in &namespaces {
            for name in &names {
                let request = GetImageRequest { name: name.clone() };
                let found = self.connection.unary::<GetImageResponse>(GET_IMAGE, namespace, &request).await;
                let image = match found {
                    Ok(response) => response.image,
                    Err(error) if error.kind == ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                let Some(image) = image else { continue };
                let digest = image.target.map(|target| target.digest).unwrap_or_default();
                let digest = digest.parse().map_err(|_| {
                    Error::new(ErrorKind::Malformed, format!("containerd gave no digest for {name}"))
                })?;
                self.namespace.clone_from(namespace);
                return Ok((digest, image.name));
            }
        }
        Err(Error::new(ErrorKind::NotFound, format!("containerd has no image `{name}`"))
            .advise(format!("looked in the namespaces {}", namespaces.join(", "))))
    }

    async fn fetch(
        &mut self,
        digest: Digest,
        name: String,
        wanted: Option<&Platform>,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<FetchedImage> {
        let mut manifest_digest = digest.clone();
        for _ in 0..MAX_INDEX_DEPTH {
            let bytes = self.small(&manifest_digest, MAX_MANIFEST_BYTES).await?;
            cache.put_blob(&manifest_digest, &bytes)?;
            match parse_document(&bytes).map_err(not_an_image)? {
                Document::Index(index) => {
                    manifest_digest = platform::choose(&index, wanted)?.digest.clone();
                }
                Document::Manifest(manifest) => {
                    manifest.check_is_image().map_err(not_an_image)?;
                    let config = self.small(&manifest.config.digest, MAX_CONFIG_BYTES).await?;
                    let configuration = parse_config(&config).map_err(not_an_image)?;
                    platform::check(&configuration.platform, wanted)?;
                    cache.put_blob(&manifest.config.digest, &config)?;
                    progress
                        .expect(manifest.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add));
                    for layer in &manifest.layers {
                        if !matches!(layer.layer_form(), LayerForm::Encrypted | LayerForm::Foreign) {
                            self.layer(layer, cache, progress).await?;
                        }
                    }
                    return Ok(FetchedImage { digest, manifest: manifest_digest, name });
                }
            }
        }
        Err(Error::new(ErrorKind::Malformed, format!("indexes are nested deeper than {MAX_INDEX_DEPTH}")))
    }

    async fn small(&mut self, digest: &Digest, bound: usize) -> Result<Vec<u8>> {
        let request = InfoRequest { digest: digest.to_string() };
        let response: InfoResponse = self
            .connection
            .unary(CONTENT_INFO, &self.namespace, &request)
            .await
            .map_err(|error| missing(error, digest))?;
        let size = response.info.map_or(0, |info| info.size);
        if usize::try_from(size).map_or(true, |size| size > bound) {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("{digest} has {size} bytes, more than the {bound} we read"),
            ));
        }
        let mut bytes = Vec::new();
        let mut answer = self.read(digest).await?;
        while let Some(part) = answer.next::<ReadContentResponse>().await? {
            bytes.extend_from_slice(&part.data);
            if bytes.len() > bound {
                return Err(Error::new(ErrorKind::TooLarge, format!("{digest} is longer than it said")));
            }
        }
        verify(&bytes, digest)?;
        Ok(bytes)
    }

    async fn read(&mut self, digest: &Digest) -> Result<super::grpc::Answer> {
        let request = ReadContentRequest { digest: digest.to_string(), offset: 0, size: 0 };
        self.connection
            .call(READ_CONTENT, &self.namespace, &request)
            .await
            .map_err(|error| missing(error, digest))
    }

    /// Copies a layer, verified while it is written.
    async fn layer(&mut self, layer: &Descriptor, cache: &Cache, progress: &dyn Progress) -> Result<()> {
        let digest = &layer.digest;
        if cache.has_blob(digest, layer.size) {
            progress.advance(layer.size);
            return Ok(());
        }
        let directory = cache.temporary_directory();
        let failed = |error: std::io::Error| Error::io(&directory, &error);
        let mut file = tempfile::Builder::new().prefix("blob-").tempfile_in(&directory).map_err(failed)?;
        let mut hasher = Hasher::new(digest.algorithm())?;
        let mut total = 0_u64;
        let mut answer = self.read(digest).await?;
        while let Some(part) =
            answer.next::<ReadContentResponse>().await.map_err(|error| missing(error, digest))?
        {
            total += part.data.len() as u64;
            if total > layer.size {
                break;
            }
            hasher.update(&part.data);
            file.write_all(&part.data).map_err(failed)?;
            progress.advance(part.data.len() as u64);
        }
        if total != layer.size || !hasher.matches(digest) {
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!("what containerd keeps does not have the digest {digest}"),
            ));
        }
        let path = file.into_temp_path();
        cache.adopt_blob(digest, &path)?;
        // It has moved: there is nothing left to delete.
        let _ = path.keep();
        Ok(())
    }
}

/// Clusters are often told to drop layers once they are unpacked.
fn missing(error: Error, digest: &Digest) -> Error {
    if error.kind != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::NotFound, format!("containerd no longer has the content {digest}")).advise(
        "it may discard layers after unpacking them: scan the image from its registry with registry:NAME",
    )
}
