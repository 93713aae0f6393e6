//! Which system calls can be told, how the kernel side reads them and how they become events: `data/syscalls.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use yagura_events::table::{Detail, EventCode, EventInfo, table};

use crate::record::{argument, blob};

/// Entries of the kernel side's map.
pub const SYSCALLS: usize = 512;

/// When a system call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Only when somebody asks for its event.
    Asked,
    /// Always: the state of threads and files needs it.
    State,
    /// Always, through the reserved ring.
    Critical,
}

/// Where a parameter of an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Result,
    Argument(u8),
    /// An argument as flags of `open`, whose access mode is a number of two bits.
    OpenFlags(u8),
    Text(u8),
    Data(u8),
    Address(u8),
    Tuple,
    Pair(u8),
    Device,
    Inode,
    How(u8),
    Capability(u8),
    Dynamic(u8),
    Zero,
    Nothing,
}

/// A system call.
#[derive(Clone, Debug)]
pub struct Shape {
    pub number: u16,
    pub name: &'static str,
    pub event: EventCode,
    pub used: Use,
    pub only_success: bool,
    pub only_failure: bool,
    pub arguments: [u8; 6],
    pub result: u8,
    pub parameters: Vec<From>,
}

/// All that the data files say.
pub struct Shapes {
    pub shapes: Vec<Shape>,
    by_number: HashMap<u16, usize>,
    numbers: HashMap<&'static str, u16>,
    /// Table of flags → the table's value → the kernel's.
    constants: HashMap<&'static str, Vec<(u32, u32)>>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    Shapes::read(
        include_str!("../data/syscalls.txt"),
        include_str!("../data/numbers.txt"),
        include_str!("../data/constants.txt"),
    )
    .unwrap_or_else(|line| unreachable!("a data file that is part of the program: {line}"))
});

pub fn shapes() -> &'static Shapes {
    &SHAPES
}

impl Shapes {
    fn read(syscalls: &'static str, numbers: &'static str, constants: &'static str) -> Result<Self, String> {
        let wrong = |line: &str| line.to_owned();
        let mut by_name = HashMap::new();
        for line in lines(numbers) {
            let (number, name) = line.split_once(' ').ok_or_else(|| wrong(line))?;
            by_name.insert(name, number.parse().map_err(|_| wrong(line))?);
        }
        let mut found = Self {
            shapes: Vec::new(),
            by_number: HashMap::new(),
            numbers: by_name,
            constants: HashMap::new(),
        };
        for line in lines(constants) {
            let mut words = line.split(' ');
            let name = words.next().ok_or_else(|| wrong(line))?;
            let names = table().flag_table_named(name).ok_or_else(|| wrong(line))?;
            let mut pairs = Vec::new();
            for word in words {
                let (flag, value) = word.split_once('=').ok_or_else(|| wrong(line))?;
                let known = names.flags.iter().find(|known| known.name == flag).ok_or_else(|| wrong(line))?;
                pairs.push((known.value, parse(value).ok_or_else(|| wrong(line))?));
            }
            found.constants.insert(names.name, pairs);
        }
        for line in lines(syscalls) {
            let shape = shape(line, &found.numbers).ok_or_else(|| wrong(line))?;
            found.by_number.insert(shape.number, found.shapes.len());
            found.shapes.push(shape);
        }
        Ok(found)
    }

    pub fn of(&self, number: u16) -> Option<&Shape> {
        self.shapes.get(*self.by_number.get(&number)?)
    }

    /// The number of a system call of this machine.
    pub fn number(&self, name: &str) -> Option<u16> {
        self.numbers.get(name).copied()
    }

