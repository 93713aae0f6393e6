//! The spelling of a licence name with all that does not distinguish it taken away.

/// Words that say "licence" in other words.
const NOISE: &[&str] = &[
    "the",
    "a",
    "license",
    "licence",
    "licenses",
    "licences",
    "licensed",
    "licensing",
    "under",
    "version",
    "ver",
    "v",
    "software",
    "of",
    "terms",
    "is",
];

/// Lower case letters and digits of the telling words run together; versions without `v` and trailing `.0`; a
/// trailing `+` kept: `The Apache Software License, Version 2.0` and `apache-2.0` are both `apache2`.
pub(super) fn of(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for word in name.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '+')) {
        let word = word.to_lowercase();
        if NOISE.contains(&word.as_str()) {
            continue;
        }
        push_word(&mut key, &word);
    }
    key
}

/// Appends letters and the canonical form of each number in `word`.
fn push_word(key: &mut String, word: &str) {
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest
            .find(|c: char| (c.is_ascii_digit() || (is_number && c == '.')) != is_number)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        if is_number {
            let mut number = part.trim_end_matches('.');
            while let Some(shorter) = number.strip_suffix(".0") {
                number = shorter;
            }
            key.push_str(number);
        } else {
            // `gplv2`, `v3.0`: the v only announces the number.
            let letters = if after.is_empty() { part } else { part.strip_suffix('v').unwrap_or(part) };
            key.extend(letters.chars().filter(|c| c.is_alphanumeric() || *c == '+'));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn spellings_meet() {
        for (name, key) in [
            ("The Apache Software License, Version 2.0", "apache2"),
            ("Apache-2.0", "apache2"),
            ("GPLv2+", "gpl2+"),
            ("GPL-2.0+", "gpl2+"),
            ("LGPL v2.1", "lgpl2.1"),
            ("MPLv1.1", "mpl1.1"),
            ("BSD 3-Clause License", "bsd3clause"),
            ("zlib/libpng", "zliblibpng"),
            ("v", ""),
        ] {
            assert_eq!(of(name), key, "{name}");
        }
    }
}
