//! What we write as CycloneDX and SPDX, read back: a scan of the SBOM sees what the scan of the image saw.

use yagura_formats::sbom::{self, Sbom};
use yagura_model::report::Target;
use yagura_model::{Inventory, Report};
use yagura_report::{Format, Options};

mod sample;

const FORMATS: [Format; 2] = [Format::CycloneDxJson, Format::SpdxJson];

fn read_back(format: Format, report: &Report) -> Sbom {
    let text = sample::text(format, report, &Options::default());
    sbom::read(text.as_bytes()).unwrap()
}

/// The inventory without what an SBOM does not carry: wishes, which the relations have resolved, and what the files are.
fn carried(target: &Target) -> Inventory {
    let mut inventory = target.inventory.clone();
    for package in &mut inventory.packages {
        package.dependencies.clear();
        package.provides.clear();
        package.holds_code = None;
    }
    inventory
}

#[test]
fn everything_comes_back() {
    let report = sample::report();
    let target = &report.targets[0];
    for format in FORMATS {
        let sbom = read_back(format, &report);
        assert_eq!(sbom.inventory, carried(target), "{format}");
        assert_eq!(sbom.image, target.image, "{format}");
        assert_eq!(sbom.kind, Some(target.kind), "{format}");
        assert_eq!(sbom.subject, target.name, "{format}");
    }
}

#[test]
fn names_and_versions_of_every_ecosystem_come_back() {
    let mut report = sample::report();
    let inventory = &mut report.targets[0].inventory;
    let pattern = inventory.packages[3].clone();
    inventory.relations.clear();
    inventory.packages = yagura_model::Ecosystem::ALL
        .into_iter()
        .flat_map(|ecosystem| {
            let name = match ecosystem {
                yagura_model::Ecosystem::Maven => "org.example:Some-Lib",
                yagura_model::Ecosystem::Golang => "github.com/Owner/Repo/v2/sub",
                yagura_model::Ecosystem::Npm => "@scope/some-Lib",
                yagura_model::Ecosystem::Composer | yagura_model::Ecosystem::Github => "owner/repo",
                yagura_model::Ecosystem::Swift => "github.com/owner/repo",
                _ => "some-lib",
            };
            ["1.2.3", "1.2.3-rc.1+build ~x", "2:1.0-1", ""].map(|version| {
                let mut package = pattern.clone();
                (package.ecosystem, package.name, package.version) = (ecosystem, name.into(), version.into());
                package
            })
        })
        .collect();
    inventory
        .packages
        .sort_by(|a, b| (a.ecosystem, &a.name, &a.version).cmp(&(b.ecosystem, &b.name, &b.version)));
    // OS packages take the distribution of their system where they have none of their own.
    for package in &mut inventory.packages {
        if package.ecosystem.is_operating_system() {
            package.distribution = "debian".into();
            package.distro = "debian-12".into();
        }
    }
    for format in FORMATS {
        let back = read_back(format, &report).inventory.packages;
        for (back, package) in back.iter().zip(&report.targets[0].inventory.packages) {
            assert_eq!(back, package, "{format}");
        }
        assert_eq!(back.len(), report.targets[0].inventory.packages.len());
    }
}

#[test]
fn several_targets_come_back_as_one_inventory() {
    let mut report = sample::report();
    let second = report.targets[0].clone();
    report.targets.push(second);
    for format in FORMATS {
        let inventory = read_back(format, &report).inventory;
        assert_eq!(inventory.packages.len(), 20, "{format}");
        assert_eq!(inventory.relations.len(), 4, "{format}");
        assert_eq!(inventory.files, 8642, "{format}");
    }
}
