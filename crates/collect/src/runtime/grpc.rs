//! The little of gRPC that containerd needs: unary and server-streaming calls over a Unix socket.
//!
//! Framing is that of "gRPC over HTTP/2": each message has a byte for compression and four for its length; the
//! status comes in the trailers, or in the headers when there is no body.

use std::path::Path;
use std::time::Duration;

use h2::RecvStream;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use prost::Message;
use prost::bytes::{BufMut, Bytes, BytesMut};
use tokio::net::UnixStream;

use crate::error::{Error, ErrorKind, Result};

/// Largest message taken, in bytes; containerd's own bound is 16 MiB.
const MAX_MESSAGE: usize = 32 << 20;
/// Longest wait for the next part of an answer.
const SILENCE: Duration = Duration::from_secs(120);
/// Bytes containerd may send ahead of us.
const WINDOW: u32 = 4 << 20;

/// Status codes of gRPC that mean something to us.
const NOT_FOUND: u32 = 5;

/// A connection; calls are made one after the other.
pub(super) struct Connection {
    sender: SendRequest<Bytes>,
}

impl Connection {
    pub(super) async fn open(socket: &Path) -> Result<Self> {
        let unreachable = |why: String| {
            Error::new(
                ErrorKind::Unreachable,
                format!("containerd does not answer on {}: {why}", socket.display()),
            )
        };
        let stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => Error::new(
                ErrorKind::Unauthorized,
                format!("containerd: {}: permission denied", socket.display()),
            )
            .advise("run as a user who may use it"),
            _ => unreachable(error.to_string()),
        })?;
        let handshake = h2::client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake::<_, Bytes>(stream);
        let (sender, connection) =
            within(handshake).await?.map_err(|error| unreachable(error.to_string()))?;
        // Ends with the runtime that drives it.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { sender })
    }

    /// Starts a call with one request message.
    pub(super) async fn call(
        &mut self,
        method: &str,
        namespace: &str,
        message: &impl Message,
    ) -> Result<Answer> {
        let request = Request::post(format!("http://containerd/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", concat!("yagura/", env!("CARGO_PKG_VERSION")))
            .header("containerd-namespace", namespace)
            .body(())
            .map_err(|error| Error::new(ErrorKind::InvalidReference, format!("bad request: {error}")))?;
        let mut sender = within(self.sender.clone().ready()).await?.map_err(broken)?;
        let (response, mut body) = sender.send_request(request, false).map_err(broken)?;
        let mut frame = BytesMut::with_capacity(message.encoded_len() + 5);
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.encoded_len()).unwrap_or(u32::MAX));
        message.encode(&mut frame).map_err(|error| Error::new(ErrorKind::Malformed, error.to_string()))?;
        body.send_data(frame.freeze(), true).map_err(broken)?;
        let response = within(response).await?.map_err(broken)?;
        if response.status() != 200 {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("it does not speak gRPC (status {})", response.status().as_u16()),
            ));
        }
        check(response.headers())?;
        Ok(Answer { body: response.into_body(), buffer: BytesMut::new() })
    }

    /// A call with one answer.
    pub(super) async fn unary<M: Message + Default>(
        &mut self,
        method: &str,
        namespace: &str,
        message: &impl Message,
    ) -> Result<M> {
        let mut answer = self.call(method, namespace, message).await?;
        let first = answer.next().await?;
        first
            .ok_or_else(|| Error::new(ErrorKind::Malformed, format!("containerd gave no answer to {method}")))
    }
}

/// The messages of an answer.
pub(super) struct Answer {
    body: RecvStream,
    buffer: BytesMut,
}

impl Answer {
    /// The next message; `None` after the last, when the call succeeded.
    pub(super) async fn next<M: Message + Default>(&mut self) -> Result<Option<M>> {
        loop {
            if let Some(message) = self.whole_message()? {
                return M::decode(message).map(Some).map_err(|error| {
                    Error::new(ErrorKind::Malformed, format!("containerd sent a broken message: {error}"))
                });
            }
            match within(self.body.data()).await? {
                Some(chunk) => {
                    let chunk = chunk.map_err(broken)?;
                    self.body.flow_control().release_capacity(chunk.len()).map_err(broken)?;
                    self.buffer.extend_from_slice(&chunk);
                }
                None => {
                    if let Some(trailers) = within(self.body.trailers()).await?.map_err(broken)? {
                        check(&trailers)?;
                    }
                    if self.buffer.is_empty() {
                        return Ok(None);
                    }
                    return Err(Error::new(ErrorKind::Unreachable, "containerd broke off its answer"));
                }
            }
        }
    }

    fn whole_message(&mut self) -> Result<Option<Bytes>> {
        let Some((&[compressed, a, b, c, d], _)) = self.buffer.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if compressed != 0 || length > MAX_MESSAGE {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("containerd sent a message of {length} bytes or compressed"),
            ));
        }
        if self.buffer.len() < length + 5 {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(length + 5);
        Ok(Some(frame.split_off(5).freeze()))
    }
}

/// The status in headers or trailers; absent means that it comes later.
fn check(headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("grpc-status").map(str::parse::<u32>) {
        None | Some(Ok(0)) => Ok(()),
        Some(Ok(NOT_FOUND)) => {
            Err(Error::new(ErrorKind::NotFound, text("grpc-message").unwrap_or("not found").to_owned()))
        }
        Some(status) => Err(Error::new(
            ErrorKind::Unreachable,
            format!(
                "containerd answered with gRPC status {}: {}",
                status.map_or_else(|_| "?".to_owned(), |status| status.to_string()),
                text("grpc-message").unwrap_or_default()
            ),
        )),
    }
}

async fn within<T>(work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(SILENCE, work).await.map_err(|_| {
        Error::new(ErrorKind::Unreachable, format!("containerd was silent for {} s", SILENCE.as_secs()))
    })
}

fn broken(error: h2::Error) -> Error {
    Error::new(ErrorKind::Unreachable, format!("the connection to containerd broke: {error}"))
}
