//! Giving one file's bytes, read once, to everybody who wants them.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use yagura_model::SkipReason;

use super::skips::SkipLog;
use super::{FileConsumer, Observed};
use crate::archive::Problem;
use crate::catalogue::{Cataloguer, EvidenceFile, Facts, Reads};

/// Files up to this size are read whole and shared; larger ones are streamed unless somebody needs them whole.
pub(super) const SHARED_BYTES: u64 = 4 << 20;
/// Chunk of a stream that several read.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that wait for each reader of a shared stream.
const QUEUED_CHUNKS: usize = 4;
/// What a buffer keeps of its memory between files.
const KEPT_BYTES: usize = 16 << 20;

/// The reused memory of a scanner.
#[derive(Default)]
pub(super) struct Buffers {
    whole: Vec<u8>,
    chunk: Vec<u8>,
}

/// Everybody who wants the file at hand.
pub(super) struct Readers<'r, 'c> {
    pub(super) cataloguers: &'r [&'static Cataloguer],
    pub(super) consumers: &'r mut [&'c mut dyn FileConsumer],
}

/// What all of them say of the file.
#[derive(Default)]
pub(super) struct Statements {
    pub(super) catalogued: Vec<Said>,
    pub(super) observed: Observed,
}

/// What a cataloguer says of the file.
pub(super) type Said = (&'static Cataloguer, Facts);

impl Buffers {
    /// Reads `content` once and hands it to all `readers`. What could not be read is noted in `skips`.
    pub(super) fn dispatch(
        &mut self,
        file: EvidenceFile<'_>,
        content: &mut dyn Read,
        readers: Readers<'_, '_>,
        max_stream_bytes: u64,
        skips: &mut SkipLog,
    ) -> Statements {
        let Readers { cataloguers, consumers } = readers;
        let mut wholes = Vec::new();
        let mut streams = Vec::new();
        for cataloguer in cataloguers.iter().copied() {
            match cataloguer.reads {
                Reads::Stream(_) => streams.push(cataloguer),
                Reads::Whole(_) if file.size <= cataloguer.max_bytes => wholes.push(cataloguer),
                Reads::Whole(_) => {
                    skips.add(file.path, SkipReason::TooLarge, too_large(file.size, cataloguer))
                }
            }
        }
        let largest = wholes.iter().map(|cataloguer| cataloguer.max_bytes).max();
        if let Some(limit) = largest.or((file.size <= SHARED_BYTES).then_some(SHARED_BYTES)) {
            let all = || wholes.iter().chain(&streams).copied();
            return self.share_whole(file, content, all(), consumers, limit, skips);
        }
        if streams.is_empty() && consumers.is_empty() {
            return Statements::default();
        }
        let mut stream = Bounded { content, left: max_stream_bytes, problem: None };
        let said = match (streams.as_slice(), consumers.is_empty()) {
            ([only], true) => Statements {
                catalogued: vec![(*only, read_stream(only, file, &mut stream))],
                ..Statements::default()
            },
            _ => self.tee(file, &mut stream, &streams, consumers),
        };
        if let Some(problem) = stream.problem {
            skips.add(file.path, problem.reason, problem.detail);
        }
        said
    }

    fn share_whole(
        &mut self,
        file: EvidenceFile<'_>,
        content: &mut dyn Read,
        cataloguers: impl Iterator<Item = &'static Cataloguer>,
        consumers: &mut [&mut dyn FileConsumer],
        limit: u64,
        skips: &mut SkipLog,
    ) -> Statements {
        self.whole.clear();
        self.whole.shrink_to(KEPT_BYTES);
        let error = content.take(limit.saturating_add(1)).read_to_end(&mut self.whole).err();
        let bytes = self.whole.as_slice();
        let cut = bytes.len() as u64 > limit;
        let mut statements = Statements::default();
        for consumer in consumers {
            consumer.bytes(bytes);
            statements.observed.append(consumer.end(error.is_none() && !cut));
        }
        if let Some(error) = error {
            let problem = Problem::of(&error);
            skips.add(file.path, problem.reason, problem.detail);
            return statements;
        }
        for cataloguer in cataloguers {
            // Files of a running system may have grown since they were listed.
            let facts = match cataloguer.reads {
                Reads::Whole(read) if bytes.len() as u64 <= cataloguer.max_bytes => {
                    guarded(cataloguer, file, |facts| read(file, bytes, facts))
                }
                Reads::Whole(_) => {
                    skips.add(file.path, SkipReason::TooLarge, too_large(bytes.len() as u64, cataloguer));
                    continue;
                }
                Reads::Stream(_) => {
                    let mut rest = bytes;
                    read_stream(cataloguer, file, &mut rest)
                }
            };
            statements.catalogued.push((cataloguer, facts));
        }
        statements
    }

    /// One stream for several readers: each cataloguer pulls in a thread of its own, the consumers are pushed from
    /// here. A reader that has seen enough does not hold up the others.
    fn tee(
        &mut self,
        file: EvidenceFile<'_>,
        stream: &mut Bounded<'_>,
        cataloguers: &[&'static Cataloguer],
        consumers: &mut [&mut dyn FileConsumer],
    ) -> Statements {
        self.chunk.resize(CHUNK_BYTES, 0);
        let chunk = &mut self.chunk;
        std::thread::scope(|scope| {
            let mut channels: Vec<SyncSender<Arc<[u8]>>> = Vec::new();
            let mut threads = Vec::new();
            for cataloguer in cataloguers.iter().copied() {
                let (sender, receiver) = sync_channel(QUEUED_CHUNKS);
                let mut reader = ChannelReader { receiver, chunk: Arc::from([].as_slice()), position: 0 };
                let work = move || read_stream(cataloguer, file, &mut reader);
                match std::thread::Builder::new().spawn_scoped(scope, work) {
                    Ok(thread) => threads.push((cataloguer, Some(thread))),
                    Err(_) => threads.push((cataloguer, None)),
                }
                channels.push(sender);
            }
            while !channels.is_empty() || !consumers.is_empty() {
                let count = match stream.read(chunk) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => count,
                };
                let Some(bytes) = chunk.get(..count) else { break };
                for consumer in consumers.iter_mut() {
                    consumer.bytes(bytes);
                }
                if !channels.is_empty() {
                    let shared: Arc<[u8]> = Arc::from(bytes);
                    channels.retain(|channel| channel.send(Arc::clone(&shared)).is_ok());
                }
            }
            drop(channels);
            let mut observed = Observed::default();
            for consumer in consumers.iter_mut() {
                observed.append(consumer.end(stream.problem.is_none()));
            }
            let finished = threads.into_iter().map(|(cataloguer, thread)| {
                let facts = thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| {
                    let mut facts = Facts::default();
                    facts.skip(file.path, SkipReason::Unreadable, "no thread could be started to read it");
                    facts
                });
                (cataloguer, facts)
            });
            Statements { catalogued: finished.collect(), observed }
        })
    }
}

