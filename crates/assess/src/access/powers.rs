//! What permissions lead to: the powers of `rules/access/powers.yaml`, and who has them.

use yagura_formats::document::{Node, yaml};

use super::Grant;

/// A power as the rules state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    pub id: String,
    /// What one says of whoever has it, in words: "may read secrets".
    pub title: String,
    /// ATT&CK technique.
    pub technique: String,
    pub gives: Gives,
    /// Whether only a permission over the whole cluster counts.
    cluster_wide: bool,
    needs: Vec<Vec<Permission>>,
}

/// What the graph can follow of a power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gives {
    ClusterAdmin,
    ScopeAdmin,
    AnyIdentity,
    ServiceAccounts,
    Pods,
    NewPods,
    Nodes,
    Secrets,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Permission {
    verbs: Vec<String>,
    group: String,
    resources: Vec<String>,
}

/// A power that somebody has.
#[derive(Clone, Debug)]
pub struct Held<'c> {
    pub power: &'c Power,
    /// The namespace; none for the whole cluster.
    pub scope: Option<&'c str>,
    /// Only over objects of these names; empty for all.
    pub names: Vec<&'c str>,
    /// One grant for each need.
    pub grants: Vec<Grant<'c>>,
}

/// The powers of the rules that the program carries. A line that cannot be read is an error in words.
pub fn powers() -> Result<Vec<Power>, String> {
    let mut all = Vec::new();
    for file in yagura_rules::family("access").iter().filter(|file| file.path == "powers.yaml") {
        let tree = yaml::parse(file.text);
        let root = tree.root().ok_or("no document")?;
        for node in root.get("powers").map(Node::items).unwrap_or_default() {
            all.push(
                Power::read(node).map_err(|error| format!("{}:{}: {error}", file.path, node.span.line))?,
            );
        }
    }
    Ok(all)
}

impl Power {
    fn read(node: &Node<'_>) -> Result<Self, String> {
        let text = |key: &str| node.text_of(key).map(str::to_owned).ok_or(format!("no `{key}`"));
        let gives = match text("gives")?.as_str() {
            "cluster-admin" => Gives::ClusterAdmin,
            "scope-admin" => Gives::ScopeAdmin,
            "any-identity" => Gives::AnyIdentity,
            "service-accounts" => Gives::ServiceAccounts,
            "pods" => Gives::Pods,
            "new-pods" => Gives::NewPods,
            "nodes" => Gives::Nodes,
            "secrets" => Gives::Secrets,
            other => return Err(format!("`{other}` is nothing a power gives")),
        };
        let needs = node.get("needs").map(Node::items).unwrap_or_default();
        Ok(Self {
            id: text("id")?,
            title: text("title")?,
            technique: text("technique")?,
            gives,
            cluster_wide: node.flag("cluster-wide"),
            needs: needs.iter().map(|need| need.items().iter().map(Permission::read).collect()).collect(),
        })
    }
}

impl Permission {
    fn read(node: &Node<'_>) -> Self {
        let texts = |key: &str| -> Vec<String> {
            let items = node.get(key).map(Node::items).unwrap_or_default();
            items.iter().filter_map(Node::scalar).map(str::to_owned).collect()
        };
        Self {
            verbs: texts("verbs"),
            group: node.text_of("group").unwrap_or_default().to_owned(),
            resources: texts("resources"),
        }
    }

    /// Whether a grant gives any of it. `*` in a permission asks for `*` itself.
    fn met_by(&self, grant: &Grant<'_>) -> bool {
        let any = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        self.verbs.iter().any(|verb| any(&grant.rule.verbs, verb))
            && any(&grant.rule.groups, &self.group)
            && self
                .resources
                .iter()
                .any(|wanted| grant.rule.resources.iter().any(|own| super::covers(own, wanted)))
    }
}

/// The powers that grants add up to, each in the widest scope, and in each namespace where it is held only there.
pub fn held<'c>(powers: &'c [Power], grants: &[Grant<'c>]) -> Vec<Held<'c>> {
    let mut scopes: Vec<Option<&str>> = grants.iter().map(|grant| grant.scope).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let mut all = Vec::new();
    for power in powers {
        // None sorts first: what is held everywhere is not told again of a namespace.
        for scope in &scopes {
            if scope.is_some() && power.cluster_wide {
                break;
            }
            let Some(held) = power.held_in(*scope, grants) else { continue };
            let everywhere = scope.is_none() && held.names.is_empty();
            all.push(held);
            if everywhere {
                break;
            }
        }
    }
    all
}

impl Power {
    fn held_in<'c>(&'c self, scope: Option<&'c str>, grants: &[Grant<'c>]) -> Option<Held<'c>> {
        let reaches = |grant: &&Grant<'c>| grant.scope.is_none() || grant.scope == scope;
        let mut chosen = Vec::new();
        let mut names = Vec::new();
        for need in &self.needs {
            let meets = |grant: &&Grant<'c>| need.iter().any(|permission| permission.met_by(grant));
            // A rule without names gives more than one with them.
            let grant = grants
                .iter()
                .filter(reaches)
                .filter(meets)
                .min_by_key(|grant| (!grant.rule.names.is_empty(), grant.scope.is_none()))?;
            if !grant.rule.names.is_empty() {
                names = grants
                    .iter()
                    .filter(reaches)
                    .filter(meets)
                    .flat_map(|grant| &grant.rule.names)
                    .map(String::as_str)
                    .collect();
            }
            chosen.push(*grant);
        }
        // Held in a namespace means that something of it is held only there.
        if scope.is_some() && chosen.iter().all(|grant| grant.scope.is_none()) {
            return None;
        }
        names.sort_unstable();
        names.dedup();
        Some(Held { power: self, scope, names, grants: chosen })
    }
}
