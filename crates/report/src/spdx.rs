//! SPDX 2.3 JSON: packages and how they relate.
//!
//! Format: ISO/IEC 5962 in its version 2.3, <https://spdx.github.io/spdx-spec/v2.3/>. Files whose digests were
//! asked for are packages of purpose `FILE`: the standard's own file elements demand a SHA-1, which we do not make.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};
use yagura_model::digest::Algorithm;
use yagura_model::report::{Target, TargetKind};
use yagura_model::sbom::{self as name, PREFIX};
use yagura_model::{Digest, Ecosystem, Package, Report};

use crate::Options;
use crate::licence::{self, Licence};
use crate::sbom::{
    Edges, Lazy, document_uuid, file_properties, kind_name, package_properties, target_properties, timestamp,
};

/// Longest part of a package's name that goes into its identifier.
const MAX_ID_NAME: usize = 60;

pub fn write(report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let created = timestamp(&report.created).unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned());
    let annotator = Annotator {
        tool: format!("Tool: {}-{}", report.tool.name, report.tool.version),
        created: created.clone(),
    };
    let edges: Vec<Edges> = report.targets.iter().map(Edges::of).collect();
    let packages = Lazy(|| {
        report
            .targets
            .iter()
            .zip(&edges)
            .enumerate()
            .flat_map(|(at, (target, edges))| packages(at, target, edges, &annotator))
    });
    let relationships = Lazy(|| {
        report
            .targets
            .iter()
            .zip(&edges)
            .enumerate()
            .flat_map(|(at, (target, edges))| relationships(at, target, edges))
    });
    let texts = extracted_texts(report);
    let name = match &report.targets[..] {
        [target] => target.name.clone(),
        targets => format!("{} targets", targets.len()),
    };
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name,
        document_namespace: format!("urn:uuid:{}", document_uuid(report)?),
        creation_info: json!({
            "created": created,
            "creators": [annotator.tool],
            "licenseListVersion": list_version(),
        }),
        packages,
        relationships,
        has_extracted_licensing_infos: (!texts.is_empty()).then(|| {
            texts
                .iter()
                .map(|(id, text)| json!({"licenseId": id, "extractedText": text, "name": text}))
                .collect()
        }),
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

const DOCUMENT: &str = "SPDXRef-DOCUMENT";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<P, R> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: Value,
    packages: P,
    relationships: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_extracted_licensing_infos: Option<Vec<Value>>,
}

/// Who annotates, and when.
struct Annotator {
    tool: String,
    created: String,
}

