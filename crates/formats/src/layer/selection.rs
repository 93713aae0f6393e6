//! Which cataloguers want a file, found by its path and first bytes without asking each of them.

use crate::catalogue::{self, Cataloguer, Select};

/// A cataloguer by its place in the selection.
pub type CataloguerIndex = u16;

/// Power of two; an entry is looked up by the last two bytes of its path.
const BUCKETS: usize = 1024;

/// The path rules and magic bytes of a set of cataloguers, indexed.
pub struct Selection {
    cataloguers: Vec<&'static Cataloguer>,
    /// Rules by the last two bytes of what a path must end with.
    buckets: Vec<Vec<Rule>>,
    /// Rules whose end is too short to be indexed.
    anywhere: Vec<Rule>,
    magics: Vec<(&'static [u8], CataloguerIndex)>,
    head_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    select: Select,
    cataloguer: CataloguerIndex,
}

impl std::fmt::Debug for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.cataloguers().map(|cataloguer| cataloguer.name)).finish()
    }
}

impl Selection {
    /// Indexes these cataloguers.
    pub fn of(cataloguers: impl IntoIterator<Item = &'static Cataloguer>) -> Self {
        let mut selection = Self {
            cataloguers: cataloguers.into_iter().take(usize::from(CataloguerIndex::MAX)).collect(),
            buckets: vec![Vec::new(); BUCKETS],
            anywhere: Vec::new(),
            magics: Vec::new(),
            head_bytes: 0,
        };
        for (index, cataloguer) in selection.cataloguers.iter().enumerate() {
            let index = index as CataloguerIndex;
            for select in cataloguer.selects {
                let end = match *select {
                    Select::Magic(magic) => {
                        selection.magics.push((magic, index));
                        selection.head_bytes = selection.head_bytes.max(magic.len());
                        continue;
                    }
                    Select::Name(end)
                    | Select::Suffix(end)
                    | Select::NameAround(_, end)
                    | Select::Path(end)
                    | Select::Below(_, end) => end,
                };
                let rule = Rule { select: *select, cataloguer: index };
                match bucket(end.as_bytes()).and_then(|bucket| selection.buckets.get_mut(bucket)) {
                    Some(bucket) => bucket.push(rule),
                    None => selection.anywhere.push(rule),
                }
            }
        }
        selection
    }

    /// Indexes every cataloguer there is.
    pub fn all() -> Self {
        Self::of(catalogue::all())
    }

    pub fn cataloguer(&self, index: CataloguerIndex) -> Option<&'static Cataloguer> {
        self.cataloguers.get(usize::from(index)).copied()
    }

    /// Every cataloguer, in order.
    pub fn cataloguers(&self) -> impl Iterator<Item = &'static Cataloguer> {
        self.cataloguers.iter().copied()
    }

    /// How many first bytes of a file [`Selection::by_head`] looks at.
    pub fn head_bytes(&self) -> usize {
        self.head_bytes
    }

    /// Adds the cataloguers that want a file for its path (normal form) to `chosen`, each once.
    pub fn by_path(&self, path: &[u8], chosen: &mut Vec<CataloguerIndex>) {
        let name_start = memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
        let (directory, name) = path.split_at(name_start);
        let directory = directory.strip_suffix(b"/").unwrap_or(directory);
        let indexed = bucket(path).and_then(|bucket| self.buckets.get(bucket));
        for rule in indexed.into_iter().flatten().chain(&self.anywhere) {
            if matches(rule.select, path, directory, name) && !chosen.contains(&rule.cataloguer) {
                chosen.push(rule.cataloguer);
            }
        }
    }

    /// Adds the cataloguers that want a file for its first bytes to `chosen`, each once.
    pub fn by_head(&self, head: &[u8], chosen: &mut Vec<CataloguerIndex>) {
        for (magic, cataloguer) in &self.magics {
            if head.starts_with(magic) && !chosen.contains(cataloguer) {
                chosen.push(*cataloguer);
            }
        }
    }
}

