//! Landlock: which paths may be read and written (`Documentation/userspace-api/landlock.rst`).

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, RestrictSelfAttr,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};

/// Newest ABI whose rights are asked for; older kernels give what they have.
const NEWEST: ABI = ABI::V9;

/// The ABI in force, and whether every thread is bound.
pub(super) fn restrict(read: &[&Path], write: &[&Path]) -> Result<(u32, bool), String> {
    let reading: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    // Not all of "write": device nodes, FIFOs, sockets and links are nothing a scan makes.
    let writing = reading
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
        | AccessFs::Truncate;
    let alone = threads() == Some(1);
    let restricted = (|| {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .add_rules(path_beneath_rules(read, reading))?
            .add_rules(path_beneath_rules(write, writing))?
            .all_threads(true)?
            .restrict_self()
    })()
    .map_err(|error| error.to_string())?;
    match (restricted.landlock, restricted.ruleset) {
        (LandlockStatus::NotEnabled, _) => Err("switched off in this kernel".into()),
        (LandlockStatus::NotImplemented, _) => Err("not built into this kernel".into()),
        (_, RulesetStatus::NotEnforced) => Err("the kernel enforces none of it".into()),
        (LandlockStatus::Available { effective_abi, .. }, _) => {
            let version = u32::try_from(effective_abi as i32).unwrap_or(0);
            Ok((version, restricted.all_threads || alone))
        }
    }
}

fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
