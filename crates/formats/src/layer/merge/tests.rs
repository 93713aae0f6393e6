use yagura_model::inventory::{Relation, RelationKind};
use yagura_model::package::SourcePackage;
use yagura_model::package::{Dependency, Presence, Scope};
use yagura_model::{Ecosystem, OperatingSystem, SkipReason};

use super::*;
use crate::catalogue::{Facts, Ownership, PackageLicenses};
use crate::layer::Counts;

/// A layer put together by hand.
#[derive(Default)]
struct Built(LayerFacts);

impl Built {
    fn evidence(mut self, path: &str, facts: Facts) -> Self {
        let mut facts = facts;
        for package in &mut facts.packages {
            package.found_by = "test".into();
            if package.locations.is_empty() {
                package.locations.push(yagura_model::Location::file(path));
            }
        }
        let key = PathKey::of(path.as_bytes());
        self.0.non_directories.push(key);
        self.0.counts.files += 1;
        self.0.evidence.push(Evidence { path: path.into(), key, cataloguer: "test".into(), facts });
        self
    }

    fn packages(self, path: &str, packages: Vec<Package>) -> Self {
        self.evidence(path, Facts { packages, ..Facts::default() })
    }

    fn system(self, path: &str, id: &str, version: &str) -> Self {
        let system = OperatingSystem { id: id.into(), version: version.into(), ..OperatingSystem::default() };
        self.evidence(path, Facts { system: Some(system), ..Facts::default() })
    }

    fn other(mut self, path: &str) -> Self {
        self.0.non_directories.push(PathKey::of(path.as_bytes()));
        self
    }

    fn directory(mut self, path: &str) -> Self {
        self.0.directories.push(PathKey::of(path.as_bytes()));
        self
    }

    fn whiteout(mut self, path: &str) -> Self {
        self.0.whiteouts.push(PathKey::of(path.as_bytes()));
        self
    }

    fn opaque(mut self, path: &str) -> Self {
        self.0.opaque.push(PathKey::of(path.as_bytes()));
        self
    }

    fn observation(mut self, path: &str, rule: &str) -> Self {
        let mut seen = Observation::new(rule, None);
        seen.location.path = path.into();
        self.0.observations.push(seen);
        self.other(file_of(path))
    }

    fn build(mut self, name: u8) -> LayerFacts {
        self.0.diff_id = Digest::from_bytes(yagura_model::digest::Algorithm::Sha256, &[name; 32]);
        self.0.sort();
        self.0
    }
}

fn layer() -> Built {
    Built::default()
}

fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    Package::new(ecosystem, name, version)
}

fn deb(name: &str, version: &str) -> Package {
    package(Ecosystem::Deb, name, version)
}

fn npm(name: &str, version: &str) -> Package {
    package(Ecosystem::Npm, name, version)
}

fn declared(mut package: Package) -> Package {
    package.presence = Presence::Declared;
    package
}

/// `name version @paths #layer` of every package; the layer is the first byte of its digest.
fn seen(inventory: &Inventory) -> Vec<String> {
    let line = |package: &Package| {
        let paths: Vec<_> = package.locations.iter().map(|location| location.path.as_str()).collect();
        let layer = package.locations[0].layer.as_ref().map_or("-", |digest| &digest.hex()[..2]);
        format!("{} {} @{} #{layer}", package.name, package.version, paths.join(","))
    };
    inventory.packages.iter().map(line).collect()
}

