//! The official rule files load as they are.

use std::io::Write as _;
use std::path::PathBuf;

use yagura_language::falco::rules::{AppendOutput, Loader, Options, Plugin, RuleSet, Version, WarningCode};
use yagura_model::field::FieldCatalogue;

use crate::paper::{CLOUDTRAIL, KUBERNETES, SYSCALLS};

pub const SOURCES: &[&dyn FieldCatalogue] = &[&SYSCALLS, &KUBERNETES, &CLOUDTRAIL];

pub fn options() -> Options {
    let version = |minor| Version { major: 0, minor, patch: 0 };
    let plugins = [("container", 6), ("k8saudit", 18), ("json", 7), ("cloudtrail", 14)];
    let plugins = plugins.map(|(name, minor)| Plugin { name, version: version(minor) });
    Options { plugins: plugins.to_vec(), append_output: vec![AppendOutput::suggested()] }
}

fn data() -> Option<PathBuf> {
    let directory = std::env::var_os("YAGURA_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from)
        .join("falco");
    if directory.is_dir() {
        return Some(directory);
    }
    assert!(std::env::var_os("CI").is_none(), "no official rules in {}", directory.display());
    let _ = writeln!(std::io::stderr(), "SKIPPED official_files: no {}", directory.display());
    None
}

fn load(names: &[&str]) -> Option<RuleSet> {
    let directory = data()?;
    let options = options();
    let mut loader = Loader::new(SOURCES, &options);
    for name in names {
        let bytes = std::fs::read(directory.join(name)).unwrap();
        let result = loader.load(name, &bytes);
        assert!(result.is_successful(), "{}", result.details());
        for warning in &result.warnings {
            // Whatever else they warn of would be a mistake of ours.
            assert!(
                matches!(
                    warning.code,
                    WarningCode::UnusedMacro | WarningCode::UnusedList | WarningCode::NoEventType
                ),
                "{}",
                result.details()
            );
        }
    }
    Some(loader.finish())
}

#[test]
fn official_files_load() {
    for (names, source, count) in [
        (&["falco_rules.yaml"][..], "syscall", 25),
        (&["falco-incubating_rules.yaml"], "syscall", 31),
        (&["falco-sandbox_rules.yaml"], "syscall", 37),
        (&["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"], "syscall", 93),
        (&["k8s_audit_rules.yaml"], "k8s_audit", 48),
        (&["aws_cloudtrail_rules.yaml"], "aws_cloudtrail", 22),
    ] {
        let Some(rules) = load(names) else { return };
        assert_eq!(rules.source(source).unwrap().rules.len(), count, "{names:?}");
        assert_eq!(rules.rules().count(), count, "{names:?}");
    }
}

#[test]
fn stable_rules_name_the_types_they_need() {
    let Some(rules) = load(&["falco_rules.yaml"]) else { return };
    let types = rules.source("syscall").unwrap().program.named_types();
    assert_eq!(types.len(), 19);
}
