//! What kinds of configuration files there are: one declaration each, in one table.
//!
//! A source says which files it wants, by path and by content, and reads a set of them into resources. Whoever has
//! files (a directory, an image, an editor) asks the table and need not know any format.

use yagura_formats::document::Node;
use yagura_model::SkipReason;

use crate::Resource;

/// Every source. To add one is to add a row.
#[rustfmt::skip] // One a line: sources join it independently.
pub static SOURCES: &[Source] = &[
    crate::cloudformation::SOURCE,
    crate::compose::SOURCE,
    crate::dockerfile::SOURCE,
    crate::image::SOURCE,
    crate::kubernetes::SOURCE,
    crate::terraform::SOURCE,
];

/// A kind of configuration file.
pub struct Source {
    /// `kubernetes`, `dockerfile`, `terraform`, …: the key of examples and patches in rules.
    pub name: &'static str,
    /// How far what one file says reaches.
    pub reach: Reach,
    /// Whether a path (relative, `/`-separated) may be one of its files; asked before a byte is read.
    pub wants: fn(path: &str) -> bool,
    /// Whether the content is; asked of every file whose path is wanted, so it must be quick: look for words.
    pub recognises: fn(path: &str, text: &str) -> bool,
    /// Largest file that is read, in bytes.
    pub max_bytes: u64,
    /// Reads a set of files; [`yagura_formats::document::Span::source`] of every node is an index into it. Never fails:
    /// what cannot be read becomes a problem.
    pub parse: for<'a> fn(files: &[SourceFile<'a>], out: &mut Parsed<'a>),
    /// What rules may judge in a resource: the resource itself and the shapes within it.
    pub subjects: for<'r, 'a> fn(resource: &'r Resource<'a>, each: &mut dyn FnMut(Subject<'r, 'a>)),
    /// The name under which its examples in rules are read when they give none.
    pub example: &'static str,
}

/// How far what one file says reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A file means the same wherever it lies: `parse` gets one at a time.
    File,
    /// Files of a tree speak of one another (modules, nested stacks): `parse` gets all of a target at once.
    Tree,
}

/// One file handed to a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Relative to the target's root, `/`-separated.
    pub path: &'a str,
    pub text: &'a str,
}

/// What a set of files says.
#[derive(Debug, Default)]
pub struct Parsed<'a> {
    pub resources: Vec<Resource<'a>>,
    pub problems: Vec<Problem>,
}

/// Something of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Index of the file.
    pub source: u32,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    pub reason: SkipReason,
    pub detail: String,
}

/// What one rule judges at a time.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'r, 'a> {
    /// `kubernetes/Deployment`, `kubernetes/pod`, `kubernetes/container`, `aws/s3-bucket`, …
    pub kind: &'r str,
    /// `self` in rules.
    pub node: &'r Node<'a>,
    /// `object` in rules: the whole resource it stands in.
    pub object: &'r Node<'a>,
    /// `pod` in rules: what has `metadata` and `spec` of a pod, for subjects within one.
    pub pod: Option<&'r Node<'a>>,
    /// `role` in rules: which of several alike it is, such as `containers`, `initContainers`; else empty.
    pub role: &'static str,
}

impl<'r, 'a> Subject<'r, 'a> {
    /// The resource as a whole.
    pub fn whole(resource: &'r Resource<'a>) -> Self {
        Self { kind: &resource.kind, node: &resource.node, object: &resource.node, pod: None, role: "" }
    }
}

/// [`Source::subjects`] of sources whose resources hold no shapes of their own.
pub fn whole_only<'r, 'a>(resource: &'r Resource<'a>, each: &mut dyn FnMut(Subject<'r, 'a>)) {
    each(Subject::whole(resource));
}

/// The source of a name.
pub fn named(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

/// Whether any source wants a path.
pub fn wanted(path: &str) -> bool {
    SOURCES.iter().any(|source| (source.wants)(path))
}

/// The sources whose file this is.
pub fn of<'t>(path: &'t str, text: &'t str) -> impl Iterator<Item = &'static Source> + 't {
    SOURCES.iter().filter(move |source| (source.wants)(path) && (source.recognises)(path, text))
}

/// The extension of a path, in lower case as people write it, `""` where it has none.
pub fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

impl Parsed<'_> {
    /// Takes over a span tree's problems as those of a file.
    pub fn tree_problems(&mut self, source: u32, problems: &[yagura_formats::document::Problem]) {
        // A repeated key loses nothing: the last one counts, as it does for whoever applies the file.
        self.problems.extend(problems.iter().filter_map(|problem| {
            let detail = problem.detail.clone();
            Some(Problem { source, line: problem.line, reason: problem.reason?, detail })
        }));
    }
}
