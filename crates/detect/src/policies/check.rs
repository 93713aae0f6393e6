//! Rules run over files: what belongs to one file is judged when it comes and then forgotten, so that memory does not
//! grow with a target; what rules about several resources need is kept until the end.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use yagura_configuration::source::{self, Reach};
use yagura_configuration::{Parsed, Resource, Source, SourceFile, Subject};
use yagura_formats::document::{Node, Span};
use yagura_language::cel::{Fault, Host, List, Outcome, Value};
use yagura_model::report::Suppressed;
use yagura_model::{Finding, Location, SkipReason, Skipped};

use super::compiled::{CompiledRule, Seen, Verdict};
use super::finding;
use super::proposal::Proposal;
use super::set::{Crossing, RuleSet};
use super::suppression::{self, Suppression};
use super::text::InvalidRule;

/// Most text kept for sources that want all their files at once, and for rules about several resources, in bytes.
pub const MAX_KEPT_BYTES: usize = 512 << 20;
/// Most findings of one target.
pub const MAX_FINDINGS: usize = 1_000_000;

/// What is the same for a whole target.
pub struct Settings<'s> {
    pub rules: &'s RuleSet,
    /// The target's name.
    pub target: &'s str,
    /// BCP 47 tag of the language findings are told in.
    pub language: &'s str,
    /// `YYYY-MM-DD`: which suppressions have expired.
    pub today: &'s str,
    /// Whether [`Checked::proposals`] is asked for.
    pub propose: bool,
}

/// What the rules say of a target.
#[derive(Debug, Default)]
pub struct Checked {
    pub findings: Vec<Finding>,
    /// What rules propose to do about findings.
    pub proposals: Vec<Proposal>,
    /// Taken out by a comment in the file.
    pub suppressed: Vec<Suppressed>,
    /// Verdicts that nobody can know, by rule.
    pub undecided: BTreeMap<String, Undecided>,
    pub skipped: Vec<Skipped>,
    pub notices: Vec<String>,
    /// Files that a source read.
    pub files: u64,
    /// Resources that were read.
    pub resources: u64,
    /// Judgements: a rule over a subject.
    pub judged: u64,
}

/// Verdicts of one rule that could not be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    pub count: u64,
    /// Where the first of them is.
    pub first: Location,
    /// What the expression met, where it was an error and not a value that cannot be known.
    pub error: Option<String>,
}

/// Takes the files of a target, in any order. Each thread has its own; [`Checker::join`] makes one of several.
pub struct Checker<'s> {
    settings: &'s Settings<'s>,
    crossing: Arc<Crossing>,
    by_kind: HashMap<String, Arc<[Arc<CompiledRule>]>>,
    kept: Vec<KeptFile>,
    kept_bytes: usize,
    pub(super) comments: BTreeMap<String, Vec<Suppression>>,
    broken: Vec<InvalidRule>,
    pub(super) checked: Checked,
}

/// A file whose resources (or whose text, for sources that want all at once) wait for the end.
struct KeptFile {
    path: String,
    text: String,
    source: &'static Source,
    /// None where the source has not read it yet.
    resources: Option<Vec<Resource<'static>>>,
}

/// One file of those that spans refer to.
#[derive(Clone, Copy)]
pub(super) struct FileText<'t> {
    pub path: &'t str,
    pub text: &'t str,
}

impl<'s> Checker<'s> {
    pub fn new(settings: &'s Settings<'s>, crossing: &Arc<Crossing>) -> Self {
        Self {
            settings,
            crossing: Arc::clone(crossing),
            by_kind: HashMap::new(),
            kept: Vec::new(),
            kept_bytes: 0,
            comments: BTreeMap::new(),
            broken: Vec::new(),
            checked: Checked::default(),
        }
    }

