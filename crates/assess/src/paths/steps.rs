//! Every way in which a rule applies to a graph: steps from one state of the attacker to another.

use yagura_model::graph::{EdgeId, Graph, NodeId, NodeKind};

use super::rules::{Atom, AttackState, MAX_VARIABLES, Mark, Rule, Rules};

/// What an attacker has of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    pub state: AttackState,
    pub node: NodeId,
}

/// One application of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub from: State,
    pub to: State,
    /// Index into [`Rules::rules`].
    pub rule: u16,
    /// The flaw it needs, as index of the `affected` edge; none where it needs none.
    pub flaw: Option<EdgeId>,
    /// Where its edges start in [`Steps::edges`], and how many they are.
    edges: (u32, u8),
}

/// All steps, sorted by where they start.
pub struct Steps {
    pub steps: Vec<Step>,
    evidence: Vec<EdgeId>,
    /// By state number, where steps start; one more at the end.
    outgoing: Vec<u32>,
    /// Steps by where they end, and where each state's start there.
    ending: Vec<u32>,
    incoming: Vec<u32>,
}

/// Most steps; more are cut off, and [`Steps::is_cut`] says so.
const MAX_STEPS: usize = 50_000_000;

/// Whether a mark is on a node; `gives_control` tells of flaws.
fn marked(graph: &Graph, mark: Mark, node: NodeId, gives_control: &dyn Fn(NodeId) -> bool) -> bool {
    match mark {
        Mark::Outside => matches!(graph.kind(node), NodeKind::Internet | NodeKind::Unknown),
        Mark::GivesControl => gives_control(node),
        Mark::IdentityLike => {
            matches!(graph.kind(node), NodeKind::Role | NodeKind::Identity | NodeKind::ServiceAccount)
        }
        Mark::HoldsData => {
            matches!(graph.kind(node), NodeKind::Bucket | NodeKind::Database | NodeKind::Secret)
        }
    }
}

impl Steps {
    /// Applies every rule in every way. `gives_control` says which flaws do.
    pub fn new(rules: &Rules, graph: &Graph, gives_control: &dyn Fn(NodeId) -> bool) -> Self {
        let mut finder = Finder {
            graph,
            gives_control,
            steps: Vec::new(),
            evidence: Vec::new(),
            bound: [None; MAX_VARIABLES],
            edges: Vec::new(),
        };
        for (index, rule) in rules.rules.iter().enumerate() {
            let Ok(index) = u16::try_from(index) else { break };
            finder.apply(index, rule);
        }
        let (mut steps, evidence) = (finder.steps, finder.evidence);
        let number = |state: State| number(graph, state);
        steps.sort_by_key(|step| number(step.from));
        let count = graph.node_count().saturating_mul(AttackState::ALL.len());
        let outgoing = starts(count, steps.iter().map(|step| number(step.from)));
        let incoming = starts(count, steps.iter().map(|step| number(step.to)));
        let mut ending: Vec<u32> = (0..u32::try_from(steps.len()).unwrap_or(u32::MAX)).collect();
        ending.sort_by_key(|at| steps.get(index(*at)).map(|step| number(step.to)));
        Self { steps, evidence, outgoing, ending, incoming }
    }

    /// The edges that prove a step, in the order of its rule.
    pub fn edges(&self, step: &Step) -> &[EdgeId] {
        let start = index(step.edges.0);
        self.evidence.get(start..start.saturating_add(usize::from(step.edges.1))).unwrap_or_default()
    }

    /// Indices of the steps that start at a state.
    pub fn outgoing(&self, state: usize) -> std::ops::Range<usize> {
        let of = |at: usize| self.outgoing.get(at).copied().map_or(0, index);
        of(state)..of(state.saturating_add(1))
    }

    /// Indices of the steps that end at a state.
    pub fn incoming(&self, state: usize) -> impl Iterator<Item = usize> {
        let of = |at: usize| self.incoming.get(at).copied().map_or(0, index);
        self.ending
            .get(of(state)..of(state.saturating_add(1)))
            .unwrap_or_default()
            .iter()
            .map(|at| index(*at))
    }

