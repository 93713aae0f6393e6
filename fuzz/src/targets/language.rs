//! Language packages: installed metadata, lockfiles and manifests.

use super::catalogue;
use crate::Target;

macro_rules! targets {
    ($($cataloguer:literal $path:literal [$($seed:expr),+ $(,)?])+) => {
        &[$(Target {
            name: concat!("catalogue/", $cataloguer, "/", $path),
            seeds: || vec![$($seed.to_vec()),+],
            run: |bytes| catalogue($cataloguer, $path, bytes),
        }),+]
    };
}

pub(super) const TARGETS: &[Target] = targets! {
    "python-metadata" "lib/a-1.dist-info/METADATA" [
        b"Name: a\nVersion: 1\nLicense: MIT\n more\nRequires-Dist: b[c] (>=1,==2) ; extra == 'x'\n\ntext\n"
    ]
    "python-record" "lib/a-1.dist-info/RECORD" [b"../../bin/a,sha256=x,1\n\"b,\"\"c\",,\n"]
    "conda-meta" "opt/conda-meta/a-1-0.json" [
        br#"{"name": "a", "version": "1", "build": "0", "files": ["lib/a"], "depends": ["b >=1"]}"#
    ]
    "python-requirements" "requirements.txt" [
        b"a==1 ; python_version < '3' \\\n  --hash=sha256:00 # via b\n-r c.txt\nd[e]~=2\nf @ https://x/y\n"
    ]
    "python-pipfile-lock" "Pipfile.lock" [
        br#"{"_meta": {}, "default": {"a": {"version": "==1", "hashes": ["sha256:00"]}}}"#
    ]
    "python-poetry-lock" "poetry.lock" [
        b"[[package]]\nname = 'a'\nversion = '1'\ngroups = ['dev']\n[package.dependencies]\nb = '>=1'\n[package.source]\ntype = 'git'\nurl = 'u'\n"
    ]
    "python-pdm-lock" "pdm.lock" [
        b"[[package]]\nname = 'a'\nversion = '1'\ngroups = ['default']\ndependencies = ['b>=1']\n"
    ]
    "python-uv-lock" "uv.lock" [
        b"[[package]]\nname = 'a'\nversion = '1'\nsource = { virtual = '.' }\ndependencies = [{ name = 'b', extra = ['c'] }]\n[[package]]\nname = 'b'\nversion = '2'\n[package.optional-dependencies]\nc = [{ name = 'a' }]\n"
    ]
    "python-pylock" "pylock.toml" [
        b"[[packages]]\nname = 'a'\nversion = '1'\nwheels = [{ hashes = { sha256 = '00' } }]\n"
    ]
    "python-project" "pyproject.toml" [b"[project]\ndependencies = ['a==1']\n[tool.poetry.dependencies]\nb = '2'\n"]
    "python-project" "setup.py" [b"setup(install_requires=['a==1', \"b==2\"])\n"]
    "python-project" "setup.cfg" [b"[options]\ninstall_requires =\n  a==1\n"]
    "javascript-package" "node_modules/a/package.json" [
        br#"{"name": "@a/b", "version": "v1", "license": [{"type": "MIT"}], "author": {"name": "x"}, "dependencies": {"c": "npm:d@1"}}"#
    ]
    "javascript-npm-lock" "package-lock.json" [
        br#"{"packages": {"node_modules/a": {"version": "1", "integrity": "sha1-AA==", "license": {"type": "MIT"}, "dependencies": {"b": "1"}}}}"#,
        br#"{"dependencies": {"a": {"version": "npm:b@1", "requires": true, "dependencies": {"c": {"version": "1"}}}}}"#,
    ]
    "javascript-yarn-lock" "yarn.lock" [
        b"# yarn lockfile v1\n\n\"a@^1\", b@npm:a@1:\n  version \"1\"\n  integrity sha1-AA==\n  dependencies:\n    c \"1\"\n",
        b"__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1\n  resolution: \"a@npm:1\"\n  dependencies:\n    b: ^1\n",
    ]
    "javascript-pnpm-lock" "pnpm-lock.yaml" [
        b"lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {version: 1.0.0(b@1)}\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha1-AA==}\nsnapshots:\n  a@1.0.0(b@1): {}\n",
        b"lockfileVersion: 5.4\npackages:\n  /@a/b/1.0.0_c@1:\n    dependencies: {d: /e/1}\n    dev: true\n",
    ]
    "javascript-bun-lock" "bun.lock" [
        br#"{"workspaces": {"": {"dependencies": {"a": "1"},},}, "packages": {"a": ["a@1", "", {"dependencies": {"b": "1"}}, "sha1-AA=="], "a/b": ["b@github:u/r#1", {}]},}"#
    ]
};
