//! The declaration of the source.

use super::configuration::Files;
use super::evaluation::evaluate;
use super::plan;
use crate::cloud::normalise;
use crate::source::{extension, whole_only};
use crate::{Parsed, Reach, Source, SourceFile};

/// Before the path of a tfvars file that the user asks for by name: its values count before all others.
pub const ASKED: &str = "--tf-vars/";

pub const SOURCE: Source = Source {
    name: "terraform",
    reach: Reach::Tree,
    wants,
    recognises,
    max_bytes: 32 << 20,
    parse,
    subjects: whole_only,
    example: "main.tf",
};

/// Configuration, values, the list of installed modules, and what `file()` and `templatefile()` read most often.
fn wants(path: &str) -> bool {
    let ending = extension(path);
    matches!(ending, "tf" | "tofu" | "tfvars" | "tfstate" | "tpl" | "tftpl")
        || path.ends_with(".tf.json")
        || path.ends_with(".tfvars.json")
        || path.ends_with(".terraform/modules/modules.json")
        || ending == "json" && !path.contains("node_modules/")
        || path.starts_with(ASKED)
}

/// Of other JSON only plans and states, and policies for `file()`.
fn recognises(path: &str, text: &str) -> bool {
    let own = [".tf.json", ".tfvars.json", "modules/modules.json"].iter().any(|end| path.ends_with(end));
    match extension(path) {
        "json" | "tfstate" if !own && !path.starts_with(ASKED) => {
            plan::recognises(path, text) || text.contains("\"Statement\"")
        }
        _ => true,
    }
}

fn parse<'a>(files: &[SourceFile<'a>], out: &mut Parsed<'a>) {
    let configuration = Files::parse(files, &mut out.problems);
    let raws = evaluate(&configuration, &mut out.problems);
    out.resources.extend(normalise(raws));
    for (index, file) in files.iter().enumerate() {
        if plan::recognises(file.path, file.text) && !file.path.ends_with(".tf.json") {
            let source = u32::try_from(index).unwrap_or(u32::MAX);
            let (raws, broken) = plan::read(file.text, source);
            out.tree_problems(source, &broken);
            // Each stands for itself: a plan says again what the configuration beside it says.
            out.resources.extend(normalise(raws));
        }
    }
}
