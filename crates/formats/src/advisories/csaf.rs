//! Vendors' CSAF 2.0 documents (`csaf_vex`, `csaf_security_advisory`, OASIS CSAF 2.0 section 3.2), reduced to advisories.
//!
//! A document has a tree of products and, for each flaw, lists of the products that are fixed, known to be affected,
//! known not to be, or still looked into. Products of Linux distributions are packages "as a component of" a
//! platform; packages carry a purl, platforms a CPE. Each flaw of a document becomes one advisory here, whose packages
//! are those of platforms with an OSV ecosystem name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use yagura_model::{Purl, Severity, SkipReason};

use super::json::Bounded;
use super::{
    Advisory, Affected, Day, Event, FixState, MAX_AFFECTED, MAX_NAME_BYTES, Problem, Range, Rating, cvss,
};

/// Largest document that is read, in bytes; kernel VEX documents of vendors reach some 20 MB.
pub const MAX_DOCUMENT_BYTES: usize = 64 << 20;
/// Products one document may define.
const MAX_PRODUCTS: usize = 262_144;
/// Depth of the product tree; the standard's examples use four or five.
const MAX_TREE_DEPTH: u32 = 32;
/// Flaws in one document.
const MAX_VULNERABILITIES: usize = 4_096;
/// Branches below one branch.
const MAX_BRANCHES: usize = 65_536;

/// The advisories of one document and what had to be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub advisories: Vec<Advisory>,
    pub problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    document: Option<Head<'a>>,
    #[serde(borrow, default)]
    product_tree: Option<ProductTree<'a>>,
    #[serde(borrow, default)]
    vulnerabilities: Bounded<RawVulnerability<'a>, MAX_VULNERABILITIES>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    category: Option<Cow<'a, str>>,
    #[serde(borrow)]
    aggregate_severity: Option<AggregateSeverity<'a>>,
    #[serde(borrow)]
    tracking: Option<Tracking<'a>>,
}

#[derive(Deserialize)]
struct AggregateSeverity<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Tracking<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    initial_release_date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    current_release_date: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ProductTree<'a> {
    #[serde(borrow, default)]
    branches: Bounded<Branch<'a>, MAX_BRANCHES>,
    #[serde(borrow, default)]
    relationships: Bounded<Relationship<'a>, MAX_PRODUCTS>,
}

#[derive(Deserialize)]
struct Branch<'a> {
    #[serde(borrow, default)]
    branches: Bounded<Branch<'a>, MAX_BRANCHES>,
    #[serde(borrow)]
    product: Option<Product<'a>>,
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    product_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    product_identification_helper: Option<Helper<'a>>,
}

#[derive(Deserialize)]
struct Helper<'a> {
    #[serde(borrow)]
    purl: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cpe: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Relationship<'a> {
    #[serde(borrow)]
    product_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    relates_to_product_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    full_product_name: Option<Product<'a>>,
}

#[derive(Deserialize)]
struct RawVulnerability<'a> {
    #[serde(borrow)]
    cve: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cwe: Option<RawWeakness<'a>>,
    #[serde(borrow, default)]
    product_status: Option<ProductStatus<'a>>,
    #[serde(borrow, default)]
    remediations: Bounded<Remediation<'a>, MAX_BRANCHES>,
    #[serde(borrow, default)]
    scores: Bounded<Score<'a>, 256>,
    #[serde(borrow, default)]
    threats: Bounded<Threat<'a>, MAX_BRANCHES>,
}

#[derive(Deserialize)]
struct RawWeakness<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct ProductStatus<'a> {
    #[serde(borrow, default)]
    fixed: Bounded<Cow<'a, str>, MAX_PRODUCTS>,
    #[serde(borrow, default)]
    first_fixed: Bounded<Cow<'a, str>, MAX_PRODUCTS>,
    #[serde(borrow, default)]
    known_affected: Bounded<Cow<'a, str>, MAX_PRODUCTS>,
    #[serde(borrow, default)]
    known_not_affected: Bounded<Cow<'a, str>, MAX_PRODUCTS>,
    #[serde(borrow, default)]
    under_investigation: Bounded<Cow<'a, str>, MAX_PRODUCTS>,
}

