//! The command line: every argument with its help, and nothing else.

pub mod policies;
pub mod threats;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use yagura_model::{FindingKind, Severity};

/// Guards a container stack from commit to crash.
#[derive(Debug, Parser)]
#[command(name = "yagura", version, max_term_width = 100, subcommand_required = true)]
pub struct Yagura {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub everywhere: Everywhere,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Everywhere {
    /// Never use the network
    #[arg(long, global = true, env = "YAGURA_OFFLINE")]
    pub offline: bool,

    /// Advisory database to judge with, instead of the updated or the embedded one
    #[arg(long, global = true, value_name = "FILE", env = "YAGURA_DB")]
    pub db: Option<PathBuf>,

    /// Believe the database of --db only when this ed25519 key signed it (64 hexadecimal digits)
    #[arg(long, global = true, value_name = "KEY", env = "YAGURA_DB_KEY", requires = "db")]
    pub db_key: Option<String>,

    /// Where layers, databases and downloads are kept
    #[arg(long, global = true, value_name = "DIR", env = "YAGURA_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Language of what people read
    #[arg(long, global = true, value_name = "LANG", value_enum)]
    pub lang: Option<Language>,

    /// Say nothing but the result and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    En,
    Ja,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find what is wrong in images, directories, SBOMs or this host
    Scan(Box<Scan>),
    /// List what is inside a target
    Sbom(Box<Sbom>),
    /// Build, update, search and show the advisory database
    #[command(subcommand)]
    Db(Db),
    /// Say all that is known of a flaw, and why it matches a target or does not; or what a rule is about
    Explain(Box<Explain>),
    /// Explain a risk of a stack: its score, its path, its evidence, what ends it
    #[command(subcommand)]
    Risk(RiskCommand),
    /// Show what the graph of a stack says: who may talk to whom, who may do what
    #[command(subcommand)]
    Graph(Graph),
    /// Judge recorded events by threat rules: audit logs, CloudTrail, captures
    Replay(Box<threats::Replay>),
    /// Judge what happens now: on this machine (needs root), or what a Kubernetes API server posts
    Watch(Box<threats::Watch>),
    /// Record what happens on this machine as a capture (needs root)
    Record(Box<threats::Record>),
    /// Check and list threat rules, and the fields they may use
    #[command(subcommand)]
    Rules(threats::Rules),
    /// Propose the smallest patches that make configuration findings go away
    Fix(Box<policies::Fix>),
    /// List, test, write and export configuration rules
    #[command(subcommand)]
    Policy(policies::Policy),
    /// Write a completion script for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// What is looked at; [`TARGET_HELP`] tells people the forms.
#[derive(Clone, Debug, Args)]
pub struct Targets {
    /// What to look at (see below)
    #[arg(required = true, value_name = "TARGET")]
    pub targets: Vec<String>,

    #[command(flatten)]
    pub access: Access,
}

/// How targets are reached and read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Targets")]
pub struct Access {
    /// Platform to take from an image index
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<String>,

    /// Base image, to tell its findings from yours
    #[arg(long, value_name = "TARGET")]
    pub base: Option<String>,

    /// Root directory read for the target `host`
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// Leave out files that match, in directories and hosts (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Trust this certificate authority for registries and feeds (PEM, repeatable)
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Vec<PathBuf>,

    /// Allow plain HTTP and unverified TLS to registries other than loopback
    #[arg(long)]
    pub insecure: bool,

    /// Ask URL first for what HOST serves (repeatable)
    #[arg(long, value_name = "HOST=URL")]
    pub mirror: Vec<String>,

    /// Fetch the VEX documents attached to an image in its registry, and let their statements apply
    #[arg(long)]
    pub vex_attached: bool,

    /// Read every layer anew and keep nothing
    #[arg(long)]
    pub no_cache: bool,

    /// List executable files with their SHA-256
    #[arg(long)]
    pub files: bool,

    /// How many layers or directories are read at once
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
}

/// Where results go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Format, and the file it goes to unless that is the terminal (repeatable)
    #[arg(long, short, value_name = "FORMAT[=FILE]")]
    pub output: Vec<String>,

    /// Show every row of long lists
    #[arg(long)]
    pub all: bool,
}

#[derive(Clone, Debug, Args)]
#[command(after_long_help = TARGET_HELP)]
pub struct Scan {
    #[command(flatten)]
    pub targets: Targets,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    pub judgement: Judgement,

    #[command(flatten)]
    pub malware: Malware,

    /// Show each risk before and after this change of the scanned directories: a unified diff, or a directory whose
    /// files replace and add to theirs
    #[arg(long, value_name = "PATCH|DIR", help_heading = "Findings")]
    pub what_if: Option<PathBuf>,
}

/// What is taken for malware.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Malware")]
pub struct Malware {
    /// Look for malware by these YARA rules besides the built-in ones (repeatable)
    #[arg(long, value_name = "FILE|DIR")]
    pub yara: Vec<PathBuf>,