    /// Takes one file; `path` is relative to the target's root. A file no source recognises costs a look.
    pub fn file(&mut self, path: &str, text: &str) {
        let mut sources = source::of(path, text).peekable();
        if sources.peek().is_none() {
            return;
        }
        self.checked.files += 1;
        let comments = suppression::read(text);
        if !comments.is_empty() {
            self.comments.insert(path.to_owned(), comments);
        }
        for source in sources {
            if text.len() as u64 > source.max_bytes {
                let bound = source.max_bytes >> 20;
                self.skip(path, SkipReason::TooLarge, format!("larger than {bound} MiB"));
                continue;
            }
            match source.reach {
                Reach::Tree => self.keep(source, path, text, None),
                Reach::File => self.one(source, path, text),
            }
        }
    }

    fn skip(&mut self, path: &str, reason: SkipReason, detail: impl Into<String>) {
        self.checked.skipped.push(Skipped::new(path, reason, detail));
    }

    fn keep(
        &mut self,
        source: &'static Source,
        path: &str,
        text: &str,
        resources: Option<Vec<Resource<'static>>>,
    ) {
        // A tree of nodes weighs more than its text.
        let weight = text.len() * if resources.is_some() { 8 } else { 1 };
        if self.kept_bytes.saturating_add(weight) > MAX_KEPT_BYTES {
            let detail = "more configuration than is kept for rules about several resources";
            return self.skip(path, SkipReason::TooMany, detail);
        }
        self.kept_bytes += weight;
        self.kept.push(KeptFile { path: path.to_owned(), text: text.to_owned(), source, resources });
    }

