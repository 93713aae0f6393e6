//! `yagura db affected`: which of many stored SBOMs the advisories touch, without scanning anything again.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use yagura_collect::sandbox;
use yagura_detect::vulnerabilities::{Affected, SbomIndex, SbomIndexBuilder, changed_records};
use yagura_formats::database::{Database, Verification};
use yagura_formats::sbom;
use yagura_report::terminal::escape;

use crate::arguments::{DbAffected, Everywhere};
use crate::commands::Outcome;
use crate::progress::Progress;
use crate::{advisories, feeds, output, scan};

pub fn run(arguments: &DbAffected, everywhere: &Everywhere) -> Result<Outcome> {
    let cache = scan::cache(everywhere)?;
    let advisories = advisories::open(everywhere, cache.root())?;
    let changed = match &arguments.since {
        Some(path) => Some(changed_records(&open(path)?, &advisories.database)?),
        None => None,
    };
    let files = files(&arguments.sboms)?;
    let links = files.iter().filter(|path| path.is_symlink());
    let readable: Vec<&Path> = arguments.sboms.iter().chain(links).map(PathBuf::as_path).collect();
    let written = arguments.index.as_deref().map(output::directory_of);
    sandbox::restrict(&readable, written.as_slice());
    let progress = Progress::new(everywhere.quiet);
    let index = match &arguments.index {
        Some(kept) => kept_index(kept, &files, &progress)?,
        None => index(&files, &progress)?,
    };
    progress.stage("matching");
    let affected = index.affected(&advisories.database, changed.as_ref())?;
    progress.finish();
    output::print(&if arguments.json { as_json(&affected, &index)? } else { as_text(&affected, &index) })?;
    Ok(Outcome::Fine)
}

fn open(path: &Path) -> Result<Database> {
    let file = File::open(path).with_context(|| format!("--since {}", path.display()))?;
    Database::open(Box::new(file), &Verification::AsGiven)
        .with_context(|| format!("--since {}", path.display()))
}

fn files(sboms: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in sboms {
        if path.is_dir() { files.extend(feeds::json_files(path)?) } else { files.push(path.clone()) }
    }
    Ok(files)
}

/// Names the SBOMs as they are: a digest of their paths, sizes and times of change.
fn stamp(files: &[PathBuf]) -> Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    for path in files {
        let metadata = fs::metadata(path).with_context(|| path.display().to_string())?;
        hasher.update(format!("{}\0{}\0{:?}\0", path.display(), metadata.len(), metadata.modified()));
    }
    Ok(hasher.finalize().into())
}

/// The index kept in a file, made anew where the SBOMs are not the same any more.
fn kept_index(kept: &Path, files: &[PathBuf], progress: &Progress) -> Result<SbomIndex> {
    let context = || format!("--index {}", kept.display());
    let stamp = stamp(files)?;
    match fs::read(kept) {
        Ok(bytes) => {
            let (made_of, index) = bytes.split_first_chunk::<32>().with_context(context)?;
            if *made_of == stamp {
                return SbomIndex::from_bytes(index).with_context(context);
            }
            // Only what is an index is written over.
            SbomIndex::from_bytes(index).with_context(context)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(context),
    }
    let index = index(files, progress)?;
    let bytes = [stamp.as_slice(), &index.to_bytes()?].concat();
    fs::write(kept, bytes).with_context(context)?;
    Ok(index)
}

/// Reads every SBOM into the index; one that cannot be read is told and left out.
fn index(files: &[PathBuf], progress: &Progress) -> Result<SbomIndex> {
    progress.steps("reading SBOMs", files.len() as u64);
    let mut builder = SbomIndexBuilder::new();
    for path in files {
        match fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| sbom::read(&bytes).map_err(|error| error.to_string()))
        {
            Ok(sbom) => {
                builder.add(path.display().to_string(), &sbom.inventory);
            }
            Err(error) => progress.note(&format!("skipped {}: {error}", path.display())),
        }
        progress.step();
    }
    Ok(builder.finish())
}

fn as_text(affected: &[Affected], index: &SbomIndex) -> String {
    let mut text = String::new();
    for row in affected {
        let fix = row.fixed_version.as_ref().map(|fix| format!(", fixed in {fix}")).unwrap_or_default();
        let subject = format!("{} in {} {}{fix} [{}]", row.flaw, row.package, row.version, row.advisory);
        let _ = writeln!(text, "{}", escape(&subject));
        for sbom in &row.sboms {
            let _ = writeln!(text, "  {}", escape(index.name(*sbom)));
        }
    }
    let _ = writeln!(text, "{} findings in {} SBOMs", affected.len(), index.len());
    text
}

fn as_json(affected: &[Affected], index: &SbomIndex) -> Result<String> {
    let rows: Vec<_> = affected
        .iter()
        .map(|row| {
            let sboms: Vec<&str> = row.sboms.iter().map(|sbom| index.name(*sbom)).collect();
            json!({
                "flaw": row.flaw, "advisory": row.advisory, "package": row.package, "version": row.version,
                "fixedVersion": row.fixed_version, "sboms": sboms,
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&json!({ "sboms": index.len(), "affected": rows }))? + "\n")
}
