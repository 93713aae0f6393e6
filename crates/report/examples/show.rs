//! Writes a report kept as JSON in another format: `cargo run -p yagura-report --example show -- FORMAT [LANG] < report.json`.

use std::io::{Read as _, Write as _};

use yagura_report::{Format, Language, Options, OutputSpec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let output: OutputSpec = arguments.first().map_or("table", String::as_str).parse()?;
    let mut json = String::new();
    std::io::stdin().read_to_string(&mut json)?;
    let report = serde_json::from_str(&json)?;
    let language = arguments.get(1).and_then(|tag| Language::from_tag(tag)).unwrap_or_default();
    let options = Options { language, colour: output.format == Format::Table, ..Options::default() };
    let mut out = std::io::stdout().lock();
    yagura_report::write(output.format, &report, &options, &mut out)?;
    Ok(out.flush()?)
}
