//! Which advisory database judges: the one named, else the updated one in the cache, else the one we carry.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use yagura_formats::database::{Database, Verification};
use yagura_model::report;

use crate::arguments::Everywhere;

/// Compiled by `cargo xtask snapshot`; what is in it is shown by `yagura db status`.
static EMBEDDED: &[u8] = include_bytes!("../data/advisories.ygdb");

/// A database and where it came from.
pub struct Advisories {
    pub database: Database,
    /// `embedded`, or the file's path.
    pub source: String,
    /// Size of the file.
    pub bytes: u64,
    /// Why a better one was not used.
    pub notice: Option<String>,
}

/// Where `db update` keeps its result.
pub fn updated_path(cache: &Path) -> PathBuf {
    cache.join("db").join("advisories.ygdb")
}

/// Opens the database to judge with. A named one must work; a damaged updated one is passed over with a notice.
pub fn open(everywhere: &Everywhere, cache: &Path) -> Result<Advisories> {
    if let Some(path) = &everywhere.db {
        let (database, bytes) = open_file(path)?;
        return Ok(Advisories { database, source: path.display().to_string(), bytes, notice: None });
    }
    let updated = updated_path(cache);
    let notice = match updated.exists().then(|| open_file(&updated)) {
        Some(Ok((database, bytes))) => {
            let embedded = embedded()?;
            if database.info().newest >= embedded.info().newest {
                let source = updated.display().to_string();
                return Ok(Advisories { database, source, bytes, notice: None });
            }
            Some(format!("{} is older than the embedded database, which is used", updated.display()))
        }
        Some(Err(error)) => Some(format!("the embedded database is used: {error:#}")),
        None => None,
    };
    let bytes = EMBEDDED.len() as u64;
    Ok(Advisories { database: embedded()?, source: "embedded".to_owned(), bytes, notice })
}

fn embedded() -> Result<Database> {
    Database::open(Box::new(EMBEDDED), &Verification::AsGiven).context("the embedded advisory database")
}

fn open_file(path: &Path) -> Result<(Database, u64)> {
    let file = File::open(path).with_context(|| format!("cannot open the database {}", path.display()))?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let database = Database::open(Box::new(file), &Verification::AsGiven);
    Ok((database.with_context(|| path.display().to_string())?, bytes))
}

impl Advisories {
    /// What a report says of it.
    pub fn described(&self) -> report::Database {
        let info = self.database.info();
        report::Database {
            source: self.source.clone(),
            updated: info.newest.map(|day| day.to_string()).unwrap_or_default(),
            advisories: u64::from(info.records),
            sha256: self.database.sha256(),
        }
    }
}
