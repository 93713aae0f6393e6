//! `yagura replay`, `rules` and `watch`, used as people use them.

mod bed;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn yagura(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("yagura"))
        .current_dir(directory)
        .args(arguments)
        .args(["--hostname", "node-7"])
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn pod(user: &str) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete",
        "verb": "create", "requestURI": "/api/v1/namespaces/n/pods", "user": {"username": user},
        "objectRef": {"resource": "pods", "namespace": "n", "name": "p"}, "responseStatus": {"code": 201},
        "requestObject": {"spec": {"containers": [{"name": "c", "image": "evil/image:1", "securityContext": {"privileged": true}}]}},
        "stageTimestamp": "2026-01-02T03:04:05.678901Z"
    })
}

/// A directory with an audit log, a CloudTrail file and a rule.
fn work() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(scratch.path().join(name), content).unwrap();
    write("audit.log", &format!("{}\n{}\n", pod("alice"), pod("bob\u{1b}[31m")));
    write(
        "trail.json",
        &json!({"Records": [
            {"eventTime": "2026-01-02T03:04:06Z", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
             "userIdentity": {"type": "IAMUser", "userName": "eve"}, "sourceIPAddress": "192.0.2.1", "awsRegion": "eu-west-1"},
        ]})
        .to_string(),
    );
    write(
        "rules.yaml",
        "- rule: Pod made\n  desc: d\n  condition: ka.verb=create and ka.req.pod.containers.privileged intersects (true)\n  \
         output: made by %ka.user.name uid=%ka.req.pod.run_as_user\n  priority: CRITICAL\n  source: k8s_audit\n  tags: [b, a]\n",
    );
    scratch
}

