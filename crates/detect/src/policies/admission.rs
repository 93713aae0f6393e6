//! Rules as ValidatingAdmissionPolicies: what the API server itself can hold, written in the CEL it has.

use std::fmt::Write as _;

use yagura_language::cel::syntax::{self, Expression, Kind};

use super::rule::Rule;

/// What the API server does with an object that a rule finds wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Deny,
    Warn,
    Audit,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Deny => "Deny",
            Self::Warn => "Warn",
            Self::Audit => "Audit",
        }
    }
}

/// Kinds the API serves: group, version, kind, resource.
const SERVED: &[(&str, &str, &str, &str)] = &[
    ("", "v1", "Pod", "pods"),
    ("", "v1", "ReplicationController", "replicationcontrollers"),
    ("", "v1", "Service", "services"),
    ("", "v1", "ServiceAccount", "serviceaccounts"),
    ("", "v1", "Namespace", "namespaces"),
    ("", "v1", "ConfigMap", "configmaps"),
    ("", "v1", "Secret", "secrets"),
    ("", "v1", "PersistentVolume", "persistentvolumes"),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("", "v1", "PodTemplate", "podtemplates"),
    ("", "v1", "ResourceQuota", "resourcequotas"),
    ("", "v1", "LimitRange", "limitranges"),
    ("", "v1", "Endpoints", "endpoints"),
    ("apps", "v1", "Deployment", "deployments"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("apps", "v1", "StatefulSet", "statefulsets"),
    ("apps", "v1", "DaemonSet", "daemonsets"),
    ("batch", "v1", "Job", "jobs"),
    ("batch", "v1", "CronJob", "cronjobs"),
    ("networking.k8s.io", "v1", "Ingress", "ingresses"),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles"),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings"),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
    ),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses"),
    ("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests"),
];

/// What has a pod or a template of one.
const WORKLOADS: [&str; 9] = [
    "Pod",
    "PodTemplate",
    "ReplicationController",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
];

/// The pod of any of them.
const POD: &str = "object.kind == 'Pod' ? object : object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template \
                   : object.kind == 'PodTemplate' ? object.template : object.spec.template";

/// Functions of Kubernetes' CEL (1.32); those of later versions, and ours, are not among them.
const FUNCTIONS: &[&str] = &[
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "dyn",
    "type",
    "timestamp",
    "duration",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "join",
    "lowerAscii",
    "upperAscii",
    "trim",
    "replace",
    "split",
    "substring",
    "format",
    "find",
    "findAll",
    "isURL",
    "url",
    "getScheme",
    "getHost",
    "getHostname",
    "getPort",
    "getEscapedPath",
    "getQuery",
    "isSorted",
    "sum",
    "min",
    "max",
    "quantity",
    "isQuantity",
    "isInteger",
    "asInteger",
    "asApproximateFloat",
    "sign",
    "add",
    "sub",
    "isLessThan",
    "isGreaterThan",
    "compareTo",
    "ip",
    "isIP",
    "isCIDR",
    "cidr",
    "family",
    "isUnspecified",
    "isLoopback",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isGlobalUnicast",
    "containsIP",
    "containsCIDR",
    "masked",
    "prefixLength",
    "orValue",
    "or",
    "hasValue",
    "value",
    "of",
    "none",
    "ofNonZeroValue",
    "named",
    "validate",
    "intersects",
    "equivalent",
    "isCanonical",
];

/// What Kubernetes' CEL gives to expressions, and the namespaces of its functions.
const NAMES: [&str; 17] = [
    "object",
    "oldObject",
    "request",
    "params",
    "namespaceObject",
    "authorizer",
    "variables",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
];
const NAMESPACES: [&str; 4] = ["optional", "format", "sets", "ip"];

/// A policy and its binding as YAML, or why the API server cannot hold the rule.
pub fn export(rule: &Rule, action: Action) -> Result<String, String> {
    let mut kinds: Vec<&(&str, &str, &str, &str)> = Vec::new();
    let mut shape = None;
    for applies in &rule.applies {
        let name = applies.strip_prefix("kubernetes/").ok_or("it is not about objects of Kubernetes")?;
        let (of, names): (Shape, &[&str]) = match name {
            "pod" => (Shape::Pod, &WORKLOADS),
            "container" => (Shape::Container, &WORKLOADS),
            "*" => return Err("it applies to every kind; a policy must name resources".to_owned()),
            _ => (Shape::Object, std::slice::from_ref(&name)),
        };
        if shape.is_some_and(|known| known != of) {
            return Err("it applies to objects and to pods within them; a policy has one shape".to_owned());
        }
        shape = Some(of);
        for name in names {
            let served = SERVED.iter().find(|served| served.2 == *name);
            kinds.push(served.ok_or_else(|| format!("the API's resource for kind {name} is not known"))?);
        }
    }
    let shape = shape.ok_or("it applies to nothing")?;
    let expression = expression(rule, shape)?;
    check(&expression)?;
    Ok(yaml(rule, action, shape, &kinds, &expression))
}

