//! Image configurations: what a container would run as, which layers it has and how each came to be.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use yagura_model::Digest;
use yagura_model::image::ImageConfig;

use super::{ImageError, MAX_CONFIG_BYTES, MAX_LAYERS, Platform, decode, null_as_default};

/// An image configuration (OCI image specification, `config.md`; Docker writes the same shape).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    pub platform: Platform,
    /// RFC 3339, as stated; empty where it is not.
    pub created: String,
    pub labels: BTreeMap<String, String>,
    pub config: ImageConfig,
    /// Digests of the uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
    /// One entry an instruction, oldest first; those with `empty_layer` made no layer.
    pub history: Vec<History>,
}

/// One build instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct History {
    #[serde(deserialize_with = "null_as_default")]
    pub created: String,
    #[serde(deserialize_with = "null_as_default")]
    pub created_by: String,
    #[serde(deserialize_with = "null_as_default")]
    pub comment: String,
    #[serde(deserialize_with = "null_as_default")]
    pub empty_layer: bool,
}

#[derive(Deserialize)]
struct Stated {
    #[serde(flatten)]
    platform: Platform,
    #[serde(default, deserialize_with = "null_as_default")]
    created: String,
    #[serde(default, deserialize_with = "null_as_default")]
    config: StatedConfig,
    #[serde(default, deserialize_with = "null_as_default")]
    rootfs: RootFs,
    #[serde(default, deserialize_with = "null_as_default")]
    history: Vec<History>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RootFs {
    #[serde(deserialize_with = "null_as_default")]
    diff_ids: Vec<Digest>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct StatedConfig {
    #[serde(deserialize_with = "null_as_default")]
    user: String,
    #[serde(deserialize_with = "null_as_default")]
    env: Vec<String>,
    #[serde(deserialize_with = "words")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "words")]
    cmd: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    exposed_ports: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(deserialize_with = "null_as_default")]
    volumes: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(deserialize_with = "null_as_default")]
    working_dir: String,
    #[serde(deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_default")]
    healthcheck: Healthcheck,
}

/// Docker's extension; `["NONE"]` switches an inherited check off.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Healthcheck {
    #[serde(deserialize_with = "words")]
    test: Vec<String>,
}

/// A list of words; old builders wrote a single string.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        Many(Vec<String>),
        One(String),
    }
    Ok(match Option::<Words>::deserialize(deserializer)? {
        Some(Words::Many(words)) => words,
        Some(Words::One(word)) => vec![word],
        None => Vec::new(),
    })
}

/// Reads an image configuration.
pub fn parse_config(bytes: &[u8]) -> Result<Configuration, ImageError> {
    let stated: Stated = decode("image configuration", bytes, MAX_CONFIG_BYTES)?;
    if stated.rootfs.diff_ids.len() > MAX_LAYERS {
        return Err(ImageError::TooManyLayers(stated.rootfs.diff_ids.len()));
    }
    let config = stated.config;
    let check = config.healthcheck.test;
    Ok(Configuration {
        platform: stated.platform,
        created: stated.created,
        labels: config.labels,
        config: ImageConfig {
            user: config.user,
            env: config.env,
            entrypoint: config.entrypoint,
            cmd: config.cmd,
            exposed_ports: config.exposed_ports.into_keys().collect(),
            volumes: config.volumes.into_keys().collect(),
            working_dir: config.working_dir,
            healthcheck: check.first().is_some_and(|word| word != "NONE"),
        },
        diff_ids: stated.rootfs.diff_ids,
        history: stated.history,
    })
}

impl Configuration {
    /// How many layers lie below the last `CMD` or `ENTRYPOINT` that layers follow: that is where a base image ends, as
    /// nearly all end with one. 0 where the history does not tell.
    pub fn layers_below_last_command(&self) -> usize {
        if self.instructions().is_empty() {
            return 0;
        }
        let (mut below, mut found) = (0, 0);
        let mut pending = None;
        for entry in &self.history {
            let text = entry.created_by.trim_start_matches("/bin/sh -c #(nop)").trim_start();
            if !entry.empty_layer {
                found = pending.take().unwrap_or(found);
                below += 1;
            } else if text.starts_with("CMD ") || text.starts_with("ENTRYPOINT ") {
                pending = Some(below);
            }
        }
        found
    }

    /// The instruction of each layer, lowest first. Empty when the history does not account for exactly these layers
    /// (some builders leave the base's entries out): a guess would blame the wrong instruction.
    pub fn instructions(&self) -> Vec<&str> {
        let made: Vec<&str> = self
            .history
            .iter()
            .filter(|entry| !entry.empty_layer)
            .map(|entry| if entry.created_by.is_empty() { &entry.comment } else { &entry.created_by })
            .map(String::as_str)
            .collect();
        if made.len() == self.diff_ids.len() { made } else { Vec::new() }
    }
}
