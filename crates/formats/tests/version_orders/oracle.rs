//! The programs that know, and how to ask them in bulk.

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};

use yagura_formats::versions::Order;

/// A program that compares pairs.
pub struct Oracle {
    pub name: &'static str,
    pub order: Order,
    /// Program and arguments.
    command: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    /// `.ci/run` installs it.
    pub required: bool,
    /// What generated versions begin with.
    pub starts: &'static [&'static str],
    /// What follows.
    pub pieces: &'static [&'static str],
    /// OSV files whose versions are compared as well.
    pub ecosystems: &'static [&'static str],
    /// Pairs on which our order departs from the program, for the reason its module gives.
    pub departs: fn(&str, &str) -> bool,
}

impl Oracle {
    fn command(&self) -> Command {
        let (program, arguments) = self.command.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).envs(self.environment.iter().copied());
        command
    }

    /// Whether the program and its libraries are there: it then answers no question with nothing.
    pub fn is_present(&self) -> bool {
        let mut probe = self.command();
        probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }

    /// One answer a pair, `None` where the program refuses.
    pub fn ask(&self, pairs: &[(String, String)]) -> Vec<Option<Ordering>> {
        let mut child = self.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let text: String = pairs.iter().flat_map(|(a, b)| [a, "\t", b, "\n"]).collect();
        let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success(), "{} failed", self.name);
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter(|line| !line.is_empty())
            .map(answer)
            .collect()
    }
}

fn answer(line: &str) -> Option<Ordering> {
    match line.trim() {
        "-1" => Some(Ordering::Less),
        "0" => Some(Ordering::Equal),
        "1" => Some(Ordering::Greater),
        "!" => None,
        other => panic!("an oracle answered {other:?}"),
    }
}

macro_rules! script {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/version_orders/oracles/", $name)
    };
}

const NOTHING: Oracle = Oracle {
    name: "",
    order: Order::Generic,
    command: &[],
    environment: &[],
    required: false,
    starts: &["0", "1", "1", "2", "10"],
    pieces: &[],
    ecosystems: &[],
    departs: |_, _| false,
};

pub const DPKG: Oracle = Oracle {
    name: "dpkg",
    order: Order::Dpkg,
    command: &["perl", script!("dpkg.pl")],
    required: true,
    pieces: &[
        "0", "1", "2", "10", "00", "09", ".", ".", "-", "~", "+", ":", "a", "Z", "rc", "deb", "ubuntu",
        "~rc1", "+b1", "-0", "-1", "1:", "0:",
    ],
    ecosystems: &["Debian"],
    // Nothing behind the epoch: dpkg itself refuses that, its Perl library does not.
    departs: |a, b| a.ends_with(':') || b.ends_with(':'),
    ..NOTHING
};

pub const RPM: Oracle = Oracle {
    name: "rpm",
    order: Order::Rpm,
    command: &["rpm", "--eval", concat!("%{lua: dofile(\"", script!("rpm.lua"), "\")}")],
    required: true,
    pieces: &[
        "0", "1", "2", "10", "00", "09", ".", ".", "-", "~", "^", "+", "_", "a", "Z", "rc", "el8", "~rc1",
        "^git1", "-0", "-1", "1:", "0:",
    ],
    ecosystems: &["AlmaLinux"],
    ..NOTHING
};

pub const PACKAGING: Oracle = Oracle {
    name: "Python packaging",
    order: Order::Pep440,
    command: &["python3", script!("pep440.py")],
    required: true,
    pieces: &[
        "1", "0", "2", "10", "00", "1.0", "2.1", "1!", ".", "-", "_", "a", "B", "rc", "RC1", "alpha",
        "beta2", "c1", "pre", "preview3", ".post1", "-1", "post", "rev2", "r", ".dev0", "dev", "+local",
        "+1", ".abc", "v",
    ],
    ecosystems: &["PyPI"],
    ..NOTHING
};

pub const NODE_SEMVER: Oracle = Oracle {
    name: "node-semver",
    order: Order::Semver,
    command: &["node", script!("semver.js"), "versions"],
    required: true,
    starts: &["1.2.3", "1.2.3-", "1.2.4", "0.0.1", "1.0.0-rc.1", "1.0.0-alpha."],
    pieces: &[
        "1", "0", "10", "rc", "-alpha", "-beta", "x-y", "+build", ".a", ".1", ".rc", ".10", "-", "beta",
    ],
    ecosystems: &["npm", "crates.io"],
    ..NOTHING
};

pub const NODE_RANGES: Oracle = Oracle {
    name: "node-semver ranges",
    command: &["node", script!("semver.js"), "ranges"],
    required: true,
    ..NOTHING
};

