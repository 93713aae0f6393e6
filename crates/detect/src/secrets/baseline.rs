//! Secrets that are known already, so that a gate fails on new ones only.
//!
//! The file holds the key of its fingerprints: with it two reports can be compared, and guesses be tested. It is as
//! private as the repository that holds the secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use yagura_model::report::Suppressed;
use yagura_model::{Finding, FindingKind};

use super::FingerprintKey;

const FORM: &str = "yagura-secrets-baseline-1";
/// Largest file that is read.
pub const MAX_BYTES: usize = 64 << 20;

/// Known secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    pub key: FingerprintKey,
    known: BTreeSet<Known>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Known {
    path: String,
    rule: String,
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    form: String,
    key: String,
    secrets: Vec<Known>,
}

#[derive(Debug, thiserror::Error)]
pub enum InvalidBaseline {
    #[error("not a baseline: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a baseline of the form `{0}`, where {FORM} was expected: write it anew with --write-baseline")]
    Form(String),
    #[error("its key is not 64 hexadecimal digits: write the baseline anew with --write-baseline")]
    Key,
    #[error("larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
}

impl Baseline {
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidBaseline> {
        if bytes.len() > MAX_BYTES {
            return Err(InvalidBaseline::TooLarge);
        }
        let stored: Stored = serde_json::from_slice(bytes)?;
        if stored.form != FORM {
            return Err(InvalidBaseline::Form(stored.form.chars().take(60).collect()));
        }
        let key = FingerprintKey::from_hex(&stored.key).ok_or(InvalidBaseline::Key)?;
        Ok(Self { key, known: stored.secrets.into_iter().collect() })
    }

    /// Of the secrets among these findings.
    pub fn of<'f>(key: FingerprintKey, findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let secrets = findings.into_iter().filter(|finding| finding.kind == FindingKind::Secret);
        Self { key, known: secrets.map(known).collect() }
    }

    /// As JSON, sorted, so that its changes can be reviewed.
    pub fn to_json(&self) -> String {
        let stored = Stored {
            form: FORM.to_owned(),
            key: self.key.to_hex(),
            secrets: self.known.iter().cloned().collect(),
        };
        serde_json::to_string_pretty(&stored).unwrap_or_default() + "\n"
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes the known ones out of `findings`; `source` names the baseline. A secret at a new place is not known.
    pub fn apply(&self, findings: &mut Vec<Finding>, suppressed: &mut Vec<Suppressed>, source: &str) {
        let all = std::mem::take(findings);
        for finding in all {
            if finding.kind == FindingKind::Secret && self.known.contains(&known(&finding)) {
                suppressed.push(Suppressed {
                    finding,
                    by: "baseline".to_owned(),
                    source: source.to_owned(),
                    reason: "known when the baseline was written".to_owned(),
                });
            } else {
                findings.push(finding);
            }
        }
    }
}

fn known(finding: &Finding) -> Known {
    Known {
        path: finding.location.path.clone(),
        rule: finding.rule.clone(),
        fingerprint: finding.evidence.fingerprint.clone(),
    }
}
