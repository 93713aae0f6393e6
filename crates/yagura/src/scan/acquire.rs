//! Everything that may need the network, a socket or another program: after this, targets lie on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use yagura_collect::cache::Cache;
use yagura_collect::fetch::{FetchOptions, Fetched, fetch};
use yagura_collect::http::{HttpClient, HttpSettings};
use yagura_collect::image::{ImageHandle, parse_platform};
use yagura_collect::registry::{FetchedImage, RegistryClient, RegistrySettings};
use yagura_collect::runtime::RuntimeSettings;
use yagura_collect::{ImageReference, Target};

use crate::arguments::{Access, Everywhere};
use crate::progress::Progress;

/// A target at hand.
pub struct Acquired {
    /// As the report names it.
    pub name: String,
    pub fetched: Fetched,
    /// Documents that refer to the image in its registry.
    pub attached: Vec<Attached>,
}

/// A document as its registry has it, not yet parsed.
pub struct Attached {
    /// The image and the digest of the artifact.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Largest attached document, in bytes.
const MAX_ATTACHED_BYTES: u64 = 32 << 20;

/// Brings targets to this machine and opens them.
pub struct Acquirer<'a> {
    options: FetchOptions,
    cache: &'a Cache,
    root: &'a Path,
    vex_attached: bool,
}

impl<'a> Acquirer<'a> {
    pub fn new(access: &'a Access, everywhere: &Everywhere, cache: &'a Cache) -> Result<Self> {
        let http = HttpSettings {
            ca_files: access.ca_cert.clone(),
            insecure: access.insecure,
            ..HttpSettings::default()
        };
        let options = FetchOptions {
            platform: access.platform.as_deref().map(parse_platform).transpose()?,
            http,
            registry: RegistrySettings { mirrors: mirrors(&access.mirror)?, ..RegistrySettings::default() },
            runtime: RuntimeSettings::default(),
            offline: everywhere.offline,
        };
        Ok(Self { options, cache, root: &access.root, vex_attached: access.vex_attached })
    }

    /// Reads `text` as a target and fetches what it names.
    pub fn acquire(&self, text: &str, progress: &Progress) -> Result<Acquired> {
        progress.stage(format!("fetching {text}"));
        let target = Target::parse(text)?;
        let fetched = fetch(&target, &self.options, self.cache, progress)?;
        let name = match &fetched {
            Fetched::Cached(image) => image.name.clone(),
            _ => text.to_owned(),
        };
        let attached = match (&target, &fetched) {
            (Target::Registry(reference) | Target::Image(reference), Fetched::Cached(image))
                if self.vex_attached =>
            {
                progress.stage(format!("fetching what is attached to {text}"));
                self.attached(reference, image)?
            }
            _ => Vec::new(),
        };
        Ok(Acquired { name, fetched, attached })
    }

    /// What refers to the image, or to the index it was chosen from, and may be VEX.
    fn attached(&self, reference: &ImageReference, image: &FetchedImage) -> Result<Vec<Attached>> {
        let http = HttpClient::new(self.options.http.clone());
        let client = RegistryClient::new(&http, &self.options.registry);
        let mut subjects = vec![&image.manifest];
        if image.digest != image.manifest {
            subjects.push(&image.digest);
        }
        let mut attached = Vec::new();
        for subject in subjects {
            for attachment in client.referrers(reference, subject, None)? {
                if !may_be_vex(&attachment.artifact_type) {
                    continue;
                }
                let name = format!("{reference} referrer {}", attachment.descriptor.digest);
                let parts = client.artifact(reference, &attachment, MAX_ATTACHED_BYTES)?;
                attached
                    .extend(parts.into_iter().map(|part| Attached { name: name.clone(), bytes: part.bytes }));
            }
        }
        Ok(attached)
    }

    /// What reading a target will touch.
    pub fn paths(&self, acquired: &Acquired) -> Vec<PathBuf> {
        match acquired.fetched {
            Fetched::Host => vec![self.root.to_owned()],
            _ => acquired.fetched.read_paths(self.cache).into_iter().map(Path::to_owned).collect(),
        }
    }

    /// Opens an image; none when the target is something else.
    pub fn image(&self, acquired: &Acquired) -> Result<Option<ImageHandle>> {
        Ok(acquired.fetched.open_image(self.options.platform.as_ref(), self.cache).transpose()?)
    }
}

/// Whether an artifact type is one under which VEX statements are attached: OpenVEX, CSAF, CycloneDX, or an in-toto
/// attestation of one of these.
fn may_be_vex(artifact_type: &str) -> bool {
    ["vex", "csaf", "cyclonedx", "in-toto", "dsse"].iter().any(|word| artifact_type.contains(word))
}

/// `--mirror HOST=URL`, repeated.
fn mirrors(texts: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (host, url) = text.split_once('=').with_context(|| format!("--mirror {text}: write HOST=URL"))?;
        Ok((host.to_owned(), url.to_owned()))
    };
    texts.iter().map(pair).collect()
}
