//! Sockets by their inode, from the tables of each network namespace: `/proc/PID/net/{tcp,udp,raw,unix}`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use yagura_events::scap::DescriptorDetail;

/// Bytes of one table.
const MAX_TABLE: u64 = 64 << 20;
/// Network namespaces whose tables are read.
const MAX_NAMESPACES: usize = 4096;
/// The state of a listening TCP socket (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// Protocols as captures number them.
const TCP: u8 = 2;
const UDP: u8 = 3;
const RAW: u8 = 5;

/// The tables of every namespace that was asked for, read once each.
#[derive(Default)]
pub struct SocketTables {
    namespaces: HashMap<PathBuf, HashMap<u64, Socket>>,
}

enum Socket {
    V4 { local: (Ipv4Addr, u16), remote: (Ipv4Addr, u16), protocol: u8, server: bool },
    V6 { local: (Ipv6Addr, u16), remote: (Ipv6Addr, u16), protocol: u8, server: bool },
    Unix { name: Vec<u8> },
}

impl SocketTables {
    /// The socket of an inode as a process in its namespace sees it.
    pub fn of(&mut self, process: &Path, inode: u64) -> Option<DescriptorDetail<'_>> {
        let namespace = fs::read_link(process.join("ns/net")).ok()?;
        if !self.namespaces.contains_key(&namespace) {
            if self.namespaces.len() == MAX_NAMESPACES {
                return None;
            }
            self.namespaces.insert(namespace.clone(), read(&process.join("net")));
        }
        let socket = self.namespaces.get(&namespace)?.get(&inode)?;
        Some(match socket {
            Socket::V4 { local, protocol, server: true, .. } => {
                DescriptorDetail::Ipv4Server { address: local.0, port: local.1, protocol: *protocol }
            }
            Socket::V6 { local, protocol, server: true, .. } => {
                DescriptorDetail::Ipv6Server { address: local.0, port: local.1, protocol: *protocol }
            }
            Socket::V4 { local, remote, protocol, .. } => DescriptorDetail::Ipv4 {
                source: local.0,
                source_port: local.1,
                destination: remote.0,
                destination_port: remote.1,
                protocol: *protocol,
            },
            Socket::V6 { local, remote, protocol, .. } => DescriptorDetail::Ipv6 {
                source: local.0,
                source_port: local.1,
                destination: remote.0,
                destination_port: remote.1,
                protocol: *protocol,
            },
            Socket::Unix { name } => DescriptorDetail::Unix { source: inode, destination: 0, name },
        })
    }
}

fn read(directory: &Path) -> HashMap<u64, Socket> {
    let mut sockets = HashMap::new();
    for (name, protocol) in [("tcp", TCP), ("udp", UDP), ("raw", RAW)] {
        each_line(&directory.join(name), |line| sockets.extend(internet(line, protocol, false)));
        each_line(&directory.join(format!("{name}6")), |line| sockets.extend(internet(line, protocol, true)));
    }
    each_line(&directory.join("unix"), |line| sockets.extend(unix(line)));
    sockets
}

fn each_line(path: &Path, mut each: impl FnMut(&str)) {
    let Ok(file) = File::open(path) else { return };
    for line in BufReader::new(file.take(MAX_TABLE)).split(b'\n').map_while(Result::ok) {
        each(&String::from_utf8_lossy(&line));
    }
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`
fn internet(line: &str, protocol: u8, six: bool) -> Option<(u64, Socket)> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote, state) = (words.next()?, words.next()?, words.next()?);
    let inode = words.nth(5)?.parse().ok()?;
    let port = |text: &str| u16::from_str_radix(text.rsplit_once(':')?.1, 16).ok();
    let (local_port, remote_port) = (port(local)?, port(remote)?);
    let server = if protocol == TCP { state == LISTEN } else { remote_port == 0 };
    Some((
        inode,
        if six {
            let (local, remote) = ((v6(local)?, local_port), (v6(remote)?, remote_port));
            Socket::V6 { local, remote, protocol, server }
        } else {
            let (local, remote) = ((v4(local)?, local_port), (v4(remote)?, remote_port));
            Socket::V4 { local, remote, protocol, server }
        },
    ))
}

/// Words of the address as the processor has them: their bytes are in network order in memory.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let word = u32::from_str_radix(text.split_once(':')?.0, 16).ok()?;
    Some(Ipv4Addr::from(word.to_ne_bytes()))
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    let digits = text.split_once(':')?.0;
    let mut bytes = [0; 16];
    for (index, place) in bytes.chunks_exact_mut(4).enumerate() {
        let word = u32::from_str_radix(digits.get(index * 8..index * 8 + 8)?, 16).ok()?;
        place.copy_from_slice(&word.to_ne_bytes());
    }
    Some(Ipv6Addr::from(bytes))
}

/// `Num RefCount Protocol Flags Type St Inode Path`
fn unix(line: &str) -> Option<(u64, Socket)> {
    let mut words = line.split_whitespace().skip(6);
    let inode = words.next()?.parse().ok()?;
    let name = words.next().unwrap_or_default().as_bytes().to_vec();
    Some((inode, Socket::Unix { name }))
}
