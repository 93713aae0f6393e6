//! Which files are which package's: by the lists of package managers, else by where the evidence of a package lies.

use std::collections::HashMap;

use yagura_formats::layer::FileOwners;
use yagura_model::package::Presence;
use yagura_model::report::Target;
use yagura_model::{Ecosystem, Package};

/// Ancestors of a path that are looked at.
const MAX_DEPTH: usize = 64;

/// Files and directories, relative to the root, each with the packages they are of.
pub struct Claims {
    files: HashMap<String, Vec<usize>>,
    directories: HashMap<String, Vec<usize>>,
    /// By package, whether all its files are known.
    known: Vec<bool>,
}

impl Claims {
    pub fn of(target: &Target, owners: Option<&FileOwners>) -> Self {
        let packages = &target.inventory.packages;
        let mut claims =
            Self { files: HashMap::new(), directories: HashMap::new(), known: vec![false; packages.len()] };
        let mut by_name: HashMap<(Ecosystem, &str), Vec<usize>> = HashMap::new();
        for (at, package) in packages.iter().enumerate() {
            by_name.entry((package.ecosystem, &package.name)).or_default().push(at);
            claims.locations(at, package);
        }
        for owner in owners.into_iter().flat_map(|owners| &owners.files) {
            if let Some(of) = by_name.get(&(owner.ecosystem, owner.package.as_str())) {
                let plain = plain(&owner.path).to_owned();
                claims.files.entry(plain).or_default().extend(of);
            }
        }
        for (ecosystem, name) in owners.into_iter().flat_map(|owners| &owners.listed) {
            for at in by_name.get(&(*ecosystem, name.as_str())).into_iter().flatten() {
                if let Some(known) = claims.known.get_mut(*at) {
                    *known = true;
                }
            }
        }
        claims
    }

    /// Whether nothing of a package could be used unseen.
    pub fn knows(&self, package: usize) -> bool {
        self.known.get(package).copied().unwrap_or(false)
    }

