//! Licence texts as the SBOM standards want them: an identifier, an expression, or a reference to the raw text.

use sha2::{Digest as _, Sha256};
use spdx::{Expression, LicenseItem, ParseMode};

/// The SPDX licence list our identifiers are taken from.
pub const LIST_VERSION: &str = spdx::identifiers::VERSION;

/// Longest part of a raw text that goes into its reference's name.
const MAX_REFERENCE: usize = 40;

/// Identifiers of our list that the list of CycloneDX 1.6 does not have; a test holds the two together.
#[rustfmt::skip]
pub const NOT_IN_CYCLONEDX: &[&str] = &[
    "ALGLIB-Documentation",
    "Advanced-Cryptics-Dictionary",
    "Artistic-dist",
    "Aspell-RU",
    "BOLA-1.1",
    "BSD-2-Clause-pkgconf-disclaimer",
    "BSD-2-Clause-pos-unchanged",
    "BSD-3-Clause-OpenWebUI",
    "BSD-3-Clause-Tso",
    "BSD-Mark-Modifications",
    "BSD-Source-Code-no-disclaimer",
    "BSD-Source-alt-GPL",
    "BSD-ask-to-endorse",
    "Brian-Gladman-3-Clause-no-conversion",
    "Buddy",
    "Bugroff",
    "CAPEC-tou",
    "CC-BY-NC-3.0-IGO",
    "CryptoSwift",
    "DocBook-DTD",
    "ESA-PL-permissive-2.4",
    "ESA-PL-strong-copyleft-2.4",
    "ESA-PL-weak-copyleft-2.4",
    "FDK-MPEG-H",
    "FSFULLRSD",
    "FSL-1.1-ALv2",
    "FSL-1.1-MIT",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
    "Game-Programming-Gems",
    "HDF5",
    "HPND-SMC",
    "HPND-sell-variant-critical-systems",
    "Hippocratic-3.0-core",
    "ISO-permission",
    "Informatica",
    "MIT-STK",
    "MMPL-1.0.1",
    "MVT-1.1",
    "NIST-PD-TNT",
    "NTIA-PD",
    "OSC-1.0",
    "OSSP",
    "OpenMDW-1.0",
    "ParaType-Free-Font-1.3",
    "SGMLUG-PM",
    "SOFA",
    "SUL-1.0",
    "TekHVC",
    "UnRAR",
    "Unlicense-libtelnet",
    "Unlicense-libwhirlpool",
    "Vixie-Cron",
    "WTFNMFPL",
    "WordNet",
    "X11-no-permit-persons",
    "atc-game",
    "hyphen-bulgarian",
    "jove",
    "libpng-1.6.35",
    "man2html",
    "ngrep",
];

/// Deprecated identifiers are still in the list, and distributions use them.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// What a declared licence is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Licence<'a> {
    /// One identifier of the SPDX list.
    Id(&'a str),
    /// A valid expression that is more than one identifier.
    Expression(&'a str),
    Raw(&'a str),
}

impl<'a> Licence<'a> {
    pub fn of(text: &'a str) -> Self {
        let text = text.trim();
        if spdx::license_id(text).is_some_and(|id| id.name == text) && !NO_LICENCE.contains(&text) {
            return Self::Id(text);
        }
        match Expression::parse_mode(text, MODE) {
            Ok(expression) if stands_alone(&expression) => Self::Expression(text),
            _ => Self::Raw(text),
        }
    }
}

/// Words that take the place of an expression and cannot be part of one.
const NO_LICENCE: [&str; 2] = ["NOASSERTION", "NONE"];

/// Whether every name in it is of the SPDX list: `LicenseRef-` names mean something only in the document that
/// defines them.
fn stands_alone(expression: &Expression) -> bool {
    expression.requirements().all(|requirement| match &requirement.req.license {
        LicenseItem::Spdx { id, .. } => !NO_LICENCE.contains(&id.name),
        LicenseItem::Other { .. } => false,
    })
}

/// The name under which an SPDX document refers to a raw text.
pub fn reference(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .take(MAX_REFERENCE)
        .collect();
    while name.contains("--") {
        name = name.replace("--", "-");
    }
    let hash = Sha256::digest(text);
    let suffix: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("LicenseRef-{}-{suffix}", name.trim_matches('-'))
}

/// All licences of a package as one SPDX expression; `NOASSERTION` when there are none.
pub fn expression(licenses: &[String]) -> String {
    let several = licenses.len() > 1;
    let terms: Vec<String> = licenses
        .iter()
        .filter(|text| !text.trim().is_empty())
        .map(|text| match Licence::of(text) {
            Licence::Id(id) => id.to_owned(),
            Licence::Expression(expression) if several => format!("({expression})"),
            Licence::Expression(expression) => expression.to_owned(),
            Licence::Raw(raw) => reference(raw),
        })
        .collect();
    if terms.is_empty() { "NOASSERTION".to_owned() } else { terms.join(" AND ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_identifiers_from_expressions_from_text() {
        for (text, expected) in [
            ("MIT", Licence::Id("MIT")),
            ("GPL-2.0", Licence::Id("GPL-2.0")),
            ("MIT OR Apache-2.0", Licence::Expression("MIT OR Apache-2.0")),
            (
                "GPL-2.0-or-later WITH Classpath-exception-2.0",
                Licence::Expression("GPL-2.0-or-later WITH Classpath-exception-2.0"),
            ),
            ("GPL-2+", Licence::Raw("GPL-2+")),
            ("NOASSERTION", Licence::Raw("NOASSERTION")),
            ("MIT AND NOASSERTION", Licence::Raw("MIT AND NOASSERTION")),
            ("LicenseRef-mine", Licence::Raw("LicenseRef-mine")),
            ("The MIT License (MIT)", Licence::Raw("The MIT License (MIT)")),
        ] {
            assert_eq!(Licence::of(text), expected);
        }
    }

    #[test]
    fn joins_what_is_declared_into_one_expression() {
        let of =
            |licenses: &[&str]| expression(&licenses.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), "NOASSERTION");
        assert_eq!(of(&["MIT OR Apache-2.0"]), "MIT OR Apache-2.0");
        assert_eq!(of(&["MIT OR Apache-2.0", "Zlib"]), "(MIT OR Apache-2.0) AND Zlib");
        let joined = of(&["Artistic or GPL-1+", "Apache-2.0"]);
        assert!(Expression::parse(&joined).is_ok(), "{joined}");
        assert!(joined.starts_with("LicenseRef-Artistic-or-GPL-1-"), "{joined}");
        assert_ne!(reference("a b"), reference("a-b"));
    }

    #[test]
    fn identifiers_cyclonedx_does_not_know_are_listed() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../tests/schemas/spdx.schema.json")).unwrap();
        let known: std::collections::BTreeSet<&str> =
            schema["enum"].as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
        let newer: Vec<&str> = spdx::identifiers::LICENSES
            .iter()
            .map(|license| license.name)
            .filter(|name| !known.contains(name) && !NO_LICENCE.contains(name))
            .collect();
        assert_eq!(newer, NOT_IN_CYCLONEDX);
    }
}