    /// Whether there were more than are kept.
    pub fn is_cut(&self) -> bool {
        self.steps.len() >= MAX_STEPS
    }
}

/// A state's own small number.
pub fn number(graph: &Graph, state: State) -> usize {
    graph.number(state.node).saturating_mul(AttackState::ALL.len()).saturating_add(match state.state {
        AttackState::Reaches => 0,
        AttackState::Controls => 1,
        AttackState::Reads => 2,
    })
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn starts(count: usize, numbers: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0u32; count.saturating_add(1)];
    for number in numbers {
        if let Some(slot) = starts.get_mut(number.saturating_add(1)) {
            *slot = slot.saturating_add(1);
        }
    }
    let mut sum = 0u32;
    for slot in &mut starts {
        sum = sum.saturating_add(*slot);
        *slot = sum;
    }
    starts
}

struct Finder<'a> {
    graph: &'a Graph,
    gives_control: &'a dyn Fn(NodeId) -> bool,
    steps: Vec<Step>,
    evidence: Vec<EdgeId>,
    bound: [Option<NodeId>; MAX_VARIABLES],
    edges: Vec<EdgeId>,
}

impl Finder<'_> {
    fn apply(&mut self, index: u16, rule: &Rule) {
        for node in self.graph.nodes() {
            self.bound = [None; MAX_VARIABLES];
            self.bind(rule.premise.1, Some(node));
            self.join(index, rule, 0);
        }
    }

    fn bind(&mut self, variable: usize, node: Option<NodeId>) {
        if let Some(slot) = self.bound.get_mut(variable) {
            *slot = node;
        }
    }

    fn get(&self, variable: usize) -> Option<NodeId> {
        self.bound.get(variable).copied().flatten()
    }

    fn join(&mut self, index: u16, rule: &Rule, at: usize) {
        let Some(atom) = rule.atoms.get(at) else { return self.found(index, rule) };
        match *atom {
            Atom::Kind(kind, variable) => {
                if self.get(variable).is_some_and(|node| self.graph.kind(node) == kind) {
                    self.join(index, rule, at + 1);
                }
            }
            Atom::Mark(mark, variable) => {
                if self.get(variable).is_some_and(|node| marked(self.graph, mark, node, self.gives_control)) {
                    self.join(index, rule, at + 1);
                }
            }
            Atom::Edge(kind, from, to) => {
                let graph = self.graph;
                let (known_from, known_to) = (self.get(from), self.get(to));
                let fits = |edge: &EdgeId| {
                    graph.edge_kind(*edge) == Some(kind)
                        && known_from.is_none_or(|node| graph.from(*edge) == node)
                        && known_to.is_none_or(|node| graph.to(*edge) == node)
                };
                let candidates: Vec<EdgeId> = match (known_from, known_to) {
                    (Some(node), _) => graph.outgoing(node).filter(fits).collect(),
                    (None, Some(node)) => graph.incoming(node).filter(fits).collect(),
                    (None, None) => Vec::new(),
                };
                for edge in candidates {
                    self.bind(from, Some(graph.from(edge)));
                    self.bind(to, Some(graph.to(edge)));
                    self.edges.push(edge);
                    self.join(index, rule, at + 1);
                    self.edges.pop();
                    self.bind(from, known_from);
                    self.bind(to, known_to);
                }
            }
        }
    }

    fn found(&mut self, rule: u16, stated: &Rule) {
        let (Some(from), Some(to)) = (self.get(stated.premise.1), self.get(stated.head.1)) else { return };
        let from = State { state: stated.premise.0, node: from };
        let to = State { state: stated.head.0, node: to };
        let Ok(start) = u32::try_from(self.evidence.len()) else { return };
        if from == to || self.steps.len() >= MAX_STEPS {
            return;
        }
        let flaw =
            |edge: &&EdgeId| self.graph.edge_kind(**edge) == Some(yagura_model::graph::EdgeKind::Affected);
        let flaw = self.edges.iter().find(flaw).copied();
        self.evidence.extend_from_slice(&self.edges);
        let count = u8::try_from(self.edges.len()).unwrap_or(u8::MAX);
        self.steps.push(Step { from, to, rule, flaw, edges: (start, count) });
    }
}
