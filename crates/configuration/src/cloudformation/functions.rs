//! Intrinsic functions, as tags (`!Ref`) and in the long form (`{"Fn::GetAtt": …}`).
//!
//! While a template is evaluated, an unknown value's tag is text with marks ([`symbol`]).

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Span, Value};
use yagura_model::SkipReason;

use super::stacks::{MAX_CHAIN, Stacks};
use crate::cloud::{structured, symbol};
use crate::terraform::functions::{MAX_TEXT, subnets};

impl<'t, 'a> Stacks<'t, 'a> {
    /// A value with its functions evaluated; none for `AWS::NoValue`.
    pub fn resolve(&mut self, at: usize, node: &Node<'_>) -> Option<Node<'static>> {
        let span = self.placed(at, node.span);
        if !self.spend(at, node.span) {
            return Some(Node::new(span, Value::Unknown));
        }
        if self.chain >= MAX_CHAIN {
            let detail = format!("functions are nested deeper than {MAX_CHAIN}");
            self.tell(at, node.span, SkipReason::TooDeep, detail);
            return Some(Node::new(span, Value::Unknown));
        }
        self.chain += 1;
        let resolved = match function(node) {
            Some((name, argument)) => self.call(at, name, &argument, span),
            None => self.plain(at, node, span),
        };
        self.chain -= 1;
        resolved
    }

    fn plain(&mut self, at: usize, node: &Node<'_>, span: Span) -> Option<Node<'static>> {
        let value = match &node.value {
            Value::Sequence(items) => {
                Value::Sequence(items.iter().filter_map(|item| self.resolve(at, item)).collect())
            }
            Value::Mapping(entries) => {
                let mut resolved = Vec::with_capacity(entries.len());
                for entry in entries {
                    let key_span = self.placed(at, entry.key.span);
                    if let Some(value) = self.resolve(at, &entry.value) {
                        let key = Node::new(key_span, entry.key.clone().into_owned().value);
                        resolved.push(Entry { key, value });
                    }
                }
                Value::Mapping(resolved)
            }
            other => Node::new(span, other.clone()).into_owned().value,
        };
        Some(Node::new(span, value))
    }

    fn placed(&self, at: usize, span: Span) -> Span {
        Span { source: self.template(at).map_or(0, |template| template.source), ..span }
    }

    fn call(&mut self, at: usize, name: &str, argument: &Node<'_>, span: Span) -> Option<Node<'static>> {
        let boolean = |value: Option<bool>| Node::new(span, value.map_or(Value::Unknown, Value::Bool));
        match name {
            "Ref" => self.reference(at, argument.scalar().unwrap_or_default(), span),
            "GetAtt" => Some(self.attribute(at, argument, span)),
            "Sub" => Some(self.substitute(at, argument, span)),
            "Join" => Some(self.join(at, argument, span)),
            "Select" => Some(self.select(at, argument, span)),
            "Split" => Some(self.split(at, argument, span)),
            "If" => self.choose(at, argument, span),
            "FindInMap" => Some(self.find_in_map(at, argument, span)),
            "ImportValue" => {
                let name = self.resolve(at, argument).map(|name| marked_text(&name)).unwrap_or_default();
                Some(unknown(span, &symbol::mark(&format!("ImportValue:{}", symbol::shown(&name)))))
            }
            // Who reads user data wants its text.
            "Base64" => self.resolve(at, argument),
            "GetAZs" => Some(unknown(span, &symbol::mark("AvailabilityZones"))),
            "Cidr" => Some(self.cidr(at, argument, span)),
            "ToJsonString" => {
                let value = self.resolve(at, argument)?;
                Some(structured::tagged(Node { span, ..value }))
            }
            "Length" => {
                let value = self.resolve(at, argument)?;
                Some(match value.value {
                    Value::Sequence(items) => {
                        Node::new(span, Value::Number(Cow::Owned(items.len().to_string())))
                    }
                    _ => Node::new(span, Value::Unknown),
                })
            }
            "Condition" => {
                let value = argument.scalar().and_then(|name| self.condition(at, name, span));
                Some(boolean(value))
            }
            "And" | "Or" | "Not" | "Equals" => {
                let value = self.verdict(at, name, argument);
                Some(boolean(value))
            }
            "Transform" => {
                let macro_name = argument.text_of("Name").unwrap_or_default();
                let detail = format!("the transform {macro_name} is unsupported: its result is unknown");
                self.tell(at, span, SkipReason::Unsupported, detail);
                Some(Node::new(span, Value::Unknown))
            }
            other => {
                let detail = format!("the function {other} is unsupported: its result is unknown");
                self.tell(at, span, SkipReason::Unsupported, detail);
                Some(Node::new(span, Value::Unknown))
            }
        }
    }

    /// A parameter, a pseudo parameter or a resource.
    fn reference(&mut self, at: usize, name: &str, span: Span) -> Option<Node<'static>> {
        match name {
            "AWS::NoValue" => return None,
            // Where nothing says otherwise, the usual partition.
            "AWS::Partition" => return Some(Node::new(span, Value::String(Cow::Borrowed("aws")))),
            _ if name.starts_with("AWS::") => return Some(unknown(span, &symbol::mark(name))),
            _ => {}
        }
        let prefix = self.stack(at).map(|stack| stack.prefix.clone()).unwrap_or_default();
        if let Some(parameter) = self.section(at, "Parameters", name) {
            let given = self.stack(at).and_then(|stack| stack.given.get(name).cloned());
            let kind = parameter.text_of("Type").unwrap_or("String");
            let value = match given {
                Some(given) => given,
                None => match parameter.get("Default") {
                    // The default is the name of a stored parameter, not its value.
                    Some(default) if !kind.starts_with("AWS::SSM::Parameter::Value") => {
                        let place = self.placed(at, default.span);
                        Node::new(place, default.clone().into_owned().value)
                    }
                    _ => return Some(unknown(span, &symbol::mark(&format!("{prefix}{name}")))),
                },
            };
            return Some(typed(value, kind));
        }
        if self.section(at, "Resources", name).is_none() {
            self.tell(at, span, SkipReason::Malformed, format!("there is no parameter or resource {name}"));
        }
        Some(unknown(span, &symbol::mark(&format!("{prefix}{name}"))))
    }

    /// `Resource.Attribute`, or both in a list.
    fn attribute(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let (id, attribute) = match (&argument.value, argument.items()) {
            (_, [id, attribute]) => {
                let attribute =
                    self.resolve(at, attribute).map(|text| marked_text(&text)).unwrap_or_default();
                (id.scalar().unwrap_or_default().to_owned(), attribute)
            }
            (Value::String(text), _) => match text.split_once('.') {
                Some((id, attribute)) => (id.to_owned(), attribute.to_owned()),
                None => (text.to_string(), String::new()),
            },
            _ => return Node::new(span, Value::Unknown),
        };
        if let Some(output) = attribute.strip_prefix("Outputs.")
            && let Some(value) = self.output(at, &id, output)
        {
            return value;
        }
        let prefix = self.stack(at).map(|stack| stack.prefix.clone()).unwrap_or_default();
        unknown(span, &symbol::mark(&format!("{prefix}{id}.{}", symbol::shown(&attribute))))
    }

    fn substitute(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let (text, variables) = match argument.items() {
            [text, variables] => (text, Some(variables)),
            [text] => (text, None),
            _ => (argument, None),
        };
        let Some(template) = text.string() else { return Node::new(span, Value::Unknown) };
        let mut result = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                result.push_str("${");
                rest = after;
                continue;
            };
            rest = tail;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let own = variables.and_then(|variables| variables.get(name));
            let value = match (own, name.contains('.')) {
                (Some(own), _) => self.resolve(at, own),
                (None, true) => {
                    let reference = Node::new(text.span, Value::String(Cow::Borrowed(name)));
                    Some(self.attribute(at, &reference, span))
                }
                (None, false) => self.reference(at, name, span),
            };
            if let Some(value) = value {
                result.push_str(&marked_text(&value));
            }
            if result.len() > MAX_TEXT {
                return Node::new(span, Value::Unknown);
            }
        }
        result.push_str(rest);
        // A text of several lines keeps its place, so that JSON in it keeps its own.
        text_or_unknown(self.placed(at, text.span), result)
    }

