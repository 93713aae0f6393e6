//! What the user wants to be looked at: `scheme:rest`, or a bare path or reference that is guessed.
//!
//! A scheme always wins, so `docker:27` is the image `27` of the Docker daemon; the image called `docker` is
//! `registry:docker:27`. A bare text is, in this order: `host`; an existing directory (an OCI layout when it holds
//! `oci-layout`); an existing file (an image archive, an SBOM, or a plain file, by its first bytes); else an image
//! reference, which is looked up in Docker, Podman and containerd where their sockets exist and then in its registry.

mod sniff;

use std::path::{Path, PathBuf};

use yagura_model::report::TargetKind;

use crate::error::{Error, ErrorKind, Result};
use crate::reference::ImageReference;

/// What ends so is taken for a file that is missing and not for an image, though an image could be called so.
const FILE_ENDINGS: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.zst", ".json", ".jar", ".zip"];

/// A thing to scan. Existence of local paths has been checked; nothing else has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A tar file (perhaps compressed) that holds an image.
    Archive {
        path: PathBuf,
        format: Option<ArchiveFormat>,
        reference: Option<String>,
    },
    /// A directory in the OCI image layout.
    OciDirectory {
        path: PathBuf,
        reference: Option<String>,
    },
    /// Straight from a registry.
    Registry(ImageReference),
    /// From a runtime's own store, by name or id.
    Runtime {
        runtime: Runtime,
        name: String,
    },
    /// A bare reference: runtimes first, then the registry.
    Image(ImageReference),
    Directory(PathBuf),
    File(PathBuf),
    Sbom(PathBuf),
    /// A git repository, with its whole history.
    Git(PathBuf),
    /// The running machine, or the one whose root is mounted elsewhere.
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// What `docker save` writes.
    Docker,
    /// An OCI layout in a tar.
    Oci,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Docker,
    Podman,
    Containerd,
}

impl Runtime {
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
        }
    }
}

impl Target {
    /// Reads a target from the command line; bare texts are guessed by looking at the file system.
    pub fn parse(text: &str) -> Result<Self> {
        if text == "host" {
            return Ok(Self::Host);
        }
        match text.split_once(':') {
            Some((scheme, rest)) => match Self::with_scheme(scheme, rest) {
                Some(target) => target,
                None => Self::guess(text),
            },
            None => Self::guess(text),
        }
    }

    /// `None` when the scheme is not one of ours.
    fn with_scheme(scheme: &str, rest: &str) -> Option<Result<Self>> {
        let archive = |format| {
            let (path, reference) = split_reference(rest)?;
            Ok(Self::Archive { path: existing(&path).and_then(regular)?, format: Some(format), reference })
        };
        let runtime = |runtime| match rest {
            "" => {
                Err(Error::new(ErrorKind::InvalidReference, format!("`{scheme}:` needs an image name or id")))
            }
            name => Ok(Self::Runtime { runtime, name: name.to_owned() }),
        };
        Some(match scheme {
            "docker-archive" => archive(ArchiveFormat::Docker),
            "oci-archive" => archive(ArchiveFormat::Oci),
            "oci-dir" | "oci" => split_reference(rest).and_then(|(path, reference)| {
                let path = existing(&path)?;
                if !path.is_dir() {
                    return Err(Error::new(
                        ErrorKind::NotAnImage,
                        format!("{} is not a directory", path.display()),
                    )
                    .advise("use oci-archive: for a tar file"));
                }
                Ok(Self::OciDirectory { path, reference })
            }),
            "registry" => ImageReference::parse(rest).map(Self::Registry),
            "docker" if rest.starts_with("//") => ImageReference::parse(&rest[2..]).map(Self::Registry),
            "docker" => runtime(Runtime::Docker),
            "podman" => runtime(Runtime::Podman),
            "containerd" => runtime(Runtime::Containerd),
            "dir" => existing(Path::new(rest)).and_then(|path| {
                if path.is_dir() {
                    return Ok(Self::Directory(path));
                }
                Err(Error::new(ErrorKind::InvalidReference, format!("{} is not a directory", path.display()))
                    .advise("use file: for a single file"))
            }),
            "file" => existing(Path::new(rest)).and_then(|path| regular(path).map(Self::File)),
            "git" => existing(Path::new(rest)).map(Self::Git),
            "sbom" => existing(Path::new(rest)).and_then(|path| regular(path).map(Self::Sbom)),
            _ => return None,
        })
    }

    fn guess(text: &str) -> Result<Self> {
        let path = Path::new(text);
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidReference, "the target is empty"));
        }
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                if path.join("oci-layout").is_file() {
                    return Ok(Self::OciDirectory { path: path.to_owned(), reference: None });
                }
                return Ok(Self::Directory(path.to_owned()));
            }
            Ok(_) => {
                let path = regular(path.to_owned())?;
                return Ok(match sniff::file(&path)? {
                    sniff::Kind::ImageArchive(format) => Self::Archive { path, format, reference: None },
                    sniff::Kind::Sbom => Self::Sbom(path),
                    sniff::Kind::Other => Self::File(path),
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(Error::io(path, &error));
            }
            Err(_) => {}
        }
        // `layout:tag`, as skopeo and umoci write it.
        if let Ok((prefix, Some(reference))) = split_reference(text)
            && prefix.join("oci-layout").is_file()
        {
            return Ok(Self::OciDirectory { path: prefix, reference: Some(reference) });
        }
        if text.starts_with(['/', '.', '~']) || text.contains('\\') {
            return Err(Error::new(ErrorKind::NotFound, format!("{text}: no such file or directory")));
        }
        if FILE_ENDINGS.iter().any(|ending| text.ends_with(ending)) {
            return Err(Error::new(ErrorKind::NotFound, format!("{text}: no such file"))
                .advise(format!("if it is an image's name, write registry:{text}")));
        }
        ImageReference::parse(text).map(Self::Image).map_err(|error| {
            Error::new(error.kind, format!("`{text}` is neither a file nor an image reference")).advise(
                "give a path, a reference such as debian:12, or a scheme (docker-archive:, oci-dir:, registry:, dir:, …)",
            )
        })
    }

    /// What a report calls it.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Archive { .. }
            | Self::OciDirectory { .. }
            | Self::Registry(_)
            | Self::Runtime { .. }
            | Self::Image(_) => TargetKind::Image,
            Self::Directory(_) | Self::Git(_) => TargetKind::Directory,
            Self::File(_) => TargetKind::File,
            Self::Sbom(_) => TargetKind::Sbom,
            Self::Host => TargetKind::Host,
        }
    }
}

