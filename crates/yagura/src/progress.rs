//! What people see while work goes on: progress bars on a terminal, notes and complaints on standard error.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far long work is; silent when standard error is no terminal or the user asked for quiet.
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let bar = if visible { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        Self { bar, quiet }
    }

    /// A new stage of unknown length.
    pub fn stage(&self, text: impl Into<String>) {
        self.bar.unset_length();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            self.bar.set_style(style);
        }
        self.bar.set_message(text.into());
    }

    /// A new stage of `steps` steps.
    pub fn steps(&self, text: impl Into<String>, steps: u64) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{bar:24}] {pos}/{len}") {
            self.bar.set_style(style);
        }
        self.bar.set_length(steps);
        self.bar.set_position(0);
        self.bar.set_message(text.into());
    }

    /// One step of the stage is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Something the user should know, above the bar.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| complain(text));
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the bytes that come from a registry.
impl yagura_collect::registry::Progress for Progress {
    fn expect(&self, bytes: u64) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{bar:24}] {bytes}/{total_bytes}") {
            self.bar.set_style(style);
        }
        self.bar.set_length(bytes);
        self.bar.set_position(0);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

/// A line on standard error, with control characters made visible.
pub fn complain(text: &str) {
    let safe: String = text
        .chars()
        .map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    // Without standard error there is no one to tell.
    let _ = writeln!(std::io::stderr(), "{safe}");
}