    fn join(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let [separator, list] = argument.items() else { return Node::new(span, Value::Unknown) };
        let separator = separator.scalar().unwrap_or_default();
        let Some(list) = self.resolve(at, list) else { return Node::new(span, Value::Unknown) };
        let Value::Sequence(items) = &list.value else { return Node::new(span, Value::Unknown) };
        let mut text = String::new();
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                text.push_str(separator);
            }
            text.push_str(&marked_text(item));
            if text.len() > MAX_TEXT {
                return Node::new(span, Value::Unknown);
            }
        }
        text_or_unknown(span, text)
    }

    fn select(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let [index, list] = argument.items() else { return Node::new(span, Value::Unknown) };
        let index = self.resolve(at, index).and_then(|index| index.scalar()?.parse::<usize>().ok());
        let Some(list) = self.resolve(at, list) else { return Node::new(span, Value::Unknown) };
        match (index, list.value) {
            (Some(index), Value::Sequence(items)) => {
                items.into_iter().nth(index).unwrap_or_else(|| Node::new(span, Value::Unknown))
            }
            _ => Node::new(span, Value::Unknown),
        }
    }

    fn split(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let [separator, text] = argument.items() else { return Node::new(span, Value::Unknown) };
        let separator = separator.scalar().unwrap_or_default();
        let text = self.resolve(at, text);
        let Some(text) = text.as_ref().and_then(Node::string).filter(|_| !separator.is_empty()) else {
            return Node::new(span, Value::Unknown);
        };
        let part = |part: &str| Node::new(span, Value::String(Cow::Owned(part.to_owned())));
        Node::new(span, Value::Sequence(text.split(separator).map(part).collect()))
    }

    fn choose(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Option<Node<'static>> {
        let [condition, then, otherwise] = argument.items() else {
            return Some(Node::new(span, Value::Unknown));
        };
        match condition.scalar().and_then(|name| self.condition(at, name, span)) {
            Some(true) => self.resolve(at, then),
            Some(false) => self.resolve(at, otherwise),
            None => {
                let (then, otherwise) = (self.resolve(at, then), self.resolve(at, otherwise));
                match (then, otherwise) {
                    // The same either way is known.
                    (Some(then), Some(otherwise))
                        if then.scalar().is_some() && then.scalar() == otherwise.scalar() =>
                    {
                        Some(then)
                    }
                    _ => Some(Node::new(span, Value::Unknown)),
                }
            }
        }
    }

    fn find_in_map(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let mut keys = Vec::new();
        let items = argument.items();
        for item in items.iter().take(3) {
            keys.push(self.resolve(at, item).and_then(|key| key.scalar().map(str::to_owned)));
        }
        let default = items.get(3).and_then(|default| default.get("DefaultValue"));
        let keys: Option<Vec<String>> = keys.into_iter().collect();
        let found = keys.as_deref().and_then(|keys| match keys {
            [map, first, second] => self.section(at, "Mappings", map)?.get(first)?.get(second),
            _ => None,
        });
        match (found, default) {
            (Some(found), _) => self.resolve(at, found).unwrap_or_else(|| Node::new(span, Value::Unknown)),
            // Keys that are known and not there give the default.
            (None, Some(default)) if keys.is_some() => {
                self.resolve(at, default).unwrap_or_else(|| Node::new(span, Value::Unknown))
            }
            _ => Node::new(span, Value::Unknown),
        }
    }

    fn cidr(&mut self, at: usize, argument: &Node<'_>, span: Span) -> Node<'static> {
        let mut words = Vec::new();
        for item in argument.items().iter().take(3) {
            words.push(self.resolve(at, item).and_then(|word| word.scalar().map(str::to_owned)));
        }
        let words: Option<Vec<String>> = words.into_iter().collect();
        let blocks = words.and_then(|words| {
            let number = |at: usize| words.get(at).map(|word| word.parse::<u32>());
            let bits = number(2).transpose().ok()?;
            subnets(words.first()?, number(1)?.ok()?, bits).ok()
        });
        let Some(blocks) = blocks else { return Node::new(span, Value::Unknown) };
        let block = |block: String| Node::new(span, Value::String(Cow::Owned(block)));
        Node::new(span, Value::Sequence(blocks.into_iter().map(block).collect()))
    }
}

