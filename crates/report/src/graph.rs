//! The graph for other programs: Graphviz, GraphML, JSON.

use std::io::{self, Write};

use yagura_model::graph::{EdgeKind, Graph, NodeId};

use crate::terminal;

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    Dot,
    GraphMl,
    Json,
}

/// Writes every node and edge, in the order of the graph.
pub fn write(format: GraphFormat, graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    match format {
        GraphFormat::Dot => dot(graph, out),
        GraphFormat::GraphMl => graph_ml(graph, out),
        GraphFormat::Json => json(graph, out),
    }
}

fn edge_kind(kind: Option<EdgeKind>) -> &'static str {
    kind.map(EdgeKind::name).unwrap_or_default()
}

/// A quoted string of the DOT language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", terminal::escape(text).replace('\\', "\\\\").replace('"', "\\\""))
}

fn dot(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph yagura {{\n  rankdir=LR;\n  node [shape=box, style=rounded];")?;
    for node in graph.nodes() {
        let label = format!("{} ({})", graph.label(node), graph.kind(node).name());
        writeln!(out, "  {} [label={}];", quoted(&graph.identity(node)), quoted(&label))?;
    }
    for edge in graph.edges() {
        let (from, to) = (graph.identity(graph.from(edge)), graph.identity(graph.to(edge)));
        writeln!(
            out,
            "  {} -> {} [label={}, tooltip={}];",
            quoted(&from),
            quoted(&to),
            quoted(edge_kind(graph.edge_kind(edge))),
            quoted(&evidence(graph.fact(edge), graph.place(edge)))
        )?;
    }
    writeln!(out, "}}")
}

fn evidence(fact: &str, place: &str) -> String {
    if place.is_empty() { fact.to_owned() } else { format!("{fact} [{place}]") }
}

/// Text of XML 1.0: markup escaped, characters that it cannot hold made visible.
fn xml(text: &str) -> String {
    let text = terminal::escape(text);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

fn graph_ml(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
 <key id="kind" for="all" attr.name="kind" attr.type="string"/>
 <key id="label" for="node" attr.name="label" attr.type="string"/>
 <key id="fact" for="edge" attr.name="fact" attr.type="string"/>
 <key id="place" for="edge" attr.name="place" attr.type="string"/>
 <graph id="stack" edgedefault="directed">"#
    )?;
    let data = |out: &mut dyn Write, key: &str, value: &str| -> io::Result<()> {
        write!(out, r#"<data key="{key}">{}</data>"#, xml(value))
    };
    for node in graph.nodes() {
        write!(out, r#"  <node id="{}">"#, xml(&graph.identity(node)))?;
        data(out, "kind", graph.kind(node).name())?;
        data(out, "label", graph.label(node))?;
        writeln!(out, "</node>")?;
    }
    for edge in graph.edges() {
        let (from, to) = (graph.identity(graph.from(edge)), graph.identity(graph.to(edge)));
        write!(out, r#"  <edge source="{}" target="{}">"#, xml(&from), xml(&to))?;
        data(out, "kind", edge_kind(graph.edge_kind(edge)))?;
        data(out, "fact", graph.fact(edge))?;
        data(out, "place", graph.place(edge))?;
        writeln!(out, "</edge>")?;
    }
    writeln!(out, " </graph>\n</graphml>")
}

fn json(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    let node_json = |node: NodeId| {
        serde_json::json!({
            "id": graph.identity(node), "kind": graph.kind(node).name(), "label": graph.label(node)
        })
    };
    write!(out, "{{\n \"nodes\": [")?;
    let mut before = "\n  ";
    for node in graph.nodes() {
        write!(out, "{before}{}", node_json(node))?;
        before = ",\n  ";
    }
    write!(out, "\n ],\n \"edges\": [")?;
    let mut before = "\n  ";
    for edge in graph.edges() {
        let value = serde_json::json!({
            "from": graph.identity(graph.from(edge)),
            "to": graph.identity(graph.to(edge)),
            "kind": edge_kind(graph.edge_kind(edge)),
            "fact": graph.fact(edge),
            "place": graph.place(edge),
        });
        write!(out, "{before}{value}")?;
        before = ",\n  ";
    }
    writeln!(out, "\n ]\n}}")
}

#[cfg(test)]
mod tests {
    use super::{GraphFormat, write};
    use yagura_model::graph::{Builder, EdgeKind, NodeKind};

    #[test]
    fn names_of_strangers_stay_text_in_every_format() {
        let mut builder = Builder::default();
        let bad = builder.node(NodeKind::Workload, "a\"];\n<b>&", "\u{1b}[31m</node>");
        let image = builder.node(NodeKind::Image, "x", "x");
        builder.edge(bad, EdgeKind::Runs, image, "says \"hi\"\\", "f.yaml:1");
        let graph = builder.finish();
        let text = |format| {
            let mut out = Vec::new();
            write(format, &graph, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let json: serde_json::Value = serde_json::from_str(&text(GraphFormat::Json)).unwrap();
        assert_eq!(json["nodes"].as_array().unwrap().len(), 2);
        assert_eq!(json["edges"][0]["kind"], "runs");
        let xml = text(GraphFormat::GraphMl);
        assert!(!xml.contains("<b>") && !xml.contains('\u{1b}') && xml.contains("&lt;b&gt;&amp;"));
        let dot = text(GraphFormat::Dot);
        // Every quote that a name brings is escaped, so quotes pair up on each line.
        assert!(
            dot.lines()
                .all(|line| line.replace("\\\\", "").replace("\\\"", "").matches('"').count() % 2 == 0)
        );
        assert!(!dot.contains('\u{1b}'));
    }
}
