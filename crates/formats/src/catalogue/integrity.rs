//! Digests as Subresource Integrity writes them: `sha512-<base64>`, several parted by blanks (W3C SRI, section 3.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yagura_model::Digest;
use yagura_model::digest::Algorithm;

/// The digests of an integrity value; what is not one is left out.
pub(super) fn digests(integrity: &str) -> Vec<Digest> {
    integrity
        .split_ascii_whitespace()
        .filter_map(|value| {
            let (algorithm, encoded) = value.split_once('-')?;
            let algorithm = match algorithm {
                "sha512" => Algorithm::Sha512,
                "sha384" => Algorithm::Sha384,
                "sha256" => Algorithm::Sha256,
                "sha1" => Algorithm::Sha1,
                "md5" => Algorithm::Md5,
                _ => return None,
            };
            digest(algorithm, encoded.split('?').next()?)
        })
        .collect()
}

/// A digest from its base64 text.
pub(super) fn digest(algorithm: Algorithm, encoded: &str) -> Option<Digest> {
    Digest::from_bytes(algorithm, &STANDARD.decode(encoded).ok()?)
}

#[cfg(test)]
mod tests {
    use super::digests;

    #[test]
    fn several_values_and_options() {
        let found = digests(
            "sha1-C/vXUfNNaLcRyL8guClWyv0RFgU= sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=?x junk-1",
        );
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "sha1:0bfbd751f34d68b711c8bf20b82956cafd111605",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            ]
        );
    }
}
