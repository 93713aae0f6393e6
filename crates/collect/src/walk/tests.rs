use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[derive(Default)]
struct Contents(BTreeMap<String, String>);

impl Visitor for Contents {
    type Outcome = BTreeMap<String, String>;

    fn finish(self) -> Self::Outcome {
        self.0
    }

    fn visit(&mut self, entry: &Entry<'_>) {
        let path = String::from_utf8_lossy(entry.path).into_owned();
        let text = match entry.kind {
            EntryKind::File => {
                let mut text = String::new();
                match entry.open() {
                    Ok(mut file) => file.read_to_string(&mut text).map(|_| ()).unwrap(),
                    Err(error) => text = error.kind().to_string(),
                }
                text
            }
            EntryKind::Directory => "directory".to_owned(),
            EntryKind::Symlink => format!("-> {}", String::from_utf8_lossy(&entry.link_target().unwrap())),
            EntryKind::Special => {
                assert!(entry.open().is_err());
                "special".to_owned()
            }
        };
        assert!(self.0.insert(path, text).is_none());
    }
}

fn contents(root: &Path, options: &WalkOptions) -> (BTreeMap<String, String>, Vec<Skipped>) {
    let walked = walk(root, options, Contents::default).unwrap();
    let mut all = BTreeMap::new();
    for found in walked.outcomes {
        all.extend(found);
    }
    assert_eq!(walked.entries, all.len() as u64);
    (all, walked.skipped)
}

#[test]
fn a_tree_is_listed_and_links_are_not_followed() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root");
    std::fs::create_dir_all(root.join("etc/deep/er")).unwrap();
    std::fs::create_dir_all(root.join("proc/1")).unwrap();
    std::fs::write(scratch.path().join("secret"), "outside").unwrap();
    std::fs::write(root.join("etc/deep/er/file"), "inside").unwrap();
    std::fs::write(root.join("proc/1/status"), "a plain file in a directory called proc").unwrap();
    symlink("../secret", root.join("leak")).unwrap();
    symlink("..", root.join("etc/up")).unwrap();
    symlink("/etc", root.join("etc/system")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.join("etc/pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();

    for threads in [1, 3] {
        let options = WalkOptions { threads, ..WalkOptions::default() };
        let (found, skipped) = contents(&root, &options);
        let expected = [
            ("etc", "directory"),
            ("etc/deep", "directory"),
            ("etc/deep/er", "directory"),
            ("etc/deep/er/file", "inside"),
            ("etc/pipe", "special"),
            ("etc/system", "-> /etc"),
            ("etc/up", "-> .."),
            ("leak", "-> ../secret"),
            ("proc", "directory"),
            ("proc/1", "directory"),
            ("proc/1/status", "a plain file in a directory called proc"),
        ];
        assert_eq!(found, expected.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect());
        assert!(skipped.is_empty(), "{skipped:?}");
    }

    let exclude = vec![Pattern::new("deep"), Pattern::new("/etc/s*")];
    let (found, _) = contents(&root, &WalkOptions { exclude, ..WalkOptions::default() });
    assert!(!found.keys().any(|path| path.contains("deep") || path.contains("system")), "{found:?}");
    assert!(found.contains_key("etc/up"));
}

/// Takes files away and puts a link in the place of a directory while the walk goes on.
struct Saboteur<'a>(&'a Path);

impl Visitor for Saboteur<'_> {
    type Outcome = ();

    fn finish(self) {}

    fn visit(&mut self, entry: &Entry<'_>) {
        let path = self.0.join(String::from_utf8_lossy(entry.path).as_ref());
        match entry.kind {
            EntryKind::File => {
                std::fs::remove_file(path).unwrap();
                assert_eq!(entry.open().unwrap_err().kind(), io::ErrorKind::NotFound);
            }
            EntryKind::Directory => {
                std::fs::remove_dir_all(&path).unwrap();
                symlink("/etc", path).unwrap();
            }
            EntryKind::Symlink | EntryKind::Special => {}
        }
        assert!(!entry.path.starts_with(b"trap/"), "went through a link");
    }
}

#[test]
fn a_tree_that_changes_underfoot_leads_nowhere() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("trap")).unwrap();
    std::fs::write(scratch.path().join("trap/a"), "").unwrap();
    std::fs::write(scratch.path().join("gone"), "").unwrap();
    let walked = walk(scratch.path(), &WalkOptions::default(), || Saboteur(scratch.path())).unwrap();
    assert_eq!(walked.skipped.len(), 1, "{:?}", walked.skipped);
    assert_eq!(walked.skipped[0].reason, SkipReason::UnsafePath);
}

#[test]
fn depth_is_bounded_and_reported() {
    let scratch = tempfile::tempdir().unwrap();
    let mut current = rustix::fs::open(scratch.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..400 {
        rustix::fs::mkdirat(&current, "d", Mode::RWXU).unwrap();
        current = rustix::fs::openat(&current, "d", OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let (found, skipped) = contents(scratch.path(), &WalkOptions::default());
    assert_eq!(found.len(), MAX_DEPTH + 1);
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].reason, SkipReason::TooDeep);
}

#[test]
fn what_may_not_be_read_is_reported() {
    if rustix::process::geteuid().is_root() {
        // Nothing is unreadable to root; the path is the same as for any other error.
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("locked")).unwrap();
    std::fs::set_permissions(scratch.path().join("locked"), std::fs::Permissions::from_mode(0o0)).unwrap();
    let (_, skipped) = contents(scratch.path(), &WalkOptions::default());
    assert_eq!(skipped[0].reason, SkipReason::Unreadable);
}

#[test]
fn pseudo_file_systems_of_this_machine_are_not_entered() {
    struct Names(Vec<Vec<u8>>);
    impl Visitor for Names {
        type Outcome = Vec<Vec<u8>>;

        fn finish(self) -> Self::Outcome {
            self.0
        }

        fn visit(&mut self, entry: &Entry<'_>) {
            if entry.path.starts_with(b"proc/") || entry.path.starts_with(b"sys/") {
                self.0.push(entry.path.to_vec());
            }
        }
    }
    if !Path::new("/proc/self").exists() {
        return;
    }
    // All else is left out so that the test stays quick.
    let exclude = std::fs::read_dir("/")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| !matches!(name.as_str(), "proc" | "sys" | "dev"))
        .map(|name| Pattern::new(&format!("/{name}")))
        .collect();
    let walked =
        walk(Path::new("/"), &WalkOptions { exclude, ..WalkOptions::default() }, || Names(Vec::new()))
            .unwrap();
    assert!(walked.outcomes.iter().all(Vec::is_empty));
    assert!(walked.entries < 20, "{}", walked.entries);
}

#[test]
fn a_tree_goes_through_the_scanner() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    std::fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(
        root.join("var/lib/dpkg/status"),
        "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0-1\n\n",
    )
    .unwrap();
    std::fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
    let options = yagura_formats::layer::ScanOptions::default();
    for threads in [1, 2] {
        let facts = scan_tree(root, &WalkOptions { threads, ..WalkOptions::default() }, &options).unwrap();
        assert_eq!(facts.counts.files, 2);
        let packages: Vec<_> = facts.evidence.iter().flat_map(|evidence| &evidence.facts.packages).collect();
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].name, "a");
        let system = facts.evidence.iter().find_map(|evidence| evidence.facts.system.as_ref()).unwrap();
        assert_eq!(system.id, "debian");
    }
}
