//! Changes as unified diffs of the files that were read: only whole, sure edits; what would need a guess stays words.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use yagura_assess::kubernetes::Cluster;
use yagura_assess::kubernetes::workload::Workload;
use yagura_model::risk::{Change, ChangeKind};

/// Largest file that is edited, in bytes.
const MAX_BYTES: u64 = 8 << 20;
/// Lines shown around an edit.
const CONTEXT: usize = 3;

/// Fills in the patches of changes whose text was read.
pub fn fill(changes: &mut [Change], cluster: &Cluster) {
    for change in changes {
        let patch = match change.kind {
            ChangeKind::Unbind => without_document(&change.place, "Binding"),
            ChangeKind::PodSecurity => labelled(&change.place),
            ChangeKind::UnmountToken => without_token(change, cluster),
            ChangeKind::Protect if change.place.is_empty() => policy(change, cluster, &CLIENTS),
            ChangeKind::Limit => policy(change, cluster, &SERVERS),
            ChangeKind::Close => without_block(&change.place),
            _ => None,
        };
        change.patch = patch.unwrap_or_default();
    }
}

/// A file's path and lines, and the line (from 0) that a place names.
fn lines_at(place: &str) -> Option<(&str, Vec<String>, usize)> {
    let (path, line) = place.rsplit_once(':')?;
    if !(path.ends_with(".yaml") || path.ends_with(".yml")) {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let line = line.parse::<usize>().ok()?.checked_sub(1)?;
    Some((path, text.lines().map(str::to_owned).collect(), line))
}

/// Blocks of Terraform that only open something: without one of them less is open, and nothing else changes.
const OPENING: [&str; 11] = [
    "ingress {",
    "security_rule {",
    "authorized_networks {",
    "resource \"aws_vpc_security_group_ingress_rule\"",
    "resource \"aws_security_group_rule\"",
    "resource \"aws_lambda_function_url\"",
    "resource \"azurerm_network_security_rule\"",
    "resource \"azurerm_mssql_firewall_rule\"",
    "resource \"azurerm_postgresql_flexible_server_firewall_rule\"",
    "resource \"google_compute_firewall\"",
    "resource \"google_cloud_run_v2_service_iam_member\"",
];

/// Takes away the block of Terraform that starts at a place, or a few lines above it.
fn without_block(place: &str) -> Option<String> {
    /// A rule's place may be an attribute of its block.
    const ABOVE: usize = 12;
    let (path, line) = place.rsplit_once(':')?;
    if !(path.ends_with(".tf") || path.ends_with(".tofu")) {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let line = line.parse::<usize>().ok()?.checked_sub(1)?;
    let opens = |text: &str| OPENING.iter().any(|start| text.trim_start().starts_with(start));
    let start = (line.saturating_sub(ABOVE)..=line)
        .rev()
        .find(|at| lines.get(*at).is_some_and(|text| opens(text)))?;
    let mut depth = 0i32;
    for (at, text) in lines.iter().enumerate().skip(start) {
        // Braces in texts would count: of such blocks none is cut.
        if text.contains("<<") || text.matches('"').count() % 2 == 1 {
            return None;
        }
        let plain: String = text.split('"').step_by(2).collect();
        for c in plain.split('#').next()?.chars() {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
        }
        if depth == 0 {
            // The place lies in this block, not behind it.
            return (at >= line).then(|| diff(path, &lines, start, at + 1, &[]));
        }
    }
    None
}

/// The lines of the document that holds a line: first, and one behind the last.
fn document(lines: &[String], line: usize) -> (usize, usize) {
    let is_start = |text: &String| text.starts_with("---");
    let start =
        lines.iter().take(line.saturating_add(1)).rposition(is_start).map_or(0, |at| at.saturating_add(1));
    let end = lines.iter().skip(line).position(is_start).map_or(lines.len(), |at| at.saturating_add(line));
    (start, end.max(start))
}

/// Takes a whole document away, where it is one object whose kind ends so.
fn without_document(place: &str, kind: &str) -> Option<String> {
    let (path, lines, line) = lines_at(place)?;
    let (start, end) = document(&lines, line);
    let own = lines.get(start..end)?;
    let mut kinds = own.iter().filter_map(|text| text.strip_prefix("kind:")).map(str::trim);
    if !kinds.next()?.ends_with(kind) || kinds.next().is_some() {
        return None;
    }
    // The marker goes with it, so that no empty document stays.
    let start = start.saturating_sub(usize::from(start > 0));
    Some(diff(path, &lines, start, end, &[]))
}

/// Enforces the baseline in a namespace whose labels are a block.
fn labelled(place: &str) -> Option<String> {
    let (path, lines, line) = lines_at(place)?;
    let (start, end) = document(&lines, line);
    let own = lines.get(start..end)?;
    let label = "pod-security.kubernetes.io/enforce: baseline";
    if let Some(at) = own.iter().position(|text| text.trim_start().starts_with("labels: {")) {
        let flow = own.get(at)?;
        let changed = flow.replacen("labels: {", &format!("labels: {{{label}, "), 1);
        return Some(diff(path, &lines, start + at, start + at + 1, &[changed]));
    }
    let (at, indent, new) = match own.iter().position(|text| text.trim_end() == "  labels:") {
        Some(at) => (at, "    ", vec![label]),
        None => (
            own.iter().position(|text| text.trim_end() == "metadata:")?,
            "  ",
            vec!["labels:", "  pod-security.kubernetes.io/enforce: baseline"],
        ),
    };
    let new: Vec<String> = new.into_iter().map(|text| format!("{indent}{text}")).collect();
    Some(diff(path, &lines, start + at + 1, start + at + 1, &new))
}

fn workload<'c>(change: &Change, cluster: &'c Cluster) -> Option<&'c Workload> {
    let key = change.subject.strip_prefix("workload:")?;
    let (namespace, rest) = key.split_once('/')?;
    let (kind, name) = rest.split_once('/')?;
    let fits = |one: &&Workload| one.namespace == namespace && one.kind == kind && one.name == name;
    cluster.workloads.iter().find(fits)
}

