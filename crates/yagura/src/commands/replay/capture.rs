//! Captures of system events: state, rules, formats, copies and profiles.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use yagura_events::inspect::Inspector;
use yagura_events::profile::Profiler;
use yagura_events::scap::{CaptureReader, Item};
use yagura_events::table::{EventFlags, table};

use super::Work;
use super::copy::Copy;
use crate::progress::complain;

/// The source of system events, as rules name it.
const SOURCE: &str = "syscall";

/// What is kept from one capture to the next.
pub struct Captures {
    inspector: Inspector,
    copy: Option<Copy>,
    profiler: Option<Profiler>,
    lost: u64,
}

impl Captures {
    /// `copy` receives the events that are heeded; a profile is gathered if asked for.
    pub fn new(copy: Option<&Path>, profile: bool) -> Result<Self> {
        Ok(Self {
            inspector: Inspector::default(),
            copy: copy.map(Copy::create).transpose()?,
            profiler: profile.then(Profiler::default),
            lost: 0,
        })
    }

    /// Gives each event of a capture to the work. One that breaks off is told of, and what it had before counts.
    pub fn read(&mut self, name: &str, stream: Box<dyn Read + Send>, work: &mut Work) -> Result<()> {
        let mut reader = CaptureReader::new(stream).context("opening the capture")?;
        let table = table();
        let mut problem = None;
        loop {
            let raw = match reader.next_item() {
                Ok(Some(Item::Event(raw))) => raw,
                Ok(Some(item)) => {
                    if let (Item::Section { .. }, Some(copy)) = (&item, &mut self.copy) {
                        copy.start_over();
                    }
                    self.inspector.seed(item);
                    continue;
                }
                Ok(None) => break,
                Err(found) => {
                    problem = Some(found);
                    break;
                }
            };
            if let Some(copy) = &mut self.copy {
                copy.before(&self.inspector.state)?;
            }
            let mut heeded = false;
            if let Some(view) = self.inspector.event(raw)
                && work.printer.heeds(SOURCE, &view)?
            {
                heeded = true;
                if let Some(profiler) = &mut self.profiler {
                    profiler.see(&view);
                }
                work.printer.print(SOURCE, &view)?;
                view.mark_shown();
                // Rules see a call once, at its end.
                let mut alerts = 0;
                if view.is_exit()
                    && let Some(session) = &mut work.session
                    && let Some(id) = session.source(SOURCE)
                {
                    alerts = session.judge(id, &view)?;
                }
                work.summary.count(SOURCE, &view, alerts);
            }
            if let Some(copy) = &mut self.copy {
                let changes = table.event(raw.code).is_some_and(|info| {
                    info.flags
                        .has(EventFlags::MODIFIES_STATE | EventFlags::CREATES_FD | EventFlags::CONVERTED)
                });
                if heeded || changes {
                    copy.event(raw, heeded)?;
                }
            }
        }
        let counts = reader.counts();
        let lost = self.inspector.state.lost();
        if !work.quiet {
            if let Some(problem) = &problem {
                complain(&format!(
                    "warning: {name}: {problem}; the {} events before that were read",
                    counts.events
                ));
            }
            for (count, what) in [
                (counts.unknown_events, "events of kinds newer than this program were passed over"),
                (counts.corrupt_events, "events that are not whole were passed over"),
                (counts.corrupt_entries, "entries before the events could not be understood"),
                (lost.saturating_sub(self.lost), "threads and descriptors were forgotten for want of room"),
            ] {
                if count > 0 {
                    complain(&format!("warning: {name}: {count} {what}"));
                }
            }
        }
        self.lost = lost;
        work.summary.skipped += counts.unknown_events + counts.corrupt_events;
        match problem {
            // Nothing at all was read: that is no capture to speak of.
            Some(problem) if counts.events == 0 => Err(problem.into()),
            _ => Ok(()),
        }
    }

    /// Ends the copy, and writes the profile as JSON.
    pub fn finish(self, profile: Option<&mut File>) -> Result<()> {
        if let Some(copy) = self.copy {
            copy.finish().context("finishing the copy")?;
        }
        if let (Some(profiler), Some(out)) = (self.profiler, profile) {
            let mut out = BufWriter::new(out);
            serde_json::to_writer(&mut out, &profiler.finish(0)).context("writing the profile")?;
            out.write_all(b"\n").and_then(|()| out.flush()).context("writing the profile")?;
        }
        Ok(())
    }
}
