//! What runtime profiles saw, joined with what was scanned: which packages of an image were loaded by which program, and on
//! which ports a workload really listens.
//!
//! A container is known by its image's digest or name, or by its pod. A package is known by its files: what its package
//! manager wrote down, or where the evidence of it lies. That a package was *not* seen in use is only said where its
//! files are known and the profile lost nothing.

mod claims;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use yagura_formats::layer::FileOwners;
use yagura_formats::layer::code::is_named_as_code;
use yagura_model::profile::{Endpoint, FileUse, Profile, Subject};
use yagura_model::report::{Target, TargetKind};

use crate::connectivity::{Connections, Ports};
use crate::kubernetes::{Cluster, Protocol};
use claims::{Claims, source_of};

/// The subject of a profile that stands for what runs outside of containers.
const HOST: &str = "host";
/// Ports from here on are given to whoever asks for none; those of UDP are no services.
const EPHEMERAL: u16 = 32_768;

/// Profiles, and what joins them with targets.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    pub profiles: Vec<Observed>,
    /// By target, which packages installed the files of [`Runtime::paths`].
    pub owners: BTreeMap<String, FileOwners>,
    /// Images of containers whose profile does not tell them: a container's name or the start of its id, and a target or
    /// an image.
    pub images: Vec<(String, String)>,
}

/// A profile and the file it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    pub name: String,
    pub profile: Profile,
}

/// Whether a package was seen doing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// A program that loaded it listens for others.
    Listening,
    /// It was loaded or executed.
    Loaded,
    /// Files of it that hold no code were read.
    Opened,
    /// A profile watched, and it did nothing.
    Unused,
    /// Nobody watched, or its files are not known.
    Unknown,
}

impl Use {
    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Loaded => "loaded",
            Self::Opened => "opened",
            Self::Unused => "present only",
            Self::Unknown => "unknown",
        }
    }
}

/// What profiles say of one package of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageUse {
    pub usage: Use,
    /// What was seen, in words.
    pub fact: String,
    /// The profile and the container in it.
    pub place: String,
    /// The program that used it; empty where none is known.
    pub program: String,
    /// The key of the container, or of the host, it was used in.
    pub container: String,
}

/// By target, name and version of a package.
pub type Uses = HashMap<(String, String, String), PackageUse>;

/// Where a workload listens, as far as it was watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Listening {
    pub ports: Connections,
    pub place: String,
}

/// One container of a profile and what it is of.
pub(crate) struct Watched<'a> {
    pub observed: &'a Observed,
    pub id: &'a str,
    pub subject: &'a Subject,
    /// Indices into the targets.
    pub targets: Vec<usize>,
    /// Indices into the cluster's workloads.
    pub workloads: Vec<usize>,
}

impl Watched<'_> {
    pub fn place(&self) -> String {
        format!("{} {}", self.observed.name, self.title())
    }

    /// What its node is called in the graph: the container's id, the host's name.
    pub fn key(&self) -> &str {
        if self.is_host() { &self.observed.profile.host } else { self.id }
    }

    pub fn is_host(&self) -> bool {
        self.id == HOST
    }

    /// The container's name, else the start of its id.
    pub fn title(&self) -> &str {
        if self.subject.name.is_empty() { self.id.get(..12).unwrap_or(self.id) } else { &self.subject.name }
    }

    fn is_whole(&self) -> bool {
        self.observed.profile.lost_events == 0 && self.observed.profile.omitted == 0
    }
}

impl Runtime {
    /// Every path that was used, and the sources of compiled ones: of these, owners are wanted.
    pub fn paths(&self) -> BTreeSet<String> {
        let subjects = self.profiles.iter().flat_map(|observed| observed.profile.subjects.values());
        let paths = subjects.flat_map(|subject| subject.files.keys());
        paths.flat_map(|path| [Some(path.clone()), source_of(path)]).flatten().collect()
    }

