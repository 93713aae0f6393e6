//! Everything that may need the network, a socket or another program: after this, targets lie on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use yagura_collect::Target;
use yagura_collect::cache::Cache;
use yagura_collect::fetch::{FetchOptions, Fetched, fetch};
use yagura_collect::http::HttpSettings;
use yagura_collect::image::{ImageHandle, parse_platform};
use yagura_collect::registry::RegistrySettings;
use yagura_collect::runtime::RuntimeSettings;

use crate::arguments::{Access, Everywhere};
use crate::progress::Progress;

/// A target at hand.
pub struct Acquired {
    /// As the report names it.
    pub name: String,
    pub fetched: Fetched,
}

/// Brings targets to this machine and opens them.
pub struct Acquirer<'a> {
    options: FetchOptions,
    cache: &'a Cache,
    root: &'a Path,
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
        Ok(Self { options, cache, root: &access.root })
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
        Ok(Acquired { name, fetched })
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

/// `--mirror HOST=URL`, repeated.
fn mirrors(texts: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (host, url) = text.split_once('=').with_context(|| format!("--mirror {text}: write HOST=URL"))?;
        Ok((host.to_owned(), url.to_owned()))
    };
    texts.iter().map(pair).collect()
}
