//! TOML 1.1 as a span tree.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use yagura_model::SkipReason;

use super::{Entry, Lines, MAX_DEPTH, MAX_NODES, Node, Span, Tree, Value, column_after};

/// Reads one TOML text; its tables are mappings in the order of their keys. When it breaks, there is a problem and no
/// document. Dates become strings.
pub fn parse(text: &str) -> Tree<'_> {
    let mut tree = Tree::default();
    if u32::try_from(text.len()).is_err() {
        tree.problem(SkipReason::TooLarge, 1, "text of 4 GiB or more");
        return tree;
    }
    let lines = Lines::of(text);
    match DeTable::parse(text) {
        Ok(table) => {
            let mut convert = Convert { text, lines, nodes: 0 };
            match convert.table(table, 0) {
                Ok(node) => tree.documents.push(node),
                Err((reason, detail)) => tree.problem(reason, 1, detail),
            }
        }
        Err(error) => {
            let line = error.span().map_or(1, |span| lines.at(span.start));
            tree.problem(SkipReason::Malformed, line, error.message().to_owned());
        }
    }
    tree
}

struct Convert<'a> {
    text: &'a str,
    lines: Lines,
    nodes: usize,
}

impl<'a> Convert<'a> {
    fn table(&mut self, table: Spanned<DeTable<'a>>, depth: u32) -> Result<Node<'a>, (SkipReason, String)> {
        let span = self.span(table.span());
        self.mapping(span, table.into_inner(), depth)
    }

    fn mapping(
        &mut self,
        span: Span,
        table: DeTable<'a>,
        depth: u32,
    ) -> Result<Node<'a>, (SkipReason, String)> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let key_span = self.span(key.span());
            let key = Node::new(key_span, Value::String(key.into_inner()));
            entries.push(Entry { key, value: self.node(value, depth + 1)? });
        }
        Ok(Node::new(span, Value::Mapping(entries)))
    }

    fn node(&mut self, value: Spanned<DeValue<'a>>, depth: u32) -> Result<Node<'a>, (SkipReason, String)> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err((SkipReason::TooMany, format!("more than {MAX_NODES} values")));
        }
        if depth > MAX_DEPTH {
            return Err((SkipReason::TooDeep, format!("nested deeper than {MAX_DEPTH}")));
        }
        let span = self.span(value.span());
        let value = match value.into_inner() {
            DeValue::Table(table) => return self.mapping(span, table, depth),
            DeValue::Array(array) => {
                let items = array.into_iter().map(|item| self.node(item, depth + 1));
                Value::Sequence(items.collect::<Result<_, _>>()?)
            }
            DeValue::String(text) => Value::String(text),
            DeValue::Boolean(value) => Value::Bool(value),
            DeValue::Datetime(date) => Value::String(Cow::Owned(date.to_string())),
            DeValue::Integer(_) | DeValue::Float(_) => {
                let written = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
                Value::Number(Cow::Borrowed(written))
            }
        };
        Ok(Node::new(span, value))
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let line = self.lines.at(range.start);
        let before = self.text.get(self.lines.start(range.start)..range.start).unwrap_or_default();
        let column = column_after(before);
        Span {
            start: as_u32(range.start),
            end: as_u32(range.end),
            line,
            column,
            end_line: self.lines.at(range.end.saturating_sub(1).max(range.start)),
            source: 0,
        }
    }
}

fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_become_mappings_with_their_lines() {
        let tree = parse(
            "v = 1.10\n\n[[package]]\nname = \"a\"\ndeps = [\n  {x = true},\n]\n[[package]]\nname = 'b'\n",
        );
        let root = tree.root().unwrap();
        assert_eq!(root.text_of("v"), Some("1.10"));
        let packages = root.get("package").unwrap().items();
        let lines: Vec<_> =
            packages.iter().map(|package| package.get("name").map(|name| name.span.line)).collect();
        assert_eq!(lines, [Some(4), Some(9)]);
        let dependencies = packages[0].get("deps").unwrap();
        assert_eq!((dependencies.span.line, dependencies.span.end_line), (5, 7));
        assert!(dependencies.items()[0].flag("x"));
    }

    #[test]
    fn says_where_it_broke() {
        let tree = parse("a = 1\nb = \n");
        assert!(tree.documents.is_empty());
        assert_eq!((tree.problems[0].line, tree.problems[0].reason), (2, Some(SkipReason::Malformed)));
        assert!(!parse(&format!("a = {}", "[".repeat(5000))).problems.is_empty());
        assert!(!parse(&format!("a{} = 1", ".a".repeat(5000))).problems.is_empty());
    }
}