    /// The containers of all profiles and what they are of.
    pub(crate) fn watched(&self, targets: &[Target], cluster: &Cluster) -> Vec<Watched<'_>> {
        let subjects = self.profiles.iter().flat_map(|observed| {
            observed.profile.subjects.iter().map(move |(id, subject)| (observed, id.as_str(), subject))
        });
        let joined = subjects.map(|(observed, id, subject)| {
            let image = self.image_of(id, subject);
            let workloads = workloads(subject, image, cluster);
            let named: HashSet<String> = workloads
                .iter()
                .filter_map(|at| cluster.workloads.get(*at))
                .flat_map(|workload| &workload.spec.containers)
                .filter(|container| container.name == subject.name || subject.name.is_empty())
                .map(|container| normal(&container.image))
                .collect();
            let targets = targets.iter().enumerate();
            let targets = targets.filter(|(_, target)| {
                is_of(target, id, subject, image)
                    || (image.is_empty() && subject.image_digest.is_empty() && is_named(target, &named))
            });
            let targets = targets.map(|(at, _)| at).collect();
            Watched { observed, id, subject, targets, workloads }
        });
        joined.collect()
    }

    fn image_of<'r>(&'r self, id: &str, subject: &'r Subject) -> &'r str {
        let given = self.images.iter().find(|(name, _)| {
            !name.is_empty()
                && (subject.name == *name || (name.len() >= 6 && id.starts_with(name.as_str())) || id == name)
        });
        given.map_or(subject.image.as_str(), |(_, image)| image)
    }

    /// What was seen of each package, of what [`Runtime::watched`] tells.
    pub(crate) fn uses(&self, all: &[Watched<'_>], targets: &[Target]) -> Uses {
        let mut uses = Uses::new();
        for watched in all {
            for target in watched.targets.iter().filter_map(|at| targets.get(*at)) {
                self.uses_of(target, watched, &mut uses);
            }
        }
        uses
    }

    fn uses_of(&self, target: &Target, watched: &Watched<'_>, uses: &mut Uses) {
        let claims = Claims::of(target, self.owners.get(&target.name));
        let listeners = listeners(watched.subject);
        let mut best: HashMap<usize, PackageUse> = HashMap::new();
        for (path, used) in &watched.subject.files {
            let Some((usage, how)) = usage(path, used) else { continue };
            for package in claims.packages(path) {
                let seen = seen(path, used, usage, how, &listeners, watched);
                let known = best.entry(package).or_insert_with(|| seen.clone());
                if seen.usage < known.usage {
                    *known = seen;
                }
            }
        }
        for (at, package) in target.inventory.packages.iter().enumerate() {
            let seen = match best.remove(&at) {
                Some(seen) => seen,
                None => nothing(&package.name, claims.knows(at), watched),
            };
            let key = (target.name.clone(), package.name.clone(), package.version.clone());
            let known = uses.entry(key).or_insert_with(|| seen.clone());
            if seen.usage < known.usage {
                *known = seen;
            }
        }
    }
}