#[test]
fn upper_layers_hide_lower_ones_in_every_way() {
    let base = || {
        let base = layer().packages("app/a/package.json", vec![npm("a", "1")]);
        base.packages("app/b/deep/package.json", vec![npm("b", "1")]).build(1)
    };
    let both = ["a 1 @app/a/package.json #01", "b 1 @app/b/deep/package.json #01"];
    let (only_a, only_b) = (&both[..1], &both[1..]);
    for (upper, expected) in [
        (layer(), &both[..]),
        (layer().directory("app").directory("app/a").directory("app/b"), &both),
        (layer().whiteout("app/a/package.json"), only_b),
        (layer().whiteout("app/a"), only_b),
        (layer().whiteout("app"), &[]),
        (layer().opaque("app/b"), only_a),
        (layer().opaque(""), &[]),
        (layer().other("app/a/package.json"), only_b),
        (layer().other("app/b"), only_a),
        (layer().directory("app/a/package.json"), only_b),
        (layer().whiteout("ap"), &both),
        (layer().whiteout("app/a/package"), &both),
        (
            layer().packages("app/a/package.json", vec![npm("a", "2")]),
            &["a 2 @app/a/package.json #02", both[1]],
        ),
        (
            layer().opaque("app").packages("app/c/package.json", vec![npm("c", "1")]),
            &["c 1 @app/c/package.json #02"],
        ),
    ] {
        let upper = upper.build(2);
        let shown = format!("{:?} {:?}", upper.whiteouts, upper.opaque);
        assert_eq!(seen(&merge(&[base(), upper], None)), expected, "{shown}");
    }
    // What a middle layer hides stays hidden, and what a later one brings back is its own.
    let middle = layer().whiteout("app").build(2);
    let top = layer().packages("app/a/package.json", vec![npm("a", "1")]).build(3);
    assert_eq!(seen(&merge(&[base(), middle, top], None)), ["a 1 @app/a/package.json #03"]);
}

#[test]
fn upper_layers_reach_lower_ones_through_symbolic_links() {
    let link = |mut built: Built, path: &str, target: &str| {
        built.0.symlinks.push(crate::layer::Symlink { path: path.into(), target: target.into() });
        built.other(path)
    };
    let apk = |version| vec![package(Ecosystem::Apk, "musl", version)];
    let base = || link(layer(), "lib", "usr/lib").packages("usr/lib/apk/db/installed", apk("1")).build(1);
    let kept = "musl 1 @usr/lib/apk/db/installed #01";
    for (upper, expected) in [
        (layer().packages("lib/apk/db/installed", apk("2")), &["musl 2 @lib/apk/db/installed #02"][..]),
        (layer().whiteout("lib/apk/db/installed"), &[]),
        (layer().whiteout("lib/apk"), &[]),
        (layer().opaque("lib/apk/db"), &[]),
        (layer().directory("lib/apk").other("lib/apk/db/other"), &[kept]),
        (link(layer(), "lib64", "lib"), &[kept]),
        // A link of its own makes nothing of the base go.
        (link(layer(), "lib32", "/usr/lib"), &[kept]),
        (link(layer(), "loop", "loop"), &[kept]),
    ] {
        assert_eq!(seen(&merge(&[base(), upper.build(2)], None)), expected);
    }
}

#[test]
fn a_rewritten_database_does_not_claim_what_was_there_before() {
    let status = "var/lib/dpkg/status";
    let layers = [
        layer().packages(status, vec![deb("libc6", "1"), deb("openssl", "1"), deb("gone", "1")]).build(1),
        layer()
            .packages(
                status,
                vec![deb("libc6", "1"), deb("openssl", "2"), deb("curl", "1"), deb("gone", "1")],
            )
            .build(2),
        layer().other("etc/motd").build(3),
        layer().packages(status, vec![deb("libc6", "1"), deb("openssl", "1"), deb("curl", "1")]).build(4),
    ];
    assert_eq!(
        seen(&merge(&layers, None)),
        [
            "curl 1 @var/lib/dpkg/status #02",
            "libc6 1 @var/lib/dpkg/status #01",
            // Downgraded again in the last layer.
            "openssl 1 @var/lib/dpkg/status #04"
        ]
    );
}

