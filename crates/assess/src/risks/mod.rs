//! Findings in context: risks in the order in which they matter, each with its terms, its path and what ends it.
//!
//! The score is the product of five shares, each from 0 to 1, times 100: how likely the flaw is used by somebody who can
//! get at it, whether anybody can, whether the program uses the code, what whoever succeeds then has, and whether
//! something can be done. What is not known has a middle value and says so; it is never zero.

pub mod changes;
pub mod exploitation;
mod words;

use std::collections::HashMap;

use yagura_model::graph::{EdgeId, EdgeKind, Graph, NodeId, NodeKind};
use yagura_model::risk::{Change, Risk};

use crate::graph::{Flaw, INTERNET, OUTSIDE, Sources, StackGraph};
use crate::paths::foothold;
use crate::paths::search::Consequence;
use crate::paths::{AttackState, Reach, Rules, Search, State, Steps};
use crate::profiles::Use;

/// Shares of reachability.
const INTERNET_SHARE: f64 = 1.0;
const UNKNOWN_SHARE: f64 = 0.5;
const CLUSTER_SHARE: f64 = 0.25;
const NOT_REACHED_SHARE: f64 = 0.05;
/// A way from the internet that needs other flaws first is never worth less than one from within the cluster.
const LEAST_CHAINED_SHARE: f64 = 0.3;
/// What a flaw is worth that only stops a program, or shows something of it.
const STOP_WORTH: f64 = 0.12;
const LEAK_WORTH: f64 = 0.3;
/// Power where nothing is known of where the code runs.
const UNKNOWN_POWER: f64 = 0.5;
const NO_FIX_SHARE: f64 = 0.85;

impl Use {
    fn share(self) -> f64 {
        match self {
            Self::Listening => 1.0,
            Self::Loaded => 0.9,
            Self::Unknown => 0.6,
            Self::Opened => 0.5,
            Self::Unused => 0.1,
        }
    }
}

/// A stack with everything that ranking needs; ranking again after a cut repeats nothing of it.
pub struct Assessment<'a> {
    pub sources: Sources<'a>,
    pub stack: StackGraph,
    pub steps: Steps,
    rules: &'a Rules,
    /// How likely each step succeeds.
    likelihood: Vec<f64>,
    /// Where the attacker starts, and how that is called.
    starts: Vec<NodeId>,
    start: String,
    /// Names of starts that nothing bears.
    pub unknown_starts: Vec<String>,
    /// The flaw of each `affected` edge.
    flaw_of: HashMap<EdgeId, usize>,
    /// Flaws of one package of one image, in the order of their first finding.
    groups: Vec<Group>,
    /// For each image, the workloads that run it.
    workloads: HashMap<NodeId, Vec<NodeId>>,
}

struct Group {
    image: NodeId,
    package: NodeId,
    /// Indices into [`StackGraph::flaws`].
    flaws: Vec<usize>,
}

/// Where attackers of each kind can get to, and what follows.
struct Searched {
    internet: Reach,
    outside: Reach,
    within: Reach,
    consequence: Consequence,
}

/// From where a state can be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reachability {
    /// Straight from the internet.
    Internet,
    /// From the internet, after other flaws; with the likelihood of these.
    Chained(f64),
    /// From outside the cluster, if facts that were not read are so.
    Outside,
    /// By whoever is in the cluster already.
    Cluster,
    None,
    /// Nothing says where the code runs.
    Unknown,
}

impl Reachability {
    fn share(self) -> f64 {
        match self {
            Self::Internet => INTERNET_SHARE,
            Self::Chained(likelihood) => likelihood.max(LEAST_CHAINED_SHARE),
            Self::Outside | Self::Unknown => UNKNOWN_SHARE,
            Self::Cluster => CLUSTER_SHARE,
            Self::None => NOT_REACHED_SHARE,
        }
    }
}

/// A group's score and what made it.
#[derive(Clone, Copy, Debug)]
struct Scored {
    group: usize,
    flaw: usize,
    score: f64,
    exploitation: f64,
    reachability: Reachability,
    workload: Option<NodeId>,
    power: f64,
    power_known: bool,
    fix: f64,
}

