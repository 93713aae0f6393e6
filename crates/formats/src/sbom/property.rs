//! Our own properties, put back into a package, a file or a target.

use yagura_model::package::{Presence, Scope, SourcePackage};
use yagura_model::report::TargetKind;
use yagura_model::sbom as name;
use yagura_model::{Ecosystem, Location, OperatingSystem, Package};

use super::builder::{Builder, OurFile};

/// The properties of a document's element: names without our prefix, and values.
pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn value<'a>(pairs: &'a Pairs, wanted: &str) -> Option<&'a str> {
    pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

fn values<'a>(pairs: &'a Pairs, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    pairs.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

/// The ecosystem, where a property names it.
pub(super) fn ecosystem(pairs: &Pairs) -> Option<Ecosystem> {
    match value(pairs, name::ECOSYSTEM)? {
        "kernel" => Some(Ecosystem::Kernel),
        kind => Ecosystem::from_purl_type(kind),
    }
}

/// Puts back what the standards have no field for.
pub(super) fn restore(package: &mut Package, pairs: &Pairs, builder: &mut Builder) {
    let text = |wanted| value(pairs, wanted).unwrap_or_default().to_owned();
    if let Some(ecosystem) = ecosystem(pairs) {
        package.ecosystem = ecosystem;
    }
    for (field, wanted) in [
        (&mut package.architecture, name::ARCHITECTURE),
        (&mut package.distribution, name::DISTRIBUTION),
        (&mut package.distro, name::DISTRO),
        (&mut package.module, name::MODULE),
        (&mut package.found_by, name::FOUND_BY),
    ] {
        if let Some(value) = value(pairs, wanted) {
            *field = value.to_owned();
        }
    }
    for pair in values(pairs, name::QUALIFIER) {
        if let Some((key, value)) = pair.split_once('=') {
            package.qualifiers.insert(key.to_owned(), value.to_owned());
        }
    }
    // Our own documents state a source where there is one; others leave it to the purl.
    if value(pairs, name::FOUND_BY).is_some() {
        package.source = value(pairs, name::SOURCE_NAME)
            .map(|_| SourcePackage { name: text(name::SOURCE_NAME), version: text(name::SOURCE_VERSION) });
    }
    if value(pairs, name::LICENSE).is_some() {
        package.licenses = values(pairs, name::LICENSE).map(str::to_owned).collect();
    }
    package.presence = match value(pairs, name::PRESENCE) {
        Some("declared") => Presence::Declared,
        Some("embedded") => Presence::Embedded,
        _ => package.presence,
    };
    package.scope = match value(pairs, name::SCOPE) {
        Some("optional") => Scope::Optional,
        Some("development") => Scope::Development,
        Some("test") => Scope::Test,
        Some("build") => Scope::Build,
        _ => package.scope,
    };
    let locations: Vec<Location> =
        values(pairs, name::LOCATION).filter_map(|json| builder.json(name::LOCATION, json)).collect();
    if !locations.is_empty() {
        package.locations = locations;
    }
    if let Some(owner) = value(pairs, name::OWNER) {
        package.owner = Some(owner.to_owned());
    }
    match value(pairs, name::FROM_BASE_IMAGE) {
        Some("true") => package.from_base_image = Some(true),
        Some("false") => package.from_base_image = Some(false),
        _ => {}
    }
}

/// The operating system, where a property holds it.
pub(super) fn system(pairs: &Pairs, builder: &mut Builder) -> Option<OperatingSystem> {
    builder.json(name::SYSTEM, value(pairs, name::SYSTEM)?)
}

/// What the properties of the target's own element say of it.
pub(super) fn target(pairs: &Pairs, builder: &mut Builder) {
    if let Some(kind) = value(pairs, name::TARGET_KIND) {
        builder.kind = match kind {
            "image" => Some(TargetKind::Image),
            "directory" => Some(TargetKind::Directory),
            "file" => Some(TargetKind::File),
            "sbom" => Some(TargetKind::Sbom),
            "host" => Some(TargetKind::Host),
            _ => builder.kind,
        };
    }
    if let Some(json) = value(pairs, name::IMAGE) {
        builder.image = builder.json(name::IMAGE, json).or(builder.image.take());
    }
    if let Some(files) = value(pairs, name::FILES).and_then(|count| count.parse::<u64>().ok()) {
        builder.files = builder.files.saturating_add(files);
    }
    for json in values(pairs, name::SKIPPED) {
        if let Some(skipped) = builder.json(name::SKIPPED, json) {
            builder.skipped.push(skipped);
        }
    }
}

/// A file of ours; `None` for files of others, of which size and mode are not known.
pub(super) fn file(path: &str, pairs: &Pairs) -> Option<OurFile> {
    Some(OurFile {
        path: path.to_owned(),
        size: value(pairs, name::FILE_SIZE)?.parse().ok()?,
        mode: u32::from_str_radix(value(pairs, name::FILE_MODE)?, 8).ok()?,
        owner: value(pairs, name::OWNER).map(str::to_owned),
        layer: value(pairs, name::FILE_LAYER).and_then(|digest| digest.parse().ok()),
    })
}