    /// Reads and judges a file by itself, and keeps what other files' rules ask for.
    fn one(&mut self, source: &'static Source, path: &str, text: &str) {
        let mut parsed = Parsed::default();
        (source.parse)(&[SourceFile { path, text }], &mut parsed);
        self.problems(&parsed, &[FileText { path, text }]);
        self.checked.resources += parsed.resources.len() as u64;
        let mut crossing = false;
        for resource in &parsed.resources {
            (source.subjects)(resource, &mut |subject| {
                crossing |= self.crossing.concerns(subject.kind);
                self.subject(source, subject, resource, &[FileText { path, text }], None);
            });
        }
        if crossing {
            let concerns = |resource: &Resource<'_>| {
                let mut concerned = false;
                (source.subjects)(resource, &mut |subject| concerned |= self.crossing.concerns(subject.kind));
                concerned
            };
            let kept = parsed.resources.into_iter().filter(concerns).map(owned).collect();
            self.keep(source, path, text, Some(kept));
        }
    }

    /// Takes a resource that lies in no file.
    pub fn resource(&mut self, source: &Source, resource: &Resource<'_>) {
        self.checked.resources += 1;
        (source.subjects)(resource, &mut |subject| self.subject(source, subject, resource, &[], None));
    }

    fn problems(&mut self, parsed: &Parsed<'_>, files: &[FileText<'_>]) {
        for problem in &parsed.problems {
            let path = files.get(problem.source as usize).map_or("", |file| file.path);
            let detail = match problem.line {
                0 => problem.detail.clone(),
                line => format!("line {line}: {}", problem.detail),
            };
            self.skip(path, problem.reason, detail);
        }
    }

    fn rules(&mut self, kind: &str) -> Arc<[Arc<CompiledRule>]> {
        if let Some(rules) = self.by_kind.get(kind) {
            return Arc::clone(rules);
        }
        let (rules, wrong) = self.settings.rules.for_kind(kind);
        for error in wrong {
            if !self.broken.contains(&error) {
                self.broken.push(error);
            }
        }
        let rules: Arc<[Arc<CompiledRule>]> = rules.into();
        self.by_kind.insert(kind.to_owned(), Arc::clone(&rules));
        rules
    }

    /// Judges a subject: without a host by the rules that need nothing else, with one by those that do.
    fn subject(
        &mut self,
        source: &Source,
        subject: Subject<'_, '_>,
        resource: &Resource<'_>,
        files: &[FileText<'_>],
        host: Option<&Gathered<'_>>,
    ) {
        let rules = self.rules(subject.kind);
        for rule in rules.iter().filter(|rule| rule.asks.is_empty() == host.is_none()) {
            let path = files.get(subject.node.span.source as usize).map_or("", |file| file.path);
            self.checked.judged += 1;
            let verdict = {
                let seen = Seen {
                    node: subject.node,
                    object: subject.object,
                    pod: subject.pod,
                    role: subject.role,
                    kind: &resource.kind,
                    name: &resource.name,
                    path,
                };
                rule.judge(&seen, host.map(|gathered| gathered as &dyn Host<'_>))
            };
            match verdict {
                Verdict::Fine => {}
                Verdict::Wrong(spans) if self.checked.findings.len() < MAX_FINDINGS => {
                    let place = finding::Place { subject, resource, files, spans: &spans };
                    let made = finding::make(&rule.rule, &place, self.settings);
                    let first = spans.first().copied().unwrap_or(subject.node.span);
                    let lines = [first, subject.node.span, subject.object.span].map(|span| {
                        (files.get(span.source as usize).map_or("", |file| file.path), span.line)
                    });
                    let finding = made.id.clone();
                    let open = self.found(made, &lines);
                    if open && self.settings.propose {
                        let edits = rule.rule.patch.get(source.name).cloned().unwrap_or_default();
                        self.checked.proposals.push(Proposal {
                            rule: rule.rule.id.clone(),
                            finding,
                            source: source.name.to_owned(),
                            path: path.to_owned(),
                            resource: resource.name.clone(),
                            edits,
                            review: rule.rule.review,
                            subject: subject.node.span,
                            pod: subject.pod.map(|pod| pod.span),
                            object: subject.object.span,
                            evidence: spans,
                        });
                    }
                }
                Verdict::Wrong(_) => self.skip(path, SkipReason::TooMany, "more findings than are listed"),
                Verdict::Unknown => self.undecided(&rule.rule.id, path, subject.node.span, None),
                Verdict::Error(error) => {
                    self.undecided(&rule.rule.id, path, subject.node.span, Some(error));
                }
            }
        }
    }

    pub(super) fn undecided(&mut self, rule: &str, path: &str, span: Span, error: Option<String>) {
        let first = Location::line(path, span.line.max(1));
        let known = self.checked.undecided.entry(rule.to_owned());
        let undecided = known.or_insert(Undecided { count: 0, first, error: None });
        undecided.count += 1;
        if undecided.error.is_none() {
            undecided.error = error;
        }
    }

    /// Takes in a finding, or what suppresses it; whether it is open.
    pub(super) fn found(&mut self, finding: Finding, lines: &[(&str, u32)]) -> bool {
        for (at, (path, line)) in lines.iter().enumerate() {
            for comment in self.comments.get_mut(*path).into_iter().flatten() {
                // The place itself may lie within the block; what holds it must begin there.
                let speaks = if at == 0 { comment.covers(*line) } else { comment.of == *line };
                if !speaks || !comment.names(&finding.rule) {
                    continue;
                }
                comment.used = true;
                if comment.flaw(self.settings.today).is_none() {
                    self.checked.suppressed.push(Suppressed {
                        by: "comment".to_owned(),
                        source: format!("{path}:{}", comment.line),
                        reason: comment.reason.clone(),
                        finding,
                    });
                    return false;
                }
            }
        }
        self.checked.findings.push(finding);
        true
    }

    /// One of several that saw parts of the same target.
    pub fn join(checkers: impl IntoIterator<Item = Self>) -> Option<Self> {
        checkers.into_iter().reduce(|mut all, other| {
            all.kept.extend(other.kept);
            all.kept_bytes = all.kept_bytes.saturating_add(other.kept_bytes);
            all.comments.extend(other.comments);
            for error in other.broken {
                if !all.broken.contains(&error) {
                    all.broken.push(error);
                }
            }
            let checked = &mut all.checked;
            checked.findings.extend(other.checked.findings);
            checked.suppressed.extend(other.checked.suppressed);
            checked.proposals.extend(other.checked.proposals);
            checked.skipped.extend(other.checked.skipped);
            checked.files += other.checked.files;
            checked.resources += other.checked.resources;
            checked.judged += other.checked.judged;
            for (rule, undecided) in other.checked.undecided {
                match checked.undecided.get_mut(&rule) {
                    Some(known) => known.count += undecided.count,
                    None => {
                        checked.undecided.insert(rule, undecided);
                    }
                }
            }
            all
        })
    }

    /// Judges what needs to know everything, and gives what the rules say.
    pub fn finish(mut self) -> Checked {
        let mut kept = std::mem::take(&mut self.kept);
        // Threads bring files in any order.
        kept.sort_by(|a, b| (a.source.name, &a.path).cmp(&(b.source.name, &b.path)));
        let mut sets = Vec::new();
        for source in source::SOURCES.iter().filter(|source| source.reach == Reach::Tree) {
            let files: Vec<SourceFile<'_>> = kept
                .iter()
                .filter(|file| file.source.name == source.name && file.resources.is_none())
                .map(|file| SourceFile { path: &file.path, text: &file.text })
                .collect();
            if files.is_empty() {
                continue;
            }
            let mut parsed = Parsed::default();
            (source.parse)(&files, &mut parsed);
            let files: Vec<_> =
                files.iter().map(|file| FileText { path: file.path, text: file.text }).collect();
            self.problems(&parsed, &files);
            self.checked.resources += parsed.resources.len() as u64;
            for resource in &parsed.resources {
                (source.subjects)(resource, &mut |subject| {
                    self.subject(source, subject, resource, &files, None)
                });
            }
            sets.push((source, files, parsed.resources));
        }
        let single = kept.iter().filter_map(|file| {
            let text = FileText { path: &file.path, text: &file.text };
            Some((file.source, vec![text], file.resources.as_deref()?))
        });
        let of_trees =
            sets.iter().map(|(source, files, resources)| (*source, files.clone(), resources.as_slice()));
        let all: Vec<(&Source, Vec<FileText<'_>>, &[Resource<'_>])> = single.chain(of_trees).collect();
        let crossing = Arc::clone(&self.crossing);
        let mut gathered = Gathered::default();
        for (source, _, resources) in &all {
            for resource in *resources {
                (source.subjects)(resource, &mut |subject| {
                    if crossing.asked.contains(subject.kind) {
                        gathered.add(subject.kind, subject.node);
                    }
                });
            }
        }
        for (source, files, resources) in &all {
            for resource in *resources {
                (source.subjects)(resource, &mut |subject| {
                    self.subject(source, subject, resource, files, Some(&gathered));
                });
            }
        }
        self.told()
    }

    /// In order, once each, with what is to be said of rules and comments.
    fn told(self) -> Checked {
        let mut checked = self.checked;
        fn place(finding: &Finding) -> (&str, Option<u32>, Option<u32>, &str, &str) {
            let at = &finding.location;
            (&at.path, at.start_line, at.start_column, &finding.rule, &finding.evidence.resource)
        }
        checked.findings.sort_by(|a, b| place(a).cmp(&place(b)));
        // A module that is used twice says the same of the same line twice.
        checked.findings.dedup_by(|a, b| a.id == b.id && a.location == b.location);
        checked.suppressed.sort_by(|a, b| place(&a.finding).cmp(&place(&b.finding)));
        checked.skipped.sort();
        checked.notices.extend(self.broken.iter().map(|error| format!("A rule cannot be used: {error}")));
        for (path, comments) in &self.comments {
            for comment in comments {
                let line = comment.line;
                let ids = comment.ids.join(",");
                if let Some(flaw) = comment.flaw(self.settings.today) {
                    checked.notices.push(format!("The comment yagura:ignore={ids} at {path}:{line} {flaw}"));
                } else if !comment.used && comment.ids.iter().any(|id| self.settings.rules.knows(id)) {
                    let notice = format!(
                        "The comment yagura:ignore={ids} at {path}:{line} fits no finding and can go"
                    );
                    checked.notices.push(notice);
                }
            }
        }
        checked
    }
}

fn owned(resource: Resource<'_>) -> Resource<'static> {
    Resource { kind: resource.kind, name: resource.name, node: resource.node.into_owned() }
}

/// The subjects that `all("kind")` gives.
#[derive(Default)]
struct Gathered<'g> {
    by_kind: HashMap<String, Vec<&'g Node<'g>>>,
    lists: RefCell<HashMap<String, List<'g>>>,
    indices: RefCell<HashMap<(String, String), Arc<Index<'g>>>>,
}

/// Nodes by the text at a path, and whether one of them has a text that cannot be known.
#[derive(Default)]
struct Index<'g> {
    by_text: HashMap<String, List<'g>>,
    unsure: bool,
}

