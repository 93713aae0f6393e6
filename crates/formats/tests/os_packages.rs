//! Package databases made by the real package managers, and what they list themselves.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::{have, lines, ownership, packages, run, scan};
use yagura_formats::layer::{LayerFacts, PathKey};
use yagura_model::Package;

/// `NAME VERSION ARCHITECTURE`, sorted.
fn listed<'a>(packages: impl Iterator<Item = &'a Package>) -> Vec<String> {
    let mut all: Vec<String> =
        packages.map(|p| format!("{} {} {}", p.name, p.version, p.architecture)).collect();
    all.sort();
    all
}

fn sources<'a>(packages: impl Iterator<Item = &'a Package>) -> Vec<String> {
    let mut all: Vec<String> = packages
        .filter_map(|p| p.source.as_ref().map(|s| format!("{} {} {}", p.name, s.name, s.version)))
        .collect();
    all.sort();
    all
}

fn nothing_skipped(facts: &LayerFacts) {
    assert_eq!(facts.skipped, []);
}

/// A package of one file, made and installed into `root`; the control file as given.
fn install_deb(work: &Path, root: &Path, name: &str, control: &str) {
    let tree = work.join(name);
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    fs::create_dir_all(tree.join("usr/bin")).unwrap();
    fs::create_dir_all(tree.join("etc")).unwrap();
    fs::create_dir_all(tree.join("usr/share/doc").join(name)).unwrap();
    fs::write(tree.join("usr/bin").join(name), "program").unwrap();
    fs::write(tree.join("etc").join(format!("{name}.conf")), "setting").unwrap();
    fs::write(tree.join("DEBIAN/conffiles"), format!("/etc/{name}.conf\n")).unwrap();
    let copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
                     Files: *\nCopyright: 2024 A\nLicense: LGPL-2.1+ and Expat\n";
    fs::write(tree.join("usr/share/doc").join(name).join("copyright"), copyright).unwrap();
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let deb = work.join(format!("{name}.deb"));
    run(Command::new("dpkg-deb").args(["--root-owner-group", "-Znone", "-b"]).arg(&tree).arg(&deb));
    run(dpkg(root).arg("--force-all").arg("-i").arg(&deb));
}

