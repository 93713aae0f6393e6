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
    "ruby-gemspec" "lib/specifications/a-1.gemspec" [
        b"# stub: a 1 ruby lib\nGem::Specification.new do |s|\n  s.name = \"a\".freeze\n  s.licenses = [\"MIT\", 'x']\n  s.add_dependency(%q<b>.freeze, [\"~> 1\"])\nend\n"
    ]
    "ruby-gemfile-lock" "Gemfile.lock" [
        b"GIT\n  remote: u\n  revision: r\n  specs:\n    a (1-java)\n      b (~> 1)\n\nGEM\n  specs:\n    b (1.0)\n\nCHECKSUMS\n  b (1.0) sha256=00\n"
    ]
    "php-composer-lock" "composer.lock" [
        br#"{"packages": [{"name": "a/b", "version": "v1", "license": ["MIT"], "require": {"php": "8", "c/d": "1"}}], "packages-dev": []}"#
    ]
    "php-composer-installed" "vendor/composer/installed.json" [
        br#"[{"name": "a/b", "version": "1", "authors": [{"name": "x"}]}]"#,
        br#"{"packages": [{"name": "a/b", "version": "1"}], "dev-package-names": ["a/b"]}"#,
    ]
    "dotnet-deps" "app.deps.json" [
        br#"{"runtimeTarget": {"name": "t"}, "targets": {"t": {"A/1": {"dependencies": {"B": "1"}, "runtime": {"a.dll": {}}}}}, "libraries": {"A/1": {"type": "package", "sha512": "sha512-AA=="}}}"#
    ]
    "dotnet-packages-lock" "packages.lock.json" [
        br#"{"dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1", "dependencies": {"B": "1"}}}}}"#
    ]
    "dotnet-project-assets" "obj/project.assets.json" [
        br#"{"targets": {"t": {"A/1": {"dependencies": {"B": "1"}}}}, "libraries": {"A/1": {"type": "package", "sha512": "AA=="}}}"#
    ]
    "dotnet-project" "a.csproj" [
        b"<Project><ItemGroup><PackageReference Include=\"A\" Version=\"1\"><PrivateAssets>all</PrivateAssets></PackageReference></ItemGroup></Project>",
        b"<packages><package id=\"A\" version=\"[1.0]\" developmentDependency=\"true\"/></packages>",
    ]
    "elixir-mix-lock" "mix.lock" [
        b"%{\n  \"a\": {:hex, :a, \"1\", \"00\", [:mix], [{:b, \"~> 1\", []}], \"hexpm\", \"00\"},\n  \"c\": {:git, \"u\", \"r\", []},\n}\n"
    ]
    "erlang-rebar-lock" "rebar.lock" [
        b"{\"1.2.0\",\n[{<<\"a\">>,{pkg,<<\"a\">>,<<\"1\">>},0},{<<\"b\">>,{git,\"u\",{ref,\"r\"}},0}]}.\n[{pkg_hash_ext,[{<<\"a\">>, <<\"00\">>}]}].\n"
    ]
    "erlang-otp-application" "lib/a/ebin/a.app" [
        b"%% c\n{application, a, [{vsn, \"1\"}, {applications, [kernel, 'b c']}]}.\n"
    ]
    "dart-pubspec-lock" "pubspec.lock" [
        b"packages:\n  a:\n    dependency: \"direct dev\"\n    description: {name: a, url: u, sha256: \"00\"}\n    source: hosted\n    version: \"1\"\n"
    ]
    "swift-package-resolved" "Package.resolved" [
        br#"{"pins": [{"identity": "a", "location": "git@h:o/a.git", "state": {"version": "1"}}], "version": 2}"#,
        br#"{"object": {"pins": [{"repositoryURL": "https://u@h/o/a.git", "state": {"revision": "r"}}]}}"#,
    ]
    "cocoapods-podfile-lock" "Podfile.lock" [
        b"PODS:\n  - A/B (1):\n    - C (~> 1)\n  - C (1)\nEXTERNAL SOURCES:\n  C:\n    :path: x\n"
    ]
    "conan-lock" "conan.lock" [
        br#"{"version": "0.5", "requires": ["a/1@u/c#r%1.5"], "build_requires": ["b/[>1]"]}"#,
        br#"{"graph_lock": {"nodes": {"0": {"ref": "a/1", "requires": ["1"]}, "1": {"ref": "b/2#r:p#q", "context": "build"}}}}"#,
    ]
    "conanfile" "conanfile.txt" [b"[requires]\na/1@u/c#r # c\n[tool_requires]\nb/2\n"]
    "julia-manifest" "Manifest.toml" [
        b"manifest_format = '2.0'\n[[deps.A]]\nuuid = 'u'\nversion = '1'\ndeps = ['B']\n[[deps.B]]\n[deps.B.deps]\nA = 'u'\n"
    ]
    "r-description" "lib/R/a/DESCRIPTION" [
        b"Package: a\nVersion: 1\nLicense: GPL (>= 2)\nImports: b,\n  c (>= 1)\nBuilt: R 4\n"
    ]
    "r-renv-lock" "renv.lock" [
        br#"{"Packages": {"a": {"Package": "a", "Version": "1", "Requirements": ["b"], "RemoteHost": "h", "RemoteUsername": "u", "RemoteRepo": "r"}}}"#
    ]
    "haskell-cabal-freeze" "cabal.project.freeze" [b"constraints: any.a ==1.2,\n  b +f, any.c ==3 -- x\n"]
    "haskell-cabal-plan" "dist-newstyle/cache/plan.json" [
        br#"{"install-plan": [{"id": "a-1", "pkg-name": "a", "pkg-version": "1", "depends": ["a-1"], "pkg-src-sha256": "00"}]}"#
    ]
    "haskell-stack" "stack.yaml.lock" [
        b"packages:\n- completed:\n    hackage: a-b-1.2@sha256:0,1\n", b"extra-deps:\n- a-1@sha256:0\n- ./x\n"
    ]
    "github-actions" ".github/workflows/a.yml" [
        b"jobs:\n  a:\n    uses: o/r/w.yml@main\n    steps:\n    - uses: \"a/b/c@0123456789abcdef0123456789abcdef01234567\" # v1.2\n    - uses: ./x\nruns:\n  steps:\n  - uses: a/b@v1\n"
    ]
};
