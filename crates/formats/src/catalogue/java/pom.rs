//! Maven's project model (`pom.xml`, POM reference): what one file says by itself.
//!
//! Nothing is fetched: what a parent or an imported bill of materials in another file would decide stays unknown.

use std::collections::HashMap;

use roxmltree::{Document, Node, ParsingOptions};

/// Elements, attributes and texts of one file.
const MAX_NODES: u32 = 1_000_000;
/// Properties that refer to properties.
const MAX_INTERPOLATION: usize = 16;
const MAX_VALUE: usize = 1024;

/// A project; what the file does not say is empty.
#[derive(Debug, Default)]
pub(super) struct Pom {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    pub(super) licenses: Vec<String>,
    pub(super) dependencies: Vec<PomDependency>,
}

/// A `<dependency>`, its version completed from `<dependencyManagement>` of the same file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PomDependency {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    pub(super) scope: String,
    pub(super) optional: bool,
    pub(super) classifier: String,
    /// From 1.
    pub(super) line: u32,
}

/// Reads a project file; the error is the XML parser's.
pub(super) fn parse(bytes: &[u8]) -> Result<Pom, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Old projects are in ISO 8859-1, whose bytes are the first code points.
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| error.to_string())?;
    let project = document.root_element();
    if project.tag_name().name() != "project" {
        return Err(format!("the root element is <{}>, not <project>", project.tag_name().name()));
    }
    let parent = child(project, "parent");
    let in_parent = |name: &str| parent.map(|parent| text_of(parent, name)).unwrap_or_default();
    let or_parent = |name: &str| {
        Some(text_of(project, name)).filter(|t| !t.is_empty()).unwrap_or_else(|| in_parent(name))
    };
    let mut values = Values::default();
    for property in child(project, "properties").into_iter().flat_map(|node| node.children()) {
        if property.is_element() {
            values.set(property.tag_name().name(), property.text().unwrap_or_default().trim());
        }
    }
    for (name, value) in [
        ("groupId", or_parent("groupId")),
        ("artifactId", text_of(project, "artifactId")),
        ("version", or_parent("version")),
    ] {
        for key in [format!("project.{name}"), format!("pom.{name}"), name.to_owned()] {
            values.set(&key, value);
        }
        for key in [format!("project.parent.{name}"), format!("parent.{name}")] {
            values.set(&key, in_parent(name));
        }
    }
    let managed: HashMap<(String, String), PomDependency> = child(project, "dependencyManagement")
        .map(|management| dependencies(&document, management, &values))
        .unwrap_or_default()
        .into_iter()
        .map(|managed| ((managed.group.clone(), managed.artifact.clone()), managed))
        .collect();
    let profiles = children(project, "profiles").flat_map(|profiles| children(profiles, "profile"));
    let wanted =
        std::iter::once(project).chain(profiles).flat_map(|holder| dependencies(&document, holder, &values));
    let dependencies = wanted
        .map(|mut wish| {
            if let Some(managed) = managed.get(&(wish.group.clone(), wish.artifact.clone())) {
                if wish.version.is_empty() {
                    wish.version.clone_from(&managed.version);
                }
                if wish.scope.is_empty() {
                    wish.scope.clone_from(&managed.scope);
                }
            }
            wish
        })
        .collect();
    Ok(Pom {
        group: values.resolve(or_parent("groupId")).unwrap_or_default(),
        artifact: values.resolve(text_of(project, "artifactId")).unwrap_or_default(),
        version: values.resolve(or_parent("version")).unwrap_or_default(),
        licenses: child(project, "licenses")
            .into_iter()
            .flat_map(|licenses| children(licenses, "license"))
            .filter_map(|license| {
                let name = text_of(license, "name");
                let stated = if name.is_empty() { text_of(license, "url") } else { name };
                Some(stated.to_owned()).filter(|stated| !stated.is_empty() && stated.len() <= MAX_VALUE)
            })
            .collect(),
        dependencies,
    })
}

