//! The flight recorder: the last minutes are always on disk, in segments; an alert keeps what was before and after it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use yagura_events::inspect::Inspector;
use yagura_events::scap::{CaptureReader, CaptureWriter, Item, Limits, Rotation};
use yagura_events::table::RawEvent;
use yagura_model::alert::Priority;

use super::segments::{Compression, FileSegments, Output, preamble};
use crate::progress::complain;

const SECOND: u64 = 1_000_000_000;
/// Segments the window before an alert is cut into: the older ones go one by one.
const PARTS: u64 = 4;
/// Windows that wait for their end; alerts of the same rule share one.
const MAX_WINDOWS: usize = 16;
/// Bytes of a window's file, before compression; what is beyond is cut off and told.
const MAX_WINDOW_BYTES: u64 = 1 << 30;

/// What is kept, and when.
#[derive(Clone, Debug)]
pub struct RecorderSettings {
    pub directory: PathBuf,
    /// Seconds before an alert.
    pub before: u64,
    /// Seconds after it.
    pub after: u64,
    /// Bytes of one segment before compression.
    pub segment_bytes: u64,
    pub priority: Priority,
}

pub struct Recorder {
    settings: RecorderSettings,
    rotation: Option<Rotation<FileSegments>>,
    segments: FileSegments,
    windows: Vec<Window>,
    /// Time of the latest event.
    now: u64,
}

/// What an alert wants kept, in nanoseconds since 1970.
struct Window {
    rule: Arc<str>,
    alert: u64,
    from: u64,
    until: u64,
}

impl Recorder {
    /// Begins to record below the directory; what an earlier run left of its ring is removed.
    pub fn start(settings: RecorderSettings) -> Result<Self> {
        let ring = settings.directory.join("ring");
        if ring.exists() {
            fs::remove_dir_all(&ring).with_context(|| format!("emptying {}", ring.display()))?;
        }
        fs::create_dir_all(&ring).with_context(|| format!("making {}", ring.display()))?;
        let segments = FileSegments::new(&ring.join("segment.scap.gz"), Compression::Gzip, true);
        let limits = Limits {
            bytes: Some(settings.segment_bytes),
            seconds: Some((settings.before / PARTS).max(1)),
            // One is being written, one is cut by the window's beginning.
            segments: Some(PARTS + 2 + (settings.after * PARTS).div_ceil(settings.before.max(1))),
            ..Limits::default()
        };
        Ok(Self {
            settings,
            rotation: Some(Rotation::new(segments.clone(), limits)),
            segments,
            windows: Vec::new(),
            now: 0,
        })
    }

    /// Keeps an event; the state is that before it.
    pub fn event(&mut self, event: &RawEvent<'_>, inspector: &Inspector) -> Result<()> {
        self.now = self.now.max(event.ts);
        let Some(rotation) = &mut self.rotation else { return Ok(()) };
        if rotation.begins(event) {
            rotation.segments_mut().remember(&inspector.state)?;
        }
        rotation.event(event).context("recording")
    }

    /// An alert was raised at this event time.
    pub fn alert(&mut self, priority: Priority, rule: &Arc<str>, time: u64) {
        if priority > self.settings.priority {
            return;
        }
        let until = time.saturating_add(self.settings.after * SECOND);
        if let Some(open) = self.windows.iter_mut().find(|window| window.rule == *rule) {
            open.until = open.until.max(until);
        } else if self.windows.len() < MAX_WINDOWS {
            let from = time.saturating_sub(self.settings.before * SECOND);
            self.windows.push(Window { rule: Arc::clone(rule), alert: time, from, until });
        } else {
            complain(&format!(
                "warning: no capture is kept for `{rule}`: {MAX_WINDOWS} others are still open"
            ));
        }
    }

    /// Writes the windows that are over, `now` being the machine's time; all of them when `rest` is set.
    pub fn write(&mut self, now: u64, rest: bool) -> Result<Vec<PathBuf>> {
        if self.windows.iter().all(|window| !rest && window.until >= now) {
            return Ok(Vec::new());
        }
        if let Some(rotation) = &mut self.rotation {
            rotation.cut().context("ending a segment")?;
        }
        let mut written = Vec::new();
        let (over, open) =
            std::mem::take(&mut self.windows).into_iter().partition(|window| rest || window.until < now);
        self.windows = open;
        let over: Vec<Window> = over;
        for window in &over {
            written.push(self.write_window(window)?);
        }
        Ok(written)
    }

    fn write_window(&self, window: &Window) -> Result<PathBuf> {
        let path = self.settings.directory.join(file_name(window));
        let unfinished = path.with_extension("part");
        let ring = self.settings.directory.join("ring");
        let output = Output::create(&unfinished, Compression::Gzip)
            .with_context(|| format!("writing {}", unfinished.display()))?;
        let mut writer = CaptureWriter::new(output)?;
        let mut inspector = Inspector::default();
        let mut begun = false;
        let mut segments: Vec<PathBuf> = fs::read_dir(&ring)
            .with_context(|| format!("reading {}", ring.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "gz"))
            .collect();
        segments.sort();
        'segments: for segment in segments {
            let mut reader = CaptureReader::new(File::open(&segment)?)?;
            while let Some(item) = reader.next_item()? {
                match item {
                    // What happened before the window only leads to the state at its beginning.
                    Item::Event(event) if event.ts < window.from => {
                        let _ = inspector.event(event);
                    }
                    Item::Event(event) => {
                        if event.ts > window.until {
                            break 'segments;
                        }
                        if !begun {
                            begun = true;
                            preamble(&mut writer, &inspector.state)?;
                        }
                        if writer.bytes() > MAX_WINDOW_BYTES {
                            let shown = path.display();
                            complain(&format!("warning: {shown} is cut off at {MAX_WINDOW_BYTES} bytes"));
                            break 'segments;
                        }
                        writer.event(&event)?;
                    }
                    other if !begun => inspector.seed(other),
                    _ => {}
                }
            }
        }
        writer.finish()?.finish()?;
        fs::rename(&unfinished, &path).with_context(|| format!("naming {}", path.display()))?;
        Ok(path)
    }

    /// Ends recording: what alerts wait for is written as far as it is known.
    pub fn finish(&mut self) -> Result<Vec<PathBuf>> {
        let written = self.write(u64::MAX, true)?;
        if let Some(rotation) = self.rotation.take() {
            self.segments = rotation.finish()?;
        }
        Ok(written)
    }
}

/// Named from the alert: its time, and its rule as a file name can hold it.
fn file_name(window: &Window) -> String {
    let time = jiff::Timestamp::from_nanosecond(window.alert.into()).unwrap_or_default();
    let mut slug = String::new();
    for character in window.rule.chars().take(80) {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    format!("{}-{}.scap.gz", time.strftime("%Y%m%dT%H%M%S.%6fZ"), slug.trim_matches('-'))
}
