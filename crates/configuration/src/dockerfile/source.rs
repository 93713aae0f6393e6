//! Dockerfiles as a source.

use std::borrow::Cow;

use yagura_formats::document::Node;
use yagura_model::SkipReason;

use super::{MAX_BYTES, MAX_COMMANDS, is_name, parse, resources};
use crate::{Parsed, Problem, Reach, Resource, Source, SourceFile, Subject};

pub const SOURCE: Source = Source {
    name: "dockerfile",
    reach: Reach::File,
    wants: |path| is_name(path.rsplit('/').next().unwrap_or(path)),
    recognises: |_, text| text.lines().any(starts_stage),
    max_bytes: MAX_BYTES as u64,
    parse: read,
    subjects,
    example: "Dockerfile",
};

fn starts_stage(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('\u{feff}');
    let keyword = line.split_whitespace().next().unwrap_or_default();
    keyword.eq_ignore_ascii_case("FROM")
}

fn read<'a>(files: &[SourceFile<'a>], out: &mut Parsed<'a>) {
    for (index, file) in files.iter().enumerate() {
        let source = u32::try_from(index).unwrap_or(u32::MAX);
        let parsed = parse(file.text);
        out.problems.extend(parsed.problems.iter().filter_map(|problem| {
            let detail = problem.detail.clone();
            Some(Problem { source, line: problem.line, reason: problem.reason?, detail })
        }));
        let (node, cut) = resources(&parsed, file.text, source);
        if cut {
            let detail = format!("more than {MAX_COMMANDS} commands; the rest is not judged");
            out.problems.push(Problem { source, line: 0, reason: SkipReason::TooMany, detail });
        }
        let kind = Cow::Borrowed("dockerfile/file");
        out.resources.push(Resource { kind, name: file.path.to_owned(), node });
    }
}

/// The file, its stages, their instructions and the commands in them.
fn subjects<'r, 'a>(resource: &'r Resource<'a>, each: &mut dyn FnMut(Subject<'r, 'a>)) {
    let whole = Subject::whole(resource);
    each(whole);
    let list = |node: &'r Node<'a>, key| node.get(key).map(Node::items).unwrap_or_default();
    for stage in list(&resource.node, "stages") {
        each(Subject { kind: "dockerfile/stage", node: stage, ..whole });
        for instruction in list(stage, "instructions") {
            each(Subject { kind: "dockerfile/instruction", node: instruction, ..whole });
            for command in list(instruction, "commands") {
                each(Subject { kind: "dockerfile/command", node: command, ..whole });
            }
        }
    }
}