/// What `self` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Object,
    Pod,
    Container,
}

/// The condition an object must meet.
fn expression(rule: &Rule, shape: Shape) -> Result<String, String> {
    let of = |node: &str, role: &str| rewritten(rule, &rule.when.text, &Names { shape, node, role }, 0);
    Ok(match shape {
        Shape::Object => format!("!({})", of("object", "''")?),
        Shape::Pod => format!("!({})", of("variables.pod", "''")?),
        Shape::Container => {
            let lists = ["containers", "initContainers", "ephemeralContainers"];
            let uses_role = rule.when.text.contains("role")
                || rule.variables.iter().any(|(_, of)| of.text.contains("role"));
            if uses_role {
                let each = lists.iter().map(|list| {
                    let when = of("self", &format!("'{list}'"))?;
                    Ok(format!("variables.pod.spec.?{list}.orValue([]).all(self, !({when}))"))
                });
                each.collect::<Result<Vec<_>, String>>()?.join(" && ")
            } else {
                format!("variables.containers.all(self, !({}))", of("self", "''")?)
            }
        }
    })
}

struct Names<'n> {
    shape: Shape,
    /// What `self` is called there.
    node: &'n str,
    /// A literal.
    role: &'n str,
}

/// A text of the rule with its names replaced by those of the policy.
fn rewritten(rule: &Rule, text: &str, names: &Names<'_>, depth: u32) -> Result<String, String> {
    if depth > 8 {
        return Err("its variables nest too deep".to_owned());
    }
    let tree = syntax::parse(text).map_err(|error| error.to_string())?;
    let mut edits: Vec<(u32, u32, String)> = Vec::new();
    let mut problem = None;
    tree.walk(&mut |expression| match replaced(rule, expression, names, depth) {
        Ok(Some(with)) => edits.push((expression.start, expression.end, with)),
        Ok(None) => {}
        Err(reason) => problem = problem.take().or(Some(reason)),
    });
    if let Some(reason) = problem {
        return Err(reason);
    }
    // Outermost first: `variables.x` holds the name `variables`, which must not be replaced again.
    edits.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    let (mut out, mut at) = (String::new(), 0_u32);
    for (start, end, with) in edits {
        if start < at {
            continue;
        }
        out.push_str(text.get(at as usize..start as usize).unwrap_or_default());
        out.push_str(&with);
        at = end;
    }
    out.push_str(text.get(at as usize..).unwrap_or_default());
    Ok(out)
}

fn replaced(
    rule: &Rule,
    expression: &Expression,
    names: &Names<'_>,
    depth: u32,
) -> Result<Option<String>, String> {
    let taken =
        |name: &String| ["self", "object", "pod", "role", "resource", "variables"].contains(&name.as_str());
    match &expression.kind {
        Kind::Identifier { name, .. } => Ok(match name.as_str() {
            "self" => Some(names.node.to_owned()),
            "pod" if names.shape != Shape::Object => Some("variables.pod".to_owned()),
            "pod" => Some("null".to_owned()),
            "role" => Some(names.role.to_owned()),
            _ => None,
        }),
        Kind::Select { operand, field, .. } => match &operand.kind {
            Kind::Identifier { name, .. } if name == "resource" => match field.as_str() {
                "kind" => Ok(Some("object.kind".to_owned())),
                "name" => Ok(Some("object.metadata.name".to_owned())),
                _ => Err(format!("resource.{field} does not exist at admission")),
            },
            Kind::Identifier { name, .. } if name == "variables" => {
                let known = rule.variables.iter().find(|(known, _)| known == field);
                let (_, of) = known.ok_or_else(|| format!("there is no variables.{field}"))?;
                Ok(Some(format!("({})", rewritten(rule, &of.text, names, depth + 1)?)))
            }
            _ => Ok(None),
        },
        Kind::Loop(of) if of.names.iter().any(taken) => {
            Err("a macro's variable hides a name of rules".to_owned())
        }
        Kind::Call { target: None, name, .. } if name == "all" => {
            Err("it looks at other resources with all(), which the API server does not show".to_owned())
        }
        _ => Ok(None),
    }
}