#[test]
fn alerts_have_falcos_forms() {
    let bed = work();
    let output = yagura(bed.path(), &["replay", "audit.log", "-r", "rules.yaml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = "03:04:05.678901000: Critical made by alice uid=<NA>\n\
                    03:04:05.678901000: Critical made by bob\\u001b[31m uid=<NA>\n";
    assert_eq!(text(&output.stdout), expected);

    let output =
        yagura(bed.path(), &["replay", "audit.log", "-r", "rules.yaml", "-o", "json", "--json-message"]);
    let line = text(&output.stdout).lines().next().unwrap().to_owned();
    let expected = json!({
        "hostname": "node-7",
        "message": "made by alice uid=<NA>",
        "output": "03:04:05.678901000: Critical made by alice uid=<NA>",
        "output_fields": {"evt.time": 1_767_323_045_678_901_000_u64, "ka.req.pod.run_as_user": null, "ka.user.name": "alice"},
        "priority": "Critical",
        "rule": "Pod made",
        "source": "k8s_audit",
        "tags": ["a", "b"],
        "time": "2026-01-02T03:04:05.678901000Z"
    });
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);

    for form in ["ocsf", "otel"] {
        let output = yagura(bed.path(), &["replay", "audit.log", "-r", "rules.yaml", "-o", form]);
        let alert: Value = serde_json::from_str(text(&output.stdout).lines().next().unwrap()).unwrap();
        match form {
            "ocsf" => assert_eq!((&alert["class_uid"], &alert["severity_id"]), (&json!(2004), &json!(5))),
            _ => {
                let record = &alert["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
                assert_eq!(record["timeUnixNano"], "1767323045678901000");
                assert_eq!(record["severityNumber"], 21);
            }
        }
    }
}

#[test]
fn exit_codes_and_errors_are_those_promised() {
    let bed = work();
    let code = |arguments: &[&str]| yagura(bed.path(), arguments).status.code();
    assert_eq!(code(&["replay", "audit.log", "-r", "rules.yaml", "--fail-on", "critical"]), Some(1));
    assert_eq!(code(&["replay", "audit.log", "-r", "rules.yaml", "--fail-on", "emergency"]), Some(0));
    fs::write(
        bed.path().join("bad.yaml"),
        "- rule: x\n  desc: d\n  condition: ka.nope=1\n  output: o\n  priority: info\n  source: k8s_audit\n",
    )
    .unwrap();
    let output = yagura(bed.path(), &["replay", "audit.log", "-r", "bad.yaml", "-o", "json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert!(
        text(&output.stderr).contains("error: LOAD_ERR_COMPILE_CONDITION: bad.yaml"),
        "{}",
        text(&output.stderr)
    );
    for (arguments, message) in [
        (&["replay", "nowhere.log"][..], "nowhere.log"),
        (&["replay", "audit.log", "-r", "nowhere.yaml"], "LOAD_ERR_FILE_READ"),
        (&["replay", "audit.log", "-o", "yaml"], "no form of alerts"),
        (&["replay", "audit.log", "--filter", "ka.verb="], "--filter"),
        (&["replay", "audit.log", "-p", "%nothing.x"], "nothing.x"),
        (&["replay", "audit.log", "--min-priority", "loud"], "no priority"),
        (&["replay", "audit.log", "--offline", "-o", "json=http://127.0.0.1:1"], "--offline"),
    ] {
        let output = yagura(bed.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn rules_are_checked_as_falco_checks_them() {
    let bed = work();
    let command = |arguments: &[&str]| {
        Command::new(assert_cmd::cargo::cargo_bin!("yagura"))
            .current_dir(bed.path())
            .args(arguments)
            .output()
            .unwrap()
    };
    let output = command(&["rules", "check", "rules.yaml", "-o", "json"]);
    assert!(output.status.success());
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["falco_load_results"][0]["successful"], true);
    let output = command(&["rules", "check", "default"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    let output = command(&["rules", "list", "-o", "json"]);
    let rules: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(rules["rules"].as_array().unwrap().len() > 40);
    let output = command(&["rules", "fields", "k8s_audit"]);
    assert!(text(&output.stdout).contains("ka.req.pod.containers.image.repository[N]?"));
}

#[test]
fn rules_are_chosen_by_name_tag_and_priority() {
    let bed = work();
    let lines = |arguments: &[&str]| {
        let output = yagura(bed.path(), &[&["replay", "audit.log", "-r", "rules.yaml"], arguments].concat());
        text(&output.stdout).lines().count()
    };
    assert_eq!(lines(&[]), 2);
    assert_eq!(lines(&["--disable", "Pod*"]), 0);
    assert_eq!(lines(&["--disable", "*", "--enable", "tag:a"]), 2);
    assert_eq!(lines(&["--disable", "tag:b"]), 0);
    assert_eq!(lines(&["--min-priority", "alert"]), 0);
    assert_eq!(lines(&["--filter", "ka.user.name=alice"]), 1);
}

#[test]
fn formats_filters_and_summaries_need_no_rule() {
    let bed = work();
    let output = yagura(
        bed.path(),
        &[
            "replay",
            "trail.json",
            "audit.log",
            "-p",
            "*%evt.num %evt.time.iso8601 %json.value[/userIdentity/userName] %ka.verb",
            "--filter",
            "evt.num>0",
        ],
    );
    // A field of one source is none of the other's.
    assert_eq!(output.status.code(), Some(2));
    let output = yagura(bed.path(), &["replay", "trail.json", "audit.log", "-p", "%evt.num %evt.source"]);
    assert_eq!(text(&output.stdout), "1 aws_cloudtrail\n2 k8s_audit\n3 k8s_audit\n");
    let output = yagura(bed.path(), &["replay", ".", "--summary"]);
    let summary = text(&output.stdout);
    assert!(summary.starts_with("3 events (1 aws_cloudtrail, 2 k8s_audit) in 0 s\n"), "{summary}");
    assert!(summary.contains("Privileged workload created") && summary.contains("StopLogging"), "{summary}");
}

#[test]
fn files_are_appended_to_and_webhooks_are_signed() {
    let bed = work();
    for _ in 0..2 {
        let output =
            yagura(bed.path(), &["replay", "audit.log", "-r", "rules.yaml", "-o", "json=alerts.jsonl"]);
        assert!(output.status.success() && output.stdout.is_empty());
    }
    assert_eq!(fs::read_to_string(bed.path().join("alerts.jsonl")).unwrap().lines().count(), 4);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("json=http://{}/hook", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut requests = Vec::new();
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        while requests.len() < 2 {
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap() == 0 {
                    stream = BufReader::new(listener.accept().unwrap().0);
                    continue;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line.to_ascii_lowercase());
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            requests.push((head, body));
        }
        requests
    });
    fs::write(bed.path().join("key"), "secret\n").unwrap();
    let output = yagura(
        bed.path(),
        &["replay", "audit.log", "-r", "rules.yaml", "-o", &address, "--webhook-key", "key"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (head, body) in server.join().unwrap() {
        assert!(head.starts_with("post /hook ") && head.contains("content-type: application/json"), "{head}");
        assert!(
            head.contains("x-hub-signature-256: sha256=") && head.contains("webhook-signature: v1,"),
            "{head}"
        );
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["rule"], "Pod made");
    }
    let output =
        yagura(bed.path(), &["replay", "audit.log", "-r", "rules.yaml", "-o", "text=syslog+unix:gone"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("2 alerts could not be delivered"), "{}", text(&output.stderr));
}

#[test]
fn audit_events_are_received_and_judged() {
    let bed = work();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("yagura"))
        .current_dir(bed.path())
        .args([
            "watch",
            "--k8s-audit-listen",
            "127.0.0.1:0",
            "-r",
            "rules.yaml",
            "-o",
            "json",
            "--max-events",
            "2",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("listening on http://").unwrap().strip_suffix("/k8s-audit").unwrap();
    let list =
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [pod("alice"), pod("bob")]})
            .to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "POST /k8s-audit HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{list}", list.len()).unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let users: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["output_fields"]["ka.user.name"].clone())
        .collect();
    assert_eq!(users, ["alice", "bob"]);
}

#[test]
fn official_audit_rules_load_unmodified() {
    let Some(data) = bed::data("falco") else { return };
    let bed = work();
    let rules = |name: &str| data.join(name).display().to_string();
    let output = yagura(
        bed.path(),
        &[
            "replay",
            "audit.log",
            "trail.json",
            "-o",
            "json",
            "-r",
            &rules("k8s_audit_rules.yaml"),
            "-r",
            &rules("aws_cloudtrail_rules.yaml"),
            "--rule-matching",
            "all",
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let names: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["rule"].clone())
        .collect();
    let of_a_pod = ["Disallowed K8s User", "Create Privileged Pod"];
    let expected: Vec<&str> =
        [of_a_pod, of_a_pod].concat().into_iter().chain(["CloudTrail Logging Disabled"]).collect();
    assert_eq!(names, expected);
}
