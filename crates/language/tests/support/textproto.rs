//! Protocol buffers' text format, as far as the specification's cases use it.

/// A message: its fields in order.
#[derive(Debug, Default)]
pub struct Message {
    pub fields: Vec<(String, Field)>,
}

#[derive(Debug)]
pub enum Field {
    Word(String),
    Bytes(Vec<u8>),
    Message(Message),
}

impl Field {
    pub fn scalar(&self) -> String {
        match self {
            Field::Word(word) => word.clone(),
            Field::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Field::Message(_) => String::new(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Field::Bytes(bytes) => bytes.clone(),
            _ => Vec::new(),
        }
    }

    pub fn as_message(&self) -> Option<&Message> {
        match self {
            Field::Message(message) => Some(message),
            _ => None,
        }
    }
}

impl Message {
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    pub fn messages<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Message> {
        self.fields.iter().filter(move |(known, _)| known == name).filter_map(|(_, field)| field.as_message())
    }

    pub fn message(&self, name: &str) -> Option<&Message> {
        self.fields.iter().find(|(known, _)| known == name)?.1.as_message()
    }

    pub fn text(&self, name: &str) -> String {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, field)| field.scalar())
            .unwrap_or_default()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == "true"
    }
}

/// Reads a whole file.
pub fn read(text: &str) -> Message {
    let mut reader = Reader { rest: text };
    reader.message(None)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r', ',', ';']);
            let Some(comment) = self.rest.strip_prefix('#') else { return };
            self.rest = comment.find('\n').map_or("", |end| &comment[end..]);
        }
    }

    fn take(&mut self, mark: char) -> bool {
        self.blank();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn message(&mut self, close: Option<char>) -> Message {
        let mut message = Message::default();
        loop {
            self.blank();
            if self.rest.is_empty() || close.is_some_and(|close| self.take(close)) {
                return message;
            }
            let name = self.name();
            self.take(':');
            if self.take('[') {
                while !self.take(']') {
                    let field = self.field();
                    message.fields.push((name.clone(), field));
                }
            } else {
                let field = self.field();
                message.fields.push((name, field));
            }
        }
    }

    fn name(&mut self) -> String {
        let length = match self.rest.strip_prefix('[') {
            Some(inner) => inner.find(']').unwrap() + 2,
            None => self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap(),
        };
        assert!(length > 0, "no field begins at {:?}", self.rest.get(..40));
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        name.to_owned()
    }

    fn field(&mut self) -> Field {
        if self.take('{') {
            return Field::Message(self.message(Some('}')));
        }
        self.blank();
        let mut bytes = Vec::new();
        let mut quoted = false;
        while let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            self.string(quote, &mut bytes);
            quoted = true;
            self.rest = self.rest.trim_start();
        }
        if quoted {
            return Field::Bytes(bytes);
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '}' | ']')).unwrap();
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Field::Word(word.to_owned())
    }

    fn string(&mut self, quote: char, bytes: &mut Vec<u8>) {
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.rest = &self.rest[at + 1..];
                return;
            }
            if character != '\\' {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            let (_, kind) = characters.next().unwrap();
            let mut digits = |first: Option<char>, most: usize, radix: u32| {
                let mut number = first.map_or(0, |c| c.to_digit(radix).unwrap());
                let mut left = most - usize::from(first.is_some());
                while left > 0 {
                    let Some(digit) = characters.peek().and_then(|(_, c)| c.to_digit(radix)) else { break };
                    number = number * radix + digit;
                    characters.next();
                    left -= 1;
                }
                number
            };
            match kind {
                'a' => bytes.push(7),
                'b' => bytes.push(8),
                'f' => bytes.push(12),
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                'v' => bytes.push(11),
                'x' => bytes.push(digits(None, 2, 16) as u8),
                'u' | 'U' => {
                    let code = digits(None, if kind == 'u' { 4 } else { 8 }, 16);
                    let character = char::from_u32(code).unwrap_or('\u{fffd}');
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                '0'..='7' => bytes.push(digits(Some(kind), 3, 8) as u8),
                other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        panic!("a string without an end");
    }
}
