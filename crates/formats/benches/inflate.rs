//! Our inflater beside zlib-rs on the same gzip files, in processor seconds of this thread (which is why it wants
//! Linux): `cargo bench -p yagura-formats --bench inflate -- FILE.gz…`

#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::{self, BufRead, Read};

use sha2::{Digest, Sha256};
use yagura_formats::archive::{InflateLimits, Inflater};

fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: u64 = text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0);
    nanoseconds as f64 / 1e9
}

/// Runs it, and says what it cost.
fn measure(name: &str, path: &str, run: impl Fn(File) -> io::Result<u64>) -> io::Result<()> {
    let before = processor_seconds();
    let bytes = run(File::open(path)?)?;
    println!("{name:>10}  {:6.2} CPU s  {bytes} bytes  {path}", processor_seconds() - before);
    Ok(())
}

fn main() -> io::Result<()> {
    for path in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        measure("yagura", &path, |file| {
            let mut inflater = Inflater::new(file, InflateLimits::default())?;
            let mut bytes = 0;
            loop {
                let count = inflater.fill_buf()?.len();
                if count == 0 {
                    return Ok(bytes);
                }
                bytes += count as u64;
                inflater.consume(count);
            }
        })?;
        measure("zlib-rs", &path, |file| {
            let file = io::BufReader::with_capacity(256 << 10, file);
            let mut decoder = flate2::bufread::MultiGzDecoder::new(file);
            let (mut bytes, mut buffer) = (0, vec![0; 256 << 10]);
            loop {
                match decoder.read(&mut buffer)? {
                    0 => return Ok(bytes),
                    count => bytes += count as u64,
                }
            }
        })?;
        measure("sha256", &path, |mut file| {
            let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 << 10]);
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    count => {
                        hasher.update(&buffer[..count]);
                        bytes += count as u64;
                    }
                }
            }
            std::hint::black_box(hasher.finalize());
            Ok(bytes)
        })?;
    }
    Ok(())
}
