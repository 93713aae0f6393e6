//! Attacks performed in real containers: Falco's official rules tell of each as it happens, and again from the
//! recorder's capture; what only looks like one stays silent.
//!
//! `actions.toml` holds the actions. Two containers of runc run over a Debian root, on an overlay as engines make it: one
//! with many capabilities for attacks, one with few for their look-alikes.
#![allow(clippy::print_stdout)]

#[path = "../bed/mod.rs"]
mod bed;
mod container;

use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value};

use container::Container;

const ACTIONS: &str = include_str!("actions.toml");
/// Falco's files of rules about system calls.
const RULES: [&str; 3] = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
/// How long the last alerts may take after the last action.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    action: Vec<Action>,
    benign: Vec<Action>,
    cannot: Vec<Impossible>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    rule: String,
    #[serde(default)]
    at: Place,
    #[serde(default)]
    run: String,
    #[serde(default)]
    fields: Map<String, Value>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Place {
    #[default]
    Container,
    Entry,
    Terminal,
    Start,
    Server,
    Host,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Impossible {
    rule: String,
    reason: String,
}

fn rule_arguments(directory: &Path) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-o", "json", "--rule-matching", "all", "--enable", "*"].map(str::to_owned).into();
    for name in RULES {
        arguments.extend(["-r".to_owned(), directory.join(name).display().to_string()]);
    }
    arguments
}

/// Whether the alert is about the rule, the place and all fields of the action.
fn tells_of(alert: &Value, action: &Action, container: &str) -> bool {
    let said = &alert["output_fields"];
    let place = if action.at == Place::Host { "host" } else { container };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    alert["rule"] == action.rule.as_str()
        && said["container.id"] == place
        && action.fields.iter().all(|(name, value)| {
            let (said, asked) = (text(&said[name]), text(value));
            asked.strip_prefix('*').map_or(said == asked, |end| said.ends_with(end))
        })
}

/// What is wrong with the alerts, in words.
fn judge(table: &Table, alerts: &[Value], attacked: &str, quiet: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for action in &table.action {
        if !alerts.iter().any(|alert| tells_of(alert, action, attacked)) {
            let near: Vec<String> = alerts
                .iter()
                .filter(|alert| alert["rule"] == action.rule.as_str())
                .map(|alert| alert["output_fields"].to_string())
                .take(3)
                .collect();
            wrong.push(format!("{}: no alert with {:?}; but {near:?}", action.rule, action.fields));
        }
    }
    for action in &table.benign {
        let loud = |alert: &&Value| {
            alert["rule"] == action.rule.as_str() && alert["output_fields"]["container.id"] == quiet
        };
        if let Some(alert) = alerts.iter().find(loud) {
            wrong.push(format!("{}: told of what is harmless: {}", action.rule, alert["output"]));
        }
    }
    wrong
}

fn parse(lines: &[u8]) -> Vec<Value> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[test]
fn attacks_are_told_of_live_and_from_the_capture_and_look_alikes_are_not() {
    if !bed::has(&["runc", "debootstrap", "script", "ip", "nsenter", "mount"]) {
        return;
    }
    let Some(official) = bed::data("falco") else { return };
    let table: Table = toml::from_str(ACTIONS).unwrap();
    let work = tempfile::tempdir().unwrap();
    let root = bed::bullseye();
    let kept = work.path().join("kept");

    let mut watch = Command::new(env!("CARGO_BIN_EXE_yagura"));
    watch
        .args(["watch", "--duration", "120", "--before", "100", "--after", "100"])
        .args(["--recorder-priority", "critical", "--recorder"])
        .arg(&kept)
        .args(rule_arguments(&official))
        .stdout(fs::File::create(work.path().join("alerts")).unwrap());
    let Some((mut watching, mut errors)) = bed::watching(&mut watch) else { return };

    let attacked = Container::start(&work.path().join("attacked"), &root, container::MANY);
    let quiet = Container::start(&work.path().join("quiet"), &root, container::FEW);
    for (container, actions) in [(&attacked, &table.action), (&quiet, &table.benign)] {
        container.shell(
            actions.iter().filter(|action| action.at == Place::Container).map(|action| action.run.as_str()),
        );
        for action in actions {
            match action.at {
                Place::Entry => container.enter(&action.run),
                Place::Terminal => container.terminal(&action.run),
                Place::Host => {
                    let done = Command::new("sh")
                        .args(["-c", &action.run])
                        .env("ATTACK", container.programs())
                        .status()
                        .unwrap();
                    assert!(done.success(), "{}", action.run);
                }
                Place::Container | Place::Start | Place::Server => {}
            }
        }
    }
    let alerts = || parse(&fs::read(work.path().join("alerts")).unwrap());
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && !judge(&table, &alerts(), attacked.short(), quiet.short()).is_empty() {
        std::thread::sleep(Duration::from_millis(200));
    }
    bed::run("kill", &["-INT", &watching.id().to_string()]);
    let mut said = String::new();
    while errors.read_line(&mut said).unwrap() > 0 {}
    assert!(watching.wait().unwrap().success(), "{said}");

    let mut wrong = judge(&table, &alerts(), attacked.short(), quiet.short());
    // The first capture has all that came after it.
    let mut captures: Vec<PathBuf> = fs::read_dir(&kept)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "gz"))
        .collect();
    captures.sort();
    let replayed = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .arg("replay")
        .args(rule_arguments(&official))
        .args(captures.first())
        .output()
        .unwrap();
    let replayed = judge(&table, &parse(&replayed.stdout), attacked.short(), quiet.short());
    wrong.extend(replayed.into_iter().map(|wrong| format!("on replay: {wrong}")));
    for Impossible { rule, reason } in &table.cannot {
        println!("not performed: {rule}: {reason}");
    }
    println!("{} attacks, {} look-alikes", table.action.len(), table.benign.len());
    assert!(wrong.is_empty(), "{}\n{said}", wrong.join("\n"));
}

/// Every action that is asked for is in the table.
#[test]
fn no_action_is_forgotten() {
    let Some(official) = bed::data("falco") else { return };
    let table: Table = toml::from_str(ACTIONS).unwrap();
    let known: BTreeSet<&str> = table
        .action
        .iter()
        .map(|action| action.rule.as_str())
        .chain(table.cannot.iter().map(|cannot| cannot.rule.as_str()))
        .collect();
    let asked = fs::read_to_string(official.join("attack-actions-to-rules.txt")).unwrap();
    for line in asked.lines().filter(|line| line.starts_with('(')) {
        let rule = line.split('\'').nth(5).unwrap();
        assert!(known.contains(rule), "{rule} is neither performed nor excused");
    }
}
