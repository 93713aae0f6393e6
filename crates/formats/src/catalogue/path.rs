//! Paths written inside evidence files, brought into the form of [`super::EvidenceFile::path`].

/// `relative` as seen from the directory `base`, `.` and `..` resolved; an absolute path stands for itself. `None`
/// when it leaves the root.
pub(super) fn join(base: &str, relative: &str) -> Option<String> {
    let base = if relative.starts_with('/') { "" } else { base };
    let mut components: Vec<&str> = Vec::new();
    for component in base.split('/').chain(relative.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            name => components.push(name),
        }
    }
    Some(components.join("/"))
}

/// The directory that holds `path`; empty at the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The last component.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn dots_are_resolved_within_the_root() {
        assert_eq!(
            join("usr/lib/python3/site-packages", "../../../bin/flask").as_deref(),
            Some("usr/bin/flask")
        );
        assert_eq!(join("a", "/etc//x/./y").as_deref(), Some("etc/x/y"));
        assert_eq!(join("a/b", "../../../c"), None);
    }
}
