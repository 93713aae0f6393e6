//! The seccomp filter: system calls a parser never needs fail with `EPERM`, in every thread.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

/// Refused whatever their arguments.
const REFUSED: &[i64] = &[
    // Network.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Other programs and processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_tkill,
    libc::SYS_kcmp,
    libc::SYS_setns,
    libc::SYS_unshare,
    // io_uring does all of this without a system call to filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // File systems.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_mknodat,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    // The kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_acct,
];

/// Calls that only the older architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_BY_ARCHITECTURE: &[i64] =
    &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_mknod, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_BY_ARCHITECTURE: &[i64] = &[];

/// x32 calls pass the filter's architecture check under numbers of their own: the common ones with this bit, and
/// `execve`, `ptrace`, `process_vm_*` and `execveat` renumbered.
#[cfg(target_arch = "x86_64")]
const X32_BIT: i64 = 0x4000_0000;
#[cfg(target_arch = "x86_64")]
const X32_RENUMBERED: &[i64] = &[520, 521, 539, 540, 545];

pub(super) fn restrict() -> Result<(), String> {
    let own = std::process::id();
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED.iter().chain(REFUSED_BY_ARCHITECTURE) {
        rules.insert(*call, Vec::new());
    }
    #[cfg(target_arch = "x86_64")]
    {
        let common: Vec<i64> = rules.keys().map(|call| call | X32_BIT).collect();
        let renumbered = X32_RENUMBERED.iter().map(|call| call | X32_BIT);
        for call in common.into_iter().chain(renumbered) {
            rules.insert(call, Vec::new());
        }
    }
    let filter = (|| {
        // Signals reach this process alone (`abort` sends itself one).
        for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo]
        {
            rules.insert(call, vec![when(0, SeccompCmpOp::Ne, u64::from(own))?]);
        }
        // Threads, but no processes.
        let thread = libc::CLONE_THREAD as u64;
        rules.insert(libc::SYS_clone, vec![when(0, SeccompCmpOp::MaskedEq(thread), 0)?]);
        // Nothing is typed into the terminal we were started from.
        rules.insert(
            libc::SYS_ioctl,
            vec![when(1, SeccompCmpOp::Eq, libc::TIOCSTI)?, when(1, SeccompCmpOp::Eq, libc::TIOCLINUX)?],
        );
        program(rules, libc::EPERM)
    })()
    .map_err(|error| error.to_string())?;
    // The flags of clone3 lie in memory a filter cannot read. ENOSYS makes the C library use clone instead.
    let clone3 = program(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
        .map_err(|error| error.to_string())?;
    for filter in [&clone3, &filter] {
        apply_filter_all_threads(filter).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn when(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    errno: i32,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let errno = u32::try_from(errno).unwrap_or(1);
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), architecture)?.try_into()
}
