//! Image references, taken apart: `registry.example:5000/team/app:1.2@sha256:…`.

use yagura_formats::document::{Node, Span};

use crate::fields::{Fields, text};

/// The parts of a reference, as far as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageReference<'a> {
    /// None where the reference leaves it to the runtime (Docker Hub).
    pub registry: Option<&'a str>,
    pub repository: &'a str,
    pub tag: Option<&'a str>,
    pub digest: Option<&'a str>,
}

impl<'a> ImageReference<'a> {
    pub fn of(reference: &'a str) -> Self {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = match rest.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), path),
            _ => (None, rest),
        };
        Self { registry, repository, tag: tag.filter(|tag| !tag.is_empty()), digest }
    }

    /// Docker Hub's implied parts spelled out, as the runtime resolves them.
    pub fn full_repository(&self) -> String {
        let registry = self.registry.unwrap_or("docker.io");
        let library = registry == "docker.io" && !self.repository.contains('/');
        format!("{registry}/{}{}", if library { "library/" } else { "" }, self.repository)
    }
}

/// A reference as rules see it: `{text, registry, repository, tag, digest}`, absent parts absent.
pub(crate) fn node(reference: &str, span: Span) -> Node<'static> {
    let parts = ImageReference::of(reference);
    Fields::at(span)
        .text("text", reference)
        .text("registry", parts.registry.unwrap_or("docker.io"))
        .text("repository", parts.repository)
        .text("full", parts.full_repository())
        .maybe("tag", parts.tag.map(|tag| text(tag, span)))
        .maybe("digest", parts.digest.map(|digest| text(digest, span)))
        .node()
}

#[cfg(test)]
mod tests {
    use super::ImageReference;

    #[test]
    fn the_parts_of_a_reference() {
        for (reference, registry, repository, tag, digest) in [
            ("debian", None, "debian", None, None),
            ("debian:12", None, "debian", Some("12"), None),
            ("localhost:5000/a/b", Some("localhost:5000"), "a/b", None, None),
            ("ghcr.io/a/b:1@sha256:00", Some("ghcr.io"), "a/b", Some("1"), Some("sha256:00")),
            ("a/b@sha256:00", None, "a/b", None, Some("sha256:00")),
            ("a:", None, "a", None, None),
        ] {
            assert_eq!(
                ImageReference::of(reference),
                ImageReference { registry, repository, tag, digest },
                "{reference}"
            );
        }
        assert_eq!(ImageReference::of("debian").full_repository(), "docker.io/library/debian");
    }
}
