//! Functions that know where the configuration lies. They read what the scan was given, and nothing outside of it.

use std::sync::Arc;

use yagura_formats::document::Span;
use yagura_model::SkipReason;

use super::{Evaluation, Name, Scope};
use crate::terraform::configuration::joined;
use crate::terraform::functions;
use crate::terraform::syntax::parse_template;
use crate::terraform::value::{Kind, Map, Outcome, Value};

/// How deep `templatefile` may call itself.
const MAX_TEMPLATES: usize = 8;

impl Evaluation<'_, '_> {
    /// `path.module`, `path.root`: as Terraform gives them when it is started in the root module.
    pub(super) fn path(&self, at: usize, name: &str, span: Span) -> Value {
        let Some(instance) = self.instance(at) else { return Value::unknown(span) };
        match name {
            "root" => Value::string(span, "."),
            "module" => Value::string(span, relative(instance.root, instance.module.directory)),
            _ => Value::reference(span, &format!("path.{name}")),
        }
    }

    /// Calls a function of this file; none when `name` is none.
    pub(super) fn file_function(
        &mut self,
        scope: Scope<'_>,
        span: Span,
        name: &str,
        arguments: &[Value],
    ) -> Option<Outcome> {
        let hashed = |text: Arc<str>, by: &str| functions::call(by, span, &[Value::string(span, text)]);
        match name {
            "abspath" | "pathexpand" => return Some(Ok(Value::unknown(span))),
            "basename" | "dirname" => {
                let path = match arguments.first()?.text() {
                    Ok(Some(path)) => path,
                    Ok(None) => return Some(Ok(Value::unknown(span))),
                    Err(detail) => return Some(Err(detail)),
                };
                let trimmed = path.trim_end_matches('/');
                let (directory, file) = trimmed.rsplit_once('/').unwrap_or((".", trimmed));
                let text = if name == "basename" { file } else { directory };
                return Some(Ok(Value::string(span, text)));
            }
            "templatestring" => {
                let text = match arguments.first()?.text() {
                    Ok(Some(text)) => text,
                    _ => return Some(Ok(Value::unknown(span))),
                };
                return Some(self.rendered(span, &text, 0, arguments.get(1), Some(span)));
            }
            "file" | "templatefile" | "fileexists" | "fileset" | "filebase64" | "filemd5" | "filesha1"
            | "filesha256" | "filesha512" | "filebase64sha256" | "filebase64sha512" => {}
            _ => return None,
        }
        let path = match arguments.first().map(Value::text) {
            Some(Ok(Some(path))) => path,
            Some(Err(detail)) => return Some(Err(detail)),
            _ => return Some(Ok(Value::unknown(span))),
        };
        let root = self.instance(scope.instance).map(|instance| instance.root).unwrap_or_default();
        let Some(path) = joined(root, &path) else {
            let detail = format!("{name}() reads outside of the root");
            self.tell(span, SkipReason::UnsafePath, detail);
            return Some(Ok(Value::unknown(span)));
        };
        // A file that is not here may be there where Terraform runs.
        let Some((source, text)) = self.files.texts.get(path.as_str()).copied() else {
            return Some(Ok(Value::unknown(span)));
        };
        Some(match name {
            "file" => Ok(Value::string(whole(source, text), text)),
            "templatefile" => self.rendered(span, text, source, arguments.get(1), None),
            "fileexists" => Ok(Value::bool(span, true)),
            "filebase64" => hashed(text.into(), "base64encode")?,
            "filemd5" => hashed(text.into(), "md5")?,
            "filesha1" => hashed(text.into(), "sha1")?,
            "filesha256" => hashed(text.into(), "sha256")?,
            "filesha512" => hashed(text.into(), "sha512")?,
            "filebase64sha256" => hashed(text.into(), "base64sha256")?,
            "filebase64sha512" => hashed(text.into(), "base64sha512")?,
            // What other files lie there is not known.
            _ => Ok(Value::unknown(span)),
        })
    }

    /// A template with its variables.
    fn rendered(
        &mut self,
        span: Span,
        text: &str,
        source: u32,
        variables: Option<&Value>,
        at: Option<Span>,
    ) -> Outcome {
        let empty = Map::new();
        let variables = match variables.map(|variables| &variables.kind) {
            None => &empty,
            Some(Kind::Map(entries)) => &**entries,
            Some(Kind::Unknown(_)) => return Ok(Value::unknown(span)),
            Some(_) => return Err("the variables of a template are no map".to_owned()),
        };
        if self.templates >= MAX_TEMPLATES {
            return Err("templates call one another too deeply".to_owned());
        }
        let template = parse_template(text, source)?;
        let names: Vec<(&str, &Value)> =
            variables.iter().map(|(name, (_, value))| (&**name, value)).collect();
        self.templates += 1;
        let result = self.with_names(&names, None, &template);
        self.templates -= 1;
        // A template's text counts from the top of its own file.
        let place = |value: Value| match at {
            Some(at) => value.at(at),
            None => value.at(whole(source, text)),
        };
        result.map(place)
    }

    fn with_names(
        &mut self,
        names: &[(&str, &Value)],
        outer: Option<&Name<'_>>,
        template: &crate::terraform::syntax::Expression<'_>,
    ) -> Outcome {
        /// Variables of one template.
        const MAX_NAMES: usize = 256;
        match names.split_first() {
            Some(((name, value), rest)) if names.len() <= MAX_NAMES => {
                self.with_names(rest, Some(&Name { name, value, outer }), template)
            }
            Some(_) => Err(format!("a template has more than {MAX_NAMES} variables")),
            // Templates see their variables and nothing else.
            None => self.value(Scope { instance: usize::MAX, names: outer }, template),
        }
    }
}

/// The place of a whole file. Its text starts on line 1, as a heredoc's starts on the line below its first.
fn whole(source: u32, text: &str) -> Span {
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    Span { start: 0, end, line: 0, column: 1, end_line: lines, source }
}

/// The way from one directory to another.
fn relative(from: &str, to: &str) -> String {
    let parts =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let shared = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let way: Vec<String> = up.chain(to.into_iter().skip(shared)).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}
