//! CycloneDX 1.6 JSON: components, what they need, and, where findings are present, vulnerabilities.
//!
//! Format: ECMA-424, <https://cyclonedx.org/docs/1.6/json/>. One target is the document's subject; several are its
//! top-level components, each with its own components inside.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};
use yagura_model::digest::Algorithm;
use yagura_model::inventory::FileDigest;
use yagura_model::package::{Presence, Scope};
use yagura_model::report::{Suppressed, Target, TargetKind};
use yagura_model::sbom::{self as name, PREFIX};
use yagura_model::{Digest, Ecosystem, Finding, FindingKind, OperatingSystem, Package, Report, Severity};

use crate::Options;
use crate::licence::{Licence, NOT_IN_CYCLONEDX};
use crate::sbom::{
    Edges, Lazy, PackageIndex, document_uuid, file_properties, package_properties, target_properties,
    timestamp,
};

pub fn write(report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let references = References::of(report);
    let edges: Vec<Edges> = report.targets.iter().map(Edges::of).collect();
    let several = report.targets.len() != 1;
    let vulnerabilities = vulnerabilities(report);
    let index = PackageIndex::of(report);

    let components = Lazy(|| {
        report.targets.iter().enumerate().map(|(at, target)| {
            let inner = Inside { target, at, references: &references, edges: &edges };
            if several {
                Part::Nested { subject: subject(target, references.target(at)), components: inner }
            } else {
                Part::Flat(inner)
            }
        })
    });
    let dependencies = Lazy(|| {
        report
            .targets
            .iter()
            .zip(&edges)
            .enumerate()
            .flat_map(|(at, (target, edges))| dependencies(at, target, edges, &references))
    });
    let vulnerabilities =
        Lazy(|| vulnerabilities.iter().map(|flaw| vulnerability(flaw, &index, &references)));
    let mut metadata = json!({
        "tools": {"components": [{
            "type": "application", "name": report.tool.name, "version": report.tool.version,
        }]},
    });
    if let Some(created) = timestamp(&report.created) {
        metadata["timestamp"] = created.into();
    }
    if let ([target], Value::Object(metadata)) = (&report.targets[..], &mut metadata) {
        metadata.insert("component".to_owned(), subject(target, references.target(0)).into());
    }

    let document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", document_uuid(report)?),
        version: 1,
        metadata,
        components: Flattened(components),
        dependencies,
        vulnerabilities: report.database.is_some().then_some(vulnerabilities),
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<C, D, V> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Value,
    components: C,
    dependencies: D,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerabilities: Option<V>,
}

/// The components of one target, or a target with its components inside.
enum Part<'a> {
    Flat(Inside<'a>),
    Nested { subject: Map<String, Value>, components: Inside<'a> },
}

/// All parts as one list.
struct Flattened<L>(L);

impl<'a, F, I> Serialize for Flattened<Lazy<F>>
where
    F: Fn() -> I,
    I: Iterator<Item = Part<'a>>,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut list = serializer.serialize_seq(None)?;
        for part in (self.0.0)() {
            match part {
                Part::Flat(inside) => {
                    for component in inside.components() {
                        list.serialize_element(&component)?;
                    }
                }
                Part::Nested { subject, components } => {
                    list.serialize_element(&Nested {
                        subject,
                        components: Lazy(|| components.components()),
                    })?;
                }
            }
        }
        list.end()
    }
}

#[derive(Serialize)]
struct Nested<C> {
    #[serde(flatten)]
    subject: Map<String, Value>,
    components: C,
}

/// What is inside a target.
struct Inside<'a> {
    target: &'a Target,
    at: usize,
    references: &'a References,
    edges: &'a [Edges],
}

impl<'a> Inside<'a> {
    fn components(&self) -> impl Iterator<Item = Value> {
        let owners = self.edges.get(self.at).map(Edges::owners).unwrap_or_default();
        let system = self.target.inventory.system.iter().map(|s| system(s, &self.references.system(self.at)));
        let packages = self.target.inventory.packages.iter().enumerate().map(move |(at, package)| {
            let owner = owners.get(&at).map(|owner| self.references.package(self.at, *owner));
            component(package, self.references.package(self.at, at), owner)
        });
        let files = self
            .target
            .inventory
            .file_digests
            .iter()
            .enumerate()
            .map(|(at, file)| file_component(file, &format!("file-{}-{at}", self.at)));
        system.chain(packages).chain(files)
    }
}

