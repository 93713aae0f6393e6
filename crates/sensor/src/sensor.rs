//! The programs in the kernel, and the rings that they fill.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use aya::maps::{Array, MapData, PerCpuArray, RingBuf};
use aya::programs::BtfTracePoint;
use aya::{Btf, Ebpf, EbpfLoader};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use yagura_events::table::{RawEvent, table};

use crate::capability::{Capability, Coverage};
use crate::record::{Record, kind};
use crate::shapes::{SYSCALLS, Use, shapes};
use crate::translate::Translator;

/// Compiled from `bpf/` by `bpf/build`; a test rebuilds and compares it.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../bpf/sensor.bpf.o");

/// Tracepoints with BTF, and the program for each.
const PROGRAMS: [(&str, &str); 4] = [
    ("syscall_ends", "sys_exit"),
    ("task_execs", "sched_process_exec"),
    ("task_forks", "sched_process_fork"),
    ("task_exits", "sched_process_exit"),
];
/// The system call by which we show ourselves that records arrive; the kernel side lets it pass though it is ours.
const CANARY: &str = "sched_yield";
/// Records younger than this wait for the next look: an older one of another processor may not have arrived.
const SETTLING: u64 = 1_000_000;
/// Bytes of records taken at one look.
const MAX_TAKEN: usize = 32 << 20;

/// What the sensor shall send.
#[derive(Clone, Debug)]
pub struct Options {
    /// Event types that rules ask for (`openat`, …); every one that can be told when none are given. What state needs
    /// is sent besides.
    pub wanted: Option<BTreeSet<String>>,
    /// Bytes of the ring for exec, fork, exit, connections and changes of privilege; rounded up to a power of two.
    pub critical_bytes: u32,
    /// Bytes of the ring for everything else.
    pub bulk_bytes: u32,
    /// Bytes of a buffer (what is read, written, sent) that an event carries; below 4096.
    pub data_bytes: u32,
    /// Bytes of the arguments of a program, and of its environment; below 4096.
    pub text_bytes: u32,
    /// Only tasks of the cgroup v2 directory with this inode number.
    pub cgroup: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            wanted: None,
            critical_bytes: 8 << 20,
            bulk_bytes: 16 << 20,
            data_bytes: 80,
            text_bytes: 4095,
            cgroup: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SensorError {
    #[error(
        "the kernel's types cannot be read from /sys/kernel/btf/vmlinux ({0}); the sensor needs Linux 5.8 or later, \
         built with CONFIG_DEBUG_INFO_BTF"
    )]
    NoTypes(String),
    #[error("the kernel refused the sensor: {0}; it needs root, or the capabilities CAP_BPF and CAP_PERFMON")]
    Refused(String),
    #[error("the sensor's rings cannot be read: {0}")]
    Rings(String),
}

/// Records that did not reach us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// By system call; `exec`, `fork` and `exit` besides.
    pub lost: BTreeMap<&'static str, u64>,
    /// Records that were no records.
    pub unreadable: u64,
}

impl Loss {
    pub fn total(&self) -> u64 {
        self.lost.values().sum::<u64>() + self.unreadable
    }
}

/// The sensor at work; dropping it takes the programs out of the kernel.
pub struct Sensor {
    // The rings were taken out of it; it keeps the programs attached.
    _programs: Ebpf,
    critical: RingBuf<MapData>,
    bulk: RingBuf<MapData>,
    lost: PerCpuArray<MapData, u64>,
    translator: Translator,
    boot: u64,
    taken: Taken,
    unreadable: u64,
    canaries: u64,
    own_pid: u32,
    coverage: Coverage,
}

/// Records in the order of their times, in one buffer.
#[derive(Default)]
struct Taken {
    bytes: Vec<u8>,
    /// Time, and where.
    places: Vec<(u64, std::ops::Range<usize>)>,
}

