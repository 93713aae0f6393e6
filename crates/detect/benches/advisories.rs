//! The advisory database measured: compiling every feed, opening, looking up, and questions over many inventories.
//!
//! `benches/advisories.sh` runs it; `YAGURA_DATA` names the directory with `osv/`. Prints one figure a line.

#![allow(clippy::print_stdout)]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Instant;

use yagura_detect::vulnerabilities::{
    Options, SbomIndex, SbomIndexBuilder, changed_records, match_inventory,
};
use yagura_formats::database::{Builder, Built, Database, Feed, FeedState, Verification};
use yagura_model::package::SourcePackage;
use yagura_model::{Ecosystem, Inventory, OperatingSystem, Package};

const SBOMS: u32 = 110_000;
const PACKAGES: u32 = 300;

fn main() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("YAGURA_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if !data.join("osv").exists() {
        println!("skipped: no data at {} (set YAGURA_DATA)", data.display());
        return;
    }
    let built = compile(&data);
    let path = std::env::temp_dir().join(format!("yagura-bench-{}.ygdb", std::process::id()));
    fs::write(&path, &built.bytes).expect("the temporary directory can be written");
    opening(&path);
    let open = || Database::open(Box::new(File::open(&path).expect("just written")), &Verification::AsGiven);
    let database = open().expect("just built");
    look_ups(&database);
    inventories(&data, &database);
    fs::remove_file(&path).expect("just written");
}

