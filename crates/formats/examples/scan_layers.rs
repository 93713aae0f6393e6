//! Scans layer blobs (lowest first), merges them and says what it cost: for measuring the scan by itself.
//!
//! `cargo run --release -p yagura-formats --example scan_layers -- [--digests] LAYER...`

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs::File;
use std::time::Instant;

use yagura_formats::layer::{LayerDigests, ScanOptions, codec, merge, scan_layer};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let executable_digests = arguments.iter().any(|argument| argument == "--digests");
    let options = ScanOptions { executable_digests, ..ScanOptions::default() };
    let mut layers = Vec::new();
    for path in arguments.iter().filter(|argument| !argument.starts_with("--")) {
        let start = Instant::now();
        let facts = scan_layer(File::open(path)?, &LayerDigests::default(), &options);
        println!("{path}: {:?} in {:.2?}", facts.counts, start.elapsed());
        let tag = codec::CacheTag::of(&options, "measure");
        let start = Instant::now();
        let bytes = codec::encode(&facts, &tag).unwrap_or_default();
        let encoded = start.elapsed();
        let back = codec::decode(&bytes, &tag);
        let (same, length) = (back.as_ref() == Some(&facts), bytes.len());
        println!(
            "  cache entry: {length} bytes, encoded in {encoded:.2?}, all in {:.2?}, same: {same}",
            start.elapsed()
        );
        layers.push(facts);
    }
    let start = Instant::now();
    let inventory = merge(&layers, None);
    println!("merged in {:.2?}", start.elapsed());
    let mut by_cataloguer: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &inventory.packages {
        *by_cataloguer.entry(&package.found_by).or_default() += 1;
    }
    let system = inventory.system.as_ref().map(|system| system.distro()).unwrap_or_default();
    println!("{system}: {} packages {by_cataloguer:?}", inventory.packages.len());
    let owned = inventory.packages.iter().filter(|package| package.owner.is_some()).count();
    let digests = inventory.file_digests.len();
    println!("{} relations, {owned} owned, {digests} digests, skipped:", inventory.relations.len());
    for skipped in inventory.skipped.iter().take(40) {
        println!("  {skipped:?}");
    }
    Ok(())
}