impl Annotator {
    /// Properties as one annotation: `yagura:` and a JSON list of `[name, value]`.
    fn annotations(&self, pairs: &[(&'static str, String)]) -> Value {
        json!([{
            "annotationDate": self.created,
            "annotationType": "OTHER",
            "annotator": self.tool,
            "comment": format!("{PREFIX}{}", crate::sbom::json(&pairs)),
        }])
    }
}

/// The SPDX list version as `major.minor`.
fn list_version() -> String {
    licence::LIST_VERSION.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

fn target_id(at: usize) -> String {
    format!("SPDXRef-Target-{at}")
}

fn system_id(at: usize) -> String {
    format!("SPDXRef-OperatingSystem-{at}")
}

fn file_id(target: usize, at: usize) -> String {
    format!("SPDXRef-File-{target}-{at}")
}

fn package_id(target: usize, at: usize, package: &Package) -> String {
    let name: String = package
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .take(MAX_ID_NAME)
        .collect();
    format!("SPDXRef-Package-{}-{name}-{target}-{at}", package.ecosystem.purl_type())
}

/// What every package element must state.
fn element(id: String, name: &str, purpose: &str) -> Map<String, Value> {
    let mut element = Map::new();
    let fields = [
        ("name", if name.is_empty() { "unnamed" } else { name }),
        ("downloadLocation", "NOASSERTION"),
        ("licenseConcluded", "NOASSERTION"),
        ("licenseDeclared", "NOASSERTION"),
        ("copyrightText", "NOASSERTION"),
        ("supplier", "NOASSERTION"),
        ("primaryPackagePurpose", purpose),
    ];
    element.insert("SPDXID".to_owned(), id.into());
    element.insert("filesAnalyzed".to_owned(), false.into());
    element.extend(fields.map(|(key, value)| (key.to_owned(), value.into())));
    element
}

fn packages<'a>(
    at: usize,
    target: &'a Target,
    edges: &'a Edges,
    annotator: &'a Annotator,
) -> impl Iterator<Item = Value> + 'a {
    let owners = edges.owners();
    let all = &target.inventory.packages;
    let subject = std::iter::once_with(move || subject(at, target, annotator));
    let system = target.inventory.system.iter().map(move |system| {
        let mut element = element(system_id(at), &system.id, "OPERATING_SYSTEM");
        if !system.version.is_empty() {
            element.insert("versionInfo".to_owned(), system.version.clone().into());
        }
        element.insert("summary".to_owned(), system.name.clone().into());
        let pairs = [(name::SYSTEM, crate::sbom::json(system))];
        element.insert("annotations".to_owned(), annotator.annotations(&pairs));
        Value::Object(element)
    });
    let packages = all.iter().enumerate().map(move |(index, package)| {
        let owner = owners.get(&index).and_then(|owner| all.get(*owner).map(|p| package_id(at, *owner, p)));
        describe(package, package_id(at, index, package), owner, annotator)
    });
    let files = target.inventory.file_digests.iter().enumerate().map(move |(index, file)| {
        let mut element = element(file_id(at, index), &file.path, "FILE");
        element.insert("packageFileName".to_owned(), file.path.clone().into());
        element.insert("checksums".to_owned(), checksums(std::slice::from_ref(&file.digest)));
        element.insert("annotations".to_owned(), annotator.annotations(&file_properties(file)));
        Value::Object(element)
    });
    subject.chain(system).chain(packages).chain(files)
}

fn subject(at: usize, target: &Target, annotator: &Annotator) -> Value {
    let purpose = match target.kind {
        TargetKind::Image => "CONTAINER",
        TargetKind::Directory => "SOURCE",
        TargetKind::File => "FILE",
        TargetKind::Sbom => "OTHER",
        TargetKind::Host => "DEVICE",
    };
    let mut element = element(target_id(at), &target.name, purpose);
    element.insert("summary".to_owned(), kind_name(target.kind).into());
    let digest = target.image.as_ref().and_then(|i| i.manifest_digest.as_ref().or(i.config_digest.as_ref()));
    if let Some(digest) = digest {
        element.insert("versionInfo".to_owned(), digest.to_string().into());
        element.insert("checksums".to_owned(), checksums(std::slice::from_ref(digest)));
    }
    element.insert("annotations".to_owned(), annotator.annotations(&target_properties(target)));
    Value::Object(element)
}

fn describe(package: &Package, id: String, owner: Option<String>, annotator: &Annotator) -> Value {
    let purpose = if package.ecosystem == Ecosystem::Generic { "APPLICATION" } else { "LIBRARY" };
    let mut element = element(id, &package.name, purpose);
    let mut set = |key: &str, value: Value| {
        element.insert(key.to_owned(), value);
    };
    if !package.version.is_empty() {
        set("versionInfo", package.version.clone().into());
    }
    if let Some(supplier) = one_line(&package.supplier) {
        set("supplier", format!("Organization: {supplier}").into());
    }
    set("licenseDeclared", licence::expression(&package.licenses).into());
    if let Some(purl) = package.purl() {
        set(
            "externalRefs",
            json!([{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": purl,
            }]),
        );
    }
    if !package.digests.is_empty() {
        set("checksums", checksums(&package.digests));
    }
    if let Some(location) = package.locations.first() {
        set("sourceInfo", format!("{}: {}", package.found_by, location.path).into());
    }
    let mut pairs = package_properties(package);
    let reads_back = match &package.licenses[..] {
        [] => true,
        [only] => !matches!(Licence::of(only), Licence::Raw(_)),
        _ => false,
    };
    if !reads_back {
        pairs.extend(package.licenses.iter().map(|text| (name::LICENSE, text.clone())));
    }
    pairs.extend(owner.map(|owner| (name::OWNED_BY, owner)));
    set("annotations", annotator.annotations(&pairs));
    Value::Object(element)
}

/// The text without line breaks, which end a value in the standard's other notations; `None` when nothing is left.
fn one_line(text: &str) -> Option<String> {
    let line = text.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ");
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn checksums(digests: &[Digest]) -> Value {
    digests
        .iter()
        .map(|digest| {
            let algorithm = match digest.algorithm() {
                Algorithm::Md5 => "MD5",
                Algorithm::Sha1 => "SHA1",
                Algorithm::Sha256 => "SHA256",
                Algorithm::Sha384 => "SHA384",
                Algorithm::Sha512 => "SHA512",
            };
            json!({"algorithm": algorithm, "checksumValue": digest.hex()})
        })
        .collect()
}

fn relationships<'a>(at: usize, target: &'a Target, edges: &'a Edges) -> impl Iterator<Item = Value> + 'a {
    let all = &target.inventory.packages;
    let id = move |index: usize| all.get(index).map(|package| package_id(at, index, package));
    let relate = |from: String, kind: &str, to: String| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    let describes = std::iter::once(relate(DOCUMENT.to_owned(), "DESCRIBES", target_id(at)));
    let system =
        target.inventory.system.iter().map(move |_| relate(target_id(at), "CONTAINS", system_id(at)));
    let contains =
        (0..all.len()).filter_map(id).map(move |package| relate(target_id(at), "CONTAINS", package));
    let files = (0..target.inventory.file_digests.len())
        .map(move |index| relate(target_id(at), "CONTAINS", file_id(at, index)));
    let pairs = move |kind: &'static str, map: &'a BTreeMap<usize, std::collections::BTreeSet<usize>>| {
        map.iter()
            .flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)))
            .filter_map(move |(from, to)| Some(relate(id(from)?, kind, id(to)?)))
    };
    describes
        .chain(system)
        .chain(contains)
        .chain(files)
        .chain(pairs("DEPENDS_ON", &edges.depends_on))
        .chain(pairs("CONTAINS", &edges.owns))
}

/// Every raw licence text of the report under its reference.
fn extracted_texts(report: &Report) -> BTreeMap<String, &str> {
    report
        .targets
        .iter()
        .flat_map(|target| &target.inventory.packages)
        .flat_map(|package| &package.licenses)
        .filter_map(|text| match Licence::of(text) {
            Licence::Raw(raw) if !raw.is_empty() => Some((licence::reference(raw), raw)),
            _ => None,
        })
        .collect()
}
