//! From text to syntax tree, by recursive descent with a bound on the depth.

use super::lexer::Lexer;
use super::syntax::{Check, Comparison, Expression, Operator, Position, Right, Term, TransformerName};

/// Deepest recursion, counted in productions as Falco counts it: some 200 brackets within each other.
pub const MAX_DEPTH: u32 = 1000;
/// Longest text of a condition, its lists written out.
pub const MAX_LENGTH: usize = 4 << 20;

/// Where a text breaks the grammar, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    pub message: String,
    pub at: Position,
}

/// Parses the whole of a condition.
pub fn parse(text: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser { lexer: Lexer::new(text), depth: 0 };
    if text.is_empty() {
        return parser.fail("filter input string is empty");
    }
    if text.len() > MAX_LENGTH {
        return parser.fail(&format!("condition is longer than {MAX_LENGTH} bytes, its lists written out"));
    }
    let expression = parser.or()?;
    if !parser.lexer.is_at_end() {
        let message = format!("unexpected token after '{}', expecting 'or', 'and'", parser.lexer.last);
        return parser.fail(&message);
    }
    Ok(expression)
}

/// Parses the field or transformer at the start of a text, and says how many bytes it took.
pub fn parse_term(text: &str) -> Result<(Term, usize), ParseError> {
    let mut parser = Parser { lexer: Lexer::new(text), depth: 0 };
    if text.len() > MAX_LENGTH {
        return parser.fail("text is too long");
    }
    let at = parser.lexer.position();
    let term = match parser.term(at)? {
        Some(term) => term,
        None => return parser.fail("expected a field or a transformer"),
    };
    Ok((term, parser.lexer.position().offset as usize))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: u32,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    fn fail<T>(&self, message: &str) -> Parsed<T> {
        Err(ParseError { message: message.to_owned(), at: self.lexer.position() })
    }

    /// Runs a production one level deeper.
    fn deeper<T>(&mut self, production: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth >= MAX_DEPTH {
            return self.fail(&format!("exceeded max depth limit of {MAX_DEPTH}"));
        }
        let result = production(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| {
            let mut children = vec![parser.and()?];
            while parser.joined_by("or")? {
                children.push(parser.and()?);
            }
            Ok(single(children, Expression::Or))
        })
    }

    fn and(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| {
            let mut children = vec![parser.not()?];
            while parser.joined_by("and")? {
                children.push(parser.not()?);
            }
            Ok(single(children, Expression::And))
        })
    }

    /// The word between two operands; a blank or a bracket must follow it.
    fn joined_by(&mut self, word: &str) -> Parsed<bool> {
        self.lexer.blank();
        if !self.lexer.literal(word) {
            return Ok(false);
        }
        if self.lexer.blank() || self.lexer.rest().starts_with('(') {
            return Ok(true);
        }
        self.fail(&format!("expected blank or '(' after '{word}'"))
    }

    fn not(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| {
            parser.lexer.blank();
            let mut negated = false;
            while parser.lexer.not() {
                negated = !negated;
            }
            let child = if parser.lexer.literal("not(") {
                negated = !negated;
                parser.bracket()?
            } else {
                parser.check()?
            };
            Ok(if negated { Expression::Not(Box::new(child)) } else { child })
        })
    }

    /// What follows an opening bracket.
    fn bracket(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| {
            let child = parser.or()?;
            parser.lexer.blank();
            if !parser.lexer.literal(")") {
                return parser.fail("expected a ')' token");
            }
            Ok(child)
        })
    }

    fn check(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| {
            parser.lexer.blank();
            if parser.lexer.literal("(") {
                return parser.bracket();
            }
            let at = parser.lexer.position();
            if let Some(left) = parser.term(at)? {
                return parser.test(left, at).map(Expression::Check);
            }
            match parser.lexer.identifier() {
                Some(name) => Ok(Expression::Macro(name.into(), at)),
                None => parser.fail("expected a '(' token, a field check, or an identifier"),
            }
        })
    }

    /// A field or a transformer, if one stands here.
    fn term(&mut self, at: Position) -> Parsed<Option<Term>> {
        self.deeper(|parser| {
            if let Some(name) = parser.lexer.field_name() {
                return parser.field(name, at).map(Some);
            }
            match parser.lexer.transformer() {
                Some(name) => parser.transformer(name, at).map(Some),
                None => Ok(None),
            }
        })
    }

    fn field(&mut self, name: &str, at: Position) -> Parsed<Term> {
        Ok(Term::Field { name: name.to_owned(), argument: self.argument()?, at })
    }

    /// What may stand in brackets behind a field or a transformer.
    fn argument(&mut self) -> Parsed<Option<String>> {
        if !self.lexer.literal("[") {
            return Ok(None);
        }
        let argument = match self.quoted()? {
            Some(text) => String::from_utf8_lossy(&text).into_owned(),
            None => match self.lexer.bare_argument() {
                Some(text) => text.to_owned(),
                None => {
                    return self.fail("expected a valid field argument: a quoted string or a bare string");
                }
            },
        };
        if !self.lexer.literal("]") {
            return self.fail("expected a ']' token");
        }
        Ok(Some(argument))
    }

    fn quoted(&mut self) -> Parsed<Option<Vec<u8>>> {
        match self.lexer.quoted() {
            Ok(text) => Ok(text),
            Err(message) => self.fail(&message),
        }
    }

    /// What follows `name(`.
    fn transformer(&mut self, name: TransformerName, at: Position) -> Parsed<Term> {
        self.deeper(|parser| {
            let mut arguments = Vec::new();
            loop {
                parser.lexer.blank();
                let place = parser.lexer.position();
                let list = parser.lexer.literal("(");
                arguments.push(if list {
                    parser.list_argument(place)?
                } else {
                    parser.plain_argument(place)?
                });
                parser.lexer.blank();
                if !parser.lexer.literal(",") {
                    break;
                }
            }
            if !parser.lexer.literal(")") {
                return parser.fail("expected a ')' token closing the transformer");
            }
            Ok(Term::Transformer { name, arguments, argument: parser.argument()?, at })
        })
    }

    fn plain_argument(&mut self, at: Position) -> Parsed<Term> {
        if let Some(term) = self.term(at)? {
            return Ok(term);
        }
        if let Some(text) = self.quoted()? {
            return Ok(Term::Value(text, at));
        }
        match self.lexer.number() {
            Some(number) => Ok(Term::Value(number.as_bytes().to_vec(), at)),
            None => self.fail(
                "expected field transformer argument: field, transformer, quoted string, number, or transformer list",
            ),
        }
    }

    /// What follows the bracket of a list of terms.
    fn list_argument(&mut self, at: Position) -> Parsed<Term> {
        self.deeper(|parser| {
            let mut items = Vec::new();
            parser.lexer.blank();
            if parser.lexer.literal(")") {
                return Ok(Term::List(items, at));
            }
            loop {
                parser.lexer.blank();
                let place = parser.lexer.position();
                items.push(parser.plain_argument(place)?);
                parser.lexer.blank();
                if !parser.lexer.literal(",") {
                    break;
                }
            }
            if !parser.lexer.literal(")") {
                return parser.fail("expected ')'");
            }
            Ok(Term::List(items, at))
        })
    }

    /// The operator and right-hand side behind a term.
    fn test(&mut self, left: Term, at: Position) -> Parsed<Check> {
        self.deeper(|parser| {
            parser.lexer.blank();
            let plain = |comparison| Operator { comparison, modifier: None };
            let (operator, right) = if parser.lexer.exists() {
                (plain(Comparison::Exists), Right::None)
            } else if let Some(comparison) = parser.lexer.number_operator() {
                (plain(comparison), parser.number_side()?)
            } else if let Some((comparison, blank)) = parser.lexer.text_operator() {
                match if blank { parser.lexer.modifier() } else { None } {
                    Some(modifier) => {
                        let right = parser.list_side(false)?;
                        (Operator { comparison, modifier: Some(modifier) }, right)
                    }
                    None => (plain(comparison), parser.text_side()?),
                }
            } else if let Some(comparison) = parser.lexer.list_operator() {
                (plain(comparison), parser.list_side(true)?)
            } else {
                return parser.fail(
                    "expected a valid check operator: one of exists, <=, <, >=, >, ==, =, !=, glob, iglob, contains, \
                     icontains, bcontains, startswith, bstartswith, endswith, regex, intersects, in, pmatch",
                );
            };
            Ok(Check { left, operator, right, at })
        })
    }

    fn number_side(&mut self) -> Parsed<Right> {
        if let Some(term) = self.term_side()? {
            return Ok(Right::Term(term));
        }
        match self.lexer.number() {
            Some(number) => Ok(Right::Value(number.as_bytes().to_vec())),
            None => self.fail("expected a number value or a field with a valid transformer"),
        }
    }

    fn text_side(&mut self) -> Parsed<Right> {
        if let Some(term) = self.term_side()? {
            return Ok(Right::Term(term));
        }
        match self.text()? {
            Some(text) => Ok(Right::Value(text)),
            None => self.fail("expected a string value or a field with a valid transformer"),
        }
    }

    fn text(&mut self) -> Parsed<Option<Vec<u8>>> {
        self.lexer.blank();
        if let Some(text) = self.quoted()? {
            return Ok(Some(text));
        }
        Ok(self.lexer.bare_text().map(|text| text.as_bytes().to_vec()))
    }

    fn list_side(&mut self, term_allowed: bool) -> Parsed<Right> {
        self.lexer.blank();
        if self.lexer.literal("(") {
            return self.list().map(Right::List);
        }
        if term_allowed && let Some(term) = self.term_side()? {
            return Ok(Right::Term(term));
        }
        match self.lexer.identifier() {
            Some(name) => Ok(Right::Value(name.as_bytes().to_vec())),
            None => self.fail("expected a list, an identifier, or a field with a valid transformer"),
        }
    }

    /// What follows the bracket of a list of texts.
    fn list(&mut self) -> Parsed<Vec<Vec<u8>>> {
        let mut values = Vec::new();
        if let Some(first) = self.text()? {
            values.push(first);
            self.lexer.blank();
            while self.lexer.literal(",") {
                match self.text()? {
                    Some(value) => values.push(value),
                    None => return self.fail("expected a string value"),
                }
                self.lexer.blank();
            }
        }
        if !self.lexer.literal(")") {
            return self.fail("expected a ')' token");
        }
        Ok(values)
    }

    /// `val(field)` or a transformer on the right-hand side.
    fn term_side(&mut self) -> Parsed<Option<Term>> {
        self.lexer.blank();
        let at = self.lexer.position();
        if self.lexer.value_of() {
            self.lexer.blank();
            let place = self.lexer.position();
            let Some(name) = self.lexer.field_name() else {
                return self.fail("expected a field within 'val' transformer");
            };
            let field = self.field(name, place)?;
            self.lexer.blank();
            if !self.lexer.literal(")") {
                return self.fail("expected a ')' token closing the transformer");
            }
            let argument = self.argument()?;
            return Ok(Some(Term::Transformer {
                name: TransformerName::Value,
                arguments: vec![field],
                argument,
                at,
            }));
        }
        match self.lexer.transformer() {
            Some(name) => self.transformer(name, at).map(Some),
            None => Ok(None),
        }
    }
}

fn single(mut children: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match children.len() {
        1 => children.remove(0),
        _ => join(children),
    }
}
