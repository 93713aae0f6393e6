//! A catalogue over tables of rows: the generic ones and a source's own.

use yagura_model::field::{
    Argument, ArgumentRule, Field, FieldDescription, FieldError, FieldType, FieldValue, Multiplicity,
};

use super::AuditEvent;
use super::generic::{self, Generic};

/// One field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<How> {
    pub name: &'static str,
    pub kind: FieldType,
    pub list: bool,
    pub argument: ArgumentRule,
    pub how: How,
    pub description: &'static str,
}

/// The fields of a source. A field's id is its place, generic ones first.
pub(crate) struct Catalogue<How> {
    pub own: Vec<Row<How>>,
}

impl<How: Copy> Catalogue<How> {
    pub fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        let generic = generic::ROWS.iter().map(|row| (row.name, row.kind, row.list, row.argument));
        let own = self.own.iter().map(|row| (row.name, row.kind, row.list, row.argument));
        let found = generic.chain(own).enumerate().find(|(_, row)| row.0 == name);
        let (place, (_, kind, list, rule)) = found.ok_or_else(|| FieldError::Unknown(name.to_owned()))?;
        let argument: Argument = rule.read(name, argument)?;
        let multiplicity = if list { Multiplicity::List } else { Multiplicity::One };
        Ok(Field { id: u16::try_from(place).unwrap_or(u16::MAX), argument, kind, multiplicity })
    }

    pub fn describe(&self) -> Vec<FieldDescription> {
        let describe = |name, kind, list, argument, description| FieldDescription {
            name,
            kind,
            list,
            argument,
            description,
        };
        let generic = generic::ROWS
            .iter()
            .map(|row| describe(row.name, row.kind, row.list, row.argument, row.description));
        let own =
            self.own.iter().map(|row| describe(row.name, row.kind, row.list, row.argument, row.description));
        generic.chain(own).collect()
    }

    /// A generic field, or how the source itself has this one.
    pub fn find(&self, field: &Field) -> Option<Result<Generic, How>> {
        let place = usize::from(field.id);
        match generic::ROWS.get(place) {
            Some(row) => Some(Ok(row.how)),
            None => self.own.get(place - generic::ROWS.len()).map(|row| Err(row.how)),
        }
    }

    pub fn generic<'e>(
        event: &'e AuditEvent<'_>,
        how: Generic,
        field: &Field,
        plugin: &'static str,
        information: impl FnOnce() -> String,
    ) -> Option<FieldValue<'e>> {
        generic::extract(event, how, field, plugin, information)
    }
}
