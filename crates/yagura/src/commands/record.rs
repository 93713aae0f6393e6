//! `yagura record`: what happens on this machine, as a capture.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use yagura_events::fields::EventView;
use yagura_events::inspect::Inspector;
use yagura_events::scap::{Limits, Rotation, STATE_ONLY};
use yagura_events::table::{EventFlags, RawEvent, table};
use yagura_sensor::Options;

use super::Outcome;
use super::replay::Printer;
use crate::arguments::Everywhere;
use crate::arguments::threats::Record;
use crate::live::{Compression, FileSegments, Live, LiveProfile, Visitor};
use crate::progress::complain;

/// The source of system events, as rules call it.
const SOURCE: &str = "syscall";

pub fn run(arguments: &Record, everywhere: &Everywhere) -> Result<Outcome> {
    if arguments.data_bytes > 4095 {
        bail!("--data-bytes {}: at most 4095 bytes of a buffer can be recorded", arguments.data_bytes);
    }
    let printer = Printer::new(None, arguments.filter.as_deref())?;
    let numbered = arguments.segment_seconds.is_some() || arguments.segment_bytes.is_some();
    let gzip = arguments.write.extension().is_some_and(|end| end == "gz") || arguments.gzip;
    let compression = if gzip { Compression::Gzip } else { Compression::None };
    let limits = Limits {
        bytes: arguments.segment_bytes.map(|mebibytes| mebibytes << 20),
        seconds: arguments.segment_seconds,
        events: None,
        segments: arguments.segments,
    };
    let rotation = Rotation::new(FileSegments::new(&arguments.write, compression, numbered), limits);
    let options = Options { data_bytes: arguments.data_bytes, ..Options::default() };
    let profile = arguments.profile.as_deref().map(LiveProfile::create).transpose()?;
    let mut live = Live::start(None, options)?;
    let mut recording = Recording { rotation, printer, most: arguments.events, profile };
    let limit = arguments.duration.map(Duration::from_secs);
    if !everywhere.quiet {
        complain(&format!("recording to {}; stop with Ctrl-C", arguments.write.display()));
    }
    live.run(limit, everywhere.quiet, &mut recording)?;
    let events = recording.rotation.events();
    recording.rotation.finish().with_context(|| format!("writing {}", arguments.write.display()))?;
    if let Some(profile) = recording.profile.take() {
        profile.finish(&live.sensor().loss())?;
    }
    if let Some(lost) = live.loss().filter(|_| !everywhere.quiet) {
        complain(&format!("warning: {lost}"));
    }
    if !everywhere.quiet {
        complain(&format!("{events} events recorded"));
    }
    Ok(Outcome::Fine)
}

struct Recording {
    rotation: Rotation<FileSegments>,
    printer: Printer,
    most: Option<u64>,
    profile: Option<LiveProfile>,
}

impl Visitor for Recording {
    fn raw(&mut self, _event: &RawEvent<'_>, _inspector: &Inspector) -> Result<()> {
        Ok(())
    }

    fn event(&mut self, view: &EventView<'_>) -> Result<()> {
        if self.most.is_some_and(|most| self.rotation.events() >= most) {
            return Ok(());
        }
        if let Some(profile) = &mut self.profile {
            profile.see(view);
        }
        let mut event = view.event();
        if !self.printer.heeds(SOURCE, view)? {
            let changes =
                table().event(event.code).is_some_and(|info| info.flags.has(EventFlags::MODIFIES_STATE));
            if !changes {
                return Ok(());
            }
            // Readers need it to understand what follows, and do not show it.
            event.flags |= STATE_ONLY;
        }
        if self.rotation.begins(&event) {
            self.rotation.segments_mut().remember(view.state())?;
        }
        self.rotation.event(&event).context("writing the capture")
    }

    fn moment(&mut self, _inspector: &Inspector) -> Result<()> {
        Ok(())
    }
}
