//! The graph of all conditions, and its evaluation.

use std::collections::HashMap;
use std::ops::ControlFlow;

use yagura_model::field::{EventType, Fields, Multiplicity};

use super::event_types::EventTypes;
use super::matcher::Matcher;
use super::operand::Operand;

/// A node of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

#[derive(Clone, Debug)]
pub enum Node {
    Never,
    Always,
    /// The event is of one of these types.
    Types(EventTypes),
    Check(Box<Check>),
    Not(NodeId),
    /// In the order in which they are asked.
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
}

/// A comparison of an operand.
#[derive(Clone, Debug)]
pub struct Check {
    pub operand: Operand,
    pub matcher: Matcher,
    pub quantifier: Quantifier,
}

/// Which of an operand's values must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// The only one.
    Single,
    Any,
    /// All, and there must be one.
    All,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Types(EventTypes),
    /// A check as it is written.
    Check(String),
    Not(NodeId),
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
}

/// Conditions of one source, with all that they share.
#[derive(Clone, Debug)]
pub struct Program {
    nodes: Vec<Node>,
    costs: Vec<u32>,
    /// How many nodes and conditions ask for a node; one that only one asks for need not be remembered.
    uses: Vec<u32>,
    keys: HashMap<Key, NodeId>,
    /// Every event type that a condition names.
    named: EventTypes,
}

/// What was answered for the current event. One for each thread that evaluates.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The number of the event that a node was last answered for, doubled, plus the answer.
    answers: Vec<u32>,
    event: u32,
}

impl Memory {
    /// Forgets all answers: another event comes.
    pub fn next_event(&mut self) {
        self.event = self.event.wrapping_add(1) & (u32::MAX >> 1);
        if self.event == 0 {
            self.answers.fill(0);
            self.event = 1;
        }
    }
}

impl Default for Program {
    fn default() -> Self {
        Self {
            nodes: vec![Node::Never, Node::Always],
            costs: vec![0, 0],
            uses: vec![0, 0],
            keys: HashMap::new(),
            named: EventTypes::default(),
        }
    }
}