impl<'g> Gathered<'g> {
    fn add(&mut self, kind: &str, node: &'g Node<'g>) {
        match self.by_kind.get_mut(kind) {
            Some(nodes) => nodes.push(node),
            None => {
                self.by_kind.insert(kind.to_owned(), vec![node]);
            }
        }
    }

    fn nodes(&self, kind: &str) -> &[&'g Node<'g>] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    fn list(&self, kind: &str) -> List<'g> {
        if let Some(list) = self.lists.borrow().get(kind) {
            return list.clone();
        }
        let list = List::Nodes(self.nodes(kind).into());
        self.lists.borrow_mut().insert(kind.to_owned(), list.clone());
        list
    }

    fn index(&self, kind: &str, path: &str) -> Arc<Index<'g>> {
        let key = (kind.to_owned(), path.to_owned());
        if let Some(index) = self.indices.borrow().get(&key) {
            return Arc::clone(index);
        }
        let mut grouped: HashMap<String, Vec<&'g Node<'g>>> = HashMap::new();
        let mut unsure = false;
        let path: Vec<&str> = path.split('.').collect();
        for node in self.nodes(kind) {
            match path.iter().try_fold(*node, |node, key| node.get(key)) {
                Some(value) if value.is_unknown() => unsure = true,
                Some(value) => {
                    grouped.entry(value.scalar().unwrap_or_default().to_owned()).or_default().push(node)
                }
                None => grouped.entry(String::new()).or_default().push(node),
            }
        }
        let by_text = grouped.into_iter().map(|(text, nodes)| (text, List::Nodes(nodes.into()))).collect();
        let index = Arc::new(Index { by_text, unsure });
        self.indices.borrow_mut().insert(key, Arc::clone(&index));
        index
    }
}

impl<'a, 'g: 'a> Host<'a> for Gathered<'g> {
    fn call(&self, _function: usize, arguments: &[Value<'a>]) -> Outcome<'a> {
        match arguments {
            [Value::String(kind)] => Ok(Value::List(self.list(kind.as_str()))),
            [Value::String(kind), Value::String(path), wanted] => {
                let index = self.index(kind.as_str(), path.as_str());
                let text = match wanted {
                    Value::String(text) => text.as_str().to_owned(),
                    Value::Int(number) => number.to_string(),
                    Value::Bool(value) => value.to_string(),
                    _ => return Err(Fault::of("all() looks for a text, an int or a bool")),
                };
                match index.by_text.get(&text) {
                    Some(list) => Ok(Value::List(list.clone())),
                    None if index.unsure => Err(Fault::Unknown),
                    None => Ok(Value::List(List::Owned(Arc::from(Vec::new())))),
                }
            }
            _ => Err(Fault::of("all() takes a kind, or a kind, a path and a value")),
        }
    }
}
