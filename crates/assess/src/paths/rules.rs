//! The rules of attack paths and the goals, as their files state them.

use yagura_formats::document::{Node, yaml};
use yagura_model::graph::{EdgeKind, NodeKind};

/// What an attacker has of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttackState {
    /// Can send to it.
    Reaches,
    /// Runs code in it, or acts as it.
    Controls,
    /// Has what is in it.
    Reads,
}

impl AttackState {
    pub const ALL: [Self; 3] = [Self::Reaches, Self::Controls, Self::Reads];

    pub fn name(self) -> &'static str {
        match self {
            Self::Reaches => "reaches",
            Self::Controls => "controls",
            Self::Reads => "reads",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Most nodes one rule speaks of.
pub(super) const MAX_VARIABLES: usize = 8;

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: String,
    /// What the attacker does, as an instruction: "Break out to the node".
    pub title: String,
    /// ATT&CK technique.
    pub technique: String,
    /// Whether somebody who tries succeeds, 0 to 1.
    pub ease: f64,
    pub(super) head: (AttackState, usize),
    pub(super) premise: (AttackState, usize),
    pub(super) atoms: Vec<Atom>,
}

/// A condition on the graph; numbers stand for variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Edge(EdgeKind, usize, usize),
    Kind(NodeKind, usize),
    Mark(Mark, usize),
}

/// What is said of nodes besides their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Stands for somebody outside.
    Outside,
    /// A flaw that lets whoever can send to the program run code in it, or change what it does.
    GivesControl,
    /// Something one can act as.
    IdentityLike,
    HoldsData,
}

/// What hurts.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    pub state: AttackState,
    pub kind: NodeKind,
    /// Of the worst, 0 to 1.
    pub worth: f64,
    /// What whoever is there has: "reads a secret".
    pub title: String,
}

#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub rules: Vec<Rule>,
    pub goals: Vec<Goal>,
}

impl Rules {
    /// The rules that the program carries. A line that cannot be read is an error in words.
    pub fn built_in() -> Result<Self, String> {
        let mut all = Self::default();
        for file in yagura_rules::family("attack-paths") {
            all.read(file.text).map_err(|error| format!("attack-paths/{}: {error}", file.path))?;
        }
        Ok(all)
    }

    /// Adds the rules and goals of a file.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        let tree = yaml::parse(text);
        let root = tree.root().ok_or("no document")?;
        for node in root.get("rules").map(Node::items).unwrap_or_default() {
            self.rules.push(Rule::read(node).map_err(|error| format!("line {}: {error}", node.span.line))?);
        }
        for node in root.get("goals").map(Node::items).unwrap_or_default() {
            self.goals.push(Goal::read(node).map_err(|error| format!("line {}: {error}", node.span.line))?);
        }
        Ok(())
    }

    /// The goal that a state of a node of this kind is.
    pub fn goal(&self, state: AttackState, kind: NodeKind) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.state == state && goal.kind == kind)
    }
}

fn text(node: &Node<'_>, key: &str) -> Result<String, String> {
    node.text_of(key).map(str::to_owned).ok_or(format!("no `{key}`"))
}

fn share(node: &Node<'_>, key: &str, default: Option<f64>) -> Result<f64, String> {
    let stated = node.text_of(key).and_then(|text| text.parse::<f64>().ok());
    stated.or(default).filter(|value| (0.0..=1.0).contains(value)).ok_or(format!("`{key}` is not in 0 to 1"))
}

