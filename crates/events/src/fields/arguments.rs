//! `evt.arg`, `evt.rawarg` and `evt.args`.

use std::borrow::Cow;

use yagura_model::field::{Argument, FieldType, FieldValue, TimeStyle};

use super::catalogue::raw_type;
use super::view::EventView;
use crate::table::{Parameter, ParameterType, RawEvent, signed, unsigned, until_nul};

impl<'a> EventView<'a> {
    /// A parameter by name or number: of today's form, or else of the form that was recorded.
    fn find(&self, argument: &Argument) -> Option<(&RawEvent<'a>, &'static Parameter, usize)> {
        let in_form = |event: &'_ RawEvent<'a>, parameters: &'static [Parameter]| {
            match argument {
                Argument::Index(index) => {
                    let index = usize::try_from(*index).ok()?;
                    Some((index, parameters.get(index)?))
                }
                Argument::Key(name) => {
                    let index = parameters.iter().position(|parameter| parameter.name == &**name)?;
                    Some((index, parameters.get(index)?))
                }
                Argument::None => None,
            }
            .filter(|(index, _)| *index < event.count())
        };
        if let Some((index, parameter)) = in_form(&self.event, &self.info.parameters) {
            return Some((&self.event, parameter, index));
        }
        let (index, parameter) = in_form(&self.original, &self.original_info.parameters)?;
        Some((&self.original, parameter, index))
    }

    pub(super) fn argument(&self, argument: &Argument) -> Option<FieldValue<'a>> {
        let (event, parameter, index) = self.find(argument)?;
        // A text is given as it is.
        if parameter.kind == ParameterType::Text {
            return event.text(index).map(FieldValue::text_bytes);
        }
        Some(FieldValue::Text(self.render(event, parameter, index)?.best()))
    }

    pub(super) fn raw_argument(&self, argument: &Argument) -> Option<FieldValue<'a>> {
        let (event, parameter, index) = self.find(argument)?;
        let bytes = event.parameter(index).filter(|bytes| !bytes.is_empty())?;
        Some(match raw_type(parameter.kind) {
            FieldType::Signed => FieldValue::Signed(signed(bytes)?),
            FieldType::Boolean => FieldValue::Boolean(unsigned(bytes)? != 0),
            FieldType::Double => FieldValue::Double(f64::from_bits(unsigned(bytes)?)),
            FieldType::Text | FieldType::Path => FieldValue::text_bytes(until_nul(bytes)),
            FieldType::Time => FieldValue::Time { nanoseconds: unsigned(bytes)?, style: TimeStyle::Number },
            FieldType::Address | FieldType::Network => FieldValue::Address(match bytes.len() {
                4 => <[u8; 4]>::try_from(bytes).ok()?.into(),
                _ => <[u8; 16]>::try_from(bytes).ok()?.into(),
            }),
            FieldType::Bytes => FieldValue::Bytes(Cow::Borrowed(bytes)),
            FieldType::Unsigned | FieldType::Duration | FieldType::Port => {
                FieldValue::Unsigned(unsigned(bytes)?)
            }
        })
    }

    /// Every argument that was recorded, for people.
    pub(super) fn arguments(&self) -> FieldValue<'a> {
        if self.original_info.name == "syscall" {
            return FieldValue::text("");
        }
        FieldValue::Text(Cow::Owned(self.render_all(&self.original, &self.original_info.parameters)))
    }

    /// The data that were read or written.
    pub(super) fn buffer(&self) -> Option<FieldValue<'a>> {
        let index = self.info.parameter_index("data")?;
        self.event.parameter(index).map(|bytes| FieldValue::Bytes(Cow::Borrowed(bytes)))
    }
}