/// The feeds of the directory that are asked for: the database, the size of their zips, their records.
fn build(data: &std::path::Path, only: &dyn Fn(&str) -> bool) -> (Built, u64, u64) {
    let mut builder = Builder::new();
    let (mut zips, mut records) = (0, 0);
    let mut feeds: Vec<PathBuf> = fs::read_dir(data.join("osv"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    feeds.sort();
    for feed in feeds {
        let name = feed.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !only(&name) {
            continue;
        }
        let file = File::open(feed.join("all.zip")).expect("a feed's zip");
        zips += file.metadata().expect("a file").len();
        let state = builder.osv_zip(
            &Feed { name, licence: String::new() },
            BufReader::new(file),
            &FeedState::default(),
        );
        records += state.len() as u64;
    }
    (builder.finish(None).expect("memory to write to"), zips, records)
}

fn compile(data: &std::path::Path) -> Built {
    let start = Instant::now();
    let (built, zips, records) = build(data, &|_| true);
    let seconds = start.elapsed().as_secs_f64();
    println!("compile: {records} records in {seconds:.2} s, {:.0} records/s", records as f64 / seconds);
    println!("peak memory of compiling: {} MB", peak_memory());
    let ratio = built.bytes.len() as f64 / zips as f64;
    println!("size: {} bytes from {zips} bytes of zips, {:.1} %", built.bytes.len(), ratio * 100.0);
    built
}

fn opening(path: &std::path::Path) {
    let rounds = 200;
    let (mut opened, mut answered) = (0.0, 0.0);
    for _ in 0..rounds {
        let start = Instant::now();
        let file = File::open(path).expect("just written");
        let database = Database::open(Box::new(file), &Verification::AsGiven).expect("just built");
        opened += start.elapsed().as_secs_f64();
        let debian = database.ecosystem("Debian:12").expect("in the data");
        black_box(database.lookup(debian, "openssl").expect("readable"));
        answered += start.elapsed().as_secs_f64();
    }
    let micro = 1e6 / f64::from(rounds);
    println!("open: {:.0} µs; open to first answer: {:.0} µs", opened * micro, answered * micro);
}

/// A typical mix: nine names of ten are in no advisory.
fn look_ups(database: &Database) {
    let mut known = Vec::new();
    let mut names = Vec::new();
    database
        .each_package(&mut |ecosystem, name, _| known.push((ecosystem, name.to_owned())))
        .expect("readable");
    for (number, (ecosystem, name)) in known.iter().enumerate().step_by(7) {
        names.push((*ecosystem, name.clone()));
        for other in 0..9 {
            names.push((*ecosystem, format!("{name}-{}{other}", number % 10)));
        }
    }
    for knows in [true, false] {
        let start = Instant::now();
        let mut count: u64 = 0;
        let mut hits: u64 = 0;
        while start.elapsed().as_secs_f64() < 2.0 {
            for (ecosystem, name) in &names {
                hits += if knows {
                    u64::from(database.knows(*ecosystem, name).expect("readable"))
                } else {
                    u64::from(!database.lookup(*ecosystem, name).expect("readable").is_empty())
                };
            }
            count += names.len() as u64;
        }
        let rate = count as f64 / start.elapsed().as_secs_f64();
        let what = if knows { "is it known" } else { "with its ranges decoded" };
        println!(
            "look-ups ({what}): {:.2} million/s on one core, {:.0} % hits",
            rate / 1e6,
            hits as f64 * 100.0 / count as f64
        );
    }
}

/// Many inventories: names as advisories have them and others, a few versions of each.
fn inventories(data: &std::path::Path, database: &Database) {
    let mut debian = Vec::new();
    let mut npm = Vec::new();
    database
        .each_package(&mut |id, name, _| match database.ecosystem_row(id).map_or("", |row| row.name.as_str())
        {
            "Debian:12" => debian.push(name.to_owned()),
            "PyPI" | "npm" => npm.push(name.to_owned()),
            _ => {}
        })
        .expect("readable");
    let start = Instant::now();
    let mut random = Random(7);
    let mut builder = SbomIndexBuilder::new();
    let system = OperatingSystem { id: "debian".into(), version: "12".into(), ..OperatingSystem::default() };
    for number in 0..SBOMS {
        let mut packages = Vec::with_capacity(PACKAGES as usize);
        for place in 0..PACKAGES {
            let version = format!("{}.{}.{}", random.below(4), random.below(10), random.below(3));
            // One name of six is one that some advisory speaks of.
            let spoken = random.below(6) == 0;
            let (ecosystem, names) =
                if place % 2 == 0 { (Ecosystem::Deb, &debian) } else { (Ecosystem::Pypi, &npm) };
            let name = match names.get(random.below(names.len() as u64 * 2) as usize) {
                Some(name) if spoken => name.clone(),
                _ => format!("package-{}", random.below(20_000)),
            };
            let mut package = Package::new(ecosystem, name.clone(), version.clone());
            if ecosystem == Ecosystem::Deb {
                package.source = Some(SourcePackage { name, version });
            }
            packages.push(package);
        }
        let inventory = Inventory { system: Some(system.clone()), packages, ..Inventory::default() };
        builder.add(format!("sbom-{number}"), &inventory);
    }
    let index = builder.finish();
    println!(
        "index: {} inventories of {PACKAGES} packages, {} different packages, made in {:.1} s",
        index.len(),
        index.components(),
        start.elapsed().as_secs_f64()
    );
    let bytes = index.to_bytes().expect("memory to write to");
    let start = Instant::now();
    let index = SbomIndex::from_bytes(&bytes).expect("just written");
    println!("index: {} MB, read in {:.2} s", bytes.len() >> 20, start.elapsed().as_secs_f64());

    let (before, ..) = build(data, &|name| name != "PyPI");
    let before = Database::open(Box::new(before.bytes), &Verification::AsGiven).expect("just built");
    let start = Instant::now();
    let changed = changed_records(&before, database).expect("readable");
    let affected = index.affected(database, Some(&changed)).expect("readable");
    let mut touched: Vec<_> = affected.iter().flat_map(|affected| affected.sboms.iter()).collect();
    touched.sort_unstable();
    touched.dedup();
    println!(
        "delta of {} records: {} flaws in packages, {} inventories, {:.2} s",
        changed.len(),
        affected.len(),
        touched.len(),
        start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    let counts = index.count_flaws(database).expect("readable");
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    println!("full match of all: {total} findings in {:.2} s on one core", start.elapsed().as_secs_f64());

    let inventory = Inventory {
        system: Some(system),
        packages: debian
            .iter()
            .take(PACKAGES as usize)
            .map(|name| {
                let mut package = Package::new(Ecosystem::Deb, name.clone(), "1.0-1");
                package.source = Some(SourcePackage { name: name.clone(), version: "1.0-1".into() });
                package
            })
            .collect(),
        ..Inventory::default()
    };
    let start = Instant::now();
    let matches = match_inventory(&inventory, "bench", database, Options::default()).expect("readable");
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    println!("one inventory in full: {} findings in {milliseconds:.1} ms", matches.findings.len());
    println!("peak memory of everything: {} MB", peak_memory());
}

/// VmHWM of this process in MB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) >> 10
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}