/// Whether Kubernetes' CEL has everything that an expression uses.
fn check(text: &str) -> Result<(), String> {
    let tree = syntax::parse(text).map_err(|error| error.to_string())?;
    let mut names: Vec<&str> = Vec::new();
    tree.walk(&mut |expression| {
        if let Kind::Loop(of) = &expression.kind {
            names.extend(of.names.iter().map(String::as_str));
        }
        if let Kind::OptionalMap { name, .. } = &expression.kind {
            names.push(name);
        }
    });
    let mut problem = None;
    tree.walk(&mut |expression| {
        let missing = match &expression.kind {
            Kind::Call { name, .. } if !FUNCTIONS.contains(&name.as_str()) => {
                Some(format!("the function {name}()"))
            }
            Kind::Loop(of) if of.names.len() > 1 || of.kind == syntax::LoopKind::SortBy => {
                Some("macros with two variables and sortBy()".to_owned())
            }
            Kind::Bind { .. } => Some("cel.bind()".to_owned()),
            Kind::Struct { name, .. } => Some(format!("the message {name}")),
            Kind::Identifier { name, .. } => {
                let known = NAMES.contains(&name.as_str()) || NAMESPACES.contains(&name.as_str());
                (!known && !names.contains(&name.as_str())).then(|| format!("the name {name}"))
            }
            _ => None,
        };
        if let Some(missing) = missing {
            problem = problem.take().or(Some(format!("the CEL of Kubernetes does not have {missing}")));
        }
    });
    problem.map_or(Ok(()), Err)
}

/// A text as a double-quoted scalar.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    format!("\"{escaped}\"")
}

fn yaml(
    rule: &Rule,
    action: Action,
    shape: Shape,
    kinds: &[&(&str, &str, &str, &str)],
    expression: &str,
) -> String {
    let name = rule.id.to_ascii_lowercase().replace('_', "-");
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for (group, version, kind, resource) in kinds {
        let resources: &[&str] =
            if *kind == "Pod" { &["pods", "pods/ephemeralcontainers"] } else { &[*resource] };
        match groups.iter_mut().find(|known| known.0 == *group && known.1 == *version) {
            Some(known) => known.2.extend(resources),
            None => groups.push((group, version, resources.to_vec())),
        }
    }
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata:\n  name: {name}\n  \
         labels:\n    app.kubernetes.io/managed-by: yagura\nspec:\n  failurePolicy: Fail\n  matchConstraints:\n    \
         resourceRules:\n"
    );
    for (group, version, resources) in groups {
        let resources = resources.iter().map(|resource| quoted(resource)).collect::<Vec<_>>().join(", ");
        let _ = write!(
            out,
            "    - apiGroups: [{}]\n      apiVersions: [{}]\n      operations: [CREATE, UPDATE]\n      resources: \
             [{resources}]\n",
            quoted(group),
            quoted(version)
        );
    }
    if shape != Shape::Object {
        let _ = write!(out, "  variables:\n  - name: pod\n    expression: {}\n", quoted(POD));
        if expression.contains("variables.containers") {
            let lists = "variables.pod.spec.containers + variables.pod.spec.?initContainers.orValue([]) + \
                         variables.pod.spec.?ephemeralContainers.orValue([])";
            let _ = write!(out, "  - name: containers\n    expression: {}\n", quoted(lists));
        }
    }
    let message = format!("{}: {}", rule.id, rule.title.en);
    let _ = write!(
        out,
        "  validations:\n  - expression: {}\n    message: {}\n---\napiVersion: \
         admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata:\n  name: {name}\n  \
         labels:\n    app.kubernetes.io/managed-by: yagura\nspec:\n  policyName: {name}\n  validationActions: [{}]\n",
        quoted(expression),
        quoted(&message),
        action.name()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(applies: &str, when: &str) -> Rule {
        let text = format!(
            "id: X-1\ntitle: A title\nseverity: low\napplies: {applies}\nvariables:\n  c: self.?securityContext\nwhen: {}\n\
             why: w\nfix: {{text: f}}\nexamples: {{bad: [{{kubernetes: a}}], good: [{{kubernetes: a}}]}}\n",
            quoted(when)
        );
        Rule::read("X-1.yaml", &text).unwrap()
    }

    #[test]
    fn a_container_s_rule_becomes_one_over_all_containers() {
        let of = rule(
            "kubernetes/container",
            "variables.c.?privileged.orValue(false) && pod.spec.?hostPID.orValue(false)",
        );
        let text = export(&of, Action::Deny).unwrap();
        let expected = "variables.containers.all(self, !((self.?securityContext).?privileged.orValue(false) && \
                        variables.pod.spec.?hostPID.orValue(false)))";
        assert!(text.contains(expected), "{text}");
        let tree = yagura_formats::document::yaml::parse(&text);
        assert_eq!((tree.documents.len(), tree.problems.len()), (2, 0));
        let rules = tree.documents[0].at(&["spec", "matchConstraints", "resourceRules"]).unwrap();
        assert_eq!(rules.items().len(), 3);
    }

    #[test]
    fn what_the_api_server_cannot_hold_is_told() {
        for (applies, when, expected) in [
            ("kubernetes/Namespace", "!all('kubernetes/NetworkPolicy').exists(p, true)", "all()"),
            ("aws/s3-bucket", "self.x", "not about objects"),
            ("kubernetes/Pod", "math.abs(1) > 0", "the function abs()"),
            ("kubernetes/*", "true", "every kind"),
            ("kubernetes/Unheard", "true", "not known"),
        ] {
            let reason = export(&rule(applies, when), Action::Warn).unwrap_err();
            assert!(reason.contains(expected), "{when}: {reason}");
        }
    }
}
