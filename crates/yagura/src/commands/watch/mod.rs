//! `yagura watch`: rules over what happens now: on this machine, and what the API server posts.

mod audit;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use yagura_detect::threats::SourceId;
use yagura_events::fields::{EventView, SyscallCatalogue};
use yagura_events::inspect::Inspector;
use yagura_events::profile::EVENT_TYPES;
use yagura_events::table::RawEvent;
use yagura_report::alerts::AlertFormat;
use yagura_sensor::Options;

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::threats::Watch;
use crate::live::{Live, LiveProfile, Recorder, RecorderSettings, Visitor};
use crate::progress::complain;
use crate::threats::{self, Session, Sinks};
use audit::Listener;

/// The source of system events, as rules call it.
const SOURCE: &str = "syscall";
/// Bytes of a buffer that rules may look into.
const DATA_BYTES: u32 = 256;

pub fn run(arguments: &Watch, everywhere: &Everywhere) -> Result<Outcome> {
    let sinks = Sinks::open(&arguments.alerts, Some(AlertFormat::Text), everywhere.offline)?;
    let hostname = threats::hostname(&arguments.alerts);
    let mut session =
        Session::new(threats::load(&arguments.judgement)?, &arguments.judgement, &hostname, sinks)?;
    let mut listener = Listener::start(arguments, everywhere.quiet)?;
    let limit = arguments.duration.map(Duration::from_secs);
    if let Some(listener) = listener.as_mut().filter(|_| !arguments.sensor) {
        let start = Instant::now();
        while limit.is_none_or(|limit| start.elapsed() < limit)
            && arguments.max_events.is_none_or(|most| listener.number < most)
        {
            listener.wait(&mut session)?;
        }
        session.finish()?;
        return Ok(outcome(&session, arguments));
    }
    let Some(source) = session.source(SOURCE) else {
        bail!("none of the rules is about system calls: `yagura replay` judges logs");
    };
    let recorder = arguments.recorder.as_ref().map(|directory| {
        Recorder::start(RecorderSettings {
            directory: directory.clone(),
            before: arguments.before,
            after: arguments.after,
            segment_bytes: arguments.recorder_bytes << 20,
            priority: arguments.recorder_priority,
        })
    });
    let recorder = recorder.transpose()?;

    let profile = arguments.profile.as_deref().map(LiveProfile::create).transpose()?;
    let mut wanted = wanted(&session, source);
    if let Some(wanted) = wanted.as_mut().filter(|_| profile.is_some()) {
        wanted.extend(EVENT_TYPES.map(str::to_owned));
    }
    let mut live = Live::start(wanted.clone(), Options { data_bytes: DATA_BYTES, ..Options::default() })?;
    if !everywhere.quiet {
        complain(coverage(&live, &session, source, wanted.as_ref()).trim_end());
    }
    let mut watching = Watching { session, source, recorder, listener, profile };
    live.run(limit, everywhere.quiet, &mut watching)?;
    if let Some(recorder) = &mut watching.recorder {
        for path in recorder.finish()? {
            complain(&format!("kept {}", path.display()));
        }
    }
    watching.session.finish()?;
    if let Some(profile) = watching.profile.take() {
        profile.finish(&live.sensor().loss())?;
    }
    if let Some(lost) = live.loss().filter(|_| !everywhere.quiet) {
        complain(&format!("warning: {lost}"));
    }
    Ok(outcome(&watching.session, arguments))
}

fn outcome(session: &Session, arguments: &Watch) -> Outcome {
    let worst = session.worst();
    let over = arguments.fail_on.is_some_and(|least| worst.is_some_and(|worst| worst <= least));
    if over { Outcome::Findings } else { Outcome::Fine }
}

/// The names of the event types that the rules ask for; none when they ask for all.
fn wanted(session: &Session, source: SourceId) -> Option<BTreeSet<String>> {
    let catalogue = SyscallCatalogue::new();
    let types = session.event_types(source)?;
    Some(types.iter().map(|event_type| catalogue.type_name(event_type).to_owned()).collect())
}

/// What the kernel gave, and what the rules cannot see.
fn coverage(live: &Live, session: &Session, source: SourceId, wanted: Option<&BTreeSet<String>>) -> String {
    let coverage = live.sensor().coverage();
    let mut text = String::from("sensor:\n");
    for capability in &coverage.capabilities {
        let state = capability.problem.as_deref().unwrap_or("ok");
        let _ = writeln!(text, "  {:32} {state}", capability.name);
    }
    let types = wanted
        .map_or_else(|| "every event type".to_owned(), |wanted| format!("{} event types", wanted.len()));
    let _ = writeln!(text, "{} rules over {types}", session.rules(source));
    if !coverage.blind.is_empty() {
        let _ =
            writeln!(text, "  blind for {}: rules about these alone cannot match", coverage.blind.join(", "));
    }
    text
}

struct Watching {
    session: Session,
    source: SourceId,
    recorder: Option<Recorder>,
    listener: Option<Listener>,
    profile: Option<LiveProfile>,
}

impl Visitor for Watching {
    fn raw(&mut self, event: &RawEvent<'_>, inspector: &Inspector) -> Result<()> {
        match &mut self.recorder {
            Some(recorder) => recorder.event(event, inspector),
            None => Ok(()),
        }
    }

    fn event(&mut self, view: &EventView<'_>) -> Result<()> {
        if let Some(profile) = &mut self.profile {
            profile.see(view);
        }
        let alerts = self.session.judge(self.source, view)?;
        if alerts > 0
            && let Some(recorder) = &mut self.recorder
            && let Some((priority, rule)) = self.session.latest()
        {
            recorder.alert(priority, rule, view.event().ts);
        }
        Ok(())
    }

    fn moment(&mut self, inspector: &Inspector) -> Result<()> {
        if let Some(listener) = &mut self.listener {
            listener.look(&mut self.session)?;
        }
        if let Some(recorder) = &mut self.recorder {
            for path in recorder.write(inspector.state.now(), false)? {
                complain(&format!("kept {}", path.display()));
            }
        }
        Ok(())
    }
}
