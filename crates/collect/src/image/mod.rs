//! Images on this machine: layouts and archives, opened without a network.
//!
//! Manifests and configurations are verified against their digests here. Layers are handed out as stored; whoever
//! inflates them verifies [`yagura_model::image::Layer::blob_digest`] and `diff_id` in the same pass.

mod compression;
mod docker_archive;
mod layout;
pub(crate) mod platform;
mod store;
pub(crate) mod tar_index;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use yagura_formats::image::Platform;
use yagura_model::image::Image;

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::FetchedImage;
use crate::target::ArchiveFormat;

pub(crate) use compression::{inflated, is_compressed};
pub(crate) use layout::not_an_image;
use layout::open_manifest;
pub use platform::parse_platform;
use store::ArchiveStore;
pub(crate) use store::{DirectoryStore, Store, linked_blobs};

/// An opened image. Layers are read independently of each other, from any thread.
pub struct ImageHandle {
    /// What the image says of itself; layers lowest first.
    pub image: Image,
    store: Arc<dyn Store>,
    layers: Vec<LayerPlace>,
}

/// Where a layer's bytes are.
enum LayerPlace {
    /// A path in the store.
    Stored(String),
    /// Nowhere we can read, and why.
    Absent(String),
}

impl ImageHandle {
    /// The bytes of a layer as stored (often compressed), lowest layer first.
    ///
    /// An error where the layer is not at hand, such as a blob missing from a layout or a layer that its registry
    /// may not distribute: the other layers can be read all the same.
    pub fn layer(&self, index: usize) -> Result<Box<dyn Read + Send>> {
        match self.layers.get(index) {
            Some(LayerPlace::Stored(path)) => self.store.open(path).map(|(reader, _)| reader),
            Some(LayerPlace::Absent(why)) => Err(Error::new(ErrorKind::NotFound, why.clone())),
            None => Err(Error::new(ErrorKind::NotFound, format!("the image has no layer {index}"))),
        }
    }

    /// How many layers there are.
    pub fn layer_count(&self) -> usize {
        self.layers.len()
    }
}

impl std::fmt::Debug for ImageHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageHandle").field("image", &self.image).finish_non_exhaustive()
    }
}

/// Opens a directory in the OCI image layout. `reference` is a tag as skopeo and umoci write it, or `@digest`.
pub fn open_directory(
    path: &Path,
    reference: Option<&str>,
    platform: Option<&Platform>,
) -> Result<ImageHandle> {
    let store = Arc::new(DirectoryStore::new(path));
    if !path.join("index.json").exists() {
        return Err(Error::new(
            ErrorKind::NotAnImage,
            format!("{} is not an OCI image layout: it has no index.json", path.display()),
        )
        .advise("use dir: to scan the files of a directory"));
    }
    layout::open(store, reference, platform).map_err(|error| error.within(path.display()))
}

/// Opens an image that a registry client has brought into the cache.
pub fn open_fetched(cache: &Cache, fetched: &FetchedImage) -> Result<ImageHandle> {
    let store = Arc::new(DirectoryStore::new(cache.root()));
    open_manifest(store, &fetched.manifest, vec![fetched.name.clone()], None)
        .map_err(|error| error.within(&fetched.name))
}

/// Opens a tar file that holds an image. A compressed one is inflated into `scratch` first, as an unnamed file.
pub fn open_archive(
    path: &Path,
    format: Option<ArchiveFormat>,
    reference: Option<&str>,
    platform: Option<&Platform>,
    scratch: &Path,
) -> Result<ImageHandle> {
    let mut file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let mut start = [0; 16];
    let read =
        std::os::unix::fs::FileExt::read_at(&file, &mut start, 0).map_err(|error| Error::io(path, &error))?;
    if is_compressed(&start[..read]).map_err(|error| error.within(path.display()))? {
        file = compression::inflate_to_temporary(path, file, scratch)?;
    }
    open_archive_file(file, format, reference, platform).map_err(|error| error.within(path.display()))
}

fn open_archive_file(
    file: File,
    format: Option<ArchiveFormat>,
    reference: Option<&str>,
    platform: Option<&Platform>,
) -> Result<ImageHandle> {
    let store = ArchiveStore::new(file)?;
    let found = store.format();
    match format.or(found) {
        Some(ArchiveFormat::Docker) if found == Some(ArchiveFormat::Docker) => {
            docker_archive::open(store, reference, platform)
        }
        Some(ArchiveFormat::Oci) if store.is_oci_layout() => {
            layout::open(Arc::new(store), reference, platform)
        }
        Some(ArchiveFormat::Docker) => {
            Err(Error::new(ErrorKind::NotAnImage, "the archive has no manifest.json").advise(
                if store.is_oci_layout() {
                    "it is an OCI archive: use oci-archive:"
                } else {
                    "it is not what docker save writes"
                },
            ))
        }
        Some(ArchiveFormat::Oci) => Err(Error::new(ErrorKind::NotAnImage, "the archive has no index.json")
            .advise(if found == Some(ArchiveFormat::Docker) {
                "it is a Docker archive: use docker-archive:"
            } else {
                "it is not an OCI layout in a tar"
            })),
        None => Err(Error::new(ErrorKind::NotAnImage, "the archive holds no image")
            .advise("use file: to scan what is in it")),
    }
}
