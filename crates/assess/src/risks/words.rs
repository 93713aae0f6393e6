//! A score as a risk that people can follow and argue with.

use std::collections::BTreeSet;

use yagura_model::graph::{EdgeId, EdgeKind, NodeId, NodeKind};
use yagura_model::risk::{Hop, Place, Proof, Risk, Term, TermName, Urgency};

use super::{Assessment, Reachability, Scored, Searched};
use crate::paths::{AttackState, State};
use crate::profiles::Use;

/// Goals that hurt even where no flaw is needed to get there; a workload that is open to the internet is not one.
const LEAST_OPEN_WORTH: f64 = 0.55;

impl Assessment<'_> {
    pub(super) fn describe(&self, scored: &Scored, searched: &Searched) -> Risk {
        let graph = self.graph();
        let group = &self.groups[scored.group];
        let flaw = &self.stack.flaws[scored.flaw];
        let deciding = self.sources.findings.get(flaw.finding);
        let mut findings: Vec<String> = deciding.map(|finding| finding.id.clone()).into_iter().collect();
        let others = group.flaws.iter().filter(|other| **other != scored.flaw);
        findings.extend(others.filter_map(|other| {
            self.sources.findings.get(self.stack.flaws.get(*other)?.finding).map(|finding| finding.id.clone())
        }));
        let (image, package) = (graph.label(group.image), graph.label(group.package));
        let more = match group.flaws.len().saturating_sub(1) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let path = self.steps_of(scored, searched);
        let consequence = self.consequence(scored, searched);
        Risk {
            id: format!("RISK-{:016x}", stable_hash(graph.key(group.package))),
            title: format!(
                "{} ({}){more} in {package} of {image}",
                graph.label(flaw.vulnerability),
                flaw.exploitation.severity.name()
            ),
            score: rounded(scored.score),
            findings,
            urgency: Urgency::of_score(scored.score),
            terms: self.terms(scored, &consequence),
            reason: self.reason(scored, &consequence),
            path: path.iter().filter_map(|index| self.hop(*index)).collect(),
            changes: Vec::new(),
            after: None,
        }
    }

    /// The steps from the attacker's start over the flaw to what hurts; empty where nobody gets there.
    pub(super) fn steps_of(&self, scored: &Scored, searched: &Searched) -> Vec<usize> {
        let graph = self.graph();
        let Some(workload) = scored.workload else { return Vec::new() };
        let before = State { state: AttackState::Reaches, node: workload };
        let reach = match scored.reachability {
            Reachability::Internet | Reachability::Chained(_) => &searched.internet,
            Reachability::Outside => &searched.outside,
            Reachability::Cluster => &searched.within,
            Reachability::None | Reachability::Unknown => return Vec::new(),
        };
        let mut path = reach.path(graph, &self.steps, before);
        let flaw = &self.stack.flaws[scored.flaw];
        let control = State { state: AttackState::Controls, node: workload };
        let uses_flaw = |index: &usize| {
            self.steps.steps.get(*index).is_some_and(|step| {
                step.to == control
                    && step.flaw.is_some_and(|edge| {
                        graph.from(edge) == flaw.package && graph.to(edge) == flaw.vulnerability
                    })
            })
        };
        let of_state = self.steps.outgoing(crate::paths::steps::number(graph, before));
        if let Some(exploit) = of_state.into_iter().find(uses_flaw) {
            path.push(exploit);
            path.extend(searched.consequence.path(graph, &self.steps, control).0);
        }
        path
    }

    /// What whoever succeeds has in the end, in words.
    fn consequence(&self, scored: &Scored, searched: &Searched) -> String {
        let graph = self.graph();
        let flaw = &self.stack.flaws[scored.flaw];
        let Some(workload) = scored.workload else { return "nothing says where it runs".to_owned() };
        if !flaw.exploitation.gives_control() {
            return match flaw.exploitation.vector {
                Some(vector) if !vector.gives_more_than_a_stop => {
                    format!("can only stop {}", graph.label(workload))
                }
                _ => format!("gives something of {}, not control", graph.label(workload)),
            };
        }
        let control = State { state: AttackState::Controls, node: workload };
        let (_, end) = searched.consequence.path(graph, &self.steps, control);
        let goal = searched.consequence.goal(graph, self.rules, end);
        format!("{} ({})", goal.map_or("has it", |goal| goal.title.as_str()), graph.label(end.node))
    }

    fn terms(&self, scored: &Scored, consequence: &str) -> Vec<Term> {
        let flaw = &self.stack.flaws[scored.flaw];
        let finding = self.sources.findings.get(flaw.finding);
        let fixed = finding.and_then(|finding| finding.fixed_version.as_deref());
        let (reached, known) = self.reached(scored);
        let fact = |name, value: f64, known, fact: String| Term {
            name,
            value: rounded(value * 100.0) / 100.0,
            known,
            fact,
        };
        let usage = match flaw.usage {
            Use::Unknown if flaw.use_fact.is_empty() => "no profile says whether it is used".to_owned(),
            usage => format!("{}: {}", usage.name(), flaw.use_fact),
        };
        vec![
            fact(
                TermName::Exploitation,
                scored.exploitation,
                flaw.exploitation.value().1,
                flaw.exploitation.words(),
            ),
            fact(TermName::Reachability, scored.reachability.share(), known, reached),
            fact(TermName::InUse, flaw.usage.share(), flaw.usage != Use::Unknown, usage),
            fact(
                TermName::Power,
                scored.power,
                scored.power_known,
                format!("whoever succeeds {consequence}"),
            ),
            fact(
                TermName::Fixability,
                scored.fix,
                true,
                match fixed {
                    Some(version) => format!("fixed in {version}"),
                    None => "no fixed version is known".to_owned(),
                },
            ),
        ]
    }

    fn reached(&self, scored: &Scored) -> (String, bool) {
        let flaw = &self.stack.flaws[scored.flaw];
        let workload = scored.workload.map(|workload| self.graph().label(workload)).unwrap_or_default();
        match scored.reachability {
            _ if !flaw.exploitation.is_remote() => ("needs local access".to_owned(), true),
            Reachability::Internet => (format!("{workload} is reached from {}", self.start), true),
            Reachability::Chained(_) => {
                (format!("{workload} is reached from {} once another flaw was used", self.start), true)
            }
            Reachability::Outside => (
                format!("{workload} is open outside the cluster; whether to the internet was not read"),
                false,
            ),
            Reachability::Cluster => (format!("{workload} is reached only from within the cluster"), true),
            Reachability::None if scored.workload.is_some() => {
                (format!("nothing that was read reaches {workload}"), true)
            }
            Reachability::None => ("no workload that was read runs it".to_owned(), true),
            Reachability::Unknown => ("nothing says where it runs".to_owned(), false),
        }
    }

    fn reason(&self, scored: &Scored, consequence: &str) -> String {
        let flaw = &self.stack.flaws[scored.flaw];
        let (reached, _) = self.reached(scored);
        let usage = match flaw.usage {
            Use::Listening => ", the code listens",
            Use::Loaded => ", the code is loaded",
            Use::Opened => ", only data of it was read",
            Use::Unused => ", the code was not seen in use",
            Use::Unknown => "",
        };
        if matches!(scored.reachability, Reachability::None) || !flaw.exploitation.is_remote() {
            return format!("Can wait: {reached}{usage}.");
        }
        let start = if flaw.usage == Use::Unused { "Can wait: " } else { "" };
        format!("{start}{reached}{usage}; whoever uses it {consequence}.")
    }

    fn hop(&self, index: usize) -> Option<Hop> {
        let step = self.steps.steps.get(index)?;
        let rule = self.rules.rules.get(usize::from(step.rule))?;
        let graph = self.graph();
        let evidence = self.steps.edges(step).iter().filter(|edge| {
            // That a namespace or image consists of its parts proves nothing by itself.
            graph.edge_kind(**edge) != Some(EdgeKind::Contains)
                || graph.kind(graph.to(**edge)) == NodeKind::Package
        });
        let mut evidence: Vec<Proof> = evidence
            .map(|edge| Proof { fact: graph.fact(*edge).to_owned(), place: graph.place(*edge).to_owned() })
            .collect();
        evidence.extend(step.flaw.and_then(|edge| self.seen_running(edge)));
        Some(Hop {
            from: self.place(step.from.node),
            to: self.place(step.to.node),
            state: step.to.state.name().to_owned(),
            rule: rule.id.clone(),
            title: rule.title.clone(),
            technique: rule.technique.clone(),
            evidence,
        })
    }

    /// The program that was seen with a flaw's code.
    fn seen_running(&self, affected: EdgeId) -> Option<Proof> {
        let flaw = self.stack.flaws.get(*self.flaw_of.get(&affected)?)?;
        let seen = matches!(flaw.usage, Use::Listening | Use::Loaded | Use::Opened);
        seen.then(|| Proof { fact: flaw.use_fact.clone(), place: flaw.use_place.clone() })
    }

    pub(super) fn place(&self, node: NodeId) -> Place {
        let graph = self.graph();
        Place { id: graph.identity(node), kind: graph.kind(node), label: graph.label(node).to_owned() }
    }

    /// What the internet has without using any flaw.
    pub(super) fn open_goals(&self, searched: &Searched) -> Vec<Risk> {
        let graph = self.graph();
        let mut open = Vec::new();
        let mut seen = BTreeSet::new();
        for node in graph.nodes() {
            for state in [AttackState::Controls, AttackState::Reads] {
                let Some(goal) = self.rules.goal(state, graph.kind(node)) else { continue };
                let at = State { state, node };
                if goal.worth < LEAST_OPEN_WORTH
                    || self.starts.contains(&node)
                    || self.reachability(at, searched) != Reachability::Internet
                {
                    continue;
                }
                let path = searched.internet.path(graph, &self.steps, at);
                // What follows from something that is open is not told again.
                let inner =
                    path.iter().rev().skip(1).filter_map(|index| self.steps.steps.get(*index)).any(|step| {
                        self.rules
                            .goal(step.to.state, graph.kind(step.to.node))
                            .is_some_and(|goal| goal.worth >= LEAST_OPEN_WORTH)
                    });
                if inner || !seen.insert((node, state)) {
                    continue;
                }
                let score = 100.0 * goal.worth;
                open.push(Risk {
                    id: format!(
                        "RISK-{:016x}",
                        stable_hash(&format!("open {} {}", state.name(), graph.identity(node)))
                    ),
                    title: match self.sources.from {
                        [] => format!("Anybody on the internet {}: {}", goal.title, graph.label(node)),
                        _ => {
                            format!("Whoever starts at {} {}: {}", self.start, goal.title, graph.label(node))
                        }
                    },
                    score: rounded(score),
                    urgency: Urgency::of_score(score),
                    terms: vec![
                        Term {
                            name: TermName::Reachability,
                            value: 1.0,
                            known: true,
                            fact: format!("open to {}, no flaw is needed", self.start),
                        },
                        Term {
                            name: TermName::Power,
                            value: goal.worth,
                            known: true,
                            fact: format!("whoever gets there {}", goal.title),
                        },
                    ],
                    path: path.iter().filter_map(|index| self.hop(*index)).collect(),
                    reason: format!("{} is open to {}; no flaw is needed.", graph.label(node), self.start),
                    ..Risk::default()
                });
            }
        }
        open
    }
}

/// FNV-1a: the same in every run and on every machine.
pub(super) fn stable_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// To one place behind the point.
fn rounded(score: f64) -> f64 {
    (score * 10.0).round() / 10.0
}
