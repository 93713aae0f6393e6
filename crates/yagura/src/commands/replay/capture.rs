//! Captures of system events.

use std::io::Read;
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use yagura_events::inspect::{Inspector, Replay};
use yagura_events::scap::CaptureReader;

use super::Work;
use super::audit::handle;
use crate::progress::complain;

/// Every event of a capture. What comes before damage counts, and the damage is told.
pub fn read(name: &str, stream: Box<dyn Read + Send>, work: &mut Work) -> Result<()> {
    let reader = CaptureReader::new(stream).context("opening the capture")?;
    let mut handled = Ok(());
    let ended = Replay::new(reader, Inspector::default()).run(|event| {
        handled = handle("syscall", event, work);
        if handled.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    handled?;
    if let Err(problem) = ended {
        work.summary.skipped += 1;
        complain(&format!("warning: {name}: {problem}"));
    }
    Ok(())
}