fn dependencies(document: &Document<'_>, holder: Node<'_, '_>, values: &Values<'_>) -> Vec<PomDependency> {
    children(holder, "dependencies")
        .flat_map(|list| children(list, "dependency"))
        .filter_map(|node| {
            let value = |name: &str| values.resolve(text_of(node, name));
            let dependency = PomDependency {
                group: value("groupId")?,
                artifact: value("artifactId")?,
                version: value("version").map(|version| exact(&version)).unwrap_or_default(),
                scope: value("scope").unwrap_or_default(),
                optional: value("optional").is_some_and(|optional| optional == "true"),
                classifier: value("classifier").unwrap_or_default(),
                line: document.text_pos_at(node.range().start).row,
            };
            Some(dependency).filter(|d| !d.group.is_empty() && !d.artifact.is_empty())
        })
        .collect()
}

/// The one version that a requirement allows; empty for ranges (`[1.0]` is a single version, `[1.0,2.0)` is not).
pub(super) fn exact(version: &str) -> String {
    let pinned = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(version);
    if pinned.contains(['[', ']', '(', ')', ',']) { String::new() } else { pinned.trim().to_owned() }
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

fn text_of<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.children()
        .find(|child| child.tag_name().name() == name)
        .and_then(|child| child.text())
        .map(str::trim)
        .unwrap_or_default()
}

/// The values that `${…}` can stand for within one file.
#[derive(Default)]
struct Values<'a> {
    values: HashMap<String, &'a str>,
}

impl<'a> Values<'a> {
    fn set(&mut self, name: &str, value: &'a str) {
        if !value.is_empty() {
            self.values.insert(name.to_owned(), value);
        }
    }

    /// The text with every property replaced; `None` when one is not known here, or the text grows without end.
    fn resolve(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for _ in 0..MAX_INTERPOLATION {
            let Some(start) = text.find("${") else { return Some(text) };
            let length = text.get(start..)?.find('}')?;
            let name = text.get(start + 2..start + length)?;
            let value = *self.values.get(name)?;
            text.replace_range(start..=start + length, value);
            if text.len() > MAX_VALUE {
                return None;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completes_what_the_file_itself_can() {
        let pom = parse(
            br#"<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>7</version></parent>
  <artifactId>app</artifactId>
  <properties><jackson.version>2.${minor}.0</jackson.version><minor>14</minor><loop>${loop}</loop></properties>
  <licenses><license><name>Apache-2.0</name></license></licenses>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.managed</groupId><artifactId>m</artifactId><version>3.1</version><scope>test</scope></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>com.fasterxml.jackson.core</groupId><artifactId>jackson-core</artifactId><version>${jackson.version}</version></dependency>
    <dependency><groupId>org.managed</groupId><artifactId>m</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version><optional>true</optional></dependency>
    <dependency><groupId>a</groupId><artifactId>looped</artifactId><version>${loop}</version></dependency>
    <dependency><groupId>a</groupId><artifactId>ranged</artifactId><version>[1.0,2.0)</version></dependency>
    <dependency><groupId>a</groupId><artifactId>pinned</artifactId><version>[1.5]</version></dependency>
    <dependency><groupId>${unknown}</groupId><artifactId>lost</artifactId></dependency>
  </dependencies>
</project>"#,
        )
        .unwrap();
        assert_eq!((&*pom.group, &*pom.artifact, &*pom.version), ("org.example", "app", "7"));
        assert_eq!(pom.licenses, ["Apache-2.0"]);
        let found: Vec<_> = pom
            .dependencies
            .iter()
            .map(|d| (&*d.artifact, &*d.version, &*d.scope, d.optional, d.line))
            .collect();
        assert_eq!(
            found,
            [
                ("jackson-core", "2.14.0", "", false, 11),
                ("m", "3.1", "test", false, 12),
                ("sibling", "7", "", true, 13),
                ("looped", "", "", false, 14),
                ("ranged", "", "", false, 15),
                ("pinned", "1.5", "", false, 16),
            ]
        );
    }

    #[test]
    fn survives_deep_and_wrong_documents() {
        assert!(parse("<a>".repeat(200_000).as_bytes()).is_err());
        assert!(parse(b"<html/>").is_err());
        assert!(parse(b"<project><name>caf\xe9</name></project>").is_ok());
    }
}