impl<'a> Assessment<'a> {
    pub fn new(sources: Sources<'a>, rules: &'a Rules) -> Self {
        let stack = StackGraph::new(&sources);
        let graph = &stack.graph;
        let mut flaw_of: HashMap<EdgeId, usize> = HashMap::new();
        let mut control: HashMap<NodeId, bool> = HashMap::new();
        let mut of_pair: HashMap<(NodeId, NodeId), usize> = HashMap::new();
        for (index, flaw) in stack.flaws.iter().enumerate() {
            control.insert(flaw.vulnerability, flaw.exploitation.gives_control());
            of_pair.insert((flaw.package, flaw.vulnerability), index);
        }
        for edge in graph.edges().filter(|edge| graph.edge_kind(*edge) == Some(EdgeKind::Affected)) {
            if let Some(flaw) = of_pair.get(&(graph.from(edge), graph.to(edge))) {
                flaw_of.insert(edge, *flaw);
            }
        }
        let gives_control = |node: NodeId| control.get(&node).copied().unwrap_or(false);
        let steps = Steps::new(rules, graph, &gives_control);
        let likelihood = steps
            .steps
            .iter()
            .map(|step| {
                let ease = rules.rules.get(usize::from(step.rule)).map_or(1.0, |rule| rule.ease);
                let flaw =
                    step.flaw.and_then(|edge| flaw_of.get(&edge)).and_then(|flaw| stack.flaws.get(*flaw));
                ease * flaw.map_or(1.0, |flaw| flaw.exploitation.value().0 * flaw.usage.share())
            })
            .collect();
        let groups = groups(&stack.flaws);
        let (mut starts, mut unknown_starts) = (Vec::new(), Vec::new());
        for name in sources.from {
            let mut nodes = foothold::nodes(graph, name);
            if nodes.is_empty() {
                unknown_starts.push(name.clone());
            }
            starts.append(&mut nodes);
        }
        let start = match starts.as_slice() {
            [] => {
                starts.extend(graph.find(INTERNET.0, INTERNET.1));
                "the internet".to_owned()
            }
            [first] => graph.label(*first).to_owned(),
            [first, rest @ ..] => format!("{} and {} others", graph.label(*first), rest.len()),
        };
        let mut workloads: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
        for edge in graph.edges().filter(|edge| graph.edge_kind(*edge) == Some(EdgeKind::Runs)) {
            workloads.entry(graph.to(edge)).or_default().push(graph.from(edge));
        }
        Self {
            sources,
            stack,
            steps,
            rules,
            likelihood,
            starts,
            start,
            unknown_starts,
            flaw_of,
            groups,
            workloads,
        }
    }

    fn graph(&self) -> &Graph {
        &self.stack.graph
    }

    fn search(&self, likelihood: &[f64]) -> Searched {
        let of = |index: usize| likelihood.get(index).copied().unwrap_or(0.0);
        let search = Search { graph: self.graph(), steps: &self.steps, rules: self.rules, likelihood: &of };
        let start = |(kind, key): (NodeKind, &str)| -> Vec<State> {
            let node = self.graph().find(kind, key);
            node.map(|node| State { state: AttackState::Controls, node }).into_iter().collect()
        };
        let of_start = |node: &NodeId| State { state: AttackState::Controls, node: *node };
        let controlled: Vec<State> = self.starts.iter().map(of_start).collect();
        let networks = self.graph().nodes().filter(|node| self.graph().kind(*node) == NodeKind::Network);
        let within: Vec<State> = networks.map(|node| State { state: AttackState::Reaches, node }).collect();
        Searched {
            internet: search.from(&controlled),
            // Whoever has a foothold does not come from somewhere else, too.
            outside: search.from(&if self.sources.from.is_empty() { start(OUTSIDE) } else { Vec::new() }),
            within: search.from(&within),
            consequence: search.to_goals(),
        }
    }