#[test]
fn packages_know_their_base_and_their_instruction() {
    let diff_id = |name| Digest::from_bytes(yagura_model::digest::Algorithm::Sha256, &[name; 32]).unwrap();
    let image_layer = |name, base| yagura_model::image::Layer {
        diff_id: diff_id(name),
        blob_digest: None,
        size: 0,
        created_by: String::new(),
        from_base_image: Some(base),
    };
    let image = Image { layers: vec![image_layer(1, true), image_layer(2, false)], ..Image::default() };
    let layers = [
        layer().packages("db", vec![deb("a", "1")]).build(1),
        layer().packages("db", vec![deb("a", "1"), deb("b", "1")]).build(2),
    ];
    let inventory = merge(&layers, Some(&image));
    let base: Vec<_> = inventory.packages.iter().map(|package| package.from_base_image).collect();
    assert_eq!(base, [Some(true), Some(false)]);
}

#[test]
fn os_packages_are_named_by_the_system_of_their_root() {
    let layers = [layer()
        .system("etc/os-release", "rhel", "9.4")
        .system("srv/chroot/etc/os-release", "debian", "12")
        .system("etc/redhat-release", "rhel", "9")
        .packages("var/lib/rpm/rpmdb.sqlite", vec![package(Ecosystem::Rpm, "bash", "5")])
        .packages("srv/chroot/var/lib/dpkg/status", vec![deb("bash", "5")])
        .packages("usr/lib/a/package.json", vec![npm("a", "1")])
        .build(1)];
    let inventory = merge(&layers, None);
    assert_eq!(inventory.system.as_ref().unwrap().distro(), "rhel-9.4");
    let names: Vec<_> =
        inventory.packages.iter().map(|p| (p.distribution.as_str(), p.distro.as_str())).collect();
    assert_eq!(names, [("debian", "debian-12"), ("", ""), ("redhat", "rhel-9.4")]);
}

#[test]
fn namespaces_of_distributions() {
    for (id, expected) in [
        ("debian", "debian"),
        ("almalinux", "almalinux"),
        ("rocky", "rocky"),
        ("rhel", "redhat"),
        ("amzn", "amazon"),
        ("opensuse-leap", "opensuse"),
        ("alpine", "alpine"),
        ("arch", "arch"),
    ] {
        assert_eq!(systems::namespace(id), expected);
    }
}

#[test]
fn a_file_owned_by_an_os_package_marks_what_it_proves() {
    let own = |package: &str, files: &[&str]| Facts {
        ownership: vec![Ownership {
            ecosystem: Ecosystem::Deb,
            package: package.into(),
            files: files.iter().map(|file| PathKey::of(file.as_bytes())).collect(),
        }],
        ..Facts::default()
    };
    let python = "usr/lib/python3/dist-packages/six-1.0.dist-info/METADATA";
    let mut jar = package(Ecosystem::Maven, "g:inner", "1");
    jar.presence = Presence::Embedded;
    jar.locations = vec![yagura_model::Location::file("usr/share/java/outer.jar!/inner.jar")];
    let mut layers = [layer()
        .packages("var/lib/dpkg/status", vec![deb("python3-six", "1"), deb("java", "1")])
        .evidence("var/lib/dpkg/info/python3-six.list", own("python3-six", &[python, "lib/tool"]))
        .evidence("var/lib/dpkg/info/java.list", own("java", &["usr/share/java/outer.jar"]))
        .packages(python, vec![package(Ecosystem::Pypi, "six", "1.0")])
        .packages("usr/lib/tool", vec![package(Ecosystem::Golang, "tool", "v1")])
        .packages("usr/share/java/outer.jar", vec![jar])
        .packages("opt/own/package.json", vec![npm("own", "1")])
        .build(1)];
    layers[0].file_digests.push(FileDigest {
        path: "usr/lib/tool".into(),
        digest: layers[0].diff_id.clone().unwrap(),
        size: 1,
        mode: 0o755,
        owner: None,
        layer: None,
    });
    let inventory = merge(&layers, None);
    let owners: Vec<_> = inventory.packages.iter().map(|p| (p.name.as_str(), p.owner.as_deref())).collect();
    assert_eq!(
        owners,
        [
            ("java", None),
            ("python3-six", None),
            ("tool", Some("python3-six")),
            ("g:inner", Some("java")),
            ("own", None),
            ("six", Some("python3-six"))
        ]
    );
    let owns: Vec<_> = inventory.relations.iter().map(|r| (r.from, r.to)).collect();
    assert_eq!(owns, [(0, 3), (1, 2), (1, 5)]);
    assert_eq!(inventory.file_digests[0].owner.as_deref(), Some("python3-six"));
}

