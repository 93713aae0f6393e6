//! What containers really used: which files were executed, mapped or opened, what listened where, who was connected.
//!
//! Ranking reads it: a vulnerable package none of whose files was ever executed or mapped weighs less than one that
//! answers on a port. A profile is small: counts and times, no single events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The version of the encoding; readers refuse a later one.
pub const PROFILE_VERSION: u32 = 1;

/// What was seen in one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub version: u32,
    /// Name of the machine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Nanoseconds since 1970 of the first and the last event.
    pub from: u64,
    pub until: u64,
    pub events: u64,
    /// Events that were lost before they could be looked at; with any, absence proves little.
    #[serde(default)]
    pub lost_events: u64,
    /// By container id; `host` is everything outside of containers.
    pub subjects: BTreeMap<String, Subject>,
    /// Facts left out because there were too many.
    #[serde(default)]
    pub omitted: u64,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            version: PROFILE_VERSION,
            host: String::new(),
            from: 0,
            until: 0,
            events: 0,
            lost_events: 0,
            subjects: BTreeMap::new(),
            omitted: 0,
        }
    }
}

/// A container, or the host outside of any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subject {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The image as the runtime names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// `sha256:…` of the image's manifest or configuration, as the runtime told it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image_digest: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pod: String,
    /// By path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileUse>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listens: Vec<Endpoint>,
    /// Connections that were made from here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connects: Vec<Endpoint>,
    /// Local ends at which connections arrived.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<Endpoint>,
}

/// How often a file was used, how, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileUse {
    /// Executed, or running when the stretch began.
    #[serde(skip_serializing_if = "is_zero")]
    pub executed: u64,
    /// Mapped so that its code can run: libraries.
    #[serde(skip_serializing_if = "is_zero")]
    pub mapped: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub read: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub written: u64,
    /// Nanoseconds since 1970.
    pub first: u64,
    pub last: u64,
    /// Paths of the programs that did, the first [`MAX_PROGRAMS`] of them; the file itself where it was executed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub programs: BTreeSet<String>,
}

/// Programs kept of one file.
pub const MAX_PROGRAMS: usize = 8;

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// One end of connections, and the program that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// `tcp`, `udp` or another protocol.
    pub protocol: String,
    pub address: String,
    pub port: u16,
    /// Path of the executable.
    pub program: String,
    /// How often; 0 for what was there when the stretch began.
    #[serde(default)]
    pub count: u64,
}

impl Subject {
    /// Whether a file was executed or its code mapped.
    pub fn runs(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|used| used.executed + used.mapped > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_survives_its_encoding() {
        let mut subject = Subject { image_digest: "sha256:ab".into(), ..Subject::default() };
        subject
            .files
            .insert("/usr/bin/id".into(), FileUse { executed: 2, first: 1, last: 5, ..FileUse::default() });
        subject.listens.push(Endpoint {
            protocol: "tcp".into(),
            address: "0.0.0.0".into(),
            port: 80,
            program: "/usr/sbin/nginx".into(),
            count: 1,
        });
        let mut profile = Profile { events: 9, ..Profile::default() };
        profile.subjects.insert("0123456789ab".into(), subject);
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
        assert!(!text.contains("mapped"), "what did not happen takes no room: {text}");
        assert!(profile.subjects["0123456789ab"].runs("/usr/bin/id"));
    }
}
