//! Writes captures that sysdig since 0.29 and Falco read.
//!
//! Processes are written in the layout of 2022, which every reader of today understands; what it has no place for
//! follows in a block of this project, which other readers pass over. Events keep the codes and parameters they have:
//! older readers pass over codes they do not know and ignore parameters at the end that they do not know.

use std::io::{self, Write};

use super::blocks;
use super::entries::{Descriptor, DescriptorDetail, Group, Interface, Machine, Thread, User, kind};
use crate::table::{EventFlags, RawEvent, Table, table};

/// The flag of an event that is in a capture only because it changes what is known: readers process it and do not
/// show it.
pub const STATE_ONLY: u32 = 1;
/// A list is written in blocks of about this size.
const BLOCK_BYTES: usize = 256 << 10;
/// Longest path, name or working directory that readers accept.
const MAX_PATH: usize = 1024;
/// Longest arguments, environment and control groups that readers accept.
const MAX_ARGUMENTS: usize = 4096;
/// Longest name of a user.
const MAX_ACCOUNT_TEXT: usize = 255;

/// Writes one capture. Each block reaches `out` with one call of `write_all`, so what is in a file after a kill is
/// whole but for its last block.
pub struct CaptureWriter<W> {
    out: W,
    table: &'static Table,
    block: Vec<u8>,
    bytes: u64,
    events: u64,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture with its section header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, table: table(), block: Vec::new(), bytes: 0, events: 0 };
        writer.section()?;
        Ok(writer)
    }

    /// Begins another section: readers forget what they knew.
    pub fn section(&mut self) -> io::Result<()> {
        self.start(blocks::SECTION);
        self.u32(blocks::SECTION_MAGIC);
        self.u16(1);
        self.u16(2);
        // The length of the section is not known beforehand.
        self.u64(u64::MAX);
        self.finish_block()
    }

    /// Bytes written so far, before compression.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Ends the capture and gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn start(&mut self, block_type: u32) {
        self.block.clear();
        self.u32(block_type);
        self.u32(0);
    }

    fn u8(&mut self, value: u8) {
        self.block.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }

    fn sized(&mut self, text: &[u8], most: usize) {
        let text = text.get(..most).unwrap_or(text);
        self.u16(u16::try_from(text.len()).unwrap_or(0));
        self.block.extend_from_slice(text);
    }

    /// Texts with a NUL each: what does not fit is left out, texts stay whole.
    fn sized_list(&mut self, list: &[u8], most: usize) {
        let fits = match list.get(..most) {
            None => list,
            Some(start) => {
                let end = start.iter().rposition(|byte| *byte == 0).map_or(0, |position| position + 1);
                start.get(..end).unwrap_or_default()
            }
        };
        self.sized(fits, most);
    }

    /// Writes the length of an entry that began at `start`, with or without the four bytes of the length.
    fn close_entry(&mut self, start: usize, counts_itself: bool) {
        let length = self.block.len() - start - if counts_itself { 0 } else { 4 };
        if let Some(place) = self.block.get_mut(start..start + 4) {
            place.copy_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
        }
    }

    fn open_entry(&mut self) -> usize {
        let start = self.block.len();
        self.u32(0);
        start
    }

    fn finish_block(&mut self) -> io::Result<()> {
        while !self.block.len().is_multiple_of(4) {
            self.block.push(0);
        }
        let length = u32::try_from(self.block.len() + 4).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(place) = self.block.get_mut(4..8) {
            place.copy_from_slice(&length);
        }
        self.block.extend_from_slice(&length);
        self.out.write_all(&self.block)?;
        self.bytes += self.block.len() as u64;
        Ok(())
    }

    pub fn machine(&mut self, machine: &Machine) -> io::Result<()> {
        self.start(blocks::MACHINE);
        self.u32(machine.cpus);
        self.u64(machine.memory_bytes);
        self.u64(machine.max_pid);
        let mut hostname = [0; 128];
        for (place, byte) in hostname.iter_mut().take(127).zip(machine.hostname.bytes()) {
            *place = byte;
        }
        self.block.extend_from_slice(&hostname);
        self.u64(machine.boot_ts);
        self.u64(0);
        self.u64(0);
        self.u64(0);
        self.finish_block()
    }

    /// Writes the list of threads, parents before children where possible.
    pub fn threads<'a>(&mut self, threads: impl Iterator<Item = Thread<'a>>) -> io::Result<()> {
        let mut details = Vec::new();
        self.start(blocks::THREADS_V9);
        let empty = self.block.len();
        for thread in threads {
            if self.block.len() > BLOCK_BYTES {
                self.finish_block()?;
                self.start(blocks::THREADS_V9);
            }
            self.thread(&thread);
            thread_details(&thread, &mut details);
        }
        if self.block.len() > empty {
            self.finish_block()?;
        }
        for part in details.chunks(BLOCK_BYTES / DETAILS_BYTES * DETAILS_BYTES) {
            self.start(blocks::THREAD_DETAILS);
            self.block.extend_from_slice(part);
            self.finish_block()?;
        }
        Ok(())
    }

    fn thread(&mut self, thread: &Thread<'_>) {
        let start = self.open_entry();
        for id in [thread.tid, thread.pid, thread.parent, thread.session, thread.virtual_group] {
            self.i64(id);
        }
        self.sized(thread.comm, MAX_PATH);
        self.sized(thread.exe, MAX_PATH);
        self.sized(thread.exe_path, MAX_PATH);
        self.sized_list(thread.args, MAX_ARGUMENTS);
        self.sized(thread.cwd, MAX_PATH);
        self.i64(thread.fd_limit);
        for number in
            [thread.flags, thread.uid, thread.gid, thread.vm_size_kb, thread.vm_rss_kb, thread.vm_swap_kb]
        {
            self.u32(number);
        }
        self.u64(thread.major_faults);
        self.u64(thread.minor_faults);
        self.sized_list(thread.env, MAX_ARGUMENTS);
        self.i64(thread.virtual_tid);
        self.i64(thread.virtual_pid);
        self.sized_list(thread.cgroups, MAX_ARGUMENTS);
        self.sized(thread.root, MAX_PATH);
        self.u32(thread.login_uid);
        self.u8(u8::from(thread.exe_writable));
        self.u64(thread.cap_inheritable);
        self.u64(thread.cap_permitted);
        self.u64(thread.cap_effective);
        self.close_entry(start, true);
    }

    /// Writes the descriptors of one thread.
    pub fn descriptors<'a>(
        &mut self,
        tid: i64,
        descriptors: impl Iterator<Item = Descriptor<'a>>,
    ) -> io::Result<()> {
        self.start(blocks::DESCRIPTORS_V2);
        self.i64(tid);
        let empty = self.block.len();
        for descriptor in descriptors {
            if self.block.len() > BLOCK_BYTES {
                self.finish_block()?;
                self.start(blocks::DESCRIPTORS_V2);
                self.i64(tid);
            }
            self.descriptor(&descriptor);
        }
        if self.block.len() > empty { self.finish_block() } else { Ok(()) }
    }

    fn descriptor(&mut self, descriptor: &Descriptor<'_>) {
        let start = self.open_entry();
        self.i64(descriptor.fd);
        self.u64(descriptor.inode);
        match descriptor.detail {
            DescriptorDetail::Unknown => self.u8(kind::UNKNOWN),
            DescriptorDetail::File { name, open_flags, device } => {
                self.u8(kind::FILE_V2);
                self.u32(open_flags);
                self.sized(name, MAX_PATH - 1);
                self.u32(device);
            }
            DescriptorDetail::Directory { name } => {
                self.u8(kind::DIRECTORY);
                self.sized(name, MAX_PATH - 1);
            }
            DescriptorDetail::Ipv4 { source, source_port, destination, destination_port, protocol } => {
                self.u8(kind::IPV4);
                self.block.extend_from_slice(&source.octets());
                self.block.extend_from_slice(&destination.octets());
                self.u16(source_port);
                self.u16(destination_port);
                self.u8(protocol);
            }
            DescriptorDetail::Ipv6 { source, source_port, destination, destination_port, protocol } => {
                self.u8(kind::IPV6);
                self.block.extend_from_slice(&source.octets());
                self.block.extend_from_slice(&destination.octets());
                self.u16(source_port);
                self.u16(destination_port);
                self.u8(protocol);
            }
            DescriptorDetail::Ipv4Server { address, port, protocol } => {
                self.u8(kind::IPV4_SERVER);
                self.block.extend_from_slice(&address.octets());
                self.u16(port);
                self.u8(protocol);
            }
            DescriptorDetail::Ipv6Server { address, port, protocol } => {
                self.u8(kind::IPV6_SERVER);
                self.block.extend_from_slice(&address.octets());
                self.u16(port);
                self.u8(protocol);
            }
            DescriptorDetail::Unix { source, destination, name } => {
                self.u8(kind::UNIX);
                self.u64(source);
                self.u64(destination);
                self.sized(name, MAX_PATH - 1);
            }
            DescriptorDetail::Named { kind, name } => {
                self.u8(kind);
                self.sized(name, MAX_PATH - 1);
            }
        }
        self.close_entry(start, true);
    }

    pub fn interfaces<'a>(&mut self, interfaces: impl Iterator<Item = &'a Interface>) -> io::Result<()> {
        self.start(blocks::INTERFACES_V2);
        for interface in interfaces {
            let start = self.open_entry();
            match interface {
                Interface::V4 { name, address, netmask, broadcast, link_speed } => {
                    self.u16(1);
                    self.u16(u16::try_from(name.len()).unwrap_or(0));
                    for address in [address, netmask, broadcast] {
                        self.block.extend_from_slice(&address.octets());
                    }
                    self.u64(*link_speed);
                    self.block.extend_from_slice(name.as_bytes());
                }
                Interface::V6 { name, address, netmask, broadcast, link_speed } => {
                    self.u16(2);
                    self.u16(u16::try_from(name.len()).unwrap_or(0));
                    for address in [address, netmask, broadcast] {
                        self.block.extend_from_slice(&address.octets());
                    }
                    self.u64(*link_speed);
                    self.block.extend_from_slice(name.as_bytes());
                }
            }
            self.close_entry(start, false);
        }
        self.finish_block()
    }

    pub fn accounts<'a>(
        &mut self,
        users: impl Iterator<Item = &'a User>,
        groups: impl Iterator<Item = &'a Group>,
    ) -> io::Result<()> {
        self.start(blocks::USERS_V2);
        for user in users {
            let start = self.open_entry();
            self.u8(0);
            self.u32(user.uid);
            self.u32(user.gid);
            for text in [&user.name, &user.home, &user.shell] {
                self.sized(text.as_bytes(), MAX_ACCOUNT_TEXT);
            }
            self.close_entry(start, true);
        }
        for group in groups {
            let start = self.open_entry();
            self.u8(1);
            self.u32(group.gid);
            self.sized(group.name.as_bytes(), MAX_ACCOUNT_TEXT);
            self.close_entry(start, true);
        }
        self.finish_block()
    }

    /// Writes an event as it is.
    pub fn event(&mut self, event: &RawEvent<'_>) -> io::Result<()> {
        let large = self.table.event(event.code).is_some_and(|info| info.flags.has(EventFlags::LARGE));
        self.start(match (event.flags != 0, large) {
            (false, false) => blocks::EVENT_V2,
            (false, true) => blocks::EVENT_V2_LARGE,
            (true, false) => blocks::EVENT_FLAGS_V2,
            (true, true) => blocks::EVENT_FLAGS_V2_LARGE,
        });
        self.u16(event.cpu);
        if event.flags != 0 {
            self.u32(event.flags);
        }
        event.encode(&mut self.block);
        self.events += 1;
        self.finish_block()
    }
}

/// Bytes of an entry in the block of details.
const DETAILS_BYTES: usize = 4 + 8 + 8 + 4 + 3 + 8 * 5;

fn thread_details(thread: &Thread<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(DETAILS_BYTES - 4).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&thread.tid.to_le_bytes());
    out.extend_from_slice(&thread.pid_namespace_start.to_le_bytes());
    out.extend_from_slice(&thread.tty.to_le_bytes());
    out.push(u8::from(thread.exe_upper_layer));
    out.push(u8::from(thread.exe_lower_layer));
    out.push(u8::from(thread.exe_from_memfd));
    out.extend_from_slice(&thread.exe_inode.to_le_bytes());
    out.extend_from_slice(&thread.exe_ctime.to_le_bytes());
    out.extend_from_slice(&thread.exe_mtime.to_le_bytes());
    out.extend_from_slice(&thread.group.to_le_bytes());
    out.extend_from_slice(&thread.start_ts.to_le_bytes());
}
