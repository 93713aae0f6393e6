//! A path as a picture: one box a node, one lane a layer of the stack, arrows in the order of the steps.

use std::fmt::Write as _;

use yagura_model::graph::NodeKind;
use yagura_model::risk::Hop;

use super::escape;
use crate::terminal::fit;

const COLUMN: f64 = 176.0;
const LANE: f64 = 76.0;
const BOX_WIDTH: f64 = 148.0;
const BOX_HEIGHT: f64 = 44.0;
/// Room for the lanes' names.
const LEFT: f64 = 84.0;
/// Columns of a label and of a lane's name.
const LABEL_COLUMNS: usize = 21;
const LANE_COLUMNS: usize = 12;

/// The layers of a stack, from the outside in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Outside,
    Cloud,
    Network,
    Workload,
    Code,
    Process,
    Identity,
    Machine,
    Data,
}

impl Lane {
    const ALL: [Self; 9] = [
        Self::Outside,
        Self::Cloud,
        Self::Network,
        Self::Workload,
        Self::Code,
        Self::Process,
        Self::Identity,
        Self::Machine,
        Self::Data,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Cloud => "cloud",
            Self::Network => "network",
            Self::Workload => "workload",
            Self::Code => "code",
            Self::Process => "process",
            Self::Identity => "identity",
            Self::Machine => "machine",
            Self::Data => "data",
        }
    }

    fn of(kind: NodeKind) -> Self {
        match kind {
            NodeKind::Internet | NodeKind::Unknown => Self::Outside,
            NodeKind::Process => Self::Process,
            NodeKind::CloudAccount | NodeKind::SecurityGroup | NodeKind::LoadBalancer => Self::Cloud,
            NodeKind::Network
            | NodeKind::Service
            | NodeKind::Ingress
            | NodeKind::Gateway
            | NodeKind::NetworkPolicy
            | NodeKind::Namespace
            | NodeKind::Socket => Self::Network,
            NodeKind::Workload | NodeKind::Pod | NodeKind::Container | NodeKind::Function => Self::Workload,
            NodeKind::Image
            | NodeKind::Layer
            | NodeKind::Package
            | NodeKind::File
            | NodeKind::Vulnerability
            | NodeKind::Repository
            | NodeKind::Pipeline
            | NodeKind::Registry => Self::Code,
            NodeKind::Identity
            | NodeKind::Role
            | NodeKind::Key
            | NodeKind::ServiceAccount
            | NodeKind::RoleBinding
            | NodeKind::User => Self::Identity,
            NodeKind::Node | NodeKind::Host | NodeKind::Instance | NodeKind::Cluster => Self::Machine,
            NodeKind::Bucket | NodeKind::Database | NodeKind::Secret => Self::Data,
        }
    }
}

/// One box.
struct Drawn {
    lane: Lane,
    label: String,
    /// What stands under it: the kind, or the flaw's package.
    about: String,
    /// The technique on the arrow that leads to it.
    technique: String,
    title: String,
}

/// The picture, described in words for those who do not see it.
pub(super) fn picture(name: &str, hops: &[Hop]) -> String {
    let boxes = boxes(hops);
    let lanes: Vec<Lane> =
        Lane::ALL.into_iter().filter(|lane| boxes.iter().any(|drawn| drawn.lane == *lane)).collect();
    let row = |lane: Lane| lanes.iter().position(|one| *one == lane).unwrap_or(0) as f64;
    let width = LEFT + COLUMN * boxes.len() as f64;
    let height = LANE * lanes.len() as f64;
    let words: Vec<String> = boxes.iter().map(|drawn| drawn.label.clone()).collect();
    let mut svg = format!(
        r#"<svg class="path" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{}">"#,
        escape::text(&format!("{name}: {}", words.join(" → ")))
    );
    for lane in &lanes {
        let top = row(*lane) * LANE;
        let _ = write!(
            svg,
            r#"<rect class="lane" x="0" y="{:.1}" width="{width}" height="{:.1}" rx="8"/><text class="soft" x="10" y="{:.1}">{}</text>"#,
            top + 3.0,
            LANE - 6.0,
            top + LANE / 2.0 + 4.0,
            fit(lane.name(), LANE_COLUMNS)
        );
    }
    for (at, pair) in boxes.windows(2).enumerate() {
        if let [from, to] = pair {
            arrow(&mut svg, at, row(from.lane), row(to.lane), to);
        }
    }
    for (at, drawn) in boxes.iter().enumerate() {
        let x = LEFT + COLUMN * at as f64;
        let y = row(drawn.lane) * LANE + (LANE - BOX_HEIGHT) / 2.0;
        let last = if at + 1 == boxes.len() { " last" } else { "" };
        let _ = write!(
            svg,
            r#"<g><title>{}</title><rect class="node {}{last}" x="{x:.1}" y="{y:.1}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/><text x="{:.1}" y="{:.1}">{}</text><text class="soft" x="{:.1}" y="{:.1}">{}</text></g>"#,
            escape::text(&drawn.title),
            drawn.lane.name(),
            x + 9.0,
            y + 19.0,
            escape::text(&fit(&drawn.label, LABEL_COLUMNS)),
            x + 9.0,
            y + 35.0,
            escape::text(&fit(&drawn.about, LABEL_COLUMNS))
        );
    }
    svg.push_str("</svg>");
    svg
}

