//! From the blob of a layer to its facts, with every digest verified in the same pass.
//!
//! A layer whose bytes do not have the digest that names them is not the layer its image speaks of: nothing of it is
//! used, since whoever could change it could hide or forge packages. A layer that was cut by our own bounds is
//! another matter: its blob is still verified to the end, and what was read stands.

use std::io::{self, BufRead, Read};

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use yagura_model::digest::Algorithm;
use yagura_model::{Digest, SkipReason, Skipped};

use super::pipeline::read_ahead;
use super::{LayerFacts, LayerScanner, ScanOptions};
use crate::archive::tar::TarReader;
use crate::archive::{Compression, Inflater, Problem};

/// The digests that name a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerDigests {
    /// Of the blob as stored.
    pub blob: Option<Digest>,
    /// Of the uncompressed tar.
    pub diff_id: Option<Digest>,
}

/// Inflates, verifies and scans a layer.
pub fn scan_layer(reader: impl Read + Send, expected: &LayerDigests, options: &ScanOptions) -> LayerFacts {
    scan_with(LayerScanner::for_layer(options), reader, expected, options)
}

/// Reads what [`LayerFacts::unread_links`] names, in a second pass over the same layer.
pub fn scan_links(
    reader: impl Read + Send,
    expected: &LayerDigests,
    options: &ScanOptions,
    facts: &mut LayerFacts,
) {
    let links = std::mem::take(&mut facts.unread_links);
    let read = scan_with(LayerScanner::for_links(options, links), reader, expected, options);
    let LayerFacts { evidence, skipped, .. } = read;
    facts.absorb(LayerFacts { evidence, skipped, ..LayerFacts::default() });
}

fn scan_with(
    mut scanner: LayerScanner<'_>,
    reader: impl Read + Send,
    expected: &LayerDigests,
    options: &ScanOptions,
) -> LayerFacts {
    let mut verdicts = Vec::new();
    let blob_hasher = match expected.blob.as_ref().map(|digest| Hasher::of(digest.algorithm())) {
        Some(None) => {
            verdicts.push(Skipped::new(
                "",
                SkipReason::Unsupported,
                "its digest is of an algorithm too weak to verify",
            ));
            return distrusted(verdicts);
        }
        Some(hasher) => hasher,
        None => None,
    };
    let algorithm = expected.diff_id.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
    let diff_hasher = Hasher::of(algorithm);
    let mut inflater = match Inflater::new(Hashing::new(reader, blob_hasher), options.inflate) {
        Ok(inflater) => inflater,
        Err(error) => {
            let problem = Problem::of(&error);
            return distrusted(vec![Skipped::new("", problem.reason, problem.detail)]);
        }
    };
    // What is not compressed is its own diff id: no need to hash it twice.
    let plain = inflater.compression() == Compression::None;
    let same_algorithm = expected.blob.as_ref().is_none_or(|blob| blob.algorithm() == algorithm);
    let hashed_once = plain && same_algorithm;
    if hashed_once {
        inflater.source_mut().hasher = None;
    }
    let walk_through = |uncompressed: &mut dyn BufRead| walk_to_end(uncompressed, diff_hasher, &mut scanner);
    let walked = if plain { walk_through(&mut inflater) } else { read_ahead(&mut inflater, walk_through) };
    let Walked { problem, diff_id } = walked;
    let inflated_bytes = inflater.bytes_out();
    let mut blob = inflater.into_source();
    if let Some(problem) = problem {
        verdicts.push(Skipped::new("", problem.reason, problem.detail));
    }
    let blob_digest = if hashed_once {
        diff_id.clone()
    } else {
        match io::copy(&mut blob, &mut io::sink()) {
            Ok(_) => blob.digest(),
            Err(error) => {
                let problem = Problem::of(&error);
                verdicts.push(Skipped::new("", problem.reason, problem.detail));
                None
            }
        }
    };
    let checks =
        [("layer blob", &expected.blob, &blob_digest), ("uncompressed layer", &expected.diff_id, &diff_id)];
    if let Err(mismatch) = verify(checks) {
        verdicts.push(mismatch);
        return distrusted(verdicts);
    }
    let mut facts = scanner.finish();
    facts.diff_id = diff_id;
    facts.counts.inflated_bytes = inflated_bytes;
    facts.skipped.splice(0..0, verdicts);
    facts
}

/// How a walk over an uncompressed layer went.
struct Walked {
    /// Why it ended, if not at the end of the layer.
    problem: Option<Problem>,
    /// Where the layer was read to its end.
    diff_id: Option<Digest>,
}

