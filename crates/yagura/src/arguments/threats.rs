//! Arguments of what judges events: `replay`, `rules`, `watch`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use yagura_model::alert::Priority;

/// Which rules judge.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rules")]
pub struct ThreatRules {
    /// Rule file in Falco's language, or directory of such; `default` means the rules that the program carries
    /// (repeatable, in order) [default: default]
    #[arg(long, short, value_name = "FILE|DIR")]
    pub rules: Vec<PathBuf>,

    /// Switch rules off: by name, where `*` stands for anything, or `tag:NAME` (repeatable)
    #[arg(long, value_name = "RULE")]
    pub disable: Vec<String>,

    /// Switch rules on, after all --disable (repeatable)
    #[arg(long, value_name = "RULE")]
    pub enable: Vec<String>,

    /// Only rules of at least this priority
    #[arg(long, value_name = "PRIORITY", default_value = "debug")]
    pub min_priority: Priority,

    /// Whether an event is told of by the first rule that matches or by all
    #[arg(long, value_enum, default_value_t = RuleMatching::First, value_name = "HOW")]
    pub rule_matching: RuleMatching,

    /// Append to every output, with values as in rules: ' pid=%proc.pid' (repeatable)
    #[arg(long, value_name = "FORMAT")]
    pub append_output: Vec<String>,

    /// Do not append the container's and pod's names to outputs of system calls
    #[arg(long)]
    pub no_suggested_output: bool,

    /// Hold back an alert that says what was said less than this many seconds before, and count it
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub dedup: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RuleMatching {
    First,
    All,
}

/// Where alerts go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertOutput {
    /// Form of alerts (text, json, ocsf, otel) and where they go (repeatable, see below) [default: text]
    #[arg(long, short, value_name = "FORM[=TO]")]
    pub output: Vec<String>,

    /// Write date and time in text, as ISO 8601
    #[arg(long)]
    pub iso_time: bool,

    /// Add `message` to JSON: the output without time and priority
    #[arg(long)]
    pub json_message: bool,

    /// Name of this machine in alerts [default: its own]
    #[arg(long, value_name = "NAME", env = "FALCO_HOSTNAME")]
    pub hostname: Option<String>,

    /// Sign what is posted with the HMAC-SHA256 key in this file
    #[arg(long, value_name = "FILE")]
    pub webhook_key: Option<PathBuf>,

    /// Trust this certificate authority for what is posted (PEM, repeatable)
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Vec<PathBuf>,

    /// Post to plain HTTP and unverified TLS beyond loopback, too
    #[arg(long)]
    pub insecure: bool,
}

pub const ALERT_HELP: &str = "\
Alerts go to standard output, or with FORM=TO to
  json=alerts.jsonl               a file, appended to
  json=https://host/path          a webhook, one POST each (falcosidekick: json=http://localhost:2801)
  otel=http://localhost:4318/v1/logs   an OpenTelemetry collector
  text=syslog                     the system log (/dev/log)
  text=syslog+udp://host:514      a syslog server, RFC 5424 (also syslog+tcp:, syslog+unix:/path)";

#[derive(Clone, Debug, Args)]
#[command(after_long_help = ALERT_HELP)]
pub struct Replay {
    /// Kubernetes audit logs, CloudTrail logs, captures (may be gzipped), or directories of such; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["validate", "list_fields"])]
    pub files: Vec<PathBuf>,

    /// Print this format for each event instead of judging it: '%evt.num %proc.name %evt.args'
    #[arg(long, short, value_name = "FORMAT")]
    pub print: Option<String>,

    /// Heed only events that satisfy this condition
    #[arg(long, value_name = "CONDITION")]
    pub filter: Option<String>,

    /// Print what happened in numbers: rules, users, processes, containers
    #[arg(long)]
    pub summary: bool,

    /// Write the system events that are heeded to a capture of their own; `.gz` at its end asks for compression
    #[arg(long, short, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Write what was executed, mapped, opened and listened on, by container, as JSON
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,

    /// Exit with 1 when an alert is of at least this priority
    #[arg(long, value_name = "PRIORITY")]
    pub fail_on: Option<Priority>,

    /// Only check the rule files
    #[arg(long, short = 'V')]
    pub validate: bool,

    /// List the fields that conditions and formats may use
    #[arg(long)]
    pub list_fields: bool,

    #[command(flatten)]
    pub judgement: ThreatRules,