#[test]
fn a_wheel_holds_what_it_bundles_but_does_not_own_it() {
    let vendored = "site-packages/setuptools/_vendor/wheel-0.43.0.dist-info/METADATA";
    let record = Facts {
        ownership: vec![Ownership {
            ecosystem: Ecosystem::Pypi,
            package: "setuptools".into(),
            files: vec![PathKey::of(vendored.as_bytes())],
        }],
        ..Facts::default()
    };
    let layers = [layer()
        .packages(vendored, vec![package(Ecosystem::Pypi, "wheel", "0.43.0")])
        .evidence("site-packages/setuptools-75.0.dist-info/RECORD", record)
        .build(1)];
    let wheel = &merge(&layers, None).packages[0];
    assert_eq!((wheel.owner.as_deref(), wheel.part_of.as_deref()), (None, Some("setuptools")));
}

#[test]
fn one_thing_is_one_package_and_two_copies_are_two() {
    let mut development = declared(npm("x", "1"));
    development.scope = Scope::Development;
    let mut embedded = package(Ecosystem::Golang, "m", "v1");
    embedded.presence = Presence::Embedded;
    let six = || package(Ecosystem::Pypi, "six", "1.0");
    let layers = [layer()
        // A lockfile in two formats above an installed copy, and a second project.
        .packages(
            "app/package-lock.json",
            vec![development.clone(), development.clone(), declared(npm("y", "1"))],
        )
        .packages("app/yarn.lock", vec![declared(npm("x", "1"))])
        .packages("app/node_modules/x/package.json", vec![npm("x", "1")])
        .packages("app/node_modules/.package-lock.json", vec![declared(npm("x", "1"))])
        .packages("other/node_modules/x/package.json", vec![npm("x", "1")])
        // Two environments, one of them with a lockfile above.
        .packages("py/uv.lock", vec![declared(six())])
        .packages("py/.venv/site-packages/six-1.0.dist-info/METADATA", vec![six()])
        .packages("py/.venv/site-packages/six.egg-info/PKG-INFO", vec![six()])
        .packages("usr/site-packages/six-1.0.dist-info/METADATA", vec![six()])
        // A database in two formats, and a library in two binaries.
        .packages("var/lib/rpm/Packages", vec![package(Ecosystem::Rpm, "bash", "5")])
        .packages("usr/lib/sysimage/rpm/rpmdb.sqlite", vec![package(Ecosystem::Rpm, "bash", "5")])
        .packages("usr/bin/one", vec![embedded.clone()])
        .packages("usr/bin/two", vec![embedded])
        .build(1)];
    let inventory = merge(&layers, None);
    assert_eq!(
        seen(&inventory),
        [
            "m v1 @usr/bin/one #01",
            "m v1 @usr/bin/two #01",
            "x 1 @app/node_modules/x/package.json,app/node_modules/.package-lock.json,\
             app/package-lock.json,app/yarn.lock #01",
            "x 1 @other/node_modules/x/package.json #01",
            "y 1 @app/package-lock.json #01",
            "six 1.0 @py/.venv/site-packages/six-1.0.dist-info/METADATA,\
             py/.venv/site-packages/six.egg-info/PKG-INFO,py/uv.lock #01",
            "six 1.0 @usr/site-packages/six-1.0.dist-info/METADATA #01",
            "bash 5 @usr/lib/sysimage/rpm/rpmdb.sqlite,var/lib/rpm/Packages #01",
        ]
    );
    assert_eq!(inventory.packages[2].presence, Presence::Installed);
}

