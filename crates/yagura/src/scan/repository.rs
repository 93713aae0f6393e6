//! Repositories: every version of every file, shown to the analysers. Packages are those of a checkout, which is a
//! directory.

use std::path::Path;

use anyhow::Result;
use yagura_collect::git::{Introduced, Repository, scan_history};
use yagura_formats::layer::Analysers;
use yagura_model::observation::Fate;
use yagura_model::{Inventory, Observation, Skipped};

use super::Reader;

/// The whole history of a repository.
pub fn read(reader: &Reader<'_>, path: &Path) -> Result<Inventory> {
    reader.progress.stage(format!("reading the history of {}", path.display()));
    let mut repository = Repository::open(path)?;
    let mut analysers = Analysers::begin(&reader.options);
    let mut observations: Vec<Observation> = Vec::new();
    let mut skipped: Vec<Skipped> = Vec::new();
    let most = reader.options.max_observations;
    let mut visit = |file: &Introduced<'_>| {
        let observed = analysers.look(file.path, file.mode, file.content);
        skipped.extend(observed.skipped);
        for mut seen in observed.observations {
            if observations.len() >= most {
                return;
            }
            for (fact, value) in [("commit", file.commit), ("author", file.author), ("date", file.date)] {
                seen.facts.insert(fact.to_owned(), value.to_owned());
            }
            seen.fate = if file.present { Fate::Present } else { Fate::Removed(None) };
            observations.push(seen);
        }
    };
    let (files, unreadable) = scan_history(&mut repository, &mut visit);
    skipped.extend(unreadable);
    Ok(Inventory { observations, skipped, files, ..Inventory::default() })
}
