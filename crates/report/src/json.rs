//! The report in its own shape: everything, streamed, under the schema published in `docs/schema/`.
//!
//! The shape is [`Report`]'s own, with one addition: every package carries its `purl`.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::ser::PrettyFormatter;
use yagura_model::image::Image;
use yagura_model::inventory::{FileDigest, Relation};
use yagura_model::report::{Change, Database, Risk, Suppressed, Target, TargetKind, Tool, Undecided};
use yagura_model::{Finding, Inventory, OperatingSystem, Package, Purl, Report, Skipped};

use crate::Options;

pub fn write(report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut *out, PrettyFormatter::with_indent(b" "));
    Document::of(report).serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// The document; also what templates see.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    schema_version: &'a str,
    tool: &'a Tool,
    created: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a Database>,
    targets: List<'a, Target>,
    findings: &'a [Finding],
    risks: &'a [Risk],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [Change],
    skipped: &'a [Skipped],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    suppressed: &'a [Suppressed],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notices: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    undecided: &'a [Undecided],
}

impl<'a> Document<'a> {
    pub fn of(report: &'a Report) -> Self {
        Self {
            schema_version: &report.schema_version,
            tool: &report.tool,
            created: &report.created,
            database: report.database.as_ref(),
            targets: List(&report.targets),
            findings: &report.findings,
            risks: &report.risks,
            changes: &report.changes,
            skipped: &report.skipped,
            suppressed: &report.suppressed,
            notices: &report.notices,
            undecided: &report.undecided,
        }
    }
}

/// A slice whose items are written through their document form, one at a time.
struct List<'a, T>(&'a [T]);

trait InDocument {
    type Form<'a>: Serialize
    where
        Self: 'a;

    fn form(&self) -> Self::Form<'_>;
}

impl<T: InDocument> Serialize for List<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            list.serialize_element(&item.form())?;
        }
        list.end()
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetForm<'a> {
    name: &'a str,
    kind: TargetKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a Image>,
    inventory: InventoryForm<'a>,
}

impl InDocument for Target {
    type Form<'a> = TargetForm<'a>;

    fn form(&self) -> TargetForm<'_> {
        TargetForm {
            name: &self.name,
            kind: self.kind,
            image: self.image.as_ref(),
            inventory: InventoryForm::of(&self.inventory),
        }
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct InventoryForm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a OperatingSystem>,
    packages: List<'a, Package>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    relations: &'a [Relation],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [Skipped],
    files: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    file_digests: &'a [FileDigest],
}

impl<'a> InventoryForm<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        Self {
            system: inventory.system.as_ref(),
            packages: List(&inventory.packages),
            relations: &inventory.relations,
            skipped: &inventory.skipped,
            files: inventory.files,
            file_digests: &inventory.file_digests,
        }
    }
}

#[derive(serde::Serialize)]
struct PackageForm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<Purl>,
    #[serde(flatten)]
    package: &'a Package,
}

impl InDocument for Package {
    type Form<'a> = PackageForm<'a>;

    fn form(&self) -> PackageForm<'_> {
        PackageForm { purl: self.purl(), package: self }
    }
}
