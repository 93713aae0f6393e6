//! Macros: names in conditions that stand for other conditions.
//!
//! A macro sees those defined before its last change, a rule sees all. What a name is resolved to is shared by all
//! its uses, so that macros that name macros cost what is written and not what it would amount to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::falco::condition::{Expression, Position};

/// Deepest nesting of conditions within each other, their macros resolved.
const MAX_NESTING: u32 = 300;

/// A macro's condition as far as it is resolved.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub name: String,
    pub expression: Arc<Expression>,
    /// Levels of `expression`, everything it shares counted.
    pub depth: u32,
    /// Whether names stand in it no more.
    pub resolved: bool,
    pub used: bool,
    /// When it was first defined.
    pub index: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    pub message: String,
    pub at: Position,
}

/// Resolves the names in one condition among the macros that it sees.
pub(super) struct Resolver<'m> {
    macros: &'m [Macro],
    by_name: &'m HashMap<String, usize>,
    /// Macros first defined before this are seen.
    visibility: u32,
    /// The macros that are being resolved.
    path: Vec<usize>,
    /// Resolved for this condition, with their depth.
    done: BTreeMap<usize, (Arc<Expression>, u32)>,
}

impl<'m> Resolver<'m> {
    pub fn new(macros: &'m [Macro], by_name: &'m HashMap<String, usize>, visibility: u32) -> Self {
        Self { macros, by_name, visibility, path: Vec::new(), done: BTreeMap::new() }
    }

    /// The condition with its names resolved, and its depth.
    pub fn resolve(&mut self, expression: &Expression) -> Result<(Expression, u32), Unresolved> {
        let (resolved, depth) = match expression {
            Expression::And(children) => {
                let (children, depth) = self.all(children)?;
                (Expression::And(children), depth + 1)
            }
            Expression::Or(children) => {
                let (children, depth) = self.all(children)?;
                (Expression::Or(children), depth + 1)
            }
            Expression::Not(child) => {
                let (child, depth) = self.resolve(child)?;
                (Expression::Not(Box::new(child)), depth + 1)
            }
            Expression::Check(_) | Expression::Shared(_) => (expression.clone(), 1),
            Expression::Macro(name, at) => {
                let (shared, depth) = self.name(name, *at)?;
                if depth > MAX_NESTING {
                    let message = format!("macro '{name}' nests conditions deeper than {MAX_NESTING}");
                    return Err(Unresolved { message, at: *at });
                }
                (Expression::Shared(shared), depth + 1)
            }
        };
        Ok((resolved, depth))
    }

    fn all(&mut self, children: &[Expression]) -> Result<(Vec<Expression>, u32), Unresolved> {
        let mut deepest = 0;
        let mut resolved = Vec::with_capacity(children.len());
        for child in children {
            let (child, depth) = self.resolve(child)?;
            deepest = deepest.max(depth);
            resolved.push(child);
        }
        Ok((resolved, deepest))
    }

    fn name(&mut self, name: &str, at: Position) -> Result<(Arc<Expression>, u32), Unresolved> {
        let found = self.by_name.get(name).and_then(|index| Some((*index, self.macros.get(*index)?)));
        let Some((index, item)) = found.filter(|(_, item)| item.index < self.visibility) else {
            return Err(Unresolved { message: format!("Undefined macro '{name}' used in filter."), at });
        };
        if self.path.contains(&index) {
            return Err(Unresolved { message: format!("reference loop in macro '{name}'"), at });
        }
        if let Some(done) = self.done.get(&index) {
            return Ok(done.clone());
        }
        let result = if item.resolved {
            (Arc::clone(&item.expression), item.depth)
        } else {
            self.path.push(index);
            let resolved = self.resolve(&item.expression);
            self.path.pop();
            let (expression, depth) = resolved.map_err(|error| Unresolved { at, ..error })?;
            (Arc::new(expression), depth)
        };
        self.done.insert(index, result.clone());
        Ok(result)
    }

    /// The macros that were named, by their place.
    pub fn used(self) -> impl Iterator<Item = usize> {
        self.done.into_keys()
    }
}
