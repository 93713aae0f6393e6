//! `yagura graph access`: who may do what in a cluster, and what that leads to.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use yagura_assess::access::powers::{Held, held, powers};
use yagura_assess::access::{Access, Grant, Request, defaults};
use yagura_assess::kubernetes::Cluster;
use yagura_assess::kubernetes::access::Subject;
use yagura_report::terminal;

use super::{Outcome, tell};
use crate::arguments::{Everywhere, GraphAccess, TableFormat};
use crate::output;
use crate::progress::Progress;
use crate::stack;

/// One line of the answer.
#[derive(Serialize)]
struct Line {
    subject: String,
    /// A namespace, or `cluster`.
    scope: String,
    /// What it may, in words.
    may: String,
    /// Where it was read: the binding, and the rule.
    because: String,
}

pub fn run(arguments: &GraphAccess, everywhere: &Everywhere) -> Result<Outcome> {
    let progress = Progress::new(everywhere.quiet);
    let subject = arguments.of.as_deref().map(subject).transpose()?;
    let stack = stack::read(&arguments.paths)?;
    let defaults = defaults();
    let access = Access::new(&stack.cluster, &defaults);
    let show = Show { cluster: &stack.cluster, defaults: &defaults };
    let mut notes: Vec<String> =
        stack.skipped.iter().map(|skipped| format!("{}: {}", skipped.path, skipped.detail)).collect();
    notes.extend(access.dangling.iter().map(|binding| {
        let place = stack.cluster.show(binding.place);
        format!(
            "{place}: {} binds {}, which was not read: it grants nothing here",
            binding.name, binding.role
        )
    }));
    let lines = match (&arguments.who, &subject) {
        (Some(request), of) => {
            let (verb, what) = (&request[0], &request[1]);
            let (resource, group) = what.split_once('.').unwrap_or((what, ""));
            let request = if what.starts_with('/') {
                Request::Url { verb, path: what }
            } else {
                Request::Resource {
                    verb,
                    group,
                    resource,
                    name: arguments.name.as_deref(),
                    namespace: arguments.namespace.as_deref(),
                }
            };
            let may = format!("{verb} {what}");
            let who: Vec<(&Subject, Grant<'_>)> = match of {
                Some(subject) => {
                    access.allows(subject, request).into_iter().map(|grant| (subject, grant)).collect()
                }
                None => access.who(request),
            };
            who.into_iter().map(|(subject, grant)| show.line(subject, &grant, &may)).collect()
        }
        (None, Some(subject)) => {
            let grants = access.grants(subject);
            grants.iter().map(|grant| show.line(subject, grant, &words(grant))).collect()
        }
        (None, None) => {
            let powers = powers().map_err(|error| anyhow!(error))?;
            let mut lines = Vec::new();
            for subject in access.subjects() {
                let grants = access.grants(subject);
                let all = held(&powers, &grants);
                // Whoever may do everything need not be told the rest.
                let rules_all = |scope: Option<&str>| {
                    all.iter().any(|held| held.power.id == "everything" && held.scope == scope)
                };
                let told = |held: &&Held<'_>| held.power.id == "everything" || !rules_all(held.scope);
                for held in all.iter().filter(told) {
                    let named = match held.names.as_slice() {
                        [] => String::new(),
                        names => format!(" ({})", names.join(", ")),
                    };
                    let mut because: Vec<String> =
                        held.grants.iter().map(|grant| show.because(grant)).collect();
                    because.dedup();
                    lines.push(Line {
                        subject: subject.to_string(),
                        scope: held.scope.unwrap_or("cluster").to_owned(),
                        may: format!("{}{named} [{}]", held.power.title, held.power.technique),
                        because: because.join("; "),
                    });
                }
            }
            lines
        }
    };
    output::print(&written(&lines, arguments.output)?)?;
    tell(&progress, &notes);
    Ok(Outcome::Fine)
}

