//! Where objects lie: loose files and packs, in the repository's own directory and nowhere else.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::ZlibDecoder;
use yagura_formats::git::{self, EntryBase, MAX_OBJECT_BYTES, ObjectId, ObjectKind, PackIndex};

use crate::error::{Error, ErrorKind, Result};

/// Largest pack index, in bytes: about forty million objects.
const MAX_INDEX_BYTES: u64 = 1 << 30;
const MAX_PACKS: usize = 10_000;
/// Deltas upon deltas; git itself makes chains of fifty.
const MAX_CHAIN: usize = 5_000;
/// References read.
const MAX_REFERENCES: usize = 500_000;
/// Largest file of references, in bytes.
const MAX_REFERENCES_BYTES: u64 = 128 << 20;
const MAX_REFERENCE_DEPTH: usize = 16;
/// Memory of objects that others are deltas of.
const CACHE_BYTES: usize = 96 << 20;
/// Read ahead of the inflater.
const READ_BYTES: usize = 8 << 10;

/// A repository, opened for reading.
pub struct Repository {
    directory: PathBuf,
    packs: Vec<Pack>,
    bases: Bases,
}

struct Pack {
    index: PackIndex,
    file: File,
}

/// An object.
pub struct Object {
    pub kind: ObjectKind,
    pub bytes: Rc<Vec<u8>>,
}

impl Repository {
    /// Opens the repository of a working tree, or a bare one.
    pub fn open(path: &Path) -> Result<Self> {
        let inside = path.join(".git");
        let directory = if inside.is_dir() { inside } else { path.to_owned() };
        if !directory.join("objects").is_dir() || !directory.join("HEAD").exists() {
            let error = Error::new(ErrorKind::NotFound, format!("{} is no git repository", path.display()));
            return Err(error.advise("name the directory that holds .git, or a bare repository"));
        }
        if directory.join("objects/info/alternates").exists() {
            let text = format!("{} borrows objects from another repository", path.display());
            return Err(Error::new(ErrorKind::Unsupported, text)
                .advise("run `git repack -a -d` in it, or clone it whole"));
        }
        let mut packs = Vec::new();
        let entries = std::fs::read_dir(directory.join("objects/pack")).into_iter().flatten().flatten();
        for entry in entries.take(MAX_PACKS * 4) {
            let index_path = entry.path();
            if index_path.extension().is_some_and(|end| end == "idx") && packs.len() < MAX_PACKS {
                packs.push(open_pack(&index_path)?);
            }
        }
        // The largest pack has most of what is asked for.
        packs.sort_by_key(|pack: &Pack| std::cmp::Reverse(pack.index.len()));
        Ok(Self { directory, packs, bases: Bases::default() })
    }