/// An arrow from one column to the next: over within a lane, else down or up in the gap between the columns.
fn arrow(svg: &mut String, at: usize, from: f64, to: f64, drawn: &Drawn) {
    let start = LEFT + COLUMN * at as f64 + BOX_WIDTH;
    let end = LEFT + COLUMN * (at as f64 + 1.0);
    let (y1, y2) = (from * LANE + LANE / 2.0, to * LANE + LANE / 2.0);
    let middle = (start + end) / 2.0;
    let _ = write!(
        svg,
        r#"<path class="arrow" d="M{start:.1} {y1:.1} C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {:.1} {y2:.1}"/><path class="head" d="M{end:.1} {y2:.1} l-8 -4.5 v9 z"/><text class="technique" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
        end - 6.0,
        end + 2.0,
        y2 - 26.0,
        escape::text(&drawn.technique)
    );
}

/// The nodes in the order in which the attacker has them; the flaw that is used stands between a workload that is
/// reached and the same one controlled.
fn boxes(hops: &[Hop]) -> Vec<Drawn> {
    let mut boxes: Vec<Drawn> = Vec::new();
    if let Some(first) = hops.first() {
        boxes.push(Drawn {
            lane: Lane::of(first.from.kind),
            label: first.from.label.clone(),
            about: String::new(),
            technique: String::new(),
            title: first.from.label.clone(),
        });
    }
    for hop in hops {
        let title = format!("{} ({}): {}", hop.title, hop.technique, hop.to.label);
        if hop.from.id == hop.to.id {
            let affects = hop.evidence.iter().position(|proof| proof.fact.contains(" affects "));
            let at = affects.unwrap_or(hop.evidence.len().saturating_sub(1));
            let flaw = hop.evidence.get(at).map(|proof| proof.fact.clone()).unwrap_or_default();
            let (label, about) = flaw.split_once(" affects ").map_or((flaw.as_str(), ""), |pair| pair);
            boxes.push(Drawn {
                lane: Lane::Code,
                label: label.to_owned(),
                about: about.to_owned(),
                technique: hop.technique.clone(),
                title: format!("{title}. {flaw}"),
            });
            // A program that was seen with the flaw's code.
            for seen in hop.evidence.iter().skip(at.saturating_add(1)) {
                let (program, did) = seen.fact.split_once(' ').unwrap_or((&seen.fact, ""));
                let name = program.rsplit('/').next().unwrap_or(program);
                boxes.push(Drawn {
                    lane: Lane::Process,
                    label: name.to_owned(),
                    about: did.to_owned(),
                    technique: String::new(),
                    title: seen.fact.clone(),
                });
            }
            continue;
        }
        boxes.push(Drawn {
            lane: Lane::of(hop.to.kind),
            label: hop.to.label.clone(),
            about: format!("{} {}", hop.state, hop.to.kind.name()),
            technique: hop.technique.clone(),
            title,
        });
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::{Lane, picture};
    use yagura_model::graph::NodeKind;
    use yagura_model::risk::{Hop, Place, Proof};

    fn hop(from: (NodeKind, &str), to: (NodeKind, &str), fact: &str) -> Hop {
        let place = |(kind, label): (NodeKind, &str)| Place {
            id: format!("{}:{label}", kind.name()),
            kind,
            label: label.to_owned(),
        };
        Hop {
            from: place(from),
            to: place(to),
            state: "controls".into(),
            rule: "YGR-PATH-001".into(),
            title: "Step".into(),
            technique: "T1190".into(),
            evidence: vec![Proof { fact: fact.into(), place: String::new() }],
        }
    }

    #[test]
    fn the_flaw_stands_between_reached_and_controlled_and_nothing_escapes_its_text() {
        let web = (NodeKind::Workload, "<web>");
        let mut used = hop(web, web, "CVE-2026-1 affects lib 1.0");
        used.evidence.push(Proof { fact: "/usr/bin/php loaded /srv/<a>.php".into(), place: String::new() });
        let hops = [
            hop((NodeKind::Internet, "the internet"), web, "open"),
            used,
            hop(web, (NodeKind::Node, "node-1"), "privileged"),
        ];
        let svg = picture("The way", &hops);
        assert_eq!(svg.matches("class=\"node").count(), 5);
        assert_eq!(svg.matches("class=\"arrow\"").count(), 4);
        assert!(
            svg.contains("CVE-2026-1")
                && svg.contains(">php<")
                && svg.contains("&lt;web&gt;")
                && !svg.contains("<web>")
        );
        for lane in [Lane::Outside, Lane::Workload, Lane::Code, Lane::Process, Lane::Machine] {
            assert!(svg.contains(&format!(">{}</text>", lane.name())));
        }
    }
}