    pub fn name(&self, number: u16) -> Option<&'static str> {
        self.numbers.iter().find(|(_, known)| **known == number).map(|(name, _)| *name)
    }

    /// The event table's value for what the kernel calls `value`, by the table of a parameter.
    pub fn translate(&self, event: &EventInfo, parameter: usize, value: u64) -> u64 {
        let Some(detail) = event.parameters.get(parameter).map(|parameter| parameter.detail) else {
            return value;
        };
        let Detail::Flags(number) = detail else { return value };
        let pairs = table().flag_table(number).and_then(|names| self.constants.get(names.name));
        let Some(pairs) = pairs else { return value };
        let kind = event.parameters.get(parameter).map(|parameter| parameter.kind);
        let flags = kind.is_some_and(|kind| kind.name().starts_with("flags"));
        let raw = value as u32;
        if flags {
            let set = pairs.iter().filter(|(_, kernel)| *kernel != 0 && raw & kernel == *kernel);
            set.fold(0, |flags, (ours, _)| flags | u64::from(*ours))
        } else {
            pairs.iter().find(|(_, kernel)| *kernel == raw).map_or(0, |(ours, _)| u64::from(*ours))
        }
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn parse(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn shape(line: &'static str, numbers: &HashMap<&'static str, u16>) -> Option<Shape> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let event = table().code(words.next()?)?;
    let used = match words.next()? {
        "asked" => Use::Asked,
        "state" => Use::State,
        "critical" => Use::Critical,
        _ => return None,
    };
    let when = words.next()?;
    let mut shape = Shape {
        number: *numbers.get(name)?,
        name,
        event,
        used,
        only_success: when == "success",
        only_failure: when == "failure",
        arguments: [argument::VALUE; 6],
        result: 0,
        parameters: Vec::new(),
    };
    for read in words.next()?.split(',').filter(|read| *read != "-") {
        let (of, kind) = read.split_once(':')?;
        if of == "result" {
            shape.result = match kind {
                "socket" => blob::RESULT_SOCKET,
                "inode" => blob::RESULT_INODE,
                _ => return None,
            };
            continue;
        }
        *shape.arguments.get_mut(of.parse::<usize>().ok()?)? = match kind {
            "text" => argument::TEXT,
            "buffer-in" => argument::BUFFER_IN,
            "buffer-out" => argument::BUFFER_OUT,
            "address" => argument::ADDRESS,
            "address-out" => argument::ADDRESS_OUT,
            "message" => argument::MESSAGE,
            "how" => argument::HOW,
            "pair" => argument::PAIR,
            "socket" => argument::SOCKET,
            "capabilities" => argument::CAPABILITIES,
            "words" => argument::WORDS,
            _ => return None,
        };
    }
    shape.parameters = words.map(from).collect::<Option<_>>()?;
    let known = table().event(event)?.parameters.len();
    (shape.parameters.len() <= known).then_some(shape)
}

fn from(word: &str) -> Option<From> {
    Some(match word {
        "ret" => From::Result,
        "tuple" => From::Tuple,
        "dev" => From::Device,
        "ino" => From::Inode,
        "zero" => From::Zero,
        "-" => From::Nothing,
        _ => {
            let (kind, index) = word.split_at_checked(word.len().checked_sub(1)?)?;
            let index = index.parse().ok()?;
            match kind {
                "a" => From::Argument(index),
                "o" => From::OpenFlags(index),
                "t" => From::Text(index),
                "d" => From::Data(index),
                "s" => From::Address(index),
                "p" => From::Pair(index),
                "y" => From::Dynamic(index),
                "how" => From::How(index),
                "cap" => From::Capability(index),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_a_known_call_event_and_parameters() {
        let shapes = shapes();
        assert!(shapes.shapes.len() > 60);
        assert_eq!(shapes.of(257).unwrap().name, "openat");
        for shape in &shapes.shapes {
            let event = table().event(shape.event).unwrap();
            assert!(!event.is_enter(), "{}", shape.name);
        }
    }

    #[test]
    fn flags_become_those_of_the_table() {
        let shapes = shapes();
        let event = table().event(table().code("SYSCALL_UNSHARE_X").unwrap()).unwrap();
        let newns = table().flag_table_named("clone_flags").unwrap();
        let value = newns.flags.iter().find(|flag| flag.name == "CLONE_NEWNS").unwrap().value;
        assert_eq!(shapes.translate(event, 1, 0x20000), u64::from(value));
        let event = table().event(table().code("SYSCALL_PTRACE_X").unwrap()).unwrap();
        assert_eq!(shapes.translate(event, 3, 16), 0xb);
    }
}