impl Sensor {
    /// Loads and attaches the programs.
    pub fn start(options: &Options) -> Result<Self, SensorError> {
        let types = Btf::from_sys_fs().map_err(|error| SensorError::NoTypes(error.to_string()))?;
        let refused = |error: &dyn std::error::Error| SensorError::Refused(chain(error));
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&types))
            .map_max_entries("critical", ring_size(options.critical_bytes))
            .map_max_entries("bulk", ring_size(options.bulk_bytes))
            .load(OBJECT)
            .map_err(|error| refused(&error))?;
        let own_pid = std::process::id();
        configure(&mut ebpf, options, own_pid).map_err(|error| refused(&error))?;
        let mut capabilities = Vec::new();
        for (name, tracepoint) in PROGRAMS {
            let program: &mut BtfTracePoint = ebpf
                .program_mut(name)
                .and_then(|program| program.try_into().ok())
                .ok_or_else(|| SensorError::Refused(format!("the object has no program {name}")))?;
            program.load(tracepoint, &types).map_err(|error| refused(&error))?;
            program.attach().map_err(|error| refused(&error))?;
            capabilities.push(Capability { name: format!("tp_btf/{tracepoint}"), problem: None });
        }
        let missing = |name: &str| SensorError::Rings(format!("no map `{name}`"));
        let mut ring = |name: &str| {
            let map = ebpf.take_map(name).ok_or_else(|| missing(name))?;
            RingBuf::try_from(map).map_err(|error| SensorError::Rings(error.to_string()))
        };
        let (critical, bulk) = (ring("critical")?, ring("bulk")?);
        let lost = ebpf.take_map("lost").ok_or_else(|| missing("lost"))?;
        let lost = PerCpuArray::try_from(lost).map_err(|error| SensorError::Rings(error.to_string()))?;
        let boot = boot_time();
        let blind = options.wanted.iter().flatten().filter(|name| !can_tell(name)).cloned().collect();
        Ok(Self {
            _programs: ebpf,
            critical,
            bulk,
            lost,
            translator: Translator::new(boot),
            boot,
            taken: Taken::default(),
            unreadable: 0,
            canaries: 0,
            own_pid,
            coverage: Coverage { capabilities, blind },
        })
    }

    /// When the machine started, in nanoseconds since 1970.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// What the kernel gave, and which of the wanted events cannot be told.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Waits at most `timeout` for records, and gives every event that has settled, in the order of time. Returns how
    /// many there were.
    pub fn poll(
        &mut self,
        timeout: Duration,
        each: &mut dyn FnMut(RawEvent<'_>),
    ) -> Result<usize, SensorError> {
        wait(&[self.critical.as_fd(), self.bulk.as_fd()], timeout)?;
        let now = nanoseconds(ClockId::Boottime);
        self.taken.take(&mut self.critical);
        self.taken.take(&mut self.bulk);
        self.taken.places.sort_by_key(|(time, _)| *time);
        let settled = self.taken.places.partition_point(|(time, _)| time.saturating_add(SETTLING) < now);
        let mut count = 0;
        for (_, place) in self.taken.places.iter().take(settled) {
            let bytes = self.taken.bytes.get(place.clone()).unwrap_or_default();
            let Some(record) = Record::parse(bytes) else {
                self.unreadable += 1;
                continue;
            };
            if record.pid.cast_unsigned() == self.own_pid && record.kind == kind::SYSCALL {
                self.canaries += 1;
                continue;
            }
            if let Some(event) = self.translator.event(&record) {
                each(event);
                count += 1;
            }
        }
        self.taken.forget(settled);
        Ok(count)
    }

    /// Makes a record of our own; it is counted by [`Sensor::canaries`] when it has come all the way.
    pub fn release_canary(&self) {
        rustix::thread::sched_yield();
    }

    /// Canaries that came back so far.
    pub fn canaries(&self) -> u64 {
        self.canaries
    }

    /// What was lost since the start.
    pub fn loss(&self) -> Loss {
        let mut loss = Loss { unreadable: self.unreadable, ..Loss::default() };
        for slot in 0..SYSCALLS as u32 + 3 {
            let Ok(counts) = self.lost.get(&slot, 0) else { continue };
            let count: u64 = counts.iter().sum();
            if count > 0 {
                let name = match slot.checked_sub(SYSCALLS as u32) {
                    Some(0) => "exec",
                    Some(1) => "fork",
                    Some(_) => "exit",
                    None => {
                        u16::try_from(slot).ok().and_then(|number| shapes().name(number)).unwrap_or("unknown")
                    }
                };
                *loss.lost.entry(name).or_default() += count;
            }
        }
        loss
    }
}