/// The `bom-ref` of everything: a package's purl where no other has it.
struct References {
    packages: Vec<Vec<String>>,
}

impl References {
    fn of(report: &Report) -> Self {
        let mut taken = HashSet::new();
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut unique = |text: String| {
            let mut candidate = text.clone();
            while !taken.insert(candidate.clone()) {
                let count = counts.entry(text.clone()).or_insert(1);
                *count += 1;
                candidate = format!("{text}#{count}");
            }
            candidate
        };
        let packages = report
            .targets
            .iter()
            .map(|target| {
                let packages = target.inventory.packages.iter();
                packages
                    .map(|package| match package.purl() {
                        Some(purl) => unique(purl.to_string()),
                        None => unique(format!("{}@{}", package.name, package.version)),
                    })
                    .collect()
            })
            .collect();
        Self { packages }
    }

    fn target(&self, at: usize) -> String {
        format!("target-{at}")
    }

    fn system(&self, at: usize) -> String {
        format!("os-{at}")
    }

    fn package(&self, target: usize, at: usize) -> &str {
        self.packages.get(target).and_then(|packages| packages.get(at)).map_or("", String::as_str)
    }
}

fn properties(pairs: Vec<(&'static str, String)>) -> Value {
    pairs
        .into_iter()
        .map(|(name, value)| json!({"name": format!("{PREFIX}{name}"), "value": value}))
        .collect()
}

/// The target itself.
fn subject(target: &Target, reference: String) -> Map<String, Value> {
    let kind = match target.kind {
        TargetKind::Image => "container",
        TargetKind::Directory | TargetKind::File => "file",
        TargetKind::Host => "device",
        TargetKind::Sbom => "application",
    };
    let mut subject = Map::new();
    subject.insert("bom-ref".to_owned(), reference.into());
    subject.insert("type".to_owned(), kind.into());
    subject.insert("name".to_owned(), target.name.clone().into());
    let digest = target.image.as_ref().and_then(|i| i.manifest_digest.as_ref().or(i.config_digest.as_ref()));
    if let Some(digest) = digest {
        subject.insert("version".to_owned(), digest.to_string().into());
        subject.insert("hashes".to_owned(), hashes(std::slice::from_ref(digest)));
    }
    subject.insert("properties".to_owned(), properties(target_properties(target)));
    subject
}

fn system(system: &OperatingSystem, reference: &str) -> Value {
    let mut component = json!({
        "bom-ref": reference,
        "type": "operating-system",
        "name": if system.id.is_empty() { "unknown" } else { &system.id },
        "version": system.version,
        "description": system.name,
        "properties": properties(vec![(name::SYSTEM, crate::sbom::json(system))]),
    });
    if is_cpe(&system.cpe) {
        component["cpe"] = system.cpe.clone().into();
    }
    component
}

/// Whether a text can stand in a `cpe` field: the standard checks its form, os-release(5) files do not.
fn is_cpe(text: &str) -> bool {
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let Some(rest) = text.strip_prefix("cpe:/") else { return false };
    let parts: Vec<&str> = rest.split(':').collect();
    (2..=7).contains(&parts.len())
        && matches!(parts.first(), Some(&"o" | &"a" | &"h"))
        && parts.iter().all(|part| plain(part))
}

fn component(package: &Package, reference: &str, owner: Option<&str>) -> Value {
    let mut component = Map::new();
    let mut set = |key: &str, value: Value| {
        component.insert(key.to_owned(), value);
    };
    set("bom-ref", reference.into());
    set("type", if package.ecosystem == Ecosystem::Generic { "application" } else { "library" }.into());
    match (package.ecosystem, package.name.split_once(':')) {
        (Ecosystem::Maven, Some((group, artifact))) => {
            set("group", group.into());
            set("name", artifact.into());
        }
        _ => set("name", package.name.clone().into()),
    }
    set("version", package.version.clone().into());
    if let Some(purl) = package.purl() {
        set("purl", purl.to_string().into());
        set("evidence", evidence(package, purl.as_str()));
    }
    if !package.supplier.is_empty() {
        set("supplier", json!({"name": package.supplier}));
    }
    match package.scope {
        Scope::Runtime => {}
        Scope::Optional => set("scope", "optional".into()),
        Scope::Development | Scope::Test | Scope::Build => set("scope", "excluded".into()),
    }
    if !package.digests.is_empty() {
        set("hashes", hashes(&package.digests));
    }
    if !package.licenses.is_empty() {
        set("licenses", licenses(&package.licenses));
    }
    let mut pairs = package_properties(package);
    if let Some(owner) = owner {
        pairs.push((name::OWNED_BY, owner.to_owned()));
    }
    set("properties", properties(pairs));
    Value::Object(component)
}

fn evidence(package: &Package, purl: &str) -> Value {
    let technique = match package.presence {
        Presence::Embedded => "binary-analysis",
        Presence::Installed | Presence::Declared => "manifest-analysis",
    };
    let occurrences: Vec<Value> = package
        .locations
        .iter()
        .map(|location| match location.start_line {
            Some(line) => json!({"location": location.path, "line": line}),
            None => json!({"location": location.path}),
        })
        .collect();
    let mut evidence = json!({
        "identity": [{
            "field": "purl",
            "concludedValue": purl,
            "methods": [{"technique": technique, "confidence": 1, "value": package.found_by}],
        }],
    });
    if !occurrences.is_empty() {
        evidence["occurrences"] = occurrences.into();
    }
    evidence
}

fn hashes(digests: &[Digest]) -> Value {
    digests
        .iter()
        .map(|digest| {
            let algorithm = match digest.algorithm() {
                Algorithm::Md5 => "MD5",
                Algorithm::Sha1 => "SHA-1",
                Algorithm::Sha256 => "SHA-256",
                Algorithm::Sha384 => "SHA-384",
                Algorithm::Sha512 => "SHA-512",
            };
            json!({"alg": algorithm, "content": digest.hex()})
        })
        .collect()
}

/// One expression, or a list of identifiers and names: the standard forbids to mix the two.
fn licenses(licenses: &[String]) -> Value {
    if let [only] = licenses
        && let Licence::Expression(expression) = Licence::of(only)
    {
        return json!([{"expression": expression}]);
    }
    licenses
        .iter()
        .map(|text| match Licence::of(text) {
            Licence::Id(id) if !NOT_IN_CYCLONEDX.contains(&id) => json!({"license": {"id": id}}),
            Licence::Id(text) | Licence::Expression(text) | Licence::Raw(text) => {
                json!({"license": {"name": text}})
            }
        })
        .collect()
}

fn file_component(file: &FileDigest, reference: &str) -> Value {
    json!({
        "bom-ref": reference,
        "type": "file",
        "name": file.path,
        "hashes": hashes(std::slice::from_ref(&file.digest)),
        "properties": properties(file_properties(file)),
    })
}

/// Who needs whom: the target needs what nothing else needs.
fn dependencies<'a>(
    at: usize,
    target: &'a Target,
    edges: &'a Edges,
    references: &'a References,
) -> impl Iterator<Item = Value> + 'a {
    let mut roots: Vec<String> =
        edges.roots.iter().map(|package| references.package(at, *package).to_owned()).collect();
    if target.inventory.system.is_some() {
        roots.insert(0, references.system(at));
    }
    let root = json!({"ref": references.target(at), "dependsOn": roots});
    let rest = edges.depends_on.iter().map(move |(from, to)| {
        let to: Vec<&str> = to.iter().map(|to| references.package(at, *to)).collect();
        json!({"ref": references.package(at, *from), "dependsOn": to})
    });
    std::iter::once(root).chain(rest)
}

