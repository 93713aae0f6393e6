//! Frameworks: which controls exist, in our own words.

use std::collections::BTreeMap;

use yagura_formats::document::{Value, yaml};

use super::text::{Fields, InvalidRule, Mistake, Read, Words, text, words};

/// A set of controls that somebody is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    /// The file's name without its ending.
    pub name: String,
    pub title: Words,
    pub version: String,
    pub source: String,
    /// By id.
    pub controls: BTreeMap<String, Words>,
}

impl Framework {
    /// Reads a framework file; the first mistake refuses it.
    pub fn read(path: &str, file: &str) -> Result<Self, InvalidRule> {
        read(path, file).map_err(|mistake| mistake.in_file(path))
    }
}

fn read(path: &str, file: &str) -> Read<Framework> {
    let tree = yaml::parse(file);
    if let Some(problem) = tree.problems.first() {
        return Err(Mistake { line: problem.line, column: 1, message: problem.detail.clone() });
    }
    let [root] = tree.documents.as_slice() else {
        return Err(Mistake {
            line: 1,
            column: 1,
            message: "a framework file holds one framework".to_owned(),
        });
    };
    let fields = Fields::of(root, "a framework", &["title", "version", "source", "controls"])?;
    let controls = fields.need("controls")?;
    if !matches!(controls.value, Value::Mapping(_)) {
        return Err(Mistake::at(controls, "`controls` is a mapping of ids to titles"));
    }
    let mut by_id = BTreeMap::new();
    for entry in controls.entries() {
        let id = text(&entry.key, "a control's id")?;
        if by_id.insert(id, words(&entry.value, "a control's title")?).is_some() {
            return Err(Mistake::at(&entry.key, "this control is given twice"));
        }
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(Framework {
        name: name.rsplit_once('.').map_or(name, |(name, _)| name).to_owned(),
        title: words(fields.need("title")?, "`title`")?,
        version: text(fields.need("version")?, "`version`")?,
        source: text(fields.need("source")?, "`source`")?,
        controls: by_id,
    })
}
