//! The way of a scan: fetch, confine, read, merge. What comes out are targets with their inventories; judging and
//! showing them is the commands' business.

mod acquire;
mod image;
mod policies;
mod repository;
mod sbom;
mod tree;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use yagura_collect::ImageHandle;
use yagura_collect::cache::Cache;
use yagura_collect::fetch::Fetched;
use yagura_collect::sandbox::{self, SandboxStatus};
use yagura_detect::policies::Checked;
use yagura_detect::secrets::Secrets;
use yagura_formats::layer::codec::CacheTag;
use yagura_formats::layer::{self, Analyser, LayerFacts, ScanOptions};
use yagura_model::report::{Target, TargetKind};

use crate::arguments::{Access, Context as RiskContext, Everywhere};
use crate::progress::Progress;
use crate::secrets;
use crate::stack::{Stack, parts, profiles};
pub use acquire::Attached;
use acquire::{Acquired, Acquirer};
pub use policies::{Policies, configuration_files};

/// What to read, and how.
pub struct Request<'a> {
    pub targets: &'a [String],
    pub access: &'a Access,
    pub everywhere: &'a Everywhere,
    /// Who looks into files beside the cataloguers.
    pub analysers: Vec<Arc<dyn Analyser>>,
    /// What will be read after this, and must stay open.
    pub later: &'a [PathBuf],
    /// Looks into what images are configured with, where secrets are wanted. No report repeats them, wanted or not.
    pub secrets: Option<Arc<Secrets>>,
    /// Profiles, and what they are of; none when nothing is ranked.
    pub context: Option<&'a RiskContext>,
    /// Rules that configuration is held against; none when nobody wants to know.
    pub policies: Option<Policies>,
}

/// The targets with their inventories.
pub struct Scanned {
    pub targets: Vec<Target>,
    pub sandbox: SandboxStatus,
    pub notices: Vec<String>,
    /// What the directories say of clusters and clouds.
    pub stack: Stack,
    /// VEX documents that came with the images.
    pub attached: Vec<Attached>,
    /// What the rules say of each target, by its name.
    pub checked: Vec<(String, Checked)>,
}

/// Opens the cache, where the user or XDG wants it.
pub fn cache(everywhere: &Everywhere) -> Result<Cache> {
    Ok(match &everywhere.cache_dir {
        Some(directory) => Cache::open(directory)?,
        None => Cache::open_default()?,
    })
}

/// Reads every target. Fetching comes first, for all of them; then the process gives up the network, other programs and
/// every path but those it still needs; then all parsing happens.
pub fn read(request: &Request<'_>, cache: &Cache, progress: &Progress) -> Result<Scanned> {
    let build = build();
    let acquirer = Acquirer::new(request.access, request.everywhere, cache)?;
    let targets = request.targets.iter().map(|text| acquirer.acquire(text, progress));
    let acquired: Vec<Acquired> = targets.collect::<Result<_>>()?;
    let acquired = with_parts(acquired, &acquirer, progress)?;
    let base = match &request.access.base {
        Some(text) => Some(acquirer.acquire(text, progress).context("--base")?),
        None => None,
    };

    let readable: Vec<PathBuf> = acquired
        .iter()
        .chain(&base)
        .flat_map(|acquired| acquirer.paths(acquired))
        .chain(request.later.iter().cloned())
        .chain(request.context.iter().flat_map(|context| context.profile.iter().cloned()))
        .collect();
    let readable: Vec<&Path> = readable.iter().map(PathBuf::as_path).collect();
    let sandbox = sandbox::restrict(&readable, &[cache.root()]);

    let redactor = match &request.secrets {
        Some(secrets) => Arc::clone(secrets),
        None => secrets::redactor()?,
    };
    let options = ScanOptions {
        executable_digests: request.access.files,
        analysers: request.analysers.clone(),
        ..ScanOptions::default()
    };
    let tag = CacheTag::of(&options, &build);
    let mut reader = Reader {
        options,
        tag,
        access: request.access,
        redactor,
        reports_secrets: request.secrets.is_some(),
        cache,
        progress,
        base: None,
        notices: Vec::new(),
        stack: Stack::default(),
        used: BTreeSet::new(),
        policies: request.policies.as_ref(),
        checked: Vec::new(),
    };
    if let Some(base) = base {
        let handle = acquirer.image(&base).context("--base")?;
        let handle = handle.with_context(|| format!("--base {} is not an image", base.name))?;
        reader.base = Some((base.name, handle));
    }
    // Who installed which used file is asked when an image is read: profiles come first.
    if let Some(context) = request.context {
        for path in &context.profile {
            reader.stack.runtime.profiles.push(profiles::read(path)?);
        }
        reader.stack.runtime.images.clone_from(&context.container);
    }
    for target in &acquired {
        if let Fetched::Directory(path) = &target.fetched {
            reader.stack.add(path)?;
        }
    }
    reader.used = reader.stack.runtime.paths();
    let mut targets = Vec::new();
    let mut attached = Vec::new();
    for mut target in acquired {
        attached.append(&mut target.attached);
        let handle = acquirer.image(&target)?;
        targets.push(reader.read(target, handle)?);
    }
    if !request.access.no_cache {
        // A full disk is the next run's problem, and it will say so.
        let _ = cache.evict(yagura_collect::cache::DEFAULT_MAX_BYTES);
    }
    progress.finish();
    Ok(Scanned {
        targets,
        sandbox,
        notices: reader.notices,
        attached,
        stack: reader.stack.finished(),
        checked: reader.checked,
    })
}

