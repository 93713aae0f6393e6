//! Shell commands as rules see them.

use yagura_formats::document::{Node, Span};

use super::packages;
use crate::fields::{Fields, list, text};
use crate::shell::{Command, Script, Word, program};
use crate::spliced::Places;

/// What surrounds a command.
pub(super) struct Around<'p> {
    pub places: &'p Places<'p>,
    pub text: &'p str,
    /// Fills in what is known of a word's variables.
    pub expand: &'p dyn Fn(&str) -> Option<String>,
    /// Fields that every command of the instruction gets.
    pub context: Vec<(&'static str, Node<'static>)>,
}

/// The commands of a script as nodes.
pub(super) fn nodes(script: &Script, around: &Around<'_>) -> Vec<Node<'static>> {
    let filled: Vec<Vec<Word>> = script.commands.iter().map(|command| filled(command, around)).collect();
    let names: Vec<&str> = filled.iter().map(|words| program(words).name).collect();
    let mut nodes = Vec::with_capacity(script.commands.len());
    let mut start = 0;
    for (at, command) in script.commands.iter().enumerate() {
        let new = at == 0 || script.commands.get(at - 1).is_none_or(|last| last.pipeline != command.pipeline);
        if new {
            start = at;
        }
        let after = script.commands.iter().skip(at + 1);
        let end = at + 1 + after.take_while(|next| next.pipeline == command.pipeline).count();
        let Some(words) = filled.get(at) else { continue };
        let before = names.get(start..at).unwrap_or_default();
        let following = names.get(at + 1..end).unwrap_or_default();
        let holder = command.inside.and_then(|inside| names.get(inside)).copied();
        nodes.push(node(command, words, before, following, holder, around));
    }
    nodes
}

/// Most programs of a pipeline that each of its commands names.
const MAX_NEIGHBOURS: usize = 16;

fn node(
    command: &Command,
    words: &[Word],
    before: &[&str],
    after: &[&str],
    holder: Option<&str>,
    around: &Around<'_>,
) -> Node<'static> {
    let span = around.places.span(command.range.clone());
    let called = program(words);
    let arguments = called.arguments(words);
    let word = |word: &Word| text(word.text.clone(), around.places.span(word.range.clone()));
    let names = |names: &[&str]| {
        list(names.iter().take(MAX_NEIGHBOURS).map(|name| text(*name, span)).collect(), span)
    };
    let operands = packages::operands(arguments, &[]);
    let redirections = command.redirections.iter().map(|redirection| {
        let at = around.places.span(redirection.target.range.clone());
        Fields::at(at)
            .text("operator", redirection.operator.clone())
            .text("target", redirection.target.text.clone())
            .node()
    });
    let mut fields = Fields::at(span)
        .text("name", called.name)
        .list("arguments", arguments.iter().map(word).collect())
        .list("operands", operands.into_iter().map(word).collect())
        .list("options", options(arguments, around))
        .list("wrappers", called.wrappers.iter().map(|name| text(*name, span)).collect())
        .list("assignments", command.assignments.iter().map(word).collect())
        .list("redirections", redirections.collect())
        .put("before", names(before))
        .put("after", names(after))
        .text("joint", command.joint.text())
        .maybe("inside", holder.map(|name| text(name, span)));
    if let Some(used) = packages::of(called.name, arguments) {
        let package = |package: &packages::Named<'_>| {
            let at = around.places.span(package.word.range.clone());
            Fields::at(at)
                .text("name", package.name)
                .maybe("version", package.version.map(|version| text(version, at)))
                .flag("pinned", package.pinned)
                .node()
        };
        fields = fields
            .text("manager", used.manager)
            .text("verb", used.verb)
            .flag("installs", used.installs)
            .list("packages", used.packages.iter().map(package).collect());
    }
    for (key, value) in &around.context {
        fields.push(*key, value.clone());
    }
    fields.node()
}

/// Names of options without dashes and values; letters of a cluster (`-qy`) each on their own, and together.
fn options(arguments: &[Word], around: &Around<'_>) -> Vec<Node<'static>> {
    let mut found = Vec::new();
    for word in arguments {
        let span: Span = around.places.span(word.range.clone());
        if let Some(long) = word.text.strip_prefix("--") {
            let name = long.split('=').next().unwrap_or_default();
            if !name.is_empty() {
                found.push(text(name, span));
            }
        } else if let Some(cluster) = word.text.strip_prefix('-') {
            let name = cluster.split('=').next().unwrap_or_default();
            if name.chars().count() > 1 {
                found.push(text(name, span));
            }
            if name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                found.extend(name.chars().map(|letter| text(letter, span)));
            }
        }
    }
    found
}

/// The words with known variables filled in; single quotes keep theirs.
fn filled(command: &Command, around: &Around<'_>) -> Vec<Word> {
    let fill = |word: &Word| {
        let written = around.text.get(word.range.clone()).unwrap_or_default();
        if !word.text.contains('$') || written.contains(['\'', '\\', '`']) || word.text.contains("$(") {
            return word.clone();
        }
        let value = (around.expand)(&word.text);
        Word { text: value.unwrap_or_else(|| word.text.clone()), ..word.clone() }
    };
    command.words.iter().map(fill).collect()
}
