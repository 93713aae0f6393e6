//! Inflating in one thread while another hashes and walks: an image with one large layer then uses two cores.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::archive::{Chunk, Inflater};

/// Chunks under way between the threads.
const CHUNKS: usize = 4;

/// Runs `consume` over the bytes of `source`, which are inflated in a thread of its own, about a megabyte ahead.
/// Returns when both are done. Where no thread can be started `consume` reads the source itself.
pub(super) fn read_ahead<S: Read + Send, T>(
    source: &mut Inflater<S>,
    consume: impl FnOnce(&mut dyn BufRead) -> T,
) -> T {
    std::thread::scope(|scope| {
        let (full, receiver) = sync_channel(CHUNKS);
        let (recycler, empty) = channel();
        // Handed over by a channel, so that it comes back where the thread does not start.
        let (source_sender, source_receiver) = sync_channel::<&mut Inflater<S>>(1);
        let producer = move || {
            if let Ok(source) = source_receiver.recv() {
                produce(source, &full, &empty);
            }
        };
        if std::thread::Builder::new().spawn_scoped(scope, producer).is_err() {
            return consume(source);
        }
        let _ = source_sender.send(source);
        consume(&mut Ahead { receiver, recycler, current: Chunk::default() })
    })
}

/// Fills chunks until the source ends or nobody takes them any more.
fn produce<S: Read>(source: &mut Inflater<S>, full: &SyncSender<io::Result<Chunk>>, empty: &Receiver<Chunk>) {
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        let next = match source.next_chunk(&mut chunk) {
            Ok(true) => Ok(chunk),
            Ok(false) => return,
            Err(error) => Err(error),
        };
        let failed = next.is_err();
        if full.send(next).is_err() || failed {
            return;
        }
    }
}

/// The consumer's end.
struct Ahead {
    receiver: Receiver<io::Result<Chunk>>,
    recycler: Sender<Chunk>,
    current: Chunk,
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.bytes().is_empty() {
            let Ok(next) = self.receiver.recv() else { break };
            let used = std::mem::replace(&mut self.current, next?);
            let _ = self.recycler.send(used);
        }
        Ok(self.current.bytes())
    }

    fn consume(&mut self, count: usize) {
        self.current.consume(count);
    }
}

impl Read for Ahead {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(output)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::InflateLimits;

    /// Gives `length` bytes in odd portions, then an error or the end.
    struct Source {
        left: usize,
        fails: bool,
        given: usize,
    }

    impl Read for Source {
        fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 && self.fails {
                return Err(io::Error::other("broken"));
            }
            let count = output.len().min(self.left).min(70_001);
            for byte in &mut output[..count] {
                *byte = (self.given % 251) as u8;
                self.given += 1;
            }
            self.left -= count;
            Ok(count)
        }
    }

    #[test]
    fn hands_over_every_byte_and_the_error_behind_them() {
        for (length, fails) in
            [(0, false), (20, true), (256 << 10, false), (3_000_000, false), (3_000_000, true)]
        {
            let source = Source { left: length, fails, given: 0 };
            let mut source = Inflater::new(source, InflateLimits::default()).unwrap();
            let (bytes, error) = read_ahead(&mut source, |reader| {
                let mut bytes = Vec::new();
                let error = reader.read_to_end(&mut bytes).err();
                (bytes, error.map(|error| error.to_string()))
            });
            assert_eq!(bytes.len(), length);
            assert!(bytes.iter().enumerate().all(|(index, byte)| *byte == (index % 251) as u8));
            assert_eq!(error.as_deref(), fails.then_some("broken"));
        }
    }

    #[test]
    fn a_consumer_that_stops_early_stops_the_source() {
        let source = Source { left: usize::MAX, fails: false, given: 0 };
        let mut source = Inflater::new(source, InflateLimits::default()).unwrap();
        let mut first = [0; 10];
        read_ahead(&mut source, |reader| reader.read_exact(&mut first).unwrap());
        assert!(source.source_mut().given < 16 << 20);
    }
}
