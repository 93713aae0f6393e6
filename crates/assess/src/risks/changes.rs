//! Which edits end the most.

use std::collections::{BTreeMap, HashMap, HashSet};

use yagura_model::graph::{EdgeId, EdgeKind, NodeId, NodeKind};
use yagura_model::risk::{Change, ChangeKind, Risk};

use super::words::stable_hash;
use super::{Assessment, Scored, Searched};
use crate::graph::UNPROTECTED;

/// Most risks whose paths are looked at for edits, and most edits that are tried.
const MAX_RISKS: usize = 50;
const MAX_TRIED: usize = 40;
/// Most edits that are shown.
const MAX_SHOWN: usize = 30;
/// Beyond so many steps only the first few edits are tried.
const MANY_STEPS: usize = 1_000_000;
const TRIED_OF_MANY: usize = 8;

/// An edit and the edges it takes away.
struct Edit {
    kind: ChangeKind,
    subject: String,
    title: String,
    place: String,
    edges: HashSet<EdgeId>,
    /// How many of the looked-at paths it lies on.
    paths: usize,
}

/// What one would change, and where.
struct Proposed {
    kind: ChangeKind,
    subject: NodeId,
    title: String,
    place: String,
}

impl Assessment<'_> {
    /// The edits that take most away, each tried; names them in the risks they end.
    pub(super) fn smallest_changes(
        &self,
        risks: &mut [Risk],
        scores: &[Scored],
        searched: &Searched,
    ) -> Vec<Change> {
        let mut edits: BTreeMap<String, Edit> = BTreeMap::new();
        for scored in scores.iter().take(MAX_RISKS) {
            for index in self.steps_of(scored, searched) {
                let Some(step) = self.steps.steps.get(index) else { continue };
                for edge in self.steps.edges(step) {
                    if let Some(Proposed { kind, subject, title, place }) = self.edit(*edge) {
                        let edit = edits.entry(title.clone()).or_insert_with(|| Edit {
                            edges: self.edges_of(*edge, &place),
                            kind,
                            subject: self.graph().identity(subject),
                            title,
                            place,
                            paths: 0,
                        });
                        edit.paths += 1;
                    }
                }
            }
        }
        let mut edits: Vec<Edit> = edits.into_values().collect();
        edits.sort_by(|a, b| b.paths.cmp(&a.paths).then_with(|| a.title.cmp(&b.title)));
        edits.truncate(if self.steps.steps.len() > MANY_STEPS { TRIED_OF_MANY } else { MAX_TRIED });
        let total: f64 = scores.iter().map(|scored| scored.score).sum();
        let mut changes: Vec<Change> = edits
            .iter()
            .map(|edit| self.tried(edit, scores, total, searched))
            .filter(|change| change.relief > 0.005)
            .collect();
        changes.sort_by(|a, b| b.relief.total_cmp(&a.relief).then_with(|| a.title.cmp(&b.title)));
        changes.truncate(MAX_SHOWN);
        for change in &changes {
            let ended: HashSet<&str> = change.ends.iter().map(String::as_str).collect();
            for risk in risks.iter_mut().filter(|risk| ended.contains(risk.id.as_str())) {
                risk.changes.push(change.id.clone());
            }
        }
        // What ends only this risk comes before what ends others, too: it is the smaller edit.
        let reach: HashMap<&str, usize> =
            changes.iter().map(|change| (change.id.as_str(), change.ends.len())).collect();
        for risk in risks.iter_mut() {
            risk.changes.sort_by_key(|id| reach.get(id.as_str()).copied());
        }
        changes
    }

    /// What an edit leaves of the scores.
    fn tried(&self, edit: &Edit, scores: &[Scored], total: f64, searched: &Searched) -> Change {
        let likelihood = self.cut(&|edge| edit.edges.contains(&edge));
        let after = self.search(&likelihood);
        let mut left: HashMap<usize, f64> =
            self.scores(&after).iter().map(|scored| (scored.group, scored.score)).collect();
        // A flaw that is gone has no score, whatever reaches the package.
        for scored in scores {
            if self.is_gone(scored, edit) {
                left.insert(scored.group, 0.0);
            }
        }
        let of = |scored: &Scored| left.get(&scored.group).copied().unwrap_or(0.0);
        let ended = scores.iter().filter(|scored| of(scored) < scored.score / 2.0);
        let ends = ended.map(|scored| self.describe(scored, searched).id).take(1000).collect();
        let relief = if total > 0.0 { 1.0 - scores.iter().map(of).sum::<f64>() / total } else { 0.0 };
        Change {
            id: format!("CHANGE-{:016x}", stable_hash(&edit.title)),
            kind: edit.kind,
            subject: edit.subject.clone(),
            title: edit.title.clone(),
            place: edit.place.clone(),
            ends,
            relief: (relief * 1000.0).round() / 1000.0,
            patch: String::new(),
        }
    }

    fn is_gone(&self, scored: &Scored, edit: &Edit) -> bool {
        let graph = self.graph();
        let Some(group) = self.groups.get(scored.group) else { return false };
        edit.edges.iter().any(|edge| {
            graph.edge_kind(*edge) == Some(EdgeKind::Affected) && graph.from(*edge) == group.package
        })
    }

    /// What one would change to take an edge away, and where.
    fn edit(&self, edge: EdgeId) -> Option<Proposed> {
        let graph = self.graph();
        let (from, to) = (graph.from(edge), graph.to(edge));
        let (from_label, to_label) = (graph.label(from), graph.label(to));
        let place = graph.place(edge).to_owned();
        let outside = matches!(graph.kind(from), NodeKind::Internet | NodeKind::Unknown);
        let to_network = graph.kind(to) == NodeKind::Network;
        let of_workload = graph.kind(from) == NodeKind::Workload;
        let of_identity =
            matches!(graph.kind(from), NodeKind::ServiceAccount | NodeKind::Identity | NodeKind::Role);
        let (kind, subject, title) = match graph.edge_kind(edge)? {
            EdgeKind::Forwards if outside => {
                (ChangeKind::Close, to, format!("Close {to_label} to the outside"))
            }
            EdgeKind::Forwards if graph.kind(from) == NodeKind::Network => {
                let kind = ChangeKind::Protect;
                // Policies only add up: where one is there already, another one takes nothing away.
                if !graph.fact(edge).starts_with(UNPROTECTED) {
                    let title = format!("Let the policy of {to_label} name its clients");
                    return Some(Proposed { kind, subject: to, title, place });
                }
                let title = format!("Add a NetworkPolicy that lets only its clients reach {to_label}");
                return Some(Proposed { kind, subject: to, title, place: String::new() });
            }
            EdgeKind::Reaches if to_network => {
                let title = format!("Add a NetworkPolicy that limits what {from_label} opens");
                return Some(Proposed {
                    kind: ChangeKind::Limit,
                    subject: from,
                    title,
                    place: String::new(),
                });
            }
            EdgeKind::Affected => {
                let fixed = self.fixed_version(from)?;
                let image = self.stack.flaws.iter().find(|flaw| flaw.package == from);
                let image = image.map(|flaw| graph.label(flaw.image)).unwrap_or_default();
                (ChangeKind::Upgrade, from, format!("Upgrade {from_label} to {fixed} in {image}"))
            }
            EdgeKind::Escapes if of_workload => (
                ChangeKind::Contain,
                from,
                format!("Take from {from_label} what lets it break out to its node"),
            ),
            EdgeKind::Escapes => {
                let title = format!("Enforce pod security `baseline` in namespace {from_label}");
                (ChangeKind::PodSecurity, from, title)
            }
            EdgeKind::ActsAs if of_workload => (
                ChangeKind::UnmountToken,
                from,
                format!("Do not mount a service account's token in {from_label}"),
            ),
            EdgeKind::Administers
            | EdgeKind::Enters
            | EdgeKind::Deploys
            | EdgeKind::Becomes
            | EdgeKind::Reads
                if of_identity =>
            {
                let fact = graph.fact(edge);
                let binding = fact.rsplit_once("(by binding ").map(|(_, name)| name.trim_end_matches(')'));
                let title = match binding {
                    Some(binding) => format!("Remove binding {binding} of {from_label}"),
                    None => format!("Take from {from_label} what it does not need: {fact}"),
                };
                (ChangeKind::Unbind, from, title)
            }
            _ => return None,
        };
        Some(Proposed { kind, subject, title, place })
    }

    /// All edges that the same edit takes away.
    fn edges_of(&self, edge: EdgeId, place: &str) -> HashSet<EdgeId> {
        let graph = self.graph();
        let (from, to, kind) = (graph.from(edge), graph.to(edge), graph.edge_kind(edge));
        let same: Vec<EdgeId> = match kind {
            Some(EdgeKind::Forwards) if graph.kind(from) == NodeKind::Network => graph
                .incoming(to)
                .filter(|other| {
                    graph.kind(graph.from(*other)) == NodeKind::Network
                        || graph.edge_kind(*other) == Some(EdgeKind::Reaches)
                })
                .collect(),
            Some(EdgeKind::Forwards) => {
                let outside = |other: &EdgeId| {
                    matches!(graph.kind(graph.from(*other)), NodeKind::Internet | NodeKind::Unknown)
                };
                graph.incoming(to).filter(outside).collect()
            }
            Some(
                EdgeKind::Administers
                | EdgeKind::Enters
                | EdgeKind::Deploys
                | EdgeKind::Becomes
                | EdgeKind::Reads,
            ) => graph.outgoing(from).filter(|other| graph.place(*other) == place).collect(),
            kind => graph.outgoing(from).filter(|other| graph.edge_kind(*other) == kind).collect(),
        };
        same.into_iter().chain([edge]).collect()
    }

    /// The version without any of a package's known flaws: the highest that one of them is fixed in, as stated.
    fn fixed_version(&self, package: NodeId) -> Option<String> {
        let of_package = self.stack.flaws.iter().filter(|flaw| flaw.package == package);
        let finding = of_package.filter_map(|flaw| self.sources.findings.get(flaw.finding));
        finding.filter_map(|finding| finding.fixed_version.clone()).max_by(|a, b| natural(a).cmp(&natural(b)))
    }
}

/// Numbers in a version by their value. Only for choosing among versions that are all offered as fixes.
fn natural(version: &str) -> Vec<(u64, String)> {
    let parts = version.split(|c: char| !c.is_ascii_alphanumeric());
    parts.map(|part| (part.parse().unwrap_or(0), part.to_owned())).collect()
}