    /// Files with one of these SHA-256 digests are malware: a digest and a name a line (repeatable)
    #[arg(long, value_name = "FILE")]
    pub malware_hashes: Vec<PathBuf>,

    /// Ask the ClamAV daemon at this socket about every file
    #[arg(long, value_name = "SOCKET|HOST:PORT")]
    pub clamav: Option<String>,
}

/// What counts.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Findings")]
pub struct Judgement {
    /// Only findings of these kinds
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = kind)]
    pub only: Vec<FindingKind>,

    /// Only findings at or over this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub severity: Option<Severity>,

    /// Exit with 1 when a finding is at or over this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,

    /// Only vulnerabilities for which a fix exists
    #[arg(long)]
    pub only_fixed: bool,

    /// Leave out development and test dependencies
    #[arg(long)]
    pub no_dev: bool,

    /// VEX document, or directory of such, whose statements apply (repeatable)
    #[arg(long, value_name = "FILE|DIR")]
    pub vex: Vec<PathBuf>,

    /// Secrets that are known already; only new ones are findings
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Write the secrets of this scan as known; the file holds the key of their fingerprints
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,

    /// Ignore entries with reasons and dates [default: .yagura-ignore.yaml, where it exists]
    #[arg(long, value_name = "FILE")]
    pub ignore_file: Option<PathBuf>,

    #[command(flatten)]
    pub policies: policies::PolicyChoice,

    #[command(flatten)]
    pub context: Context,
}

/// In which light findings are read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Risks")]
pub struct Context {
    /// What really ran: a profile that `yagura watch --profile`, `record --profile` or `replay --profile` wrote
    /// (repeatable; those in a scanned directory are read by themselves)
    #[arg(long, value_name = "FILE")]
    pub profile: Vec<PathBuf>,

    /// The image or target that a container of a profile runs, where the profile does not say it: the container's name or
    /// the start of its id (repeatable)
    #[arg(long, value_name = "CONTAINER=IMAGE", value_parser = container)]
    pub container: Vec<(String, String)>,

    /// Rank for an attacker who starts here instead of on the internet: a node of the graph (`kind:key`), a workload
    /// (`NAMESPACE/NAME`), an image, or `internet` (repeatable)
    #[arg(long, value_name = "NODE")]
    pub from: Vec<String>,
}

fn container(text: &str) -> Result<(String, String), String> {
    let (name, image) = text.split_once('=').ok_or("write CONTAINER=IMAGE")?;
    Ok((name.to_owned(), image.to_owned()))
}

#[derive(Clone, Debug, Args)]
#[command(after_long_help = TARGET_HELP)]
pub struct Sbom {
    #[command(flatten)]
    pub targets: Targets,

    #[command(flatten)]
    pub output: Output,
}

#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// A CVE, an advisory id or a rule
    pub id: String,

    /// Target to explain it for
    pub target: Option<String>,

    /// Directory of rules of your own, to explain one of them (repeatable)
    #[arg(long, value_name = "DIR")]
    pub policy: Vec<PathBuf>,

    #[command(flatten)]
    pub access: Access,
}

const TARGET_HELP: &str = "\
Targets:
  docker-archive:FILE    what `docker save` or `skopeo copy` wrote
  oci-archive:FILE       an OCI layout in a tar
  oci-dir:DIR[:TAG]      an OCI layout
  registry:REFERENCE     an image in a registry
  docker:REFERENCE       an image in the Docker daemon (podman:, containerd: likewise)
  dir:DIR, file:FILE     a source tree or root file system, a single file
  git:DIR                a repository's history: every version of every file, for secrets
  sbom:FILE              CycloneDX, SPDX or Syft JSON
  host                   this machine, or --root DIR
A bare path or reference is guessed.";

fn severity(text: &str) -> Result<Severity, String> {
    text.parse().map_err(|error: yagura_model::severity::InvalidSeverity| error.to_string())
}

fn kind(text: &str) -> Result<FindingKind, String> {
    FindingKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
        let names: Vec<&str> = FindingKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("kinds are {}", names.join(", "))
    })
}

#[derive(Clone, Debug, Subcommand)]
pub enum Db {
    /// Show which database judges: its age, sources and licences
    Status,
    /// Find packages, advisories and flaws by name
    Search {
        /// A package name, a purl, or an id such as CVE-2021-44228
        text: String,
    },
    /// Compile a database from feeds
    Build(Box<DbBuild>),
    /// Fetch the feeds that changed and compile a new database into the cache
    Update(Box<DbUpdate>),
    /// Say which of many SBOMs the advisories of a database touch
    Affected(DbAffected),
}

