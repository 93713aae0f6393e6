//! Negations as OPA reads them.
//!
//! What a negated call or comparison needs is asked for before the negation: in `not startswith(input.name, "a")` a
//! missing name decides nothing, where the interpreter would take it for a failed call, and so for true. The same goes
//! for `not f(input.list[_])`: some element must fail. Such terms are written out as statements of their own.

use std::collections::BTreeSet;
use std::ops::Range;

use regorus::unstable::{BoolOp, Expr, Literal, LiteralStmt, Module, Query, Ref};

use crate::rewrite::replaced;
use crate::syntax::{self, Seen, range};

/// Bytes of the text, and what stands there instead.
pub type Edits = Vec<(Range<usize>, String)>;

/// The edits of a module's text. `globals` are names of rules and imports, which may be undefined.
pub fn edits(module: &Module, text: &str, globals: &BTreeSet<String>) -> Edits {
    let mut writer = Writer { text, globals, names: 0, statements: Vec::new(), with: String::new() };
    let mut edits = Edits::new();
    for rule in &module.policy {
        syntax::walk(rule, &mut |seen| {
            if let Seen::Query(query) = seen {
                let braced = text.as_bytes().get(query.span.start as usize) == Some(&b'{');
                query
                    .stmts
                    .iter()
                    .for_each(|statement| writer.statement(statement, query, braced, &mut edits));
            }
        });
    }
    // An edit within another one: only the outer is made, and the inner negation stays as it is.
    edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    edits.retain(|(range, _)| {
        let apart = range.start >= end;
        if apart {
            end = range.end;
        }
        apart
    });
    edits
}

struct Writer<'t> {
    text: &'t str,
    globals: &'t BTreeSet<String>,
    names: usize,
    /// Statements to stand before the negation at hand.
    statements: Vec<String>,
    /// Its `with …`, which those need as well.
    with: String,
}

impl Writer<'_> {
    fn statement(&mut self, statement: &LiteralStmt, query: &Query, braced: bool, edits: &mut Edits) {
        let Literal::NotExpr { expr, .. } = &statement.literal else { return };
        self.statements.clear();
        self.with.clear();
        let mut inner = Edits::new();
        // A `with` may stand for what the terms are; it goes with each of them.
        let end = match (statement.with_mods.first(), statement.with_mods.last()) {
            (Some(first), Some(last)) => {
                let end = range(&last.r#as).end;
                let with = self.text.get(first.span.start as usize..end).unwrap_or_default();
                if !with.starts_with("with") {
                    return;
                }
                self.with = format!(" {with}");
                end
            }
            _ => range(expr).end,
        };
        self.top(expr, &mut inner);
        if self.statements.is_empty() {
            return;
        }
        let whole = statement.span.start as usize..end;
        let Some(text) = self.text.get(whole.clone()).filter(|text| text.starts_with("not")) else { return };
        inner.iter_mut().for_each(|(range, _)| {
            *range = range.start.saturating_sub(whole.start)..range.end.saturating_sub(whole.start);
        });
        let written = format!("{}; {}", self.statements.join("; "), replaced(text, &inner));
        // A single statement may stand without braces; several may not.
        let bare = query.stmts.len() == 1 && !braced && query.span.start == statement.span.start;
        edits.push((whole, if bare && self.is_body(query) { format!("{{ {written} }}") } else { written }));
    }

    /// Whether a query is what follows `if`, not the inside of a comprehension.
    fn is_body(&self, query: &Query) -> bool {
        let before = self.text.get(..query.span.start as usize).unwrap_or_default().trim_end();
        before.ends_with("if")
    }

    /// The outermost term of a negation: it stays, what it is made of goes before.
    fn top(&mut self, of: &Expr, edits: &mut Edits) {
        match of {
            Expr::Call { params, .. } => params.iter().for_each(|param| self.one(param, edits)),
            Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. } | Expr::AssignExpr { lhs, rhs, .. } => {
                self.within(lhs, edits);
                self.within(rhs, edits);
            }
            Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::BinExpr { lhs, rhs, .. } => {
                self.one(lhs, edits);
                self.one(rhs, edits);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| self.one(key, edits));
                self.one(value, edits);
                self.one(collection, edits);
            }
            _ => self.within(of, edits),
        }
    }

    /// A term that may be undefined itself, not the terms within it.
    fn within(&mut self, of: &Expr, edits: &mut Edits) {
        match of {
            Expr::RefDot { refr, .. } => self.within(refr, edits),
            Expr::RefBrack { refr, index, .. } => {
                self.within(refr, edits);
                self.one(index, edits);
            }
            Expr::Var { .. } => {}
            _ => self.one(of, edits),
        }
    }

    /// A term that must be known: written out as a statement where it may be undefined.
    fn one(&mut self, of: &Expr, edits: &mut Edits) {
        let mut inner = Edits::new();
        match of {
            Expr::Var { span, .. } if !self.globals.contains(span.text()) => return,
            Expr::Var { .. } => {}
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.within(of, &mut inner),
            Expr::Call { params, .. } => params.iter().for_each(|param| self.one(param, &mut inner)),
            Expr::ArithExpr { lhs, rhs, .. } | Expr::BinExpr { lhs, rhs, .. } => {
                self.one(lhs, &mut inner);
                self.one(rhs, &mut inner);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item: &Ref<Expr>| self.one(item, edits));
                return;
            }
            Expr::Object { fields, .. } => {
                fields.iter().for_each(|(_, _, value)| self.one(value, edits));
                return;
            }
            // Literals, comprehensions, and what is rare.
            _ => return,
        }
        let whole = range(of);
        let Some(text) = self.text.get(whole.clone()) else { return };
        inner.iter_mut().for_each(|(range, _)| {
            *range = range.start.saturating_sub(whole.start)..range.end.saturating_sub(whole.start);
        });
        self.names += 1;
        let name = format!("yagura_term_{}", self.names);
        self.statements.push(format!("{name} := {}{}", replaced(text, &inner), self.with));
        edits.push((whole, name));
    }
}
