use std::time::Duration;

use super::*;
use crate::hash::sha256;

fn digests(names: &[&str]) -> Vec<Digest> {
    names.iter().map(|name| sha256(name.as_bytes())).collect()
}

#[test]
fn facts_come_back_whole_or_not_at_all() {
    let scratch = tempfile::tempdir().unwrap();
    let cache = Cache::open(scratch.path()).unwrap();
    assert_eq!(cache.facts("layer"), None);
    cache.keep_facts("layer", b"facts").unwrap();
    cache.keep_facts("../../other", b"").unwrap();
    assert_eq!(cache.facts("layer").as_deref(), Some(&b"facts"[..]));
    assert_eq!(cache.facts("../../other").as_deref(), Some(&b""[..]));
    let reopened = Cache::open(scratch.path()).unwrap();
    assert_eq!(reopened.facts("layer").as_deref(), Some(&b"facts"[..]));

    let name = sha256(b"layer");
    let path = scratch.path().join("facts").join(&name.hex()[..2]).join(name.hex());
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(cache.facts("layer"), None);
}

#[test]
fn a_base_is_an_image_seen_before_that_is_a_strict_prefix() {
    let scratch = tempfile::tempdir().unwrap();
    let cache = Cache::open(scratch.path()).unwrap();
    cache.remember_image("base:1", &digests(&["a"])).unwrap();
    cache.remember_image("base:2", &digests(&["a", "b"])).unwrap();
    cache.remember_image("app:1", &digests(&["a", "b", "c"])).unwrap();

    let base = |names: &[&str]| cache.base_of(&digests(names)).map(|known| known.reference);
    assert_eq!(base(&["a", "b", "c"]).as_deref(), Some("base:2"));
    assert_eq!(base(&["a", "b", "c", "d"]).as_deref(), Some("app:1"));
    assert_eq!(base(&["a", "x"]).as_deref(), Some("base:1"));
    assert_eq!(base(&["a"]), None);
    assert_eq!(base(&["b", "a"]), None);
    assert_eq!(base(&[]), None);
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let scratch = tempfile::tempdir().unwrap();
    let cache = Cache::open(scratch.path()).unwrap();
    let now = SystemTime::now();
    for (name, hours) in [("old", 5), ("older", 9), ("new", 0)] {
        let bytes = vec![b'x'; 100_000];
        let digest = sha256(name.as_bytes());
        cache.put_blob(&digest, &bytes).unwrap();
        let file = File::options().append(true).open(cache.blob_path(&digest)).unwrap();
        file.set_modified(now - Duration::from_secs(hours * 3600)).unwrap();
    }
    let here = |name: &str| cache.has_blob(&sha256(name.as_bytes()), 100_000);
    assert_eq!(cache.evict(400_000).unwrap(), 0);
    assert_eq!(cache.evict(250_000).unwrap(), 100_000);
    assert!(!cache.blob_path(&sha256(b"older")).exists());
    // Asking for a blob makes it recent, and what is recent stays even over the bound.
    assert!(here("old") && here("new"));
    assert_eq!(cache.evict(0).unwrap(), 0);
    assert_eq!(cache.evict_at(0, now + Duration::from_secs(3600)).unwrap(), 200_000);
}