/// One flaw, what it is found in, and what was taken out.
struct Flaw<'a> {
    findings: Vec<&'a Finding>,
    suppressed: Vec<&'a Suppressed>,
}

fn vulnerabilities(report: &Report) -> Vec<Flaw<'_>> {
    let mut flaws: BTreeMap<&str, Flaw<'_>> = BTreeMap::new();
    let flaw = || Flaw { findings: Vec::new(), suppressed: Vec::new() };
    let is_flaw = |finding: &Finding| {
        finding.package.is_some() && matches!(finding.kind, FindingKind::Vulnerability | FindingKind::Malware)
    };
    for finding in report.findings.iter().filter(|finding| is_flaw(finding)) {
        flaws.entry(&finding.rule).or_insert_with(flaw).findings.push(finding);
    }
    for suppressed in report.suppressed.iter().filter(|suppressed| is_flaw(&suppressed.finding)) {
        flaws.entry(&suppressed.finding.rule).or_insert_with(flaw).suppressed.push(suppressed);
    }
    // A flaw that is open in one package and excused in another is two entries: an entry has one analysis.
    flaws
        .into_values()
        .flat_map(|flaw| {
            let Flaw { findings, suppressed } = flaw;
            let open = (!findings.is_empty()).then_some(Flaw { findings, suppressed: Vec::new() });
            let excused = (!suppressed.is_empty()).then_some(Flaw { findings: Vec::new(), suppressed });
            open.into_iter().chain(excused)
        })
        .collect()
}

