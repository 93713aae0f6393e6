//! Events one after the other, each with the state at its moment.

use std::cell::Cell;
use std::io::Read;
use std::ops::ControlFlow;

use crate::fields::{EventView, Moment, Syscall, SyscallCatalogue};
use crate::scap::{CaptureProblem, CaptureReader, Converted, Converter, Item, STATE_ONLY};
use crate::state::{Applied, Phase, State};
use crate::table::{EventCode, RawEvent, table};

/// Turns raw events, from wherever they come, into events that can be asked.
pub struct Inspector {
    catalogue: &'static SyscallCatalogue,
    converter: Converter,
    pub state: State,
    moment: Moment,
    shown: Cell<u64>,
    /// Users and groups becoming known are no events that are counted.
    uncounted: [Option<EventCode>; 4],
    containers: [Option<EventCode>; 3],
    seeded: bool,
    /// Something happened: until then, containers that become known are what was known before.
    started: bool,
}

impl Default for Inspector {
    fn default() -> Self {
        Self::new(State::new())
    }
}

impl Inspector {
    pub fn new(state: State) -> Self {
        let uncounted = ["USER_ADDED_E", "USER_DELETED_E", "GROUP_ADDED_E", "GROUP_DELETED_E"];
        Self {
            catalogue: Syscall::catalogue(),
            converter: Converter::new(),
            state,
            moment: Moment::default(),
            shown: Cell::new(0),
            uncounted: uncounted.map(|key| table().code(key)),
            containers: ["CONTAINER_E", "CONTAINER_JSON_E", "CONTAINER_JSON_2_E"]
                .map(|key| table().code(key)),
            seeded: false,
            started: false,
        }
    }

    pub fn catalogue(&self) -> &'static SyscallCatalogue {
        self.catalogue
    }

    /// Events counted so far.
    pub fn events(&self) -> u64 {
        self.moment.number
    }

    /// Takes what was known before the first event.
    pub fn seed(&mut self, item: Item<'_>) {
        if matches!(item, Item::Section { .. }) {
            self.converter.reset();
            (self.seeded, self.started) = (false, false);
        }
        self.state.seed(item);
    }

    /// Takes an event into account; nothing for those that nobody should see.
    pub fn event<'a>(&'a mut self, raw: RawEvent<'a>) -> Option<EventView<'a>> {
        if !self.seeded {
            self.state.seeded();
            self.seeded = true;
        }
        let counted = !self.uncounted.contains(&Some(raw.code));
        let tells_container = self.containers.contains(&Some(raw.code));
        if counted {
            self.moment.number += 1;
            if !tells_container {
                self.started = true;
                if self.moment.first_ts == 0 {
                    self.moment.first_ts = raw.ts;
                }
            }
        }
        let (event, phase) = match self.converter.convert(raw) {
            Converted::Current(event) => (event, Phase::Exit),
            Converted::Enter(event) => (event, Phase::Enter),
            Converted::Dropped => return None,
        };
        let applied: Applied = self.state.apply(&event, &raw, phase);
        let known_before = tells_container && !self.started;
        if !counted || known_before || raw.flags & STATE_ONLY != 0 {
            return None;
        }
        let moment = (self.moment, &self.shown);
        EventView::new((self.catalogue, &self.state), (event, raw), phase, applied, moment)
            .filter(|view| !view.is_internal())
    }
}

/// A capture with the state that it builds.
pub struct Replay<R> {
    reader: CaptureReader<R>,
    pub inspector: Inspector,
}

impl<R: Read> Replay<R> {
    pub fn new(reader: CaptureReader<R>, inspector: Inspector) -> Self {
        Self { reader, inspector }
    }

    pub fn reader(&self) -> &CaptureReader<R> {
        &self.reader
    }

    /// Visits every event until `visit` has enough or the capture ends. What was visited before a problem stays.
    pub fn run(
        &mut self,
        mut visit: impl FnMut(&EventView<'_>) -> ControlFlow<()>,
    ) -> Result<(), CaptureProblem> {
        while let Some(item) = self.reader.next_item()? {
            match item {
                Item::Event(raw) => {
                    if let Some(view) = self.inspector.event(raw)
                        && visit(&view).is_break()
                    {
                        return Ok(());
                    }
                }
                other => self.inspector.seed(other),
            }
        }
        Ok(())
    }

    /// Gives back the state, for the capture that follows.
    pub fn into_inspector(self) -> Inspector {
        self.inspector
    }
}
