//! Exact pins in what people write themselves: `pyproject.toml`, `setup.cfg` and `setup.py`. A range there says what
//! may be installed, which is no version; only `==` (for Poetry a bare version) is read.

use yagura_model::Ecosystem;
use yagura_model::package::Scope;

use super::normalise_name;
use super::requirement::Requirement;
use crate::catalogue::structured::{declared, toml};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    match file.name() {
        "pyproject.toml" => {
            if let Some(root) = toml(file, &text, facts) {
                pyproject(file, &root, facts);
            }
        }
        "setup.cfg" => setup_cfg(file, &text, facts),
        _ => setup_py(file, &text, facts),
    }
}

fn pyproject(file: EvidenceFile<'_>, root: &Node<'_>, facts: &mut Facts) {
    let lists = [
        (root.at(&["project", "dependencies"]), Scope::Runtime),
        (root.at(&["build-system", "requires"]), Scope::Build),
    ];
    for (list, scope) in lists {
        for wish in list.map(Node::items).unwrap_or_default() {
            pin(file, wish.string().unwrap_or_default(), wish.span.line, scope, facts);
        }
    }
    let groups = [
        (root.at(&["project", "optional-dependencies"]), Scope::Optional),
        (root.get("dependency-groups"), Scope::Development),
        (root.at(&["tool", "pdm", "dev-dependencies"]), Scope::Development),
    ];
    for (table, scope) in groups {
        for wish in table.map(Node::entries).unwrap_or_default().iter().flat_map(|group| group.value.items())
        {
            pin(file, wish.string().unwrap_or_default(), wish.span.line, scope, facts);
        }
    }
    let Some(poetry) = root.at(&["tool", "poetry"]) else { return };
    poetry_table(file, poetry.get("dependencies"), Scope::Runtime, facts);
    poetry_table(file, poetry.get("dev-dependencies"), Scope::Development, facts);
    for group in poetry.get("group").map(Node::entries).unwrap_or_default() {
        poetry_table(file, group.value.get("dependencies"), Scope::Development, facts);
    }
}

fn poetry_table(file: EvidenceFile<'_>, table: Option<&Node<'_>>, scope: Scope, facts: &mut Facts) {
    for entry in table.map(Node::entries).unwrap_or_default() {
        let constraint = entry.value.string().or_else(|| entry.value.text_of("version"));
        let (Some(name), Some(constraint)) = (entry.key.string(), constraint) else { continue };
        let version = constraint.trim().trim_start_matches('=').trim();
        let exact =
            version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains(['*', ',', ' ', '|']);
        if name != "python" && exact {
            let line = entry.key.span.line;
            let mut package = declared(file, Ecosystem::Pypi, &normalise_name(name), version, line);
            package.scope = scope;
            facts.packages.push(package);
        }
    }
}

fn setup_cfg(file: EvidenceFile<'_>, text: &str, facts: &mut Facts) {
    let (mut section, mut key) = ("", "");
    for (number, line) in (1_u32..).zip(text.lines()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            (section, key) = (name, "");
            continue;
        }
        let continued = line.starts_with([' ', '\t']);
        let mut value = line.trim();
        if !continued && let Some((name, rest)) = line.split_once('=').filter(|(name, _)| !name.contains('<'))
        {
            (key, value) = (name.trim(), rest.trim());
        }
        let scope = match (section, key) {
            ("options", "install_requires") => Scope::Runtime,
            ("options", "setup_requires") => Scope::Build,
            ("options", "tests_require") => Scope::Test,
            ("options.extras_require", _) if !key.is_empty() => Scope::Optional,
            _ => continue,
        };
        pin(file, value, number, scope, facts);
    }
}

/// Every quoted text of the program that is an exact pin: the program itself is not run.
fn setup_py(file: EvidenceFile<'_>, text: &str, facts: &mut Facts) {
    for (number, line) in (1_u32..).zip(text.lines()) {
        let code = line.trim_start();
        if code.starts_with('#') || !code.contains("==") {
            continue;
        }
        for quote in ['"', '\''] {
            for quoted in code.split(quote).skip(1).step_by(2) {
                // A format's placeholder is no version.
                if !quoted.contains(['{', '%', '"', '\'']) {
                    pin(file, quoted, number, Scope::Runtime, facts);
                }
            }
        }
    }
}

fn pin(file: EvidenceFile<'_>, wish: &str, line: u32, scope: Scope, facts: &mut Facts) {
    let Some(requirement) = Requirement::parse(wish) else { return };
    let Some(version) = requirement.exact_version() else { return };
    let mut package = declared(file, Ecosystem::Pypi, &requirement.name, version, line);
    package.scope = scope;
    facts.packages.push(package);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(String, Scope, Option<u32>)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: 0 }, text.as_bytes(), &mut facts);
        let packages = facts.packages.iter();
        packages.map(|p| (format!("{}@{}", p.name, p.version), p.scope, p.locations[0].start_line)).collect()
    }

    #[test]
    fn only_exact_versions_are_read() {
        let pyproject = "[build-system]\nrequires = [\"setuptools==75.0\"]\n[project]\nname = \"x\"\n\
            dependencies = [\n  \"a>=1\",\n  \"b==2\",\n]\n[project.optional-dependencies]\nc = [\"d==4\"]\n\
            [dependency-groups]\ndev = [{include-group = \"t\"}, \"e==5\"]\n[tool.poetry.dependencies]\n\
            python = \"3.11\"\nf = \"1.2.3\"\ng = \"^1\"\nh = {version = \"==2.0\", optional = true}\n";
        assert_eq!(
            found("pyproject.toml", pyproject),
            [
                ("b@2".into(), Scope::Runtime, Some(7)),
                ("setuptools@75.0".into(), Scope::Build, Some(2)),
                ("d@4".into(), Scope::Optional, Some(10)),
                ("e@5".into(), Scope::Development, Some(12)),
                ("f@1.2.3".into(), Scope::Runtime, Some(15)),
                ("h@2.0".into(), Scope::Runtime, Some(17)),
            ]
        );
        assert_eq!(
            found(
                "setup.py",
                "setup(\n  install_requires=['a==1', \"b == 2\", 'c>=3'],\n  # 'd==4'\n  x='v==%s'\n)\n"
            ),
            [("b@2".into(), Scope::Runtime, Some(2)), ("a@1".into(), Scope::Runtime, Some(2))]
        );
        assert_eq!(
            found("setup.cfg", "[metadata]\nversion = 1\n[options]\ninstall_requires =\n  a==1\n  b>=2\n"),
            [("a@1".into(), Scope::Runtime, Some(5))]
        );
    }
}
