//! Policies in Rego: the files of a pack, found and read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use yagura_formats::document;
use yagura_rego::{Pack, PolicyFile};

/// Largest file of data, and largest file beside policies that their tests may parse, in bytes.
const MAX_DATA_BYTES: u64 = 16 << 20;

/// Everything in Rego below some directories (or files), with the data that lies there: `data.json` and `data.yaml` at
/// the place of their directory, as in a bundle of OPA. None where there is no Rego.
pub fn load(directories: &[PathBuf], data: &[PathBuf]) -> Result<Option<Pack>> {
    let (policies, bundled) = read(directories, data)?;
    if policies.is_empty() {
        if let Some(path) = data.first() {
            bail!("--policy-data {} is for policies in Rego, and --policy has none", path.display());
        }
        return Ok(None);
    }
    Ok(Some(Pack::load(&policies, &bundled, BTreeMap::new())?))
}

/// The same for tests, which may parse other files that lie there.
pub fn load_for_tests(directories: &[PathBuf], data: &[PathBuf]) -> Result<Option<Pack>> {
    let (policies, bundled) = read(directories, data)?;
    if policies.is_empty() {
        return Ok(None);
    }
    let mut beside = BTreeMap::new();
    for directory in directories {
        let mut paths = Vec::new();
        super::collect(
            directory,
            &mut |path| yagura_rego::input::wants(&path.to_string_lossy()),
            0,
            &mut paths,
        )?;
        for path in paths {
            // What no test asks for is not missed.
            if let Ok(file) = text(&path, MAX_DATA_BYTES) {
                beside.insert(normal(&file.path), file.text);
            }
        }
    }
    Ok(Some(Pack::load(&policies, &bundled, beside)?))
}

/// A path without what leads nowhere, as tests' paths are written.
fn normal(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}

type Data = Vec<(Vec<String>, PolicyFile)>;

fn read(directories: &[PathBuf], data: &[PathBuf]) -> Result<(Vec<PolicyFile>, Data)> {
    let mut policies = Vec::new();
    let mut documents = Vec::new();
    for directory in directories {
        let mut paths = Vec::new();
        super::collect(directory, &mut |path| ending(path) == "rego" || is_bundled(path), 0, &mut paths)?;
        paths.sort();
        for path in paths {
            if ending(&path) == "rego" {
                policies.push(text(&path, yagura_rego::MAX_MODULE_BYTES as u64)?);
            } else {
                let below = path.parent().and_then(|parent| parent.strip_prefix(directory).ok());
                let at = below.into_iter().flat_map(Path::components);
                let at = at.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
                documents.push((at, text(&path, MAX_DATA_BYTES)?));
            }
        }
    }
    // Where nothing is Rego, data are somebody else's.
    if policies.is_empty() {
        return Ok((policies, Vec::new()));
    }
    for path in data {
        let mut paths = Vec::new();
        super::collect(path, &mut |path| matches!(ending(path), "json" | "yaml" | "yml"), 0, &mut paths)
            .context("--policy-data")?;
        paths.sort();
        for path in paths {
            documents.push((Vec::new(), text(&path, MAX_DATA_BYTES).context("--policy-data")?));
        }
    }
    Ok((policies, documents))
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

fn is_bundled(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| ["data.json", "data.yaml", "data.yml"].iter().any(|known| name == *known))
}

fn text(path: &Path, bound: u64) -> Result<PolicyFile> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| name.clone())?;
    file.take(bound + 1).read_to_end(&mut bytes).with_context(|| name.clone())?;
    if bytes.len() as u64 > bound {
        bail!("{name}: larger than {} KiB", bound >> 10);
    }
    Ok(PolicyFile { text: document::decode(&bytes).into_owned(), path: name })
}
