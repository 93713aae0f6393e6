//! A file's instructions, followed from top to bottom, as nodes that rules judge.

use std::collections::HashMap;

use yagura_formats::document::{Node, Span};

use super::shapes::{
    Effects, inherited_user, keep, mount, port, put_last, summary, user_in_effect, user_node,
};
use super::stages::{Scope, Shell, Stage, User, flag, global, is_windows};
use super::{Arguments, Dockerfile, Instruction, MAX_COMMANDS, Pair, Word};
use crate::fields::{Fields, list, perhaps, text};
use crate::reference;
use crate::spliced::Places;

/// The file as one node: `{directives, arguments, stages: [{…, instructions: [{…, commands}]}]}`, and whether it has more
/// than [`MAX_COMMANDS`], of which only the first are in it. `source` is the file's index.
pub fn resources(file: &Dockerfile, source_text: &str, source: u32) -> (Node<'static>, bool) {
    let places = Places::of(source_text, source);
    let whole = places.span(0..source_text.len());
    let mut follower = Follower {
        file,
        text: source_text,
        places: &places,
        global: global(),
        stages: Vec::new(),
        finished: Vec::new(),
        arguments: Vec::new(),
        effects: Effects::default(),
        instructions: Vec::new(),
        commands_left: MAX_COMMANDS,
        cut: false,
    };
    follower.outline();
    let starts: Vec<usize> = file
        .instructions
        .iter()
        .enumerate()
        .filter(|(_, instruction)| instruction.keyword == "FROM")
        .map(|(at, _)| at)
        .collect();
    let first = starts.first().copied().unwrap_or(file.instructions.len());
    for instruction in file.instructions.iter().take(first) {
        follower.before_stages(instruction);
    }
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(file.instructions.len());
        follower.stage(index, file.instructions.get(*start..end).unwrap_or_default());
    }
    let directives = file.directives.iter().fold(Fields::at(whole), |fields, directive| {
        let value = text(directive.value.text.clone(), places.span(directive.value.range.clone()));
        fields.put(directive.name.clone(), value)
    });
    let node = Fields::at(whole)
        .put("directives", directives.node())
        .list("arguments", follower.arguments)
        .list("stages", follower.finished)
        .node();
    (node, follower.cut)
}

struct Follower<'f> {
    file: &'f Dockerfile,
    text: &'f str,
    places: &'f Places<'f>,
    global: Scope,
    stages: Vec<Stage>,
    finished: Vec<Node<'static>>,
    arguments: Vec<Node<'static>>,
    effects: Effects,
    instructions: Vec<Node<'static>>,
    commands_left: usize,
    cut: bool,
}

