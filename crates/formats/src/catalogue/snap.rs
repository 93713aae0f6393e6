//! Snaps, unpacked or mounted: the snap itself (`meta/snap.yaml`) and the Debian packages staged into it
//! (`snap/manifest.yaml`, `primed-stage-packages`).

use yagura_model::{Ecosystem, Location, Package};

use super::structured::{MAX_METADATA, yaml};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, license};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "snap",
        selects: &[Select::Path("meta/snap.yaml")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(snap),
    },
    Cataloguer {
        name: "snap-manifest",
        selects: &[Select::Path("snap/manifest.yaml")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(manifest),
    },
];

fn snap(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let Some(document) = yaml(file, &text, facts) else { return };
    let scalar = |key: &str| document.get(key).and_then(|node| node.scalar());
    let (Some(name), Some(version)) = (scalar("name"), scalar("version")) else { return };
    let mut package = Package::new(Ecosystem::Generic, name, version);
    package.licenses = license::normalise_all(scalar("license"));
    package.qualifiers.insert("type".to_owned(), "snap".to_owned());
    facts.packages.push(package);
}

/// The packages come from the Ubuntu release that Snapcraft built on, whatever the system around the snap is.
fn manifest(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let Some(document) = yaml(file, &text, facts) else { return };
    let Some(staged) = document.get("primed-stage-packages") else { return };
    let scalar = |key: &str| document.get(key).and_then(|node| node.scalar());
    let id = scalar("snapcraft-os-release-id").unwrap_or("ubuntu");
    let release = scalar("snapcraft-os-release-version-id").unwrap_or_default();
    for entry in staged.items() {
        // `libc6=2.35-0ubuntu3.8`, `libc6:i386=2.35-0ubuntu3.8`.
        let Some((name, version)) = entry.string().and_then(|text| text.split_once('=')) else { continue };
        let (name, architecture) = name.split_once(':').unwrap_or((name, ""));
        let mut package = Package::new(Ecosystem::Deb, name, version);
        package.architecture = architecture.to_owned();
        package.distribution = id.to_owned();
        package.distro = if release.is_empty() { id.to_owned() } else { format!("{id}-{release}") };
        package.locations.push(Location::line(file.path, entry.span.line));
        facts.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(function: fn(EvidenceFile<'_>, &[u8], &mut Facts), path: &str, text: &str) -> Facts {
        let mut facts = Facts::default();
        function(EvidenceFile { path, mode: 0o644, size: text.len() as u64 }, text.as_bytes(), &mut facts);
        facts
    }

    #[test]
    fn a_snap_and_what_is_staged_in_it() {
        let facts =
            find(snap, "snap/hello/42/meta/snap.yaml", "name: hello\nversion: '2.10'\nlicense: GPL-3.0\n");
        assert_eq!(facts.packages[0].purl().unwrap().to_string(), "pkg:generic/hello@2.10?type=snap");
        assert_eq!(facts.packages[0].licenses, ["GPL-3.0-only"]);
        let text = "name: hello\nversion: '2.10'\nsnapcraft-os-release-id: ubuntu\n\
                    snapcraft-os-release-version-id: '22.04'\nprimed-stage-packages:\n- libc6=2.35-0ubuntu3.8\n\
                    - libc6:i386=2.35-0ubuntu3.8\n- broken\n";
        let facts = find(manifest, "snap/hello/42/snap/manifest.yaml", text);
        let purls: Vec<_> = facts.packages.iter().filter_map(|p| p.purl()).map(|p| p.to_string()).collect();
        assert_eq!(
            purls,
            [
                "pkg:deb/ubuntu/libc6@2.35-0ubuntu3.8?distro=ubuntu-22.04",
                "pkg:deb/ubuntu/libc6@2.35-0ubuntu3.8?arch=i386&distro=ubuntu-22.04"
            ]
        );
        assert_eq!(facts.packages[0].locations[0].start_line, Some(6));
    }
}
