//! Inflating in one thread while another hashes and walks: an image with one large layer then uses two cores.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Bytes handed over at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Buffers under way between the threads.
const BUFFERS: usize = 4;

/// Runs `consume` over the bytes of `source`, which is read in a thread of its own, about a megabyte ahead. Returns
/// when both are done. Where no thread can be started `consume` reads the source itself.
pub(super) fn read_ahead<S: Read + Send, T>(source: &mut S, consume: impl FnOnce(&mut dyn Read) -> T) -> T {
    std::thread::scope(|scope| {
        let (full, receiver) = sync_channel(BUFFERS);
        let (recycler, empty) = channel();
        // Handed over by a channel, so that it comes back where the thread does not start.
        let (source_sender, source_receiver) = sync_channel::<&mut S>(1);
        let producer = move || {
            if let Ok(source) = source_receiver.recv() {
                produce(source, &full, &empty);
            }
        };
        if std::thread::Builder::new().spawn_scoped(scope, producer).is_err() {
            return consume(source);
        }
        let _ = source_sender.send(source);
        consume(&mut Ahead { receiver, recycler, current: Vec::new(), position: 0 })
    })
}

/// Fills buffers until the source ends or nobody takes them any more.
fn produce(source: &mut impl Read, full: &SyncSender<io::Result<Vec<u8>>>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = empty.try_recv().unwrap_or_default();
        buffer.resize(BUFFER_BYTES, 0);
        let mut length = 0;
        let mut failed = None;
        while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
            match source.read(room) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let ended = length < BUFFER_BYTES;
        buffer.truncate(length);
        if !buffer.is_empty() && full.send(Ok(buffer)).is_err() {
            return;
        }
        if let Some(error) = failed {
            let _ = full.send(Err(error));
            return;
        }
        if ended {
            return;
        }
    }
}

/// The consumer's end.
struct Ahead {
    receiver: Receiver<io::Result<Vec<u8>>>,
    recycler: Sender<Vec<u8>>,
    current: Vec<u8>,
    position: usize,
}

impl Read for Ahead {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.position >= self.current.len() {
            let Ok(next) = self.receiver.recv() else { return Ok(0) };
            let used = std::mem::replace(&mut self.current, next?);
            self.position = 0;
            let _ = self.recycler.send(used);
        }
        let mut rest = self.current.get(self.position..).unwrap_or_default();
        let count = rest.read(output)?;
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            [(0, false), (1, true), (BUFFER_BYTES, false), (3_000_000, false), (3_000_000, true)]
        {
            let mut source = Source { left: length, fails, given: 0 };
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
        let mut source = Source { left: usize::MAX, fails: false, given: 0 };
        let mut first = [0; 10];
        read_ahead(&mut source, |reader| reader.read_exact(&mut first).unwrap());
        assert!(source.given < 16 << 20, "{}", source.given);
    }
}