impl Program {
    pub const NEVER: NodeId = NodeId(0);
    pub const ALWAYS: NodeId = NodeId(1);

    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Never)
    }

    /// Nodes in it.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 2
    }

    fn cost(&self, id: NodeId) -> u32 {
        self.costs.get(id.0 as usize).copied().unwrap_or_default()
    }

    fn add(&mut self, key: Key, cost: u32, node: impl FnOnce() -> Node) -> NodeId {
        if let Some(known) = self.keys.get(&key) {
            return *known;
        }
        let Ok(id) = u32::try_from(self.nodes.len()).map(NodeId) else { return Self::NEVER };
        let node = node();
        match &node {
            Node::Not(child) => self.use_node(*child),
            Node::And(children) | Node::Or(children) => {
                children.iter().for_each(|child| self.use_node(*child));
            }
            Node::Never | Node::Always | Node::Types(_) | Node::Check(_) => {}
        }
        self.nodes.push(node);
        self.costs.push(cost);
        self.uses.push(0);
        self.keys.insert(key, id);
        id
    }

    /// Notes that a condition starts at this node.
    pub fn use_node(&mut self, id: NodeId) {
        if let Some(uses) = self.uses.get_mut(id.0 as usize) {
            *uses = uses.saturating_add(1);
        }
    }

    pub fn types(&mut self, types: EventTypes) -> NodeId {
        if types.is_empty() {
            return Self::NEVER;
        }
        self.named.extend(&types);
        self.add(Key::Types(types.clone()), 0, || Node::Types(types))
    }

    pub(super) fn check(
        &mut self,
        written: String,
        check: impl FnOnce() -> Result<Check, super::CompileError>,
    ) -> Result<NodeId, super::CompileError> {
        let key = Key::Check(written);
        if let Some(known) = self.keys.get(&key) {
            return Ok(*known);
        }
        let check = check()?;
        let effort = match (&check.quantifier, check.operand.multiplicity, check.operand.field()) {
            // All ancestors.
            (_, Multiplicity::Any, _) => 8,
            // A transformer.
            (_, _, None) => 6,
            (Quantifier::Single, ..) => 1,
            _ => 2,
        };
        let cost = check.matcher.cost().saturating_mul(effort);
        Ok(self.add(key, cost, || Node::Check(Box::new(check))))
    }

    pub fn not(&mut self, child: NodeId) -> NodeId {
        match self.node(child) {
            Node::Never => Self::ALWAYS,
            Node::Always => Self::NEVER,
            Node::Not(inner) => *inner,
            _ => {
                let cost = self.cost(child);
                self.add(Key::Not(child), cost, || Node::Not(child))
            }
        }
    }

    pub fn and(&mut self, children: Vec<NodeId>) -> NodeId {
        self.join(children, Self::ALWAYS, Self::NEVER, true)
    }

    pub fn or(&mut self, children: Vec<NodeId>) -> NodeId {
        self.join(children, Self::NEVER, Self::ALWAYS, false)
    }

    /// Flattens, drops what changes nothing, and puts the cheap ones first.
    fn join(&mut self, children: Vec<NodeId>, neutral: NodeId, decisive: NodeId, is_and: bool) -> NodeId {
        let mut flat = Vec::with_capacity(children.len());
        for child in children {
            match self.node(child) {
                Node::And(inner) if is_and => flat.extend_from_slice(inner),
                Node::Or(inner) if !is_and => flat.extend_from_slice(inner),
                _ => flat.push(child),
            }
        }
        if flat.contains(&decisive) {
            return decisive;
        }
        flat.retain(|child| *child != neutral);
        flat.sort_by_key(|child| (self.cost(*child), *child));
        flat.dedup();
        match flat.as_slice() {
            [] => neutral,
            [only] => *only,
            _ => {
                // The first one is always asked, the others seldom.
                let cost = flat
                    .iter()
                    .enumerate()
                    .fold(0_u32, |sum, (at, child)| sum.saturating_add(self.cost(*child) >> at.min(3)));
                let children: Box<[NodeId]> = flat.into();
                let key = if is_and { Key::And(children.clone()) } else { Key::Or(children.clone()) };
                self.add(key, cost, || if is_and { Node::And(children) } else { Node::Or(children) })
            }
        }
    }

    /// Every event type that some condition names: all others are alike to this program.
    pub fn named_types(&self) -> &EventTypes {
        &self.named
    }

    /// The condition as it is for events of one type, or of a type that no condition names.
    pub fn specialise(
        &mut self,
        id: NodeId,
        event_type: Option<EventType>,
        known: &mut HashMap<NodeId, NodeId>,
    ) -> NodeId {
        if let Some(done) = known.get(&id) {
            return *done;
        }
        let result = match self.node(id).clone() {
            Node::Never | Node::Always | Node::Check(_) => id,
            Node::Types(types) => {
                if event_type.is_some_and(|event_type| types.contains(event_type)) {
                    Self::ALWAYS
                } else {
                    Self::NEVER
                }
            }
            Node::Not(child) => {
                let child = self.specialise(child, event_type, known);
                self.not(child)
            }
            Node::And(children) => {
                let children =
                    children.iter().map(|child| self.specialise(*child, event_type, known)).collect();
                self.and(children)
            }
            Node::Or(children) => {
                let children =
                    children.iter().map(|child| self.specialise(*child, event_type, known)).collect();
                self.or(children)
            }
        };
        known.insert(id, result);
        result
    }

    /// Whether an event satisfies a condition. [`Memory::next_event`] must be called before each event's first one.
    pub fn evaluate<E: Fields + ?Sized>(&self, id: NodeId, event: &E, memory: &mut Memory) -> bool {
        let index = id.0 as usize;
        let shared = self.uses.get(index).is_some_and(|uses| *uses > 1);
        if shared
            && let Some(answer) = memory.answers.get(index)
            && answer >> 1 == memory.event
        {
            return answer & 1 == 1;
        }
        let answer = match self.node(id) {
            Node::Never => false,
            Node::Always => true,
            Node::Types(types) => event.event_type().is_some_and(|event_type| types.contains(event_type)),
            Node::Check(check) => check.holds(event),
            Node::Not(child) => !self.evaluate(*child, event, memory),
            Node::And(children) => children.iter().all(|child| self.evaluate(*child, event, memory)),
            Node::Or(children) => children.iter().any(|child| self.evaluate(*child, event, memory)),
        };
        if shared {
            if memory.answers.len() < self.nodes.len() {
                memory.answers.resize(self.nodes.len(), 0);
            }
            if let Some(place) = memory.answers.get_mut(index) {
                *place = memory.event << 1 | u32::from(answer);
            }
        }
        answer
    }
}

impl Check {
    fn holds<E: Fields + ?Sized>(&self, event: &E) -> bool {
        match self.quantifier {
            Quantifier::Single => {
                let value = match self.operand.field() {
                    Some(field) => event.value(field),
                    None => self.operand.value(event),
                };
                value.is_some_and(|value| self.matcher.matches(&value, event))
            }
            Quantifier::Any => {
                let mut found = false;
                self.operand.each(event, &mut |value| {
                    found = self.matcher.matches(value, event);
                    if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                found
            }
            Quantifier::All => {
                let mut all = true;
                let present = self.operand.each(event, &mut |value| {
                    all = self.matcher.matches(value, event);
                    if all { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                present && all
            }
        }
    }
}
