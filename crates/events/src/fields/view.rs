//! One event with the state it needs.

use std::cell::{Cell, OnceCell};
use std::ops::ControlFlow;

use yagura_model::field::{EventType, Field, FieldValue, Fields};

use super::catalogue::SyscallCatalogue;
use super::names::{FieldId, IDS};
use crate::state::{Applied, Container, Descriptor, Phase, State, Thread};
use crate::table::{EventFlags, EventInfo, RawEvent, table};

/// Where in a stream an event stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// From 1.
    pub number: u64,
    /// Nanoseconds since 1970.
    pub first_ts: u64,
}

/// One event, ready to answer.
pub struct EventView<'a> {
    pub(super) catalogue: &'a SyscallCatalogue,
    pub(super) state: &'a State,
    /// In today's form.
    pub(super) event: RawEvent<'a>,
    /// As it was recorded.
    pub(super) original: RawEvent<'a>,
    pub(super) info: &'static EventInfo,
    pub(super) original_info: &'static EventInfo,
    pub(super) phase: Phase,
    pub(super) applied: Applied,
    pub(super) moment: Moment,
    /// Time of the last event that was shown.
    pub(super) shown: &'a Cell<u64>,
    thread: Option<&'a Thread>,
    descriptor: OnceCell<Option<&'a Descriptor>>,
    container: OnceCell<Option<&'a Container>>,
}

impl<'a> EventView<'a> {
    /// `event` in today's form, after [`State::apply`]; `original` as it was recorded. Nothing for events that the
    /// table does not know.
    pub(crate) fn new(
        (catalogue, state): (&'a SyscallCatalogue, &'a State),
        (event, original): (RawEvent<'a>, RawEvent<'a>),
        phase: Phase,
        applied: Applied,
        (moment, shown): (Moment, &'a Cell<u64>),
    ) -> Option<Self> {
        let table = table();
        Some(Self {
            catalogue,
            state,
            event,
            original,
            info: table.event(event.code)?,
            original_info: table.event(original.code)?,
            phase,
            applied,
            moment,
            shown,
            thread: if applied.threadless { state.told_container() } else { state.thread(event.tid) },
            descriptor: OnceCell::new(),
            container: OnceCell::new(),
        })
    }

    pub fn event(&self) -> RawEvent<'a> {
        self.event
    }

    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// Says that people saw this event, which `evt.deltatime` counts from.
    pub fn mark_shown(&self) {
        self.shown.set(self.event.ts);
    }

    /// The thread that did it.
    pub fn thread(&self) -> Option<&'a Thread> {
        self.thread
    }

    pub fn state(&self) -> &'a State {
        self.state
    }

    pub(super) fn leader(&self) -> Option<&'a Thread> {
        self.state.leader(self.thread?)
    }

    /// Whether the event makes, uses or ends a descriptor.
    pub(super) fn is_about_descriptor(&self) -> bool {
        let flags = EventFlags::CREATES_FD | EventFlags::USES_FD | EventFlags::DESTROYS_FD;
        // Mappings tell their file only since they tell everything at their end.
        let told = self.applied.complete && self.phase == Phase::Exit;
        self.info.flags.has(flags) && (told || !self.info.name.starts_with("mmap"))
    }

    /// The descriptor that the event is about.
    pub fn descriptor(&self) -> Option<&'a Descriptor> {
        *self.descriptor.get_or_init(|| {
            if !self.is_about_descriptor() {
                return None;
            }
            self.descriptor_numbered(self.applied.fd?)
        })
    }

    /// The descriptor that the event names, whether its fields speak of it or not.
    pub fn used_descriptor(&self) -> Option<&'a Descriptor> {
        self.descriptor_numbered(self.applied.fd?)
    }

    pub(super) fn descriptor_numbered(&self, fd: i64) -> Option<&'a Descriptor> {
        self.state.descriptor(self.thread?, fd)
    }

    pub fn container(&self) -> Option<&'a Container> {
        *self.container.get_or_init(|| self.state.container(self.thread?))
    }

    /// The result of the call.
    pub fn result(&self) -> Option<i64> {
        self.event.signed(self.result_index()?)
    }

    pub(super) fn result_index(&self) -> Option<usize> {
        let parameters = &self.info.parameters;
        if parameters.first().is_some_and(|first| first.name == "res") {
            return Some(0);
        }
        if let Some(index) = self.info.parameter_index("res") {
            return Some(index);
        }
        if self.info.flags.has(EventFlags::CREATES_FD) && !self.info.is_enter() {
            return ["fd", "res_or_fd"].iter().find_map(|name| self.info.parameter_index(name));
        }
        None
    }

    /// Whether this is the end of a call, as rules want to see it, or another event that rules may see.
    pub fn is_exit(&self) -> bool {
        self.phase == Phase::Exit
    }

    /// Events about the capture itself and its clock, which nobody asks for.
    pub fn is_internal(&self) -> bool {
        self.info.category == crate::table::Category::Internal
            || self.original_info.category == crate::table::Category::Internal
    }
}

impl Fields for EventView<'_> {
    fn event_type(&self) -> Option<EventType> {
        Some(self.catalogue.type_of(&self.event))
    }

    fn time(&self) -> u64 {
        self.event.ts
    }

    fn value(&self, field: &Field) -> Option<FieldValue<'_>> {
        let id = *IDS.get(usize::from(field.id))?;
        let number = id as u16;
        if number < FieldId::FdNum as u16 {
            self.event_value(id, &field.argument)
        } else if number < FieldId::FsPathName as u16 {
            self.descriptor_value(id, &field.argument)
        } else if number < FieldId::ProcExe as u16 {
            self.path_value(id)
        } else if number < FieldId::UserUid as u16 {
            self.process_value(id, &field.argument)
        } else if number < FieldId::ContainerId as u16 {
            self.account_value(id)
        } else {
            self.container_value(id, &field.argument)
        }
    }

    fn each(&self, field: &Field, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        let Some(id) = IDS.get(usize::from(field.id)).copied() else { return };
        match id {
            FieldId::ProcAname
            | FieldId::ProcAexe
            | FieldId::ProcAexepath
            | FieldId::ProcAcmdline
            | FieldId::ProcApid
            | FieldId::ProcAargs
            | FieldId::ProcAenv
                if field.argument.index().is_none() =>
            {
                self.each_ancestor(id, &field.argument, visit);
            }
            FieldId::FdIp | FieldId::FdPort | FieldId::FdNet | FieldId::FdProto => self.each_end(id, visit),
            FieldId::FdTypes => self.each_type(&field.argument, visit),
            _ => {
                if let Some(value) = self.value(field) {
                    let _ = visit(value);
                }
            }
        }
    }
}