/// Gives every entry to the scanner, and reads on to the very end: the end mark of a tar is not the end of its
/// layer, and the digest covers all of it.
fn walk_to_end(
    uncompressed: &mut dyn BufRead,
    hasher: Option<Hasher>,
    scanner: &mut LayerScanner<'_>,
) -> Walked {
    let mut tar = TarReader::new(Hashing::new(uncompressed, hasher));
    let mut problem = walk(&mut tar, scanner);
    let mut rest = tar.into_source();
    match io::copy(&mut rest, &mut io::sink()) {
        Ok(_) => Walked { problem, diff_id: rest.digest() },
        Err(error) => {
            // The walk may have met the same error.
            problem.get_or_insert_with(|| Problem::of(&error));
            Walked { problem, diff_id: None }
        }
    }
}

/// Gives every entry to the scanner. Returns why the walk ended, if not at the archive's end.
fn walk<R: BufRead>(tar: &mut TarReader<R>, scanner: &mut LayerScanner<'_>) -> Option<Problem> {
    loop {
        match tar.next_entry() {
            Ok(Some(mut entry)) => {
                for problem in entry.problems {
                    let path =
                        String::from_utf8_lossy(entry.header.path.get(..200).unwrap_or(entry.header.path));
                    scanner.skip(&path, problem.reason, problem.detail.as_str());
                }
                scanner.entry(entry.header, &mut entry.content);
            }
            Ok(None) => return None,
            Err(problem) => return Some(problem),
        }
    }
}

/// Compares what was computed with what was expected. One verified digest suffices when the other could not be
/// computed, since the layer was cut by a bound.
fn verify(checks: [(&str, &Option<Digest>, &Option<Digest>); 2]) -> Result<(), Skipped> {
    let mut verified = false;
    let mut wanted = false;
    for (what, expected, actual) in checks {
        match (expected, actual) {
            (Some(expected), Some(actual)) if expected == actual => verified = true,
            (Some(expected), Some(actual)) => {
                let detail = format!(
                    "the {what} has the digest {actual} where {expected} was expected: nothing of it is used"
                );
                return Err(Skipped::new("", SkipReason::DigestMismatch, detail));
            }
            (Some(_), None) => wanted = true,
            (None, _) => {}
        }
    }
    if wanted && !verified {
        let detail =
            "its digest could not be verified, as it could not be read to its end: nothing of it is used";
        return Err(Skipped::new("", SkipReason::DigestMismatch, detail));
    }
    Ok(())
}

/// The facts of a layer that cannot be trusted: why, and nothing else.
fn distrusted(skipped: Vec<Skipped>) -> LayerFacts {
    LayerFacts { skipped, ..LayerFacts::default() }
}

enum Hasher {
    Sha256(Box<Sha256>),
    Sha384(Box<Sha384>),
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// `None` for algorithms that do not prove identity.
    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Sha256 => Some(Self::Sha256(Box::default())),
            Algorithm::Sha384 => Some(Self::Sha384(Box::default())),
            Algorithm::Sha512 => Some(Self::Sha512(Box::default())),
            Algorithm::Md5 | Algorithm::Sha1 => None,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Option<Digest> {
        match self {
            Self::Sha256(hasher) => Digest::from_bytes(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha384(hasher) => Digest::from_bytes(Algorithm::Sha384, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::from_bytes(Algorithm::Sha512, &hasher.finalize()),
        }
    }
}

/// Hashes what is read through it. An error stays: what was interrupted must not look as if it had ended.
struct Hashing<R> {
    inner: R,
    hasher: Option<Hasher>,
    failed: Option<Problem>,
    /// Bytes of the inner reader's buffer that are hashed and not yet consumed.
    ahead: usize,
}

impl<R> Hashing<R> {
    fn new(inner: R, hasher: Option<Hasher>) -> Self {
        Self { inner, hasher, failed: None, ahead: 0 }
    }

    fn digest(&mut self) -> Option<Digest> {
        self.hasher.take()?.finish()
    }

    /// Remembers an error that ended the stream.
    fn checked<T>(failed: &mut Option<Problem>, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                *failed = Some(Problem::of(error));
            }
        })
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if let Some(problem) = &self.failed {
            return Err(problem.clone().into());
        }
        let count = Self::checked(&mut self.failed, self.inner.read(output))?;
        if let (Some(hasher), Some(bytes)) = (&mut self.hasher, output.get(self.ahead.min(count)..count)) {
            hasher.update(bytes);
        }
        self.ahead = self.ahead.saturating_sub(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(problem) = &self.failed {
            return Err(problem.clone().into());
        }
        let bytes = Self::checked(&mut self.failed, self.inner.fill_buf())?;
        if let (Some(hasher), Some(new)) =
            (&mut self.hasher, bytes.get(self.ahead..).filter(|new| !new.is_empty()))
        {
            hasher.update(new);
            self.ahead = bytes.len();
        }
        Ok(bytes)
    }

    fn consume(&mut self, count: usize) {
        self.ahead = self.ahead.saturating_sub(count);
        self.inner.consume(count);
    }
}
