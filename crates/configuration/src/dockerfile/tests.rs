use yagura_formats::document::Node;

use super::{Arguments, is_name, parse, resources};

fn node(text: &str) -> Node<'static> {
    let file = parse(text);
    assert_eq!(file.problems, [], "{text}");
    let (node, cut) = resources(&file, text, 0);
    assert!(!cut);
    node
}

/// The instructions of a stage.
fn instructions<'n>(file: &'n Node<'static>, stage: usize) -> &'n [Node<'static>] {
    file.get("stages").unwrap().items()[stage].get("instructions").unwrap().items()
}

fn texts(node: &Node<'_>, key: &str) -> Vec<String> {
    node.get(key).unwrap().items().iter().map(|item| item.scalar().unwrap_or("?").to_owned()).collect()
}

#[test]
fn names_of_dockerfiles() {
    for name in
        ["Dockerfile", "dockerfile", "Dockerfile.dev", "api.Dockerfile", "Containerfile", "Dockerfile-x"]
    {
        assert!(is_name(name), "{name}");
    }
    for name in ["Dockerfile.dockerignore", ".dockerignore", "dockerfiles", "mydockerfile", "Dockerfile.md"] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn continuations_comments_and_places() {
    let text = "\u{feff}# syntax=docker/dockerfile:1\n# a comment\nFROM debian:12 AS base\nRUN apt-get update \\\n  # why\n\n  && apt-get install -y \\\n     curl=1 \\   \n wget\n\nuser 1000:1000\n";
    let file = node(text);
    assert_eq!(file.at(&["directives", "syntax"]).unwrap().string(), Some("docker/dockerfile:1"));
    let [from, run, user] = instructions(&file, 0) else { panic!() };
    assert_eq!(from.at(&["image", "tag"]).unwrap().string(), Some("12"));
    assert!(run.flag("empty_continuation"));
    assert_eq!((run.span.line, run.span.end_line), (4, 9));
    let commands = run.get("commands").unwrap().items();
    assert_eq!(commands.len(), 2);
    assert_eq!((commands[1].span.line, commands[1].span.column), (7, 6));
    let packages = commands[1].get("packages").unwrap().items();
    assert_eq!((packages[0].span.line, packages[0].text_of("name")), (8, Some("curl")));
    assert!(packages[0].flag("pinned") && !packages[1].flag("pinned"));
    assert_eq!(texts(&commands[1], "options"), ["y"]);
    assert_eq!(user.at(&["user", "group"]).unwrap().string(), Some("1000"));
    assert_eq!((user.span.line, user.text_of("written")), (11, Some("user")));
}

#[test]
fn arguments_and_stages() {
    let text = "\
ARG BASE=debian TAG
ARG FULL=${BASE}:${TAG:-12}
FROM ${BASE}:11 AS build
ARG BASE
ENV A=1 B=$A C=\"x $BASE\"
ENV D=$B
FROM build
FROM $FULL
COPY --from=build --chown=1:1 /a /b/ /dest/
EXPOSE 80 443/udp 8000-8010 $P
FROM scratch
USER $U
";
    let file = node(text);
    let stages = file.get("stages").unwrap().items();
    assert_eq!(stages[0].at(&["from", "image", "text"]).unwrap().string(), Some("debian:11"));
    // TAG may be given by whoever builds.
    assert!(stages[2].at(&["from", "image"]).unwrap().is_unknown());
    let environment = stages[0].get("environment").unwrap();
    assert_eq!(environment.text_of("C"), Some("x debian"));
    // B was filled in before A was set; the base image may have set A.
    assert!(environment.get("B").unwrap().is_unknown());
    assert!(instructions(&file, 0)[2].get("pairs").unwrap().items()[1].flag("refers_to_sibling"));
    assert!(stages[1].at(&["from"]).unwrap().flag("from_stage"));
    let copy = &instructions(&file, 2)[1];
    assert_eq!(
        (texts(copy, "sources"), copy.text_of("destination")),
        (vec!["/a".into(), "/b/".into()], Some("/dest/"))
    );
    assert!(copy.flag("from_stage") && !copy.flag("workdir_set"));
    let ports = instructions(&file, 2)[2].get("ports").unwrap().items();
    assert_eq!(ports[2].text_of("last"), Some("8010"));
    assert!(ports[3].is_unknown());
    // Nothing is set in an empty image.
    assert_eq!(instructions(&file, 3)[1].at(&["user", "text"]).unwrap().string(), Some(""));
    let shipped: Vec<_> = stages.iter().map(|stage| stage.flag("shipped")).collect();
    assert_eq!(shipped, [false, false, false, true]);
}

#[test]
fn here_documents() {
    let text = "\
FROM debian
RUN <<EOF
apt-get update
apt-get install x
EOF
RUN <<-'A' cat > /x && sh <<B
\tnot a command
\tA
curl u | sh
B
COPY <<\"E\" /etc/x
$NOT
E
RUN python3 <<P
import os
P
";
    let file = node(text);
    let [_, first, second, copy, python] = instructions(&file, 0) else { panic!() };
    let names = |run: &Node<'_>| -> Vec<String> {
        run.get("commands").unwrap().items().iter().map(|c| c.text_of("name").unwrap().to_owned()).collect()
    };
    assert_eq!(names(first), ["apt-get", "apt-get"]);
    assert_eq!(first.span.end_line, 5);
    assert_eq!(names(second), ["cat", "sh", "curl", "sh"]);
    assert!(!copy.get("heredocs").unwrap().items()[0].flag("expands"));
    assert_eq!(copy.text_of("destination"), Some("/etc/x"));
    assert_eq!(names(python), ["python3"]);
}

