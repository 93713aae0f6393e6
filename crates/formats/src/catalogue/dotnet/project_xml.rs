//! What .NET projects ask for in XML: `packages.config`, `PackageReference` of project files, `PackageVersion` of
//! `Directory.Packages.props`. NuGet restores the lowest version that fits, so a plain version is the one it takes;
//! floating versions, ranges and properties are none.

use roxmltree::{Document, Node, ParsingOptions};
use yagura_model::package::Scope;
use yagura_model::{Ecosystem, SkipReason};

use crate::catalogue::structured::declared;
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Lines};

/// Most XML nodes of one file.
const MAX_NODES: u32 = 200_000;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let tree = match Document::parse_with_options(&text, options) {
        Ok(tree) => tree,
        Err(error) => return facts.skip(file.path, SkipReason::Malformed, error.to_string()),
    };
    let lines = Lines::of(&text);
    for node in tree.descendants().filter(Node::is_element) {
        let (name, version) = match node.tag_name().name() {
            "package" => (attribute(node, "id"), attribute(node, "version")),
            "PackageReference" | "PackageVersion" | "GlobalPackageReference" => (
                attribute(node, "Include"),
                attribute(node, "VersionOverride").or_else(|| value(node, "Version")),
            ),
            _ => continue,
        };
        let (Some(name), Some(version)) = (name, version.and_then(exact)) else { continue };
        if name.is_empty() || name.contains("$(") {
            continue;
        }
        let mut package = declared(file, Ecosystem::Nuget, name, version, lines.at(node.range().start));
        let for_development = value(node, "PrivateAssets")
            .is_some_and(|assets| assets.eq_ignore_ascii_case("all"))
            || attribute(node, "developmentDependency").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        if for_development {
            package.scope = Scope::Development;
        }
        facts.packages.push(package);
    }
}

fn attribute<'n>(node: Node<'n, '_>, name: &str) -> Option<&'n str> {
    let found = node.attributes().find(|attribute| attribute.name().eq_ignore_ascii_case(name));
    found.map(|attribute| attribute.value().trim())
}

/// An attribute, or the text of the child of that name.
fn value<'n>(node: Node<'n, '_>, name: &str) -> Option<&'n str> {
    attribute(node, name).or_else(|| {
        let child = node.children().find(|child| child.tag_name().name() == name)?;
        child.text().map(str::trim)
    })
}

/// `1.2.3` or `[1.2.3]`.
fn exact(version: &str) -> Option<&str> {
    let version = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(version).trim();
    let plain = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
    plain.then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(String, Scope, Option<u32>)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.skipped, []);
        let packages = facts.packages.iter();
        packages.map(|p| (format!("{}@{}", p.name, p.version), p.scope, p.locations[0].start_line)).collect()
    }

    #[test]
    fn every_way_to_ask_for_a_package() {
        let project = r#"<Project Sdk="Microsoft.NET.Sdk">
  <ItemGroup>
    <PackageReference Include="A" Version="1.2.3" />
    <PackageReference Include="B"><Version>[2.0.0-rc.1]</Version><PrivateAssets>all</PrivateAssets></PackageReference>
    <PackageReference Include="C" Version="1.*" /><PackageReference Include="D" Version="$(V)" />
    <PackageReference Include="E" Version="[1.0,2.0)" /><PackageReference Include="F" />
  </ItemGroup>
</Project>"#;
        assert_eq!(
            found("x.csproj", project),
            [
                ("A@1.2.3".into(), Scope::Runtime, Some(3)),
                ("B@2.0.0-rc.1".into(), Scope::Development, Some(4))
            ]
        );
        let config = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<packages>\n\
            <package id=\"jQuery\" version=\"3.1.1\" targetFramework=\"net46\" />\n\
            <package id=\"Lint\" version=\"1.0\" developmentDependency=\"true\" /></packages>";
        assert_eq!(
            found("packages.config", config),
            [
                ("jQuery@3.1.1".into(), Scope::Runtime, Some(3)),
                ("Lint@1.0".into(), Scope::Development, Some(4))
            ]
        );
        let central =
            "<Project><ItemGroup><PackageVersion Include=\"A\" Version=\"1.0\"/></ItemGroup></Project>";
        assert_eq!(found("Directory.Packages.props", central), [("A@1.0".into(), Scope::Runtime, Some(1))]);
    }
}