#[derive(Deserialize)]
struct Remediation<'a> {
    #[serde(borrow)]
    category: Option<Cow<'a, str>>,
    #[serde(borrow)]
    details: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    product_ids: Bounded<Cow<'a, str>, MAX_PRODUCTS>,
}

#[derive(Deserialize)]
struct Score<'a> {
    #[serde(borrow)]
    cvss_v3: Option<Vector<'a>>,
    #[serde(borrow)]
    cvss_v2: Option<Vector<'a>>,
}

#[derive(Deserialize)]
struct Vector<'a> {
    #[serde(borrow, rename = "vectorString")]
    vector: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Threat<'a> {
    #[serde(borrow)]
    category: Option<Cow<'a, str>>,
    #[serde(borrow)]
    details: Option<Cow<'a, str>>,
}

/// What a product id stands for.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Package name and version, from the purl.
    package: Option<(String, Option<String>)>,
    /// OSV ecosystem, from a platform's CPE.
    ecosystem: Option<String>,
}

/// Reads one document.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Problem> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(Problem::new(
            SkipReason::TooLarge,
            format!("{} bytes, and a document may have {MAX_DOCUMENT_BYTES}", bytes.len()),
        ));
    }
    let document: Document<'_> =
        serde_json::from_slice(bytes).map_err(|error| Problem::malformed(error.to_string()))?;
    let head = document.document.ok_or_else(|| Problem::malformed("has no `document`"))?;
    let category = head.category.as_deref().unwrap_or_default();
    if !matches!(category, "csaf_vex" | "csaf_security_advisory") {
        let category: String = category.chars().take(60).collect();
        return Err(Problem::new(
            SkipReason::Unsupported,
            format!("CSAF documents of category `{category}`"),
        ));
    }
    let tracking = head.tracking.ok_or_else(|| Problem::malformed("has no `document.tracking`"))?;
    let id = tracking.id.as_deref().filter(|id| !id.is_empty() && id.len() <= MAX_NAME_BYTES);
    let id = id.ok_or_else(|| Problem::malformed("has no usable tracking id"))?;
    let mut parsed = Parsed::default();
    let products =
        document.product_tree.map(|tree| products(&tree, &mut parsed.problems)).unwrap_or_default();
    let severity = head.aggregate_severity.and_then(|s| s.text).and_then(|text| text.parse().ok());
    let draft = tracking.status.as_deref() == Some("draft");
    for vulnerability in document.vulnerabilities.items {
        let cve = vulnerability.cve.as_deref().filter(|cve| !cve.is_empty() && cve.len() <= MAX_NAME_BYTES);
        let Some(cve) = cve else {
            parsed.problems.push(Problem::malformed("a vulnerability without a CVE"));
            continue;
        };
        // A VEX document is about the CVE and often named like it; a bulletin answers several.
        let id = if id.eq_ignore_ascii_case(cve) { format!("VEX-{cve}") } else { format!("{id}/{cve}") };
        let mut advisory = Advisory {
            id,
            published: tracking.initial_release_date.as_deref().and_then(Day::parse),
            modified: tracking.current_release_date.as_deref().and_then(Day::parse),
            withdrawn: draft,
            upstream: vec![cve.to_owned()],
            rating: Rating {
                vendor: impact(&vulnerability.threats.items).or(severity),
                vectors: vectors(&vulnerability.scores.items),
                database: None,
            },
            ..Advisory::default()
        };
        advisory.weaknesses.extend(vulnerability.cwe.and_then(|cwe| super::osv::weakness(&cwe.id?)));
        let status = vulnerability.product_status.unwrap_or_default();
        advisory.affected = affected(&status, &vulnerability.remediations.items, &products);
        if advisory.affected.len() >= MAX_AFFECTED {
            parsed.problems.push(Problem::new(
                SkipReason::TooMany,
                format!("{cve}: the first {MAX_AFFECTED} packages are read"),
            ));
        }
        parsed.advisories.push(advisory);
    }
    Ok(parsed)
}