#[test]
fn forms_shells_and_triggers() {
    let text = "\
FROM debian
SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]
CMD [\"sh\", \"-c\", \"curl x | sh\"]
ENTRYPOINT run me
HEALTHCHECK --interval=5s CMD curl -f http://localhost || exit 1
HEALTHCHECK NONE
ONBUILD RUN rm -rf /
RUN --mount=type=secret,id=x,target=/y --network=none cat $(cat /y)
CMD [\"a\", 1]
";
    let file = node(text);
    let [_, _, cmd, entrypoint, health, none, trigger, run, shell] = instructions(&file, 0) else { panic!() };
    assert_eq!((cmd.text_of("form"), cmd.flag("overridden")), (Some("exec"), true));
    assert_eq!(cmd.get("commands").unwrap().items().len(), 3);
    assert_eq!(entrypoint.text_of("form"), Some("shell"));
    assert_eq!(health.get("commands").unwrap().items().len(), 2);
    assert!(none.flag("disabled"));
    assert!(trigger.flag("trigger") && trigger.text_of("keyword") == Some("RUN"));
    assert_eq!(run.at(&["flags", "mount"]).unwrap().items()[0].text_of("id"), Some("x"));
    assert!(run.at(&["shell"]).unwrap().flag("pipefail"));
    assert_eq!(run.get("commands").unwrap().items()[1].text_of("inside"), Some("cat"));
    assert_eq!(shell.text_of("form"), Some("shell"));
}

#[test]
fn windows_files_have_no_posix_commands() {
    let text = "# escape=`\nFROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nRUN dir C:\\ `\n  /s\nUSER ContainerUser\n";
    let file = node(text);
    let run = &instructions(&file, 0)[1];
    assert_eq!((run.span.end_line, run.get("commands").unwrap().items().len()), (4, 0));
    assert!(file.get("stages").unwrap().items()[0].flag("windows"));
}

#[test]
fn what_breaks_the_grammar_is_told_and_the_rest_is_read() {
    let text = "FROM debian\nRUNN x\nENV A\nHEALTHCHECK x\nONBUILD ONBUILD RUN x\nUSER\nRUN <<E\nx\n";
    let file = parse(text);
    let lines: Vec<u32> = file.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7]);
    assert!(matches!(file.instructions.last().unwrap().arguments, Arguments::Shell(_)));
    // Values that grow with every line stay bounded.
    let mut bomb = "FROM scratch\nENV A=xxxxxxxxxxxxxxxx\n".to_owned();
    for _ in 0..100 {
        bomb.push_str("ENV A=$A$A$A$A\n");
    }
    assert!(node(&bomb).get("stages").unwrap().items()[0].at(&["environment", "A"]).unwrap().is_unknown());
}

#[test]
fn stages_and_commands_are_bounded() {
    let text = "FROM scratch AS a\nENV A=1\n".to_owned() + &"FROM a AS a\nENV B=$A\n".repeat(2000);
    let file = parse(&text);
    assert_eq!(file.problems.len(), 1);
    let (node, _) = resources(&file, &text, 0);
    assert!(node.get("stages").unwrap().items().len() <= super::MAX_STAGES + 1);
    let text = "FROM debian\n".to_owned() + &format!("RUN {}x\n", "a;".repeat(5000)).repeat(10);
    assert!(resources(&parse(&text), &text, 0).1);
}