#[derive(Clone, Debug, Args)]
pub struct Feeds {
    /// Directory or URL in the layout of OSV's bucket, `<Ecosystem>/all.zip` (repeatable; for an update the later
    /// ones are mirrors of the first)
    #[arg(long, value_name = "DIR|URL")]
    pub osv: Vec<String>,

    /// Only these ecosystems of OSV, as it names them (repeatable) [default: all that are there]
    #[arg(long, value_name = "NAME")]
    pub ecosystem: Vec<String>,

    /// Known Exploited Vulnerabilities catalogue (JSON)
    #[arg(long, value_name = "FILE|URL")]
    pub kev: Option<String>,

    /// EPSS scores (CSV, may be gzipped)
    #[arg(long, value_name = "FILE|URL")]
    pub epss: Option<String>,

    /// End-of-life dates by product (JSON)
    #[arg(long, value_name = "FILE")]
    pub eol: Option<PathBuf>,

    /// Directory of vendor advisories in CSAF 2.0
    #[arg(long, value_name = "DIR")]
    pub csaf: Option<PathBuf>,

    /// Trust this certificate authority for the feeds (PEM, repeatable)
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Vec<PathBuf>,

    /// Allow plain HTTP and unverified TLS to servers other than loopback
    #[arg(long)]
    pub insecure: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DbBuild {
    #[command(flatten)]
    pub feeds: Feeds,

    /// The database to write
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,

    /// Sign with this ed25519 key (32 bytes, raw or hexadecimal)
    #[arg(long, value_name = "FILE")]
    pub sign: Option<PathBuf>,
}
#[derive(Clone, Debug, Args)]
pub struct DbUpdate {
    #[command(flatten)]
    pub feeds: Feeds,
}

#[derive(Clone, Debug, Args)]
pub struct DbAffected {
    /// SBOM files, or directories of such
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    pub sboms: Vec<PathBuf>,

    /// Keep the index of the SBOMs in this file, and use it for as long as they do not change
    #[arg(long, value_name = "FILE")]
    pub index: Option<PathBuf>,

    /// Only what has changed since this older database
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Graph {
    /// List which pods and addresses may talk to which, as NetworkPolicies, AdminNetworkPolicies, services and
    /// ingresses decide it
    Connectivity(GraphConnectivity),
    /// List who may do what in a cluster, as RBAC decides it: by default everybody who has power beyond their own work
    Access(GraphAccess),
    /// Write the whole graph for other programs
    Export(Box<GraphExport>),
}

#[derive(Clone, Debug, Args)]
pub struct GraphConnectivity {
    /// Manifests, or what `kubectl get -o json` wrote: files, directories, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// How the table is written
    #[arg(long, short, value_enum, default_value_t = TableFormat::Table, value_name = "FORMAT")]
    pub output: TableFormat,

    /// List IPv6 addresses outside the cluster, too
    #[arg(long)]
    pub ipv6: bool,
}

#[derive(Clone, Debug, Args)]
pub struct GraphAccess {
    /// Manifests, or what `kubectl get -o json` wrote: files, directories, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Who may do this: a verb and a resource (`get secrets`, `create pods/exec`, `patch deployments.apps`) or a path
    #[arg(long, num_args = 2, value_names = ["VERB", "RESOURCE"])]
    pub who: Option<Vec<String>>,

    /// Only this one: NAMESPACE/NAME of a service account, user:NAME or group:NAME; without --who, all that it may
    #[arg(long, value_name = "SUBJECT")]
    pub of: Option<String>,

    /// The namespace that is asked about [default: all at once]
    #[arg(long, short, value_name = "NAMESPACE", requires = "who")]
    pub namespace: Option<String>,

    /// The object's name that is asked about
    #[arg(long, value_name = "NAME", requires = "who")]
    pub name: Option<String>,

    /// How the table is written
    #[arg(long, short, value_enum, default_value_t = TableFormat::Table, value_name = "FORMAT")]
    pub output: TableFormat,
}

#[derive(Clone, Debug, Subcommand)]
pub enum RiskCommand {
    /// Show one risk in full
    Explain(Box<RiskExplain>),
}

#[derive(Clone, Debug, Args)]
#[command(after_long_help = TARGET_HELP)]
pub struct RiskExplain {
    /// A risk's id, or a flaw's name (all its risks)
    pub id: String,

    #[command(flatten)]
    pub targets: Targets,

    #[command(flatten)]
    pub judgement: Judgement,

    #[command(flatten)]
    pub malware: Malware,
}

#[derive(Clone, Debug, Args)]
#[command(after_long_help = TARGET_HELP)]
pub struct GraphExport {
    #[command(flatten)]
    pub targets: Targets,

    #[command(flatten)]
    pub judgement: Judgement,

    #[command(flatten)]
    pub malware: Malware,

    /// How the graph is written
    #[arg(long, short, value_enum, default_value_t = GraphFormat::Json, value_name = "FORMAT")]
    pub output: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    Dot,
    Graphml,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Table,
    Csv,
    Json,
}
