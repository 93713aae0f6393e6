//! Distributions in one file: eggs, which Python imports as they are (setuptools, "The Internal Structure of Python
//! Eggs"), and wheels, which wait to be installed (PEP 427), as `ensurepip` and `virtualenv` carry them.

use std::io::Read;
use yagura_model::Location;

use yagura_model::package::Presence;

use super::metadata;
use crate::archive::Problem;
use crate::archive::zip::{self, Budget, Entry, Next, Source, Visitor};
use crate::catalogue::structured::MAX_METADATA;
use crate::catalogue::{EvidenceFile, Facts};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    // Development installs leave text files and directories of these names.
    if !bytes.starts_with(b"PK") {
        return;
    }
    let is_wheel = file.path.to_ascii_lowercase().ends_with(".whl");
    let mut search = Search { file, is_wheel, facts };
    if let Err(problem) = zip::walk(Source::Memory(bytes), &Budget::new(4 * MAX_METADATA), &mut search) {
        facts.skip(file.path, problem.reason, problem.detail);
    }
}

struct Search<'a> {
    file: EvidenceFile<'a>,
    is_wheel: bool,
    facts: &'a mut Facts,
}

impl Visitor for Search<'_> {
    fn wants(&mut self, name: &str) -> bool {
        match self.is_wheel {
            true => name.ends_with(".dist-info/METADATA") && name.matches('/').count() == 1,
            false => name == "EGG-INFO/PKG-INFO",
        }
    }

    fn visit(&mut self, entry: Entry<'_>) -> Next {
        let mut content = Vec::new();
        let read = match entry.content {
            Source::Memory(bytes) => {
                content.extend_from_slice(bytes);
                Ok(content.len())
            }
            Source::Stream(stream) => stream.take(MAX_METADATA).read_to_end(&mut content),
        };
        if let Err(error) = read {
            self.unreadable(entry.name, Problem::of(&error));
            return Next::Stop;
        }
        let path = format!("{}!/{}", self.file.path, entry.name);
        let before = self.facts.packages.len();
        metadata::read(EvidenceFile { path: &path, ..self.file }, &content, self.facts);
        for package in self.facts.packages.iter_mut().skip(before) {
            package.locations = vec![Location::file(path.as_str())];
            package.presence = if self.is_wheel { Presence::Embedded } else { Presence::Installed };
        }
        Next::Stop
    }

    fn unreadable(&mut self, name: &str, problem: Problem) {
        let path = format!("{}!/{name}", self.file.path);
        self.facts.skip(&path, problem.reason, problem.detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::made::{How, archive};

    fn found(path: &str, bytes: &[u8]) -> Vec<(String, Presence, String)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: bytes.len() as u64 }, bytes, &mut facts);
        assert!(facts.skipped.is_empty(), "{:?}", facts.skipped);
        let packages = facts.packages.into_iter();
        packages
            .map(|package| {
                (
                    format!("{} {}", package.name, package.version),
                    package.presence,
                    package.locations[0].path.clone(),
                )
            })
            .collect()
    }

    #[test]
    fn reads_the_metadata_in_wheels_and_eggs() {
        let metadata = b"Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.2\n\nText\n";
        let wheel = archive(&[
            ("some_thing/vendored/x.dist-info/METADATA", b"Name: x\nVersion: 1\n", How::Deflated),
            ("some_thing-1.2.dist-info/METADATA", metadata, How::Deflated),
        ]);
        assert_eq!(
            found("lib/some_thing-1.2-py3-none-any.whl", &wheel),
            [(
                "some-thing 1.2".to_owned(),
                Presence::Embedded,
                "lib/some_thing-1.2-py3-none-any.whl!/some_thing-1.2.dist-info/METADATA".to_owned()
            )]
        );
        let egg = archive(&[("EGG-INFO/PKG-INFO", metadata, How::Stored)]);
        assert_eq!(
            found("lib/Some_Thing-1.2-py3.11.egg", &egg),
            [(
                "some-thing 1.2".to_owned(),
                Presence::Installed,
                "lib/Some_Thing-1.2-py3.11.egg!/EGG-INFO/PKG-INFO".to_owned()
            )]
        );
        assert_eq!(found("a.egg", b"/src/a\n."), []);
    }
}
