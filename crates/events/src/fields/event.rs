//! `evt.*`.

use std::borrow::Cow;

use yagura_model::field::{Argument, FieldValue, TimeStyle};

use super::names::FieldId;
use super::symbols;
use super::view::EventView;
use crate::state::{DescriptorKind, Phase};
use crate::table::{Category, EventFlags, table};

const SECOND: u64 = 1_000_000_000;
/// Bits of open flags and modes, as captures number them.
const O_RDONLY: u64 = 1;
const O_WRONLY: u64 = 2;
const O_CREAT: u64 = 4;
const O_TMPFILE: u64 = 1 << 13;
const O_CREATED: u64 = 1 << 14;
const ANY_EXECUTE: u64 = 0x1 | 0x8 | 0x40;

impl<'a> EventView<'a> {
    pub(super) fn event_value(&self, id: FieldId, argument: &Argument) -> Option<FieldValue<'a>> {
        let ts = self.event.ts;
        let flags = self.info.flags;
        let time = |style| Some(FieldValue::Time { nanoseconds: ts, style });
        let number = |value| Some(FieldValue::Unsigned(value));
        let truth = |value| Some(FieldValue::Boolean(value));
        let padded = |nanoseconds| Some(FieldValue::Time { nanoseconds, style: TimeStyle::Padded });
        let relative = ts.saturating_sub(self.moment.first_ts);
        let io = EventFlags::READS_FD | EventFlags::WRITES_FD;
        match id {
            FieldId::EvtNum => number(self.moment.number),
            FieldId::EvtTime | FieldId::EvtOutputTime => time(TimeStyle::Clock),
            FieldId::EvtTimeS => time(TimeStyle::ClockSeconds),
            FieldId::EvtTimeIso => time(TimeStyle::Iso8601),
            FieldId::EvtDateTime => time(TimeStyle::DateAndTime),
            FieldId::EvtDateTimeS => time(TimeStyle::DateAndSeconds),
            FieldId::EvtRawTime => time(TimeStyle::Number),
            FieldId::EvtRawTimeS => number(ts / SECOND),
            FieldId::EvtRawTimeNs => padded(ts % SECOND),
            FieldId::EvtRelTime => padded(relative),
            FieldId::EvtRelTimeS => number(relative / SECOND),
            FieldId::EvtRelTimeNs => padded(relative % SECOND),
            FieldId::EvtPluginName | FieldId::EvtPluginInfo | FieldId::EvtAsyncType => None,
            FieldId::EvtSource => Some(FieldValue::text("syscall")),
            FieldId::EvtIsAsync => truth(self.info.key == "ASYNCEVENT_E"),
            FieldId::EvtHostname => {
                let name = self.state.machine.hostname.as_str();
                (!name.is_empty()).then(|| FieldValue::text(name))
            }
            FieldId::EvtLatency => number(self.latency()?),
            FieldId::EvtLatencyS => number(self.latency()? / SECOND),
            FieldId::EvtLatencyNs => padded(self.latency()? % SECOND),
            FieldId::EvtLatencyHuman => Some(FieldValue::owned_text(human(self.latency()?))),
            FieldId::EvtDeltaTime => number(self.since_shown()),
            FieldId::EvtDeltaTimeS => number(self.since_shown() / SECOND),
            FieldId::EvtDeltaTimeNs => padded(self.since_shown() % SECOND),
            FieldId::EvtDir => Some(FieldValue::text(if self.original_info.is_enter() { ">" } else { "<" })),
            FieldId::EvtType => Some(FieldValue::text(self.type_name())),
            FieldId::EvtTypeIs => {
                truth(argument.index() == Some(u32::from(self.catalogue.type_of(&self.event).0)))
            }
            FieldId::SyscallType => {
                if self.info.key == "SCHEDSWITCH_6_E" || flags.has(EventFlags::SKIP_RESET) {
                    return None;
                }
                Some(FieldValue::text(self.type_name()))
            }
            FieldId::EvtCategory => Some(FieldValue::text(self.category())),
            FieldId::EvtCpu => Some(FieldValue::Signed(i64::from(self.event.cpu))),
            FieldId::EvtArgs | FieldId::EvtInfo => Some(self.arguments()),
            FieldId::EvtArg => self.argument(argument),
            FieldId::EvtRawArg => self.raw_argument(argument),
            FieldId::EvtBuffer => self.buffer(),
            FieldId::EvtBufLen => {
                let io =
                    matches!(self.info.category, Category::IoRead | Category::IoWrite | Category::IoOther);
                if !io || self.phase == Phase::Enter || self.descriptor().is_none() {
                    return None;
                }
                self.result().and_then(|result| u64::try_from(result).ok()).map(FieldValue::Unsigned)
            }
            FieldId::EvtRes => {
                let result = self.result()?;
                if result >= 0 {
                    return Some(FieldValue::text("SUCCESS"));
                }
                Some(match symbols::error(result.saturating_neg()) {
                    Some(name) => FieldValue::text(name),
                    None => FieldValue::owned_text(result.to_string()),
                })
            }
            FieldId::EvtRawRes => self.result().map(FieldValue::Signed),
            FieldId::EvtFailed => truth(self.result().is_some_and(|result| result < 0)),
            FieldId::EvtIsIo => truth(flags.has(io)),
            FieldId::EvtIsIoRead => truth(flags.has(EventFlags::READS_FD)),
            FieldId::EvtIsIoWrite => truth(flags.has(EventFlags::WRITES_FD)),
            FieldId::EvtIoDir => {
                if flags.has(EventFlags::WRITES_FD) {
                    Some(FieldValue::text("write"))
                } else if flags.has(EventFlags::READS_FD) {
                    Some(FieldValue::text("read"))
                } else {
                    None
                }
            }
            FieldId::EvtIsWait => truth(flags.has(EventFlags::WAITS)),
            FieldId::EvtWaitLatency => {
                let waited = flags.has(EventFlags::WAITS) && self.phase == Phase::Exit;
                waited.then_some(FieldValue::Unsigned(self.applied.latency))
            }
            FieldId::EvtIsSyslog => truth(
                flags.has(EventFlags::WRITES_FD)
                    && self
                        .descriptor()
                        .is_some_and(|descriptor| memchr_slice(&descriptor.name, b"/dev/log")),
            ),
            FieldId::EvtCount => number(1),
            FieldId::EvtCountError => self.count_error(|_| true),
            FieldId::EvtCountErrorFile => self.count_error(|area| area == Area::File),
            FieldId::EvtCountErrorNet => self.count_error(|area| area == Area::Net),
            FieldId::EvtCountErrorMemory => self.count_error(|area| area == Area::Memory),
            FieldId::EvtCountErrorOther => self.count_error(|area| area == Area::Other),
            FieldId::EvtCountExit => (!self.original_info.is_enter()).then_some(FieldValue::Unsigned(1)),
            FieldId::EvtAbsPath => {
                self.absolute_path(argument.key()).map(|path| FieldValue::Text(Cow::Owned(path)))
            }
            FieldId::EvtIsOpenRead => truth(self.open_flags().is_some_and(|flags| flags & O_RDONLY != 0)),
            FieldId::EvtIsOpenWrite => truth(self.open_flags().is_some_and(|flags| flags & O_WRONLY != 0)),
            FieldId::EvtIsOpenExec => truth(self.is_open_exec()),
            FieldId::EvtIsOpenCreate => truth(
                self.info.key == "SYSCALL_CREAT_X" && self.result().is_some_and(|result| result >= 0)
                    || self.open_flags().is_some_and(|flags| flags & O_CREATED != 0),
            ),
            _ => None,
        }
    }

    /// The name that `evt.type` shows.
    pub fn type_name(&self) -> &'static str {
        self.catalogue.type_name(self.catalogue.type_of(&self.event))
    }

    fn latency(&self) -> Option<u64> {
        (!self.is_internal()).then_some(self.applied.latency)
    }

    fn category(&self) -> &'static str {
        let mut category = self.info.category;
        let generic = self.info.name == "syscall";
        if generic {
            let number = self.event.unsigned(0).and_then(|number| u16::try_from(number).ok());
            category = number.and_then(|number| table().syscall_category(number)).unwrap_or(Category::Other);
        }
        match category {
            Category::Unknown | Category::Internal => "unknown",
            Category::Other => "other",
            Category::File => "file",
            Category::Net => "net",
            Category::Ipc => "IPC",
            Category::Memory => "memory",
            Category::Process => "process",
            Category::Sleep => "sleep",
            Category::System => "system",
            Category::Signal => "signal",
            Category::User => "user",
            Category::Time => "time",
            Category::Processing => "processing",
            Category::IoRead | Category::IoWrite | Category::IoOther => match self.area() {
                Some(Area::File) => "file",
                Some(Area::Net) => "net",
                Some(Area::Ipc) => "ipc",
                _ => "unknown",
            },
            Category::Wait => "wait",
            Category::Scheduler => "scheduler",
        }
    }

    /// What kind of thing the descriptor is.
    fn area(&self) -> Option<Area> {
        use DescriptorKind as Kind;
        Some(match self.descriptor()?.kind {
            Kind::File | Kind::Directory => Area::File,
            Kind::Ipv4 | Kind::Ipv6 | Kind::Ipv4Server | Kind::Ipv6Server => Area::Net,
            Kind::Fifo | Kind::Unix | Kind::Event | Kind::Signal | Kind::Inotify => Area::Ipc,
            _ => Area::Other,
        })
    }

    /// 1 for calls of one kind that failed: told by the descriptor, or by the call if it got none.
    fn count_error(&self, counts: impl Fn(Area) -> bool) -> Option<FieldValue<'a>> {
        if self.result().is_none_or(|result| result >= 0) {
            return None;
        }
        let area = match self.descriptor().map(|descriptor| descriptor.kind) {
            Some(DescriptorKind::Unix) => Area::Net,
            Some(_) => match self.area() {
                Some(area @ (Area::File | Area::Net)) => area,
                _ => Area::Other,
            },
            None => match self.info.name {
                "open" | "creat" | "openat" | "openat2" | "open_by_handle_at" => Area::File,
                "accept" | "accept4" | "connect" => Area::Net,
                _ if self.info.category == Category::Memory => Area::Memory,
                _ => Area::Other,
            },
        };
        counts(area).then_some(FieldValue::Unsigned(1))
    }

    /// Nanoseconds since the last event that was shown.
    fn since_shown(&self) -> u64 {
        match self.shown.get() {
            0 => 0,
            ts => self.event.ts.saturating_sub(ts),
        }
    }

    fn open_flags(&self) -> Option<u64> {
        let index = match self.info.key {
            "SYSCALL_OPEN_X" | "SYSCALL_OPEN_BY_HANDLE_AT_X" => 2,
            "SYSCALL_OPENAT_2_X" | "SYSCALL_OPENAT2_X" => 3,
            _ => return None,
        };
        self.event.unsigned(index)
    }

    /// Whether a file was created that somebody may execute.
    fn is_open_exec(&self) -> bool {
        let mode = match self.info.key {
            "SYSCALL_CREAT_X" => 2,
            "SYSCALL_OPEN_X" => 3,
            "SYSCALL_OPENAT_2_X" | "SYSCALL_OPENAT2_X" => 4,
            _ => return false,
        };
        let creates = self.info.key == "SYSCALL_CREAT_X"
            || self.open_flags().is_some_and(|flags| flags & (O_CREAT | O_TMPFILE) != 0);
        creates && self.event.unsigned(mode).is_some_and(|mode| mode & ANY_EXECUTE != 0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    File,
    Net,
    Ipc,
    Memory,
    Other,
}

fn memchr_slice(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A length of time in its largest unit, cut off to three digits at most.
fn human(nanoseconds: u64) -> String {
    let (unit, name) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds}ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..SECOND => (1_000_000, "ms"),
        _ => (SECOND, "s"),
    };
    let (whole, hundredths) = (nanoseconds / unit, nanoseconds % unit * 100 / unit);
    if whole < 10 { format!("{whole}.{hundredths:02}{name}") } else { format!("{whole}{name}") }
}
