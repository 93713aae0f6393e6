//! Expressions, by falling precedence.

use std::borrow::Cow;

use super::{Expression, Failure, For, Kind, Operator, Parser, Step};

/// Operators by rising precedence; the longer of two that start alike comes first.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[("==", Operator::Equal), ("!=", Operator::NotEqual)],
    &[
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Modulo)],
];

impl<'a> Parser<'a> {
    /// `newlines`: whether line breaks are blanks, as they are within brackets.
    pub(super) fn expression(&mut self, newlines: bool) -> Result<Expression<'a>, Failure> {
        self.deeper(|parser| parser.conditional(newlines))
    }

    fn conditional(&mut self, newlines: bool) -> Result<Expression<'a>, Failure> {
        self.cursor.blank(newlines)?;
        let start = self.cursor.here();
        let condition = self.binary(0, newlines)?;
        self.cursor.blank(newlines)?;
        if self.cursor.peek() != Some(b'?') {
            return Ok(condition);
        }
        self.cursor.at += 1;
        self.cursor.blank(true)?;
        let then = self.expression(newlines)?;
        self.cursor.blank(true)?;
        if self.cursor.peek() != Some(b':') {
            return self.fail("`:` of a conditional is missing");
        }
        self.cursor.at += 1;
        self.cursor.blank(true)?;
        let otherwise = self.expression(newlines)?;
        self.make(start, Kind::Conditional(Box::new([condition, then, otherwise])))
    }

    /// Operators of `level` and above, by climbing: one call for each operand, not one for each level.
    fn binary(&mut self, level: usize, newlines: bool) -> Result<Expression<'a>, Failure> {
        self.cursor.blank(newlines)?;
        let start = self.cursor.here();
        let mut left = self.unary(newlines)?;
        loop {
            self.cursor.blank(newlines)?;
            let Some((found, word, operator)) = self.operator(level) else { return Ok(left) };
            self.cursor.at += word.len();
            self.cursor.blank(true)?;
            let right = self.deeper(|parser| parser.binary(found + 1, newlines))?;
            left = self.make(start, Kind::Binary(operator, Box::new((left, right))))?;
        }
    }

    fn operator(&self, level: usize) -> Option<(usize, &'static str, Operator)> {
        self.cursor.peek().filter(|byte| b"|&=!<>+-*/%".contains(byte))?;
        let from = LEVELS.get(level..)?;
        // `=>` separates the key of a `for` and is no comparison.
        let (offset, (word, operator)) = from.iter().enumerate().find_map(|(offset, operators)| {
            operators.iter().find(|(word, _)| self.cursor.looking_at(word)).map(|found| (offset, *found))
        })?;
        Some((level + offset, word, operator))
    }

    fn unary(&mut self, newlines: bool) -> Result<Expression<'a>, Failure> {
        self.cursor.blank(newlines)?;
        let start = self.cursor.here();
        let negate = match self.cursor.peek() {
            Some(b'-') => true,
            Some(b'!') if !self.cursor.looking_at("!=") => false,
            _ => return self.postfix(newlines),
        };
        self.cursor.at += 1;
        let operand = Box::new(self.deeper(|parser| parser.unary(newlines))?);
        self.make(start, if negate { Kind::Negate(operand) } else { Kind::Not(operand) })
    }

    fn postfix(&mut self, newlines: bool) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        let mut value = self.primary()?;
        loop {
            if newlines {
                // `a\n.b` continues within brackets only.
                let before = self.cursor;
                self.cursor.blank(true)?;
                if !matches!(self.cursor.peek(), Some(b'.' | b'[')) {
                    self.cursor = before;
                    return Ok(value);
                }
            }
            let kind = match self.cursor.peek() {
                Some(b'.') if self.cursor.looking_at("...") => return Ok(value),
                Some(b'.') if self.cursor.looking_at(".*") => {
                    self.cursor.at += 2;
                    let mut steps = Vec::new();
                    while self.cursor.peek() == Some(b'.') && !self.cursor.looking_at("...") {
                        steps.push(self.step()?);
                    }
                    Kind::Splat(Box::new(value), steps)
                }
                Some(b'.') => match self.step()? {
                    Step::Attribute(name) => Kind::Attribute(Box::new(value), name),
                    Step::Index(index) => Kind::Index(Box::new((value, index))),
                },
                Some(b'[') if self.full_splat()? => {
                    let mut steps = Vec::new();
                    while matches!(self.cursor.peek(), Some(b'.' | b'[')) && !self.cursor.looking_at("...") {
                        if self.cursor.looking_at(".*")
                            || (self.cursor.looking_at("[") && self.full_splat()?)
                        {
                            self.cursor.take(".*");
                            let inner =
                                self.make(start, Kind::Splat(Box::new(value), std::mem::take(&mut steps)))?;
                            value = inner;
                            continue;
                        }
                        steps.push(self.step()?);
                    }
                    Kind::Splat(Box::new(value), steps)
                }
                Some(b'[') => match self.step()? {
                    Step::Index(index) => Kind::Index(Box::new((value, index))),
                    Step::Attribute(name) => Kind::Attribute(Box::new(value), name),
                },
                _ => return Ok(value),
            };
            value = self.make(start, kind)?;
        }
    }

    /// Passes `[*]`.
    fn full_splat(&mut self) -> Result<bool, Failure> {
        let before = self.cursor;
        self.cursor.at += 1;
        self.cursor.blank(true)?;
        if self.cursor.take("*") {
            self.cursor.blank(true)?;
            if self.cursor.take("]") {
                return Ok(true);
            }
        }
        self.cursor = before;
        Ok(false)
    }

    /// `.name`, `.0` or `[index]`.
    fn step(&mut self) -> Result<Step<'a>, Failure> {
        if self.cursor.take("[") {
            let index = self.expression(true)?;
            self.close(b']')?;
            return Ok(Step::Index(index));
        }
        self.cursor.at += 1;
        self.cursor.blank(false)?;
        if let Some(name) = self.cursor.identifier() {
            return Ok(Step::Attribute(Cow::Borrowed(name)));
        }
        let digits = self.cursor.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return self.fail("a name is missing after `.`");
        }
        let start = self.cursor.here();
        let number = self.cursor.slice(digits);
        self.cursor.at += digits;
        Ok(Step::Index(self.make(start, Kind::Number(Cow::Borrowed(number)))?))
    }

    fn close(&mut self, bracket: u8) -> Result<(), Failure> {
        self.cursor.blank(true)?;
        if self.cursor.peek() != Some(bracket) {
            return self.fail(format!("`{}` is missing", char::from(bracket)));
        }
        self.cursor.at += 1;
        Ok(())
    }

    fn primary(&mut self) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        match self.cursor.peek() {
            Some(b'"') => self.quoted(),
            Some(b'0'..=b'9') => self.number(),
            Some(b'(') => {
                self.cursor.at += 1;
                let inner = self.expression(true)?;
                self.close(b')')?;
                Ok(inner)
            }
            Some(b'[') => {
                self.cursor.at += 1;
                self.tuple(start)
            }
            Some(b'{') => {
                self.cursor.at += 1;
                self.object(start)
            }
            Some(b'<') if self.cursor.looking_at("<<") => self.heredoc(),
            Some(_) => match self.cursor.identifier() {
                Some(name) => self.named(start, name),
                None => self.fail("an expression is missing"),
            },
            None => self.fail("an expression is missing"),
        }
    }

    fn named(&mut self, start: super::Span, name: &'a str) -> Result<Expression<'a>, Failure> {
        let begin = self.cursor.at - name.len();
        // `provider::name::function(…)`
        while self.cursor.looking_at("::") {
            self.cursor.at += 2;
            if self.cursor.identifier().is_none() {
                return self.fail("a name is missing after `::`");
            }
        }
        let name = self.cursor.text.get(begin..self.cursor.at).unwrap_or(name);
        let before = self.cursor;
        self.cursor.blank(false)?;
        if self.cursor.take("(") {
            return self.call(start, name);
        }
        self.cursor = before;
        let kind = match name {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            _ => Kind::Variable(Cow::Borrowed(name)),
        };
        self.make(start, kind)
    }

    fn call(&mut self, start: super::Span, name: &'a str) -> Result<Expression<'a>, Failure> {
        let mut arguments = Vec::new();
        let mut expand = false;
        loop {
            self.cursor.blank(true)?;
            if self.cursor.take(")") {
                break;
            }
            if expand {
                return self.fail("`)` is missing after `...`");
            }
            arguments.push(self.expression(true)?);
            self.cursor.blank(true)?;
            expand = self.cursor.take("...");
            self.cursor.blank(true)?;
            if !self.cursor.take(",") && self.cursor.peek() != Some(b')') {
                return self.fail("`,` or `)` is missing in the arguments of a function");
            }
        }
        self.make(start, Kind::Call { name: Cow::Borrowed(name), arguments, expand })
    }

    fn number(&mut self) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        let rest = self.cursor.rest();
        let digits = |from: usize| rest.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = digits(0);
        if rest.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let number = self.cursor.slice(length);
        self.cursor.at += length;
        self.make(start, Kind::Number(Cow::Borrowed(number)))
    }

    fn tuple(&mut self, start: super::Span) -> Result<Expression<'a>, Failure> {
        self.cursor.blank(true)?;
        if self.is_for() {
            return self.comprehension(start, false);
        }
        let mut items = Vec::new();
        loop {
            self.cursor.blank(true)?;
            if self.cursor.take("]") {
                return self.make(start, Kind::Tuple(items));
            }
            items.push(self.expression(true)?);
            self.cursor.blank(true)?;
            if !self.cursor.take(",") && self.cursor.peek() != Some(b']') {
                return self.fail("`,` or `]` is missing in a list");
            }
        }
    }

    fn object(&mut self, start: super::Span) -> Result<Expression<'a>, Failure> {
        self.cursor.blank(true)?;
        if self.is_for() {
            return self.comprehension(start, true);
        }
        let mut items = Vec::new();
        loop {
            self.cursor.blank(true)?;
            if self.cursor.take("}") {
                return self.make(start, Kind::Object(items));
            }
            let key = self.object_key()?;
            self.cursor.blank(true)?;
            if !self.cursor.take("=>") && !self.cursor.take("=") && !self.cursor.take(":") {
                return self.fail("`=` is missing after the key of an object");
            }
            let value = self.expression(false)?;
            items.push((key, value));
            self.cursor.blank(false)?;
            if !self.cursor.take(",") && !matches!(self.cursor.peek(), Some(b'}' | b'\n')) {
                return self.fail("`,` or `}` is missing in an object");
            }
        }
    }

    /// A bare word as a key is the word; in brackets it is a reference.
    fn object_key(&mut self) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        let before = self.cursor;
        if let Some(name) = self.cursor.identifier() {
            let after = self.cursor;
            self.cursor.blank(true)?;
            if matches!(self.cursor.peek(), Some(b'=' | b':')) && !self.cursor.looking_at("==") {
                self.cursor = after;
                return self.make(start, Kind::String(Cow::Borrowed(name)));
            }
        }
        self.cursor = before;
        self.expression(true)
    }

    fn is_for(&self) -> bool {
        let mut ahead = self.cursor;
        ahead.identifier() == Some("for") && matches!(ahead.peek(), Some(b' ' | b'\t' | b'\r' | b'\n'))
    }

    fn comprehension(&mut self, start: super::Span, object: bool) -> Result<Expression<'a>, Failure> {
        self.cursor.identifier();
        let (key, value) = self.iterators()?;
        let collection = self.expression(true)?;
        self.cursor.blank(true)?;
        if !self.cursor.take(":") {
            return self.fail("`:` is missing after the collection of a `for`");
        }
        let mut result_key = None;
        let mut result = self.expression(true)?;
        let mut group = false;
        self.cursor.blank(true)?;
        if object {
            if !self.cursor.take("=>") {
                return self.fail("`=>` is missing after the key of a `for`");
            }
            result_key = Some(std::mem::replace(&mut result, self.expression(true)?));
            self.cursor.blank(true)?;
            group = self.cursor.take("...");
            self.cursor.blank(true)?;
        }
        let mut condition = None;
        if self.cursor.looking_at("if") {
            self.cursor.identifier();
            condition = Some(self.expression(true)?);
        }
        self.close(if object { b'}' } else { b']' })?;
        let of = For { key, value, collection, result_key, result, group, condition };
        self.make(start, Kind::For(Box::new(of)))
    }

    /// `key, value in` or `value in`.
    pub(super) fn iterators(&mut self) -> Result<(Option<Cow<'a, str>>, Cow<'a, str>), Failure> {
        self.cursor.blank(true)?;
        let Some(first) = self.cursor.identifier() else { return self.fail("a name is missing after `for`") };
        self.cursor.blank(true)?;
        let mut second = None;
        if self.cursor.take(",") {
            self.cursor.blank(true)?;
            second = self.cursor.identifier();
            self.cursor.blank(true)?;
        }
        if self.cursor.identifier() != Some("in") {
            return self.fail("`in` is missing in a `for`");
        }
        Ok(match second {
            Some(second) => (Some(Cow::Borrowed(first)), Cow::Borrowed(second)),
            None => (None, Cow::Borrowed(first)),
        })
    }
}
