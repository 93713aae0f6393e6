//! Reads the data files of the table.

use std::collections::HashMap;

use super::{
    Action, Category, Conversion, Detail, Dynamic, EventCode, EventFlags, EventInfo, FlagName, FlagTable,
    Format, From, Parameter, ParameterType, Source, Table,
};

pub(super) fn table(
    events: &'static str,
    flags: &'static str,
    conversions: &'static str,
    syscalls: &'static str,
) -> Result<Table, String> {
    let (flag_tables, dynamics) = flag_lines(flags)?;
    let mut table = Table {
        events: Vec::new(),
        flag_tables,
        dynamics,
        conversions: Vec::new(),
        syscalls: syscall_lines(syscalls)?,
        by_key: HashMap::new(),
        current_exit: HashMap::new(),
    };
    for line in lines(events) {
        let event = event(line, &table).ok_or_else(|| format!("events.txt: {line}"))?;
        if usize::from(event.code) != table.events.len() {
            return Err(format!("events.txt: code {} is out of order", event.code));
        }
        table.by_key.insert(event.key, event.code);
        let replaced = event.flags.has(EventFlags::OLD) || event.flags.has(EventFlags::UNUSED);
        // Events without an exit (a signal, an exiting process) stand in the enter place.
        if !replaced && (!event.is_enter() || !table.current_exit.contains_key(event.name)) {
            table.current_exit.insert(event.name, event.code);
        }
        table.events.push(event);
    }
    table.conversions.resize_with(table.events.len(), Vec::new);
    for line in lines(conversions) {
        let (code, conversion) = conversion(line).ok_or_else(|| format!("conversions.txt: {line}"))?;
        let Some(of_code) = table.conversions.get_mut(usize::from(code)) else {
            return Err(format!("conversions.txt: no event {code}"));
        };
        of_code.push(conversion);
    }
    Ok(table)
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn syscall_lines(text: &'static str) -> Result<Vec<(&'static str, Category)>, String> {
    lines(text)
        .map(|line| match line.split_once(' ') {
            None => Ok((line, Category::Other)),
            Some((name, what)) => Ok((name, category(what).ok_or_else(|| format!("syscalls.txt: {line}"))?)),
        })
        .collect()
}

fn flag_lines(text: &'static str) -> Result<(Vec<FlagTable>, Vec<Dynamic>), String> {
    let mut tables = Vec::new();
    let mut dynamics = Vec::new();
    for line in lines(text) {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let mut flags = Vec::new();
        let mut alternatives = Vec::new();
        for word in words {
            let problem = || format!("flags.txt: {name}: {word}");
            if let Some(alternative) = word.strip_prefix(':') {
                let (kind, shown) = alternative.split_once('/').ok_or_else(problem)?;
                alternatives.push((
                    ParameterType::named(kind).ok_or_else(problem)?,
                    format(shown).ok_or_else(problem)?,
                ));
            } else {
                let (name, value) = word.split_once('=').ok_or_else(problem)?;
                let value = match value.strip_prefix("0x") {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => value.parse(),
                };
                flags.push(FlagName { name, value: value.map_err(|_| problem())? });
            }
        }
        if alternatives.is_empty() {
            tables.push(FlagTable { name, flags });
        } else {
            dynamics.push(Dynamic { name, alternatives });
        }
    }
    Ok((tables, dynamics))
}

fn event(line: &'static str, table: &Table) -> Option<EventInfo> {
    let mut words = line.split(' ');
    let code = words.next()?.parse().ok()?;
    let key = words.next()?;
    let name = words.next()?;
    let (what, who) = words.next()?.split_once('/')?;
    let (category, source) = (category(what)?, source(who)?);
    let flags = event_flags(words.next()?)?;
    let parameters = words.map(|word| parameter(word, table)).collect::<Option<Vec<_>>>()?;
    Some(EventInfo { code, key, name, category, source, flags, parameters })
}

fn parameter(word: &'static str, table: &Table) -> Option<Parameter> {
    let (name, rest) = word.split_once(':')?;
    let mut parts = rest.split('/');
    let kind = ParameterType::named(parts.next()?)?;
    let format = format(parts.next()?)?;
    let detail = match parts.next() {
        None => Detail::None,
        Some(number) if kind == ParameterType::RelativePath => Detail::Directory(number.parse().ok()?),
        Some(name) if kind == ParameterType::Dynamic => {
            let position = table.dynamics.iter().position(|dynamic| dynamic.name == name)?;
            Detail::Dynamic(u8::try_from(position).ok()?)
        }
        Some(name) => {
            let position = table.flag_tables.iter().position(|flags| flags.name == name)?;
            Detail::Flags(u8::try_from(position).ok()?)
        }
    };
    Some(Parameter { name, kind, format, detail })
}

fn conversion(line: &'static str) -> Option<(EventCode, Conversion)> {
    let mut words = line.split(' ');
    let code = words.next()?.parse().ok()?;
    let recorded = words.next()?.parse().ok()?;
    let action = match words.next()? {
        "pass" => Action::Pass,
        "store" => Action::Store { pass: false },
        "store+pass" => Action::Store { pass: true },
        "add" => Action::Add,
        action => Action::Become(action.strip_prefix("become:")?.parse().ok()?),
    };
    let parameters = words.map(from).collect::<Option<Vec<_>>>()?;
    Some((code, Conversion { recorded, action, parameters }))
}

fn from(word: &str) -> Option<From> {
    Some(match word {
        "empty" => From::Empty,
        "default" => From::Default,
        "container-json" => From::ContainerJson,
        _ => match word.split_once('.')? {
            ("own", number) => From::Own(number.parse().ok()?),
            ("enter", number) => {
                let (number, or_empty) = match number.strip_suffix('?') {
                    Some(number) => (number, true),
                    None => (number, false),
                };
                From::Enter { parameter: number.parse().ok()?, or_empty }
            }
            _ => return None,
        },
    })
}

fn event_flags(text: &str) -> Option<EventFlags> {
    let mut flags = EventFlags::default();
    if text == "-" {
        return Some(flags);
    }
    for name in text.split(',') {
        flags.0 |= match name {
            "creates-fd" => EventFlags::CREATES_FD,
            "destroys-fd" => EventFlags::DESTROYS_FD,
            "uses-fd" => EventFlags::USES_FD,
            "reads-fd" => EventFlags::READS_FD,
            "writes-fd" => EventFlags::WRITES_FD,
            "modifies-state" => EventFlags::MODIFIES_STATE,
            "unused" => EventFlags::UNUSED,
            "waits" => EventFlags::WAITS,
            "skip-reset" => EventFlags::SKIP_RESET,
            "old" => EventFlags::OLD,
            "large" => EventFlags::LARGE,
            "converted" => EventFlags::CONVERTED,
            _ => return None,
        };
    }
    Some(flags)
}

fn format(text: &str) -> Option<Format> {
    Some(match text {
        "na" => Format::None,
        "dec" => Format::Decimal,
        "hex" => Format::Hexadecimal,
        "10dec" => Format::PaddedDecimal,
        "id" => Format::Id,
        "dir" => Format::Directory,
        "oct" => Format::Octal,
        _ => return None,
    })
}

fn category(text: &str) -> Option<Category> {
    Some(match text {
        "unknown" => Category::Unknown,
        "other" => Category::Other,
        "file" => Category::File,
        "net" => Category::Net,
        "ipc" => Category::Ipc,
        "memory" => Category::Memory,
        "process" => Category::Process,
        "sleep" => Category::Sleep,
        "system" => Category::System,
        "signal" => Category::Signal,
        "user" => Category::User,
        "time" => Category::Time,
        "processing" => Category::Processing,
        "io-read" => Category::IoRead,
        "io-write" => Category::IoWrite,
        "io-other" => Category::IoOther,
        "wait" => Category::Wait,
        "scheduler" => Category::Scheduler,
        "internal" => Category::Internal,
        _ => return None,
    })
}

fn source(text: &str) -> Option<Source> {
    Some(match text {
        "none" => Source::None,
        "syscall" => Source::Syscall,
        "tracepoint" => Source::Tracepoint,
        "plugin" => Source::Plugin,
        "meta" => Source::Meta,
        "iter" => Source::Iterator,
        _ => return None,
    })
}
