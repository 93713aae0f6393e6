//! One file on its way through the engine: decoded, cut into blocks that overlap, its lines counted.

use std::borrow::Cow;
use std::ops::Range;

use yagura_formats::layer::{FileConsumer, Observed, PassingFile};
use yagura_model::finding::Confidence;
use yagura_model::{Observation, SkipReason, Skipped};

use super::engine::{self, FileTraits, MAX_CANDIDATES, MAX_FOUND, Match};
use super::rule::{MAX_REACH, Rule, Shape};
use super::{Secrets, allow, fact, kubernetes};

/// Bytes that are looked at together when a file comes in pieces.
const BLOCK_BYTES: usize = 1 << 20;
/// How far behind and before a keyword the engine may look.
const LOOK_AROUND: usize = MAX_REACH + 1024;
/// A file with a NUL among so many first bytes is no text.
const TEXT_TEST_BYTES: usize = 8 << 10;
/// Most findings of one rule in one file.
const MAX_OF_A_RULE: usize = 50;
/// Characters of a secret that are ever shown.
const SHOWN: usize = 4;
/// Secrets shorter than this show nothing.
const MIN_LENGTH_SHOWN: usize = 20;

/// What files begin with that hold no readable text: compressed or pictures, sounds, fonts.
const OPAQUE: &[&[u8]] = &[
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xbc\xaf",
    b"Rar!",
    b"!<arch>\ndebian",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"OggS",
    b"fLaC",
    b"ID3",
    b"wOFF",
    b"wOF2",
    b"\0\x01\0\0\0",
    b"OTTO",
    b"%PDF",
    b"\0asm",
    b"\xde\x12\x04\x95",
    b"TZif",
    b"hsqs",
    b"\xca\xfe\xba\xbe",
];

/// A consumer for one layer or thread.
pub(super) struct Scanner<'s> {
    secrets: &'s Secrets,
    file: Option<File<'s>>,
}

impl<'s> Scanner<'s> {
    pub(super) fn new(secrets: &'s Secrets) -> Self {
        Self { secrets, file: None }
    }
}

impl FileConsumer for Scanner<'_> {
    fn wants(&mut self, file: &PassingFile<'_>) -> bool {
        let opaque = OPAQUE.iter().any(|magic| file.head.starts_with(magic));
        let wanted = file.size > 0 && !opaque;
        self.file = wanted.then(|| File::new(self.secrets, file.path, file.size, file.head));
        wanted
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file {
            file.push(bytes);
        }
    }

    fn end(&mut self, _whole: bool) -> Observed {
        self.file.take().map(File::finish).unwrap_or_default()
    }
}

/// How the bytes of a file become text.
enum Encoding {
    /// UTF-8, or any other that holds ASCII as it is; binary files, too.
    Bytes,
    /// UTF-16; what came last and is no whole character yet.
    Utf16 { unit: fn([u8; 2]) -> u16, pending: Vec<u8> },
}

/// A file whose bytes come in pieces.
pub(super) struct File<'s> {
    secrets: &'s Secrets,
    path: String,
    traits: FileTraits,
    test: bool,
    size: u64,
    encoding: Encoding,
    block: Vec<u8>,
    /// Keywords before this place of the block were looked at.
    searched: usize,
    /// Lines that ended before the block.
    lines: usize,
    /// Whether the block holds the file from its start.
    from_start: bool,
    candidates: u64,
    observations: Vec<Observation>,
}

impl<'s> File<'s> {
    /// `head` is the beginning of the file, long enough to tell its encoding.
    pub(super) fn new(secrets: &'s Secrets, path: &str, size: u64, head: &[u8]) -> Self {
        Self {
            secrets,
            path: path.to_owned(),
            traits: FileTraits::of(path),
            test: allow::is_test_path(path),
            size,
            encoding: encoding_of(head),
            block: Vec::new(),
            searched: 0,
            lines: 0,
            from_start: true,
            candidates: 0,
            observations: Vec::new(),
        }
    }

