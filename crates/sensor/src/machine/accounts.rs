//! Users and groups: passwd(5), group(5).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use yagura_events::scap::{Group, Item, User};

/// Bytes of a file of accounts.
const MAX_BYTES: u64 = 16 << 20;

pub fn describe(etc: &Path, each: &mut dyn FnMut(Item<'_>)) {
    for line in text(&etc.join("passwd")).lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(uid)) = (fields.next(), fields.nth(1).and_then(|uid| uid.parse().ok())) else {
            continue;
        };
        let gid = fields.next().and_then(|gid| gid.parse().ok()).unwrap_or_default();
        let home = fields.nth(1).unwrap_or_default().to_owned();
        let shell = fields.next().unwrap_or_default().to_owned();
        each(Item::User(User { uid, gid, name: name.to_owned(), home, shell }));
    }
    for line in text(&etc.join("group")).lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(gid)) = (fields.next(), fields.nth(1).and_then(|gid| gid.parse().ok())) else {
            continue;
        };
        each(Item::Group(Group { gid, name: name.to_owned() }));
    }
}

fn text(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