fn vulnerability(flaw: &Flaw<'_>, index: &PackageIndex<'_>, references: &References) -> Value {
    let all: Vec<&Finding> =
        flaw.findings.iter().copied().chain(flaw.suppressed.iter().map(|s| &s.finding)).collect();
    let Some(first) = all.first().copied() else { return Value::Null };
    let status = if flaw.suppressed.is_empty() { "affected" } else { "unaffected" };
    let mut affected: BTreeMap<&str, &str> = BTreeMap::new();
    for finding in &all {
        if let (Some((target, at)), Some(package)) = (index.find(finding), &finding.package) {
            affected.insert(references.package(target, at), &package.version);
        }
    }
    let affects: Vec<Value> = affected
        .into_iter()
        .map(|(reference, version)| json!({"ref": reference, "versions": [{"version": version, "status": status}]}))
        .collect();
    let mut entry = json!({"id": first.rule, "description": first.title, "affects": affects});
    let known = first.vulnerability.as_ref();
    let mut rating = json!({"severity": severity(first.severity)});
    if let Some(known) = known {
        if let Some(score) = known.score {
            rating["score"] = json!(score);
        }
        if !known.vector.is_empty() {
            rating["vector"] = known.vector.clone().into();
            rating["method"] = method(&known.vector).into();
        }
        let weaknesses: Vec<u32> = known
            .weaknesses
            .iter()
            .filter_map(|weakness| weakness.trim_start_matches("CWE-").parse().ok())
            .filter(|number| *number > 0)
            .collect();
        if !weaknesses.is_empty() {
            entry["cwes"] = json!(weaknesses);
        }
        for (key, text) in [("published", &known.published), ("updated", &known.modified)] {
            if let Some(time) = timestamp(text) {
                entry[key] = time.into();
            }
        }
    }
    entry["ratings"] = json!([rating]);
    let aliases: Vec<Value> =
        first.aliases.iter().map(|alias| json!({"id": alias, "source": {"name": issuer(alias)}})).collect();
    if !aliases.is_empty() {
        entry["references"] = aliases.into();
    }
    if !first.evidence.feed.is_empty() {
        entry["source"] = json!({"name": first.evidence.feed});
    }
    let recommendation = match (&first.fix, &first.fixed_version) {
        (fix, _) if !fix.is_empty() => fix.clone(),
        (_, Some(version)) => format!("Upgrade to {version}"),
        _ => String::new(),
    };
    if !recommendation.is_empty() {
        entry["recommendation"] = recommendation.into();
    }
    if let Some(analysis) = analysis(first, flaw.suppressed.first().copied()) {
        entry["analysis"] = analysis;
    }
    let mut pairs = Vec::new();
    if let Some(exploited) = known.and_then(|known| known.known_exploited.as_ref()) {
        pairs.push(("known-exploited", exploited.date_added.clone()));
    }
    if let Some(prediction) = known.and_then(|known| known.exploit_prediction) {
        pairs.push(("exploit-probability", prediction.probability.to_string()));
    }
    if !pairs.is_empty() {
        entry["properties"] = properties(pairs);
    }
    entry
}

/// What was decided about the flaw; an ignore entry is an acceptance, a VEX statement a judgement.
fn analysis(finding: &Finding, suppressed: Option<&Suppressed>) -> Option<Value> {
    match suppressed {
        Some(suppressed) if suppressed.by == "ignore-file" => {
            Some(json!({"response": ["will_not_fix"], "detail": suppressed.reason}))
        }
        Some(suppressed) => Some(json!({"state": "not_affected", "detail": suppressed.reason})),
        None if finding.fixed_version.is_some() => Some(json!({"response": ["update"]})),
        None => None,
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Negligible => "info",
        Severity::Unknown => "unknown",
    }
}

fn method(vector: &str) -> &'static str {
    match vector {
        v if v.starts_with("CVSS:4") => "CVSSv4",
        v if v.starts_with("CVSS:3.1") => "CVSSv31",
        v if v.starts_with("CVSS:3") => "CVSSv3",
        _ => "CVSSv2",
    }
}

/// Who gave an advisory its name.
fn issuer(id: &str) -> &str {
    id.split_once('-').map_or(id, |(issuer, _)| issuer)
}
