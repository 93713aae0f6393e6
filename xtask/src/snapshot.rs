//! `snapshot`: compiles the advisory database the program carries.
//!
//! The result depends on the data alone: the same directory gives the same bytes on every machine.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use yagura_formats::advisories::{end_of_life, kev};
use yagura_formats::database::{Builder, Feed, FeedState};

/// Where the binary embeds it from, below the repository's root.
const OUTPUT: &str = "crates/yagura/data/advisories.ygdb";

/// The terms of the mirrors the snapshot is made from, where they differ from those of the feed's usual publisher.
const LICENCES: &[(&str, &str)] = &[
    ("Debian", "Apache-2.0"),
    ("Go", "BSD-3-Clause AND CC-BY-4.0"),
    ("Packagist", "Unlicense"),
    ("RubyGems", "LicenseRef-public-domain"),
    ("npm", "Apache-2.0"),
];

/// `snapshot --data DIR [--output FILE]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut data = None;
    let mut output = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(OUTPUT);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--data" => data = Some(PathBuf::from(value()?)),
            "--output" => output = PathBuf::from(value()?),
            other => bail!("unknown argument `{other}`: use --data DIR and --output FILE"),
        }
    }
    let data = data.context("--data DIR is needed: the directory with osv/, kev/ and eol/")?;
    let mut builder = Builder::new();
    for feed in sorted(&data.join("osv"))? {
        let zip = feed.join("all.zip");
        let name = feed.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let licence = LICENCES.iter().find(|(known, _)| *known == name).map_or("", |(_, licence)| licence);
        let file = File::open(&zip).with_context(|| format!("cannot open {}", zip.display()))?;
        let feed = Feed { name, licence: licence.to_owned() };
        builder.osv_zip(&feed, BufReader::new(file), &FeedState::default());
    }
    let path = data.join("kev/known_exploited_vulnerabilities.json");
    let catalogue = kev::parse(&fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    builder.exploited("kev", catalogue.map_err(|problem| anyhow::anyhow!("{}", problem.detail))?);
    let path = data.join("eol/products.json");
    let products =
        end_of_life::parse(&fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    builder.end_of_life("eol", products.map_err(|problem| anyhow::anyhow!("{}", problem.detail))?);
    for scores in sorted(&data.join("epss")).unwrap_or_default() {
        builder.predictions("epss", File::open(&scores)?);
    }
    let built = builder.finish(None)?;
    if let Some(directory) = output.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&output, &built.bytes).with_context(|| format!("cannot write {}", output.display()))?;
    for skipped in &built.skipped {
        println!("skipped {}: {}", skipped.path, skipped.detail);
    }
    for source in &built.info.sources {
        println!("{source:?}");
    }
    let info = &built.info;
    println!(
        "{}: {} bytes, {} records, {} flaws, {} entries, newest {}",
        output.display(),
        built.bytes.len(),
        info.records,
        info.flaws,
        info.entries,
        info.newest.map(|day| day.to_string()).unwrap_or_default()
    );
    Ok(())
}

fn sorted(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
