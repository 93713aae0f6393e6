//! What a package manager's command line installs.

use crate::shell::Word;

/// A package that a command names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'w> {
    pub name: &'w str,
    pub version: Option<&'w str>,
    /// Whether always the same version comes: it is named exactly, or is a file or a revision.
    pub pinned: bool,
    pub word: &'w Word,
}

/// What a command of a package manager does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use<'w> {
    pub manager: &'static str,
    /// `install`, `update`, … in the manager's own words.
    pub verb: &'w str,
    /// What it installs; empty for anything but an installation.
    pub packages: Vec<Named<'w>>,
    pub installs: bool,
}

struct Manager {
    name: &'static str,
    programs: &'static [&'static str],
    installs: &'static [&'static str],
    /// Options whose value is the next word.
    valued: &'static [&'static str],
    version: fn(&str) -> (usize, bool),
}

const MANAGERS: &[Manager] = &[
    Manager {
        name: "apt",
        programs: &["apt-get", "apt", "aptitude"],
        installs: &["install", "reinstall"],
        valued: &[
            "-t",
            "--target-release",
            "--default-release",
            "-o",
            "--option",
            "-c",
            "--config-file",
            "-a",
        ],
        version: |word| separated(word, &["=", "/"], &[".deb"]),
    },
    Manager {
        name: "apk",
        programs: &["apk"],
        installs: &["add"],
        valued: &["-t", "--virtual", "-X", "--repository", "-p", "--root", "--repositories-file", "--arch"],
        version: |word| separated(word, &["=", "~", "<", ">"], &[".apk"]),
    },
    Manager {
        name: "dnf",
        programs: &["dnf", "yum", "microdnf", "tdnf"],
        installs: &["install", "localinstall", "reinstall"],
        valued: &[
            "-x",
            "--exclude",
            "--enablerepo",
            "--disablerepo",
            "--setopt",
            "-c",
            "--releasever",
            "--installroot",
            "-d",
            "-e",
            "--repo",
            "--repoid",
        ],
        version: rpm,
    },
    Manager {
        name: "zypper",
        programs: &["zypper"],
        installs: &["install", "in"],
        valued: &["-r", "--repo", "--from", "-t", "--type", "-R", "--root"],
        version: |word| separated(word, &["=", "<", ">", "~"], &[".rpm"]),
    },
    Manager {
        name: "pip",
        programs: &["pip", "pip2", "pip3"],
        installs: &["install"],
        valued: &[
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-i",
            "--index-url",
            "--extra-index-url",
            "-t",
            "--target",
            "-f",
            "--find-links",
            "--root",
            "--prefix",
            "--trusted-host",
            "-d",
            "--platform",
            "--python-version",
            "--proxy",
            "--progress-bar",
            "--timeout",
            "--retries",
            "--cache-dir",
            "-e",
            "--editable",
            "--only-binary",
            "--no-binary",
            "--config-settings",
            "--src",
            "--cert",
            "--log",
            "--use-feature",
            "--abi",
            "--implementation",
            "--upgrade-strategy",
            "--root-user-action",
        ],
        version: |word| {
            if word.starts_with(['.', '/'])
                || word.contains("://")
                || [".whl", ".tar.gz", ".zip"].iter().any(|end| word.ends_with(end))
            {
                return (word.len(), true);
            }
            let at = word.find("===").or_else(|| word.find("==")).or_else(|| word.find('@'));
            at.map_or((word.len(), false), |at| (at, true))
        },
    },
    Manager {
        name: "npm",
        programs: &["npm", "pnpm"],
        installs: &["install", "i", "add", "in"],
        valued: &["--prefix", "-C", "--registry", "--loglevel", "--cache", "--dir", "--workspace", "-w"],
        version: npm,
    },
    Manager {
        name: "yarn",
        programs: &["yarn"],
        installs: &["add"],
        valued: &["--cwd", "--registry", "--cache-folder", "--network-timeout"],
        version: npm,
    },
    Manager {
        name: "gem",
        programs: &["gem"],
        installs: &["install", "i"],
        valued: &["-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "--platform"],
        version: |word| separated(word, &[":"], &[".gem"]),
    },
    Manager {
        name: "go",
        programs: &["go"],
        installs: &["install", "get"],
        valued: &["-tags", "-ldflags", "-gcflags", "-o", "-mod", "-p"],
        version: |word| match word.rsplit_once('@') {
            Some((path, version)) => (path.len(), version != "latest" && !version.is_empty()),
            // Paths of the module itself.
            None => (word.len(), word.starts_with('.') || !word.contains('.')),
        },
    },
    Manager {
        name: "cargo",
        programs: &["cargo"],
        installs: &["install"],
        valued: &[
            "--version",
            "--vers",
            "--git",
            "--branch",
            "--tag",
            "--rev",
            "--path",
            "--root",
            "-F",
            "--features",
            "--target",
            "--registry",
            "--index",
            "--profile",
            "-j",
        ],
        version: |word| separated(word, &["@"], &[]),
    },
];

/// Reads the words after a package manager's name; none for other programs.
pub(super) fn of<'w>(program: &str, arguments: &'w [Word]) -> Option<Use<'w>> {
    // `python3 -m pip install …`
    let module = program.starts_with("python")
        && arguments.first().is_some_and(|word| word.text == "-m")
        && arguments.get(1).is_some_and(|word| word.text.starts_with("pip"));
    let (program, arguments) =
        if module { ("pip", arguments.get(2..).unwrap_or_default()) } else { (program, arguments) };
    let base = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let manager = MANAGERS
        .iter()
        .find(|manager| manager.programs.contains(&program) || (manager.name == "pip" && base == "pip"))?;
    let mut operands = operands(arguments, manager.valued);
    let mut verb = operands.first().map_or("", |word| word.text.as_str());
    if manager.name == "yarn" && verb == "global" {
        operands.remove(0);
        verb = operands.first().map_or("", |word| word.text.as_str());
    }
    let installs = manager.installs.contains(&verb);
    let elsewhere = arguments.iter().any(|word| {
        // The version, or a revision, stands in an option.
        let name = word.text.split('=').next().unwrap_or_default();
        match manager.name {
            "gem" => matches!(name, "-v" | "--version"),
            "cargo" => matches!(name, "--version" | "--vers" | "--rev" | "--tag" | "--path"),
            _ => false,
        }
    });
    let packages = operands.iter().skip(1).filter(|_| installs).filter_map(|word| {
        let text = word.text.as_str();
        if text.is_empty() || text.starts_with('>') || text.starts_with('@') && manager.name == "dnf" {
            return None;
        }
        let (end, mut pinned) = (manager.version)(text);
        pinned |= elsewhere;
        let name = text.get(..end).unwrap_or(text);
        let version =
            text.get(end..).map(|rest| rest.trim_start_matches(['=', '@', '~', '<', '>', ':', '/']));
        // A pin that is itself a variable is a pin all the same.
        Some(Named { name, version: version.filter(|version| !version.is_empty()), pinned, word })
    });
    let packages = packages.collect();
    Some(Use { manager: manager.name, verb, packages, installs })
}

