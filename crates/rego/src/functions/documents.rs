//! `parse_config` and its kin: configuration parsed within a policy's tests.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use regorus::Value;

use super::text;
use crate::check::Shape;
use crate::input;

/// Files beside policies that tests may parse, by path.
#[derive(Debug, Default)]
pub struct Files {
    pub by_path: BTreeMap<String, String>,
    /// The directory of the test that runs.
    pub directory: String,
}

/// The names of conftest's parsers as file names that mean the same to us.
fn file_name(parser: &str) -> Option<&'static str> {
    Some(match parser {
        "dockerfile" => "Dockerfile",
        "yaml" => "a.yaml",
        "json" => "a.json",
        "toml" => "a.toml",
        "hcl2" | "hcl1" => "a.tf",
        "dotenv" => ".env",
        "ini" => "a.ini",
        "properties" => "a.properties",
        _ => return None,
    })
}

pub fn parse_config(arguments: &[Value]) -> Result<Value> {
    let parser = text(arguments, 0, "parse_config")?;
    let Some(name) = file_name(parser) else { bail!("parse_config: there is no parser for `{parser}`") };
    parse(name, text(arguments, 1, "parse_config")?)
}

/// One value where a file holds one document, a list where it holds several.
fn parse(path: &str, content: &str) -> Result<Value> {
    let read = input::read(path, content);
    if let Some(problem) = read.problems().first() {
        bail!("{path}: {}", problem.detail);
    }
    let mut documents: Vec<Value> = read.whole(Shape::Plain);
    Ok(if documents.len() == 1 { documents.swap_remove(0) } else { Value::from(documents) })
}

/// `yaml.unmarshal`, and `yaml.is_valid`.
pub fn yaml(arguments: &[Value]) -> Result<Value> {
    parse("a.yaml", text(arguments, 0, "yaml.unmarshal")?)
}

pub fn is_yaml(arguments: &[Value]) -> Result<Value> {
    Ok(Value::from(parse("a.yaml", text(arguments, 0, "yaml.is_valid")?).is_ok()))
}

/// `yaml.marshal`: JSON, which is YAML.
pub fn to_yaml(arguments: &[Value]) -> Result<Value> {
    let Some(value) = arguments.first() else { bail!("yaml.marshal takes a value") };
    Ok(Value::from(format!("{}\n", value.to_json_str()?)))
}

impl Files {
    fn file(&self, path: &str) -> Result<(String, &str)> {
        let mut parts: Vec<&str> = Vec::new();
        let joined = format!("{}/{path}", self.directory);
        for part in joined.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_some() => {}
                ".." => bail!("{path} lies outside of the policies' directory"),
                part => parts.push(part),
            }
        }
        let absolute = joined.starts_with('/');
        let whole = format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"));
        match self.by_path.get(&whole) {
            Some(content) => Ok((whole, content)),
            None => bail!("{whole} is not among the files below the policies' directory"),
        }
    }

    pub fn parse_one(&self, arguments: &[Value]) -> Result<Value> {
        let (path, content) = self.file(text(arguments, 0, "parse_config_file")?)?;
        parse(&path, content)
    }

    pub fn parse_many(&self, arguments: &[Value]) -> Result<Value> {
        let Some(Value::Array(paths)) = arguments.first() else {
            bail!("parse_combined_config_files takes a list of paths")
        };
        let mut combined = Vec::new();
        for path in paths.iter() {
            let (path, content) = self.file(path.as_string()?)?;
            for document in input::read(&path, content).whole(Shape::Plain) {
                let mut one = Value::new_object();
                one.as_object_mut()?.insert(Value::from("path"), Value::from(path.as_str()));
                one.as_object_mut()?.insert(Value::from("contents"), document);
                combined.push(one);
            }
        }
        Ok(Value::from(combined))
    }
}
