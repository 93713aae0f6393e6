//! The Pod Security Standards hold exactly: the rules' verdict on any pod is that of the standard, which is written
//! down here a second time, plainly, over JSON (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>,
//! the newest version).

use std::sync::Arc;

use serde_json::{Map, Value, json};
use yagura_detect::policies::{Checker, RuleSet, Settings};

/// What a pod breaks, control by control.
fn standard(pod: &Value, restricted: bool) -> Vec<&'static str> {
    let spec = &pod["spec"];
    let windows = spec["os"]["name"] == "windows";
    let user_namespace = spec["hostUsers"] == false;
    let shared = &spec["securityContext"];
    let containers: Vec<&Value> = ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| spec[list].as_array().into_iter().flatten())
        .collect();
    let contexts = || containers.iter().map(|container| &container["securityContext"]);
    let volumes = || spec["volumes"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut broken = Vec::new();
    let mut check = |control: &'static str, wrong: bool| {
        if wrong {
            broken.push(control);
        }
    };

    check("host-process", contexts().chain([shared]).any(|c| c["windowsOptions"]["hostProcess"] == true));
    check("host-namespaces", ["hostNetwork", "hostPID", "hostIPC"].iter().any(|field| spec[field] == true));
    check("privileged", contexts().any(|c| c["privileged"] == true));
    check(
        "host-ports",
        containers.iter().any(|c| {
            let mut ports = c["ports"].as_array().into_iter().flatten();
            ports.any(|port| port["hostPort"].as_i64().unwrap_or(0) != 0)
        }),
    );
    let handler =
        |h: &Value| !text(&h["httpGet"]["host"]).is_empty() || !text(&h["tcpSocket"]["host"]).is_empty();
    check(
        "host-probes",
        containers.iter().any(|c| {
            let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
            let hooks = ["postStart", "preStop"];
            probes.iter().any(|p| handler(&c[p])) || hooks.iter().any(|h| handler(&c["lifecycle"][h]))
        }),
    );
    let profile_wrong = |c: &Value, field: &str| {
        !c[field].is_null() && !matches!(c[field]["type"].as_str(), Some("RuntimeDefault" | "Localhost"))
    };
    let annotations = pod["metadata"]["annotations"].as_object();
    let annotated = annotations.into_iter().flatten().any(|(key, value)| {
        let value = text(value);
        key.starts_with("container.apparmor.security.beta.kubernetes.io/")
            && !(value.is_empty() || value == "runtime/default" || value.starts_with("localhost/"))
    });
    check("apparmor", annotated || contexts().chain([shared]).any(|c| profile_wrong(c, "appArmorProfile")));
    check(
        "selinux",
        contexts().chain([shared]).any(|c| {
            let options = &c["seLinuxOptions"];
            let types = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
            !types.contains(&text(&options["type"]).as_str())
                || !text(&options["user"]).is_empty()
                || !text(&options["role"]).is_empty()
        }),
    );
    let safe = [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_notsent_lowat",
    ];
    let mut sysctls = shared["sysctls"].as_array().into_iter().flatten();
    check("sysctls", sysctls.any(|sysctl| !safe.contains(&text(&sysctl["name"]).as_str())));

    let proc_mount = contexts().any(|c| !c["procMount"].is_null() && c["procMount"] != "Default");
    let list = |c: &Value, key: &str| -> Vec<String> {
        c["capabilities"][key].as_array().into_iter().flatten().map(text).collect()
    };
    if !restricted {
        check("proc-mount", proc_mount && !user_namespace);
        check("seccomp", contexts().chain([shared]).any(|c| profile_wrong(c, "seccompProfile")));
        check("hostpath-volumes", volumes().any(|volume| !volume["hostPath"].is_null()));
        let default = [
            "AUDIT_WRITE",
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "FSETID",
            "KILL",
            "MKNOD",
            "NET_BIND_SERVICE",
            "SETFCAP",
            "SETGID",
            "SETPCAP",
            "SETUID",
            "SYS_CHROOT",
        ];
        check(
            "capabilities",
            contexts().any(|c| list(c, "add").iter().any(|c| !default.contains(&c.as_str()))),
        );
        return broken;
    }

    check("proc-mount", proc_mount);
    let types = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    // The API server makes a volume without any source an emptyDir.
    let sourced = |volume: &Value| {
        let mut keys = volume.as_object().into_iter().flatten();
        keys.any(|(key, value)| key != "name" && !value.is_null())
    };
    let foreign = |volume: &Value| sourced(volume) && types.iter().all(|kind| volume[kind].is_null());
    check("volume-types", volumes().any(foreign));
    check("privilege-escalation", !windows && contexts().any(|c| c["allowPrivilegeEscalation"] != false));
    let non_root = |c: &Value| match &c["runAsNonRoot"] {
        Value::Null => shared["runAsNonRoot"] == true,
        own => own == true,
    };
    let asks_root = shared["runAsNonRoot"] == false || contexts().any(|c| !non_root(c));
    check("running-as-non-root", !user_namespace && asks_root);
    let root = contexts().chain([shared]).any(|c| c["runAsUser"] == 0);
    check("running-as-non-root-user", !user_namespace && root);
    let confined = |c: &Value| {
        if c["seccompProfile"].is_null() {
            !shared["seccompProfile"].is_null() && !profile_wrong(shared, "seccompProfile")
        } else {
            !profile_wrong(c, "seccompProfile")
        }
    };
    let unconfined = profile_wrong(shared, "seccompProfile") || contexts().any(|c| !confined(c));
    check("seccomp", !windows && unconfined);
    let capable = |c: &Value| {
        !list(c, "drop").iter().any(|c| c == "ALL") || list(c, "add").iter().any(|c| c != "NET_BIND_SERVICE")
    };
    check("capabilities", !windows && contexts().any(capable));
    broken
}

