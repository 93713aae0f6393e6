//! One connection: requests one after another until the peer goes.

use std::io::{self, Read, Write};

use super::{MAX_BODY, Queue};

/// Bytes read after an answer that closes the connection.
const MAX_DRAINED: u64 = 64 << 10;
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 64;
/// Longest line of a chunked body that says how long a chunk is.
const MAX_CHUNK_LINE: usize = 64;
/// Requests of one connection.
const MAX_REQUESTS: usize = 100_000;

/// What is known of a request before its body.
struct Head {
    post: bool,
    path: String,
    json: bool,
    length: Option<usize>,
    chunked: bool,
    expects: bool,
    closes: bool,
}

enum Problem {
    Io(io::Error),
    /// An answer, after which the connection is closed.
    Answer(&'static str),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) fn serve<S: Read + Write>(stream: S, path: &str, bodies: &Queue) -> io::Result<()> {
    let mut connection = Connection { stream, buffer: Vec::new() };
    for _ in 0..MAX_REQUESTS {
        match connection.request(path, bodies) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(Problem::Io(error)) => return Err(error),
            Err(Problem::Answer(status)) => {
                connection.answer(status, true)?;
                return connection.drain();
            }
        }
    }
    Ok(())
}

struct Connection<S> {
    stream: S,
    /// Read and not used yet.
    buffer: Vec<u8>,
}

impl<S: Read + Write> Connection<S> {
    /// Reads some of what the other side still sends: to hang up on unread bytes would take the answer from it.
    fn drain(&mut self) -> io::Result<()> {
        let mut unread = Read::by_ref(&mut self.stream).take(MAX_DRAINED);
        io::copy(&mut unread, &mut io::sink()).map(|_| ())
    }

    /// Serves one request; false when the connection ends with it.
    fn request(&mut self, path: &str, bodies: &Queue) -> Result<bool, Problem> {
        let Some(head) = self.head()? else { return Ok(false) };
        if head.path.split('?').next() != Some(path) {
            return Err(Problem::Answer("404 Not Found"));
        }
        if !head.post {
            return Err(Problem::Answer("405 Method Not Allowed"));
        }
        if !head.json {
            return Err(Problem::Answer("415 Unsupported Media Type"));
        }
        if head.length.is_some_and(|length| length > MAX_BODY) {
            return Err(Problem::Answer("413 Content Too Large"));
        }
        if head.expects {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.stream.flush()?;
        }
        let body = match head.length {
            _ if head.chunked => self.chunks()?,
            Some(length) => self.exactly(length)?,
            None => return Err(Problem::Answer("411 Length Required")),
        };
        // Whoever posts keeps what is not taken and tries again.
        if !bodies.hand_over(body, || self.answer("200 OK", head.closes))? {
            return Err(Problem::Answer("503 Service Unavailable"));
        }
        Ok(!head.closes)
    }

    fn answer(&mut self, status: &str, closes: bool) -> io::Result<()> {
        let connection = if closes { "close" } else { "keep-alive" };
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: {connection}\r\n\r\n");
        self.stream.write_all(text.as_bytes())?;
        self.stream.flush()
    }

    /// Reads more; false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 << 10];
        let read = loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        Ok(read > 0)
    }

    fn head(&mut self) -> Result<Option<Head>, Problem> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) => {
                    let head = read_head(&request)?;
                    self.buffer.drain(..length);
                    return Ok(Some(head));
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD => {}
                Ok(httparse::Status::Partial) => {
                    return Err(Problem::Answer("431 Request Header Fields Too Large"));
                }
                Err(_) => return Err(Problem::Answer("400 Bad Request")),
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Problem> {
        while self.buffer.len() < length {
            if !self.fill()? {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn line(&mut self) -> Result<Vec<u8>, Problem> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let mut line = self.exactly(end + 2)?;
                line.truncate(end);
                return Ok(line);
            }
            if self.buffer.len() > MAX_CHUNK_LINE || !self.fill()? {
                return Err(Problem::Answer("400 Bad Request"));
            }
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Problem> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let length = std::str::from_utf8(digits.trim_ascii())
                .ok()
                .filter(|digits| !digits.starts_with(['+', '-']))
                .and_then(|digits| usize::from_str_radix(digits, 16).ok());
            match length {
                None => return Err(Problem::Answer("400 Bad Request")),
                Some(0) => break,
                Some(length) if length > MAX_BODY - body.len() => {
                    return Err(Problem::Answer("413 Content Too Large"));
                }
                Some(length) => {
                    body.extend(self.exactly(length)?);
                    if !self.line()?.is_empty() {
                        return Err(Problem::Answer("400 Bad Request"));
                    }
                }
            }
        }
        // Trailers, up to the empty line.
        for _ in 0..MAX_HEADERS {
            if self.line()?.is_empty() {
                return Ok(body);
            }
        }
        Err(Problem::Answer("400 Bad Request"))
    }
}

fn read_head(request: &httparse::Request<'_, '_>) -> Result<Head, Problem> {
    let mut head = Head {
        post: request.method == Some("POST"),
        path: request.path.unwrap_or_default().to_owned(),
        json: false,
        length: None,
        chunked: false,
        expects: false,
        closes: request.version == Some(0),
    };
    for header in request.headers.iter() {
        let value = String::from_utf8_lossy(header.value).trim().to_ascii_lowercase();
        match header.name.to_ascii_lowercase().as_str() {
            "content-type" => head.json = value.starts_with("application/json"),
            "content-length" => match value.parse() {
                Ok(length) if head.length.is_none_or(|known| known == length) => head.length = Some(length),
                _ => return Err(Problem::Answer("400 Bad Request")),
            },
            "transfer-encoding" if value == "chunked" => head.chunked = true,
            "transfer-encoding" => return Err(Problem::Answer("501 Not Implemented")),
            "expect" => head.expects = value == "100-continue",
            "connection" => head.closes = value == "close" || (head.closes && value != "keep-alive"),
            _ => {}
        }
    }
    // Both together is how requests are smuggled (RFC 9112 section 6.1).
    if head.chunked && head.length.is_some() {
        return Err(Problem::Answer("400 Bad Request"));
    }
    Ok(head)
}