fn bucket(end: &[u8]) -> Option<usize> {
    let [.., first, second] = end else { return None };
    let (first, second) = (first.to_ascii_lowercase(), second.to_ascii_lowercase());
    Some((usize::from(first) * 33 + usize::from(second)) % BUCKETS)
}

fn matches(select: Select, path: &[u8], directory: &[u8], name: &[u8]) -> bool {
    match select {
        Select::Name(wanted) => name == wanted.as_bytes(),
        Select::Suffix(end) => ends_with_ignoring_case(name, end),
        Select::NameAround(start, end) => {
            name.len() >= start.len() + end.len()
                && name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
                && ends_with_ignoring_case(name, end)
        }
        Select::Path(wanted) => is_or_ends_with(path, wanted),
        Select::Below(wanted, end) => name.ends_with(end.as_bytes()) && is_or_ends_with(directory, wanted),
        Select::Magic(_) => false,
    }
}

fn ends_with_ignoring_case(name: &[u8], end: &str) -> bool {
    let start = name.len().checked_sub(end.len());
    start.and_then(|start| name.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

/// Whether `path` is `wanted`, or ends with `/` and `wanted`.
fn is_or_ends_with(path: &[u8], wanted: &str) -> bool {
    path.strip_suffix(wanted.as_bytes()).is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Reads;

    const fn wants(name: &'static str, selects: &'static [Select]) -> Cataloguer {
        Cataloguer { name, selects, max_bytes: 1, reads: Reads::Whole(|_, _, _| {}) }
    }

    static CATALOGUERS: [Cataloguer; 7] = [
        wants("name", &[Select::Name("Cargo.lock"), Select::Name("x")]),
        wants("suffix", &[Select::Suffix(".jar"), Select::Suffix(".WAR")]),
        wants("around", &[Select::NameAround("requirements", ".txt")]),
        wants("path", &[Select::Path("var/lib/dpkg/status")]),
        wants("below", &[Select::Below("var/lib/dpkg/status.d", ""), Select::Below("info", ".list")]),
        wants("magic", &[Select::Magic(b"\x7fELF"), Select::Magic(b"MZ")]),
        wants("both", &[Select::Name("Cargo.lock"), Select::Suffix(".lock")]),
    ];

    #[test]
    fn selects_by_each_kind_of_rule() {
        let selection = Selection::of(&CATALOGUERS);
        for (path, expected) in [
            ("a/Cargo.lock", &["name", "both"][..]),
            ("Cargo.lock", &["name", "both"]),
            ("a/cargo.lock", &["both"]),
            ("a/x", &["name"]),
            ("x/a", &[]),
            ("lib/A.JAR", &["suffix"]),
            ("lib/a.war", &["suffix"]),
            ("jar", &[]),
            ("a/Requirements-dev.TXT", &["around"]),
            ("a/requirements.txt", &["around"]),
            ("a/requirements", &[]),
            ("var/lib/dpkg/status", &["path"]),
            ("root/var/lib/dpkg/status", &["path"]),
            ("xvar/lib/dpkg/status", &[]),
            ("var/lib/dpkg/status.d/base", &["below"]),
            ("r/var/lib/dpkg/status.d/b", &["below"]),
            ("var/lib/dpkg/status.d/deep/base", &[]),
            ("info/a.list", &["below"]),
            ("xinfo/a.list", &[]),
        ] {
            let mut chosen = Vec::new();
            selection.by_path(path.as_bytes(), &mut chosen);
            let mut names: Vec<_> = chosen.iter().map(|i| selection.cataloguer(*i).unwrap().name).collect();
            names.sort_by_key(|name| CATALOGUERS.iter().position(|c| c.name == *name));
            assert_eq!(names, expected, "{path}");
        }
        let mut chosen = Vec::new();
        selection.by_head(b"\x7fELF\x02", &mut chosen);
        selection.by_head(b"\x7fEL", &mut chosen);
        assert_eq!(chosen, [5]);
        assert_eq!(selection.head_bytes(), 4);
    }
}
