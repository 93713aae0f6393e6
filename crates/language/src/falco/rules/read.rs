//! From YAML to items, with everything checked that one item alone can get wrong.

use std::collections::BTreeSet;

use yagura_formats::document::{Entry as Pair, Node, Value};
use yagura_model::alert::Priority;

use super::collect::Collector;
use super::items::{Entry, Exception, ListItem, MacroItem, PluginRequirement, Rule, RuleItem, RuleUpdate};
use super::result::{Context, ErrorCode, LoadResult, Problem, WarningCode};
use super::versions::{ENGINE_VERSION, Version};
use crate::falco::condition;

/// The source of rules that name none.
pub(super) const SYSCALL: &str = "syscall";

const DEPRECATED_APPEND: &str = "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under \
                                 'override' instead.";
const DEPRECATED_ENABLED: &str = "The standalone 'enabled' key usage is deprecated. The correct approach requires also \
                                  a 'replace' entry under the 'override' key (i.e. 'enabled: replace').";
const OVERRIDE_AND_APPEND: &str = "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry \
                                   (e.g. 'condition: append') under 'override' instead.";

const APPENDABLE: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
const REPLACEABLE: &[&str] = &[
    "condition",
    "output",
    "desc",
    "priority",
    "capture",
    "capture_duration",
    "tags",
    "exceptions",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
];
const RULE_KEYS: &[&str] = &[
    "rule",
    "condition",
    "output",
    "desc",
    "priority",
    "source",
    "enabled",
    "capture",
    "capture_duration",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "tags",
    "exceptions",
    "override",
    "append",
];

pub(super) type Failure = Box<Problem<ErrorCode>>;
pub(super) type Done<T = ()> = Result<T, Failure>;

fn fail<T>(message: impl Into<String>, context: &Context) -> Done<T> {
    let (code, message, context) = (ErrorCode::YamlValidate, message.into(), context.clone());
    Err(Box::new(Problem { code, message, context }))
}

/// Reads the items of one document of a file.
pub(super) fn document(node: &Node<'_>, collector: &mut Collector<'_>, result: &mut LoadResult) -> Done {
    let file = Context::file(&result.name);
    match &node.value {
        Value::Null => Ok(()),
        Value::Sequence(items) => {
            for item in items.iter().filter(|item| !item.is_null()) {
                Reader { item, file: &file, result, collector }.read()?;
            }
            Ok(())
        }
        Value::Mapping(_) => fail("Rules content is not yaml array of objects", &file),
        _ => fail("Rules content is not yaml", &file),
    }
}

/// One item of a file.
struct Reader<'a, 'n, 's> {
    item: &'a Node<'n>,
    file: &'a Context,
    result: &'a mut LoadResult,
    collector: &'a mut Collector<'s>,
}

