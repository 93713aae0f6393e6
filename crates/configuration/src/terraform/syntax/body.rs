//! Attributes and blocks.

use std::borrow::Cow;

use super::{Attribute, Block, Body, Failure, Kind, Parser};

impl<'a> Parser<'a> {
    /// Reads items up to the end of the text, or to the brace that closes a block.
    pub(super) fn body_items(&mut self, body: &mut Body<'a>, braced: bool) -> Result<(), Failure> {
        loop {
            self.cursor.blank(true)?;
            match self.cursor.peek() {
                None if braced => return self.fail("block without a closing `}`"),
                None => return Ok(()),
                Some(b'}') if braced => {
                    self.cursor.at += 1;
                    return Ok(());
                }
                Some(_) => self.body_item(body)?,
            }
            self.cursor.blank(false)?;
            match self.cursor.peek() {
                None | Some(b'\n') => {}
                Some(b'}') if braced => {}
                // One-line blocks are not held to having one attribute; nothing is gained by refusing them.
                Some(b',') if braced => self.cursor.at += 1,
                Some(_) => return self.fail("a line break is missing after an attribute or block"),
            }
        }
    }

    fn body_item(&mut self, body: &mut Body<'a>) -> Result<(), Failure> {
        let start = self.cursor.here();
        let name = match self.cursor.peek() {
            Some(b'"') => self.label()?,
            _ => match self.cursor.identifier() {
                Some(name) => Cow::Borrowed(name),
                None => return self.fail("the name of an attribute or block is missing"),
            },
        };
        let span = self.cursor.until(start);
        self.cursor.blank(false)?;
        if self.cursor.peek() == Some(b'=') && !self.cursor.looking_at("==") {
            self.cursor.at += 1;
            self.cursor.blank(false)?;
            let value = self.expression(false)?;
            body.attributes.push(Attribute { name, span, value });
            return Ok(());
        }
        let mut labels = Vec::new();
        loop {
            self.cursor.blank(false)?;
            match self.cursor.peek() {
                Some(b'{') => break,
                Some(b'"') => labels.push(self.label()?),
                _ => match self.cursor.identifier() {
                    Some(label) => labels.push(Cow::Borrowed(label)),
                    None => return self.fail(format!("`=` or `{{` is missing after `{}`", shown(&name))),
                },
            }
        }
        self.cursor.at += 1;
        let mut inner = Body::default();
        self.deeper(|parser| parser.body_items(&mut inner, true))?;
        body.blocks.push(Block { kind: name, labels, body: inner, span: self.cursor.until(start) });
        Ok(())
    }

    /// A quoted label or key: a string without interpolation.
    fn label(&mut self) -> Result<Cow<'a, str>, Failure> {
        match self.quoted()?.kind {
            Kind::String(text) => Ok(text),
            _ => self.fail("a label may hold no `${`"),
        }
    }
}

fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}
