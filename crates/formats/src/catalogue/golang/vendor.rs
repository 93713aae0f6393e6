//! `vendor/modules.txt`, which lists the modules copied below `vendor/` (Go modules reference, "Vendoring").

use yagura_model::{Location, SkipReason};

use super::super::{EvidenceFile, Facts};
use super::replaced;

const MAX_MODULES: usize = 50_000;

pub(super) fn catalogue(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let mut open: Option<(Vec<&str>, u32)> = None;
    // A replacement for a module that nothing uses has no packages below it, and so no copy.
    for (number, line) in (1_u32..).zip(text.lines()) {
        if let Some(module) = line.strip_prefix("# ") {
            open = Some((module.split_whitespace().collect(), number));
        } else if !line.starts_with('#')
            && !line.trim().is_empty()
            && let Some((words, number)) = open.take()
        {
            if facts.packages.len() >= MAX_MODULES {
                return facts.skip(
                    file.path,
                    SkipReason::TooMany,
                    format!("more than {MAX_MODULES} modules"),
                );
            }
            let mut package = match words.as_slice() {
                [path, version] => replaced(path, None, version),
                [path, "=>", target] | [path, _, "=>", target] => replaced(path, Some((target, "")), ""),
                [path, "=>", target, new] | [path, _, "=>", target, new] => {
                    replaced(path, Some((target, new)), "")
                }
                _ => {
                    facts.skip(file.path, SkipReason::Malformed, format!("line {number} names no module"));
                    continue;
                }
            };
            package.locations = vec![Location::line(file.path, number)];
            facts.packages.push(package);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_modules_that_have_packages() {
        let text = "# example.org/lib v1.2.3 => ../lib\n## explicit; go 1.19\nexample.org/lib\n\
            # golang.org/x/net v0.7.0\n## explicit; go 1.17\ngolang.org/x/net/html\ngolang.org/x/net/html/atom\n\
            # github.com/a/b v1.0.0 => github.com/c/b v1.0.1\n## explicit\ngithub.com/a/b\n\
            # example.org/unused => ../unused\n";
        let mut facts = Facts::default();
        let file = EvidenceFile { path: "src/vendor/modules.txt", mode: 0o644, size: 0 };
        catalogue(file, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(
            found,
            [("example.org/lib", ""), ("golang.org/x/net", "v0.7.0"), ("github.com/c/b", "v1.0.1")]
        );
        assert!(facts.skipped.is_empty());
    }
}
