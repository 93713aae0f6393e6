//! `*.deps.json`: the dependency manifest that lies beside a .NET program or shared framework.
//!
//! Of its libraries, packages and runtime packs are read, not the program's own projects. A library that brings no
//! file to run (a meta-package, or one whose assemblies the framework replaced) is not there, and is left out.

use std::collections::HashMap;

use yagura_model::Ecosystem;
use yagura_model::package::Presence;

use super::split_identity;
use crate::catalogue::structured::{declared, depend, dependency, json};
use crate::catalogue::{EvidenceFile, Facts, integrity};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let targets = root.get("targets").map(Node::entries).unwrap_or_default();
    let runtime_target =
        root.at(&["runtimeTarget", "name"]).or(root.get("runtimeTarget")).and_then(Node::string);
    let target = runtime_target
        .and_then(|name| targets.iter().find(|target| target.key.string() == Some(name)))
        .or(targets.first());
    let in_target: HashMap<&str, &Node<'_>> = target
        .map(|target| target.value.entries())
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| Some((entry.key.string()?, &entry.value)))
        .collect();
    for library in root.get("libraries").map(Node::entries).unwrap_or_default() {
        let Some(identity) = library.key.string() else { continue };
        let Some((name, version)) = split_identity(identity) else { continue };
        let kind = library.value.text_of("type").unwrap_or_default().to_ascii_lowercase();
        if !matches!(kind.as_str(), "package" | "runtimepack") {
            continue;
        }
        let target = in_target.get(identity);
        if !in_target.is_empty() && !target.is_some_and(|target| brings_files(target)) {
            continue;
        }
        let name = name.strip_prefix("runtimepack.").unwrap_or(name);
        let mut package = declared(file, Ecosystem::Nuget, name, version, library.key.span.line);
        package.presence = Presence::Installed;
        package.digests = library.value.text_of("sha512").map(integrity::digests).unwrap_or_default();
        for wish in
            target.and_then(|target| target.get("dependencies")).map(Node::entries).unwrap_or_default()
        {
            if let Some(name) = wish.key.string() {
                depend(&mut package, dependency(name, wish.value.scalar()));
            }
        }
        facts.packages.push(package);
    }
}

fn brings_files(library: &Node<'_>) -> bool {
    ["runtime", "runtimeTargets", "native", "resources"]
        .iter()
        .any(|assets| library.get(assets).is_some_and(|assets| !assets.entries().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_files_are_installed() {
        let text = r#"{
  "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64"},
  "targets": {".NETCoreApp,Version=v8.0": {}, ".NETCoreApp,Version=v8.0/linux-x64": {
    "App/1.0.0": {"dependencies": {"Newtonsoft.Json": "13.0.1"}, "runtime": {"App.dll": {}}},
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"runtime": {"System.dll": {}}},
    "Newtonsoft.Json/13.0.1": {"dependencies": {"Meta": "1.0.0"}, "runtime": {"lib/Newtonsoft.Json.dll": {}}},
    "Meta/1.0.0": {"dependencies": {}}}},
  "libraries": {
    "App/1.0.0": {"type": "project", "serviceable": false, "sha512": ""},
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack", "sha512": ""},
    "Newtonsoft.Json/13.0.1": {"type": "package", "sha512":
      "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="},
    "Meta/1.0.0": {"type": "package", "sha512": ""}}}"#;
        let mut facts = Facts::default();
        read(EvidenceFile { path: "app/App.deps.json", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.locations[0].start_line, p.digests.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("Microsoft.NETCore.App.Runtime.linux-x64", "8.0.1", Some(10), 0),
                ("Newtonsoft.Json", "13.0.1", Some(11), 1)
            ]
        );
        assert_eq!(facts.packages[1].dependencies, [dependency("Meta", Some("1.0.0"))]);
    }
}
