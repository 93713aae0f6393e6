//! Risks on the page: each with its score, its terms, its path as a picture, and its evidence.

use std::io::{self, Write};

use yagura_model::risk::{Change, Risk, Urgency};

use super::{Page, escape, path};
use crate::table::risks::{are_known, term_key};

/// Risks drawn; further ones are in the list below them.
const MAX_DRAWN: usize = 10;
/// Risks listed with their reason to wait.
const MAX_LISTED: usize = 200;
const MAX_CHANGES: usize = 6;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = page.report;
    if !are_known(&report.risks) {
        return Ok(());
    }
    writeln!(out, r#"<section class="card"><h2>{}</h2><ol class="risks">"#, page.word("risk.today"))?;
    let pressing = report.risks.iter().filter(|risk| risk.urgency != Urgency::Later).count().max(1);
    let drawn = pressing.min(MAX_DRAWN);
    for (at, risk) in report.risks.iter().take(drawn).enumerate() {
        one(page, risk, at == 0, out)?;
    }
    writeln!(out, "</ol></section>")?;
    changes(page, out)?;
    let rest = report.risks.get(drawn..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    let count = page.words.count("risk.others", rest.len());
    writeln!(out, r#"<section class="card"><details><summary>{count}</summary><ul class="plain">"#)?;
    for risk in rest.iter().take(MAX_LISTED) {
        writeln!(
            out,
            r#"<li><span class="soft">{:.1}</span> {} <span class="soft">— {}</span></li>"#,
            risk.score,
            escape::text(&risk.title),
            escape::text(&risk.reason)
        )?;
    }
    if rest.len() > MAX_LISTED {
        writeln!(out, "<li>{}</li>", page.word("html.cut"))?;
    }
    writeln!(out, "</ul></details></section>")
}

fn one(page: &Page<'_>, risk: &Risk, open: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<li id="{id}"><h3 class="risk"><span class="badge score {class}">{score:.1}{after}</span> <span class="wrap">{title}</span></h3>
<p>{reason}</p>"#,
        id = escape::text(&risk.id),
        class = risk.urgency.name(),
        score = risk.score,
        after = risk.after.map(|after| format!(" → {after:.1}")).unwrap_or_default(),
        title = escape::text(&risk.title),
        reason = escape::text(&risk.reason),
    )?;
    if risk.path.is_empty() {
        writeln!(out, r#"<p class="soft">{}</p>"#, page.word("risk.no-path"))?;
    } else {
        writeln!(out, r#"<div class="scroll">{}</div>"#, path::picture(page.word("risk.path"), &risk.path))?;
    }
    writeln!(out, r#"<dl class="terms">"#)?;
    for term in &risk.terms {
        let unknown = if term.known {
            String::new()
        } else {
            format!(r#" <span class="soft">({})</span>"#, page.word("risk.unknown"))
        };
        writeln!(
            out,
            r#"<dt>{}</dt><dd><meter min="0" max="1" value="{value:.2}">{value:.2}</meter> <b>{value:.2}</b> {}{unknown}</dd>"#,
            page.word(term_key(term.name)),
            escape::text(&term.fact),
            value = term.value,
        )?;
    }
    writeln!(out, "</dl>")?;
    if let Some(change) =
        risk.changes.first().and_then(|id| page.report.changes.iter().find(|one| one.id == *id))
    {
        writeln!(out, r#"<p class="do"><b>{}</b> {}</p>"#, page.word("risk.do"), instruction(change))?;
    }
    if !risk.path.is_empty() {
        let open = if open { " open" } else { "" };
        writeln!(
            out,
            r#"<details{open}><summary>{}</summary><ol class="hops">"#,
            page.word("risk.evidence")
        )?;
        for hop in &risk.path {
            writeln!(
                out,
                r#"<li><b>{}</b> <span class="badge">{}</span> {} → {}"#,
                escape::text(&hop.title),
                escape::text(&hop.technique),
                escape::text(&hop.from.label),
                escape::text(&hop.to.label)
            )?;
            for proof in &hop.evidence {
                let place = if proof.place.is_empty() {
                    String::new()
                } else {
                    format!(" <code>{}</code>", escape::text(&proof.place))
                };
                writeln!(out, r#"<div class="soft wrap">{}{place}</div>"#, escape::text(&proof.fact))?;
            }
            writeln!(out, "</li>")?;
        }
        writeln!(out, "</ol></details>")?;
    }
    writeln!(out, "</li>")
}

fn changes(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    if page.report.changes.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<section class="card"><h2>{}</h2><ol class="actions">"#, page.word("risk.changes"))?;
    for change in page.report.changes.iter().take(MAX_CHANGES) {
        let patch = if change.patch.is_empty() {
            String::new()
        } else {
            format!("<pre>{}</pre>", escape::text(&change.patch).replace('\u{240a}', "\n"))
        };
        writeln!(
            out,
            r#"<li><div class="wrap">{}<div class="soft">{}</div>{patch}</div><div><span class="to">−{:.0}%</span></div></li>"#,
            instruction(change),
            page.words.count("risk.ends", change.ends.len()),
            change.relief * 100.0
        )?;
    }
    writeln!(out, "</ol></section>")?;
    Ok(())
}

fn instruction(change: &Change) -> String {
    let place = match change.place.as_str() {
        "" => String::new(),
        place => format!(" <code>{}</code>", escape::text(place)),
    };
    format!("{}{place}", escape::text(&change.title))
}
