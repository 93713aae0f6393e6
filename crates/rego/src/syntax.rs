//! What a module says of itself, read from its syntax tree: its package, its rules, and what it calls.

use std::ops::Range;

use regorus::Value;
use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleHead, Span};

/// The names of a reference: `data.lib.docker`, `a["b c"]`. Ends at the first index that is no text.
pub fn names(expression: &Expr) -> Vec<String> {
    match expression {
        Expr::Var { span, .. } => vec![span.text().to_owned()],
        Expr::RefDot { refr, field, .. } => {
            let mut names = names(refr);
            names.push(field.0.text().to_owned());
            names
        }
        Expr::RefBrack { refr, index, .. } => {
            let mut names = names(refr);
            if let Expr::String { value: Value::String(text), .. } = index.as_ref() {
                names.push(text.as_ref().to_owned());
            }
            names
        }
        _ => Vec::new(),
    }
}

/// The package's path without `data`.
pub fn package(module: &Module) -> Vec<String> {
    names(&module.package.refr)
}

/// The name a rule defines: the first of its head's reference.
pub fn rule_name(rule: &Rule) -> String {
    let reference = match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    };
    names(reference).into_iter().next().unwrap_or_default()
}

/// A function's whole name within its package; none for other rules.
pub fn function_name(rule: &Rule) -> Option<String> {
    match rule {
        Rule::Spec { head: RuleHead::Func { refr, .. }, .. } => Some(names(refr).join(".")),
        Rule::Default { refr, args, .. } if !args.is_empty() => Some(names(refr).join(".")),
        _ => None,
    }
}

/// What a name stands for that an import brings: the whole path.
pub fn imports(module: &Module) -> impl Iterator<Item = (String, Vec<String>)> + '_ {
    module.imports.iter().filter_map(|import| {
        let path = names(&import.refr);
        let name = match &import.r#as {
            Some(alias) => alias.text().to_owned(),
            None => path.last()?.clone(),
        };
        Some((name, path))
    })
}

/// A call in a rule.
pub struct Call<'m> {
    /// As written: `sprintf`, `lib.is_pod`, `data.lib.is_pod`.
    pub name: String,
    /// Of its first name.
    pub span: &'m Span,
    /// The bytes of the name.
    pub range: Range<usize>,
}

/// The bytes of an expression.
pub fn range(of: &Expr) -> Range<usize> {
    let end = match of {
        Expr::RefDot { field, .. } => field.0.end,
        other => other.span().end,
    };
    root(of).span().start as usize..end as usize
}

/// What a reference begins with.
fn root(of: &Expr) -> &Expr {
    let mut first = of;
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = first {
        first = refr;
    }
    first
}

/// What a walk over a rule comes by.
pub enum Seen<'m> {
    Call(Call<'m>),
    /// A body, of a rule, a comprehension or an `every`.
    Query(&'m Query),
}

/// Every call in a rule, names not yet resolved.
pub fn calls<'m>(rule: &'m Rule, each: &mut dyn FnMut(Call<'m>)) {
    walk(rule, &mut |seen| {
        if let Seen::Call(call) = seen {
            each(call);
        }
    });
}

/// Everything in a rule.
pub fn walk<'m>(rule: &'m Rule, each: &mut dyn FnMut(Seen<'m>)) {
    match rule {
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    expression(refr, each);
                    assign.iter().for_each(|assign| expression(&assign.value, each));
                }
                RuleHead::Set { refr, key, .. } => {
                    expression(refr, each);
                    key.iter().for_each(|key| expression(key, each));
                }
                RuleHead::Func { args, assign, .. } => {
                    args.iter().for_each(|argument| expression(argument, each));
                    assign.iter().for_each(|assign| expression(&assign.value, each));
                }
            }
            for body in bodies {
                body.assign.iter().for_each(|assign| expression(&assign.value, each));
                query(&body.query, each);
            }
        }
        Rule::Default { value, .. } => expression(value, each),
    }
}

fn query<'m>(of: &'m Query, each: &mut dyn FnMut(Seen<'m>)) {
    each(Seen::Query(of));
    for statement in &of.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().for_each(|key| expression(key, each));
                expression(value, each);
                expression(collection, each);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => expression(expr, each),
            Literal::Every { domain, query: inner, .. } => {
                expression(domain, each);
                query(inner, each);
            }
        }
        statement.with_mods.iter().for_each(|with| expression(&with.r#as, each));
    }
}

fn expression<'m>(of: &'m Expr, each: &mut dyn FnMut(Seen<'m>)) {
    let mut all = |parts: &'m [Ref<Expr>]| parts.iter().for_each(|part| expression(part, each));
    match of {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
        Expr::Array { items, .. } | Expr::Set { items, .. } => all(items),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
            expression(key, each);
            expression(value, each);
        }),
        Expr::ArrayCompr { term, query: inner, .. } | Expr::SetCompr { term, query: inner, .. } => {
            expression(term, each);
            query(inner, each);
        }
        Expr::ObjectCompr { key, value, query: inner, .. } => {
            expression(key, each);
            expression(value, each);
            query(inner, each);
        }
        Expr::Call { fcn, params, .. } => {
            all(params);
            each(Seen::Call(Call { name: names(fcn).join("."), span: root(fcn).span(), range: range(fcn) }));
        }
        Expr::UnaryExpr { expr, .. } => expression(expr, each),
        Expr::RefDot { refr, .. } => expression(refr, each),
        Expr::RefBrack { refr, index, .. } => {
            expression(refr, each);
            expression(index, each);
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            expression(lhs, each);
            expression(rhs, each);
        }
        Expr::Membership { key, value, collection, .. } => {
            key.iter().for_each(|key| expression(key, each));
            expression(value, each);
            expression(collection, each);
        }
    }
}

/// The cases of a test that runs over a mapping of its own: `test_x[name] if { some name, case in {"a": …} … }`.
pub fn test_cases(rule: &Rule) -> Vec<String> {
    let Rule::Spec { head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. }, bodies, .. } = rule
    else {
        return Vec::new();
    };
    let index = match refr.as_ref() {
        Expr::RefBrack { index, .. } => match index.as_ref() {
            Expr::Var { span, .. } => span.text(),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let statements = bodies.iter().flat_map(|body| &body.query.stmts);
    statements
        .filter_map(|statement| match &statement.literal {
            Literal::SomeIn { key: Some(key), collection, .. } => match (key.as_ref(), collection.as_ref()) {
                (Expr::Var { span, .. }, Expr::Object { fields, .. }) if span.text() == index => Some(fields),
                _ => None,
            },
            _ => None,
        })
        .flatten()
        .filter_map(|(_, key, _)| match key.as_ref() {
            Expr::String { value: Value::String(text), .. } => Some(text.as_ref().to_owned()),
            _ => None,
        })
        .collect()
}
