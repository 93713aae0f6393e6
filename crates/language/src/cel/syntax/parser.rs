//! The grammar, by recursive descent.

use super::expression::{Binary, Expression, Kind, Literal, Unary};
use super::lexer::{Lexed, Token, tokens};
use super::{MAX_DEPTH, macros};
use crate::cel::SyntaxError;

type Parsed<T> = Result<T, SyntaxError>;

/// Words that may not name a variable or a function.
const RESERVED: [&str; 20] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
];
/// Of these, the ones that may not name a field either.
const LITERALS: [&str; 4] = ["false", "in", "null", "true"];

/// Reads one expression.
pub fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.unexpected("the end")),
    }
}

struct Parser {
    tokens: Vec<Lexed>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |lexed| &lexed.token)
    }

    fn start(&self) -> u32 {
        self.tokens.get(self.at).map_or(0, |lexed| lexed.start)
    }

    /// End of the token before.
    fn end(&self) -> u32 {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |lexed| lexed.end)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.peek(), Token::Mark(found) if *found == mark)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.take(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::Name(name) => format!("`{}`", name.chars().take(40).collect::<String>()),
            _ => "a literal".to_owned(),
        };
        SyntaxError::new(self.start() as usize, format!("expected {wanted}, found {found}"))
    }

    fn make(&self, kind: Kind, start: u32) -> Parsed<Expression> {
        let expression = Expression::new(kind, start, self.end());
        if expression.depth > MAX_DEPTH {
            return Err(too_deep(start));
        }
        Ok(expression)
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH / 4 {
            return Err(too_deep(self.start()));
        }
        let expression = self.conditional();
        self.depth -= 1;
        expression
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let condition = self.or()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let then = Box::new(self.or()?);
        self.expect(":")?;
        let otherwise = Box::new(self.expression()?);
        self.make(Kind::Conditional { condition: Box::new(condition), then, otherwise }, start)
    }

    fn or(&mut self) -> Parsed<Expression> {
        self.terms("||", Self::and, Kind::Or)
    }

    fn and(&mut self) -> Parsed<Expression> {
        self.terms("&&", |parser| parser.relation(), Kind::And)
    }

    fn terms(
        &mut self,
        mark: &str,
        term: fn(&mut Self) -> Parsed<Expression>,
        kind: fn(Vec<Expression>) -> Kind,
    ) -> Parsed<Expression> {
        let start = self.start();
        let first = term(self)?;
        if !self.is(mark) {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.take(mark) {
            terms.push(term(self)?);
        }
        self.make(kind(terms), start)
    }

    fn relation(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let mut left = self.sum()?;
        while let Some(operator) = self.relation_operator() {
            self.at += 1;
            let right = self.sum()?;
            left = self.make(Kind::Binary(operator, Box::new(left), Box::new(right)), start)?;
        }
        Ok(left)
    }

    fn relation_operator(&self) -> Option<Binary> {
        match self.peek() {
            Token::Mark("==") => Some(Binary::Equal),
            Token::Mark("!=") => Some(Binary::NotEqual),
            Token::Mark("<") => Some(Binary::Less),
            Token::Mark("<=") => Some(Binary::LessEqual),
            Token::Mark(">") => Some(Binary::Greater),
            Token::Mark(">=") => Some(Binary::GreaterEqual),
            Token::Name(name) if name == "in" => Some(Binary::In),
            _ => None,
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Token::Mark("+") => Binary::Add,
                Token::Mark("-") => Binary::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.product()?;
            left = self.make(Kind::Binary(operator, Box::new(left), Box::new(right)), start)?;
        }
    }

    fn product(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek() {
                Token::Mark("*") => Binary::Multiply,
                Token::Mark("/") => Binary::Divide,
                Token::Mark("%") => Binary::Modulo,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.unary()?;
            left = self.make(Kind::Binary(operator, Box::new(left), Box::new(right)), start)?;
        }
    }

    fn unary(&mut self) -> Parsed<Expression> {
        let start = self.start();
        for (mark, operator) in [("!", Unary::Not), ("-", Unary::Negate)] {
            let mut count = 0_u32;
            while self.is(mark) && !(mark == "-" && self.negative_number()) {
                self.at += 1;
                count += 1;
            }
            if count == 0 {
                continue;
            }
            // Two of a kind are none.
            let operand = self.member()?;
            let times = if count.is_multiple_of(2) { 2 } else { 1 };
            return (0..times)
                .try_fold(operand, |operand, _| self.make(Kind::Unary(operator, Box::new(operand)), start));
        }
        self.member()
    }

    /// A minus that belongs to the number after it.
    fn negative_number(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map(|lexed| &lexed.token);
        matches!(next, Some(Token::Int(_) | Token::SmallestInt | Token::Double(_)))
    }

    fn member(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let mut operand = self.primary()?;
        loop {
            if self.is(".") || self.is(".?") {
                let optional = self.is(".?");
                self.at += 1;
                let (field, quoted) = self.field()?;
                if !optional && !quoted && self.take("(") {
                    let arguments = self.arguments(")")?;
                    let made = macros::member(operand, field, arguments, self.end())?;
                    operand = self.checked(Expression { start, ..made })?;
                } else {
                    operand =
                        self.make(Kind::Select { operand: Box::new(operand), field, optional }, start)?;
                }
            } else if self.is("[") || self.is("[?") {
                let optional = self.is("[?");
                self.at += 1;
                let index = Box::new(self.expression()?);
                self.expect("]")?;
                operand = self.make(Kind::Index { operand: Box::new(operand), index, optional }, start)?;
            } else if self.is("{")
                && let Some(name) = message_name(&operand)
            {
                operand = self.message(name, start)?;
            } else {
                return Ok(operand);
            }
        }
    }

    fn checked(&self, expression: Expression) -> Parsed<Expression> {
        if expression.depth > MAX_DEPTH { Err(too_deep(expression.start)) } else { Ok(expression) }
    }

    /// A field's name, and whether it stood between backquotes.
    fn field(&mut self) -> Parsed<(String, bool)> {
        match self.peek() {
            Token::Name(name) if !LITERALS.contains(&name.as_str()) => {
                let name = name.clone();
                self.at += 1;
                Ok((name, false))
            }
            Token::Quoted(name) => {
                let name = name.clone();
                self.at += 1;
                Ok((name, true))
            }
            _ => Err(self.unexpected("a field's name")),
        }
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let start = self.start();
        if self.take("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(Expression { start, end: self.end(), ..inner });
        }
        // `[?` begins a list whose first item is optional.
        if self.is("[") || self.is("[?") {
            return self.list(start);
        }
        if self.take("{") {
            return self.map(start);
        }
        let rooted = self.take(".");
        let negative = !rooted && self.is("-") && self.negative_number();
        if negative {
            self.at += 1;
        }
        if rooted && !matches!(self.peek(), Token::Name(_)) {
            return Err(self.unexpected("a name"));
        }
        let literal = match self.peek().clone() {
            Token::Name(name) => return self.name(name, rooted, start),
            Token::Int(value) => Literal::Int(if negative { -value } else { value }),
            Token::SmallestInt if negative => Literal::Int(i64::MIN),
            Token::SmallestInt => {
                return Err(SyntaxError::new(start as usize, "a number that is out of range"));
            }
            Token::Uint(value) => Literal::Uint(value),
            Token::Double(value) => Literal::Double(if negative { -value } else { value }),
            Token::String(text) => Literal::String(text),
            Token::Bytes(bytes) => Literal::Bytes(bytes),
            _ => return Err(self.unexpected("an expression")),
        };
        self.next();
        self.make(Kind::Literal(literal), start)
    }

    fn name(&mut self, name: String, rooted: bool, start: u32) -> Parsed<Expression> {
        let literal = match name.as_str() {
            "true" => Some(Literal::Bool(true)),
            "false" => Some(Literal::Bool(false)),
            "null" => Some(Literal::Null),
            _ => None,
        };
        if let (Some(literal), false) = (literal, rooted) {
            self.at += 1;
            return self.make(Kind::Literal(literal), start);
        }
        if RESERVED.contains(&name.as_str()) || name == "while" {
            return Err(SyntaxError::new(start as usize, format!("`{name}` is a reserved word")));
        }
        self.at += 1;
        if self.take("(") {
            let arguments = self.arguments(")")?;
            let name = if rooted { format!(".{name}") } else { name };
            let made = macros::global(name, arguments, start, self.end())?;
            return self.checked(made);
        }
        self.make(Kind::Identifier { name, rooted }, start)
    }

    fn arguments(&mut self, close: &str) -> Parsed<Vec<Expression>> {
        let mut arguments = Vec::new();
        if self.take(close) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if self.take(close) {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn list(&mut self, start: u32) -> Parsed<Expression> {
        let mut optional = self.is("[?");
        self.at += 1;
        let mut items = Vec::new();
        while optional || !self.is("]") {
            let optional_item = std::mem::take(&mut optional) || self.take("?");
            items.push((self.expression()?, optional_item));
            if !self.take(",") {
                break;
            }
        }
        self.expect("]")?;
        self.make(Kind::List(items), start)
    }

    fn map(&mut self, start: u32) -> Parsed<Expression> {
        let mut entries = Vec::new();
        while !self.is("}") {
            let optional = self.take("?");
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?, optional));
            if !self.take(",") {
                break;
            }
        }
        self.expect("}")?;
        self.make(Kind::Map(entries), start)
    }

    fn message(&mut self, name: String, start: u32) -> Parsed<Expression> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.is("}") {
            let optional = self.take("?");
            let (field, _) = self.field()?;
            self.expect(":")?;
            fields.push((field, self.expression()?, optional));
            if !self.take(",") {
                break;
            }
        }
        self.expect("}")?;
        self.make(Kind::Struct { name, fields }, start)
    }
}

fn too_deep(start: u32) -> SyntaxError {
    SyntaxError::new(start as usize, format!("nested deeper than {}", MAX_DEPTH / 4))
}

/// `a.b.C` as a message's name.
fn message_name(expression: &Expression) -> Option<String> {
    match &expression.kind {
        Kind::Identifier { name, rooted: false } => Some(name.clone()),
        Kind::Identifier { name, rooted: true } => Some(format!(".{name}")),
        Kind::Select { operand, field, optional: false } => {
            Some(format!("{}.{field}", message_name(operand)?))
        }
        _ => None,
    }
}