/// Where workloads listen that were watched without loss, by their index. What they do not listen on leads nowhere.
pub(crate) fn listening(all: &[Watched<'_>]) -> HashMap<usize, Listening> {
    let mut found: HashMap<usize, Listening> = HashMap::new();
    for watched in all {
        // Of a pod only: an image alone may be started in another way elsewhere.
        if !watched.is_whole() || watched.subject.pod.is_empty() || watched.subject.listens.is_empty() {
            continue;
        }
        let ports = listened(watched.subject);
        for workload in &watched.workloads {
            let known = found.entry(*workload);
            let known =
                known.or_insert_with(|| Listening { ports: Connections::none(), place: watched.place() });
            known.ports = known.ports.union(&ports);
        }
    }
    found
}

/// An image's name as all its spellings agree.
fn normal(image: &str) -> String {
    crate::graph::normal_image(image)
}

fn is_named(target: &Target, names: &HashSet<String>) -> bool {
    target.kind != TargetKind::Host && target_names(target).any(|name| names.contains(&normal(name)))
}

/// Every name an image goes by; SBOMs and directories have their own.
fn target_names(target: &Target) -> impl Iterator<Item = &str> {
    let tags = target.image.iter().flat_map(|image| &image.tags).map(String::as_str);
    tags.chain([target.name.as_str(), crate::graph::bare(&target.name)])
}

/// Whether what ran came from a target.
fn is_of(target: &Target, id: &str, subject: &Subject, image: &str) -> bool {
    if id == HOST {
        return target.kind == TargetKind::Host;
    }
    if target.kind == TargetKind::Host {
        return false;
    }
    let digest = |text: &str| {
        target.image.iter().any(|known| {
            [&known.manifest_digest, &known.config_digest].into_iter().flatten().any(|digest| {
                text.ends_with(&digest.to_string()) || (text.len() >= 12 && digest.hex().starts_with(text))
            })
        })
    };
    if [&subject.image_digest, &subject.image_id].into_iter().any(|text| !text.is_empty() && digest(text)) {
        return true;
    }
    !image.is_empty()
        && (digest(image) || target_names(target).any(|name| name == image || normal(name) == normal(image)))
}

/// The workloads a container belongs to: its pod's, else those that run its image.
fn workloads(subject: &Subject, image: &str, cluster: &Cluster) -> Vec<usize> {
    let all = cluster.workloads.iter().enumerate();
    if !subject.pod.is_empty() {
        let fits = all.filter(|(_, workload)| {
            workload.namespace == subject.namespace
                && (workload.pods.iter().any(|pod| pod.name == subject.pod)
                    || is_pod_of(&subject.pod, &workload.name, &workload.kind))
        });
        return fits.map(|(at, _)| at).collect();
    }
    let runs = all.filter(|(_, workload)| {
        let of_pods = workload.pods.iter().flat_map(|pod| &pod.image_digests);
        let by_digest = !subject.image_digest.is_empty()
            && of_pods.into_iter().any(|(_, digest)| subject.image_digest.ends_with(digest.as_str()));
        by_digest
            || (!image.is_empty()
                && workload.spec.containers.iter().any(|one| normal(&one.image) == normal(image)))
    });
    runs.map(|(at, _)| at).collect()
}

/// Whether a pod bears the name that a controller of this kind gives it.
fn is_pod_of(pod: &str, workload: &str, kind: &str) -> bool {
    let Some(rest) = pod.strip_prefix(workload) else { return false };
    let parts: Vec<&str> = rest.split('-').skip(1).collect();
    let random = |part: &&str| part.len() == 5 && part.chars().all(|c| c.is_ascii_alphanumeric());
    let number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    match (kind, parts.as_slice()) {
        ("Pod", []) => rest.is_empty(),
        ("StatefulSet", [ordinal]) => number(ordinal),
        ("DaemonSet" | "Job" | "ReplicaSet" | "ReplicationController", [end]) => random(end),
        ("Deployment", [hash, end]) => (5..=10).contains(&hash.len()) && random(end),
        ("CronJob", [time, end]) => number(time) && random(end),
        _ => false,
    }
}

fn is_for_others(end: &Endpoint) -> bool {
    let loopback =
        end.address.starts_with("127.") || end.address == "::1" || end.address.starts_with("::ffff:127.");
    let asked_for_none = end.protocol == "udp" && end.port >= EPHEMERAL;
    !loopback && !asked_for_none
}

/// The programs that listen for others, each with where.
fn listeners(subject: &Subject) -> BTreeMap<&str, String> {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for end in subject.listens.iter().filter(|end| is_for_others(end)) {
        all.entry(&end.program).or_insert_with(|| format!("{} {}", end.protocol.to_uppercase(), end.port));
    }
    all
}

fn listened(subject: &Subject) -> Connections {
    let ends = subject.listens.iter().filter(|end| is_for_others(end));
    ends.fold(Connections::none(), |all, end| match Protocol::read(Some(&end.protocol)) {
        Some(protocol) => all.union(&Connections::of(protocol, Ports::range(end.port, end.port))),
        None => all,
    })
}

/// What a use of a file says of its package, and how that is called.
fn usage(path: &str, used: &FileUse) -> Option<(Use, &'static str)> {
    if used.executed > 0 {
        Some((Use::Loaded, "executed"))
    } else if used.mapped > 0 || (used.read > 0 && is_named_as_code(path.as_bytes())) {
        Some((Use::Loaded, "loaded"))
    } else if used.read > 0 {
        Some((Use::Opened, "read"))
    } else {
        None
    }
}

fn seen(
    path: &str,
    used: &FileUse,
    usage: Use,
    how: &str,
    listeners: &BTreeMap<&str, String>,
    watched: &Watched<'_>,
) -> PackageUse {
    // What is executed and listens, does so itself.
    let by = used.programs.iter().map(String::as_str);
    let by = by.chain((used.executed > 0).then_some(path));
    let listener = by.clone().find_map(|program| Some((program, listeners.get(program)?)));
    let program = listener.map(|(program, _)| program).or_else(|| by.clone().next()).unwrap_or_default();
    let what = match program {
        "" => format!("{path} was {how} in {}", watched.title()),
        program if program == path => format!("{program} ran in {}", watched.title()),
        program => format!("{program} {how} {path} in {}", watched.title()),
    };
    let (usage, fact) = match listener.filter(|_| usage == Use::Loaded) {
        Some((_, port)) => (Use::Listening, format!("{what} and listens on {port}")),
        None => (usage, what),
    };
    PackageUse {
        usage,
        fact,
        place: watched.place(),
        program: program.to_owned(),
        container: watched.key().to_owned(),
    }
}

/// What is said of a package none of whose files was used.
fn nothing(package: &str, files_known: bool, watched: &Watched<'_>) -> PackageUse {
    let profile = &watched.observed.profile;
    let (usage, fact) = if !files_known {
        (
            Use::Unknown,
            format!(
                "which files are {package}'s is not known, so the profile of {} says nothing of it",
                watched.title()
            ),
        )
    } else if watched.is_whole() {
        let seconds = profile.until.saturating_sub(profile.from) / 1_000_000_000;
        let events = profile.events;
        (
            Use::Unused,
            format!(
                "no file of {package} was used in {} while {seconds} s ({events} events) were watched",
                watched.title()
            ),
        )
    } else {
        (
            Use::Unknown,
            format!(
                "no file of {package} was seen in use, but the profile of {} lost events",
                watched.title()
            ),
        )
    };
    PackageUse {
        usage,
        fact,
        place: watched.place(),
        program: String::new(),
        container: watched.key().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_pod_of;

    #[test]
    fn pods_are_known_by_the_names_that_controllers_give() {
        assert!(is_pod_of("web-6d4cf56db6-x7k2p", "web", "Deployment"));
        assert!(is_pod_of("db-0", "db", "StatefulSet") && is_pod_of("db", "db", "Pod"));
        assert!(
            is_pod_of("nightly-29384756-abcde", "nightly", "CronJob")
                && is_pod_of("log-x7k2p", "log", "DaemonSet")
        );
        for (pod, workload, kind) in [
            ("web-api-6d4cf56db6-x7k2p", "web", "Deployment"),
            ("db-x", "db", "StatefulSet"),
            ("webs", "web", "Pod"),
        ] {
            assert!(!is_pod_of(pod, workload, kind), "{pod}");
        }
    }
}