/// A small generator of its own, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    /// One of the values, in one case of `rarity`.
    fn set(&mut self, map: &mut Map<String, Value>, key: &str, values: &[Value], rarity: usize) {
        if self.below(rarity) == 0 {
            let value = values[self.below(values.len())].clone();
            map.insert(key.to_owned(), value);
        }
    }
}

fn profiles(localhost: &str) -> Vec<Value> {
    vec![
        json!({"type": "RuntimeDefault"}),
        json!({"type": "Localhost", localhost: "p"}),
        json!({"type": "Unconfined"}),
        json!({"type": ""}),
        json!({}),
        Value::Null,
    ]
}

fn booleans() -> Vec<Value> {
    vec![json!(true), json!(false), Value::Null]
}

fn selinux() -> Vec<Value> {
    vec![
        json!({}),
        json!({"type": "container_t"}),
        json!({"type": "container_engine_t", "level": "s0"}),
        json!({"type": "spc_t"}),
        json!({"user": "u"}),
        json!({"role": "r"}),
        json!({"user": "", "role": ""}),
    ]
}

fn shared_fields() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("seccompProfile", profiles("localhostProfile")),
        ("appArmorProfile", profiles("localhostProfile")),
        ("seLinuxOptions", selinux()),
        ("runAsNonRoot", booleans()),
        ("runAsUser", vec![json!(0), json!(1), Value::Null]),
        (
            "windowsOptions",
            vec![json!({"hostProcess": true}), json!({"hostProcess": false}), json!({}), Value::Null],
        ),
    ]
}

fn pod_fields() -> Vec<(&'static str, Vec<Value>)> {
    let mut fields = shared_fields();
    fields.push((
        "sysctls",
        vec![
            json!([]),
            json!([{"name": "net.ipv4.tcp_rmem", "value": "1"}]),
            json!([{"name": "net.ipv4.tcp_notsent_lowat", "value": "1"}, {"name": "kernel.msgmax", "value": "1"}]),
        ],
    ));
    fields
}

fn container_fields() -> Vec<(&'static str, Vec<Value>)> {
    let mut fields = shared_fields();
    let capabilities = |add: Value, drop: Value| json!({"add": add, "drop": drop});
    fields.extend([
        ("privileged", booleans()),
        ("allowPrivilegeEscalation", booleans()),
        ("procMount", vec![json!("Default"), json!("Unmasked"), Value::Null]),
        (
            "capabilities",
            vec![
                json!({}),
                capabilities(json!([]), json!(["ALL"])),
                capabilities(json!(["NET_BIND_SERVICE"]), json!(["ALL"])),
                capabilities(json!(["CHOWN"]), json!(["ALL"])),
                capabilities(json!(["NET_RAW", "CHOWN"]), json!(["KILL"])),
                capabilities(json!(["ALL"]), Value::Null),
                capabilities(json!(["CAP_CHOWN"]), json!(["all"])),
                Value::Null,
            ],
        ),
    ]);
    fields
}

fn handlers() -> Vec<Value> {
    vec![
        json!({"httpGet": {"port": 1}}),
        json!({"httpGet": {"port": 1, "host": ""}}),
        json!({"httpGet": {"port": 1, "host": "h"}}),
        json!({"tcpSocket": {"port": 1, "host": "h"}}),
        json!({"exec": {"command": ["x"]}}),
        Value::Null,
    ]
}

fn container(dice: &mut Dice, rarity: usize) -> Value {
    let mut context = Map::new();
    context.insert("allowPrivilegeEscalation".into(), json!(false));
    context.insert("capabilities".into(), json!({"drop": ["ALL"]}));
    for (field, values) in container_fields() {
        dice.set(&mut context, field, &values, rarity);
    }
    let mut container = Map::new();
    container.insert("name".into(), json!("c"));
    container.insert("image".into(), json!("i"));
    dice.set(
        &mut container,
        "ports",
        &[json!([{"hostPort": 0}]), json!([{"containerPort": 1}, {"hostPort": 2}])],
        rarity,
    );
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        dice.set(&mut container, probe, &handlers(), rarity);
    }
    let mut lifecycle = Map::new();
    for hook in ["postStart", "preStop"] {
        dice.set(&mut lifecycle, hook, &handlers(), rarity);
    }
    container.insert("lifecycle".into(), Value::Object(lifecycle));
    if dice.below(rarity) != 0 {
        container.insert("securityContext".into(), Value::Object(context));
    }
    Value::Object(container)
}

