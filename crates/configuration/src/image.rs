//! An image's configuration as a resource: `docker/image`.
//!
//! An image has no text that people wrote, so nothing here has a line. Examples in rules are image configurations as
//! registries hold them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use yagura_formats::document::{Node, Span};
use yagura_formats::image;
use yagura_model::SkipReason;
use yagura_model::image::{Image, ImageConfig};

use crate::fields::{Fields, list, text};
use crate::{Parsed, Problem, Reach, Resource, Source, SourceFile};

pub const SOURCE: Source = Source {
    name: "image",
    reach: Reach::File,
    // Images come to a scan as images; this is the configuration alone, as `skopeo inspect --config` writes it.
    wants: |path| path.ends_with("config.json"),
    recognises: |_, text| text.contains("\"rootfs\"") && text.contains("\"diff_ids\""),
    max_bytes: 8 << 20,
    parse,
    subjects: crate::source::whole_only,
    example: "config.json",
};

/// The resource of an image: `{user: {text, name, group}, env: {name: value}, entrypoint, cmd, ports, volumes, workdir,
/// healthcheck, labels, history: [{keyword, text, base}], platform, created}`.
pub fn resource(image: &Image, name: &str) -> Resource<'static> {
    let history = image.layers.iter().map(|layer| (layer.created_by.as_str(), layer.from_base_image));
    let node = node(&image.config, &image.labels, history)
        .text("platform", image.platform.clone())
        .text("created", image.created.clone())
        .node();
    Resource { kind: Cow::Borrowed("docker/image"), name: name.to_owned(), node }
}

fn node<'h>(
    config: &ImageConfig,
    labels: &BTreeMap<String, String>,
    history: impl Iterator<Item = (&'h str, Option<bool>)>,
) -> Fields {
    let span = Span::default();
    let words = |words: &[String]| list(words.iter().map(|word| text(word.clone(), span)).collect(), span);
    let environment = config.env.iter().fold(Fields::at(span), |fields, pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.put(name.to_owned(), text(value, span))
    });
    let labels = labels
        .iter()
        .fold(Fields::at(span), |fields, (name, value)| fields.put(name.clone(), text(value.clone(), span)));
    let user = match config.user.split_once(':') {
        Some((name, group)) => Fields::at(span).text("name", name).text("group", group),
        None => Fields::at(span).text("name", config.user.clone()),
    };
    Fields::at(span)
        .put("user", user.text("text", config.user.clone()).node())
        .put("env", environment.node())
        .put("entrypoint", words(&config.entrypoint))
        .put("cmd", words(&config.cmd))
        .list("ports", config.exposed_ports.iter().map(|value| port(value)).collect())
        .put("volumes", words(&config.volumes))
        .text("workdir", config.working_dir.clone())
        .flag("healthcheck", config.healthcheck)
        .put("labels", labels.node())
        .list("history", history.filter_map(|(written, base)| instruction(written, base)).collect())
}

fn port(value: &str) -> Node<'static> {
    let (number, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
    let fields = Fields::at(Span::default()).text("text", value).text("protocol", protocol);
    match number.parse() {
        Ok(number) => fields.number("number", number).node(),
        Err(_) => fields.node(),
    }
}

/// What made a layer, whichever builder wrote it: `/bin/sh -c #(nop) ADD …`, `/bin/sh -c apt-get …`, `RUN … # buildkit`.
fn instruction(written: &str, base: Option<bool>) -> Option<Node<'static>> {
    let written = written.trim();
    if written.is_empty() {
        return None;
    }
    let written = written.strip_suffix("# buildkit").unwrap_or(written).trim_end();
    let shell = |text: &str| -> Option<String> {
        text.strip_prefix("/bin/sh -c ")
            .or_else(|| text.strip_prefix("/bin/bash -c "))
            .map(|rest| rest.trim().to_owned())
    };
    let (keyword, rest) = match shell(written) {
        Some(rest) => match rest.strip_prefix("#(nop)") {
            Some(instruction) => split(instruction.trim()),
            None => ("RUN".to_owned(), rest),
        },
        None => {
            let (keyword, rest) = split(written);
            let rest = shell(&rest).unwrap_or(rest);
            (keyword, rest)
        }
    };
    let base = base.unwrap_or(false);
    let span = Span::default();
    Some(Fields::at(span).text("keyword", keyword).text("text", rest).flag("base", base).node())
}

fn split(written: &str) -> (String, String) {
    let (keyword, rest) = written.split_once(char::is_whitespace).unwrap_or((written, ""));
    (keyword.to_ascii_uppercase(), rest.trim().to_owned())
}

fn parse<'a>(files: &[SourceFile<'a>], out: &mut Parsed<'a>) {
    for (index, file) in files.iter().enumerate() {
        match image::parse_config(file.text.as_bytes()) {
            Ok(configuration) => {
                let history = configuration.history.iter().filter(|entry| !entry.empty_layer);
                let history = history.map(|entry| (entry.created_by.as_str(), None));
                let node = node(&configuration.config, &configuration.labels, history)
                    .text("platform", configuration.platform.to_string())
                    .text("created", configuration.created.clone())
                    .node();
                let kind = Cow::Borrowed("docker/image");
                out.resources.push(Resource { kind, name: file.path.to_owned(), node });
            }
            Err(error) => out.problems.push(Problem {
                source: u32::try_from(index).unwrap_or(u32::MAX),
                line: 0,
                reason: SkipReason::Malformed,
                detail: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Parsed, SourceFile};

    #[test]
    fn every_builder_writes_history_its_own_way() {
        let text = r##"{"architecture": "amd64", "os": "linux",
            "config": {"User": "1000:0", "Env": ["A=b=c", "PATH=/bin"], "ExposedPorts": {"22/tcp": {}}},
            "rootfs": {"type": "layers", "diff_ids": []},
            "history": [
                {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
                {"created_by": "/bin/sh -c apt-get update"},
                {"created_by": "RUN /bin/sh -c curl x | sh # buildkit"},
                {"created_by": "ENV A=1", "empty_layer": true},
                {"created_by": "COPY . /app # buildkit"}]}"##;
        let mut parsed = Parsed::default();
        (super::SOURCE.parse)(&[SourceFile { path: "config.json", text }], &mut parsed);
        assert_eq!(parsed.problems, []);
        let node = &parsed.resources[0].node;
        assert_eq!(node.at(&["user", "group"]).unwrap().string(), Some("0"));
        assert_eq!(node.at(&["env", "A"]).unwrap().string(), Some("b=c"));
        let history: Vec<_> = node
            .get("history")
            .unwrap()
            .items()
            .iter()
            .map(|entry| format!("{} {}", entry.text_of("keyword").unwrap(), entry.text_of("text").unwrap()))
            .collect();
        assert_eq!(history, ["ADD file:1 in /", "RUN apt-get update", "RUN curl x | sh", "COPY . /app"]);
        assert_eq!(node.get("ports").unwrap().items()[0].text_of("number"), Some("22"));
    }
}
