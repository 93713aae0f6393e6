//! Runtime profiles as files: those that were asked for, and those that lie in a stack.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use yagura_assess::profiles::Observed;
use yagura_model::profile::{PROFILE_VERSION, Profile};

/// Largest profile, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Reads a profile that was asked for.
pub fn read(path: &Path) -> Result<Observed> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("--profile {name}"))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("--profile {name}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("--profile {name}: larger than {} MiB, the bound for a profile", MAX_BYTES >> 20);
    }
    let profile = parse(&bytes).with_context(|| {
        format!("--profile {name}: `yagura watch --profile` and `yagura replay --profile` write profiles")
    })?;
    Ok(Observed { name, profile })
}

/// Whether a JSON file of a stack is a profile, by the keys that every profile has.
pub fn is_profile(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let holds = |word: &[u8]| head.windows(word.len()).any(|there| there == word);
    holds(b"\"lostEvents\"") && holds(b"\"events\"") && holds(b"\"subjects\"")
}

/// A profile out of its bytes.
pub fn parse(bytes: &[u8]) -> Result<Profile> {
    let profile: Profile = serde_json::from_slice(bytes)?;
    ensure!(
        profile.version <= PROFILE_VERSION,
        "version {} of profiles is newer than this program, which reads {PROFILE_VERSION}",
        profile.version
    );
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::{is_profile, parse};

    #[test]
    fn profiles_are_known_by_their_keys_and_their_version() {
        let text = br#"{"version":1,"from":1,"until":2,"events":3,"lostEvents":0,"subjects":{"host":{}}}"#;
        assert!(is_profile(text) && parse(text).is_ok());
        assert!(!is_profile(br#"{"kind":"List","items":[]}"#));
        let later = br#"{"version":9,"from":1,"until":2,"events":3,"lostEvents":0,"subjects":{}}"#;
        assert!(parse(later).unwrap_err().to_string().contains("newer"));
    }
}
