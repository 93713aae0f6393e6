//! Bar charts as inline SVG, described in words for those who do not see them.

use std::fmt::Write as _;

use super::escape;
use crate::terminal::fit_path;

const WIDTH: f64 = 360.0;
const LABEL: f64 = 128.0;
const NUMBER: f64 = 44.0;
const ROW: f64 = 26.0;
const BAR: f64 = 14.0;
/// Columns of a label.
pub const LABEL_COLUMNS: usize = 17;

/// One bar: its label, a longer text for when the label is cut, and its pieces by CSS class.
pub struct Bar {
    pub label: String,
    pub title: String,
    pub pieces: Vec<(&'static str, usize)>,
}

impl Bar {
    pub fn total(&self) -> usize {
        self.pieces.iter().map(|(_, count)| count).sum()
    }
}

/// Horizontal bars on one scale.
pub fn bars(name: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(Bar::total).max().unwrap_or_default().max(1);
    let height = ROW * bars.len() as f64;
    let words: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.label, bar.total())).collect();
    let mut svg = format!(
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape::text(&format!("{name}: {}", words.join(", ")))
    );
    let room = WIDTH - LABEL - NUMBER;
    for (at, bar) in bars.iter().enumerate() {
        let top = ROW * at as f64;
        let middle = top + ROW / 2.0 + 4.5;
        let label = fit_path(&bar.label, LABEL_COLUMNS);
        let _ = write!(
            svg,
            r#"<g><title>{}</title><text x="0" y="{middle}">{}</text>"#,
            escape::text(&bar.title),
            escape::text(&label)
        );
        let y = top + (ROW - BAR) / 2.0;
        let _ =
            write!(svg, r#"<rect class="track" x="{LABEL}" y="{y}" width="{room}" height="{BAR}" rx="4"/>"#);
        let mut x = LABEL;
        for (class, count) in bar.pieces.iter().filter(|(_, count)| *count > 0) {
            // A piece too thin to see is drawn thin rather than not at all.
            let width = (room * *count as f64 / most as f64).max(2.0).min(LABEL + room - x);
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{x:.1}" y="{y}" width="{width:.1}" height="{BAR}" rx="3"/>"#
            );
            x += width;
        }
        let _ = write!(
            svg,
            r#"<text class="soft" x="{WIDTH}" y="{middle}" text-anchor="end">{}</text></g>"#,
            crate::messages::grouped(bar.total() as u64)
        );
    }
    svg.push_str("</svg>");
    svg
}