/// Leaves the token out of a pod template written as a block.
fn without_token(change: &Change, cluster: &Cluster) -> Option<String> {
    let workload = workload(change, cluster)?;
    let place = cluster.show(workload.place);
    let (path, lines, line) = lines_at(&place)?;
    let (start, end) = document(&lines, line);
    let own = lines.get(start..end)?;
    if own.iter().any(|text| text.trim_start().starts_with("automountServiceAccountToken")) {
        return None;
    }
    let containers = own.iter().position(|text| text.trim_end().trim_start() == "containers:")?;
    let indent = own.get(containers)?.len() - own.get(containers)?.trim_start().len();
    let new = format!("{:indent$}automountServiceAccountToken: false", "");
    Some(diff(path, &lines, start + containers, start + containers, &[new]))
}

/// What a new policy begins with: nothing is let through but what makes names known, until somebody names the rest.
struct Beginning {
    end: &'static str,
    comment: &'static str,
    rules: &'static [&'static str],
}

const CLIENTS: Beginning = Beginning {
    end: "clients",
    comment: "# Lets nobody in: name the clients under `ingress` before this is applied.",
    rules: &["  policyTypes: [Ingress]", "  ingress: []"],
};
const SERVERS: Beginning = Beginning {
    end: "servers",
    comment: "# Lets it ask for names only: name what it needs under `egress` before this is applied.",
    rules: &[
        "  policyTypes: [Egress]",
        "  egress:",
        "  - to:",
        "    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}",
        "    ports:",
        "    - {port: 53, protocol: UDP}",
        "    - {port: 53, protocol: TCP}",
    ],
};