#[test]
fn dependencies_mean_the_nearest_that_fits() {
    let needs = |mut package: Package, name: &str, version: Option<&str>| {
        package.dependencies.push(Dependency { name: name.into(), version: version.map(str::to_owned) });
        package
    };
    let mut mail = deb("exim4", "1");
    mail.provides.push("mail-transport-agent".into());
    let of = |architecture: &str, mut package: Package| {
        package.architecture = architecture.into();
        package
    };
    let layers = [layer()
        .packages(
            "var/lib/dpkg/status",
            vec![
                mail,
                needs(needs(deb("mutt", "1"), "mail-transport-agent", None), "nowhere", None),
                of("i386", needs(deb("app", "1"), "zlib", None)),
                of("amd64", deb("zlib", "1")),
                of("i386", deb("zlib", "1")),
            ],
        )
        .packages("a/node_modules/q/package.json", vec![npm("q", "1")])
        .packages("a/node_modules/p/package.json", vec![needs(npm("p", "1"), "q", None)])
        .packages("a/node_modules/o/node_modules/q/package.json", vec![npm("q", "2")])
        .packages("b/node_modules/q/package.json", vec![npm("q", "3")])
        .packages("a/node_modules/o/package.json", vec![needs(npm("o", "1"), "q", None)])
        .packages("c/package.json", vec![needs(npm("c", "1"), "q", Some("3"))])
        .packages("d/package.json", vec![needs(npm("d", "1"), "q", Some("9"))])
        .build(1)];
    let inventory = merge(&layers, None);
    let name = |index: usize| {
        let package = &inventory.packages[index];
        format!("{} {}{}", package.name, package.version, package.architecture)
    };
    let relations: Vec<_> = inventory
        .relations
        .iter()
        .map(|Relation { from, to, kind }| {
            assert_eq!(*kind, RelationKind::DependsOn);
            format!("{} > {}", name(*from), name(*to))
        })
        .collect();
    assert_eq!(
        relations,
        ["app 1i386 > zlib 1i386", "mutt 1 > exim4 1", "c 1 > q 3", "o 1 > q 2", "p 1 > q 1"]
    );
}

#[test]
fn licences_of_their_own_files_are_joined() {
    let licenses = PackageLicenses {
        ecosystem: Ecosystem::Deb,
        package: "bash".into(),
        licenses: vec!["GPL-3.0-or-later".into(), "MIT".into()],
    };
    let mut bash = deb("bash", "5");
    bash.licenses.push("MIT".into());
    let layers = [layer()
        .packages("var/lib/dpkg/status", vec![bash])
        .evidence("usr/share/doc/bash/copyright", Facts { licenses: vec![licenses], ..Facts::default() })
        .build(1)];
    assert_eq!(merge(&layers, None).packages[0].licenses, ["MIT", "GPL-3.0-or-later"]);
}

#[test]
fn packages_of_one_source_share_its_licences() {
    let of = |name: &str, source: &str, licenses: &[&str]| {
        let mut package = deb(name, "12");
        package.source = Some(SourcePackage { name: source.into(), version: "12".into() });
        package.licenses = licenses.iter().map(|license| (*license).to_owned()).collect();
        package
    };
    let packages = vec![
        of("gcc-12-base", "gcc-12", &["GPL-3.0-or-later"]),
        of("libgcc-s1", "gcc-12", &[]),
        of("x", "y", &[]),
    ];
    let merged = merge(&[layer().packages("var/lib/dpkg/status", packages).build(1)], None);
    let licenses: Vec<usize> = merged.packages.iter().map(|package| package.licenses.len()).collect();
    assert_eq!(licenses, [1, 1, 0]);
}

#[test]
fn what_was_skipped_names_its_layer_and_files_are_counted() {
    let mut first = layer().other("x").build(1);
    first.skipped.push(Skipped::new("x", SkipReason::Malformed, "broken"));
    first.counts = Counts { files: 3, ..Counts::default() };
    let second = layer().packages("y", vec![deb("a", "1")]).build(2);
    let inventory = merge(&[first, second], None);
    assert_eq!(inventory.files, 4);
    assert_eq!(inventory.skipped[0].layer.as_ref().unwrap().short(), "010101010101");
}