/// Splits `PATH`, `PATH:reference` or `PATH@digest`. A path that exists as written is taken whole, otherwise the
/// first colon or at-sign that leaves an existing path splits.
fn split_reference(text: &str) -> Result<(PathBuf, Option<String>)> {
    if text.is_empty() {
        return Err(Error::new(ErrorKind::InvalidReference, "the path is empty"));
    }
    if Path::new(text).exists() {
        return Ok((PathBuf::from(text), None));
    }
    for (at, separator) in text.match_indices([':', '@']) {
        let (path, rest) = (Path::new(&text[..at]), &text[at + 1..]);
        if path.exists() && !rest.is_empty() {
            let reference = if separator == "@" { format!("@{rest}") } else { rest.to_owned() };
            return Ok((path.to_owned(), Some(reference)));
        }
    }
    Ok((PathBuf::from(text), None))
}

fn existing(path: &Path) -> Result<PathBuf> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// Refuses what blocks or never ends when read: FIFOs, sockets, devices.
fn regular(path: PathBuf) -> Result<PathBuf> {
    match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(path),
        Ok(found) => {
            let error =
                Error::new(ErrorKind::Unsupported, format!("{} is not a regular file", path.display()));
            Err(if found.is_dir() {
                error.advise("use dir: to scan the files of a directory, oci-dir: for an image layout")
            } else {
                error
            })
        }
        Err(error) => Err(Error::io(&path, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_win_over_guesses() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = scratch.path().join("layout");
        std::fs::create_dir(&layout).unwrap();
        std::fs::write(layout.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
        let shown = layout.display();

        assert_eq!(Target::parse("host").unwrap(), Target::Host);
        assert_eq!(
            Target::parse(&shown.to_string()).unwrap(),
            Target::OciDirectory { path: layout.clone(), reference: None }
        );
        assert_eq!(
            Target::parse(&format!("{shown}:v1.2")).unwrap(),
            Target::OciDirectory { path: layout.clone(), reference: Some("v1.2".into()) }
        );
        assert_eq!(
            Target::parse(&format!("oci-dir:{shown}@sha256:abc")).unwrap(),
            Target::OciDirectory { path: layout.clone(), reference: Some("@sha256:abc".into()) }
        );
        assert_eq!(Target::parse(&format!("dir:{shown}")).unwrap(), Target::Directory(layout.clone()));
        assert_eq!(
            Target::parse("docker:27").unwrap(),
            Target::Runtime { runtime: Runtime::Docker, name: "27".into() }
        );
        let registry = ImageReference::parse("docker:27").unwrap();
        assert_eq!(Target::parse("registry:docker:27").unwrap(), Target::Registry(registry.clone()));
        assert_eq!(Target::parse("docker://docker:27").unwrap(), Target::Registry(registry));
        assert_eq!(
            Target::parse("registry.example:5000/app:1").unwrap(),
            Target::Image(ImageReference::parse("registry.example:5000/app:1").unwrap())
        );
    }

    #[test]
    fn a_path_with_colons_is_taken_whole_when_it_exists() {
        let scratch = tempfile::tempdir().unwrap();
        let odd = scratch.path().join("a:b");
        std::fs::create_dir(&odd).unwrap();
        std::fs::write(odd.join("oci-layout"), "{}").unwrap();
        assert_eq!(
            Target::parse(&format!("oci-dir:{}:tag", odd.display())).unwrap(),
            Target::OciDirectory { path: odd, reference: Some("tag".into()) }
        );
    }

    #[test]
    fn what_cannot_be_a_target_says_so() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("notes.txt");
        std::fs::write(&file, "hello").unwrap();
        assert_eq!(Target::parse(&file.display().to_string()).unwrap(), Target::File(file.clone()));
        for (text, kind) in [
            ("./nowhere".to_owned(), ErrorKind::NotFound),
            ("image.tar".to_owned(), ErrorKind::NotFound),
            ("dir:/nowhere/at/all".to_owned(), ErrorKind::NotFound),
            (format!("dir:{}", file.display()), ErrorKind::InvalidReference),
            (format!("oci-dir:{}", file.display()), ErrorKind::NotAnImage),
            ("file:/dev/null".to_owned(), ErrorKind::Unsupported),
            ("UPPER CASE".to_owned(), ErrorKind::InvalidReference),
            (String::new(), ErrorKind::InvalidReference),
            ("docker:".to_owned(), ErrorKind::InvalidReference),
        ] {
            assert_eq!(Target::parse(&text).unwrap_err().kind, kind, "{text}");
        }
    }
}
