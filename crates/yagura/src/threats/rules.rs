//! Rule files from disk or from the program itself, loaded in order.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;
use yagura_events::cloudtrail::CloudTrail;
use yagura_events::fields::Syscall;
use yagura_events::kubernetes_audit::KubernetesAudit;
use yagura_language::falco::rules::{AppendOutput, LoadResult, Loader, Options, Plugin, RuleSet, Version};
use yagura_model::field::{ArgumentRule, FieldCatalogue};
use yagura_report::terminal::escape;

use crate::arguments::threats::{ListFormat, ThreatRules};
use crate::progress::complain;

/// The rules that the program carries, where a file is asked for.
const CARRIED: &str = "default";
/// Largest rule file that is read.
const MAX_FILE: u64 = 64 << 20;

/// What is built in, under the names and versions of Falco's plugins that give the same fields.
const PLUGINS: &[(&str, Version)] = &[
    ("container", Version { major: 0, minor: 6, patch: 0 }),
    ("k8saudit", Version { major: 0, minor: 18, patch: 0 }),
    ("k8saudit-aks", Version { major: 0, minor: 6, patch: 0 }),
    ("k8saudit-eks", Version { major: 0, minor: 12, patch: 0 }),
    ("k8saudit-gke", Version { major: 0, minor: 9, patch: 0 }),
    ("k8saudit-ovh", Version { major: 0, minor: 6, patch: 0 }),
    ("cloudtrail", Version { major: 0, minor: 17, patch: 1 }),
    ("json", Version { major: 0, minor: 7, patch: 4 }),
];

/// Every source of events that there is.
pub fn sources() -> [&'static dyn FieldCatalogue; 3] {
    [&Syscall, &KubernetesAudit, &CloudTrail]
}

/// A rule file: its name and its bytes, or why it cannot be read.
type RuleFile = (String, Result<Vec<u8>, String>);

fn files(paths: &[PathBuf]) -> Result<Vec<RuleFile>> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == CARRIED {
            let carried = yagura_rules::family("threats").iter();
            let rules = carried.filter(|file| is_rule_file(Path::new(file.path)) && !file.path.contains('/'));
            files.extend(rules.map(|file| (file.path.to_owned(), Ok(file.text.as_bytes().to_vec()))));
        } else if path.is_dir() {
            let entries = fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?;
            let mut within: Vec<PathBuf> = entries
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<_>>()
                .with_context(|| format!("reading {}", path.display()))?;
            within.retain(|path| path.is_file() && is_rule_file(path));
            within.sort();
            if within.is_empty() {
                bail!("{} holds no rule file (.yaml, .yml)", path.display());
            }
            files.extend(within.iter().map(|path| read(path)));
        } else {
            files.push(read(path));
        }
    }
    Ok(files)
}

fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read(path: &Path) -> RuleFile {
    let bytes = fs::metadata(path).map_err(|error| error.to_string()).and_then(|metadata| {
        if metadata.len() > MAX_FILE {
            return Err(format!("larger than {MAX_FILE} bytes"));
        }
        fs::read(path).map_err(|error| error.to_string())
    });
    (path.display().to_string(), bytes)
}

/// Loads files one after another and tells what came of each.
pub fn results(paths: &[PathBuf], append_output: Vec<AppendOutput>) -> Result<(Vec<LoadResult>, RuleSet)> {
    let default = [PathBuf::from(CARRIED)];
    let files = files(if paths.is_empty() { &default } else { paths })?;
    let plugins = PLUGINS.iter().map(|(name, version)| Plugin { name, version: *version }).collect();
    let options = Options { plugins, append_output };
    let sources = sources();
    let mut loader = Loader::new(&sources, &options);
    let results = files.iter().map(|(name, bytes)| match bytes {
        Ok(bytes) => loader.load(name, bytes),
        Err(reason) => LoadResult::unreadable(name, reason),
    });
    let results = results.collect();
    Ok((results, loader.finish()))
}

/// The rules that judge; an error with Falco's code when a file does not load.
pub fn load(arguments: &ThreatRules) -> Result<RuleSet> {
    let mut append = Vec::new();
    if !arguments.no_suggested_output {
        append.push(AppendOutput::suggested());
    }
    let texts = arguments.append_output.iter();
    append.extend(
        texts.map(|text| AppendOutput { text: Some(text.trim().to_owned()), ..AppendOutput::default() }),
    );
    let (results, rules) = results(&arguments.rules, append)?;
    report_failures(&results)?;
    Ok(rules)
}

/// Complains of every file that did not load.
pub fn report_failures(results: &[LoadResult]) -> Result<()> {
    let failed: Vec<&LoadResult> = results.iter().filter(|result| !result.is_successful()).collect();
    let Some(first) = failed.first() else { return Ok(()) };
    for result in &failed {
        complain(result.details().trim_end());
    }
    let code = first.errors.first().map_or("", |error| error.code.code());
    bail!("{code}: {} did not load; `yagura rules check` says more", first.name)
}

/// The fields of every source, or of one.
pub fn print_fields(source: Option<&str>, format: ListFormat) -> Result<()> {
    let chosen: Vec<_> = sources()
        .into_iter()
        .filter(|catalogue| source.is_none_or(|source| source == catalogue.source()))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = sources().into_iter().map(|catalogue| catalogue.source()).collect();
        bail!("no source is called so; there are {}", names.join(", "));
    }
    let mut text = String::new();
    match format {
        ListFormat::Json => {
            let classes: Vec<_> = chosen
                .iter()
                .map(|catalogue| {
                    let fields: Vec<_> = catalogue.describe().iter().map(|field| {
                        let argument = match field.argument {
                            ArgumentRule::None => serde_json::Value::Null,
                            rule => json!({
                                "required": matches!(rule, ArgumentRule::RequiredIndex | ArgumentRule::RequiredKey),
                                "type": [match rule {
                                    ArgumentRule::OptionalIndex | ArgumentRule::RequiredIndex => "INDEX",
                                    _ => "KEY",
                                }],
                            }),
                        };
                        json!({
                            "name": field.name,
                            "type": field.kind.name(),
                            "desc": field.description,
                            "is_list": field.list,
                            "argument": argument,
                        })
                    }).collect();
                    json!({ "name": catalogue.source(), "event_sources": [catalogue.source()], "fields": fields })
                })
                .collect();
            text = format!("{:#}\n", json!({ "fieldclasses": classes }));
        }
        ListFormat::Text => {
            for catalogue in chosen {
                let _ = writeln!(text, "Fields of {}:", catalogue.source());
                for field in catalogue.describe() {
                    let argument = match field.argument {
                        ArgumentRule::None => "",
                        ArgumentRule::OptionalIndex => "[N]?",
                        ArgumentRule::RequiredIndex => "[N]",
                        ArgumentRule::OptionalKey => "[KEY]?",
                        ArgumentRule::RequiredKey => "[KEY]",
                    };
                    let name = format!("{}{argument}", field.name);
                    let kind = field.kind.name();
                    let kind = if field.list { format!("LIST({kind})") } else { kind.to_owned() };
                    let _ = writeln!(text, "  {name:46} {kind:14} {}", escape(field.description));
                }
                text.push('\n');
            }
        }
    }
    crate::output::print(&text)
}
