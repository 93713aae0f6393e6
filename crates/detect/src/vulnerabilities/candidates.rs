//! From a package to the names under which feeds may speak of it.

use yagura_formats::database::{Database, EcosystemId, normalise};
use yagura_model::finding::Confidence;
use yagura_model::{Inventory, OperatingSystem, Package};

use super::distributions::{self, Feed, Naming};
use super::languages;

/// A name and version to look up in one ecosystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub ecosystem: EcosystemId,
    /// In the spelling of the database.
    pub name: String,
    pub version: String,
    /// rpm modularity label, empty without one.
    pub module: String,
    pub epochs_left_out: bool,
    pub confidence: Confidence,
    pub subscription: bool,
}

/// Why no feed speaks for a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotJudged {
    /// The operating system installed it, and its own feed speaks for what it installed.
    OwnedByOperatingSystem,
    /// The database has no feed for this operating system.
    NoFeedForSystem,
    /// The database has no feed for this kind of package.
    NoFeedForKind,
    /// Nothing says which version it is.
    NoVersion,
}

impl NotJudged {
    pub fn reason(self) -> &'static str {
        match self {
            Self::OwnedByOperatingSystem => {
                "owned by a package of the operating system, whose feed speaks for it"
            }
            Self::NoFeedForSystem => "the database has no feed for this operating system",
            Self::NoFeedForKind => "the database has no feed for this kind of package",
            Self::NoVersion => "its version is unknown",
        }
    }

    /// What to tell the user of so many packages; none where all is as it should be.
    pub(super) fn notice(self, count: usize) -> Option<String> {
        let plural = if count == 1 { "package was" } else { "packages were" };
        match self {
            Self::OwnedByOperatingSystem => None,
            Self::NoFeedForSystem | Self::NoFeedForKind | Self::NoVersion => {
                Some(format!("{count} {plural} not judged: {}", self.reason()))
            }
        }
    }
}

/// The feeds that speak for one inventory.
pub(super) struct Candidates<'a> {
    database: &'a Database,
    system: Option<&'a OperatingSystem>,
    feeds: Vec<Feed>,
}

impl<'a> Candidates<'a> {
    pub fn of(inventory: &'a Inventory, database: &'a Database) -> Self {
        Self::for_system(inventory.system.as_ref(), database)
    }

    pub fn for_system(system: Option<&'a OperatingSystem>, database: &'a Database) -> Self {
        let feeds = system.map(|system| distributions::feeds(system, database)).unwrap_or_default();
        Self { database, system, feeds }
    }

    pub fn notices(&self) -> Vec<String> {
        match self.system {
            Some(system) if self.feeds.iter().any(|feed| feed.confidence == Confidence::NameOnly) => {
                vec![format!(
                    "{} has no feed of its own here; a relative's was used, by package name only",
                    system.distro()
                )]
            }
            _ => Vec::new(),
        }
    }

    /// Where to look for a package, or why nowhere.
    pub fn subjects(&self, package: &Package) -> Result<Vec<Subject>, NotJudged> {
        if package.version.is_empty() {
            return Err(NotJudged::NoVersion);
        }
        if package.ecosystem.is_operating_system() {
            return self.system_subjects(package);
        }
        if package.owner.is_some() && !self.feeds.is_empty() {
            return Err(NotJudged::OwnedByOperatingSystem);
        }
        let address = languages::address(package).ok_or(NotJudged::NoFeedForKind)?;
        let ecosystem = self.database.ecosystem(address.ecosystem).ok_or(NotJudged::NoFeedForKind)?;
        Ok(vec![Subject {
            ecosystem,
            name: normalise(address.ecosystem, &address.name).into_owned(),
            version: address.version.into_owned(),
            module: String::new(),
            epochs_left_out: false,
            confidence: address.confidence,
            subscription: false,
        }])
    }

    fn system_subjects(&self, package: &Package) -> Result<Vec<Subject>, NotJudged> {
        let own;
        let feeds = match self.system {
            Some(_) => &self.feeds,
            // SBOMs without a system may still say it with each package.
            None => {
                let system =
                    distributions::system_of_distro(&package.distro).ok_or(NotJudged::NoFeedForSystem)?;
                own = distributions::feeds(&system, self.database);
                &own
            }
        };
        if feeds.is_empty() {
            return Err(NotJudged::NoFeedForSystem);
        }
        // A package rebuilt under Ubuntu Pro is numbered by Pro's feed.
        let pro = package.version.contains("esm") && feeds.iter().any(|feed| feed.subscription);
        let mut subjects = Vec::new();
        for feed in feeds.iter().filter(|feed| !pro || feed.subscription) {
            let source = package.source.as_ref();
            let installed = (package.name.as_str(), package.version.as_str());
            let of_source = source.map_or(installed, |s| (s.name.as_str(), s.version.as_str()));
            let mut names = Vec::new();
            match feed.naming {
                Naming::Source => names.push(of_source),
                Naming::Binary => names.push(installed),
                Naming::SourceName => names.push((of_source.0, installed.1)),
                Naming::Both => {
                    names.push(installed);
                    if of_source.0 != installed.0 {
                        names.push((of_source.0, installed.1));
                    }
                }
            }
            for (name, version) in names {
                let version = if version.is_empty() { installed.1 } else { version };
                subjects.push(Subject {
                    ecosystem: feed.ecosystem,
                    name: name.to_owned(),
                    version: version.to_owned(),
                    module: package.module.clone(),
                    epochs_left_out: feed.naming == Naming::SourceName,
                    confidence: feed.confidence,
                    subscription: feed.subscription,
                });
            }
        }
        Ok(subjects)
    }
}
