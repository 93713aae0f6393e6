//! Which advisory database judges: the one named, else the updated one in the cache, else the one we carry.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use yagura_formats::database::{Database, PublicKey, Verification};
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
        let trusted = match &everywhere.db_key {
            Some(key) => Verification::SignedBy(vec![public_key(key)?]),
            None => Verification::AsGiven,
        };
        let (database, bytes) = open_file(path, &trusted)?;
        return Ok(Advisories { database, source: path.display().to_string(), bytes, notice: None });
    }
    let updated = updated_path(cache);
    let notice = match updated.exists().then(|| open_file(&updated, &Verification::AsGiven)) {
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

/// An ed25519 public key as `db status` shows it: 64 hexadecimal digits.
fn public_key(text: &str) -> Result<PublicKey> {
    let bytes = key_bytes(text).context("--db-key: a public key is 64 hexadecimal digits")?;
    PublicKey::from_bytes(&bytes).context("--db-key: not an ed25519 public key")
}

/// 32 bytes written as 64 hexadecimal digits.
pub fn key_bytes(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (byte, start) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(start..start + 2)?, 16).ok()?;
    }
    Some(key)
}

fn open_file(path: &Path, trusted: &Verification) -> Result<(Database, u64)> {
    let file = File::open(path).with_context(|| format!("cannot open the database {}", path.display()))?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let database = Database::open(Box::new(file), trusted);
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