impl Taken {
    fn take(&mut self, ring: &mut RingBuf<MapData>) {
        while self.bytes.len() < MAX_TAKEN
            && let Some(item) = ring.next()
        {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(&item);
            let time = item.get(8..).and_then(|rest| rest.first_chunk::<8>());
            let time = time.map_or(0, |time| u64::from_le_bytes(*time));
            self.places.push((time, start..self.bytes.len()));
        }
    }

    /// Drops the first records, and moves the others to the front.
    fn forget(&mut self, count: usize) {
        self.places.drain(..count.min(self.places.len()));
        if self.places.is_empty() {
            self.bytes.clear();
            return;
        }
        let mut kept = Vec::new();
        for (_, place) in &mut self.places {
            let start = kept.len();
            kept.extend_from_slice(self.bytes.get(place.clone()).unwrap_or_default());
            *place = start..kept.len();
        }
        self.bytes = kept;
    }
}

/// Whether an event type can be told at all.
fn can_tell(name: &str) -> bool {
    ["procexit", "clone", "clone3", "fork", "vfork", "execve", "execveat"].contains(&name)
        || shapes().shapes.iter().any(|shape| event_name(shape.event) == name || shape.name == name)
        || shapes().number(name).is_some()
}

fn event_name(code: u16) -> &'static str {
    table().event(code).map_or("", |event| event.name)
}

/// Tells the kernel side what to send.
fn configure(ebpf: &mut Ebpf, options: &Options, own_pid: u32) -> Result<(), aya::maps::MapError> {
    let mut settings = [0u8; 24];
    let words = [
        own_pid,
        options.data_bytes.min(4095),
        options.text_bytes.min(4095),
        options.cgroup.is_some().into(),
    ];
    for (place, word) in settings.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    settings[16..].copy_from_slice(&options.cgroup.unwrap_or_default().to_le_bytes());
    if let Some(map) = ebpf.map_mut("settings") {
        Array::<_, [u8; 24]>::try_from(map)?.set(0, settings, 0)?;
    }
    let Some(map) = ebpf.map_mut("shapes") else { return Ok(()) };
    let mut map = Array::<_, [u8; 16]>::try_from(map)?;
    for shape in &shapes().shapes {
        let asked = options
            .wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(event_name(shape.event)) || wanted.contains(shape.name));
        if asked || shape.used != Use::Asked {
            let mut entry = [0u8; 16];
            entry[0] = 1;
            entry[1] = (shape.used == Use::Critical).into();
            entry[2..8].copy_from_slice(&shape.arguments);
            entry[8] = shape.result;
            entry[9] = shape.only_success.into();
            entry[10] = shape.only_failure.into();
            map.set(shape.number.into(), entry, 0)?;
        }
    }
    // Events of other system calls carry no more than their number.
    let others = options.wanted.iter().flatten().filter_map(|name| shapes().number(name));
    for number in others.chain(shapes().number(CANARY)) {
        if shapes().of(number).is_none() && usize::from(number) < SYSCALLS {
            let mut entry = [0u8; 16];
            entry[0] = 1;
            map.set(number.into(), entry, 0)?;
        }
    }
    Ok(())
}

fn ring_size(bytes: u32) -> u32 {
    bytes.clamp(64 << 10, 1 << 30).next_power_of_two()
}

fn wait(rings: &[BorrowedFd<'_>], timeout: Duration) -> Result<(), SensorError> {
    let mut descriptors: Vec<PollFd<'_>> =
        rings.iter().map(|ring| PollFd::from_borrowed_fd(*ring, PollFlags::IN)).collect();
    let timeout = Timespec::try_from(timeout).ok();
    match poll(&mut descriptors, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(SensorError::Rings(error.to_string())),
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// When the machine started, in nanoseconds since 1970.
fn boot_time() -> u64 {
    nanoseconds(ClockId::Realtime).saturating_sub(nanoseconds(ClockId::Boottime))
}

/// An error and what caused it; the verifier's log is cut to its end, where the reason stands.
fn chain(error: &dyn std::error::Error) -> String {
    const MOST: usize = 600;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    match text.char_indices().rev().nth(MOST) {
        Some((start, _)) => format!("…{}", text.get(start..).unwrap_or_default()),
        None => text,
    }
}
