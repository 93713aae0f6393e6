//! `sh.parse_commands`: a command line as a list of commands, each a list of words as they are written.

use anyhow::Result;
use regorus::Value;
use yagura_configuration::shell;
use yagura_configuration::spliced::Spliced;

use super::text;

pub fn parse_commands(arguments: &[Value]) -> Result<Value> {
    let line = text(arguments, 0, "sh.parse_commands")?;
    let script = shell::parse(&Spliced::of(line, 0));
    let commands = script.commands.iter().filter(|command| !command.words.is_empty()).map(|command| {
        let words =
            command.words.iter().map(|word| Value::from(line.get(word.range.clone()).unwrap_or(&word.text)));
        Value::from(words.collect::<Vec<_>>())
    });
    Ok(Value::from(commands.collect::<Vec<_>>()))
}
