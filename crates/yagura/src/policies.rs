//! Which policy rules a run has: the program's own, those of the user, and the choice among them.

pub mod rego;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Zoned;
use yagura_detect::policies::rule::MAX_RULE_BYTES;
use yagura_detect::policies::{Framework, RuleSet};

use crate::arguments::Everywhere;
use crate::arguments::policies::PolicyChoice;
use crate::output;
use crate::scan::Policies;

/// Deepest directory below `--policy DIR`, and most files there.
const MAX_DEPTH: usize = 16;
const MAX_FILES: usize = 20_000;

/// The rules of the program.
pub fn carried() -> RuleSet {
    let mut rules = RuleSet::new();
    for file in yagura_rules::family("policies") {
        rules.add(file.path, file.text);
    }
    rules
}

/// The frameworks of the program, by name.
pub fn frameworks() -> Result<BTreeMap<String, Framework>> {
    let read = |file: &yagura_rules::RuleFile| Framework::read(file.path, file.text);
    let files = yagura_rules::family("frameworks").iter().map(read);
    let read: Result<Vec<_>, _> = files.collect();
    Ok(read?.into_iter().map(|framework| (framework.name.clone(), framework)).collect())
}

/// The rules that a command line asks for; a wrong rule or framework is told before any work.
pub fn chosen(choice: &PolicyChoice, everywhere: &Everywhere) -> Result<Policies> {
    let mut rules = carried();
    let mut pack = rego::load(&choice.policy, &choice.policy_data).context("--policy")?;
    for directory in &choice.policy {
        for (path, text) in files(directory, &["yaml", "yml"])? {
            if is_rule(&text) {
                rules.add_checked(path, text).context("--policy")?;
            }
        }
    }
    if !choice.framework.is_empty() {
        let known = frameworks()?;
        for name in &choice.framework {
            if !known.contains_key(name) {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                bail!("--framework {name}: there are {}", names.join(", "));
            }
        }
        rules.restrict(&choice.framework);
        if let Some(pack) = &mut pack {
            pack.restrict(&choice.framework);
        }
    }
    if let Some(pack) = &pack {
        rules.know(pack.checks().iter().map(|check| check.id.clone()));
    }
    Ok(Policies {
        rules,
        pack,
        language: output::language(everywhere).tag(),
        today: Zoned::now().date().to_string(),
        variables: choice.tf_vars.iter().map(|path| variables(path)).collect::<Result<_>>()?,
    })
}

/// A file of `--tf-vars`.
fn variables(path: &Path) -> Result<(String, String)> {
    /// Largest file of values that is read, in bytes.
    const MAX_BYTES: u64 = 4 << 20;
    let name = path.display().to_string();
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("--tf-vars {name}"))?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).with_context(|| format!("--tf-vars {name}"))?;
    if text.len() as u64 > MAX_BYTES {
        bail!("--tf-vars {name}: larger than {} MiB", MAX_BYTES >> 20);
    }
    Ok((name, text))
}

/// Whether a YAML file is a rule of ours; others may lie beside them, data of Rego policies for instance.
pub fn is_rule(text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    has("id:") && (has("when:") || has("applies:"))
}

/// Files with one of some endings below a directory (or the file itself), by path.
pub fn files(root: &Path, endings: &[&str]) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    let mut wanted = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        endings.contains(&ending)
    };
    collect(root, &mut wanted, 0, &mut paths)?;
    paths.sort();
    let read = |path: &PathBuf| -> Result<(String, String)> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let file = File::open(path).with_context(|| name.clone())?;
        file.take(MAX_RULE_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(|| name.clone())?;
        if bytes.len() > MAX_RULE_BYTES {
            bail!("{name}: larger than {} KiB, the bound for a rule file", MAX_RULE_BYTES >> 10);
        }
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
        Ok((name, text))
    };
    paths.iter().map(read).collect()
}

/// Files that are wanted, below a directory or the one itself.
fn collect(
    path: &Path,
    wanted: &mut dyn FnMut(&Path) -> bool,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    let status = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    if !status.is_dir() {
        if wanted(path) {
            found.push(path.to_owned());
        }
        return Ok(());
    }
    if depth > MAX_DEPTH {
        bail!("{}: directories nest deeper than {MAX_DEPTH}", path.display());
    }
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            collect(&entry.path(), wanted, depth + 1, found)?;
        }
    }
    if found.len() > MAX_FILES {
        bail!("{}: more than {MAX_FILES} rule files", path.display());
    }
    Ok(())
}
