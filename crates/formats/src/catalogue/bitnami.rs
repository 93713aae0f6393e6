//! Bitnami's own components below `opt/bitnami`: an SPDX document beside each (`.spdx-NAME.spdx`), and in older
//! images one list of all (`.bitnami_components.json`).
//!
//! Only packages with a `pkg:bitnami` URL count here: what else the documents name (jars, Go modules) lies in files
//! that other cataloguers read.

use yagura_model::{Ecosystem, Location, Package, Purl, SkipReason};

use super::structured::{MAX_METADATA, json};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, license};
use crate::document::Node;

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "bitnami",
    selects: &[Select::NameAround(".spdx-", ".spdx"), Select::Name(".bitnami_components.json")],
    max_bytes: MAX_METADATA,
    reads: Reads::Whole(read),
}];

fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let below = file.directory();
    if !(below == "opt/bitnami" || below.starts_with("opt/bitnami/") || below.contains("/opt/bitnami")) {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let Some(document) = json(file, &text, facts) else { return };
    if file.name().ends_with(".json") {
        components(file, &document, facts);
    } else {
        spdx(file, &document, facts);
    }
}

fn spdx(file: EvidenceFile<'_>, document: &Node<'_>, facts: &mut Facts) {
    let Some(packages) = document.get("packages") else {
        facts.skip(file.path, SkipReason::Malformed, "an SPDX document without packages");
        return;
    };
    for entry in packages.items() {
        let references = entry.get("externalRefs").map(Node::items).unwrap_or_default();
        let purl = references
            .iter()
            .filter(|reference| reference.text_of("referenceType") == Some("purl"))
            .filter_map(|reference| reference.text_of("referenceLocator")?.parse::<Purl>().ok())
            .find(|purl| purl.ecosystem() == Some(Ecosystem::Bitnami));
        let Some(purl) = purl else { continue };
        let Some(url) = purl.parse() else { continue };
        let Some(version) = url.version().or_else(|| entry.text_of("versionInfo")) else { continue };
        let mut package = Package::new(Ecosystem::Bitnami, url.name(), version);
        let qualifier = |key: &str| url.qualifiers().get(key).map(ToString::to_string).unwrap_or_default();
        package.architecture = qualifier("arch");
        package.distro = qualifier("distro");
        let licenses =
            ["licenseDeclared", "licenseConcluded"].map(|field| entry.text_of(field).unwrap_or_default());
        package.licenses = license::normalise_all(licenses);
        package.locations.push(Location::line(file.path, entry.span.line));
        facts.packages.push(package);
    }
}

/// `{"NAME": {"arch": …, "distro": …, "digest": …, "type": …, "version": …}}`.
fn components(file: EvidenceFile<'_>, document: &Node<'_>, facts: &mut Facts) {
    for component in document.entries() {
        let (Some(name), Some(version)) = (component.key.string(), component.value.text_of("version")) else {
            continue;
        };
        let mut package = Package::new(Ecosystem::Bitnami, name, version);
        let field = |key: &str| component.value.text_of(key).unwrap_or_default().to_owned();
        package.architecture = field("arch");
        package.distro = field("distro");
        package.digests.extend(format!("sha256:{}", field("digest")).parse().ok());
        package.locations.push(Location::line(file.path, component.key.span.line));
        facts.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, text: &str) -> Facts {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: text.len() as u64 }, text.as_bytes(), &mut facts);
        facts
    }

    const SPDX: &str = r#"{"SPDXID":"SPDXRef-DOCUMENT","spdxVersion":"SPDX-2.3","packages":[
{"SPDXID":"SPDXRef-apache","name":"apache","versionInfo":"2.4.58-1","licenseDeclared":"Apache-2.0",
 "licenseConcluded":"Apache-2.0","externalRefs":[
 {"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:*:apache:http_server"},
 {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl",
  "referenceLocator":"pkg:bitnami/apache@2.4.58-1?arch=amd64&distro=debian-12"}]},
{"SPDXID":"SPDXRef-x","name":"org.x:y","versionInfo":"1","externalRefs":[
 {"referenceType":"purl","referenceLocator":"pkg:maven/org.x/y@1"}]},
{"SPDXID":"SPDXRef-z","name":"nothing"}]}"#;

    #[test]
    fn documents_name_their_bitnami_packages() {
        let facts = find("opt/bitnami/apache/.spdx-apache.spdx", SPDX);
        let [apache] = facts.packages.as_slice() else { panic!("one package") };
        assert_eq!(
            apache.purl().unwrap().to_string(),
            "pkg:bitnami/apache@2.4.58-1?arch=amd64&distro=debian-12"
        );
        assert_eq!(apache.licenses, ["Apache-2.0"]);
        assert_eq!(apache.locations[0].start_line, Some(2));
        assert_eq!(find("srv/.spdx-apache.spdx", SPDX), Facts::default());
        assert_eq!(find("opt/bitnami/.spdx-x.spdx", "{}").skipped[0].reason, SkipReason::Malformed);
    }

    #[test]
    fn older_images_have_one_list() {
        let digest = "ab".repeat(32);
        let text = format!(
            "{{\n \"mongodb\": {{\"arch\": \"amd64\", \"digest\": \"{digest}\", \"distro\": \"debian-10\", \
             \"type\": \"NAMI\", \"version\": \"4.4.11-0\"}}\n}}"
        );
        let facts = find("opt/bitnami/.bitnami_components.json", &text);
        let package = &facts.packages[0];
        assert_eq!((package.name.as_str(), package.version.as_str()), ("mongodb", "4.4.11-0"));
        assert_eq!(package.digests[0].hex(), digest);
        assert_eq!(package.locations[0].start_line, Some(2));
    }
}