/// A new file with a policy for one workload.
fn policy(change: &Change, cluster: &Cluster, beginning: &Beginning) -> Option<String> {
    let workload = workload(change, cluster)?;
    let file = cluster.files.get(usize::try_from(workload.place.file).ok()?)?;
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
    };
    if workload.labels.is_empty() || !workload.labels.iter().all(|(key, value)| plain(key) && plain(value)) {
        return None;
    }
    let path = Path::new(file).with_file_name(format!("{}-{}.yaml", workload.name, beginning.end));
    let mut text = vec![
        beginning.comment.to_owned(),
        "apiVersion: networking.k8s.io/v1".to_owned(),
        "kind: NetworkPolicy".to_owned(),
        "metadata:".to_owned(),
        format!("  name: {}-{}", workload.name, beginning.end),
        format!("  namespace: {}", workload.namespace),
        "spec:".to_owned(),
        "  podSelector:".to_owned(),
        "    matchLabels:".to_owned(),
    ];
    text.extend(workload.labels.iter().map(|(key, value)| format!("      {key}: \"{value}\"")));
    text.extend(beginning.rules.iter().map(|line| (*line).to_owned()));
    let path = path.display().to_string();
    let path = path.trim_start_matches('/');
    let mut patch = format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{} @@\n", text.len());
    text.iter().for_each(|line| patch.push_str(&format!("+{line}\n")));
    Some(patch)
}

/// A unified diff that puts `new` in the place of the lines from `start` up to `end`.
fn diff(path: &str, lines: &[String], start: usize, end: usize, new: &[String]) -> String {
    let path = path.trim_start_matches('/');
    let first = start.saturating_sub(CONTEXT);
    let last = end.saturating_add(CONTEXT).min(lines.len());
    let part = |from: usize, to: usize| lines.get(from..to).unwrap_or_default();
    let before = last - first;
    let after = before - (end - start) + new.len();
    // A range without lines names the line before it.
    let at = |count: usize| if count == 0 { first } else { first + 1 };
    let mut patch =
        format!("--- a/{path}\n+++ b/{path}\n@@ -{},{before} +{},{after} @@\n", at(before), at(after));
    let mut push = |sign: char, lines: &[String]| {
        lines.iter().for_each(|line| patch.push_str(&format!("{sign}{line}\n")))
    };
    push(' ', part(first, start));
    push('-', part(start, end));
    push('+', new);
    push(' ', part(end, last));
    patch
}

#[cfg(test)]
mod tests {
    use super::{labelled, without_block, without_document};
    use crate::stack::what_if::patch;
    use std::fs;

    #[test]
    fn a_block_that_opens_a_door_is_cut_out_whole() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.tf");
        let text = "resource \"aws_security_group\" \"g\" {\n  name = \"g\"\n  ingress {\n    cidr_blocks = [\"0.0.0.0/0\"] # { everybody\n  }\n  egress {\n  }\n}\n";
        fs::write(&path, text).unwrap();
        let cut = without_block(&format!("{}:4", path.display())).unwrap();
        assert!(
            cut.contains("-  ingress {\n-    cidr_blocks = [\"0.0.0.0/0\"] # { everybody\n-  }\n   egress {"),
            "{cut}"
        );
        assert_eq!(
            without_block(&format!("{}:7", path.display())),
            None,
            "the rule above does not hold that line"
        );
        assert_eq!(without_block(&format!("{}:1", path.display())), None);
    }

    #[test]
    fn patches_apply_to_the_file_they_were_made_of() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.yaml");
        let text = "kind: Namespace\nmetadata:\n  name: n\n---\n# why\nkind: RoleBinding\nmetadata:\n  name: b\n---\nkind: Service\n";
        fs::write(&path, text).unwrap();
        let apply = |diff: String| {
            let name = path.display().to_string();
            let name = name.trim_start_matches('/');
            let diff =
                diff.replace(&format!("a/{name}"), "a/a.yaml").replace(&format!("b/{name}"), "b/a.yaml");
            patch::apply(&patch::read(&diff).unwrap(), root.path(), std::path::Path::new("/none")).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let without = apply(without_document(&format!("{}:6", path.display()), "Binding").unwrap());
        assert_eq!(without, "kind: Namespace\nmetadata:\n  name: n\n---\nkind: Service\n");
        let labelled = apply(labelled(&format!("{}:1", path.display())).unwrap());
        assert!(labelled.starts_with("kind: Namespace\nmetadata:\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n  name: n\n"));
        assert!(without_document(&format!("{}:1", path.display()), "Binding").is_none());
    }
}
