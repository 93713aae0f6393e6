//! Conditions, rule files, format strings, audit logs.

use std::collections::HashMap;
use std::ops::ControlFlow;

use yagura_events::audit::{AuditEvent, AuditSource, Record, Records};
use yagura_events::cloudtrail::{CloudTrail, CloudTrailEvent};
use yagura_events::kubernetes_audit::{KubernetesAudit, KubernetesAuditEvent};
use yagura_language::falco::condition;
use yagura_language::falco::output::Format;
use yagura_language::falco::predicate::{Compiler, Memory, Program};
use yagura_language::falco::rules::{AppendOutput, Loader, Options};
use yagura_model::field::{FieldCatalogue, Fields};

use crate::Target;

const KUBERNETES: &[u8] = br#"{"auditID":"a","stage":"ResponseComplete","verb":"create","requestURI":"/p/exec?command=%41+b","stageTimestamp":"2026-01-02T03:04:05.6Z","user":{"username":"u","groups":["g"]},"objectRef":{"resource":"pods"},"requestObject":{"subjects":[{"kind":"User","name":"x"}],"rules":[{"verbs":["*"]}],"spec":{"containers":[{"image":"r:5/i:t@d","securityContext":{"privileged":true},"ports":[{"hostPort":1}],"args":["a"]}],"volumes":[{"hostPath":{"path":"/etc"}}]}}}"#;
const CLOUDTRAIL: &[u8] = br#"{"Records":[{"eventName":"PutObject","eventSource":"s3.amazonaws.com","eventTime":"2026-01-02T03:04:05Z","userIdentity":{"type":"AssumedRole","arn":"a/b/c"},"sourceIPAddress":"1.2.3.4","requestParameters":{"bucketName":"b","key":"k"},"additionalEventData":{"bytesTransferredIn":1.0}}]}"#;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "threats/condition",
        seeds: || {
            vec![
                b"ka.verb=create and not (ka.user.name in (a, \"b c\") or ka.uri startswith /api)".to_vec(),
                b"tolower(ka.verb) startswith anyof (x, y) or ka.user.groups intersects (g)".to_vec(),
                b"json.value[/a/b]!='\\x41' and len(ka.uri) > 0x10 and ka.uri regex '^a.*b$'".to_vec(),
                b"join(\",\", ka.user.groups) glob *a[!b]? and evt.num>=1 and ka.uri pmatch (/a/*, /b)"
                    .to_vec(),
            ]
        },
        run: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let Ok(expression) = condition::parse(&text) else { return };
            let mut program = Program::default();
            if let Ok(node) = Compiler::new(&KubernetesAudit).condition(&expression, &mut program) {
                let record = String::from_utf8_lossy(KUBERNETES);
                let event = AuditEvent::parse(&record).expect("the seed is an event");
                let mut memory = Memory::default();
                memory.next_event();
                let plain = program.evaluate(node, &KubernetesAuditEvent(&event), &mut memory);
                let special = program.specialise(node, None, &mut HashMap::new());
                assert_eq!(plain, program.evaluate(special, &KubernetesAuditEvent(&event), &mut memory));
            }
        },
    },
    Target {
        name: "threats/rules",
        seeds: || {
            vec![
                b"- list: l\n  items: [a, 'b c']\n- macro: m\n  condition: ka.verb in (l)\n- rule: r\n  desc: d\n  condition: m and ka.uri exists\n  output: x %ka.uri\n  priority: info\n  source: k8s_audit\n  exceptions:\n  - {name: e, fields: [ka.verb, ka.uri], comps: [=, in], values: [[a, [b, c]]]}\n- rule: r\n  condition: and ka.verb=x\n  override: {condition: append}\n".to_vec(),
                b"- required_engine_version: 0.50.0\n- macro: a\n  condition: b\n- macro: a\n  append: true\n  condition: or a\n- rule: r\n  enabled: false\n".to_vec(),
            ]
        },
        run: |bytes| {
            let options = Options { plugins: Vec::new(), append_output: vec![AppendOutput::suggested()] };
            let sources: &[&dyn FieldCatalogue] = &[&KubernetesAudit, &CloudTrail];
            let mut loader = Loader::new(sources, &options);
            for name in ["one", "two"] {
                let result = loader.load(name, bytes);
                result.details();
                result.summary();
            }
        },
    },
    Target {
        name: "threats/format",
        seeds: || vec![b"*%ka.verb %10ka.uri.param[command] %toupper(ka.verb)%json.value[/a]. %".to_vec()],
        run: |bytes| {
            let _ = Format::compile(&String::from_utf8_lossy(bytes), &KubernetesAudit);
        },
    },
    Target { name: "threats/kubernetes-audit", seeds: || vec![KUBERNETES.to_vec()], run: audit },
    Target { name: "threats/cloudtrail", seeds: || vec![CLOUDTRAIL.to_vec()], run: audit },
];

/// Reads a log and asks every record everything.
fn audit(bytes: &[u8]) {
    let mut records = Records::new(bytes);
    while let Ok(Some(record)) = records.next_record() {
        let Record::Text(text) = record else { continue };
        let text = String::from_utf8_lossy(text);
        match AuditEvent::parse(&text) {
            Ok(event) if event.source == AuditSource::Kubernetes => {
                ask(&KubernetesAudit, &KubernetesAuditEvent(&event));
            }
            Ok(event) => ask(&CloudTrail, &CloudTrailEvent(&event)),
            Err(_) => {}
        }
    }
}

fn ask(catalogue: &dyn FieldCatalogue, event: &dyn Fields) {
    for field in catalogue.describe() {
        for argument in [None, Some("0"), Some("/a~1/0")] {
            if let Ok(field) = catalogue.resolve(field.name, argument) {
                event.value(&field);
                event.each(&field, &mut |_| ControlFlow::Continue(()));
            }
        }
    }
}