/// The targets, and the images and SBOMs that lie in a directory which holds a stack.
fn with_parts(
    acquired: Vec<Acquired>,
    acquirer: &Acquirer<'_>,
    progress: &Progress,
) -> Result<Vec<Acquired>> {
    let mut all = Vec::with_capacity(acquired.len());
    for target in acquired {
        let parts = match &target.fetched {
            Fetched::Directory(path) => parts::of(path)?,
            _ => Vec::new(),
        };
        all.push(target);
        for part in parts {
            all.push(acquirer.acquire(&part, progress)?);
        }
    }
    Ok(all)
}

/// Names this build of the program, since another one may find other things: its file's size and time.
fn build() -> String {
    let metadata = std::env::current_exe().and_then(std::fs::metadata);
    let file = metadata.map(|metadata| (metadata.len(), metadata.modified().ok()));
    format!("{} {:?}", env!("CARGO_PKG_VERSION"), file.ok())
}

/// Reads acquired targets, confined.
struct Reader<'a> {
    options: ScanOptions,
    /// Names what these options find, for cached facts.
    tag: CacheTag,
    access: &'a Access,
    /// Takes the secrets out of what images are configured with, whether they are reported or not.
    redactor: Arc<Secrets>,
    reports_secrets: bool,
    cache: &'a Cache,
    progress: &'a Progress,
    /// The image named by `--base`.
    base: Option<(String, ImageHandle)>,
    notices: Vec<String>,
    stack: Stack,
    /// Files that profiles saw in use.
    used: BTreeSet<String>,
    policies: Option<&'a Policies>,
    checked: Vec<(String, Checked)>,
}

impl Reader<'_> {
    fn read(&mut self, acquired: Acquired, image: Option<ImageHandle>) -> Result<Target> {
        let name = acquired.name;
        let files = |kind, inventory| Target { name: name.clone(), kind, image: None, inventory };
        let mut target = match (image, &acquired.fetched) {
            (Some(handle), _) => image::read(self, &name, handle),
            (None, Fetched::Directory(path)) => {
                files(TargetKind::Directory, tree::directory(self, &name, path)?)
            }
            (None, Fetched::File(path)) => files(TargetKind::File, tree::file(self, path)?),
            (None, Fetched::Git(path)) => files(TargetKind::Directory, repository::read(self, path)?),
            (None, Fetched::Sbom(path)) => sbom::read(&name, path)?,
            (None, _) => files(TargetKind::Host, tree::host(self, &name, &self.access.root)?),
        };
        if let Some(policies) = self.policies {
            let checked = match (&target.image, &acquired.fetched) {
                (Some(image), _) => Some(policies::image(policies, &name, image)),
                (None, Fetched::Directory(path)) => Some(policies::directory(self, policies, &name, path)?),
                (None, Fetched::File(path)) => Some(policies::file(policies, &name, path)?),
                _ => None,
            };
            self.checked.extend(checked.map(|checked| (name.clone(), checked)));
        }
        for skipped in &mut target.inventory.skipped {
            skipped.target.clone_from(&target.name);
        }
        Ok(target)
    }

    fn jobs(&self) -> usize {
        jobs(self.access)
    }

    /// Keeps who installed the files that were seen in use.
    fn remember_owners(&mut self, name: &str, layers: &[LayerFacts]) {
        if !self.used.is_empty() {
            let owners = layer::owners(layers, self.used.iter().map(String::as_str));
            self.stack.runtime.owners.insert(name.to_owned(), owners);
        }
    }
}

/// How many threads read at once.
pub fn jobs(access: &Access) -> usize {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    access.jobs.unwrap_or(available).clamp(1, 64)
}