    /// A text that is whole already.
    pub(super) fn search_whole(secrets: &'s Secrets, path: &str, text: &[u8]) -> Observed {
        let mut file =
            Self::new(secrets, path, text.len() as u64, text.get(..text.len().min(64)).unwrap_or_default());
        file.push(text);
        file.finish()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if matches!(self.encoding, Encoding::Bytes)
            && self.block.is_empty()
            && bytes.len() as u64 == self.size
        {
            // The common case: nothing is copied.
            self.search(bytes, 0..bytes.len());
            self.size = 0;
            return;
        }
        match &mut self.encoding {
            Encoding::Utf16 { unit, pending } => {
                pending.extend_from_slice(bytes);
                let text = decode(*unit, pending);
                self.block.extend_from_slice(text.as_bytes());
            }
            _ => self.block.extend_from_slice(bytes),
        }
        if self.block.len() >= BLOCK_BYTES + LOOK_AROUND {
            self.search_block(self.block.len() - LOOK_AROUND);
        }
    }

    fn search_block(&mut self, until: usize) {
        let mut block = std::mem::take(&mut self.block);
        self.search(&block, self.searched..until);
        let keep_from = until.saturating_sub(LOOK_AROUND);
        self.lines += newlines(block.get(..keep_from).unwrap_or_default());
        block.drain(..keep_from);
        self.searched = until - keep_from;
        self.from_start &= keep_from == 0;
        self.block = block;
    }

    pub(super) fn finish(mut self) -> Observed {
        if self.size > 0 && !self.block.is_empty() {
            self.search_block(self.block.len());
        }
        let mut skipped = Vec::new();
        if self.candidates > MAX_CANDIDATES || self.observations.len() > MAX_FOUND {
            self.observations.truncate(MAX_FOUND);
            let detail = "more keywords of secrets than a file has by chance; the rest was not looked at";
            skipped.push(Skipped::new(self.path.clone(), SkipReason::TooMany, detail));
        }
        Observed { observations: self.observations, skipped }
    }

    fn search(&mut self, block: &[u8], range: Range<usize>) {
        if range.start == 0 && self.from_start && matches!(self.encoding, Encoding::Bytes) {
            let start = block.get(..block.len().min(TEXT_TEST_BYTES)).unwrap_or_default();
            self.traits.binary = memchr::memchr(0, start).is_some();
        }
        let secrets = self.secrets;
        let keywords = if self.traits.binary { &secrets.rules.binary } else { &secrets.rules.text };
        let rules = &secrets.rules.rules;
        if self.candidates > MAX_CANDIDATES {
            return;
        }
        let whole = self.from_start && range == (0..block.len());
        let found = engine::search(rules, keywords, &self.traits, block, range, &mut self.candidates);
        let (mut line, mut counted) = (self.lines, 0);
        for found in found {
            line += newlines(block.get(counted..found.whole.start).unwrap_or_default());
            counted = found.whole.start.max(counted);
            let inside = block.get(found.whole.clone()).unwrap_or_default();
            self.observe(&found, block, line + 1, line + 1 + newlines(inside));
        }
        if whole && !self.traits.binary && kubernetes::may_have_secrets(&self.traits.name, block) {
            self.manifest(block);
        }
    }

    /// Decodes the Secrets of a manifest and looks into their values.
    fn manifest(&mut self, text: &[u8]) {
        let secrets = self.secrets;
        let structural =
            secrets.rules.rules.iter().enumerate().find(|(_, rule)| matches!(rule.shape, Shape::Structure));
        for value in kubernetes::values(&self.traits.name, text) {
            let generic = |seen: &Observation| secrets.rule(&seen.rule).is_none_or(|rule| rule.generic);
            let line = Some(value.line);
            self.observations.retain(|seen| seen.location.start_line != line || !generic(seen));
            let traits = FileTraits { plain: true, ..FileTraits::default() };
            let range = 0..value.value.len();
            let rules = &secrets.rules.rules;
            let inside = engine::search(
                rules,
                &secrets.rules.text,
                &traits,
                &value.value,
                range,
                &mut self.candidates,
            );
            for found in &inside {
                let at = value.line as usize;
                self.observe(found, &value.value, at, at);
            }
            if inside.is_empty()
                && let Some((index, _)) = structural
            {
                let found = Match {
                    rule: index as u16,
                    whole: 0..value.value.len(),
                    secret: 0..value.value.len(),
                    name: None,
                    canonical: None,
                    confidence: value.confidence,
                    notes: vec![format!("value of the key {}", value.name)],
                };
                let at = value.line as usize;
                self.observe(&found, &value.value, at, at);
            }
        }
    }

