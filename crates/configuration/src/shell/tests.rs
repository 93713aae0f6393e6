use super::{Script, parse, program};
use crate::spliced::Spliced;

fn read(text: &str) -> Script {
    parse(&Spliced::of(text, 0))
}

/// Each command as its words, after the sign that joins it.
fn shown(text: &str) -> Vec<String> {
    read(text)
        .commands
        .iter()
        .map(|command| {
            let words: Vec<_> = command.words.iter().map(|word| word.text.as_str()).collect();
            format!("{}{}", command.joint.text(), words.join("␣"))
        })
        .collect()
}

#[test]
fn lists_and_pipelines() {
    assert_eq!(
        shown("apt-get update && apt-get install -y 'a b' \"c $D\"; curl -s x | sh || true & wait"),
        ["apt-get␣update", "&&apt-get␣install␣-y␣a b␣c $D", ";curl␣-s␣x", "|sh", "||true", ";wait",]
    );
    let script = read("a | b | c; d");
    let pipelines: Vec<_> = script.commands.iter().map(|command| command.pipeline).collect();
    assert_eq!(pipelines, [0, 0, 0, 1]);
}

#[test]
fn control_flow_is_flattened() {
    assert_eq!(
        shown("if [ -f x ]; then rm x; else { ls; }; fi; for i in a b; do echo $i; done"),
        ["[␣-f␣x␣]", ";rm␣x", ";ls", ";echo␣$i"]
    );
    assert_eq!(
        shown("case \"$(arch)\" in x86*) get a;; arm|armv7) get b;; esac; f() { x; }; f"),
        ["get␣a", ";get␣b", ";x", ";f", "arch"]
    );
    assert_eq!(shown("[[ a && b || c ]] && (cd /x && make)"), ["[[␣a␣b␣c␣]]", "&&cd␣/x", "&&make"]);
    assert_eq!(shown("while read -r l; do :; done < f | sort"), ["read␣-r␣l", ";:", ";", "|sort"]);
}

#[test]
fn nested_scripts_are_listed() {
    assert_eq!(
        shown("echo \"$(curl -s $(cat url))\" `id` $((1 + 2)); bash <(wget -qO- u)"),
        [
            "echo␣$(curl -s $(cat url))␣`id`␣$((1 + 2))",
            ";bash␣<(wget -qO- u)",
            "curl␣-s␣$(cat url)",
            "cat␣url",
            "id",
            "wget␣-qO-␣u"
        ]
    );
    let text = "set -e; sudo bash -ec 'rm -rf / && x'";
    let script = read(text);
    let nested = script.commands.last().unwrap();
    assert_eq!((nested.inside, &text[nested.range.clone()]), (Some(1), "x"));
}

#[test]
fn comments_here_documents_and_redirections() {
    let text = "# no\ncat > /etc/x 2>&1 <<EOF # why\nnot a command | at all\nEOF\necho a#b >> log &> all\n";
    let script = read(text);
    assert_eq!(shown(text), ["cat", ";echo␣a#b"]);
    let redirections: Vec<_> = script.commands[0]
        .redirections
        .iter()
        .map(|redirection| format!("{} {}", redirection.operator, redirection.target.text))
        .collect();
    assert_eq!(redirections, ["> /etc/x", "2>& 1", "<< EOF"]);
    assert_eq!(script.commands[1].redirections.len(), 2);
}

#[test]
fn assignments_and_wrappers() {
    let script = read(
        "DEBIAN_FRONTEND=noninteractive sudo -u root env A=b timeout -s KILL 5 /usr/bin/apt-get install x=1",
    );
    let command = &script.commands[0];
    assert_eq!(command.assignments.len(), 1);
    let program = program(&command.words);
    assert_eq!((program.name, program.wrappers.clone()), ("apt-get", vec!["sudo", "env", "timeout"]));
    assert_eq!(program.arguments(&command.words).len(), 2);
}

#[test]
fn hostile_scripts_are_bounded() {
    let deep = "$(".repeat(5000);
    assert!(read(&deep).commands.len() < 100);
    let script = read(&"a;".repeat(50_000));
    assert!(script.cut && script.commands.len() == super::MAX_COMMANDS);
    for text in ["\\", "'", "\"", "$", "`", "${", "((", "<<", "2>", ")", "case", "for", "[[", "é<(\u{3042}"]
    {
        read(text);
    }
}
