//! Kubernetes RBAC evaluated: what an identity may do, and who may do a thing.
//!
//! The rules are those of Kubernetes' own authorizer ("Using RBAC Authorization"): permissions only add up; a
//! RoleBinding grants within its namespace, whatever it binds; `pods/exec` is a resource of its own, `*/exec` means
//! that of all, `pods/*` means nothing; a list of names never covers requests that name nothing. Nothing here knows what
//! a permission leads to; see [`powers`].

pub mod powers;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use yagura_formats::document::yaml;

use crate::kubernetes::Cluster;
use crate::kubernetes::access::{AccessRule, Binding, Role, Subject};

/// A rule that a subject has.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'c> {
    pub rule: &'c AccessRule,
    /// The namespace it holds in; none for the whole cluster and what is in no namespace.
    pub scope: Option<&'c str>,
    pub binding: &'c Binding,
    /// The role that states the rule, which an aggregating role may have taken it from.
    pub role: &'c Role,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    Resource {
        verb: &'a str,
        group: &'a str,
        /// `pods`, or `pods/exec`.
        resource: &'a str,
        /// None for a request that names nothing: list, watch, create.
        name: Option<&'a str>,
        /// None for what is in no namespace, or for all namespaces at once.
        namespace: Option<&'a str>,
    },
    Url {
        verb: &'a str,
        path: &'a str,
    },
}

/// A rule, and the role that states it.
type Stated<'c> = (&'c Role, &'c AccessRule);

/// The roles and bindings of a cluster, ready to be asked.
pub struct Access<'c> {
    by_subject: HashMap<&'c Subject, Vec<Grant<'c>>>,
    /// Every subject that a binding names, in order.
    subjects: BTreeSet<&'c Subject>,
    /// Bindings whose role was not read.
    pub dangling: Vec<&'c Binding>,
}

/// The cluster roles and bindings that every API server has.
pub fn defaults() -> Cluster {
    let mut cluster = Cluster::default();
    for file in yagura_rules::family("access").iter().filter(|file| file.path == "default-roles.yaml") {
        cluster.read("Kubernetes' default roles", &yaml::parse(file.text));
    }
    cluster
}

impl<'c> Access<'c> {
    /// Joins bindings with roles. `defaults` (see [`defaults`]) fills in what the cluster does not state itself.
    pub fn new(cluster: &'c Cluster, defaults: &'c Cluster) -> Self {
        let mut roles: BTreeMap<(Option<&str>, &str), &Role> = BTreeMap::new();
        for role in defaults.roles.iter().chain(&cluster.roles) {
            roles.insert((role.namespace.as_deref(), &role.name), role);
        }
        let rules = Rules {
            cluster_roles: roles.values().copied().filter(|role| role.namespace.is_none()).collect(),
        };
        let stated = |binding: &&Binding| {
            !cluster.bindings.iter().any(|own| own.namespace == binding.namespace && own.name == binding.name)
        };
        let mut access = Self { by_subject: HashMap::new(), subjects: BTreeSet::new(), dangling: Vec::new() };
        let mut resolved: HashMap<(Option<&str>, &str), Vec<Stated<'_>>> = HashMap::new();
        for binding in cluster.bindings.iter().chain(defaults.bindings.iter().filter(stated)) {
            let namespace = if binding.of_cluster_role { None } else { binding.namespace.as_deref() };
            let key = (namespace, binding.role.as_str());
            let Some(role) = roles.get(&key).copied() else {
                access.dangling.push(binding);
                continue;
            };
            let stated = resolved.entry(key).or_insert_with(|| rules.of(role));
            for subject in &binding.subjects {
                access.subjects.insert(subject);
                let grants = stated.iter().map(|(role, rule)| Grant {
                    rule,
                    scope: binding.namespace.as_deref(),
                    binding,
                    role,
                });
                access.by_subject.entry(subject).or_default().extend(grants);
            }
        }
        access
    }

    /// Everything a subject has, through its groups, too.
    pub fn grants(&self, subject: &Subject) -> Vec<Grant<'c>> {
        let groups: Vec<Subject> = subject.groups().into_iter().map(Subject::Group).collect();
        let mut all = Vec::new();
        for one in std::iter::once(subject).chain(groups.iter().filter(|group| *group != subject)) {
            all.extend(self.by_subject.get(one).into_iter().flatten().copied());
        }
        all
    }

    /// Everybody that a binding names.
    pub fn subjects(&self) -> impl Iterator<Item = &'c Subject> {
        self.subjects.iter().copied()
    }

    /// The grants that let a subject do it; none where it may not.
    pub fn allows(&self, subject: &Subject, request: Request<'_>) -> Vec<Grant<'c>> {
        self.grants(subject).into_iter().filter(|grant| grant.allows(request)).collect()
    }

    /// Everybody who may, with what lets them.
    pub fn who(&self, request: Request<'_>) -> Vec<(&'c Subject, Grant<'c>)> {
        let mut all = Vec::new();
        for subject in self.subjects() {
            let grants = self.by_subject.get(subject).into_iter().flatten();
            all.extend(grants.filter(|grant| grant.allows(request)).take(1).map(|grant| (subject, *grant)));
        }
        all
    }
}

impl Grant<'_> {
    pub fn allows(&self, request: Request<'_>) -> bool {
        let any = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        match request {
            Request::Resource { verb, group, resource, name, namespace } => {
                // A binding in a namespace reaches nothing outside of it.
                (self.scope.is_none() || self.scope == namespace)
                    && any(&self.rule.verbs, verb)
                    && any(&self.rule.groups, group)
                    && self.rule.resources.iter().any(|own| covers(own, resource))
                    && (self.rule.names.is_empty()
                        || name.is_some_and(|name| self.rule.names.iter().any(|own| own == name)))
            }
            Request::Url { verb, path } => {
                self.scope.is_none()
                    && any(&self.rule.verbs, verb)
                    && self.rule.urls.iter().any(|own| match own.strip_suffix('*') {
                        Some(prefix) => path.starts_with(prefix),
                        None => own == path,
                    })
            }
        }
    }
}

/// Whether a rule's resource means the one that is asked for.
fn covers(own: &str, asked: &str) -> bool {
    own == "*"
        || own == asked
        || own
            .strip_prefix("*/")
            .is_some_and(|sub| asked.split_once('/').is_some_and(|(_, asked)| asked == sub))
}

/// The rules of roles, those that they take from others with them.
struct Rules<'c> {
    cluster_roles: Vec<&'c Role>,
}

impl<'c> Rules<'c> {
    fn of(&self, role: &'c Role) -> Vec<Stated<'c>> {
        let mut all = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut waiting = vec![role];
        while let Some(role) = waiting.pop() {
            all.extend(role.rules.iter().map(|rule| (role, rule)));
            if role.aggregates.is_empty() || !seen.insert(&role.name) {
                continue;
            }
            let taken = self.cluster_roles.iter().copied().filter(|other| {
                !std::ptr::eq(*other, role)
                    && role.aggregates.iter().any(|selector| selector.matches(&other.labels))
            });
            waiting.extend(taken.filter(|other| !seen.contains(other.name.as_str())));
        }
        // A role that aggregates has been filled in by the cluster it was read from: what it states repeats.
        let mut known = BTreeSet::new();
        all.retain(|(_, rule)| {
            known.insert((&rule.verbs, &rule.groups, &rule.resources, &rule.names, &rule.urls))
        });
        all
    }
}
