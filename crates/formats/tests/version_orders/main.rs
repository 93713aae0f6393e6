//! Every order against the program that defines it, over generated pairs and all versions of the OSV files.
//!
//! Each oracle is one process that reads `a<TAB>b` lines and answers `-1`, `0`, `1`, or `!` where it refuses one of
//! the two. An oracle that is not on the machine is skipped by name. With `CI` set the ones that `.ci/run` installs
//! must be there: dpkg, rpm, Python's packaging, node-semver and RubyGems; so must the advisory data, found through
//! `YAGURA_DATA` or in `../shared/data` beside the repository. The others (Maven 3, PHP's composer/semver,
//! golang.org/x/mod, Conan, Elixir, pacman's libalpm) run where they are.

#![allow(clippy::print_stderr)]

mod oracle;
mod osv;
mod pairs;

use std::cmp::Ordering;

use oracle::Oracle;
use yagura_formats::versions::{Order, npm};

/// Pairs made from the grammar, for each oracle.
const GENERATED: usize = 20_000;
/// One pair in so many must be comparable, or the oracle proves nothing.
const REFUSED_AT_MOST: usize = 6;
/// Differences printed before the rest is only counted.
const SHOWN: usize = 40;

fn check(oracle: &Oracle) {
    if !oracle.is_present() {
        assert!(
            !(oracle.required && std::env::var_os("CI").is_some()),
            "{} is missing, and this is CI",
            oracle.name
        );
        eprintln!("skipped: {} is not on this machine", oracle.name);
        return;
    }
    let mut pairs = pairs::generated(oracle.starts, oracle.pieces, GENERATED);
    for ecosystem in oracle.ecosystems {
        match osv::versions(ecosystem) {
            Some(versions) => pairs.extend(pairs::neighbours(&versions)),
            None => eprintln!("skipped: no advisories of {ecosystem} for {}", oracle.name),
        }
    }
    pairs.retain(|(a, b)| !(oracle.departs)(a, b));
    let answers = oracle.ask(&pairs);
    assert_eq!(answers.len(), pairs.len(), "{} did not answer every pair", oracle.name);
    let mut compared = 0;
    let mut differences = Vec::new();
    for ((a, b), answer) in pairs.iter().zip(&answers) {
        let Some(expected) = answer else { continue };
        compared += 1;
        let ours = oracle.order.compare(a, b);
        if ours != *expected {
            differences.push(format!("{a:?} {b:?}: {} says {expected:?}, we {ours:?}", oracle.name));
        }
    }
    eprintln!("{}: {compared} of {} pairs compared", oracle.name, pairs.len());
    assert!(compared * REFUSED_AT_MOST > pairs.len(), "{} refused nearly all pairs", oracle.name);
    let shown = differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{shown}", differences.len());
}

#[test]
fn dpkg() {
    check(&oracle::DPKG);
}

#[test]
fn rpm() {
    check(&oracle::RPM);
}

#[test]
fn pep440() {
    check(&oracle::PACKAGING);
}

#[test]
fn semver() {
    check(&oracle::NODE_SEMVER);
}

#[test]
fn gem() {
    check(&oracle::GEM);
}

#[test]
fn alpm() {
    check(&oracle::ALPM);
}

#[test]
fn maven() {
    check(&oracle::MAVEN);
}

#[test]
fn composer() {
    check(&oracle::COMPOSER);
}

#[test]
fn golang() {
    check(&oracle::GO);
}

#[test]
fn conan() {
    check(&oracle::CONAN);
}

#[test]
fn hex() {
    check(&oracle::ELIXIR);
}

#[test]
fn npm_ranges() {
    let oracle = &oracle::NODE_RANGES;
    if !oracle.is_present() {
        assert!(std::env::var_os("CI").is_none(), "{} is missing, and this is CI", oracle.name);
        eprintln!("skipped: {} is not on this machine", oracle.name);
        return;
    }
    let pairs = pairs::ranges_and_versions(GENERATED);
    let mut differences = Vec::new();
    let mut inside = 0;
    for ((range, version), answer) in pairs.iter().zip(oracle.ask(&pairs)) {
        let Some(expected) = answer else { continue };
        let ours = npm::Range::parse(range).is_ok_and(|range| range.contains(version));
        inside += usize::from(ours);
        if ours != (expected == Ordering::Greater) {
            differences.push(format!("{version:?} in {range:?}: node-semver says {}, we {ours}", !ours));
        }
    }
    eprintln!("{}: {} pairs, {inside} inside", oracle.name, pairs.len());
    let shown = differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differ:\n{shown}", differences.len());
}

#[test]
fn every_ecosystem_in_the_advisories_has_an_order() {
    for ecosystem in osv::ECOSYSTEMS {
        assert!(Order::for_osv_ecosystem(ecosystem).is_some(), "{ecosystem}");
    }
}
