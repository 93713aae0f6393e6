//! A profile of what is used while this machine is watched: events, and what running programs had loaded before.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use yagura_events::fields::EventView;
use yagura_events::profile::{EVENT_TYPES, Profiler};
use yagura_sensor::Loss;

/// Longest list of mappings that is read of one process, in bytes.
const MAX_MAPS_BYTES: u64 = 16 << 20;

/// Gathers a profile and writes it at the end.
pub struct LiveProfile {
    out: File,
    profiler: Profiler,
    begun: bool,
}

impl LiveProfile {
    /// Makes the file, so that a wrong path is told before anything is watched.
    pub fn create(path: &Path) -> Result<Self> {
        let out = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { out, profiler: Profiler::default(), begun: false })
    }

    pub fn see(&mut self, view: &EventView<'_>) {
        self.profiler.see(view);
        if !std::mem::replace(&mut self.begun, true) {
            self.mapped_before(view);
        }
    }

    /// The libraries of programs that were running already.
    fn mapped_before(&mut self, view: &EventView<'_>) {
        let state = view.state();
        let leaders: Vec<i64> =
            state.threads().filter(|thread| thread.is_leader()).map(|thread| thread.tid).collect();
        for tid in leaders {
            // Who has ended meanwhile has nothing more to tell.
            let Ok(file) = File::open(format!("/proc/{tid}/maps")) else { continue };
            let mut text = Vec::new();
            if file.take(MAX_MAPS_BYTES).read_to_end(&mut text).is_err() {
                continue;
            }
            for path in executable_mappings(&text) {
                self.profiler.mapped_before(state, tid, path, view.event().ts);
            }
        }
    }

    /// Writes it. Losses of events that a profile is not made of do not count.
    pub fn finish(mut self, loss: &Loss) -> Result<()> {
        let counts = |name: &str| EVENT_TYPES.contains(&name) || matches!(name, "exec" | "fork");
        let lost = loss.lost.iter().filter(|(name, _)| counts(name)).map(|(_, count)| count).sum::<u64>();
        let profile = self.profiler.finish(lost + loss.unreadable);
        let mut out = BufWriter::new(&mut self.out);
        serde_json::to_writer(&mut out, &profile).context("writing the profile")?;
        out.write_all(b"\n").and_then(|()| out.flush()).context("writing the profile")
    }
}

/// Files whose code is mapped, each once, by `proc_pid_maps(5)`.
fn executable_mappings(text: &[u8]) -> Vec<&[u8]> {
    let mut paths: Vec<&[u8]> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut fields = line.splitn(6, |byte| *byte == b' ');
        let permissions = fields.nth(1).unwrap_or_default();
        let path = fields.nth(3).unwrap_or_default().trim_ascii_start();
        if permissions.get(2) == Some(&b'x') && path.starts_with(b"/") && !path.ends_with(b" (deleted)") {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::executable_mappings;

    #[test]
    fn mapped_code_is_told_once() {
        let text = b"55d0-55d1 r--p 00000000 fe:01 1 /usr/bin/cat\n55d1-55d2 r-xp 00001000 fe:01 1                 /usr/bin/cat\n\
7f00-7f01 r-xp 00000000 fe:01 2                          /opt/with space.so\n7f01-7f02 r-xp 00000000 fe:01 2                          /opt/with space.so\n\
7ffd-7ffe r-xp 00000000 00:00 0                          [vdso]\n7ffe-7fff r-xp 00000000 fe:01 3 /tmp/gone (deleted)\n";
        assert_eq!(executable_mappings(text), [&b"/opt/with space.so"[..], b"/usr/bin/cat"]);
    }
}
