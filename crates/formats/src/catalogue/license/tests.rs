use super::{normalise, normalise_all};

fn check(rows: &[(&str, &str)]) {
    for (statement, expected) in rows {
        assert_eq!(normalise(statement), *expected, "{statement}");
    }
}

#[test]
fn spdx_stays_spdx() {
    check(&[
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("(MIT OR Apache-2.0)", "MIT OR Apache-2.0"),
        ("MIT OR (Apache-2.0 AND BSD-3-Clause)", "MIT OR Apache-2.0 AND BSD-3-Clause"),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"),
        ("Apache-2.0 WITH LLVM-exception OR MIT", "Apache-2.0 WITH LLVM-exception OR MIT"),
        ("GPL-2.0-or-later AND LGPL-2.1-or-later", "GPL-2.0-or-later AND LGPL-2.1-or-later"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("MPL-2.0+", "MPL-2.0+"),
        ("LicenseRef-Fedora-Public-Domain AND MIT", "LicenseRef-Fedora-Public-Domain AND MIT"),
    ]);
}

#[test]
fn debian_short_names() {
    check(&[
        ("Expat", "MIT"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPL-3", "GPL-3.0-only"),
        ("LGPL-2.1+ and BSD-3-clause", "LGPL-2.1-or-later AND BSD-3-Clause"),
        ("GPL-2+ or Artistic", "GPL-2.0-or-later OR Artistic-1.0-Perl"),
        ("GPL-2+ or Expat, and BSD-2-clause", "(GPL-2.0-or-later OR MIT) AND BSD-2-Clause"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("GFDL-1.3+", "GFDL-1.3-or-later"),
        ("GPL-3+ with GCC exception", "GPL-3.0-or-later WITH GCC-exception-3.1"),
        ("GPL-2+ with OpenSSL exception", "LicenseRef-GPL-2.0-or-later-with-OpenSSL-exception"),
        ("public-domain", "public-domain"),
        ("public-domain and GPL-3+", "LicenseRef-public-domain AND GPL-3.0-or-later"),
        ("GPL-1+, Artistic or Expat", "GPL-1.0-or-later OR Artistic-1.0-Perl OR MIT"),
    ]);
}

#[test]
fn fedora_and_arch_names() {
    check(&[
        ("GPLv2+", "GPL-2.0-or-later"),
        ("LGPLv2+ and MIT", "LGPL-2.0-or-later AND MIT"),
        ("ASL 2.0", "Apache-2.0"),
        ("GPL+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
        (
            "BSD and GPLv3+ and GPLv3+ with exceptions",
            "LicenseRef-BSD AND GPL-3.0-or-later AND LicenseRef-GPL-3.0-or-later-with-exceptions",
        ),
        ("MPLv2.0", "MPL-2.0"),
        ("zlib and Boost", "Zlib AND BSL-1.0"),
        ("GPLv3+ and (GPLv2+ or LGPLv3+)", "GPL-3.0-or-later AND (GPL-2.0-or-later OR LGPL-3.0-or-later)"),
        ("Public Domain", "Public Domain"),
        ("GPL3", "GPL-3.0-only"),
        ("custom:PSF", "custom:PSF"),
        ("BSD", "BSD"),
        ("MIT BSD-3-Clause", "MIT AND BSD-3-Clause"),
    ]);
}

#[test]
fn language_registries() {
    check(&[
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("License :: OSI Approved :: Apache Software License", "Apache-2.0"),
        ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        (
            "License :: OSI Approved :: GNU Library or Lesser General Public License (LGPL)",
            "LGPL-2.0-or-later",
        ),
        ("License :: OSI Approved :: BSD License", "BSD License"),
        ("License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("License :: OSI Approved :: Python Software Foundation License", "PSF-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The Apache Software License, Version 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0 or MIT License", "Apache-2.0 OR MIT"),
        ("MIT License (MIT)", "MIT"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("Apache-2.0 / MIT", "Apache-2.0 OR MIT"),
        ("GNU GPL v2 or later", "GPL-2.0-or-later"),
        (
            "GNU General Public License, version 2 (GPL2), with the classpath exception",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ),
        ("GPL (>= 2)", "GPL-2.0-or-later"),
        ("GPL (>=2) | MIT + file LICENSE", "GPL-2.0-or-later OR MIT"),
        ("UNLICENSED", "UNLICENSED"),
        ("SEE LICENSE IN LICENSE.md", "SEE LICENSE IN LICENSE.md"),
        ("UNKNOWN", ""),
        ("Eclipse Public License v2.0", "EPL-2.0"),
        ("perl_5", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
        ("MIT*", "MIT"),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
        ("http://opensource.org/licenses/MIT", "MIT"),
        ("https://opensource.org/licenses/BSD-3-Clause", "BSD-3-Clause"),
        ("https://www.gnu.org/licenses/old-licenses/lgpl-2.1.html", "LGPL-2.1-only"),
        ("http://www.eclipse.org/legal/epl-v10.html", "EPL-1.0"),
    ]);
}

#[test]
fn whole_texts_and_prose_do_not_become_expressions() {
    assert_eq!(normalise("MIT License\n\nCopyright (c) 2020 Somebody and others"), "MIT");
    let prose = "You may use this and that under the conditions in the file COPYING or ask us";
    assert_eq!(normalise(prose), prose);
    assert!(normalise(&"x".repeat(5000)).len() <= 120);
    assert!(normalise(&"é".repeat(5000)).chars().count() <= 120);
    assert_eq!(normalise(&"(".repeat(1000)).len(), 120);
}

#[test]
fn repeats_are_dropped() {
    assert_eq!(normalise_all(["MIT", "Expat", "", "GPLv2"]), ["MIT", "GPL-2.0-only"]);
}

#[test]
fn every_known_name_yields_an_expression_that_parses_and_is_stable() {
    for (name, id) in super::names::ALIASES {
        assert!(spdx::Expression::parse_mode(id, super::expression::PRODUCED).is_ok(), "{name}: {id}");
    }
    for license in spdx::identifiers::LICENSES.iter().filter(|license| license.name != "NOASSERTION") {
        let once = normalise(license.name);
        assert!(spdx::Expression::parse_mode(&once, super::expression::PRODUCED).is_ok(), "{once}");
        assert_eq!(normalise(&once), once, "{}", license.name);
        if spdx::license_id(license.name).is_some_and(|id| !id.is_deprecated()) {
            assert_eq!(once, license.name);
        }
    }
}
