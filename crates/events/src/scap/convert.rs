//! Events of older captures, brought to the form of today.
//!
//! Older drivers told what a call was given at its start and what came of it at its end; today the exit event tells
//! both. The parameters of an enter event are kept until its exit event comes and are copied into it.

use crate::hashing::NumberMap;
use crate::table::{
    Action, Conversion, EventCode, EventEncoder, EventFlags, From, ParameterType, RawEvent, Table, table,
};

/// Conversions that may follow one another.
const MAX_STEPS: usize = 24;
/// Threads whose enter events are kept.
const MAX_STORED: usize = 64 << 10;

/// What an event is after conversion.
#[derive(Clone, Copy, Debug)]
pub enum Converted<'a> {
    /// The form of today, with every parameter.
    Current(RawEvent<'a>),
    /// The start of a call. Falco does not have these; sysdig shows them.
    Enter(RawEvent<'a>),
    /// Of no use to anybody.
    Dropped,
}

/// Keeps enter events by thread and converts exit events.
pub struct Converter {
    table: &'static Table,
    /// How to treat each code.
    ways: Vec<Way>,
    stored: NumberMap<i64, Stored>,
    front: EventEncoder,
    back: EventEncoder,
    lost: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Keep,
    /// An exit event that has this many parameters today.
    Exit(u8),
    OldExit,
    /// An enter event, kept for its exit event if that needs it.
    Enter,
    Drop,
}

#[derive(Default)]
struct Stored {
    code: EventCode,
    used: bool,
    count: u32,
    body: Vec<u8>,
}

impl Default for Converter {
    fn default() -> Self {
        Self::new()
    }
}

impl Converter {
    pub fn new() -> Self {
        let table = table();
        let way = |event: &crate::table::EventInfo| {
            let enter = event.is_enter();
            if event.flags.has(EventFlags::UNUSED) {
                Way::Drop
            } else if !event.flags.has(EventFlags::CONVERTED) {
                if enter && event.flags.has(EventFlags::OLD) { Way::Enter } else { Way::Keep }
            } else if enter {
                Way::Enter
            } else if event.flags.has(EventFlags::OLD) {
                Way::OldExit
            } else {
                Way::Exit(u8::try_from(event.parameters.len()).unwrap_or(u8::MAX))
            }
        };
        Self {
            table,
            ways: table.events().map(way).collect(),
            stored: NumberMap::default(),
            front: EventEncoder::default(),
            back: EventEncoder::default(),
            lost: 0,
        }
    }

    /// Enter events that were forgotten because too many threads had one.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Forgets stored events, as where a section begins.
    pub fn reset(&mut self) {
        self.stored.clear();
    }

    pub fn convert<'a>(&'a mut self, event: RawEvent<'a>) -> Converted<'a> {
        match self.ways.get(usize::from(event.code)).copied().unwrap_or(Way::Drop) {
            Way::Keep => Converted::Current(event),
            Way::Exit(count) if event.count() >= usize::from(count) => Converted::Current(event),
            Way::Drop => Converted::Dropped,
            Way::Enter => self.enter(event),
            Way::Exit(_) | Way::OldExit => self.exit(event),
        }
    }

    fn enter<'a>(&'a mut self, event: RawEvent<'a>) -> Converted<'a> {
        let table = self.table;
        let conversion = table.conversion(event.code, event.count());
        match conversion.map(|conversion| conversion.action) {
            Some(Action::Store { .. }) => {
                self.store(event);
                Converted::Enter(event)
            }
            // An enter event of an earlier form is brought to the later one, and kept if that is.
            Some(Action::Become(_) | Action::Add) => {
                let Converted::Current(current) = self.exit(event) else { return Converted::Enter(event) };
                let stores = table.conversion(current.code, current.count());
                if matches!(stores.map(|conversion| conversion.action), Some(Action::Store { .. })) {
                    let built = std::mem::take(&mut self.front);
                    self.store(built.event());
                    self.front = built;
                }
                let current = self.front.event();
                // An exiting process has no exit event: its older form becomes the present one.
                if table.event(current.code).is_some_and(is_call) {
                    Converted::Enter(current)
                } else {
                    Converted::Current(current)
                }
            }
            Some(Action::Pass) | None => match table.event(event.code) {
                Some(info) if is_call(info) => Converted::Enter(event),
                _ => Converted::Current(event),
            },
        }
    }

    /// Keeps an enter event for its exit event.
    fn store(&mut self, event: RawEvent<'_>) {
        if self.stored.len() >= MAX_STORED && !self.stored.contains_key(&event.tid) {
            self.lost += self.stored.len() as u64;
            self.stored.clear();
        }
        let stored = self.stored.entry(event.tid).or_default();
        let (lengths, values) = event.body();
        (stored.code, stored.used) = (event.code, false);
        stored.count = u32::try_from(event.count()).unwrap_or(0);
        stored.body.clear();
        stored.body.extend_from_slice(lengths);
        stored.body.extend_from_slice(values);
    }

    fn exit<'a>(&'a mut self, event: RawEvent<'a>) -> Converted<'a> {
        let Self { table, ways, stored, front, back, .. } = self;
        let Some(conversion) = table.conversion(event.code, event.count()) else {
            // A number of parameters that no version had: shown as it is.
            return Converted::Current(event);
        };
        apply(conversion, event, stored.get(&event.tid), front, table);
        let mut steps = 1;
        while steps < MAX_STEPS {
            let current = front.event();
            let done = match ways.get(usize::from(current.code)) {
                Some(Way::Exit(count)) => current.count() >= usize::from(*count),
                Some(Way::OldExit) => false,
                _ => true,
            };
            if done {
                break;
            }
            let Some(conversion) = table.conversion(current.code, current.count()) else { break };
            apply(conversion, current, stored.get(&event.tid), back, table);
            std::mem::swap(front, back);
            steps += 1;
        }
        if let Some(stored) = stored.get_mut(&event.tid) {
            stored.used = true;
        }
        Converted::Current(front.event())
    }
}

/// Whether an event in the enter place really is the start of a system call.
fn is_call(event: &crate::table::EventInfo) -> bool {
    event.is_enter() && event.source == crate::table::Source::Syscall
}

fn apply(
    conversion: &Conversion,
    event: RawEvent<'_>,
    stored: Option<&Stored>,
    out: &mut EventEncoder,
    table: &Table,
) {
    let code = match conversion.action {
        Action::Become(code) => code,
        _ => event.code,
    };
    // Only the enter event of this very call, and only once.
    let enter = stored
        .filter(|stored| !stored.used && stored.code.checked_add(1) == Some(event.code))
        .and_then(|stored| RawEvent::assemble(0, event.tid, stored.code, stored.count, &stored.body).ok());
    out.start(event.ts, event.tid, event.cpu, code);
    let mut number = 0;
    if conversion.action == Action::Add {
        for value in event.parameters() {
            out.bytes(value);
            number += 1;
        }
    }
    for from in &conversion.parameters {
        let kind = table
            .event(code)
            .and_then(|info| info.parameters.get(number))
            .map_or(ParameterType::None, |parameter| parameter.kind);
        match *from {
            From::Own(index) => out.bytes(event.parameter(usize::from(index)).unwrap_or_default()),
            From::Enter { parameter, or_empty } => {
                match enter.and_then(|enter| enter.parameter(usize::from(parameter))) {
                    Some(value) => out.bytes(value),
                    None if or_empty => out.empty(),
                    None => default(out, kind),
                }
            }
            From::Empty => out.empty(),
            From::Default => default(out, kind),
            From::ContainerJson => out.text(&container_json(event)),
        };
        number += 1;
    }
}

fn default(out: &mut EventEncoder, kind: ParameterType) -> &mut EventEncoder {
    match kind {
        ParameterType::Uid | ParameterType::Gid => out.u32(u32::MAX),
        // A descriptor that is not known is none, not standard input.
        ParameterType::Fd | ParameterType::Fd32 => out.empty(),
        kind => out.bytes([0u8; 16].get(..kind.width()).unwrap_or_default()),
    }
}

/// The first container events had id, type, name and image as parameters.
fn container_json(event: RawEvent<'_>) -> Vec<u8> {
    let text = |index| String::from_utf8_lossy(event.text(index).unwrap_or_default()).into_owned();
    serde_json::json!({
        "id": text(0),
        "type": event.unsigned(1).unwrap_or(0),
        "name": text(2),
        "image": text(3),
    })
    .to_string()
    .into_bytes()
}
