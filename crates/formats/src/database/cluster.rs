//! Which names mean one flaw.
//!
//! Two CVEs are never one flaw, so clusters cannot run together through a careless alias list: names that are not
//! CVEs are joined by the aliases their records state, and each cluster is named by the CVEs those records state.
//! A record with several CVEs of its own speaks of each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use super::reduce::Reduced;
use crate::advisories::Problem;
use yagura_model::SkipReason;

/// Names (CVEs apart) that may join into one flaw. Real clusters have under ten.
const MAX_CLUSTER: usize = 64;
/// CVEs a record without one of its own may inherit from its cluster.
const MAX_INHERITED: usize = 16;

/// The names of every record, joined.
pub struct Clusters {
    /// Name → its number in `parents`.
    numbers: BTreeMap<String, usize>,
    parents: Vec<usize>,
    sizes: Vec<usize>,
    /// CVEs stated by the records of a cluster, by root; filled by `settle`.
    cves: BTreeMap<usize, BTreeSet<String>>,
    /// Names of a cluster, by root; filled by `settle`.
    members: BTreeMap<usize, Vec<String>>,
}

impl Clusters {
    /// Joins the names of all records that still stand.
    pub fn of<'a>(
        records: impl Iterator<Item = &'a Reduced> + Clone,
        problem: &mut dyn FnMut(&'a Reduced, Problem),
    ) -> Self {
        let mut clusters = Self {
            numbers: BTreeMap::new(),
            parents: Vec::new(),
            sizes: Vec::new(),
            cves: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        for record in records.clone() {
            let mut first = None;
            for name in record_names(record).filter(|name| !names::is_cve(name)) {
                let number = clusters.number(name);
                match first {
                    None => first = Some(number),
                    Some(first) if clusters.join(first, number) => {}
                    Some(_) => problem(
                        record,
                        Problem::new(
                            SkipReason::TooMany,
                            format!("its alias {name} would join more than {MAX_CLUSTER} names to one flaw"),
                        ),
                    ),
                }
            }
        }
        for record in records {
            let Some(root) = clusters.root_of_record(record) else { continue };
            let cves = record_names(record).filter(|name| names::is_cve(name)).map(str::to_owned);
            clusters.cves.entry(root).or_default().extend(cves);
        }
        let names: Vec<(String, usize)> = clusters.numbers.iter().map(|(n, i)| (n.clone(), *i)).collect();
        for (name, number) in names {
            let root = clusters.root(number);
            clusters.members.entry(root).or_default().push(name);
        }
        clusters
    }

    /// The flaws a record speaks of, and whether it is these flaws under another name (rather than a bulletin).
    pub fn flaws(&self, record: &Reduced) -> (Vec<String>, bool) {
        let own: BTreeSet<String> =
            record_names(record).filter(|name| names::is_cve(name)).map(str::to_owned).collect();
        let answered = record.answers.iter().flat_map(|name| self.resolve(name));
        if !record.answers.is_empty() {
            return (own.into_iter().chain(answered).collect::<BTreeSet<_>>().into_iter().collect(), false);
        }
        if own.is_empty() { (self.resolve(&record.id), true) } else { (own.into_iter().collect(), true) }
    }

    /// The names a flaw has beside its own, given a record that is the flaw under another name.
    pub fn other_names(&self, record: &Reduced) -> &[String] {
        self.root_of_record(record).and_then(|root| self.members.get(&root)).map_or(&[], Vec::as_slice)
    }

    /// The flaws behind any name.
    fn resolve(&self, name: &str) -> Vec<String> {
        if names::is_cve(name) {
            return vec![name.to_owned()];
        }
        let Some(number) = self.numbers.get(name) else { return vec![name.to_owned()] };
        let root = self.root(*number);
        let cves = self.cves.get(&root);
        if let Some(cves) = cves.filter(|cves| !cves.is_empty()) {
            return cves.iter().take(MAX_INHERITED).cloned().collect();
        }
        // The best known of its names: GitHub's where there is one, else the first by text.
        let names = self.members.get(&root).map_or(&[][..], Vec::as_slice);
        let best = names.iter().min_by_key(|name| (!name.starts_with("GHSA-"), *name));
        vec![best.map_or(name, String::as_str).to_owned()]
    }

    fn root_of_record(&self, record: &Reduced) -> Option<usize> {
        let name = record_names(record).find(|name| !names::is_cve(name))?;
        self.numbers.get(name).map(|number| self.root(*number))
    }

    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.parents.len();
        self.numbers.insert(name.to_owned(), number);
        self.parents.push(number);
        self.sizes.push(1);
        number
    }

