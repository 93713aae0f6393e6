//! Secrets in a scan: the rules, the key of the fingerprints, the baseline.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use yagura_detect::secrets::{self, Baseline, FingerprintKey, RuleSet, Secrets};
use yagura_model::{FindingKind, Report};
use yagura_report::terminal::escape;

use crate::arguments::Judgement;
use crate::judgement::placed;

/// Where this machine keeps its key, in the cache directory.
const KEY_FILE: &str = "fingerprint.key";

/// The search for secrets, as the command line asks for it.
pub struct Search {
    pub secrets: Arc<Secrets>,
    key: FingerprintKey,
    /// Its name, and what is known.
    baseline: Option<(String, Baseline)>,
    /// Where a new baseline goes.
    write: Option<(PathBuf, File)>,
}

impl Search {
    /// None when findings of other kinds only are asked for. `keeps` says whether the key may be kept in the cache.
    pub fn new(arguments: &Judgement, cache: &Path, keeps: bool) -> Result<Option<Self>> {
        if !arguments.only.is_empty() && !arguments.only.contains(&FindingKind::Secret) {
            return Ok(None);
        }
        let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
        // A baseline that is written anew keeps its key, so that what changed in it can be seen.
        let key = match &baseline {
            Some((_, baseline)) => baseline.key.clone(),
            None => match arguments.write_baseline.as_deref().filter(|path| path.is_file()) {
                Some(path) => read_baseline(path)?.1.key,
                None if arguments.write_baseline.is_some() || !keeps => random_key()?,
                None => kept_key(&cache.join(KEY_FILE))?,
            },
        };
        let write = match &arguments.write_baseline {
            Some(path) => {
                let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
                let file = file.with_context(|| format!("--write-baseline {}", path.display()))?;
                Some((path.clone(), file))
            }
            None => None,
        };
        let secrets = Arc::new(Secrets::new(rules()?, key.clone()));
        Ok(Some(Self { secrets, key, baseline, write }))
    }

    /// Makes findings of what was observed, and takes out what the baseline knows.
    pub fn judge(&self, report: &mut Report) {
        for target in &mut report.targets {
            let judged = secrets::judge(target, self.secrets.rules());
            report.findings.extend(judged.findings.into_iter().map(|finding| placed(finding, target)));
            report.suppressed.extend(judged.suppressed);
        }
        if let Some((name, baseline)) = &self.baseline {
            baseline.apply(&mut report.findings, &mut report.suppressed, name);
        }
    }

    /// Writes the secrets of the report as known from now on, those that were known before included.
    pub fn write_baseline(&mut self, report: &Report) -> Result<()> {
        let Some((path, file)) = &mut self.write else { return Ok(()) };
        let known = report.suppressed.iter().filter(|suppressed| suppressed.by == "baseline");
        let findings = report.findings.iter().chain(known.map(|suppressed| &suppressed.finding));
        let text = Baseline::of(self.key.clone(), findings).to_json();
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .with_context(|| format!("--write-baseline {}", path.display()))
    }
}

/// Finds secrets only to take them out of what is shown: its fingerprints are of no use to anybody.
pub fn redactor() -> Result<Arc<Secrets>> {
    Ok(Arc::new(Secrets::new(rules()?, FingerprintKey::new([0; 32]))))
}

/// The rules of secrets, compiled.
fn rules() -> Result<Arc<RuleSet>> {
    Ok(Arc::new(RuleSet::builtin().context("the built-in rules of secrets")?))
}

fn read_baseline(path: &Path) -> Result<(String, Baseline)> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let limit = secrets::MAX_BASELINE_BYTES as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.with_context(|| format!("baseline {name}"))?;
    let baseline = Baseline::read(&bytes).with_context(|| format!("baseline {name}"))?;
    Ok((name, baseline))
}

/// The key that this machine keeps, made when there is none.
fn kept_key(path: &Path) -> Result<FingerprintKey> {
    let describe = || path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => FingerprintKey::from_hex(&text)
            .with_context(|| format!("{} holds no key: remove it, and another is made", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = random_key()?;
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            match made.and_then(|mut file| file.write_all(key.to_hex().as_bytes())) {
                Ok(()) => Ok(key),
                // Another process was quicker.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => kept_key(path),
                Err(error) => Err(error).with_context(describe),
            }
        }
        Err(error) => Err(error).with_context(describe),
    }
}

fn random_key() -> Result<FingerprintKey> {
    let mut key = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut key));
    read.context("/dev/urandom")?;
    Ok(FingerprintKey::new(key))
}

/// What `yagura explain` says of a rule; none when no rule has the id.
pub fn explain(id: &str) -> Result<Option<String>> {
    let rules = rules()?;
    let Some(rule) = rules.get(id) else { return Ok(None) };
    let mut lines = vec![
        ("rule", rule.id.clone()),
        ("finds", rule.title.clone()),
        ("severity", rule.severity.to_string()),
        ("opens", rule.opens.clone()),
        ("what to do", rule.revoke.clone()),
    ];
    if !rule.files.is_empty() {
        lines.push(("only in", rule.files.join(", ")));
    }
    if !rule.keywords.is_empty() {
        lines.push(("begins with", rule.keywords.join(", ")));
    }
    let text = lines.iter().map(|(label, value)| format!("{label:13} {}\n", escape(value)));
    Ok(Some(text.collect()))
}