impl Reader<'_, '_, '_> {
    fn read(&mut self) -> Done {
        let context = self.file.within("rules content item", "", self.item.span);
        if !matches!(self.item.value, Value::Mapping(_)) {
            return fail(
                "Unexpected element type. Each element should be a yaml associative array.",
                &context,
            );
        }
        if self.item.get("required_engine_version").is_some() {
            self.engine_version()
        } else if self.item.get("required_plugin_versions").is_some() {
            self.plugin_versions()
        } else if self.item.get("list").is_some() {
            self.list()
        } else if self.item.get("macro").is_some() {
            self.macro_item()
        } else if self.item.get("rule").is_some() {
            self.rule()
        } else {
            self.result.warn(WarningCode::UnknownItem, "Unknown top level item", &context);
            Ok(())
        }
    }

    fn engine_version(&mut self) -> Done {
        let context = self.file.within("required_engine_version", "", self.item.span);
        let text = text(self.item, "required_engine_version", &context)?;
        let version = match text.parse::<u32>() {
            // A bare number is how versions were written before they had three parts.
            Ok(number) => Version { major: 0, minor: number.into(), patch: 0 },
            Err(_) => match Version::parse(text) {
                Some(version) => version,
                None => {
                    let message = format!(
                        "Unable to parse engine version '{text}' as a semver string. Expected \"x.y.z\" semver format."
                    );
                    return fail(message, &context);
                }
            },
        };
        if !ENGINE_VERSION.serves(version) {
            let message =
                format!("Rules require engine version {version}, but engine version is {ENGINE_VERSION}");
            return Err(Box::new(Problem { code: ErrorCode::Validate, message, context }));
        }
        self.warn_unknown_keys(&["required_engine_version"], &context);
        Ok(())
    }

    fn plugin_versions(&mut self) -> Done {
        let Some(node) = self.item.get("required_plugin_versions") else { return Ok(()) };
        let context = self.file.within("required plugin versions", "", node.span);
        let Value::Sequence(plugins) = &node.value else {
            return fail("Value of required_plugin_versions must be a sequence", &context);
        };
        for plugin in plugins {
            let mut alternatives = Vec::new();
            let entry = context.within("required plugin versions entry", "", plugin.span);
            if !matches!(plugin.value, Value::Mapping(_)) {
                return fail("Plugin version must be a mapping", &entry);
            }
            let name = text(plugin, "name", &entry)?;
            let entry = context.within("required plugin versions entry", name, plugin.span);
            alternatives.push((name.to_owned(), text(plugin, "version", &entry)?.to_owned()));
            if let Some(others) = plugin.get("alternatives") {
                let Value::Sequence(others) = &others.value else {
                    return fail("Value of plugin version alternatives must be a sequence", &entry);
                };
                for other in others {
                    let place = entry.within("required plugin versions alternative", "", other.span);
                    if !matches!(other.value, Value::Mapping(_)) {
                        return fail("Plugin version alternative must be a mapping", &place);
                    }
                    let name = text(other, "name", &place)?;
                    alternatives.push((name.to_owned(), text(other, "version", &place)?.to_owned()));
                }
            }
            self.collector.require_plugin(PluginRequirement { alternatives, context: entry })?;
        }
        self.warn_unknown_keys(&["required_plugin_versions"], &context);
        Ok(())
    }

    fn list(&mut self) -> Done {
        let context = self.file.within("list", "", self.item.span);
        let name = text(self.item, "list", &context)?.to_owned();
        let context = self.file.within("list", &name, self.item.span);
        if !condition_name(&name) {
            let message = "List has an invalid name. List names should match a regular expression: \
                           ([^()\"'[:space:]=,]+)";
            self.result.warn(WarningCode::InvalidListName, message, &context);
        }
        let Some(items) = self.item.get("items") else {
            return fail("Item has no mapping for key 'items'", &context);
        };
        let items = texts(items, "items", &context)?;
        let append = self.append_flag(&context)?;
        let overrides = self.overrides(&["items"], &["items"], append, &context)?;
        let list = ListItem { name, items, context: context.clone(), index: 0, visibility: 0 };
        if append || overrides.append.contains("items") {
            self.collector.append_list(list)?;
        } else {
            self.collector.define_list(list);
        }
        self.warn_unknown_keys(&["list", "items", "append", "override"], &context);
        Ok(())
    }

    fn macro_item(&mut self) -> Done {
        let context = self.file.within("macro", "", self.item.span);
        let name = text(self.item, "macro", &context)?.to_owned();
        let context = self.file.within("macro", &name, self.item.span);
        if !is_identifier(&name) {
            let message = "Macro has an invalid name. Macro names should match a regular expression: \
                           ([a-zA-Z]+[a-zA-Z0-9_]*)";
            self.result.warn(WarningCode::InvalidMacroName, message, &context);
        }
        let condition = text(self.item, "condition", &context)?.to_owned();
        let condition_context = self.value_context("macro condition", "condition", &context);
        let append = self.append_flag(&context)?;
        let overrides = self.overrides(&["condition"], &["condition"], append, &context)?;
        let item = MacroItem {
            name,
            condition,
            context: context.clone(),
            condition_context,
            index: 0,
            visibility: 0,
        };
        if append || overrides.append.contains("condition") {
            self.collector.append_macro(&item)?;
        } else {
            self.collector.define_macro(item);
        }
        self.warn_unknown_keys(&["macro", "condition", "append", "override"], &context);
        Ok(())
    }

    fn rule(&mut self) -> Done {
        let context = self.file.within("rule", "", self.item.span);
        let name = text(self.item, "rule", &context)?.to_owned();
        let context = self.file.within("rule", &name, self.item.span);
        let source = match self.item.get("source").map(|node| &node.value) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) if text.is_empty() => String::new(),
            Some(_) => text(self.item, "source", &context)?.to_owned(),
        };
        let append = self.append_flag(&context)?;
        let overrides = self.overrides(APPENDABLE, REPLACEABLE, append, &context)?;
        let given = |key: &str| self.item.get(key).is_some();
        if !overrides.append.is_empty() || !overrides.replace.is_empty() {
            self.override_rule(&name, &source, &overrides, &context)?;
        } else if append {
            let mut update = RuleUpdate::new(name, source, context.clone());
            if given("condition") {
                update.condition = Some(text(self.item, "condition", &context)?.to_owned());
            }
            if given("exceptions") {
                update.exceptions = Some(self.exceptions(&context, true)?);
            }
            self.collector.append_rule(update)?;
        } else if !["condition", "output", "desc", "priority"].into_iter().any(given) {
            if !given("enabled") {
                return fail("Item has no mapping for key 'enabled'", &context);
            }
            let enabled = self.flag("enabled", &context)?.unwrap_or(true);
            self.result.warn(WarningCode::DeprecatedItem, DEPRECATED_ENABLED, &context);
            self.collector.enable(&name, enabled, &context)?;
        } else {
            self.define_rule(name, source, &context)?;
        }
        self.warn_unknown_keys(RULE_KEYS, &context);
        Ok(())
    }

    fn define_rule(&mut self, name: String, source: String, context: &Context) -> Done {
        let condition = text(self.item, "condition", context)?.to_owned();
        let output = text(self.item, "output", context)?.trim().to_owned();
        let description = text(self.item, "desc", context)?.to_owned();
        let priority = self.priority(context)?;
        let rule = Rule {
            name,
            description,
            condition,
            output,
            priority,
            source: if source.is_empty() { SYSCALL.to_owned() } else { source },
            tags: self.tags(context)?,
            enabled: self.flag("enabled", context)?.unwrap_or(true),
            capture: self.flag("capture", context)?.unwrap_or(false),
            capture_duration: self.number("capture_duration", context)?.unwrap_or(0),
        };
        let item = RuleItem {
            rule,
            exceptions: self.exceptions(context, false)?,
            warn_event_types: self.flag("warn_evttypes", context)?.unwrap_or(true),
            skip_if_unknown_filter: self.flag("skip-if-unknown-filter", context)?.unwrap_or(false),
            unknown_source: false,
            context: context.clone(),
            condition_context: self.value_context("rule condition", "condition", context),
            output_context: self.value_context("rule output", "output", context),
        };
        self.collector.define_rule(item, self.result)
    }

    fn override_rule(&mut self, name: &str, source: &str, overrides: &Overrides, context: &Context) -> Done {
        let mut expected: BTreeSet<&str> = APPENDABLE
            .iter()
            .chain(REPLACEABLE)
            .copied()
            .filter(|key| self.item.get(key).is_some())
            .collect();
        for (kind, keys) in [("append", &overrides.append), ("replace", &overrides.replace)] {
            if keys.is_empty() {
                continue;
            }
            let mut update = RuleUpdate::new(name.to_owned(), String::new(), context.clone());
            for key in keys {
                if !expected.remove(key.as_str()) {
                    let message =
                        format!("An {kind} override for '{key}' was specified but '{key}' is not defined");
                    return fail(message, context);
                }
                self.read_override(key, kind, source, &mut update, context)?;
            }
            match kind {
                "append" => self.collector.append_rule(update)?,
                _ => self.collector.replace_in_rule(update)?,
            }
        }
        match expected.first().and_then(|key| Some((key, self.item.get(key)?))) {
            Some((key, node)) => {
                let message =
                    format!("Unexpected key '{key}': no corresponding entry under 'override' is defined.");
                fail(message, &context.within("overrides", key, node.span))
            }
            None => Ok(()),
        }
    }

    fn read_override(
        &mut self,
        key: &str,
        kind: &str,
        source: &str,
        update: &mut RuleUpdate,
        context: &Context,
    ) -> Done {
        let own = |text: &str| Some(text.to_owned());
        match key {
            "condition" => {
                update.source = source.to_owned();
                update.condition = own(text(self.item, key, context)?);
            }
            "output" => update.output = own(text(self.item, key, context)?),
            "desc" => update.description = own(text(self.item, key, context)?),
            "tags" => update.tags = Some(self.tags(context)?),
            "exceptions" => update.exceptions = Some(self.exceptions(context, kind == "append")?),
            "priority" => update.priority = Some(self.priority(context)?),
            "capture" => update.capture = self.flag(key, context)?,
            "capture_duration" => update.capture_duration = self.number(key, context)?,
            "enabled" => update.enabled = self.flag(key, context)?,
            "warn_evttypes" => update.warn_event_types = self.flag(key, context)?,
            _ => update.skip_if_unknown_filter = self.flag(key, context)?,
        }
        Ok(())
    }

    fn priority(&self, context: &Context) -> Done<Priority> {
        let priority = text(self.item, "priority", context)?;
        match priority.parse() {
            Ok(priority) => Ok(priority),
            Err(_) => fail("Invalid priority", &self.value_context("rule priority", "priority", context)),
        }
    }

    fn tags(&self, context: &Context) -> Done<BTreeSet<String>> {
        match self.item.get("tags") {
            Some(tags) => Ok(texts(tags, "tags", context)?.into_iter().collect()),
            None => Ok(BTreeSet::new()),
        }
    }

    fn exceptions(&mut self, context: &Context, append: bool) -> Done<Vec<Exception>> {
        let mut exceptions: Vec<Exception> = Vec::new();
        let Some(node) = self.item.get("exceptions").filter(|node| !node.is_null()) else {
            return Ok(exceptions);
        };
        let all = context.within("exceptions", "", node.span);
        let Value::Sequence(items) = &node.value else {
            return fail("Rule exceptions must be a sequence", &all);
        };
        for item in items {
            let place = all.within("exception", "", item.span);
            if !matches!(item.value, Value::Mapping(_)) {
                return fail("Rule exception must be a mapping", &place);
            }
            let name = text(item, "name", &place)?.to_owned();
            let place = context.within("exception", &name, item.span);
            if exceptions.iter().any(|known| known.name == name) {
                let message = format!("Multiple definitions of exception '{name}' in the same rule");
                self.result.warn(WarningCode::ExceptionNameNotUnique, message, &place);
            }
            let fields = match item.get("fields") {
                Some(fields) => Some(entry(fields, "fields", &place)?),
                None if append => None,
                None => return fail("Item has no mapping for key 'fields'", &place),
            };
            let comparisons = item.get("comps").map(|comps| entry(comps, "comps", &place)).transpose()?;
            let mut values = Vec::new();
            match item.get("values") {
                Some(node) => {
                    let place = place.within("exception values", "", node.span);
                    let Value::Sequence(items) = &node.value else {
                        return fail("Rule exception values must be a sequence", &place);
                    };
                    for value in items {
                        values.push(entry(value, "", &place.within("exception value", "", value.span))?);
                    }
                }
                None if append => {
                    let message = "Overriding/appending exception with no values";
                    self.result.warn(WarningCode::AppendNoValues, message, &place);
                }
                None => {}
            }
            exceptions.push(Exception { name, fields, comparisons, values, context: place });
        }
        Ok(exceptions)
    }

    fn append_flag(&mut self, context: &Context) -> Done<bool> {
        let append = self.flag("append", context)?.unwrap_or(false);
        if append {
            self.result.warn(WarningCode::DeprecatedItem, DEPRECATED_APPEND, context);
        }
        Ok(append)
    }

    fn overrides(
        &self,
        appendable: &[&str],
        replaceable: &[&str],
        append: bool,
        context: &Context,
    ) -> Done<Overrides> {
        let mut overrides = Overrides::default();
        let Some(node) = self.item.get("override") else { return Ok(overrides) };
        let all = context.within("overrides", "", self.item.span);
        for Pair { key, value } in node.entries() {
            let name = key.scalar().unwrap_or_default();
            let operation = value.scalar().unwrap_or_default();
            let place = all.within("overrides", name, key.span);
            let (may_append, may_replace) = (appendable.contains(&name), replaceable.contains(&name));
            match operation {
                "append" if may_append => overrides.append.insert(name.to_owned()),
                "replace" if may_replace => overrides.replace.insert(name.to_owned()),
                "append" => {
                    return fail(
                        format!("Key '{name}' cannot be appended to, use 'replace' instead"),
                        &place,
                    );
                }
                "replace" => return fail(format!("Key '{name}' cannot be replaced"), &place),
                other => {
                    let mut message = format!(
                        "Invalid override operation for key '{name}': '{other}'. Allowed values are: "
                    );
                    message.push_str(if may_append { "append " } else { "" });
                    message.push_str(if may_replace { "replace " } else { "" });
                    return fail(message, &all.within("value for", name, value.span));
                }
            };
        }
        if append && !(overrides.append.is_empty() && overrides.replace.is_empty()) {
            return fail(OVERRIDE_AND_APPEND, context);
        }
        Ok(overrides)
    }

    /// A boolean as YAML 1.1 writes them.
    fn flag(&self, key: &str, context: &Context) -> Done<Option<bool>> {
        if self.item.get(key).is_none() {
            return Ok(None);
        }
        let value = text(self.item, key, context)?;
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Ok(Some(true)),
            "false" | "no" | "off" | "n" => Ok(Some(false)),
            _ => fail("Can't decode YAML scalar value", &self.value_context("value for", key, context)),
        }
    }

    fn number(&self, key: &str, context: &Context) -> Done<Option<u32>> {
        if self.item.get(key).is_none() {
            return Ok(None);
        }
        match text(self.item, key, context)?.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => fail("Can't decode YAML scalar value", &self.value_context("value for", key, context)),
        }
    }

    fn value_context(&self, item_type: &'static str, key: &str, context: &Context) -> Context {
        match self.item.get(key) {
            Some(node) => {
                let name = if item_type == "value for" { key } else { "" };
                context.within(item_type, name, node.span)
            }
            None => context.clone(),
        }
    }

    fn warn_unknown_keys(&mut self, known: &[&str], context: &Context) {
        let mut seen = BTreeSet::new();
        for Pair { key, .. } in self.item.entries() {
            let name = key.scalar().unwrap_or_default();
            if !known.contains(&name) {
                let message = format!("Unknown key '{name}'. The key will be ignored.");
                self.result.warn(WarningCode::UnknownKey, message, context);
            } else if !seen.insert(name) {
                let message = format!("Key '{name}' is given twice; the last one counts.");
                self.result.warn(WarningCode::UnknownKey, message, context);
            }
        }
    }
}

