//! Which licences a longer text grants or holds, by sentences that stand in no other licence.
//!
//! This is not a comparison of whole texts: a text may hold several licences, and each found one is named once.

/// How much of a text is looked at, in bytes.
const MAX_TEXT: usize = 512 << 10;

/// How far after "General Public License" its version is looked for, in bytes of collapsed text.
const GNU_WINDOW: usize = 220;

/// A sentence and the licence it gives away; matched in lower case with blanks collapsed.
const SENTENCES: &[(&str, &str)] = &[
    ("licensed under the apache license, version 2.0", "Apache-2.0"),
    ("apache license version 2.0, january 2004", "Apache-2.0"),
    ("terms of the mozilla public license, v. 2.0", "MPL-2.0"),
    ("mozilla public license version 2.0", "MPL-2.0"),
    ("mozilla public license version 1.1", "MPL-1.1"),
    ("without any express or implied warranty. in no event will the authors be held liable", "Zlib"),
    ("boost software license - version 1.0", "BSL-1.0"),
    ("boost software license, version 1.0", "BSL-1.0"),
    (
        "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies",
        "ISC",
    ),
    (
        "permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies",
        "ISC",
    ),
    (
        "permission to use, copy, modify, and distribute this software and its documentation for any purpose and without fee is hereby granted",
        "HPND",
    ),
    ("to deal in the data files or software without restriction", "Unicode-DFS-2016"),
    ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
    ("this is free and unencumbered software released into the public domain", "Unlicense"),
    ("sil open font license, version 1.1", "OFL-1.1"),
    ("sil open font license version 1.1", "OFL-1.1"),
    ("same terms as perl itself", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("python software foundation license version 2", "PSF-2.0"),
    ("eclipse public license - v 2.0", "EPL-2.0"),
    ("eclipse public license - v 1.0", "EPL-1.0"),
    ("eclipse public license v. 2.0", "EPL-2.0"),
    ("the universal permissive license (upl), version 1.0", "UPL-1.0"),
    ("business source license 1.1", "BUSL-1.1"),
    ("server side public license version 1", "SSPL-1.0"),
    ("elastic license 2.0", "Elastic-2.0"),
];

/// The licences that a text holds or grants, each once, in the order of our list.
pub fn of_text(text: &str) -> Vec<String> {
    let text = collapse(text);
    let has = |sentence: &str| memchr::memmem::find(text.as_bytes(), sentence.as_bytes()).is_some();
    let mut found: Vec<String> = Vec::new();
    let mut add = |id: &str| {
        if found.len() < super::MAX_LICENSES && !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    };
    if has("to any person obtaining a copy of this software and associated documentation files") {
        add(if has("except as contained in this notice, the name") { "X11" } else { "MIT" });
    }
    if has("redistributions of source code must retain") && has("redistributions in binary form must") {
        add(if has("all advertising materials mentioning") {
            "BSD-4-Clause"
        } else if has("neither the name") || has("be used to endorse or promote") {
            "BSD-3-Clause"
        } else {
            "BSD-2-Clause"
        });
    }
    for (sentence, id) in SENTENCES {
        if has(sentence) {
            add(id);
        }
    }
    for id in gnu_grants(&text) {
        add(&id);
    }
    for id in tags(&text) {
        add(&id);
    }
    found
}

/// Lower case, comment marks gone, blanks collapsed.
fn collapse(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT);
    let mut collapsed = String::with_capacity(end.min(64 << 10));
    let words = text.get(..end).unwrap_or_default().split_whitespace();
    for word in
        words.filter(|word| !word.bytes().all(|b| matches!(b, b'*' | b'#' | b'/' | b'.' | b';' | b'|')))
    {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }
    collapsed
}

/// GNU licences that are granted with a version number: "the GNU … General Public License … version 2".
fn gnu_grants(text: &str) -> Vec<String> {
    let mut grants = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), b"general public license") {
        let before = text.get(text.floor_char_boundary(at.saturating_sub(10))..at).unwrap_or_default();
        let family = if before.contains("lesser") || before.contains("library") {
            "LGPL"
        } else if before.contains("affero") {
            "AGPL"
        } else {
            "GPL"
        };
        let after_at = at + "general public license".len();
        let end = text.floor_char_boundary(after_at.saturating_add(GNU_WINDOW).min(text.len()));
        let after = text.get(after_at..end).unwrap_or_default();
        // The next mention has its own version.
        let after = after.split("general public license").next().unwrap_or_default();
        let Some((_, version)) = after.split_once("version ").or_else(|| after.split_once(" v")) else {
            continue;
        };
        let digits: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = digits.trim_end_matches('.');
        // The licence's own text says "version 2, June 1991" under its title; that is no grant of "only".
        let later =
            after.contains("any later version") || after.contains("or later") || after.contains("or newer");
        if let Some(id) =
            super::names::identify(&format!("{family}-{number}{}", if later { "+" } else { "" }))
            && !number.is_empty()
            && !grants.contains(&id)
        {
            grants.push(id);
        }
    }
    // A text that grants "or later" often also holds the licence itself, which would read as "only".
    let granted_later: Vec<String> = grants
        .iter()
        .filter_map(|id| id.strip_suffix("-or-later"))
        .map(|base| format!("{base}-only"))
        .collect();
    grants.retain(|id| !granted_later.contains(id));
    grants
}

/// `SPDX-License-Identifier:` tags; the identifiers come out of lower case again by being looked up.
fn tags(text: &str) -> Vec<String> {
    memchr::memmem::find_iter(text.as_bytes(), b"spdx-license-identifier:")
        .filter_map(|at| {
            let statement = text.get(at..)?.split_once(':')?.1.trim_start();
            let first = statement.split(' ').next()?;
            super::to_expression(first)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[test]
    fn sentences_name_their_licence() {
        for (text, expected) in [
            (
                "Permission is hereby granted, free of charge, to any person obtaining\n a copy of this software and associated\n documentation files (the",
                "MIT",
            ),
            (
                "Redistributions of source code must retain x. Redistributions in binary form must y.",
                "BSD-2-Clause",
            ),
            (
                "* Redistributions of source code must retain\n* Redistributions in binary form must\n* Neither the name of",
                "BSD-3-Clause",
            ),
            (
                "under the terms of the GNU General Public License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any later version.",
                "GPL-2.0-or-later",
            ),
            ("GNU Lesser General Public License version 2.1 as published", "LGPL-2.1-only"),
            ("// SPDX-License-Identifier: bsd-3-clause\n", "BSD-3-Clause"),
            ("Licensed under the Apache License,\n# Version 2.0 (the \"License\")", "Apache-2.0"),
        ] {
            assert_eq!(of_text(text), [expected], "{text}");
        }
        assert_eq!(of_text("All rights reserved. See the general public license."), Vec::<String>::new());
    }

    #[test]
    fn a_grant_outweighs_the_text_it_grants() {
        let text = "GNU General Public License; either version 3, or (at your option) any later version. \
                    GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007";
        assert_eq!(of_text(text), ["GPL-3.0-or-later"]);
    }
}
