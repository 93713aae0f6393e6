//! The small grammars of npm: `name@range`, aliases, repositories.

use yagura_model::Package;

/// `name@rest`, where the name may start with `@`.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The name a range stands for: `real` of `npm:real@^1`.
pub(super) fn alias_target(range: &str) -> Option<&str> {
    let target = range.strip_prefix("npm:")?;
    split(target).map(|(name, _)| name).or(Some(target)).filter(|name| is_name(name))
}

/// Whether a text can be a package's name: at most one `/`, and that behind a scope.
pub(super) fn is_name(text: &str) -> bool {
    let bare = text.strip_prefix('@').and_then(|scoped| scoped.split_once('/').map(|(_, name)| name));
    let bare = bare.unwrap_or(text);
    !bare.is_empty()
        && !bare.starts_with(['@', '.', '^', '~', '<', '>', '=', '*'])
        && !bare.contains(['/', '\\', ' ', ':', '%'])
        && bare.chars().all(|character| !character.is_control())
}

/// Whether a range names a directory of the project itself.
pub(super) fn is_local_directory(range: &str) -> bool {
    let path =
        ["link:", "workspace:", "portal:", "file:"].iter().find_map(|scheme| range.strip_prefix(scheme));
    path.is_some_and(|path| !path.ends_with(".tgz") && !path.ends_with(".tar.gz"))
}

/// Notes where a package came from when that was no registry, as purl qualifiers: `vcs_url` for a repository,
/// `download_url` for an archive elsewhere.
pub(super) fn set_source(package: &mut Package, source: &str) {
    let shorthand = [
        ("github:", "https://github.com/"),
        ("gitlab:", "https://gitlab.com/"),
        ("bitbucket:", "https://bitbucket.org/"),
    ];
    let hosted = shorthand
        .iter()
        .find_map(|(prefix, host)| Some(format!("git+{host}{}", source.strip_prefix(prefix)?)));
    let (key, value) = match hosted {
        Some(url) => ("vcs_url", url),
        None if source.starts_with("git+") || source.starts_with("git:") => ("vcs_url", source.to_owned()),
        None if source.contains(".git#") => ("vcs_url", format!("git+{source}")),
        None if source.starts_with("https://codeload.github.com/") => ("download_url", source.to_owned()),
        None => return,
    };
    // purl writes `git+<url>@<commit>`.
    let value =
        if key == "vcs_url" { value.replacen('#', "@", 1).replacen("@commit=", "@", 1) } else { value };
    package.qualifiers.insert(key.to_owned(), value);
}

/// A version as npm cleans it: without blanks and a leading `v` or `=`.
pub(super) fn clean_version(version: &str) -> &str {
    let version = version.trim().trim_start_matches('=').trim_start();
    match version.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_aliases_and_versions() {
        assert_eq!(split("@babel/core@^7"), Some(("@babel/core", "^7")));
        assert_eq!(split("lod@npm:lodash@4"), Some(("lod", "npm:lodash@4")));
        assert_eq!(split("@babel/core"), None);
        assert_eq!(alias_target("npm:@x/y@4.17.20"), Some("@x/y"));
        assert_eq!(alias_target("npm:lodash"), Some("lodash"));
        assert_eq!(alias_target("npm:^1.0.0"), None);
        assert_eq!(clean_version(" =v1.2.3 "), "1.2.3");
        assert!(is_local_directory("file:../a") && !is_local_directory("file:a.tgz"));
        for (name, valid) in
            [("a", true), ("@a/b", true), ("a/b", false), ("@a/b/c", false), ("", false), ("..", false)]
        {
            assert_eq!(is_name(name), valid, "{name}");
        }
    }

    #[test]
    fn repositories_become_qualifiers() {
        for (source, expected) in [
            ("git+ssh://git@github.com/u/r.git#abc", "git+ssh://git@github.com/u/r.git@abc"),
            ("github:u/r#abc", "git+https://github.com/u/r@abc"),
            ("https://github.com/u/r.git#commit=abc", "git+https://github.com/u/r.git@abc"),
        ] {
            let mut package = Package::new(yagura_model::Ecosystem::Npm, "r", "1");
            set_source(&mut package, source);
            assert_eq!(package.qualifiers["vcs_url"], expected);
        }
    }
}
