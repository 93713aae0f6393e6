//! Items of all files together: later ones add to, change or replace earlier ones.

use yagura_model::field::FieldCatalogue;

use super::exceptions;
use super::items::{Entry, Exception, ListItem, MacroItem, PluginRequirement, RuleItem, RuleUpdate};
use super::loader::Plugin;
use super::read::Done;
use super::result::{Context, ErrorCode, LoadResult, Problem, WarningCode};
use super::versions::Version;

#[derive(Clone)]
pub(super) struct Collector<'s> {
    pub sources: &'s [&'s dyn FieldCatalogue],
    plugins: &'s [Plugin],
    pub lists: Vec<ListItem>,
    pub macros: Vec<MacroItem>,
    pub rules: Vec<RuleItem>,
    /// Counts definitions, so that macros and lists know what came before them.
    next: u32,
}

fn fail<T>(message: impl Into<String>, context: &Context) -> Done<T> {
    let (code, message, context) = (ErrorCode::Validate, message.into(), context.clone());
    Err(Box::new(Problem { code, message, context }))
}

impl<'s> Collector<'s> {
    pub fn new(sources: &'s [&'s dyn FieldCatalogue], plugins: &'s [Plugin]) -> Self {
        Self { sources, plugins, lists: Vec::new(), macros: Vec::new(), rules: Vec::new(), next: 0 }
    }

    pub fn source(&self, name: &str) -> Option<&'s dyn FieldCatalogue> {
        self.sources.iter().copied().find(|catalogue| catalogue.source() == name)
    }

    fn count(&mut self) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        index
    }

    /// What is built in stands for the plugins that give Falco the same fields.
    pub fn require_plugin(&mut self, required: PluginRequirement) -> Done {
        let mut satisfied = false;
        for (at, (name, version)) in required.alternatives.iter().enumerate() {
            let Some(wanted) = Version::parse(version) else {
                let message = format!("Invalid required version '{version}' for plugin '{name}'");
                return fail(message, &required.context);
            };
            if required.alternatives.iter().take(at).any(|(earlier, _)| earlier == name) {
                let message =
                    format!("Defined multiple alternative version requirements for plugin '{name}'");
                return fail(message, &required.context);
            }
            satisfied |=
                self.plugins.iter().any(|plugin| plugin.name == name && plugin.version.serves(wanted));
        }
        if satisfied {
            return Ok(());
        }
        let wanted: Vec<String> =
            required.alternatives.iter().map(|(name, version)| format!("{name} (>= {version})")).collect();
        let message = format!("Plugin requirement not satisfied, must load one of: {}", wanted.join(", "));
        fail(message, &required.context)
    }

    pub fn define_list(&mut self, mut list: ListItem) {
        let index = self.count();
        (list.index, list.visibility) = (index, index);
        match self.lists.iter_mut().find(|known| known.name == list.name) {
            Some(known) => {
                list.index = known.index;
                *known = list;
            }
            None => self.lists.push(list),
        }
    }

    pub fn append_list(&mut self, list: ListItem) -> Done {
        let index = self.count();
        let Some(known) = self.lists.iter_mut().find(|known| known.name == list.name) else {
            let message =
                "List uses 'append' or 'override.items: append' but no list by that name already exists";
            return fail(message, &list.context);
        };
        known.items.extend(list.items);
        known.visibility = index;
        Ok(())
    }

    pub fn define_macro(&mut self, mut item: MacroItem) {
        let index = self.count();
        (item.index, item.visibility) = (index, index);
        match self.macros.iter_mut().find(|known| known.name == item.name) {
            Some(known) => {
                item.index = known.index;
                *known = item;
            }
            None => self.macros.push(item),
        }
    }

    pub fn append_macro(&mut self, item: &MacroItem) -> Done {
        let index = self.count();
        let Some(known) = self.macros.iter_mut().find(|known| known.name == item.name) else {
            let message = "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists";
            return fail(message, &item.context);
        };
        append(&mut known.condition, &item.condition);
        known.visibility = index;
        Ok(())
    }

    pub fn define_rule(&mut self, mut item: RuleItem, result: &mut LoadResult) -> Done {
        self.count();
        let source = self.source(&item.rule.source);
        let known = self.find(&item.rule.name, &item.rule.source, &item.context)?;
        if source.is_none() {
            item.unknown_source = true;
            let message = format!("Unknown source {}, skipping", item.rule.source);
            result.warn(WarningCode::UnknownSource, message, &item.context);
        }
        for exception in &mut item.exceptions {
            exceptions::validate(exception, source)?;
        }
        match known.and_then(|at| self.rules.get_mut(at)) {
            Some(known) => *known = item,
            None => self.rules.push(item),
        }
        Ok(())
    }

    /// The earlier rule of a name; an error when it belongs to another source.
    fn find(&self, name: &str, source: &str, context: &Context) -> Done<Option<usize>> {
        let at = self.rules.iter().position(|known| known.rule.name == name);
        let other_source = at
            .and_then(|at| self.rules.get(at))
            .is_some_and(|known| !source.is_empty() && known.rule.source != source);
        if other_source {
            return fail("Rule has been re-defined with a different source", context);
        }
        Ok(at)
    }

    pub fn append_rule(&mut self, update: RuleUpdate) -> Done {
        self.count();
        let at = self.find(&update.name, &update.source, &update.context)?;
        let source = at.and_then(|at| self.rules.get(at)).and_then(|known| self.source(&known.rule.source));
        let Some(known) = at.and_then(|at| self.rules.get_mut(at)) else {
            let message =
                "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists";
            return fail(message, &update.context);
        };
        if update.is_empty() {
            return fail("Appended rule must have exceptions or condition property", &update.context);
        }
        let rule = &mut known.rule;
        for (text, more) in [
            (&mut rule.condition, &update.condition),
            (&mut rule.output, &update.output),
            (&mut rule.description, &update.description),
        ] {
            if let Some(more) = more {
                append(text, more);
            }
        }
        rule.tags.extend(update.tags.unwrap_or_default());
        for exception in update.exceptions.unwrap_or_default() {
            append_exception(known, exception, source)?;
        }
        Ok(())
    }

    pub fn replace_in_rule(&mut self, update: RuleUpdate) -> Done {
        self.count();
        let at = self.find(&update.name, &update.source, &update.context)?;
        let source = at.and_then(|at| self.rules.get(at)).and_then(|known| self.source(&known.rule.source));
        let Some(known) = at.and_then(|at| self.rules.get_mut(at)) else {
            let message = "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists";
            return fail(message, &update.context);
        };
        if update.is_empty() {
            return fail("The rule must have at least one field that can be replaced", &update.context);
        }
        fn replace<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        if let Some(mut exceptions) = update.exceptions {
            for exception in &mut exceptions {
                exceptions::validate(exception, source)?;
            }
            known.exceptions = exceptions;
        }
        let rule = &mut known.rule;
        replace(&mut rule.condition, update.condition);
        replace(&mut rule.output, update.output);
        replace(&mut rule.description, update.description);
        replace(&mut rule.tags, update.tags);
        replace(&mut rule.priority, update.priority);
        replace(&mut rule.capture, update.capture);
        replace(&mut rule.capture_duration, update.capture_duration);
        replace(&mut rule.enabled, update.enabled);
        replace(&mut known.warn_event_types, update.warn_event_types);
        replace(&mut known.skip_if_unknown_filter, update.skip_if_unknown_filter);
        Ok(())
    }

    pub fn enable(&mut self, name: &str, enabled: bool, context: &Context) -> Done {
        match self.rules.iter_mut().find(|known| known.rule.name == name) {
            Some(known) => {
                known.rule.enabled = enabled;
                Ok(())
            }
            None => fail("Rule has 'enabled' key but no rule by that name already exists", context),
        }
    }
}

fn append(text: &mut String, more: &str) {
    if !more.is_empty() {
        text.push(' ');
        text.push_str(more);
    }
}

fn append_exception(
    item: &mut RuleItem,
    mut exception: Exception,
    source: Option<&dyn FieldCatalogue>,
) -> Done {
    let known = item.exceptions.iter_mut().find(|known| known.name == exception.name);
    let Some(known) = known else {
        if exception.fields.is_none() {
            return fail(
                "Rule exception must have fields property with a list of fields",
                &exception.context,
            );
        }
        if exception.values.is_empty() {
            return fail(
                "Rule exception must have values property with a list of values",
                &exception.context,
            );
        }
        exceptions::validate(&mut exception, source)?;
        item.exceptions.push(exception);
        return Ok(());
    };
    for (given, what) in [(&exception.fields, "fields"), (&exception.comparisons, "comps")] {
        if given.as_ref().is_some_and(|entry| *entry != Entry::List(Vec::new())) {
            let message = format!("Can not append exception {what} to existing exception, only values");
            return fail(message, &exception.context);
        }
    }
    known.values.extend(exception.values);
    Ok(())
}