/// The function that a node calls and its argument.
fn function<'n>(node: &'n Node<'_>) -> Option<(&'n str, Cow<'n, Node<'n>>)> {
    if let Some(name) =
        node.tag.as_deref().and_then(|tag| tag.strip_prefix('!')).filter(|name| !name.starts_with('!'))
    {
        // The argument without its tag, so that it is not called again.
        let argument = Node { tag: None, ..node.clone() };
        return Some((name, Cow::Owned(argument)));
    }
    let [only] = node.entries() else { return None };
    let name = match only.key.string()? {
        name @ ("Ref" | "Condition") => name,
        name => name.strip_prefix("Fn::")?,
    };
    // `Condition` is a property of policies as well; there it holds a mapping.
    if name == "Condition" && only.value.string().is_none() {
        return None;
    }
    Some((name, Cow::Borrowed(&only.value)))
}

pub(super) fn unknown(span: Span, marked: &str) -> Node<'static> {
    Node { span, tag: Some(marked.into()), value: Value::Unknown }
}

fn text_or_unknown(span: Span, text: String) -> Node<'static> {
    match text.contains(symbol::OPEN) {
        true => unknown(span, &text),
        false => Node::new(span, Value::String(Cow::Owned(text))),
    }
}

/// The text of a scalar, with marks where it is unknown.
fn marked_text(node: &Node<'_>) -> String {
    match (&node.value, node.scalar()) {
        (_, Some(text)) => text.to_owned(),
        (Value::Unknown, _) if node.tag.is_some() => node.tag.as_deref().unwrap_or_default().to_owned(),
        _ => symbol::mark(""),
    }
}

/// A parameter's value under its type.
fn typed(value: Node<'static>, kind: &str) -> Node<'static> {
    let list = kind == "CommaDelimitedList" || kind.starts_with("List<");
    match &value.value {
        Value::String(text) if list => {
            let span = value.span;
            let part = |part: &str| Node::new(span, Value::String(Cow::Owned(part.trim().to_owned())));
            let items = text.split(',').filter(|part| !part.trim().is_empty()).map(part).collect();
            Node::new(span, Value::Sequence(items))
        }
        // Numbers and booleans in YAML are text to a parameter of type String; rules read either.
        _ => value,
    }
}
