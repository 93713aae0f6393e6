//! What is kept of a feed between updates, so that only changed records are read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use yagura_model::SkipReason;

use super::reduce::{Reduced, reduce};
use super::stored::Source;
use crate::advisories::zip::{Fingerprint, Visitor};
use crate::advisories::{Problem, osv};

/// Raised whenever reading or reducing a record changes: older states are then not used.
const STATE_FORMAT: u32 = 1;
/// Largest inflated state that is read.
const MAX_STATE_BYTES: usize = 2 << 30;
/// For speed: the state is rewritten at every update and read by this program alone.
const COMPRESSION_LEVEL: i32 = 3;

/// The reduced records of one feed by member name, each with the fingerprint it had in the zip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedState {
    format: u32,
    members: BTreeMap<String, Member>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Member {
    crc32: u32,
    bytes: u64,
    git_only: u64,
    /// None for notices that are not about security.
    record: Option<Arc<Reduced>>,
}

impl FeedState {
    /// How many members it knows.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Bytes to keep; deterministic.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let raw = postcard::to_stdvec(self).map_err(std::io::Error::other)?;
        let mut bytes = (raw.len() as u64).to_le_bytes().to_vec();
        bytes.extend(zstd::bulk::compress(&raw, COMPRESSION_LEVEL)?);
        Ok(bytes)
    }

    /// Reads kept bytes; anything unreadable or of another format is an empty state, which costs time and nothing
    /// else.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let read = || {
            let (length, packed) = bytes.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let raw = (length <= MAX_STATE_BYTES).then(|| zstd::bulk::decompress(packed, length).ok())??;
            postcard::from_bytes::<Self>(&raw).ok().filter(|state| state.format == STATE_FORMAT)
        };
        read().unwrap_or_default()
    }
}

/// Reads a zip against a known state.
pub(super) struct Reader<'a> {
    known: &'a FeedState,
    pub state: FeedState,
    pub records: Vec<Arc<Reduced>>,
    pub source: Source,
    pub problems: Vec<(String, Problem)>,
}

impl<'a> Reader<'a> {
    pub fn new(known: &'a FeedState) -> Self {
        Self {
            known,
            state: FeedState { format: STATE_FORMAT, members: BTreeMap::new() },
            records: Vec::new(),
            source: Source::default(),
            problems: Vec::new(),
        }
    }

    fn keep(&mut self, name: &str, member: Member) {
        self.source.git_only += member.git_only;
        match &member.record {
            Some(record) => self.records.push(Arc::clone(record)),
            None => self.source.not_security += 1,
        }
        self.state.members.insert(name.to_owned(), member);
    }
}

impl Visitor for Reader<'_> {
    fn wants(&mut self, name: &str, fingerprint: Fingerprint) -> bool {
        self.source.records += 1;
        let known = self.known.members.get(name);
        match known.filter(|m| m.crc32 == fingerprint.crc32 && m.bytes == fingerprint.bytes) {
            Some(member) => {
                self.keep(name, member.clone());
                false
            }
            None => true,
        }
    }

    fn member(&mut self, name: &str, fingerprint: Fingerprint, content: Result<&[u8], Problem>) {
        match content.and_then(osv::parse) {
            Err(problem) => {
                self.source.broken += 1;
                self.problems.push((name.to_owned(), problem));
            }
            Ok(parsed) => {
                let mut problems = parsed.problems;
                if let Some(stem) = name.rsplit('/').next().and_then(|file| file.strip_suffix(".json"))
                    && stem != parsed.advisory.id
                {
                    // OSV names a file by its record; a record under a foreign name may shadow another.
                    problems.push(Problem::new(
                        SkipReason::Malformed,
                        format!("holds the record {}", parsed.advisory.id),
                    ));
                }
                let record = reduce(parsed.advisory, &mut problems).map(Arc::new);
                self.problems.extend(problems.into_iter().map(|problem| (name.to_owned(), problem)));
                let Fingerprint { crc32, bytes } = fingerprint;
                self.keep(name, Member { crc32, bytes, git_only: parsed.git_only, record });
            }
        }
    }
}