impl Rule {
    fn read(node: &Node<'_>) -> Result<Self, String> {
        let rule = text(node, "rule")?;
        let (head, body) = rule.split_once("<-").ok_or("no `<-`")?;
        let mut names = Vec::new();
        let head = state_atom(head, &mut names)?;
        let mut parts = atoms(body)?.into_iter();
        let premise = state_atom(parts.next().ok_or("nothing behind `<-`")?, &mut names)?;
        let mut bound = vec![false; MAX_VARIABLES];
        bind(&mut bound, premise.1);
        let mut read = Vec::new();
        for part in parts {
            let (name, arguments) = call(part)?;
            let variables: Vec<usize> =
                arguments.iter().map(|name| variable(name, &mut names)).collect::<Result<_, _>>()?;
            let atom = match variables.as_slice() {
                [one] => match (mark(name), NodeKind::of_name(name)) {
                    (Some(mark), _) => Atom::Mark(mark, *one),
                    (None, Some(kind)) => Atom::Kind(kind, *one),
                    (None, None) => return Err(format!("`{name}` is no kind and no mark")),
                },
                [from, to] => {
                    let kind = EdgeKind::of_name(name).ok_or(format!("`{name}` is no kind of edge"))?;
                    Atom::Edge(kind, *from, *to)
                }
                _ => return Err(format!("`{part}` has one or two nodes")),
            };
            if !variables.iter().any(|one| bound.get(*one).copied().unwrap_or(false)) {
                return Err(format!("`{part}` speaks of nothing that stands before it"));
            }
            variables.iter().for_each(|one| bind(&mut bound, *one));
            read.push(atom);
        }
        if !bound.get(head.1).copied().unwrap_or(false) {
            return Err("the head speaks of nothing behind `<-`".to_owned());
        }
        Ok(Self {
            id: text(node, "id")?,
            title: text(node, "title")?,
            technique: text(node, "technique")?,
            ease: share(node, "ease", Some(1.0))?,
            head,
            premise,
            atoms: read,
        })
    }
}

fn bind(bound: &mut [bool], variable: usize) {
    if let Some(slot) = bound.get_mut(variable) {
        *slot = true;
    }
}

/// The parts between commas that stand outside parentheses.
fn atoms(body: &str) -> Result<Vec<&str>, String> {
    let parts: Vec<&str> =
        body.split_inclusive(')').map(|part| part.trim_start_matches([',', ' ']).trim()).collect();
    match parts.iter().find(|part| !part.ends_with(')')) {
        Some(part) if !part.is_empty() => Err(format!("`{part}` has no parentheses")),
        _ => Ok(parts.into_iter().filter(|part| !part.is_empty()).collect()),
    }
}

/// `name(A, B)` as a name and its arguments.
pub fn call(part: &str) -> Result<(&str, Vec<&str>), String> {
    let wrong = || format!("`{part}` is not of the form name(A, B)");
    let (name, rest) = part.trim().split_once('(').ok_or_else(wrong)?;
    let arguments = rest.strip_suffix(')').ok_or_else(wrong)?;
    Ok((name.trim(), arguments.split(',').map(str::trim).collect()))
}

fn state_atom(part: &str, names: &mut Vec<String>) -> Result<(AttackState, usize), String> {
    let (name, arguments) = call(part.trim())?;
    let state = AttackState::of_name(name).ok_or(format!("`{name}` is no state"))?;
    match arguments.as_slice() {
        [one] => Ok((state, variable(one, names)?)),
        _ => Err(format!("`{part}` speaks of one node")),
    }
}

fn variable(name: &str, names: &mut Vec<String>) -> Result<usize, String> {
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Err(format!("`{name}` is no variable: they start with a capital letter"));
    }
    if let Some(known) = names.iter().position(|known| known == name) {
        return Ok(known);
    }
    if names.len() == MAX_VARIABLES {
        return Err(format!("more than {MAX_VARIABLES} variables"));
    }
    names.push(name.to_owned());
    Ok(names.len() - 1)
}

pub(super) fn mark(name: &str) -> Option<Mark> {
    Some(match name {
        "outside" => Mark::Outside,
        "gives-control" => Mark::GivesControl,
        "identity-like" => Mark::IdentityLike,
        "holds-data" => Mark::HoldsData,
        _ => return None,
    })
}

impl Goal {
    fn read(node: &Node<'_>) -> Result<Self, String> {
        let (state, kind) = (text(node, "state")?, text(node, "kind")?);
        Ok(Self {
            state: AttackState::of_name(&state).ok_or(format!("`{state}` is no state"))?,
            kind: NodeKind::of_name(&kind).ok_or(format!("`{kind}` is no kind"))?,
            worth: share(node, "worth", None)?,
            title: text(node, "title")?,
        })
    }
}
