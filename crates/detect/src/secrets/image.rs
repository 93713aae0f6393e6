//! What an image is configured with: environment, labels, commands, and the instructions that built it.

use yagura_model::Observation;
use yagura_model::image::Image;

use super::Secrets;
use super::engine::{self, FileTraits};
use super::scan::File;

/// Where a secret of the configuration is said to be; no file of an image has such a name.
const PATH: &str = "(image configuration)";
/// Longest value that is looked at.
const MAX_TEXT: usize = 1 << 20;

impl Secrets {
    /// Looks into the configuration of an image and takes the secrets out of it, so that no report repeats them.
    pub fn search_image(&self, image: &mut Image) -> Vec<Observation> {
        let mut observations = Vec::new();
        let mut look = |text: &mut String, what: &str, layer: Option<&yagura_model::Digest>| {
            for mut seen in self.redact(text) {
                seen.location.path = format!("{PATH} {what}");
                seen.location.layer = layer.cloned();
                (seen.location.start_line, seen.location.end_line) = (None, None);
                observations.push(seen);
            }
        };
        for variable in &mut image.config.env {
            let name = variable.split('=').next().unwrap_or_default().to_owned();
            look(variable, &format!("environment variable {name}"), None);
        }
        for (name, value) in &mut image.labels {
            let mut text = format!("{name}={value}");
            look(&mut text, &format!("label {name}"), None);
            if let Some(value_now) = text.strip_prefix(&format!("{name}=")) {
                value_now.clone_into(value);
            }
        }
        for word in image.config.entrypoint.iter_mut().chain(&mut image.config.cmd) {
            look(word, "command", None);
        }
        for (index, layer) in image.layers.iter_mut().enumerate() {
            let digest = layer.diff_id.clone();
            look(&mut layer.created_by, &format!("instruction of layer {}", index + 1), Some(&digest));
        }
        observations
    }

    /// Searches a text and writes stars over the secrets.
    fn redact(&self, text: &mut String) -> Vec<Observation> {
        if text.len() > MAX_TEXT {
            return Vec::new();
        }
        let path = ".env";
        let observed = File::search_whole(self, path, text.as_bytes()).observations;
        if observed.is_empty() {
            return observed;
        }
        let rules = &self.rules;
        let traits = FileTraits::of(path);
        let found =
            engine::search(&rules.rules, &rules.text, &traits, text.as_bytes(), 0..text.len(), &mut 0);
        let mut bytes = std::mem::take(text).into_bytes();
        for found in found.iter().rev() {
            let end = found.secret.end.max(found.whole.end);
            bytes.splice(found.secret.start.min(bytes.len())..end.min(bytes.len()), *b"****");
        }
        *text = String::from_utf8_lossy(&bytes).into_owned();
        let mut observed = observed;
        for seen in &mut observed {
            super::NAME.clone_into(&mut seen.analyser);
        }
        observed
    }
}
