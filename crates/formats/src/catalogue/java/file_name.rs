//! What an archive's file name says: `artifact-version[-classifier].extension` by Maven's repository layout.

/// The parts of a file name; what is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) classifier: String,
}

/// Words that belong to a version although they are not numbers.
const QUALIFIERS: [&str; 24] = [
    "alpha",
    "beta",
    "rc",
    "cr",
    "m",
    "b",
    "pre",
    "preview",
    "ea",
    "snapshot",
    "ga",
    "final",
    "release",
    "sp",
    "build",
    "redhat",
    "jbossorg",
    "jre",
    "jdk",
    "android",
    "incubating",
    "atlassian",
    "hadoop",
    "p",
];

/// Classifiers that follow a version.
const CLASSIFIERS: [&str; 14] = [
    "sources",
    "javadoc",
    "tests",
    "test-sources",
    "jar-with-dependencies",
    "all",
    "shaded",
    "exec",
    "boot",
    "runner",
    "standalone",
    "uber",
    "fat",
    "no-aop",
];

/// First words of classifiers that name a platform.
const PLATFORMS: [&str; 8] = ["linux", "osx", "macos", "windows", "win32", "win64", "solaris", "freebsd"];

impl FileName {
    pub(super) fn parse(file_name: &str) -> Self {
        let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
        // Bundles are `org.example.bundle_1.0.0.qualifier-1`: the dots before the underscore tell them from Scala's
        // `library_2.13-1.0`.
        let bundle = split_at_version(stem, '_').filter(|at| {
            stem.get(..*at).is_some_and(|name| name.contains('.') && split_at_version(name, '-').is_none())
        });
        let split = bundle.or_else(|| split_at_version(stem, '-')).or_else(|| split_at_version(stem, '_'));
        let Some(split) = split else {
            return Self { name: stem.to_owned(), ..Self::default() };
        };
        let (name, version) =
            (stem.get(..split).unwrap_or_default(), stem.get(split + 1..).unwrap_or_default());
        let (version, classifier) = cut_classifier(version);
        Self { name: name.to_owned(), version: version.to_owned(), classifier: classifier.to_owned() }
    }
}

/// The separator before the version: the first one that a digit follows, unless another artifact word and a number
/// come after it (`log4j-1.2-api-2.17.1`).
fn split_at_version(stem: &str, separator: char) -> Option<usize> {
    let starts: Vec<usize> = stem
        .match_indices(separator)
        .map(|(at, _)| at)
        .filter(|at| *at > 0 && stem.get(at + 1..).is_some_and(starts_version))
        .collect();
    starts.iter().copied().find(|at| !holds_another_name(stem.get(at + 1..).unwrap_or_default(), separator))
}

fn starts_version(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V', 'r', 'R']).unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn holds_another_name(version: &str, separator: char) -> bool {
    let mut word_seen = false;
    for group in version.split(separator).skip(1) {
        if word_seen && starts_version(group) {
            return true;
        }
        let word: String =
            group.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        let platform = PLATFORMS.contains(&word.as_str());
        if platform {
            return false;
        }
        word_seen = word.len() == group.len() && !word.is_empty() && !QUALIFIERS.contains(&word.as_str());
    }
    false
}

fn cut_classifier(version: &str) -> (&str, &str) {
    for (at, _) in version.match_indices('-') {
        let (before, after) =
            (version.get(..at).unwrap_or_default(), version.get(at + 1..).unwrap_or_default());
        let platform = after.split(['-', '_']).next().unwrap_or_default();
        if CLASSIFIERS.contains(&after) || PLATFORMS.contains(&platform) {
            return (before, after);
        }
    }
    (version, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names_as_repositories_write_them() {
        for (file, name, version, classifier) in [
            ("spring-core-5.3.4-SNAPSHOT.jar", "spring-core", "5.3.4-SNAPSHOT", ""),
            ("guava-31.1-jre.jar", "guava", "31.1-jre", ""),
            ("log4j-1.2-api-2.17.1.jar", "log4j-1.2-api", "2.17.1", ""),
            ("commons-lang3-3.12.0.jar", "commons-lang3", "3.12.0", ""),
            ("kafka_2.13-3.4.0.jar", "kafka_2.13", "3.4.0", ""),
            (
                "netty-tcnative-2.0.61.Final-linux-x86_64.jar",
                "netty-tcnative",
                "2.0.61.Final",
                "linux-x86_64",
            ),
            ("app-1.0-2.war", "app", "1.0-2", ""),
            (
                "hibernate-core-5.3.20.Final-redhat-00001.jar",
                "hibernate-core",
                "5.3.20.Final-redhat-00001",
                "",
            ),
            ("demo-1.0.0-jar-with-dependencies.jar", "demo", "1.0.0", "jar-with-dependencies"),
            ("org.eclipse.osgi_3.18.0.v20220516-2155.jar", "org.eclipse.osgi", "3.18.0.v20220516-2155", ""),
            ("catalina.jar", "catalina", "", ""),
            ("git-client.hpi", "git-client", "", ""),
            ("foo-r08.jar", "foo", "r08", ""),
            ("-1.jar", "-1", "", ""),
            ("jar", "jar", "", ""),
        ] {
            let expected =
                FileName { name: name.into(), version: version.into(), classifier: classifier.into() };
            assert_eq!(FileName::parse(file), expected, "{file}");
        }
    }
}