pub const GEM: Oracle = Oracle {
    name: "RubyGems",
    order: Order::Gem,
    command: &["ruby", script!("gem.rb")],
    required: true,
    pieces: &[
        "1", "0", "2", "10", "00", "007", ".", ".", ".", "-", "a", "b", "B", "rc", "pre", "beta1", "alpha",
        "x86", "1.0", "0.0",
    ],
    ecosystems: &["RubyGems"],
    ..NOTHING
};

pub const ALPM: Oracle = Oracle {
    name: "libalpm",
    order: Order::Alpm,
    command: &["python3", script!("alpm.py")],
    pieces: &[
        "0", "1", "2", "10", "00", "09", ".", ".", "..", "-", "_", "+", "a", "Z", "rc", "beta", "-1", "-2",
        "1:", "0:",
    ],
    // Two departures make the order total: see the module.
    departs: |a, b| {
        let (release_a, release_b) = (a.rsplit_once('-'), b.rsplit_once('-'));
        let separators_at_end = |version: &str| {
            version
                .split('-')
                .any(|part| part.ends_with(|c: char| !c.is_ascii_alphanumeric()) || part.is_empty())
        };
        release_a.is_some() != release_b.is_some() || separators_at_end(a) || separators_at_end(b)
    },
    ..NOTHING
};

pub const MAVEN: Oracle = Oracle {
    name: "Maven 3",
    order: Order::Maven,
    command: &["java", "-cp", "/usr/share/maven/lib/*:/usr/share/java/*", script!("Maven.java")],
    pieces: &[
        "1",
        "0",
        "2",
        "10",
        "00",
        "007",
        "99999999999",
        ".",
        ".",
        "-",
        "-",
        "a",
        "b1",
        "M2",
        "alpha",
        "beta",
        "rc",
        "CR",
        "SNAPSHOT",
        "ga",
        "Final",
        "RELEASE",
        "sp",
        "jre",
        "foo",
        "x",
    ],
    ecosystems: &["RubyGems", "Packagist"],
    ..NOTHING
};

pub const COMPOSER: Oracle = Oracle {
    name: "composer/semver",
    order: Order::Composer,
    command: &["php", script!("composer.php")],
    pieces: &[
        "1",
        "0",
        "2",
        "10",
        "00",
        "1.0",
        "2.1.3",
        "2010.01.02",
        "20100102",
        "100000",
        ".",
        "-",
        "_",
        "a",
        "b",
        "rc",
        "RC1",
        "-beta2",
        "alpha",
        "-patch1",
        "pl",
        "p1",
        "-dev",
        ".x-dev",
        "dev-",
        "master",
        "stable",
        "v",
        "+build",
        "@dev",
    ],
    ecosystems: &["Packagist"],
    ..NOTHING
};

pub const GO: Oracle = Oracle {
    name: "golang.org/x/mod",
    order: Order::Go,
    command: &["go", "run", script!("golang.go")],
    environment: &[("GO111MODULE", "off"), ("GOFLAGS", "")],
    starts: &[
        "1.2.3",
        "v1.2.3",
        "0.0.0-20200101000000-0123456789ab",
        "0.0.0",
        "v2",
        "1.2",
        "1.2.4-0.20200102000000-0123456789ab",
    ],
    pieces: &[
        ".2.3",
        ".0.0",
        ".0",
        ".0.0-20200101000000-0123456789ab",
        "-",
        ".",
        "1",
        "0",
        "10",
        "a",
        "rc",
        "-rc.1",
        "-0.20200102000000-0123456789ab",
        "+incompatible",
        "-beta",
        "-pre",
        ".x-y",
        ".1",
    ],
    ecosystems: &["Go"],
    ..NOTHING
};

pub const CONAN: Oracle = Oracle {
    name: "Conan",
    order: Order::Conan,
    command: &["python3", script!("conan_version.py")],
    pieces: &[
        "1",
        "0",
        "2",
        "10",
        "00",
        "007",
        ".",
        ".",
        ".",
        "-a",
        "a",
        "b",
        "rc",
        "-pre",
        "cci.20200101",
        "1.2.3",
        "1.1.1k",
        "+b1",
    ],
    ecosystems: &["Bitnami"],
    ..NOTHING
};

pub const ELIXIR: Oracle = Oracle {
    name: "Elixir",
    order: Order::Semver,
    command: &["elixir", script!("hex.exs")],
    starts: NODE_SEMVER.starts,
    pieces: NODE_SEMVER.pieces,
    ecosystems: &["Go"],
    ..NOTHING
};