/// The words that are neither options nor their values.
pub(super) fn operands<'w>(arguments: &'w [Word], valued: &[&str]) -> Vec<&'w Word> {
    let mut found = Vec::new();
    let mut skip = false;
    for word in arguments {
        if std::mem::take(&mut skip) {
            continue;
        }
        if valued.contains(&word.text.as_str()) {
            skip = true;
        } else if !word.text.starts_with('-') {
            found.push(word);
        }
    }
    found
}

/// Where the name ends, and whether a version or a file is named.
fn separated(word: &str, separators: &[&str], files: &[&str]) -> (usize, bool) {
    if files.iter().any(|end| word.ends_with(end)) {
        return (word.len(), true);
    }
    let at = separators.iter().filter_map(|separator| word.find(separator)).min();
    at.map_or((word.len(), false), |at| (at, true))
}

/// `name-1.2-3.arch`: a dash and a version with a dot or another dash.
fn rpm(word: &str) -> (usize, bool) {
    if word.ends_with(".rpm") || word.contains("://") {
        return (word.len(), true);
    }
    let starts = word.match_indices('-').find(|(at, _)| {
        let rest = word.get(at + 1..).unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_digit() || c == '$')
            && (rest.contains(['.', '-']) || rest.starts_with('$'))
    });
    starts.map_or((word.len(), false), |(at, _)| (at, true))
}

fn npm(word: &str) -> (usize, bool) {
    if word.starts_with(['.', '/', '~'])
        || word.contains("://")
        || word.starts_with("git")
        || word.ends_with(".tgz")
    {
        return (word.len(), true);
    }
    // A scope starts with the same character.
    match word.char_indices().skip(1).find(|(_, character)| *character == '@') {
        Some((at, _)) => {
            let version = word.get(at + 1..).unwrap_or_default();
            (at, !matches!(version, "" | "latest" | "next" | "*"))
        }
        None => (word.len(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::shell::parse;
    use crate::spliced::Spliced;

    fn packages(line: &str) -> Vec<(String, bool)> {
        let script = parse(&Spliced::of(line, 0));
        let words = &script.commands[0].words;
        let found = of(&words[0].text, &words[1..]).unwrap();
        found.packages.iter().map(|package| (package.name.to_owned(), package.pinned)).collect()
    }

    #[test]
    fn packages_and_their_pins() {
        let expect = |line: &str, expected: &[(&str, bool)]| {
            let expected: Vec<_> =
                expected.iter().map(|(name, pinned)| ((*name).to_owned(), *pinned)).collect();
            assert_eq!(packages(line), expected, "{line}");
        };
        expect(
            "apt-get -y install -t sid curl=7.1 wget ./a.deb x=$V",
            &[("curl", true), ("wget", false), ("./a.deb", true), ("x", true)],
        );
        expect("apt-get update", &[]);
        expect("apk add --no-cache -t .deps gcc~=12 make", &[("gcc", true), ("make", false)]);
        expect("dnf install -y httpd-2.4.6 vim-enhanced", &[("httpd", true), ("vim-enhanced", false)]);
        expect(
            "pip3 install -r req.txt --no-cache-dir flask==1.0 'django>=2' .",
            &[("flask", true), ("django>=2", false), (".", true)],
        );
        expect("python3 -m pip install x", &[("x", false)]);
        expect("npm install -g @a/b yarn@1.2 c@latest", &[("@a/b", false), ("yarn", true), ("c", false)]);
        expect("yarn global add x", &[("x", false)]);
        expect("gem install rails -v 7", &[("rails", true)]);
        expect("go install example.org/x@latest", &[("example.org/x", false)]);
    }
}