/// What an item's `override` says of which key.
#[derive(Default)]
struct Overrides {
    append: BTreeSet<String>,
    replace: BTreeSet<String>,
}

/// The text under a key, which must be there and not empty.
fn text<'n>(item: &'n Node<'_>, key: &str, context: &Context) -> Done<&'n str> {
    let Some(node) = item.get(key) else {
        return fail(format!("Item has no mapping for key '{key}'"), context);
    };
    if node.is_null() {
        return fail(format!("Mapping for key '{key}' is empty"), context);
    }
    let place = context.within("value for", key, node.span);
    match node.scalar() {
        None => fail("Value is not a scalar value", &place),
        Some("") => fail("Value must be non-empty", &place),
        Some(text) => Ok(text),
    }
}

fn texts(node: &Node<'_>, key: &str, context: &Context) -> Done<Vec<String>> {
    let place = context.within("value for", key, node.span);
    let Value::Sequence(items) = &node.value else { return fail("Value is not a sequence", &place) };
    items
        .iter()
        .map(|item| match item.scalar() {
            Some(text) => Ok(text.to_owned()),
            None => fail("sequence value is not scalar", &place.within("list item", "", item.span)),
        })
        .collect()
}

fn entry(node: &Node<'_>, key: &str, context: &Context) -> Done<Entry> {
    let place = context.within("value for", key, node.span);
    match &node.value {
        Value::Sequence(items) => {
            let items = items.iter().map(|item| entry(item, "", &place.within("exception", "", item.span)));
            items.collect::<Done<_>>().map(Entry::List)
        }
        _ => match node.scalar() {
            None => fail("Value is not a scalar value", &place),
            Some("") => fail("Value must be non-empty", &place),
            Some(text) => Ok(Entry::Text(text.to_owned())),
        },
    }
}

fn is_identifier(name: &str) -> bool {
    matches!(condition::parse(name), Ok(condition::Expression::Macro(..)))
        && !name.contains(char::is_whitespace)
}

/// Whether a name can stand in a condition as a text without quotes.
fn condition_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|character: char| {
            matches!(character, '(' | ')' | '"' | '\'' | '=' | ',') || character.is_ascii_whitespace()
        })
}
