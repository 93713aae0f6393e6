//! Conditions: true, false, or unknown.

use yagura_formats::document::{Node, Span, Value};
use yagura_model::SkipReason;

use super::stacks::Stacks;

impl Stacks<'_, '_> {
    /// A named condition of the template.
    pub fn condition(&mut self, at: usize, name: &str, span: Span) -> Option<bool> {
        match self.stack(at)?.conditions.get(name) {
            Some(Some(known)) => return *known,
            Some(None) => {
                self.tell(at, span, SkipReason::Malformed, format!("the condition {name} depends on itself"));
                return None;
            }
            None => {}
        }
        let Some(stated) = self.section(at, "Conditions", name) else {
            self.tell(at, span, SkipReason::Malformed, format!("there is no condition {name}"));
            return None;
        };
        self.stack(at)?.conditions.insert(name.to_owned(), None);
        let value = self.truth(at, stated);
        self.stack(at)?.conditions.insert(name.to_owned(), Some(value));
        value
    }

    fn truth(&mut self, at: usize, node: &Node<'_>) -> Option<bool> {
        match self.resolve(at, node)?.value {
            Value::Bool(value) => Some(value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// `And`, `Or`, `Not` and `Equals`.
    pub fn verdict(&mut self, at: usize, name: &str, argument: &Node<'_>) -> Option<bool> {
        let items = argument.items();
        match name {
            "Not" => self.truth(at, items.first()?).map(|value| !value),
            "Equals" => {
                let [left, right] = items else { return None };
                let (left, right) = (self.resolve(at, left)?, self.resolve(at, right)?);
                if left.is_unknown() || right.is_unknown() {
                    // The same reference is the same value, whatever it is.
                    let same = left.is_unknown()
                        && right.is_unknown()
                        && left.tag.is_some()
                        && left.tag == right.tag;
                    return same.then_some(true);
                }
                Some(left.scalar()? == right.scalar()?)
            }
            _ => {
                let decisive = name == "Or";
                let mut known = Some(!decisive);
                for item in items {
                    match self.truth(at, item) {
                        Some(value) if value == decisive => return Some(decisive),
                        Some(_) => {}
                        None => known = None,
                    }
                }
                known
            }
        }
    }
}