/// A pod that meets the restricted standard but for what the dice change.
fn pod(dice: &mut Dice, rarity: usize) -> Value {
    let mut context = Map::new();
    context.insert("runAsNonRoot".into(), json!(true));
    context.insert("seccompProfile".into(), json!({"type": "RuntimeDefault"}));
    for (field, values) in pod_fields() {
        dice.set(&mut context, field, &values, rarity);
    }
    let mut spec = Map::new();
    for field in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
        dice.set(&mut spec, field, &booleans(), rarity);
    }
    dice.set(&mut spec, "os", &[json!({"name": "windows"}), json!({"name": "linux"})], rarity);
    let volumes = [
        json!([]),
        json!([{"name": "a", "emptyDir": {}}, {"name": "b", "image": {"reference": "r"}}]),
        json!([{"name": "a", "hostPath": {"path": "/"}}]),
        json!([{"name": "a", "hostPath": {}, "configMap": {}}]),
        json!([{"name": "a", "nfs": {"server": "s"}}, {"name": "b", "secret": {}}]),
        json!([{"name": "a", "hostPath": null, "projected": {}}]),
        json!([{"name": "a"}]),
        json!([{"name": "a", "hostPath": null}, {"name": "b", "quobyte": {}}]),
    ];
    dice.set(&mut spec, "volumes", &volumes, rarity);
    spec.insert("containers".into(), json!([container(dice, rarity)]));
    for list in ["initContainers", "ephemeralContainers"] {
        if dice.below(3) == 0 {
            spec.insert(list.into(), json!([container(dice, rarity)]));
        }
    }
    if dice.below(rarity * 4) != 0 {
        spec.insert("securityContext".into(), Value::Object(context));
    }
    let annotations = [
        json!({"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}),
        json!({"container.apparmor.security.beta.kubernetes.io/c": "localhost/x"}),
        json!({"container.apparmor.security.beta.kubernetes.io/c": "runtime/default", "other": "unconfined"}),
        json!({"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}),
    ];
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!("p"));
    dice.set(&mut metadata, "annotations", &annotations, rarity);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

fn rule_set(framework: &str) -> RuleSet {
    let mut rules = RuleSet::new();
    for file in yagura_rules::family("policies") {
        rules.add(file.path, file.text);
    }
    rules.restrict(&[framework.to_owned()]);
    rules
}

/// The controls of the framework that findings name.
fn judged(rules: &RuleSet, framework: &str, text: &str) -> Vec<String> {
    let settings = Settings { rules, target: "pod", language: "en", today: "2000-01-01", propose: false };
    let mut checker = Checker::new(&settings, &Arc::new(rules.crossing()));
    checker.file("pod.json", text);
    let checked = checker.finish();
    assert!(checked.undecided.is_empty(), "{text}\n{:?}", checked.undecided);
    assert!(checked.skipped.is_empty() && checked.notices.is_empty(), "{:?}", checked.notices);
    let prefix = format!("{framework}:");
    let controls = checked.findings.iter().flat_map(|finding| &finding.controls);
    let mut controls: Vec<String> =
        controls.filter_map(|control| control.strip_prefix(&prefix)).map(str::to_owned).collect();
    controls.sort();
    controls.dedup();
    controls
}

#[test]
fn verdicts_on_any_pod_are_those_of_the_standards() {
    let baseline = rule_set("pss-baseline");
    let restricted = rule_set("pss-restricted");
    let mut dice = Dice(20_261_125);
    let (mut passed, mut failed) = (0, 0);
    for round in 0..2400 {
        // From pods with one thing changed to pods with everything changed.
        let rarity = [60, 30, 12, 4][round % 4];
        let pod = pod(&mut dice, rarity);
        // A workload's template is judged as the pod it makes.
        let object = if round % 5 == 0 {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": pod}})
        } else {
            pod.clone()
        };
        let text = object.to_string();
        for (rules, framework, is_restricted) in
            [(&baseline, "pss-baseline", false), (&restricted, "pss-restricted", true)]
        {
            let mut expected = standard(&pod, is_restricted);
            expected.sort_unstable();
            assert_eq!(judged(rules, framework, &text), expected, "{framework}, round {round}: {text}");
            if expected.is_empty() {
                passed += 1;
            } else {
                failed += 1;
            }
        }
    }
    assert!(passed > 500 && failed > 500, "{passed} passed, {failed} failed: the pods are too much alike");
}
