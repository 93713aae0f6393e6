//! Strings with `${…}` and `%{…}`.

use std::borrow::Cow;

use super::{Expression, Failure, Kind, Parser, Part};

/// Where a run of template parts ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Within quotes: backslash escapes count, a line break is a mistake.
    Quoted,
    /// To the end of the text; `indent` spaces are taken from the start of each line.
    Plain { indent: usize },
}

/// The directive that ended a run of parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
    EndIf,
    EndFor,
}

impl<'a> Parser<'a> {
    pub(super) fn quoted(&mut self) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        self.cursor.at += 1;
        let (parts, stop) = self.deeper(|parser| parser.parts(Form::Quoted))?;
        if stop != Stop::End {
            return self.fail("a directive `%{else}` or `%{end…}` without its start");
        }
        if !self.cursor.take("\"") {
            return self.fail("string without an end");
        }
        self.make(start, template(parts))
    }

    pub(super) fn whole_template(&mut self) -> Result<Expression<'a>, Failure> {
        self.plain_template(0)
    }

    /// A template up to the cursor's end.
    pub(super) fn plain_template(&mut self, indent: usize) -> Result<Expression<'a>, Failure> {
        let start = self.cursor.here();
        let (parts, stop) = self.deeper(|parser| parser.parts(Form::Plain { indent }))?;
        if stop != Stop::End {
            return self.fail("a directive `%{else}` or `%{end…}` without its start");
        }
        self.make(start, template(parts))
    }

    fn parts(&mut self, form: Form) -> Result<(Vec<Part<'a>>, Stop), Failure> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        // A `~}` takes blanks from the text that follows it.
        let mut trim = false;
        loop {
            let mut text = self.literal(form)?;
            if trim {
                text = trimmed(text, str::trim_start);
            }
            let opener = self.cursor.slice(3);
            let directive = opener.starts_with("%{");
            let starts = directive || opener.starts_with("${");
            if opener.ends_with('~') && starts {
                text = trimmed(text, str::trim_end);
            }
            if !text.is_empty() {
                parts.push(Part::Text(text));
            }
            if !starts {
                return Ok((parts, Stop::End));
            }
            self.cursor.at += 2;
            self.cursor.take("~");
            if !directive {
                let value = self.expression(true)?;
                trim = self.end_of_sequence()?;
                parts.push(Part::Interpolation(value));
                continue;
            }
            self.cursor.blank(true)?;
            match self.cursor.identifier() {
                Some("if") => {
                    let (part, trims) = self.deeper(|parser| parser.if_directive(form))?;
                    trim = trims;
                    parts.push(part);
                }
                Some("for") => {
                    let (part, trims) = self.deeper(|parser| parser.for_directive(form))?;
                    trim = trims;
                    parts.push(part);
                }
                Some("else") => return Ok((parts, Stop::Else)),
                Some("endif") => return Ok((parts, Stop::EndIf)),
                Some("endfor") => return Ok((parts, Stop::EndFor)),
                _ => return self.fail("an unknown directive after `%{`"),
            }
        }
    }

    fn if_directive(&mut self, form: Form) -> Result<(Part<'a>, bool), Failure> {
        let condition = self.expression(true)?;
        let trim = self.end_of_sequence()?;
        let (then, mut stop) = self.branch(form, trim)?;
        let mut otherwise = Vec::new();
        if stop == Stop::Else {
            let trim = self.end_of_sequence()?;
            (otherwise, stop) = self.branch(form, trim)?;
        }
        if stop != Stop::EndIf {
            return self.fail("`%{if}` without `%{endif}`");
        }
        let trim = self.end_of_sequence()?;
        Ok((Part::If { condition, then, otherwise }, trim))
    }

    fn for_directive(&mut self, form: Form) -> Result<(Part<'a>, bool), Failure> {
        let (key, value) = self.iterators()?;
        let collection = self.expression(true)?;
        let trim = self.end_of_sequence()?;
        let (body, stop) = self.branch(form, trim)?;
        if stop != Stop::EndFor {
            return self.fail("`%{for}` without `%{endfor}`");
        }
        let trim = self.end_of_sequence()?;
        Ok((Part::For { key, value, collection, body }, trim))
    }

    fn branch(&mut self, form: Form, trim: bool) -> Result<(Vec<Part<'a>>, Stop), Failure> {
        let (mut parts, stop) = self.parts(form)?;
        if trim && let Some(Part::Text(text)) = parts.first_mut() {
            *text = trimmed(std::mem::take(text), str::trim_start);
        }
        Ok((parts, stop))
    }

    /// Passes `}` or `~}`; true for the latter.
    fn end_of_sequence(&mut self) -> Result<bool, Failure> {
        self.cursor.blank(true)?;
        let trims = self.cursor.take("~");
        if !self.cursor.take("}") {
            return self.fail("`}` is missing in a template");
        }
        Ok(trims)
    }

    /// Text up to the next sequence or the end.
    fn literal(&mut self, form: Form) -> Result<Cow<'a, str>, Failure> {
        let mut copied = String::new();
        let mut from = self.cursor.at;
        let keep = |parser: &Self, copied: &mut String, from: usize| {
            copied.push_str(parser.cursor.text.get(from..parser.cursor.at).unwrap_or_default());
        };
        if let Form::Plain { indent } = form
            && self.cursor.here().column == 1
        {
            self.cursor.at += self.indentation(indent);
            from = self.cursor.at;
        }
        loop {
            let rest = self.cursor.rest();
            let Some(byte) = rest.first() else { break };
            match byte {
                b'"' if form == Form::Quoted => break,
                b'$' | b'%' if rest.get(1) == Some(&b'{') => break,
                b'$' | b'%' if rest.get(1) == Some(byte) && rest.get(2) == Some(&b'{') => {
                    // `$${` is a literal `${`.
                    self.cursor.at += 1;
                    keep(self, &mut copied, from);
                    from = self.cursor.at + 1;
                    self.cursor.at += 2;
                }
                b'\\' if form == Form::Quoted => {
                    keep(self, &mut copied, from);
                    copied.push(self.escape()?);
                    from = self.cursor.at;
                }
                b'\n' if form == Form::Quoted => return self.fail("string without an end in its line"),
                b'\n' => {
                    self.cursor.pass(1);
                    if let Form::Plain { indent: indent @ 1.. } = form {
                        keep(self, &mut copied, from);
                        self.cursor.at += self.indentation(indent);
                        from = self.cursor.at;
                    }
                }
                _ => {
                    let plain = |byte: &u8| !matches!(byte, b'"' | b'$' | b'%' | b'\\' | b'\n');
                    let length = rest.iter().take_while(|byte| plain(byte)).count();
                    self.cursor.at += length.max(1);
                }
            }
        }
        let tail = self.cursor.text.get(from..self.cursor.at).unwrap_or_default();
        Ok(match copied.is_empty() {
            true => Cow::Borrowed(tail),
            false => Cow::Owned(copied + tail),
        })
    }

    fn indentation(&self, most: usize) -> usize {
        self.cursor.rest().iter().take(most).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    fn escape(&mut self) -> Result<char, Failure> {
        let rest = self.cursor.rest();
        let digits = match rest.get(1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(simple) => {
                let character = match simple {
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    b'"' => '"',
                    b'\\' => '\\',
                    _ => return self.fail("an unknown escape"),
                };
                self.cursor.at += 2;
                return Ok(character);
            }
            None => return self.fail("ends within an escape"),
        };
        let code = rest
            .get(2..2 + digits)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(code) = code else { return self.fail("an escape without its hexadecimal digits") };
        self.cursor.at += 2 + digits;
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

/// A template without sequences is a string.
fn template(mut parts: Vec<Part<'_>>) -> Kind<'_> {
    match parts.as_mut_slice() {
        [] => Kind::String(Cow::Borrowed("")),
        [Part::Text(text)] => Kind::String(std::mem::take(text)),
        _ => Kind::Template(parts),
    }
}

fn trimmed<'a>(text: Cow<'a, str>, trim: fn(&str) -> &str) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
    }
}
