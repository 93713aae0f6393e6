//! The best way from where attackers start to each state, and from each state to what hurts most.
//!
//! "Best" is the likeliest: the product of what each step says of its success. Both searches visit each step once.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use yagura_model::graph::Graph;

use super::rules::{Goal, Rules};
use super::steps::{State, Steps, number};

/// How likely an attacker is to get to each state, and by which step.
pub struct Reach {
    likelihood: Vec<f64>,
    /// The last step of the best way; none for starts and for what is not reached.
    by: Vec<Option<u32>>,
}

/// What is worst from each state on: its worth times the likelihood of getting there.
pub struct Consequence {
    worth: Vec<f64>,
    /// The next step of the worst way; none where the state itself is the worst.
    by: Vec<Option<u32>>,
}

/// The searches over one set of steps.
pub struct Search<'a> {
    pub graph: &'a Graph,
    pub steps: &'a Steps,
    pub rules: &'a Rules,
    /// How likely each step succeeds, 0 (it is cut) to 1.
    pub likelihood: &'a dyn Fn(usize) -> f64,
}

/// A state to be visited, the likeliest first.
struct Waiting {
    value: f64,
    state: usize,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of equals the lower number first, so that results do not depend on the order of work.
        self.value.total_cmp(&other.value).then_with(|| other.state.cmp(&self.state))
    }
}

/// Each further step is taken to be a little harder, so that of equally likely ways the shortest is shown.
const PER_STEP: f64 = 0.999;

impl Search<'_> {
    /// From these starts on.
    pub fn from(&self, starts: &[State]) -> Reach {
        let count = self.graph.node_count().saturating_mul(3);
        let mut reach = Reach { likelihood: vec![0.0; count], by: vec![None; count] };
        let mut waiting = BinaryHeap::new();
        for start in starts {
            let state = number(self.graph, *start);
            if let Some(slot) = reach.likelihood.get_mut(state) {
                *slot = 1.0;
                waiting.push(Waiting { value: 1.0, state });
            }
        }
        while let Some(Waiting { value, state }) = waiting.pop() {
            if value < reach.at(state) {
                continue;
            }
            for index in self.steps.outgoing(state) {
                let Some(step) = self.steps.steps.get(index) else { continue };
                let next = number(self.graph, step.to);
                let better = value * (self.likelihood)(index) * PER_STEP;
                if better > reach.at(next) {
                    set(&mut reach.likelihood, next, better);
                    set(&mut reach.by, next, u32::try_from(index).ok());
                    waiting.push(Waiting { value: better, state: next });
                }
            }
        }
        reach
    }

    /// Back from the goals.
    pub fn to_goals(&self) -> Consequence {
        let count = self.graph.node_count().saturating_mul(3);
        let mut found = Consequence { worth: vec![0.0; count], by: vec![None; count] };
        let mut waiting = BinaryHeap::new();
        for node in self.graph.nodes() {
            for goal in self.rules.goals.iter().filter(|goal| goal.kind == self.graph.kind(node)) {
                let state = number(self.graph, State { state: goal.state, node });
                if goal.worth > found.at(state) {
                    set(&mut found.worth, state, goal.worth);
                    waiting.push(Waiting { value: goal.worth, state });
                }
            }
        }
        while let Some(Waiting { value, state }) = waiting.pop() {
            if value < found.at(state) {
                continue;
            }
            for index in self.steps.incoming(state) {
                let Some(step) = self.steps.steps.get(index) else { continue };
                let before = number(self.graph, step.from);
                let better = value * (self.likelihood)(index) * PER_STEP;
                if better > found.at(before) {
                    set(&mut found.worth, before, better);
                    set(&mut found.by, before, u32::try_from(index).ok());
                    waiting.push(Waiting { value: better, state: before });
                }
            }
        }
        found
    }
}

fn set<T>(slots: &mut [T], at: usize, value: T) {
    if let Some(slot) = slots.get_mut(at) {
        *slot = value;
    }
}

/// Most steps of a path that is followed; a search cannot make longer ones without repeating a state.
const MAX_PATH: usize = 64;

impl Reach {
    fn at(&self, state: usize) -> f64 {
        self.likelihood.get(state).copied().unwrap_or(0.0)
    }

    /// 0 where it is not reached.
    pub fn likelihood(&self, graph: &Graph, state: State) -> f64 {
        self.at(number(graph, state))
    }

    /// The steps of the best way to a state, first to last.
    pub fn path(&self, graph: &Graph, steps: &Steps, to: State) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = number(graph, to);
        while path.len() < MAX_PATH {
            let Some(index) = self.by.get(at).copied().flatten().and_then(|by| usize::try_from(by).ok())
            else {
                break;
            };
            let Some(step) = steps.steps.get(index) else { break };
            path.push(index);
            at = number(graph, step.from);
        }
        path.reverse();
        path
    }
}

impl Consequence {
    fn at(&self, state: usize) -> f64 {
        self.worth.get(state).copied().unwrap_or(0.0)
    }

    /// 0 where nothing follows that hurts.
    pub fn worth(&self, graph: &Graph, state: State) -> f64 {
        self.at(number(graph, state))
    }

    /// The steps from a state to the worst that follows, and the state at their end.
    pub fn path(&self, graph: &Graph, steps: &Steps, from: State) -> (Vec<usize>, State) {
        let mut path = Vec::new();
        let mut end = from;
        while path.len() < MAX_PATH {
            let at = number(graph, end);
            let Some(index) = self.by.get(at).copied().flatten().and_then(|by| usize::try_from(by).ok())
            else {
                break;
            };
            let Some(step) = steps.steps.get(index) else { break };
            path.push(index);
            end = step.to;
        }
        (path, end)
    }

    /// The goal a state is.
    pub fn goal<'r>(&self, graph: &Graph, rules: &'r Rules, state: State) -> Option<&'r Goal> {
        rules.goal(state.state, graph.kind(state.node))
    }
}
