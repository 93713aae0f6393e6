//! Messages to syslog: the local socket, UDP (RFC 5426) or TCP with counted octets (RFC 6587).

use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// Longest datagram: servers need not take more (RFC 5426 section 3.2), and IP carries no more.
const MAX_DATAGRAM: usize = 60_000;
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogServer {
    /// A datagram socket such as `/dev/log`.
    Local(PathBuf),
    /// `host:port`.
    Udp(String),
    Tcp(String),
}

/// Connects when the first message comes, and again after a failure.
#[derive(Debug)]
pub struct SyslogSender {
    server: SyslogServer,
    connection: Option<Connection>,
}

#[derive(Debug)]
enum Connection {
    Local(UnixDatagram),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl SyslogSender {
    pub fn new(server: SyslogServer) -> Self {
        Self { server, connection: None }
    }

    /// Sends one message, a second time when the server had gone away meanwhile.
    pub fn send(&mut self, message: &str) -> io::Result<()> {
        if self.connection.is_some() && self.try_send(message).is_ok() {
            return Ok(());
        }
        self.connection = None;
        self.try_send(message).map_err(|error| {
            self.connection = None;
            io::Error::new(error.kind(), format!("{}: {error}", self.server))
        })
    }

    fn try_send(&mut self, message: &str) -> io::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(connect(&self.server)?),
        };
        match connection {
            Connection::Local(socket) => socket.send(cut(message).as_bytes()).map(|_| ()),
            Connection::Udp(socket) => socket.send(cut(message).as_bytes()).map(|_| ()),
            Connection::Tcp(stream) => {
                stream.write_all(format!("{} {message}", message.len()).as_bytes())?;
                stream.flush()
            }
        }
    }
}

fn connect(server: &SyslogServer) -> io::Result<Connection> {
    match server {
        SyslogServer::Local(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(TIMEOUT))?;
            socket.connect(path)?;
            Ok(Connection::Local(socket))
        }
        SyslogServer::Udp(address) => {
            let target = resolve(address)?;
            let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(any)?;
            socket.connect(target)?;
            Ok(Connection::Udp(socket))
        }
        SyslogServer::Tcp(address) => {
            let stream = TcpStream::connect_timeout(&resolve(address)?, TIMEOUT)?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            Ok(Connection::Tcp(stream))
        }
    }
}

fn resolve(address: &str) -> io::Result<std::net::SocketAddr> {
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    address.to_socket_addrs()?.next().ok_or_else(unknown)
}

/// What fits a datagram.
fn cut(message: &str) -> &str {
    let mut end = message.len().min(MAX_DATAGRAM);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or(message)
}

impl std::fmt::Display for SyslogServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Udp(address) => write!(f, "udp {address}"),
            Self::Tcp(address) => write!(f, "tcp {address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn messages_arrive_by_every_way() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("log");
        let local = UnixDatagram::bind(&path).unwrap();
        SyslogSender::new(SyslogServer::Local(path)).send("<28>local é").unwrap();
        let mut buffer = [0; 100];
        let length = local.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], "<28>local é".as_bytes());

        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap().to_string();
        let mut sender = SyslogSender::new(SyslogServer::Udp(address));
        sender.send(&"x".repeat(100_000)).unwrap();
        let mut large = vec![0; 70_000];
        assert_eq!(udp.recv(&mut large).unwrap(), MAX_DATAGRAM);

        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = SyslogSender::new(SyslogServer::Tcp(tcp.local_addr().unwrap().to_string()));
        sender.send("<28>1 one").unwrap();
        sender.send("<28>1 two").unwrap();
        drop(sender);
        let mut received = String::new();
        tcp.accept().unwrap().0.read_to_string(&mut received).unwrap();
        assert_eq!(received, "9 <28>1 one9 <28>1 two");
    }

    #[test]
    fn a_server_that_is_gone_is_named() {
        let error = SyslogSender::new(SyslogServer::Local("/nonexistent/log".into())).send("x").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/log"));
    }
}