    #[command(flatten)]
    pub alerts: AlertOutput,
}

#[derive(Clone, Debug, Args)]
#[command(after_long_help = ALERT_HELP)]
pub struct Watch {
    /// Receive Kubernetes audit events here, as the API server's audit webhook posts them: 0.0.0.0:9765
    #[arg(long, value_name = "ADDRESS")]
    pub k8s_audit_listen: Option<String>,

    /// The path that is posted to
    #[arg(long, value_name = "PATH", default_value = "/k8s-audit")]
    pub k8s_audit_path: String,

    /// Receive over TLS with this certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub k8s_audit_cert: Option<PathBuf>,

    /// The certificate's key, unless it is in the same file (PEM)
    #[arg(long, value_name = "FILE", requires = "k8s_audit_cert")]
    pub k8s_audit_key: Option<PathBuf>,

    /// Watch this machine, too, when audit events are received
    #[arg(long)]
    pub sensor: bool,

    /// Stop after so many seconds [default: when a signal comes]
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<u64>,

    /// Exit with 1 when an alert was of at least this priority
    #[arg(long, value_name = "PRIORITY")]
    pub fail_on: Option<Priority>,

    /// End after this many audit events
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,

    /// Write what was executed, loaded, listened on and connected to as a profile, which `yagura scan` ranks by
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,

    #[command(flatten)]
    pub judgement: ThreatRules,

    #[command(flatten)]
    pub alerts: AlertOutput,

    /// Keep what happened before and after an alert as a capture in this directory
    #[arg(long, value_name = "DIR", help_heading = "Flight recorder")]
    pub recorder: Option<PathBuf>,

    /// Seconds before an alert that are kept
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400), help_heading = "Flight recorder")]
    pub before: u64,

    /// Seconds after an alert that are kept
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400), help_heading = "Flight recorder")]
    pub after: u64,

    /// Mebibytes of one segment of the ring, before compression
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536), help_heading = "Flight recorder")]
    pub recorder_bytes: u64,

    /// Keep captures for alerts of at least this priority
    #[arg(long, value_name = "PRIORITY", default_value = "warning", help_heading = "Flight recorder")]
    pub recorder_priority: Priority,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Rules {
    /// Check rule files: errors and warnings with Falco's codes
    Check(RulesCheck),
    /// List the rules of files, or those that the program carries
    List(RulesList),
    /// List the fields that conditions and formats may use
    Fields(RulesFields),
}

#[derive(Clone, Debug, Args)]
pub struct RulesCheck {
    /// Rule files or directories, in order; `default` means the rules that the program carries
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,

    /// `text`, or `json` as `falco -V` prints it
    #[arg(long, short, value_name = "FORMAT", default_value = "text")]
    pub output: ListFormat,

    /// Show every warning with its place
    #[arg(long, short)]
    pub verbose: bool,
}

#[derive(Clone, Debug, Args)]
pub struct RulesList {
    /// Rule files or directories [default: default]
    #[arg(value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,

    #[arg(long, short, value_name = "FORMAT", default_value = "text")]
    pub output: ListFormat,
}

#[derive(Clone, Debug, Args)]
pub struct RulesFields {
    /// Only fields of this source: syscall, k8s_audit, aws_cloudtrail
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,

    #[arg(long, short, value_name = "FORMAT", default_value = "text")]
    pub output: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Args)]
pub struct Record {
    /// The capture to write (.scap, or .scap.gz)
    #[arg(long, short, value_name = "FILE")]
    pub write: PathBuf,

    /// Record only events that satisfy this condition, and what is needed to understand them
    #[arg(value_name = "CONDITION")]
    pub filter: Option<String>,

    /// Compress with gzip, whatever the file is called
    #[arg(long)]
    pub gzip: bool,

    /// Stop after so many seconds [default: when a signal comes]
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<u64>,

    /// Stop after so many events
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,

    /// Begin another file after so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub segment_seconds: Option<u64>,

    /// Begin another file after so many mebibytes (before compression)
    #[arg(long, value_name = "MIB")]
    pub segment_bytes: Option<u64>,

    /// Keep so many files; the oldest is removed
    #[arg(long, value_name = "N")]
    pub segments: Option<u64>,

    /// Write what was executed, loaded, listened on and connected to as a profile, too
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,

    /// Bytes of each buffer that is read, written or sent
    #[arg(long, value_name = "N", default_value_t = 80)]
    pub data_bytes: u32,
}