impl Follower<'_> {
    fn span(&self, word: &Word) -> Span {
        self.places.span(word.range.clone())
    }

    /// Names, parents and which stages are shipped, before anything is followed.
    fn outline(&mut self) {
        let mut scope = global();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        for instruction in &self.file.instructions {
            match (&instruction.arguments, instruction.keyword.as_str()) {
                (Arguments::Pairs(pairs), "ARG") if self.stages.is_empty() => {
                    for pair in pairs {
                        let value =
                            pair.value.as_ref().and_then(|value| scope.expand(&value.text, self.file.escape));
                        scope.set(&pair.name.text, value);
                    }
                }
                (Arguments::Words(words), "FROM") => {
                    let image = words.first().and_then(|word| scope.expand(&word.text, self.file.escape));
                    let parent =
                        image.as_ref().and_then(|image| by_name.get(&image.to_ascii_lowercase())).copied();
                    let named = words.get(1).is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
                    let name = words.get(2).filter(|_| named).map(|word| word.text.clone());
                    let index = self.stages.len();
                    if let Some(name) = &name {
                        by_name.insert(name.to_ascii_lowercase(), index);
                    }
                    let platform = flag(instruction, "platform").unwrap_or_default();
                    let windows = platform.starts_with("windows")
                        || image.as_deref().is_some_and(is_windows)
                        || self.file.escape == '`';
                    self.stages.push(Stage { index, name, image, parent, windows, ..Stage::default() });
                }
                _ => {}
            }
        }
        let mut shipped = self.stages.len().checked_sub(1);
        while let Some(stage) = shipped.and_then(|index| self.stages.get_mut(index)) {
            stage.shipped = true;
            shipped = stage.parent;
        }
    }

    fn before_stages(&mut self, instruction: &Instruction) {
        let Arguments::Pairs(pairs) = &instruction.arguments else { return };
        for pair in pairs {
            let value = pair.value.as_ref().map(|value| self.global.expand(&value.text, self.file.escape));
            self.arguments.push(self.pair(pair, value.clone()).node());
            self.global.set(&pair.name.text, value.flatten());
        }
    }

    /// `{name, value}`; the value is absent where none is written, and unknown where it cannot be known.
    fn pair(&self, pair: &Pair, value: Option<Option<String>>) -> Fields {
        let span = self.span(&pair.name);
        let at = pair.value.as_ref().map_or(span, |value| self.span(value));
        let whole = Span { end: at.end.max(span.end), end_line: at.end_line.max(span.end_line), ..span };
        Fields::at(whole)
            .put("name", text(pair.name.text.clone(), span))
            .maybe("value", value.map(|value| perhaps(value, at)))
    }

    fn stage(&mut self, index: usize, instructions: &[Instruction]) {
        let Some(from) = instructions.first() else { return };
        let Some(mut stage) = self.stages.get(index).cloned() else { return };
        self.effects = Effects::default();
        match stage.parent.and_then(|parent| self.stages.get(parent)) {
            Some(parent) => {
                stage.scope = parent.scope.clone();
                stage.user = parent.user.clone();
                stage.shell = parent.shell.clone();
                stage.workdir = parent.workdir;
                stage.windows |= parent.windows;
            }
            None => {
                let scratch = stage.image.as_deref() == Some("scratch");
                stage.scope.open = !scratch;
                if scratch {
                    stage.user = User::Nobody;
                }
                if stage.windows {
                    stage.shell = Shell::windows();
                }
            }
        }
        self.instructions = Vec::with_capacity(instructions.len());
        let mut previous: Option<&str> = None;
        let mut later: HashMap<&str, usize> = HashMap::new();
        for instruction in instructions {
            *later.entry(instruction.keyword.as_str()).or_default() += 1;
        }
        for (number, instruction) in instructions.iter().enumerate() {
            let left = later.entry(instruction.keyword.as_str()).or_default();
            *left = left.saturating_sub(1);
            let overridden = *left > 0;
            let node = self.instruction(instruction, &mut stage, number, previous, overridden);
            self.instructions.push(node);
            previous = Some(&instruction.keyword);
        }
        let end = instructions.last().map_or(from.range.end, |last| last.range.end);
        let span = self.places.span(from.range.start..end);
        let head = self.places.span(from.range.clone());
        let instructions = std::mem::take(&mut self.instructions);
        let effects = std::mem::take(&mut self.effects);
        let map = |values: Vec<(String, Node<'static>)>| {
            values.into_iter().fold(Fields::at(head), |fields, (name, value)| fields.put(name, value)).node()
        };
        // The stage stands at its FROM: what is missing from a stage is missing there.
        let fields = Fields::at(Span { end: head.end, end_line: head.end_line, ..span })
            .number("index", index)
            .maybe("name", stage.name.as_ref().map(|name| text(name.clone(), head)))
            .flag("final", index + 1 == self.stages.len())
            .flag("shipped", stage.shipped)
            .flag("windows", stage.windows)
            .maybe("from", instructions.first().cloned())
            .maybe("user", effects.user.or_else(|| inherited_user(&stage, head)))
            .maybe("cmd", effects.cmd)
            .maybe("entrypoint", effects.entrypoint)
            .maybe("healthcheck", effects.healthcheck)
            .maybe("workdir", effects.workdir)
            .maybe("stopsignal", effects.stopsignal)
            .list("ports", effects.ports)
            .list("volumes", effects.volumes)
            .put("environment", map(effects.environment))
            .put("labels", map(effects.labels))
            .list("instructions", instructions);
        self.finished.push(fields.node());
        if let Some(kept) = self.stages.get_mut(index) {
            *kept = stage;
        }
    }

    fn expand(&self, word: &Word, stage: &Stage) -> Option<String> {
        stage.scope.expand(&word.text, self.file.escape)
    }

    fn expanded(&self, word: &Word, stage: &Stage) -> Node<'static> {
        perhaps(self.expand(word, stage), self.span(word))
    }

    fn instruction(
        &mut self,
        instruction: &Instruction,
        stage: &mut Stage,
        number: usize,
        previous: Option<&str>,
        overridden: bool,
    ) -> Node<'static> {
        let (inner, trigger) = match &instruction.arguments {
            Arguments::Trigger(inner) => (inner.as_ref(), true),
            _ => (instruction, false),
        };
        let span = self.places.span(instruction.range.clone());
        let mut fields = Fields::at(span)
            .put("keyword", text(inner.keyword.clone(), self.span(&inner.written)))
            .text("written", inner.written.text.clone())
            .flag("trigger", trigger)
            .number("number", number)
            .maybe("previous", previous.map(|keyword| text(keyword, span)))
            .flag("overridden", overridden && !trigger)
            .flag("empty_continuation", instruction.empty_continuation)
            .put("stage", summary(stage, self.stages.len(), span))
            .put("flags", self.flags(inner, stage));
        fields = match inner.keyword.as_str() {
            "FROM" => self.from(fields, inner, stage),
            "ENV" | "LABEL" | "ARG" => self.pairs(fields, inner, stage, trigger),
            "COPY" | "ADD" => self.copy(fields, inner, stage),
            "EXPOSE" => self.expose(fields, inner, stage, trigger),
            "USER" => self.user(fields, inner, stage, trigger),
            "RUN" => self.commands(fields, inner, stage),
            "CMD" | "ENTRYPOINT" | "HEALTHCHECK" => self.process(fields, inner, stage, trigger),
            "SHELL" => {
                let words = self.words(inner, stage);
                if let Arguments::Exec(written) = &inner.arguments {
                    stage.shell = Shell::of(written.iter().map(|word| word.text.clone()).collect());
                }
                fields.list("words", words)
            }
            "WORKDIR" => {
                let Some(word) = first_word(inner) else { return fields.node() };
                let value = self.expanded(word, stage);
                if !trigger {
                    self.effects.workdir = Some(value.clone());
                    stage.workdir = true;
                }
                fields.put("path", value)
            }
            "VOLUME" => {
                let words = self.words(inner, stage);
                keep(&mut self.effects.volumes, &words);
                fields.list("words", words)
            }
            "STOPSIGNAL" => {
                let words = self.words(inner, stage);
                self.effects.stopsignal = words.first().cloned();
                fields.list("words", words)
            }
            _ => fields.list("words", self.words(inner, stage)),
        };
        fields.node()
    }

    fn words(&self, instruction: &Instruction, stage: &Stage) -> Vec<Node<'static>> {
        match &instruction.arguments {
            Arguments::Words(words) => words.iter().map(|word| self.expanded(word, stage)).collect(),
            Arguments::Exec(words) => {
                words.iter().map(|word| text(word.text.clone(), self.span(word))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Flags by name; `--mount` and others that repeat as a list under their name.
    fn flags(&self, instruction: &Instruction, stage: &Stage) -> Node<'static> {
        let mut fields = Fields::at(self.places.span(instruction.range.clone()));
        let mut mounts = Vec::new();
        for flag in &instruction.flags {
            let span = self.places.span(flag.range.clone());
            let value = flag.value.as_ref().map(|value| stage.scope.expand(value, self.file.escape));
            match (flag.name.as_str(), value) {
                ("mount", Some(value)) => mounts.push(mount(value.as_deref(), span)),
                (_, Some(value)) => fields.push(flag.name.clone(), perhaps(value, span)),
                (_, None) => fields.push(flag.name.clone(), text("true", span)),
            }
        }
        if !mounts.is_empty() {
            let span = mounts.first().map_or_else(Span::default, |mount| mount.span);
            fields.push("mount", list(mounts, span));
        }
        fields.node()
    }

    fn from(&self, fields: Fields, instruction: &Instruction, stage: &Stage) -> Fields {
        let Some(word) = first_word(instruction) else { return fields };
        let span = self.span(word);
        let image = match &stage.image {
            Some(image) => reference::node(image, span),
            None => perhaps(None, span),
        };
        let parent = stage.parent.and_then(|parent| self.stages.get(parent));
        let duplicate = stage.name.as_ref().is_some_and(|name| {
            let others = self.stages.iter().filter(|other| other.index < stage.index);
            others.filter_map(|other| other.name.as_ref()).any(|other| other.eq_ignore_ascii_case(name))
        });
        fields
            .put("image", image)
            .text("image_written", word.text.clone())
            .maybe("platform_written", flag(instruction, "platform").map(|platform| text(platform, span)))
            .maybe("alias", stage.name.as_ref().map(|name| text(name.clone(), span)))
            .flag("duplicate_alias", duplicate)
            .flag("from_stage", parent.is_some())
    }

    fn pairs(
        &mut self,
        fields: Fields,
        instruction: &Instruction,
        stage: &mut Stage,
        trigger: bool,
    ) -> Fields {
        let Arguments::Pairs(pairs) = &instruction.arguments else { return fields };
        let keyword = instruction.keyword.as_str();
        // All values of one instruction are filled in before any of them is set.
        let mut nodes = Vec::with_capacity(pairs.len());
        let mut set = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let written = pair.value.as_ref().map(|value| self.expand(value, stage));
            let name = match keyword {
                "LABEL" => self.expand(&pair.name, stage).unwrap_or_else(|| pair.name.text.clone()),
                _ => pair.name.text.clone(),
            };
            let effective = match (&written, keyword) {
                (None, "ARG") => match self.global.lookup(&name) {
                    super::expand::Known::Value(value) => Some(value),
                    _ => None,
                },
                (value, _) => value.clone().flatten(),
            };
            let refers_to_sibling = pair.value.as_ref().is_some_and(|value| {
                let siblings = pairs.iter().take_while(|other| !std::ptr::eq(*other, pair)).take(64);
                siblings.into_iter().any(|other| {
                    value.text.contains(&format!("${{{}}}", other.name.text))
                        || value.text.contains(&format!("${}", other.name.text))
                })
            });
            let fields = self.pair(pair, written);
            let node = match keyword {
                "ENV" => fields.flag("refers_to_sibling", refers_to_sibling).node(),
                _ => fields.node(),
            };
            let value = node.get("value").cloned().unwrap_or_else(|| perhaps(None, node.span));
            set.push((name, effective, value));
            nodes.push(node);
        }
        for (name, effective, value) in set {
            if trigger {
                continue;
            }
            match keyword {
                "ENV" => {
                    stage.scope.set(&name, effective);
                    put_last(&mut self.effects.environment, name, value);
                }
                "LABEL" => put_last(&mut self.effects.labels, name, value),
                _ => {
                    // ENV wins over ARG, whichever comes last.
                    let fixed = self.effects.environment.iter().any(|(known, _)| *known == name);
                    if !fixed {
                        stage.scope.set(&name, effective);
                    }
                }
            }
        }
        fields.list("pairs", nodes)
    }

    fn copy(&self, fields: Fields, instruction: &Instruction, stage: &Stage) -> Fields {
        let mut words = self.words(instruction, stage);
        let destination = words.pop();
        let heredocs = instruction
            .heredocs
            .iter()
            .map(|heredoc| {
                let span = self.places.span(heredoc.range.clone());
                Fields::at(span).text("name", heredoc.name.clone()).flag("expands", heredoc.expands).node()
            })
            .collect();
        let from = flag(instruction, "from");
        let known = from.and_then(|from| {
            let number = from.parse::<usize>().ok();
            self.stages.iter().position(|other| {
                number == Some(other.index)
                    || other.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(from))
            })
        });
        fields
            .list("sources", words)
            .maybe("destination", destination)
            .list("heredocs", heredocs)
            .flag("from_stage", known.is_some_and(|known| known < stage.index))
            .flag("from_itself", known == Some(stage.index))
            .flag("workdir_set", stage.workdir)
    }

    fn expose(&mut self, fields: Fields, instruction: &Instruction, stage: &Stage, trigger: bool) -> Fields {
        let Arguments::Words(words) = &instruction.arguments else { return fields };
        let ports: Vec<_> = words
            .iter()
            .map(|word| match self.expand(word, stage) {
                Some(value) => port(&value, self.span(word)),
                None => perhaps(None, self.span(word)),
            })
            .collect();
        if !trigger {
            keep(&mut self.effects.ports, &ports);
        }
        fields.list("ports", ports)
    }

    fn user(
        &mut self,
        fields: Fields,
        instruction: &Instruction,
        stage: &mut Stage,
        trigger: bool,
    ) -> Fields {
        let Some(word) = first_word(instruction) else { return fields };
        let span = self.span(word);
        let value = self.expand(word, stage);
        let node = match &value {
            Some(value) => user_node(value, span),
            None => perhaps(None, span),
        };
        if !trigger {
            stage.user = value.map_or(User::Unknown, User::Named);
            self.effects.user = Some(node.clone());
        }
        fields.put("user", node)
    }

    fn process(&mut self, fields: Fields, instruction: &Instruction, stage: &Stage, trigger: bool) -> Fields {
        let disabled = matches!(instruction.arguments, Arguments::Nothing);
        let fields = self.commands(fields, instruction, stage).flag("disabled", disabled);
        if trigger {
            return fields;
        }
        let effect = match instruction.keyword.as_str() {
            "CMD" => &mut self.effects.cmd,
            "ENTRYPOINT" => &mut self.effects.entrypoint,
            _ => &mut self.effects.healthcheck,
        };
        *effect = Some(fields.clone().node());
        fields
    }

    /// The form, the words and the commands of an instruction that runs something.
    fn commands(&mut self, fields: Fields, instruction: &Instruction, stage: &Stage) -> Fields {
        let exec = matches!(instruction.arguments, Arguments::Exec(_));
        let span = self.places.span(instruction.range.clone());
        let expand = |raw: &str| stage.scope.expand(raw, self.file.escape);
        let mut context = vec![
            ("keyword", text(instruction.keyword.clone(), self.span(&instruction.written))),
            ("stage", summary(stage, self.stages.len(), span)),
        ];
        if let Some(user) = user_in_effect(stage, span) {
            context.push(("user", user));
        }
        let around =
            super::commands::Around { places: self.places, text: self.text, expand: &expand, context };
        let mut commands = Vec::new();
        let (mut left, mut cut) = (self.commands_left, self.cut);
        for mut script in super::scripts::of(instruction, stage) {
            cut |= script.cut || script.commands.len() > left;
            script.commands.truncate(left);
            left -= script.commands.len();
            commands.extend(super::commands::nodes(&script, &around));
        }
        (self.commands_left, self.cut) = (left, cut);
        let shell = Fields::at(span)
            .list("words", stage.shell.words.iter().map(|word| text(word.clone(), span)).collect())
            .flag("posix", stage.shell.posix)
            .flag("chosen", stage.shell.chosen)
            .flag("pipefail", stage.shell.pipefail())
            .node();
        fields
            .text("form", if exec { "exec" } else { "shell" })
            .list("words", self.words(instruction, stage))
            .put("shell", shell)
            .list("commands", commands)
    }
}

fn first_word(instruction: &Instruction) -> Option<&Word> {
    match &instruction.arguments {
        Arguments::Words(words) | Arguments::Exec(words) => words.first(),
        _ => None,
    }
}