    /// The packages that a used file is of.
    pub fn packages(&self, path: &str) -> Vec<usize> {
        let source = source_of(path);
        let mut found: Vec<usize> = Vec::new();
        for path in [Some(path), source.as_deref()].into_iter().flatten() {
            let path = plain(path);
            found.extend(self.files.get(path).into_iter().flatten());
            // The innermost directory: packages lie in one another's.
            let mut above = path;
            for _ in 0..MAX_DEPTH {
                let Some((directory, _)) = above.rsplit_once('/') else { break };
                if let Some(of) = self.directories.get(directory) {
                    found.extend(of);
                    break;
                }
                above = directory;
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn file(&mut self, path: &str, package: usize) {
        self.files.entry(plain(path).to_owned()).or_default().push(package);
    }

    fn directory(&mut self, path: &str, package: usize) {
        if !path.is_empty() {
            self.directories.entry(plain(path).to_owned()).or_default().push(package);
        }
    }

    /// What the evidence of a package says of its files.
    fn locations(&mut self, at: usize, package: &Package) {
        let mut sure = false;
        for location in &package.locations {
            let path = location.path.split_once("!/").map_or(location.path.as_str(), |(file, _)| file);
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            sure |= match package.ecosystem {
                Ecosystem::Npm if name == "package.json" => {
                    self.directory(parent, at);
                    true
                }
                // A lockfile says where npm would put it.
                Ecosystem::Npm => {
                    self.directory(&below(parent, &format!("node_modules/{}", package.name)), at);
                    false
                }
                Ecosystem::Pypi => self.python(at, package, parent),
                Ecosystem::Gem
                    if parent.ends_with("specifications") || parent.ends_with("specifications/default") =>
                {
                    let root = parent.split("/specifications").next().unwrap_or_default();
                    self.directory(&below(root, &format!("gems/{}", name.trim_end_matches(".gemspec"))), at);
                    // Default gems lie among the interpreter's own files.
                    !parent.ends_with("default")
                }
                Ecosystem::Composer => {
                    let root = match name {
                        "installed.json" => {
                            parent.trim_end_matches("composer").trim_end_matches('/').to_owned()
                        }
                        _ => below(parent, "vendor"),
                    };
                    self.directory(&below(&root, &package.name), at);
                    name == "installed.json"
                }
                Ecosystem::Bitnami if name.starts_with(".spdx-") => {
                    self.directory(parent, at);
                    true
                }
                // Programs that hold it, archives of classes.
                _ if !package.ecosystem.is_operating_system() && package.presence != Presence::Declared => {
                    self.file(path, at);
                    true
                }
                _ => false,
            };
        }
        if let Some(known) = self.known.get_mut(at) {
            *known = sure && package.presence != Presence::Declared;
        }
    }

    /// Modules beside the metadata of a distribution; their names may differ from its own.
    fn python(&mut self, at: usize, package: &Package, information: &str) -> bool {
        let installed = information.ends_with("-info");
        if !installed {
            return false;
        }
        let site = information.rsplit_once('/').map_or("", |(site, _)| site);
        let module = package.name.replace(['-', '.'], "_");
        self.directory(&below(site, &module), at);
        self.file(&below(site, &format!("{module}.py")), at);
        false
    }
}

fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

fn plain(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// The source that Python compiled: `a/__pycache__/b.cpython-311.pyc` is `a/b.py`.
pub fn source_of(path: &str) -> Option<String> {
    let (directory, compiled) = path.split_once("/__pycache__/")?;
    let module = compiled.strip_suffix(".pyc")?.split('.').next()?;
    Some(format!("{directory}/{module}.py"))
}

#[cfg(test)]
mod tests {
    use super::{Claims, source_of};
    use yagura_formats::layer::{FileOwner, FileOwners};
    use yagura_model::package::Presence;
    use yagura_model::report::{Target, TargetKind};
    use yagura_model::{Ecosystem, Inventory, Location, Package};

    fn target(packages: Vec<Package>) -> Target {
        let inventory = Inventory { packages, ..Inventory::default() };
        Target { name: "t".into(), kind: TargetKind::Image, image: None, inventory }
    }

    fn at(ecosystem: Ecosystem, name: &str, path: &str) -> Package {
        Package { locations: vec![Location::file(path)], ..Package::new(ecosystem, name, "1") }
    }

    #[test]
    fn files_lead_to_the_innermost_package() {
        let mut declared = at(Ecosystem::Npm, "later", "srv/package-lock.json");
        declared.presence = Presence::Declared;
        let target = target(vec![
            at(Ecosystem::Npm, "outer", "srv/node_modules/outer/package.json"),
            at(Ecosystem::Npm, "inner", "srv/node_modules/outer/node_modules/inner/package.json"),
            at(Ecosystem::Deb, "libssl3", "var/lib/dpkg/status"),
            at(Ecosystem::Maven, "a:b", "app/app.jar!/META-INF/maven/a/b/pom.properties"),
            at(Ecosystem::Composer, "acme/tools", "var/www/vendor/composer/installed.json"),
            declared,
        ]);
        let owners = FileOwners {
            listed: [(Ecosystem::Deb, "libssl3".to_owned())].into(),
            files: vec![FileOwner {
                path: "/usr/lib/libssl.so.3".into(),
                ecosystem: Ecosystem::Deb,
                package: "libssl3".into(),
            }],
        };
        let claims = Claims::of(&target, Some(&owners));
        for (path, expected) in [
            ("/srv/node_modules/outer/lib/a.js", &[0][..]),
            ("/srv/node_modules/outer/node_modules/inner/a.js", &[1]),
            ("/usr/lib/libssl.so.3", &[2]),
            ("/app/app.jar", &[3]),
            ("/var/www/vendor/acme/tools/src/A.php", &[4]),
            ("/srv/node_modules/later/index.js", &[5]),
            ("/usr/lib/libz.so.1", &[]),
        ] {
            assert_eq!(claims.packages(path), expected, "{path}");
        }
        let known: Vec<bool> = (0..6).map(|at| claims.knows(at)).collect();
        assert_eq!(known, [true, true, true, true, true, false]);
        let without = Claims::of(&target, None);
        assert!(!without.knows(2), "a package whose files nobody listed may be used unseen");
    }

    #[test]
    fn compiled_modules_lead_to_their_source() {
        assert_eq!(source_of("/a/__pycache__/b.cpython-311.opt-1.pyc").as_deref(), Some("/a/b.py"));
        assert_eq!(source_of("/a/b.py"), None);
    }
}
