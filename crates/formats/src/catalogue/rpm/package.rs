//! From a header to a package and the files it owns.

use std::collections::HashSet;

use yagura_model::digest::Algorithm;
use yagura_model::package::{Dependency, SourcePackage};
use yagura_model::{Digest, Ecosystem, Package};

use super::super::{Facts, Ownership, license, ownership};
use super::Broken;
use super::header::{Header, Tag};

/// Longest path, in bytes (`PATH_MAX` of Linux).
const MAX_PATH: usize = 4096;

/// Bytes of paths that all packages of a database may own together. Directories are stored once and joined to every
/// name, so a small header could otherwise stand for terabytes of paths.
const MAX_PATH_BYTES: usize = 512 << 20;

/// `RPMSENSE_RPMLIB`: a wish for a feature of rpm itself.
const RPMLIB: u32 = 1 << 24;

/// What is left of [`MAX_PATH_BYTES`].
pub(super) struct PathBudget {
    left: usize,
}

impl Default for PathBudget {
    fn default() -> Self {
        Self { left: MAX_PATH_BYTES }
    }
}

impl PathBudget {
    fn spend(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.left = 0;
                false
            }
        }
    }

    /// Whether files had to be left out.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }
}

/// Adds the package of a header; nothing for the keys rpm keeps among its packages.
pub(super) fn add(header: &Header<'_>, facts: &mut Facts, budget: &mut PathBudget) -> Result<(), Broken> {
    let name = header.string(Tag::Name).filter(|name| !name.is_empty()).ok_or("header without a name")?;
    if name == "gpg-pubkey" {
        return Ok(());
    }
    let version = header.string(Tag::Version).ok_or("header without a version")?;
    let release = header.string(Tag::Release).unwrap_or_default();
    let epoch = header.numbers(Tag::Epoch).next().unwrap_or_default();
    let mut package = Package::new(Ecosystem::Rpm, name, full_version(epoch, &version, &release));
    package.architecture = header.string(Tag::Arch).unwrap_or_default();
    package.supplier =
        header.string(Tag::Vendor).or_else(|| header.string(Tag::Packager)).unwrap_or_default();
    package.licenses = license::normalise_all(header.string(Tag::License).as_deref());
    package.module = header.string(Tag::ModularityLabel).unwrap_or_default();
    package.source = header.string(Tag::SourceRpm).and_then(|file| source(&file, &package.version));
    package
        .digests
        .extend(header.binary(Tag::SigMd5).and_then(|raw| Digest::from_bytes(Algorithm::Md5, raw)));
    package.dependencies = requirements(header);
    package.provides = provides(header, &package.name);
    if let Some(ownership) = owned(header, &package.name, budget) {
        facts.ownership.push(ownership);
    }
    facts.packages.push(package);
    Ok(())
}

/// `epoch:version-release`, without an epoch of zero.
pub(super) fn full_version(epoch: u32, version: &str, release: &str) -> String {
    let epoch = if epoch == 0 { String::new() } else { format!("{epoch}:") };
    let release = if release.is_empty() { String::new() } else { format!("-{release}") };
    format!("{epoch}{version}{release}")
}

/// `bash-5.1.8-6.el9.src.rpm`. The file name has no epoch; it is the binary's where the rest is the binary's too.
pub(super) fn source(file: &str, binary_version: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let mut parts = stem.rsplitn(3, '-');
    let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    let version = format!("{version}-{release}");
    let same = binary_version.split_once(':').is_some_and(|(_, rest)| rest == version);
    let version = if same { binary_version.to_owned() } else { version };
    Some(SourcePackage { name: name.to_owned(), version })
}

/// What it needs, each name once; rpm's own features and boolean wishes (`(a if b)`) are no packages.
fn requirements(header: &Header<'_>) -> Vec<Dependency> {
    let mut known = HashSet::new();
    let flags = header.numbers(Tag::RequireFlags).map(Some).chain(std::iter::repeat(None));
    header
        .strings(Tag::RequireName)
        .zip(flags)
        .filter(|(name, flags)| {
            !name.is_empty() && !name.starts_with(b"(") && flags.is_none_or(|flags| flags & RPMLIB == 0)
        })
        .filter(|(name, _)| !name.starts_with(b"rpmlib(") && known.insert(*name))
        .map(|(name, _)| Dependency { name: String::from_utf8_lossy(name).into_owned(), version: None })
        .collect()
}

fn provides(header: &Header<'_>, own_name: &str) -> Vec<String> {
    let mut known = HashSet::from([own_name.as_bytes(), b""]);
    header
        .strings(Tag::ProvideName)
        .filter(|name| known.insert(*name))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn owned(header: &Header<'_>, package: &str, budget: &mut PathBudget) -> Option<Ownership> {
    let directories: Vec<&[u8]> = header.strings(Tag::Dirnames).collect();
    let joined =
        header.strings(Tag::Basenames).zip(header.numbers(Tag::DirIndexes)).filter_map(|(name, index)| {
            let directory = directories.get(usize::try_from(index).ok()?)?;
            (directory.len() + name.len() <= MAX_PATH).then(|| [*directory, name].concat())
        });
    // rpm 3 kept whole paths.
    let whole = header.strings(Tag::OldFilenames).filter(|path| path.len() <= MAX_PATH).map(<[u8]>::to_vec);
    let paths = joined.chain(whole).take_while(|path| budget.spend(path.len()));
    let ownership = ownership::of(Ecosystem::Rpm, package, paths);
    (!ownership.files.is_empty()).then_some(ownership)
}