    /// Every group's score, highest first.
    fn scores(&self, searched: &Searched) -> Vec<Scored> {
        let mut scores: Vec<Scored> =
            (0..self.groups.len()).filter_map(|group| self.score(group, searched)).collect();
        scores.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.group.cmp(&b.group)));
        scores
    }

    /// The score of a group: that of its worst flaw, where it is worst.
    fn score(&self, index: usize, searched: &Searched) -> Option<Scored> {
        let group = self.groups.get(index)?;
        let places = self.places(group.image, searched);
        let mut worst: Option<Scored> = None;
        for flaw_index in &group.flaws {
            let Some(flaw) = self.stack.flaws.get(*flaw_index) else { continue };
            let exploitation = flaw.exploitation.value().0;
            let finding = self.sources.findings.get(flaw.finding);
            let fix = if finding.is_some_and(|finding| finding.fixed_version.is_some()) {
                1.0
            } else {
                NO_FIX_SHARE
            };
            for place in &places {
                let reachability =
                    if flaw.exploitation.is_remote() { place.reachability } else { Reachability::None };
                let own = match flaw.exploitation.vector {
                    Some(vector) if !vector.gives_more_than_a_stop => Some(STOP_WORTH),
                    _ if flaw.exploitation.gives_control() => None,
                    _ => Some(LEAK_WORTH),
                };
                let power = own.map_or(place.power, |own| own.min(place.power));
                let score = 100.0 * exploitation * reachability.share() * flaw.usage.share() * power * fix;
                if worst.is_none_or(|worst| score > worst.score) {
                    worst = Some(Scored {
                        group: index,
                        flaw: *flaw_index,
                        score,
                        exploitation,
                        reachability,
                        workload: place.workload,
                        power,
                        power_known: place.power_known,
                        fix,
                    });
                }
            }
        }
        worst
    }

    /// Where an image's code runs, from where that is reached, and what it then gives.
    fn places(&self, image: NodeId, searched: &Searched) -> Vec<Placed> {
        let graph = self.graph();
        let Some(workloads) = self.workloads.get(&image) else {
            let runs_nowhere = self.stack.knows_workloads && graph.kind(image) == NodeKind::Image;
            let reachability = if runs_nowhere { Reachability::None } else { Reachability::Unknown };
            return vec![Placed { workload: None, reachability, power: UNKNOWN_POWER, power_known: false }];
        };
        let of = |workload: &NodeId| {
            let state = State { state: AttackState::Reaches, node: *workload };
            let reachability = self.reachability(state, searched);
            let control = State { state: AttackState::Controls, node: *workload };
            Placed {
                workload: Some(*workload),
                reachability,
                power: searched.consequence.worth(graph, control),
                power_known: true,
            }
        };
        workloads.iter().map(of).collect()
    }

    fn reachability(&self, state: State, searched: &Searched) -> Reachability {
        let graph = self.graph();
        let likelihood = searched.internet.likelihood(graph, state);
        let needs_flaws = || {
            let path = searched.internet.path(graph, &self.steps, state);
            path.iter().any(|index| self.steps.steps.get(*index).is_some_and(|step| step.flaw.is_some()))
        };
        if likelihood > 0.0 {
            return if needs_flaws() { Reachability::Chained(likelihood) } else { Reachability::Internet };
        }
        if searched.outside.likelihood(graph, state) > 0.0 {
            return Reachability::Outside;
        }
        if searched.within.likelihood(graph, state) > 0.0 {
            Reachability::Cluster
        } else {
            Reachability::None
        }
    }

    /// Ranks everything.
    pub fn risks(&self) -> (Vec<Risk>, Vec<Change>) {
        let searched = self.search(&self.likelihood);
        let scores = self.scores(&searched);
        let mut risks: Vec<Risk> = scores.iter().map(|scored| self.describe(scored, &searched)).collect();
        risks.extend(self.open_goals(&searched));
        // Of equals the one made of more flaws comes first; the title names the package, the id holds the target's path.
        risks.sort_by(|a, b| {
            let more = || b.findings.len().cmp(&a.findings.len());
            let by_name = || a.title.cmp(&b.title).then_with(|| a.id.cmp(&b.id));
            b.score.total_cmp(&a.score).then_with(more).then_with(by_name)
        });
        let changes = self.smallest_changes(&mut risks, &scores, &searched);
        (risks, changes)
    }

    /// Only the scores, highest first, with the names of their packages: what ranking costs by itself.
    pub fn scores_after(&self, cut: &dyn Fn(EdgeId) -> bool) -> Vec<(f64, NodeId)> {
        let likelihood = self.cut(cut);
        let searched = self.search(&likelihood);
        let package =
            |scored: &Scored| self.groups.get(scored.group).map(|group| (scored.score, group.package));
        self.scores(&searched).iter().filter_map(package).collect()
    }

    /// How likely steps succeed once some edges are gone.
    fn cut(&self, gone: &dyn Fn(EdgeId) -> bool) -> Vec<f64> {
        let steps = self.steps.steps.iter().zip(&self.likelihood);
        steps
            .map(
                |(step, likelihood)| {
                    if self.steps.edges(step).iter().any(|edge| gone(*edge)) { 0.0 } else { *likelihood }
                },
            )
            .collect()
    }
}

/// One workload in which an image's code runs.
#[derive(Clone, Copy)]
struct Placed {
    workload: Option<NodeId>,
    reachability: Reachability,
    power: f64,
    power_known: bool,
}

fn groups(flaws: &[Flaw]) -> Vec<Group> {
    let mut by_package: HashMap<NodeId, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (index, flaw) in flaws.iter().enumerate() {
        let at = *by_package.entry(flaw.package).or_insert_with(|| {
            groups.push(Group { image: flaw.image, package: flaw.package, flaws: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.flaws.push(index);
        }
    }
    groups
}