    /// Every object that a reference names; branches, tags, stashes, remotes and HEAD.
    pub fn references(&self) -> Vec<ObjectId> {
        let mut ids: Vec<ObjectId> = self.head().into_iter().collect();
        if let Some(text) = read_small(&self.directory.join("packed-refs"), MAX_REFERENCES_BYTES) {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
            ids.extend(lines.filter_map(|line| ObjectId::from_hex(line.get(..40)?)).take(MAX_REFERENCES));
        }
        collect_references(&self.directory.join("refs"), MAX_REFERENCE_DEPTH, &mut ids);
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The commit that is checked out.
    pub fn head(&self) -> Option<ObjectId> {
        let text = read_small(&self.directory.join("HEAD"), 4096)?;
        let text = text.trim_ascii();
        if let Some(id) = ObjectId::from_hex(text) {
            return Some(id);
        }
        let name = std::str::from_utf8(text.strip_prefix(b"ref: ")?).ok()?;
        let plain = name.starts_with("refs/")
            && !name.split('/').any(|part| part.is_empty() || part.starts_with('.'));
        if !plain {
            return None;
        }
        if let Some(text) = read_small(&self.directory.join(name), 4096) {
            return ObjectId::from_hex(text.trim_ascii());
        }
        let packed = read_small(&self.directory.join("packed-refs"), MAX_REFERENCES_BYTES)?;
        let mut lines = packed.split(|byte| *byte == b'\n');
        let line = lines.find(|line| line.get(41..) == Some(name.as_bytes()))?;
        ObjectId::from_hex(line.get(..40)?)
    }

    /// Reads an object; none when the repository does not have it.
    pub fn read(&mut self, id: &ObjectId) -> io::Result<Option<Object>> {
        let place =
            self.packs.iter().enumerate().find_map(|(pack, found)| Some((pack, found.index.offset(id)?)));
        match place {
            Some((pack, offset)) => self.packed(pack, offset).map(Some),
            None => self.loose(id),
        }
    }

    fn loose(&self, id: &ObjectId) -> io::Result<Option<Object>> {
        let name = id.to_string();
        let (directory, rest) = name.split_at(2);
        let file = match File::open(self.directory.join("objects").join(directory).join(rest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = inflate(BufReader::with_capacity(READ_BYTES, file), MAX_OBJECT_BYTES + 64)?;
        let (kind, content) = git::loose(&bytes).map_err(io::Error::other)?;
        bytes.drain(..content);
        Ok(Some(Object { kind, bytes: Rc::new(bytes) }))
    }

    /// An entry of a pack, its deltas applied.
    fn packed(&mut self, pack: usize, offset: u64) -> io::Result<Object> {
        let mut deltas: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut at = offset;
        let mut object = loop {
            if let Some(known) = self.bases.get(pack, at) {
                break known;
            }
            if deltas.len() > MAX_CHAIN {
                return Err(io::Error::other("deltas upon more deltas than the bound"));
            }
            let (entry, content) = self.entry(pack, at)?;
            match entry {
                EntryBase::Whole(kind) => {
                    let object = Object { kind, bytes: Rc::new(content) };
                    self.bases.keep(pack, at, &object);
                    break object;
                }
                EntryBase::Before(distance) => {
                    deltas.push((at, content));
                    let wrong = || io::Error::other("a delta of an entry outside the pack");
                    at = at.checked_sub(distance).filter(|_| distance > 0).ok_or_else(wrong)?;
                }
                EntryBase::Object(id) => {
                    deltas.push((at, content));
                    let missing = || io::Error::other("a delta of an object that is not in its pack");
                    at = self.packs.get(pack).and_then(|pack| pack.index.offset(&id)).ok_or_else(missing)?;
                }
            }
        };
        while let Some((at, delta)) = deltas.pop() {
            let bytes = git::apply_delta(&object.bytes, &delta).map_err(io::Error::other)?;
            object = Object { kind: object.kind, bytes: Rc::new(bytes) };
            self.bases.keep(pack, at, &object);
        }
        Ok(object)
    }

    fn entry(&self, pack: usize, offset: u64) -> io::Result<(EntryBase, Vec<u8>)> {
        let file = &self.packs.get(pack).ok_or_else(|| io::Error::other("no such pack"))?.file;
        let mut head = [0; 32];
        let length = file.read_at(&mut head, offset)?;
        let entry = git::entry_header(head.get(..length).unwrap_or_default()).map_err(io::Error::other)?;
        if entry.size > MAX_OBJECT_BYTES as u64 {
            return Err(io::Error::other("larger than the bound for objects"));
        }
        let content = At { file, offset: offset.saturating_add(entry.content as u64) };
        let capacity = READ_BYTES.min(usize::try_from(entry.size).unwrap_or(READ_BYTES) + 64);
        let bytes = inflate(BufReader::with_capacity(capacity, content), entry.size as usize)?;
        if bytes.len() as u64 != entry.size {
            return Err(io::Error::other("its size is not the one its header states"));
        }
        Ok((entry.base, bytes))
    }
}

fn open_pack(index: &Path) -> Result<Pack> {
    let failed = |error: io::Error| Error::io(index, &error);
    let file = File::open(index).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_INDEX_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    let read = PackIndex::read(bytes)
        .map_err(|error| Error::new(ErrorKind::Unsupported, format!("{}: {error}", index.display())))?;
    let path = index.with_extension("pack");
    let file = File::open(&path).map_err(|error| Error::io(&path, &error))?;
    Ok(Pack { index: read, file })
}

/// A file read from a place on.
struct At<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(output, self.offset)?;
        self.offset = self.offset.saturating_add(count as u64);
        Ok(count)
    }
}

fn inflate(content: impl io::BufRead, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(limit.min(64 << 10));
    ZlibDecoder::new(content).take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::other("inflates to more than it states"));
    }
    Ok(bytes)
}

fn read_small(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))?;
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn collect_references(directory: &Path, depth: usize, ids: &mut Vec<ObjectId>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            collect_references(&entry.path(), depth - 1, ids);
        } else if kind.is_file() && ids.len() < MAX_REFERENCES {
            ids.extend(
                read_small(&entry.path(), 4096).and_then(|text| ObjectId::from_hex(text.trim_ascii())),
            );
        }
    }
}

/// A pack, and where in it.
type Place = (usize, u64);

/// Objects that are likely to be asked for again as bases of deltas; the oldest go first.
#[derive(Default)]
struct Bases {
    objects: HashMap<Place, (ObjectKind, Rc<Vec<u8>>)>,
    order: VecDeque<Place>,
    bytes: usize,
}

impl Bases {
    fn get(&self, pack: usize, offset: u64) -> Option<Object> {
        let (kind, bytes) = self.objects.get(&(pack, offset))?;
        Some(Object { kind: *kind, bytes: Rc::clone(bytes) })
    }

    fn keep(&mut self, pack: usize, offset: u64, object: &Object) {
        if object.bytes.len() > CACHE_BYTES / 8 {
            return;
        }
        let kept = (object.kind, Rc::clone(&object.bytes));
        if self.objects.insert((pack, offset), kept).is_none() {
            self.order.push_back((pack, offset));
            self.bytes += object.bytes.len();
        }
        while self.bytes > CACHE_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((_, bytes)) = self.objects.remove(&oldest) {
                self.bytes -= bytes.len();
            }
        }
    }
}
