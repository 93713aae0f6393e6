//! The arguments of configuration rules.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Which configuration rules count.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration rules")]
pub struct PolicyChoice {
    /// Directory of rules of your own: YAML with CEL, and Rego, as docs/policies.md says (repeatable)
    #[arg(long, value_name = "DIR")]
    pub policy: Vec<PathBuf>,

    /// JSON or YAML that policies in Rego see below `data`, or a directory of such (repeatable)
    #[arg(long, value_name = "FILE|DIR")]
    pub policy_data: Vec<PathBuf>,

    /// Only rules of these frameworks, the file names under rules/frameworks/
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub framework: Vec<String>,

    /// Values of Terraform's variables, before those of its own tfvars files (repeatable)
    #[arg(long, value_name = "FILE")]
    pub tf_vars: Vec<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct Fix {
    /// A directory, or one file
    #[arg(value_name = "PATH")]
    pub path: PathBuf,

    /// Write the patched files instead of showing a diff
    #[arg(long, conflicts_with = "branch")]
    pub in_place: bool,

    /// Commit the patched files on a new git branch; the working tree stays as it is
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,

    /// With --in-place and --branch: also patches that a person must look at (a diff shows them always)
    #[arg(long)]
    pub review: bool,

    /// Only what these rules find
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub rule: Vec<String>,

    #[command(flatten)]
    pub choice: PolicyChoice,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Policy {
    /// List the rules
    List(PolicyList),
    /// Run the examples of rules; of the program's own without a path
    Test(PolicyTest),
    /// Write a rule to start from
    New(PolicyNew),
    /// Write rules in another tool's form
    #[command(subcommand)]
    Export(PolicyExport),
}

#[derive(Clone, Debug, Args)]
pub struct PolicyList {
    #[command(flatten)]
    pub choice: PolicyChoice,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct PolicyTest {
    /// Rule files, or directories of such; tests of policies in Rego (`test_…`) run as well
    #[arg(value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,

    /// JSON or YAML that policies in Rego see below `data`, or a directory of such (repeatable)
    #[arg(long, value_name = "FILE|DIR")]
    pub policy_data: Vec<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct PolicyNew {
    /// The rule's id, such as ACME-001
    pub id: String,

    /// Where to put it
    #[arg(long, value_name = "DIR", default_value = "policies")]
    pub directory: PathBuf,
}

#[derive(Clone, Debug, Subcommand)]
pub enum PolicyExport {
    /// ValidatingAdmissionPolicies and their bindings, for the rules that the API server can hold
    Vap {
        #[command(flatten)]
        choice: PolicyChoice,

        /// What the API server does with an object that is wrong
        #[arg(long, value_enum, default_value_t = PolicyAction::Deny)]
        action: PolicyAction,

        /// The file to write, instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyAction {
    Deny,
    Warn,
    Audit,
}