/// Every product id of the tree and of its relationships.
fn products(tree: &ProductTree<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, Known> {
    let mut products: BTreeMap<String, Known> = BTreeMap::new();
    let mut open: Vec<(&Branch<'_>, u32)> = tree.branches.items.iter().map(|branch| (branch, 0)).collect();
    let mut too_deep = false;
    while let Some((branch, depth)) = open.pop() {
        if depth >= MAX_TREE_DEPTH {
            too_deep = true;
            continue;
        }
        open.extend(branch.branches.items.iter().map(|branch| (branch, depth + 1)));
        if let Some(product) = &branch.product
            && products.len() < MAX_PRODUCTS
            && let Some(id) = name(product.product_id.as_deref())
        {
            products.insert(id.to_owned(), known(product));
        }
    }
    if too_deep {
        problems.push(Problem::new(
            SkipReason::TooDeep,
            format!("the product tree is read to a depth of {MAX_TREE_DEPTH}"),
        ));
    }
    for relationship in &tree.relationships.items {
        let target = relationship.full_product_name.as_ref().and_then(|p| name(p.product_id.as_deref()));
        let (Some(target), Some(component), Some(platform)) = (
            target,
            relationship.product_reference.as_deref(),
            relationship.relates_to_product_reference.as_deref(),
        ) else {
            continue;
        };
        let component = products
            .get(component)
            .cloned()
            .unwrap_or_else(|| Known { package: bare_name(component), ..Known::default() });
        let platform = products.get(platform).cloned().unwrap_or_default();
        if products.len() < MAX_PRODUCTS {
            let joined =
                Known { package: component.package, ecosystem: component.ecosystem.or(platform.ecosystem) };
            products.insert(target.to_owned(), joined);
        }
    }
    products
}

fn name(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty() && text.len() <= MAX_NAME_BYTES)
}

/// A component that is no product of the tree is named by its id: `openssl` or `openssl-1:3.0.7-1.el9.x86_64`.
fn bare_name(id: &str) -> Option<(String, Option<String>)> {
    let id = name(Some(id))?;
    Some((id.to_owned(), None))
}

fn known(product: &Product<'_>) -> Known {
    let helper = product.product_identification_helper.as_ref();
    let package = helper.and_then(|helper| helper.purl.as_deref()).and_then(of_purl);
    let cpe = helper.and_then(|helper| helper.cpe.as_deref());
    let ecosystem = cpe.and_then(of_cpe).or_else(|| product.name.as_deref().and_then(of_suse_name));
    Known { package, ecosystem }
}

/// Name and `epoch:version` of an rpm's purl.
fn of_purl(text: &str) -> Option<(String, Option<String>)> {
    let purl: Purl = text.parse().ok()?;
    let parts = purl.parse()?;
    let name = parts.name();
    let version = parts.version().map(|version| {
        let epoch = parts.qualifiers().iter().find(|(key, _)| key.as_ref() == "epoch");
        match epoch {
            Some((_, epoch)) if epoch.as_ref() != "0" && !version.contains(':') => {
                format!("{epoch}:{version}")
            }
            _ => version.to_string(),
        }
    });
    (name.len() <= MAX_NAME_BYTES).then(|| (name.to_owned(), version))
}

/// The OSV ecosystem of a Red Hat platform: `cpe:/o:redhat:enterprise_linux:9::baseos`.
fn of_cpe(cpe: &str) -> Option<String> {
    let rest = cpe.strip_prefix("cpe:/o:redhat:").or_else(|| cpe.strip_prefix("cpe:/a:redhat:"))?;
    (rest.len() <= MAX_NAME_BYTES && rest.contains(':')).then(|| format!("Red Hat:{rest}"))
}

/// SUSE names its platforms in full: `SUSE Linux Enterprise Server 15 SP5`, `openSUSE Leap 15.5`.
fn of_suse_name(name: &str) -> Option<String> {
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    if let Some(rest) = name.strip_prefix("openSUSE ") {
        return Some(format!("openSUSE:{rest}"));
    }
    let rest = name.strip_prefix("SUSE ")?;
    rest.starts_with("Linux ").then(|| format!("SUSE:{rest}"))
}

fn affected(
    status: &ProductStatus<'_>,
    remediations: &[Remediation<'_>],
    products: &BTreeMap<String, Known>,
) -> Vec<Affected> {
    let mut states: BTreeMap<&str, FixState> = BTreeMap::new();
    for remediation in remediations {
        let details = remediation.details.as_deref().unwrap_or_default();
        let state = match remediation.category.as_deref() {
            Some("no_fix_planned") => FixState::WillNotFix,
            // Red Hat's words for the same under the general category.
            Some("none_available") if ["Will not fix", "Out of support scope"].contains(&details) => {
                FixState::WillNotFix
            }
            Some("none_available") => FixState::NotFixed,
            _ => continue,
        };
        for id in &remediation.product_ids.items {
            states.insert(id, state);
        }
    }
    // One entry for each platform, package and fix: architectures repeat them.
    let mut entries: BTreeMap<(String, String), (FixState, Option<String>)> = BTreeMap::new();
    let fixed = status.fixed.items.iter().chain(&status.first_fixed.items).map(|id| (id, FixState::Fixed));
    let open = status.known_affected.items.iter();
    let open = open.map(|id| (id, states.get(id.as_ref()).copied().unwrap_or(FixState::NotFixed)));
    let not = status.known_not_affected.items.iter().map(|id| (id, FixState::NotAffected));
    let unknown = status.under_investigation.items.iter().map(|id| (id, FixState::UnderInvestigation));
    for (id, state) in fixed.chain(open).chain(not).chain(unknown) {
        if entries.len() >= MAX_AFFECTED {
            break;
        }
        let Some(Known { package: Some((name, version)), ecosystem: Some(ecosystem) }) =
            products.get(id.as_ref())
        else {
            continue;
        };
        let fix = (state == FixState::Fixed).then(|| version.clone()).flatten();
        if state == FixState::Fixed && fix.is_none() {
            continue;
        }
        entries.entry((ecosystem.clone(), name.clone())).or_insert((state, fix));
    }
    entries
        .into_iter()
        .map(|((ecosystem, name), (state, fix))| {
            let mut events = Vec::new();
            if matches!(state, FixState::Fixed | FixState::NotFixed | FixState::WillNotFix) {
                events.push(Event::Introduced("0".to_owned()));
                events.extend(fix.map(Event::Fixed));
            }
            let ranges = if events.is_empty() { Vec::new() } else { vec![Range { semver: false, events }] };
            Affected { ecosystem, name, ranges, state, ..Affected::default() }
        })
        .collect()
}

/// The vendor's rating of the flaw: a threat of category `impact`.
fn impact(threats: &[Threat<'_>]) -> Option<Severity> {
    let impacts = threats.iter().filter(|threat| threat.category.as_deref() == Some("impact"));
    impacts.filter_map(|threat| threat.details.as_deref()?.parse().ok()).max()
}

fn vectors(scores: &[Score<'_>]) -> Vec<String> {
    let mut vectors: Vec<String> = Vec::new();
    for score in scores {
        for vector in [&score.cvss_v3, &score.cvss_v2].into_iter().flatten() {
            let text = vector.vector.as_deref().filter(|text| text.len() <= cvss::MAX_VECTOR_BYTES);
            if let Some(text) = text.filter(|text| !vectors.iter().any(|known| known == text)) {
                vectors.push(text.to_owned());
            }
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of a vendor's VEX document, written by hand.
    const VEX: &str = r#"{"document":{"category":"csaf_vex","aggregate_severity":{"text":"Important"},
      "tracking":{"id":"CVE-2024-1","status":"final","initial_release_date":"2024-01-02T00:00:00+00:00",
        "current_release_date":"2024-02-03T00:00:00+00:00"}},
    "product_tree":{"branches":[{"category":"vendor","name":"V","branches":[
      {"category":"product_family","branches":[
        {"product":{"product_id":"BaseOS-9","name":"EL 9 BaseOS","product_identification_helper":
          {"cpe":"cpe:/o:redhat:enterprise_linux:9::baseos"}}},
        {"product":{"product_id":"red_hat_enterprise_linux_8","name":"EL 8","product_identification_helper":
          {"cpe":"cpe:/o:redhat:enterprise_linux:8"}}}]},
      {"category":"architecture","branches":[
        {"product":{"product_id":"zlib-0:1.2.11-40.el9.x86_64","name":"zlib","product_identification_helper":
          {"purl":"pkg:rpm/redhat/zlib@1.2.11-40.el9?arch=x86_64"}}},
        {"product":{"product_id":"bind-32:9.16-1.el9.x86_64","name":"bind","product_identification_helper":
          {"purl":"pkg:rpm/redhat/bind@9.16-1.el9?arch=x86_64&epoch=32"}}},
        {"product":{"product_id":"zlib","name":"zlib","product_identification_helper":{"purl":"pkg:rpm/redhat/zlib"}}}]}]}],
      "relationships":[
        {"product_reference":"zlib-0:1.2.11-40.el9.x86_64","relates_to_product_reference":"BaseOS-9",
          "full_product_name":{"product_id":"BaseOS-9:zlib-0:1.2.11-40.el9.x86_64"}},
        {"product_reference":"bind-32:9.16-1.el9.x86_64","relates_to_product_reference":"BaseOS-9",
          "full_product_name":{"product_id":"BaseOS-9:bind-32:9.16-1.el9.x86_64"}},
        {"product_reference":"zlib","relates_to_product_reference":"red_hat_enterprise_linux_8",
          "full_product_name":{"product_id":"red_hat_enterprise_linux_8:zlib"}},
        {"product_reference":"rsync","relates_to_product_reference":"red_hat_enterprise_linux_8",
          "full_product_name":{"product_id":"red_hat_enterprise_linux_8:rsync"}}]},
    "vulnerabilities":[{"cve":"CVE-2024-1","cwe":{"id":"CWE-787"},
      "product_status":{"fixed":["BaseOS-9:zlib-0:1.2.11-40.el9.x86_64","BaseOS-9:bind-32:9.16-1.el9.x86_64","nobody"],
        "known_affected":["red_hat_enterprise_linux_8:zlib"],"known_not_affected":["red_hat_enterprise_linux_8:rsync"]},
      "remediations":[{"category":"none_available","details":"Will not fix","product_ids":["red_hat_enterprise_linux_8:zlib"]}],
      "scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
      "threats":[{"category":"impact","details":"Moderate"}]}]}"#;

    #[test]
    fn reads_fixed_unfixed_and_unaffected_packages_of_platforms() {
        let parsed = parse(VEX.as_bytes()).unwrap();
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let advisory = &parsed.advisories[0];
        assert_eq!(advisory.id, "VEX-CVE-2024-1");
        assert_eq!(advisory.upstream, ["CVE-2024-1"]);
        assert_eq!(advisory.rating.vendor, Some(Severity::Medium), "the flaw's own before the document's");
        assert_eq!(advisory.weaknesses, [787]);
        let lines: Vec<String> = advisory
            .affected
            .iter()
            .map(|a| {
                let fix = a.ranges.iter().flat_map(|r| &r.events).find_map(|event| match event {
                    Event::Fixed(version) => Some(version.as_str()),
                    _ => None,
                });
                format!("{} {} {} {}", a.ecosystem, a.name, a.state.name(), fix.unwrap_or("-"))
            })
            .collect();
        assert_eq!(
            lines,
            [
                "Red Hat:enterprise_linux:8 rsync not-affected -",
                "Red Hat:enterprise_linux:8 zlib will-not-fix -",
                "Red Hat:enterprise_linux:9::baseos bind fixed 32:9.16-1.el9",
                "Red Hat:enterprise_linux:9::baseos zlib fixed 1.2.11-40.el9"
            ]
        );
    }

    #[test]
    fn names_suse_platforms_as_osv_does() {
        assert_eq!(
            of_suse_name("SUSE Linux Enterprise Server 15 SP5").as_deref(),
            Some("SUSE:Linux Enterprise Server 15 SP5")
        );
        assert_eq!(of_suse_name("openSUSE Leap 15.5").as_deref(), Some("openSUSE:Leap 15.5"));
        assert_eq!(of_suse_name("SUSE Manager Server 4.3"), None);
    }

    #[test]
    fn refuses_what_is_not_an_advisory_and_bounds_the_tree() {
        for text in [
            "{}",
            "[]",
            r#"{"document":{"category":"csaf_base"}}"#,
            r#"{"document":{"category":"csaf_vex"}}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let deep = format!(
            r#"{{"document":{{"category":"csaf_vex","tracking":{{"id":"X"}}}},"product_tree":{{{}{}}}}}"#,
            r#""branches":[{"#.repeat(40),
            "}]".repeat(40)
        );
        assert_eq!(parse(deep.as_bytes()).unwrap().problems[0].reason, SkipReason::TooDeep);
        let deeper = "[".repeat(1 << 20);
        assert!(parse(deeper.as_bytes()).is_err());
    }
}