#[test]
fn the_order_of_evidence_does_not_matter() {
    let files = [
        ("b/package-lock.json", vec![declared(npm("x", "1")), declared(npm("y", "2"))]),
        ("b/node_modules/x/package.json", vec![npm("x", "1")]),
        ("c/yarn.lock", vec![declared(npm("x", "1"))]),
    ];
    let build = |order: [usize; 3]| {
        let mut built = layer();
        for index in order {
            built = built.packages(files[index].0, files[index].1.clone());
        }
        let mut facts = built.build(1);
        facts.evidence.sort_by_key(|evidence| order.iter().position(|i| files[*i].0 == evidence.path));
        merge(&[facts], None)
    };
    let expected = build([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0]] {
        assert_eq!(build(order), expected);
    }
}

#[test]
fn observations_know_their_layer_their_owner_and_what_became_of_them() {
    let owned = Ownership {
        ecosystem: Ecosystem::Deb,
        package: "base".into(),
        files: vec![PathKey::of(b"etc/kept")],
    };
    let database = Facts { packages: vec![deb("base", "1")], ownership: vec![owned], ..Facts::default() };
    let lower = layer()
        .evidence("var/lib/dpkg/status", database)
        .observation("etc/kept", "kept")
        .observation("etc/replaced", "replaced")
        .observation("root/removed.zip!/inside", "removed")
        .observation("srv/deep/gone", "gone")
        .build(1);
    let middle = layer().observation("etc/replaced", "again").whiteout("root/removed.zip").build(2);
    let upper = layer().directory("srv").opaque("srv").whiteout("etc/replaced").build(3);
    let layers = [lower, middle, upper];
    let digest = |layer: usize| layers[layer].diff_id.clone();
    let inventory = merge(&layers, None);
    let seen = inventory.observations.iter();
    let seen = seen.map(|seen| {
        (seen.rule.as_str(), seen.location.layer.clone(), seen.owner.as_deref(), seen.fate.clone())
    });
    let seen: Vec<_> = seen.collect();
    let expected = [
        ("kept", digest(0), Some("base"), Fate::Present),
        ("replaced", digest(0), None, Fate::Replaced(digest(1))),
        ("again", digest(1), None, Fate::Removed(digest(2))),
        ("removed", digest(0), None, Fate::Removed(digest(1))),
        ("gone", digest(0), None, Fate::Removed(digest(2))),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn packages_hold_code_or_none_or_it_cannot_be_told() {
    let owns = |package: &str, files: &[&str]| Ownership {
        ecosystem: Ecosystem::Deb,
        package: package.into(),
        files: files.iter().map(|file| PathKey::of(file.as_bytes())).collect(),
    };
    let database = Facts {
        packages: vec![deb("data", "1"), deb("gone", "1"), deb("tool", "1"), deb("unlisted", "1")],
        ownership: vec![
            owns("data", &["/.", "/usr", "/usr/share/icon"]),
            owns("gone", &["/usr", "/usr/share/doc/left-out"]),
            owns("tool", &["/usr", "/usr/bin/tool", "/usr/share/icon2"]),
        ],
        ..Facts::default()
    };
    let mut lower = layer()
        .evidence("var/lib/dpkg/status", database)
        .directory("usr")
        .other("usr/share/icon")
        .other("usr/share/icon2")
        .other("usr/bin/tool");
    lower.0.code.push(PathKey::of(b"usr/bin/tool"));
    let inventory = merge(&[lower.build(1)], None);
    let told: Vec<_> =
        inventory.packages.iter().map(|package| (package.name.as_str(), package.holds_code)).collect();
    assert_eq!(told, [("data", Some(false)), ("gone", None), ("tool", Some(true)), ("unlisted", None)]);
}