    fn observe(&mut self, found: &Match, block: &[u8], first_line: usize, last_line: usize) {
        let Some(rule) = self.secrets.rules.rules.get(usize::from(found.rule)) else { return };
        let same = self.observations.iter().filter(|seen| seen.rule == rule.id).count();
        if same >= MAX_OF_A_RULE {
            return;
        }
        let secret = block.get(found.secret.clone()).unwrap_or_default();
        let name = found.name.clone().and_then(|name| block.get(name));
        let confidence = if self.test { lower(found.confidence) } else { found.confidence };
        let line = |line: usize| u32::try_from(line).ok();
        let mut seen =
            Observation::new(rule.id.as_str(), (!self.traits.binary).then(|| line(first_line)).flatten());
        seen.location.path.clone_from(&self.path);
        if !self.traits.binary {
            seen.location.end_line = line(last_line);
        }
        let mut notes = found.notes.clone();
        if self.test {
            notes.push("in a place of tests, examples or documentation".to_owned());
            seen.facts.insert(fact::PLACE.into(), "examples".into());
        }
        let canonical = found.canonical.as_deref().unwrap_or(secret);
        seen.facts.insert(fact::FINGERPRINT.into(), self.secrets.key.of(canonical));
        seen.facts.insert(fact::EXCERPT.into(), excerpt(rule, secret, name));
        seen.facts.insert(fact::CONFIDENCE.into(), confidence_name(confidence).into());
        if !notes.is_empty() {
            seen.facts.insert(fact::NOTES.into(), notes.join("\n"));
        }
        self.observations.push(seen);
    }
}

/// What may be shown: the name, and of a long secret its beginning, which tells its kind.
fn excerpt(rule: &Rule, secret: &[u8], name: Option<&[u8]>) -> String {
    let known = rule.keywords.iter().find(|keyword| secret.starts_with(keyword.as_bytes()));
    let shown: Cow<'_, str> = match known {
        Some(keyword) if secret.len() >= keyword.len() + 8 => Cow::Borrowed(keyword.as_str()),
        _ if secret.len() >= MIN_LENGTH_SHOWN => {
            String::from_utf8_lossy(secret.get(..SHOWN).unwrap_or_default())
        }
        _ => Cow::Borrowed(""),
    };
    let shown: String = shown.chars().filter(|character| character.is_ascii_graphic()).collect();
    match name {
        Some(name) => format!("{} = {shown}****", String::from_utf8_lossy(name)),
        None => format!("{shown}****"),
    }
}

fn lower(confidence: Confidence) -> Confidence {
    if confidence == Confidence::High { Confidence::Medium } else { Confidence::Low }
}

/// As facts and reports write it.
pub(super) fn confidence_name(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        _ => "low",
    }
}

fn newlines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// UTF-16 by its mark, or by a text of ASCII characters every other byte of which is zero.
fn encoding_of(bytes: &[u8]) -> Encoding {
    let utf16 = |unit: fn([u8; 2]) -> u16| Encoding::Utf16 { unit, pending: Vec::new() };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => {
            let (pairs, _) = bytes.get(..bytes.len().min(64)).unwrap_or_default().as_chunks::<2>();
            let ascii = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
            if pairs.len() >= 8 && pairs.iter().all(|[low, high]| *high == 0 && ascii(*low)) {
                utf16(u16::from_le_bytes)
            } else {
                Encoding::Bytes
            }
        }
    }
}

/// Takes whole characters from `pending`.
fn decode(unit: fn([u8; 2]) -> u16, pending: &mut Vec<u8>) -> String {
    let mut length = pending.len() / 2 * 2;
    // Half of a pair waits for the other.
    if let Some(last) = pending.get(..length).and_then(|whole| whole.last_chunk::<2>())
        && (0xd800..0xdc00).contains(&unit(*last))
    {
        length -= 2;
    }
    let (pairs, _) = pending.get(..length).unwrap_or_default().as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text =
        char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    pending.drain(..length);
    text
}