fn too_large(size: u64, cataloguer: &Cataloguer) -> String {
    format!("{size} bytes, more than the {} that {} reads", cataloguer.max_bytes, cataloguer.name)
}

fn read_stream(cataloguer: &'static Cataloguer, file: EvidenceFile<'_>, stream: &mut dyn Read) -> Facts {
    guarded(cataloguer, file, |facts| match cataloguer.reads {
        Reads::Stream(read) => read(file, stream, facts),
        Reads::Whole(_) => {}
    })
}

/// Runs a cataloguer. None may panic; should one do so all the same, it costs this file and not the scan.
fn guarded(cataloguer: &'static Cataloguer, file: EvidenceFile<'_>, read: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = Facts::default();
    if catch_unwind(AssertUnwindSafe(|| read(&mut facts))).is_err() {
        facts = Facts::default();
        let detail = format!("{} failed on it, which is a defect of ours", cataloguer.name);
        facts.skip(file.path, SkipReason::Malformed, detail);
    }
    facts
}

/// A stream up to a bound, that remembers why it ended early.
struct Bounded<'a> {
    content: &'a mut dyn Read,
    left: u64,
    problem: Option<Problem>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() || self.problem.is_some() {
            return Ok(0);
        }
        if self.left == 0 {
            // Only a file that goes on is cut.
            if self.content.read(&mut [0])? > 0 {
                let detail = "larger than the bound for streamed files; its end was not read";
                self.problem = Some(Problem::new(SkipReason::TooLarge, detail));
            }
            return Ok(0);
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(output.len());
        let count = match self.content.read(output.get_mut(..room).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.problem = Some(Problem::of(&error));
                return Err(error);
            }
            Ok(count) => count,
        };
        self.left -= count as u64;
        Ok(count)
    }
}

/// The reading end of a shared stream.
struct ChannelReader {
    receiver: Receiver<Arc<[u8]>>,
    chunk: Arc<[u8]>,
    position: usize,
}

impl Read for ChannelReader {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.position >= self.chunk.len() {
            match self.receiver.recv() {
                Ok(chunk) => {
                    self.chunk = chunk;
                    self.position = 0;
                }
                Err(_) => return Ok(0),
            }
        }
        let mut rest = self.chunk.get(self.position..).unwrap_or_default();
        let count = rest.read(output)?;
        self.position += count;
        Ok(count)
    }
}
