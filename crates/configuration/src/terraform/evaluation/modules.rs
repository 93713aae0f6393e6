//! Instances of modules.

use std::collections::HashMap;
use std::rc::Rc;

use yagura_formats::document::Span;
use yagura_model::SkipReason;

use super::reference::suffix;
use super::{
    Bindings, Caller, Children, Evaluation, Expansion, Instance, MAX_MODULE_DEPTH, MAX_MODULES, Scope,
};
use crate::cloud::Raw;
use crate::terraform::configuration::Module;
use crate::terraform::value::{Kind, Map, Value};

impl<'c, 'a> Evaluation<'c, 'a> {
    /// Everything a root module makes.
    pub(super) fn root(&mut self, directory: &'a str, resources: &mut Vec<Raw>) {
        let Some(module) = self.modules.get(directory) else { return };
        let first = self.instances.len();
        self.instances.push(Instance::new(module, directory));
        let mut at = first;
        // Instances that a walk finds are appended, and walked in their turn.
        while at < self.instances.len() {
            for call in &module_of(self, at).map(|module| module.calls.clone()).unwrap_or_default() {
                self.children(at, call.name);
            }
            self.resources(at, resources);
            at += 1;
        }
    }

    /// The instances that a call makes; none while their number is being evaluated, and for names without a call.
    pub(super) fn children(&mut self, at: usize, name: &str) -> Option<Rc<Children>> {
        let instance = self.instance(at)?;
        let call = *instance.module.calls.iter().find(|call| call.name == name)?;
        if let Some(known) = instance.children.get(name).cloned() {
            if known.is_none() {
                self.tell(call.block.span, SkipReason::Malformed, format!("module.{name} depends on itself"));
            }
            return known;
        }
        let (depth, prefix, path, root) =
            (instance.depth, instance.prefix.clone(), instance.path.clone(), instance.root);
        let directory = self.files.callee(instance.module.directory, &path, &call);
        if let Some(instance) = self.instances.get_mut(at) {
            instance.children.insert(call.name, None);
        }
        let found = directory.and_then(|directory| match self.modules.get(directory.as_str()) {
            None => Err(format!("{directory}/ holds no configuration")),
            Some(_) if depth + 1 >= MAX_MODULE_DEPTH => {
                Err(format!("modules are nested deeper than {MAX_MODULE_DEPTH}"))
            }
            Some(module) if self.calls_itself(at, module) => Err("the module calls itself".to_owned()),
            Some(module) => Ok(module),
        });
        let children = match found {
            Err(detail) => {
                let reason = SkipReason::Unsupported;
                self.tell(call.block.span, reason, format!("module {prefix}{name} is unknown: {detail}"));
                Children::Unknown
            }
            Ok(module) => {
                let expansion = self.expand(Scope::of(at), call.block);
                let mut made = Vec::new();
                for number in 0..expansion.len() {
                    if self.instances.len() >= MAX_MODULES {
                        let detail = format!("more than {MAX_MODULES} instances of modules");
                        self.tell(call.block.span, SkipReason::TooMany, detail);
                        break;
                    }
                    let mut child = Instance::new(module, root);
                    child.prefix = format!("{prefix}module.{name}{}.", suffix(&expansion, number)).into();
                    child.path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                    child.depth = depth + 1;
                    let bindings = expansion.bindings(number, call.block.span);
                    child.caller = Some(Caller { instance: at, call, bindings });
                    made.push(self.instances.len());
                    self.instances.push(child);
                }
                Children::Known(expansion, made)
            }
        };
        let children = Some(Rc::new(children));
        if let Some(instance) = self.instances.get_mut(at) {
            instance.children.insert(call.name, children.clone());
        }
        children
    }

    fn calls_itself(&self, at: usize, callee: &Module<'c, 'a>) -> bool {
        let mut above = Some(at);
        while let Some(instance) = above.and_then(|at| self.instance(at)) {
            if instance.module.directory == callee.directory {
                return true;
            }
            above = instance.caller.as_ref().map(|caller| caller.instance);
        }
        false
    }
}

fn module_of<'c, 'a>(evaluation: &Evaluation<'c, 'a>, at: usize) -> Option<&'c Module<'c, 'a>> {
    evaluation.instance(at).map(|instance| instance.module)
}

impl<'c, 'a> Instance<'c, 'a> {
    fn new(module: &'c Module<'c, 'a>, root: &'a str) -> Self {
        Self {
            module,
            prefix: "".into(),
            path: String::new(),
            root,
            depth: 0,
            caller: None,
            variables: HashMap::new(),
            locals: HashMap::new(),
            outputs: HashMap::new(),
            expansions: HashMap::new(),
            attributes: HashMap::new(),
            children: HashMap::new(),
            providers: HashMap::new(),
        }
    }
}

impl Expansion {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Single | Self::UnknownCount | Self::UnknownEach => 1,
            Self::Count(count) => *count,
            Self::Each(entries) => entries.len(),
        }
    }

    /// `count` or `each` of one instance.
    pub(super) fn bindings(&self, number: usize, span: Span) -> Bindings {
        let object = |entries: Vec<(&str, Value)>| {
            Value::map(
                span,
                entries.into_iter().map(|(key, value)| (key.into(), (span, value))).collect::<Map>(),
            )
        };
        match self {
            Self::Single => Vec::new(),
            Self::Count(_) | Self::UnknownCount => {
                let index = Value::number(span, i128::try_from(number).unwrap_or(i128::MAX));
                vec![("count", object(vec![("index", index)]))]
            }
            Self::Each(entries) => match entries.get(number) {
                Some((key, value)) => {
                    let key = Value::string(value.span, key.clone());
                    vec![("each", object(vec![("key", key), ("value", value.clone())]))]
                }
                None => Vec::new(),
            },
            Self::UnknownEach => {
                let part = |name: &str| Value::reference(span, &format!("each.{name}"));
                vec![("each", object(vec![("key", part("key")), ("value", part("value"))]))]
            }
        }
    }
}

/// Keys and values of a `for_each`.
type Entries = Vec<(std::sync::Arc<str>, Value)>;

/// What a `for_each` gives: the keys and values, or none when they are unknown.
pub(super) fn each_of(value: &Value) -> Result<Option<Entries>, String> {
    match &value.kind {
        Kind::Map(entries) => {
            Ok(Some(entries.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect()))
        }
        // A list is refused by Terraform itself, but what it means is plain.
        Kind::Set(items) | Kind::List(items) => {
            let mut entries = Vec::new();
            for item in items.iter() {
                match item.text()? {
                    Some(text) => entries.push((text, item.clone())),
                    None => return Ok(None),
                }
            }
            Ok(Some(entries))
        }
        Kind::Null => Ok(Some(Vec::new())),
        _ if value.is_unknown() => Ok(None),
        _ => Err("for_each needs a map or a set".to_owned()),
    }
}