    fn root(&self, mut number: usize) -> usize {
        // Joining by size keeps these chains at a handful of steps.
        while let Some(parent) = self.parents.get(number).filter(|parent| **parent != number) {
            number = *parent;
        }
        number
    }

    /// False when the joined cluster would be too large.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return true;
        }
        let size = self.sizes[a] + self.sizes[b];
        if size > MAX_CLUSTER {
            return false;
        }
        let (large, small) = if self.sizes[a] >= self.sizes[b] { (a, b) } else { (b, a) };
        self.parents[small] = large;
        self.sizes[large] = size;
        true
    }
}

fn record_names(record: &Reduced) -> impl Iterator<Item = &str> {
    std::iter::once(record.id.as_str()).chain(record.aliases.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, aliases: &[&str], answers: &[&str]) -> Reduced {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Reduced { id: id.into(), aliases: owned(aliases), answers: owned(answers), ..Reduced::default() }
    }

    #[test]
    fn names_of_one_flaw_meet_and_bulletins_name_many() {
        let records = [
            record("GHSA-1", &["CVE-2024-1"], &[]),
            record("GO-1", &["GHSA-1"], &[]),
            record("PYSEC-1", &["GHSA-2"], &[]),
            record("RUSTSEC-1", &[], &[]),
            record("DSA-1", &[], &["CVE-2024-1", "CVE-2024-2"]),
            record("CGA-1", &[], &["GHSA-1", "CVE-2024-1"]),
            record("DLA-7-2", &[], &[]),
            record("RUBYSEC-1", &["CVE-2024-8", "CVE-2024-9"], &[]),
        ];
        let clusters = Clusters::of(records.iter(), &mut |_, problem| panic!("{problem:?}"));
        let flaws: Vec<_> = records.iter().map(|r| clusters.flaws(r).0.join(" ")).collect();
        assert_eq!(
            flaws,
            [
                "CVE-2024-1",
                "CVE-2024-1",
                "GHSA-2",
                "RUSTSEC-1",
                "CVE-2024-1 CVE-2024-2",
                "CVE-2024-1",
                "DLA-7-2",
                "CVE-2024-8 CVE-2024-9"
            ]
        );
        assert_eq!(clusters.other_names(&records[1]), ["GHSA-1", "GO-1"]);
        assert!(clusters.flaws(&records[0]).1 && !clusters.flaws(&records[4]).1);
    }

    #[test]
    fn cycles_end_and_absurd_clusters_are_cut() {
        let cyclic = [record("A-1", &["B-1"], &[]), record("B-1", &["A-1", "B-1"], &[])];
        let clusters = Clusters::of(cyclic.iter(), &mut |_, _| panic!("a small cycle is fine"));
        assert_eq!(clusters.flaws(&cyclic[0]).0, clusters.flaws(&cyclic[1]).0);

        let chain: Vec<Reduced> =
            (0..1000).map(|i| record(&format!("X-{i}"), &[&format!("X-{}", (i + 1) % 1000)], &[])).collect();
        let mut cut = 0;
        let clusters = Clusters::of(chain.iter(), &mut |_, _| cut += 1);
        assert!(cut > 0);
        assert!(chain.iter().all(|r| clusters.other_names(r).len() <= MAX_CLUSTER));
    }
}
