//! CloudTrail records
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>) and the
//! fields that rules ask of them, under the names of Falco's cloudtrail plugin.

mod fields;
mod identity;
mod summary;

use std::ops::ControlFlow;
use std::sync::LazyLock;

use yagura_formats::document::{Node, Value};
use yagura_model::field::{
    EventType, Field, FieldCatalogue, FieldDescription, FieldError, FieldValue, Fields,
};

use crate::audit::{AuditEvent, Catalogue, follow, text, written};
use fields::How;

static CATALOGUE: LazyLock<Catalogue<How>> = LazyLock::new(|| Catalogue { own: fields::ROWS.to_vec() });

/// The fields of CloudTrail records.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloudTrail;

/// A record that can be asked.
#[derive(Clone, Copy, Debug)]
pub struct CloudTrailEvent<'e, 'a>(pub &'e AuditEvent<'a>);

impl FieldCatalogue for CloudTrail {
    fn source(&self) -> &'static str {
        "aws_cloudtrail"
    }

    fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        CATALOGUE.resolve(name, argument)
    }

    fn event_type(&self, _: &str) -> Option<EventType> {
        None
    }

    fn event_types(&self) -> u16 {
        0
    }

    fn describe(&self) -> Vec<FieldDescription> {
        CATALOGUE.describe()
    }
}

impl Fields for CloudTrailEvent<'_, '_> {
    fn event_type(&self) -> Option<EventType> {
        None
    }

    fn time(&self) -> u64 {
        self.0.time
    }

    fn value(&self, field: &Field) -> Option<FieldValue<'_>> {
        match CATALOGUE.find(field)? {
            Ok(generic) => Catalogue::<How>::generic(self.0, generic, field, "cloudtrail", || {
                summary::with_place(&self.0.root)
            }),
            Err(how) => self.own(how, field).into_iter().next(),
        }
    }

    fn each(&self, field: &Field, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        match CATALOGUE.find(field) {
            Some(Err(how)) => {
                let _ = self.own(how, field).into_iter().try_for_each(visit);
            }
            Some(Ok(_)) => {
                if let Some(value) = self.value(field) {
                    let _ = visit(value);
                }
            }
            None => {}
        }
    }
}

impl<'e> CloudTrailEvent<'e, '_> {
    fn own(&self, how: How, field: &Field) -> Vec<FieldValue<'e>> {
        let event: &'e AuditEvent<'_> = self.0;
        let root = &event.root;
        match how {
            How::ImageIds => fields::image_ids(root, field.argument.index()),
            How::FirstImageId => fields::image_ids(root, Some(0)),
            _ => single(root, how).into_iter().collect(),
        }
    }
}

fn single<'n>(root: &'n Node<'_>, how: How) -> Option<FieldValue<'n>> {
    match how {
        How::Text(keys) => present(root, keys).map(text),
        How::Json(keys) => present(root, keys).map(|node| FieldValue::owned_text(written(node))),
        How::Flag(key) => {
            let set = present(root, &[key])?.boolean().unwrap_or(false);
            Some(FieldValue::text(if set { "true" } else { "false" }))
        }
        How::ShortSource => {
            let source = root.text_of("eventSource")?;
            Some(FieldValue::text(source.strip_suffix(".amazonaws.com").unwrap_or(source)))
        }
        How::User => identity::user(root),
        How::OriginalUser => identity::original_user(root),
        How::Account => present(root, &["userIdentity", "accountId"])
            .or_else(|| present(root, &["recipientAccountId"]))
            .map(text),
        How::ReadOnly => Some(FieldValue::text(if is_read_only(root)? { "true" } else { "false" })),
        How::Resources => {
            let resources: Vec<String> = root.get("resources")?.items().iter().map(written).collect();
            (!resources.is_empty()).then(|| FieldValue::owned_text(resources.join(",")))
        }
        How::Summary => Some(FieldValue::owned_text(summary::of(root))),
        How::ObjectUri => {
            let bucket = follow(root, &["requestParameters", "bucketName"])?.scalar()?;
            let key = follow(root, &["requestParameters", "key"])?.scalar()?;
            Some(FieldValue::owned_text(format!("s3://{bucket}/{key}")))
        }
        How::Bytes { inwards, outwards } => fields::bytes(root, inwards, outwards).map(FieldValue::Unsigned),
        How::Counts(names, counted) => {
            let name = root.text_of("eventName")?;
            (names.contains(&name) == counted).then_some(FieldValue::Unsigned(1))
        }
        How::InstanceName => fields::instance_name(root),
        How::ImageIds | How::FirstImageId => fields::image_ids(root, Some(0)).into_iter().next(),
    }
}

/// What keys lead to, unless it is null.
fn present<'n, 'a>(root: &'n Node<'a>, keys: &[&str]) -> Option<&'n Node<'a>> {
    follow(root, keys).filter(|node| node.value != Value::Null)
}

/// Beginnings of the names of calls that change something, for old records that do not say.
const CHANGES: &[&str] = &[
    "Activate",
    "Add",
    "Admin",
    "Assign",
    "Associate",
    "Attach",
    "Cancel",
    "Close",
    "Create",
    "Delete",
    "Deregister",
    "Destroy",
    "Detach",
    "Disable",
    "Disassociate",
    "Enable",
    "Initialize",
    "Modify",
    "Open",
    "Purchase",
    "Put",
    "Reboot",
    "Register",
    "Remove",
    "Run",
    "Set",
    "Start",
    "Stop",
    "Suspend",
    "Terminate",
    "Unassign",
    "Unlink",
    "Update",
    "Upgrade",
    "Wipe",
];

fn is_read_only(root: &Node<'_>) -> Option<bool> {
    match present(root, &["readOnly"]) {
        Some(Node { value: Value::String(text), .. }) => Some(text == "true"),
        Some(node) => Some(node.boolean().unwrap_or(false)),
        None => {
            let name = root.text_of("eventName")?;
            Some(!CHANGES.iter().any(|start| name.starts_with(start)))
        }
    }
}
