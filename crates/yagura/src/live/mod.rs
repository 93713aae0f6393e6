//! What happens on this machine, as it happens: the sensor's events with the state they build, until somebody says stop.

mod health;
mod profile;
mod recorder;
mod segments;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use yagura_events::fields::EventView;
use yagura_events::inspect::Inspector;
use yagura_events::table::RawEvent;
use yagura_sensor::{Options, Sensor, machine};

use crate::progress::complain;
use health::Health;
pub use profile::LiveProfile;
pub use recorder::{Recorder, RecorderSettings};
pub use segments::{Compression, FileSegments};

/// How long one look at the rings waits.
const LOOK: Duration = Duration::from_millis(5);

/// Takes the machine's events; the second argument knows the state at that moment.
pub trait Visitor {
    /// Before the event changes anything.
    fn raw(&mut self, event: &RawEvent<'_>, inspector: &Inspector) -> Result<()>;
    /// The event as rules and formats see it.
    fn event(&mut self, event: &EventView<'_>) -> Result<()>;
    /// Between looks, however little happens.
    fn moment(&mut self, inspector: &Inspector) -> Result<()>;
}

/// The sensor and what is known of the machine.
pub struct Live {
    sensor: Sensor,
    inspector: Inspector,
    stop: Arc<AtomicBool>,
    health: Health,
}

impl Live {
    /// Starts the sensor, then looks at what is there already: what begins in between is seen twice, not missed.
    pub fn start(wanted: Option<BTreeSet<String>>, settings: Options) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).context("installing a signal handler")?;
        }
        let sensor = Sensor::start(&Options { wanted, ..settings })?;
        let mut inspector = Inspector::default();
        machine::describe(Path::new("/proc"), Path::new("/etc"), sensor.boot(), &mut |item| {
            inspector.seed(item)
        });
        Ok(Self { sensor, inspector, stop, health: Health::default() })
    }

    pub fn sensor(&self) -> &Sensor {
        &self.sensor
    }

    /// Visits every event until a signal comes, or `limit` has passed.
    pub fn run(&mut self, limit: Option<Duration>, quiet: bool, visitor: &mut dyn Visitor) -> Result<()> {
        let start = Instant::now();
        while !self.stop.load(Ordering::Relaxed) && limit.is_none_or(|limit| start.elapsed() < limit) {
            let Self { sensor, inspector, .. } = self;
            let mut failed = None;
            sensor.poll(LOOK, &mut |raw| {
                if failed.is_none() {
                    failed = visit(raw, inspector, visitor).err();
                }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
            visitor.moment(&self.inspector)?;
            for complaint in self.health.check(&self.sensor) {
                if !quiet {
                    complain(&complaint);
                }
            }
        }
        Ok(())
    }

    /// What the sensor lost, in words; nothing when it lost nothing.
    pub fn loss(&self) -> Option<String> {
        health::loss(&self.sensor.loss())
    }
}

fn visit(raw: RawEvent<'_>, inspector: &mut Inspector, visitor: &mut dyn Visitor) -> Result<()> {
    visitor.raw(&raw, inspector)?;
    match inspector.event(raw) {
        Some(view) => visitor.event(&view),
        None => Ok(()),
    }
}