/// `user:NAME`, `group:NAME`, `NAMESPACE/NAME` of a service account, or Kubernetes' own `system:serviceaccount:…`.
fn subject(text: &str) -> Result<Subject> {
    if let Some(name) = text.strip_prefix("user:") {
        return Ok(Subject::of_user(name.to_owned()));
    }
    if let Some(name) = text.strip_prefix("group:") {
        return Ok(Subject::Group(name.to_owned()));
    }
    if text.starts_with("system:serviceaccount:") {
        return Ok(Subject::of_user(text.to_owned()));
    }
    match text.split_once('/') {
        Some((namespace, name)) => {
            Ok(Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        None => {
            bail!("`{text}` is nobody: write NAMESPACE/NAME for a service account, user:NAME or group:NAME")
        }
    }
}

/// Names places of the input and of Kubernetes' own roles.
struct Show<'c> {
    cluster: &'c Cluster,
    defaults: &'c Cluster,
}

impl Show<'_> {
    fn line(&self, subject: &Subject, grant: &Grant<'_>, may: &str) -> Line {
        Line {
            subject: subject.to_string(),
            scope: grant.scope.unwrap_or("cluster").to_owned(),
            may: may.to_owned(),
            because: self.because(grant),
        }
    }

    fn because(&self, grant: &Grant<'_>) -> String {
        let own = |known: bool| if known { self.cluster } else { self.defaults };
        let binding = own(self.cluster.bindings.iter().any(|binding| std::ptr::eq(binding, grant.binding)));
        let role = own(self.cluster.roles.iter().any(|role| std::ptr::eq(role, grant.role)));
        format!(
            "{} ({}) binds {} ({})",
            grant.binding.name,
            binding.show(grant.binding.place),
            grant.role.name,
            role.show(grant.rule.place)
        )
    }
}

/// A rule in words.
fn words(grant: &Grant<'_>) -> String {
    let rule = grant.rule;
    if !rule.urls.is_empty() {
        return format!("{} {}", rule.verbs.join(","), rule.urls.join(","));
    }
    let group = match rule.groups.as_slice() {
        [group] if group.is_empty() => String::new(),
        groups => format!(
            " of {}",
            groups
                .iter()
                .map(|group| if group.is_empty() { "core" } else { group })
                .collect::<Vec<_>>()
                .join(",")
        ),
    };
    let names = match rule.names.as_slice() {
        [] => String::new(),
        names => format!(" named {}", names.join(",")),
    };
    format!("{} {}{group}{names}", rule.verbs.join(","), rule.resources.join(","))
}

fn written(lines: &[Line], format: TableFormat) -> Result<String> {
    let mut text = String::new();
    match format {
        TableFormat::Json => {
            text = serde_json::to_string_pretty(lines)?;
            text.push('\n');
        }
        TableFormat::Csv => {
            text.push_str("subject,scope,may,because\n");
            for line in lines {
                let fields =
                    [&line.subject, &line.scope, &line.may, &line.because].map(|one| output::csv_field(one));
                let _ = writeln!(text, "{}", fields.join(","));
            }
        }
        TableFormat::Table => {
            let head = ["SUBJECT", "SCOPE", "MAY"];
            let columns = |line: &Line| {
                [&line.subject, &line.scope, &line.may].map(|one| terminal::escape(one).into_owned())
            };
            let widths = [0, 1, 2].map(|at| {
                let widest = lines.iter().map(|line| terminal::width(&columns(line)[at])).max();
                widest.unwrap_or(0).max(head[at].len())
            });
            let mut row = |cells: [&str; 3], last: &str| {
                for (cell, width) in cells.iter().zip(widths) {
                    let _ = write!(text, "{}  ", terminal::pad(cell, width));
                }
                let _ = writeln!(text, "{last}");
            };
            row(head, "BECAUSE");
            for line in lines {
                let [subject, scope, may] = columns(line);
                row([&subject, &scope, &may], &terminal::escape(&line.because));
            }
            if lines.is_empty() {
                text.push_str("nobody\n");
            }
        }
    }
    Ok(text)
}