fn dpkg(root: &Path) -> Command {
    let mut command = Command::new("dpkg");
    command.arg("--root").arg(root).arg("--force-not-root").arg("--log=/dev/null");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[test]
fn dpkg_lists_what_we_list() {
    if !have("dpkg_lists_what_we_list", &["dpkg", "dpkg-deb", "dpkg-query"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let control = |name: &str, version: &str, more: &str| {
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\n{more}\
             Description: a package\n of the test\n"
        )
    };
    for (name, version, more) in [
        ("plain", "1.0-1", ""),
        ("with-epoch", "1:2.0~rc1+dfsg-3", "Source: origin\nProvides: virtual (= 2), other\n"),
        ("rebuilt", "5.2-2+b2", "Source: rebuilt (5.2-2)\nDepends: plain (>= 1) | virtual, missing\n"),
        ("removed", "1.0", ""),
        ("purged", "1.0", ""),
    ] {
        install_deb(work.path(), &root, name, &control(name, version, more));
    }
    run(dpkg(&root).args(["--force-all", "-r", "removed"]));
    run(dpkg(&root).args(["--force-all", "-P", "purged"]));
    // The desired state alone says nothing of what is there.
    let mut selections = dpkg(&root);
    selections.args(["--force-all", "--unpack"]).arg(work.path().join("plain.deb"));
    run(&mut selections);

    let facts = scan(&root);
    nothing_skipped(&facts);
    let query = |format: &str| {
        let mut command = Command::new("dpkg-query");
        command.arg("--admindir").arg(root.join("var/lib/dpkg"));
        lines(command.arg("-W").arg(format!("-f={format}")))
    };
    let present = |line: &&String| !line.ends_with(" config-files") && !line.ends_with(" not-installed");
    let cut = |line: &String| line.rsplit_once(' ').map(|(rest, _)| rest.to_owned()).unwrap();
    let theirs = query("${Package} ${Version} ${Architecture} ${db:Status-Status}\\n");
    assert!(theirs.iter().any(|line| line.ends_with("config-files")), "{theirs:?}");
    assert!(theirs.iter().any(|line| line.ends_with("unpacked")), "{theirs:?}");
    assert_eq!(listed(packages(&facts, "dpkg")), theirs.iter().filter(present).map(cut).collect::<Vec<_>>());
    let theirs = query("${Package} ${source:Package} ${source:Version} ${db:Status-Status}\\n");
    assert_eq!(sources(packages(&facts, "dpkg")), theirs.iter().filter(present).map(cut).collect::<Vec<_>>());
    let files = ownership(&facts, "dpkg-files").find(|o| o.package == "with-epoch").unwrap();
    assert!(files.files.contains(&PathKey::of(b"usr/bin/with-epoch")));
    let licenses = facts.evidence.iter().flat_map(|e| &e.facts.licenses).find(|l| l.package == "rebuilt");
    assert_eq!(licenses.unwrap().licenses, ["LGPL-2.1-or-later AND MIT"]);
}

#[test]
fn the_machines_own_dpkg_database() {
    let status = Path::new("/var/lib/dpkg/status");
    if !have("the_machines_own_dpkg_database", &["dpkg-query"]) || !status.exists() {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let admin = work.path().join("var/lib/dpkg");
    fs::create_dir_all(&admin).unwrap();
    fs::copy(status, admin.join("status")).unwrap();
    let facts = scan(work.path());
    nothing_skipped(&facts);
    let mut query = Command::new("dpkg-query");
    query.arg("--admindir").arg(&admin).arg("-W");
    let theirs = lines(query.arg("-f=${Package} ${Version} ${Architecture} ${db:Status-Status}\\n"));
    let theirs: Vec<String> = theirs
        .iter()
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(_, state)| !matches!(*state, "config-files" | "not-installed"))
        .map(|(rest, _)| rest.to_owned())
        .collect();
    assert_eq!(listed(packages(&facts, "dpkg")), theirs);
}

/// One spec with `count` binary packages of some files each.
fn spec(count: usize) -> String {
    let mut spec = String::from(
        "Name: main\nEpoch: 1\nVersion: 2.5\nRelease: 7.el9\nSummary: main\nLicense: GPLv2+ and (MIT or ASL 2.0)\n\
         Vendor: Example\nBuildArch: noarch\nProvides: capability = 3\nRequires: main-sub1\n%description\nmain\n",
    );
    let mut install = String::from(
        "%install\nmkdir -p %{buildroot}/usr/share/main\ntouch %{buildroot}/usr/share/main/own\n",
    );
    let mut files = String::from("%files\n/usr/share/main/own\n");
    for number in 1..=count {
        let epoch = number % 3;
        let label = if number % 5 == 0 { "ModularityLabel: m:1:2:c\n" } else { "" };
        write!(
            spec,
            "%package sub{number}\nSummary: s\nEpoch: {epoch}\nVersion: {number}.0\nLicense: MIT\n{label}\
             %description sub{number}\ns\n"
        )
        .unwrap();
        writeln!(
            install,
            "mkdir -p %{{buildroot}}/usr/lib/sub{number}\ncd %{{buildroot}}/usr/lib/sub{number}\nseq -f file%g 1 {} | xargs touch",
            number * 4
        )
        .unwrap();
        write!(files, "%files sub{number}\n/usr/lib/sub{number}\n").unwrap();
    }
    spec + &install + &files
}

fn rpm(root: &Path) -> Command {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(["--dbpath", "/var/lib/rpm"]);
    command
}

#[test]
fn rpm_lists_what_we_list() {
    const COUNT: usize = 60;
    if !have("rpm_lists_what_we_list", &["rpm", "rpmbuild"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    fs::create_dir_all(&root).unwrap();
    let spec_file = work.path().join("main.spec");
    fs::write(&spec_file, spec(COUNT)).unwrap();
    run(Command::new("rpmbuild")
        .args(["-bb", "--nodeps", "--define", "_binary_payload w0.gzdio", "--define"])
        .arg(format!("_topdir {}", work.path().join("top").display()))
        .arg(&spec_file));
    let built = fs::read_dir(work.path().join("top/RPMS/noarch")).unwrap().map(|entry| entry.unwrap().path());
    run(rpm(&root).args(["--nodeps", "--justdb", "--force-debian", "-i"]).args(built));
    run(rpm(&root).args(["--nodeps", "--justdb", "--force-debian", "-e", "main-sub7"]));

    let facts = scan(&root);
    nothing_skipped(&facts);
    let found = || facts.evidence.iter().filter(|e| e.cataloguer.starts_with("rpm-"));
    let ours = || found().flat_map(|e| &e.facts.packages);
    let query = |format: &str| lines(rpm(&root).args(["-qa", "--qf", format]));
    let theirs = query("%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\\n");
    assert_eq!(theirs.len(), COUNT);
    let theirs: Vec<String> = theirs.iter().map(|line| line.replacen(" 0:", " ", 1)).collect();
    assert_eq!(listed(ours()), theirs);
    let mut modules: Vec<String> = ours().map(|p| format!("{} {}", p.name, p.module)).collect();
    modules.sort();
    assert_eq!(modules, query("%{NAME} %|MODULARITYLABEL?{%{MODULARITYLABEL}}|\\n"));
    let mut digests: Vec<String> = ours().map(|p| format!("{} {}", p.name, p.digests[0].hex())).collect();
    digests.sort();
    assert_eq!(digests, query("%{NAME} %{SIGMD5}\\n"));
    let owned: Vec<_> = found().flat_map(|e| &e.facts.ownership).collect();
    for name in ["main", "main-sub1", "main-sub60"] {
        let theirs = lines(rpm(&root).args(["-ql", name]));
        let ours = owned.iter().find(|o| o.package == name).unwrap();
        assert_eq!(ours.files.len(), theirs.len());
        assert!(theirs.iter().all(|path| ours.files.contains(&PathKey::of(path.as_bytes()))));
    }
    let main = ours().find(|p| p.name == "main").unwrap();
    assert_eq!(main.licenses, ["GPL-2.0-or-later AND (MIT OR Apache-2.0)"]);
    assert_eq!(main.supplier, "Example");
    let source = main.source.as_ref().unwrap();
    assert_eq!((source.name.as_str(), source.version.as_str()), ("main", "1:2.5-7.el9"));
    assert!(main.provides.iter().any(|name| name == "capability"));
    assert!(main.dependencies.iter().any(|dependency| dependency.name == "main-sub1"));
}

#[test]
fn pacman_lists_what_we_list() {
    if !have("pacman_lists_what_we_list", &["pacman", "tar"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    fs::create_dir_all(root.join("var/lib/pacman")).unwrap();
    let config = work.path().join("pacman.conf");
    fs::write(&config, "[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n")
        .unwrap();
    for (name, version, more) in [
        ("plain", "1.0-1", "license = MIT\n"),
        (
            "based",
            "2:3.1.r5-2",
            "license = GPL2\nlicense = custom:x\nprovides = libx.so=1-64\ndepend = plain>=1\n",
        ),
    ] {
        let tree = work.path().join(name);
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin").join(name), "program").unwrap();
        fs::write(
            tree.join(".PKGINFO"),
            format!("pkgname = {name}\npkgbase = base-of-{name}\npkgver = {version}\npkgdesc = d\narch = any\nsize = 7\npackager = A <a@example.org>\n{more}"),
        )
        .unwrap();
        let archive = work.path().join(format!("{name}.pkg.tar.gz"));
        run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&tree).args([".PKGINFO", "usr"]));
        run(pacman(&root, &config).args(["--noconfirm", "--noscriptlet", "-U"]).arg(&archive));
    }
    let facts = scan(&root);
    nothing_skipped(&facts);
    let mut ours: Vec<String> =
        packages(&facts, "pacman").map(|p| format!("{} {}", p.name, p.version)).collect();
    ours.sort();
    assert_eq!(ours, lines(pacman(&root, &config).arg("-Q")));
    let based = packages(&facts, "pacman").find(|p| p.name == "based").unwrap();
    assert_eq!(based.source.as_ref().unwrap().name, "base-of-based");
    assert_eq!(based.licenses, ["GPL-2.0-only", "custom:x"]);
    assert_eq!(based.architecture, "any");
    let files = ownership(&facts, "pacman-files").find(|o| o.package == "based").unwrap();
    assert!(files.files.contains(&PathKey::of(b"usr/bin/based")));
}

fn pacman(root: &Path, config: &Path) -> Command {
    let mut command = Command::new("pacman");
    command.arg("--root").arg(root).arg("--dbpath").arg(root.join("var/lib/pacman"));
    command.arg("--config").arg(config).arg("--cachedir").arg(root.join("cache"));
    command.arg("--logfile").arg("/dev/null").arg("--hookdir").arg(root.join("hooks"));
    command
}
