//! Specifications of installed gems, which RubyGems writes as Ruby programs of one fixed shape. They are read, not
//! run: the `# stub:` line for the identity, plain assignments for the rest.

use yagura_model::{Ecosystem, Package, SkipReason};

use crate::catalogue::structured::{depend, dependency};
use crate::catalogue::{EvidenceFile, Facts, license};
use crate::document;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let (mut name, mut version, mut platform) = (String::new(), String::new(), String::new());
    let (mut licenses, mut authors, mut wishes) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(stub) = line.strip_prefix("# stub: ") {
            // A second such line lists the gem's extensions.
            if !name.is_empty() {
                continue;
            }
            let mut words = stub.split(' ').map(str::to_owned);
            name = words.next().unwrap_or_default();
            version = words.next().unwrap_or_default();
            platform = words.next().unwrap_or_default();
            continue;
        }
        let Some((_, statement)) = line.split_once('.').filter(|(receiver, _)| is_variable(receiver)) else {
            continue;
        };
        if let Some((attribute, value)) = statement.split_once('=') {
            let mut values = strings(value);
            match attribute.trim() {
                "name" if name.is_empty() => name = values.pop().unwrap_or_default(),
                // `Gem::Version.new("1.0")` reads the same.
                "version" if version.is_empty() => version = values.pop().unwrap_or_default(),
                "license" | "licenses" => licenses = values,
                "author" | "authors" => authors = values,
                _ => {}
            }
        }
        if statement.starts_with("add_runtime_dependency") || statement.starts_with("add_dependency") {
            wishes.extend(strings(statement).into_iter().next());
        }
    }
    if name.is_empty() || version.is_empty() {
        return facts.skip(
            file.path,
            SkipReason::Malformed,
            "gem specification without a name and a version",
        );
    }
    let mut package = Package::new(Ecosystem::Gem, name, version);
    if !matches!(platform.as_str(), "" | "ruby") {
        package.qualifiers.insert("platform".to_owned(), platform);
    }
    package.licenses = license::normalise_all(licenses.iter().map(String::as_str));
    package.supplier = authors.join(", ");
    for wish in wishes {
        depend(&mut package, dependency(wish, None));
    }
    facts.packages.push(package);
}

fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The string literals of a line: `"a"`, `'a'` and `%q<a>`.
fn strings(line: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['"', '\'', '%']) {
        let tail = rest.get(at..).unwrap_or_default();
        let (body, close) = if let Some(body) = tail.strip_prefix("%q<") {
            (body, '>')
        } else {
            let quote = tail.chars().next().unwrap_or('"');
            (tail.get(1..).unwrap_or_default(), quote)
        };
        if close == '%' {
            rest = body;
            continue;
        }
        let mut text = String::new();
        let mut escaped = false;
        let mut length = body.len();
        for (at, character) in body.char_indices() {
            match character {
                _ if escaped => {
                    text.push(character);
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if character == close => {
                    length = at + close.len_utf8();
                    break;
                }
                _ => text.push(character),
            }
        }
        strings.push(text);
        rest = body.get(length..).unwrap_or_default();
    }
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> Package {
        let mut facts = Facts::default();
        read(
            EvidenceFile { path: "specifications/x.gemspec", mode: 0, size: 0 },
            text.as_bytes(),
            &mut facts,
        );
        facts.packages.remove(0)
    }

    #[test]
    fn as_rubygems_installs_it() {
        let package = package(
            "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\n# stub: ext/nokogiri/extconf.rb\n\nGem::Specification.new do |s|\n  \
             s.name = \"nokogiri\".freeze\n  s.version = \"1.15.4\"\n  s.platform = \"x86_64-linux\".freeze\n\n  \
             s.authors = [\"Mike \\\"M\\\" D\".freeze, \"B\".freeze]\n  s.licenses = [\"MIT\".freeze]\n  \
             s.add_runtime_dependency(%q<racc>.freeze, [\"~> 1.4\".freeze])\n  \
             s.add_development_dependency(%q<rake>.freeze, [\">= 0\".freeze])\nend\n",
        );
        assert_eq!(package.purl().unwrap().as_str(), "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux");
        assert_eq!(
            (package.supplier.as_str(), &package.licenses[..]),
            ("Mike \"M\" D, B", &["MIT".to_owned()][..])
        );
        assert_eq!(package.dependencies, [dependency("racc", None)]);
    }

    #[test]
    fn without_a_stub_line() {
        let package = package(
            "Gem::Specification.new do |spec|\n  spec.name = 'a'\n  spec.version = Gem::Version.new(\"1.0\")\nend\n",
        );
        assert_eq!((package.name.as_str(), package.version.as_str()), ("a", "1.0"));
    }
}
