//! Names of single licences and exceptions, and the SPDX identifiers they mean.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::key;

/// Names that neither the identifiers nor the full names of the SPDX list cover.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("Expat", "MIT"),
    ("Expat MIT", "MIT"),
    ("MIT/X11", "MIT"),
    ("X11/MIT", "MIT"),
    ("MIT Expat", "MIT"),
    ("MIT/Expat", "MIT"),
    ("OSI Approved MIT", "MIT"),
    ("MIT No Attribution", "MIT-0"),
    ("MIT with advertising", "MIT-advertising"),
    ("ISC License (ISCL)", "ISC"),
    ("ISCL", "ISC"),
    ("Apache", "Apache-2.0"),
    ("ASL", "Apache-2.0"),
    ("ASF", "Apache-2.0"),
    ("ASL 1.0", "Apache-1.0"),
    ("ASL 1.1", "Apache-1.1"),
    ("ASL 2.0", "Apache-2.0"),
    ("AL 2.0", "Apache-2.0"),
    ("Apache Public License 2.0", "Apache-2.0"),
    ("Apache Foundation 2.0", "Apache-2.0"),
    ("Apache Software Foundation License 2.0", "Apache-2.0"),
    ("Apache 2 License", "Apache-2.0"),
    ("BSD 2", "BSD-2-Clause"),
    ("2-clause BSD", "BSD-2-Clause"),
    ("BSD two clause", "BSD-2-Clause"),
    ("Simplified BSD", "BSD-2-Clause"),
    ("BSD Simplified", "BSD-2-Clause"),
    ("FreeBSD", "BSD-2-Clause"),
    ("BSD-2-Clause-FreeBSD", "BSD-2-Clause"),
    ("BSD 3", "BSD-3-Clause"),
    ("3-clause BSD", "BSD-3-Clause"),
    ("BSD three clause", "BSD-3-Clause"),
    ("New BSD", "BSD-3-Clause"),
    ("BSD New", "BSD-3-Clause"),
    ("Modified BSD", "BSD-3-Clause"),
    ("BSD Modified", "BSD-3-Clause"),
    ("Revised BSD", "BSD-3-Clause"),
    ("BSD Revised", "BSD-3-Clause"),
    ("BSD 3-clause New or Revised", "BSD-3-Clause"),
    ("EDL 1.0", "BSD-3-Clause"),
    ("Eclipse Distribution License 1.0", "BSD-3-Clause"),
    ("BSD 4", "BSD-4-Clause"),
    ("4-clause BSD", "BSD-4-Clause"),
    ("Original BSD", "BSD-4-Clause"),
    ("BSD with advertising", "BSD-4-Clause"),
    ("BSD with attribution", "BSD-3-Clause-Attribution"),
    ("Zero-Clause BSD", "0BSD"),
    ("BSD Zero Clause", "0BSD"),
    ("Boost", "BSL-1.0"),
    ("Boost 1.0", "BSL-1.0"),
    ("MPL", "MPL-2.0"),
    ("Mozilla Public 1.0", "MPL-1.0"),
    ("Mozilla Public 1.1", "MPL-1.1"),
    ("Mozilla Public 2.0", "MPL-2.0"),
    ("MPL 1.0", "MPL-1.0"),
    ("EPL", "EPL-1.0"),
    ("Eclipse 1.0", "EPL-1.0"),
    ("Eclipse 2.0", "EPL-2.0"),
    ("Eclipse Public", "EPL-1.0"),
    ("CDDL", "CDDL-1.0"),
    ("CPL", "CPL-1.0"),
    ("Artistic", "Artistic-1.0-Perl"),
    ("Artistic 1", "Artistic-1.0-Perl"),
    ("Artistic 2", "Artistic-2.0"),
    ("Artistic clarified", "ClArtistic"),
    ("artistic_2", "Artistic-2.0"),
    ("PSF", "PSF-2.0"),
    ("PSFL", "PSF-2.0"),
    ("Python", "Python-2.0"),
    ("Python Software Foundation", "PSF-2.0"),
    ("Python Software Foundation License 2", "PSF-2.0"),
    ("Public Domain CC0", "CC0-1.0"),
    ("CC0", "CC0-1.0"),
    ("CC0 1.0 Universal", "CC0-1.0"),
    ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
    ("Public Domain, per Creative Commons CC0", "CC0-1.0"),
    ("CC-BY-SA 3.0", "CC-BY-SA-3.0"),
    ("Creative Commons Attribution 3.0", "CC-BY-3.0"),
    ("Creative Commons Attribution 4.0", "CC-BY-4.0"),
    ("Creative Commons Attribution-ShareAlike 4.0", "CC-BY-SA-4.0"),
    ("zlib/libpng", "Zlib"),
    ("zlib-libpng", "Zlib"),
    ("zlib with acknowledgement", "zlib-acknowledgement"),
    ("LibPNG", "Libpng"),
    ("The Unlicense (Unlicense)", "Unlicense"),
    ("The Unlicense", "Unlicense"),
    ("WTFPL 2", "WTFPL"),
    ("Do What The F*ck You Want To Public License", "WTFPL"),
    ("UoI-NCSA", "NCSA"),
    ("University of Illinois/NCSA Open Source", "NCSA"),
    ("UCD", "Unicode-DFS-2016"),
    ("Unicode", "Unicode-DFS-2016"),
    ("ZPL", "ZPL-2.1"),
    ("Zope Public", "ZPL-2.1"),
    ("OFL", "OFL-1.1"),
    ("SIL OFL 1.1", "OFL-1.1"),
    ("SIL Open Font License", "OFL-1.1"),
    ("SIL OFL", "OFL-1.1"),
    ("AFL", "AFL-3.0"),
    ("Academic Free (AFL)", "AFL-3.0"),
    ("AFL 2.1", "AFL-2.1"),
    ("PHP", "PHP-3.01"),
    ("PHP 3", "PHP-3.0"),
    ("Ruby", "Ruby"),
    ("PostgreSQL License (PostgreSQL)", "PostgreSQL"),
    ("OpenLDAP", "OLDAP-2.8"),
    ("TCL/TK", "TCL"),
    ("bzip2", "bzip2-1.0.6"),
    ("BZIP", "bzip2-1.0.6"),
    ("SSLeay", "SSLeay-standalone"),
    ("EUPL 1.2", "EUPL-1.2"),
    ("European Union Public Licence 1.1 (EUPL 1.1)", "EUPL-1.1"),
    ("European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"),
    ("European Union Public 1.2", "EUPL-1.2"),
    ("LPPL", "LPPL-1.3c"),
    ("LPPL 1.3", "LPPL-1.3c"),
    ("SIL", "OFL-1.1"),
    ("Beer-ware", "Beerware"),
    ("Historical Permission Notice and Disclaimer (HPND)", "HPND"),
    ("University of Illinois NCSA", "NCSA"),
    ("Sleepycat", "Sleepycat"),
    ("Bouncy Castle", "MIT"),
    ("Business Source 1.1", "BUSL-1.1"),
    ("BSL 1.1", "BUSL-1.1"),
    ("Elastic 2.0", "Elastic-2.0"),
    ("Server Side Public", "SSPL-1.0"),
    ("SSPL", "SSPL-1.0"),
    ("Universal Permissive 1.0", "UPL-1.0"),
    ("UPL", "UPL-1.0"),
    ("Oracle UPL 1.0", "UPL-1.0"),
    ("Microsoft Public", "MS-PL"),
    ("Mulan PSL 2", "MulanPSL-2.0"),
    ("Blue Oak 1.0.0", "BlueOak-1.0.0"),
    ("wxWidgets", "wxWindows"),
    ("wxWidgets Library Licence", "wxWindows"),
    ("MirOS", "MirOS"),
    ("Info-ZIP", "Info-ZIP"),
    ("perl_5", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("Perl", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("Perl 5", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("same as Perl", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("Ruby-License", "Ruby"),
    ("GPL2 w/ CPE", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("GPL2 with classpath", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("GPL with classpath exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("CDDL+GPL", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
    ("CDDL/GPLv2+CE", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
    ("CDDL + GPLv2 with classpath exception", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
    ("Dual License: CDDL and GPL", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
];

/// Families of the GNU licences by the key their names begin with, the longest of a kind first.
const GNU_FAMILIES: &[(&str, &str)] = &[
    ("gnulibraryorlessergeneralpubliclgpl", "LGPL"),
    ("gnulibraryorlessergeneralpublic", "LGPL"),
    ("gnulessergeneralpubliclibrary", "LGPL"),
    ("gnulessergeneralpublic", "LGPL"),
    ("gnulesserpublic", "LGPL"),
    ("gnulibrarygeneralpublic", "LGPL"),
    ("gnulibrarypublic", "LGPL"),
    ("gnulesser", "LGPL"),
    ("lessergeneralpublic", "LGPL"),
    ("librarygeneralpublic", "LGPL"),
    ("gnulgpl", "LGPL"),
    ("lgpl", "LGPL"),
    ("gnuafferogeneralpublic", "AGPL"),
    ("afferogeneralpublic", "AGPL"),
    ("afferogpl", "AGPL"),
    ("gnuaffero", "AGPL"),
    ("gnuagpl", "AGPL"),
    ("agpl", "AGPL"),
    ("gnufreedocumentation", "GFDL"),
    ("gnufdl", "GFDL"),
    ("gfdl", "GFDL"),
    ("fdl", "GFDL"),
    ("gnugeneralpublic", "GPL"),
    ("generalpublic", "GPL"),
    ("gnupublic", "GPL"),
    ("gnugpl", "GPL"),
    ("gpl", "GPL"),
];

/// What SPDX lists as an exception under another spelling.
const EXCEPTION_ALIASES: &[(&str, &str)] = &[
    ("Classpath exception", "Classpath-exception-2.0"),
    ("CPE", "Classpath-exception-2.0"),
    ("GNU Classpath exception", "Classpath-exception-2.0"),
    ("GCC runtime library exception", "GCC-exception-3.1"),
    ("GCC Runtime Library exception 3.1", "GCC-exception-3.1"),
    ("GCC exception", "GCC-exception-3.1"),
    ("Bison exception", "Bison-exception-2.2"),
    ("Font exception", "Font-exception-2.0"),
    ("Libtool exception", "Libtool-exception"),
    ("LLVM exception", "LLVM-exception"),
    ("LLVM exceptions", "LLVM-exception"),
    ("Linux syscall note", "Linux-syscall-note"),
    ("Linux syscall note exception", "Linux-syscall-note"),
    ("Autoconf exception", "Autoconf-exception-generic"),
    ("Autoconf data exception", "Autoconf-exception-generic"),
    ("Bison 2.2 exception", "Bison-exception-2.2"),
    ("OCaml LGPL linking exception", "OCaml-LGPL-linking-exception"),
    ("Qt LGPL exception 1.1", "Qt-LGPL-exception-1.1"),
    ("Texinfo exception", "Texinfo-exception"),
    ("SANE exception", "SANE-exception"),
];

/// Statements that are not statements.
const NOTHING: &[&str] = &[
    "unknown",
    "none",
    "null",
    "n/a",
    "-",
    "noassertion",
    "other",
    "osi approved",
    "custom",
    "dual license",
    "see license",
    "license",
];

static LICENSES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut by_key = HashMap::with_capacity(2048);
    // Full names first, so that aliases and identifiers win where keys meet.
    let listed = || spdx::identifiers::LICENSES.iter().filter(|license| license.name != "NOASSERTION");
    for license in listed() {
        by_key.insert(key::of(license.full_name), license.name);
    }
    for (name, id) in ALIASES {
        by_key.insert(key::of(name), *id);
    }
    for license in listed() {
        // `BSD-2-Clause-FreeBSD` and the like have successors, which the aliases name.
        if spdx::license_id(license.name).is_some_and(spdx::LicenseId::is_deprecated) {
            by_key.entry(key::of(license.name)).or_insert(license.name);
        } else {
            by_key.insert(key::of(license.name), license.name);
        }
    }
    by_key
});

static EXCEPTIONS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let aliases = EXCEPTION_ALIASES.iter().copied();
    let listed = spdx::identifiers::EXCEPTIONS.iter().map(|exception| (exception.name, exception.name));
    aliases.chain(listed).map(|(name, id)| (key::of(name), id)).collect()
});

/// The SPDX identifier (for a few names: expression) of a single licence's name.
pub(super) fn identify(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches(['*', ',', ';', ':']);
    if name.contains(['>', '|', '\n']) {
        return None;
    }
    let listed = spdx::license_id(name).filter(|id| id.name == name && !id.is_deprecated());
    if let Some(id) = listed.filter(|id| id.name != "NOASSERTION") {
        return Some(id.name.to_owned());
    }
    if let Some(id) = identify_key(&key::of(name)) {
        return Some(id);
    }
    // `GNU General Public License v3 (GPLv3)`: either half will do, the shorter is the more telling.
    let (outside, inside) = name.strip_suffix(')')?.rsplit_once('(')?;
    if outside.trim().is_empty() {
        return None;
    }
    identify_key(&key::of(inside)).or_else(|| identify_key(&key::of(outside)))
}

fn identify_key(key: &str) -> Option<String> {
    if let Some(id) = gnu(key) {
        return Some(id);
    }
    if let Some(id) = LICENSES.get(key) {
        return Some((*id).to_owned());
    }
    let base = key.strip_suffix('+').or_else(|| key.strip_suffix("orlater"))?;
    let id = LICENSES.get(base).filter(|id| !id.contains(' '))?;
    Some(format!("{id}+"))
}

/// GNU licences: a family, a version, and whether later versions will do. Without a version any will do (GPL,
/// section 14: "you may choose any version ever published").
fn gnu(key: &str) -> Option<String> {
    let (family, rest) =
        GNU_FAMILIES.iter().find_map(|(prefix, family)| Some((*family, key.strip_prefix(prefix)?)))?;
    // `GFDL-NIV-1.3+` (Debian) and `GFDL-1.3-no-invariants-or-later` (SPDX).
    let without_invariants =
        |text| ["noinvariants", "niv"].iter().find_map(|word| str::strip_prefix(text, word));
    let (before, rest) = without_invariants(rest).map_or((false, rest), |rest| (true, rest));
    let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    let (version, suffix) = rest.split_at(digits);
    let (after, suffix) = without_invariants(suffix).map_or((false, suffix), |suffix| (true, suffix));
    let later = match suffix {
        "" | "only" => false,
        "+" | "plus" | "orlater" | "ornewer" | "orgreater" | "orabove" | "oranylater" | "orhigher" => true,
        _ => return None,
    };
    let (version, later) = match (family, version) {
        ("GPL", "1" | "2" | "3") | ("LGPL", "2" | "3") | ("AGPL", "1" | "3") => {
            (format!("{version}.0"), later)
        }
        ("LGPL", "2.1") | ("GFDL", "1.1" | "1.2" | "1.3") => (version.to_owned(), later),
        ("GPL", "") => ("1.0".to_owned(), true),
        ("LGPL", "") => ("2.0".to_owned(), true),
        ("AGPL", "") => ("3.0".to_owned(), later),
        ("GFDL", "") => ("1.1".to_owned(), true),
        _ => return None,
    };
    let kind = if before || after { "-no-invariants" } else { "" };
    let id = format!("{family}-{version}{kind}-{}", if later { "or-later" } else { "only" });
    spdx::license_id(&id).map(|id| id.name.to_owned())
}

/// The SPDX identifier of an exception's name.
pub(super) fn identify_exception(name: &str) -> Option<&'static str> {
    EXCEPTIONS.get(&key::of(name)).copied()
}

/// Whether the text stands where a licence should but names none.
pub(super) fn says_nothing(text: &str) -> bool {
    NOTHING.iter().any(|nothing| text.eq_ignore_ascii_case(nothing))
}

/// Licence pages that do not end in the licence's name.
const PAGES: &[(&str, &str)] = &[
    ("unlicense.org", "Unlicense"),
    ("wtfpl.net", "WTFPL"),
    ("wtfpl.net/about", "WTFPL"),
    ("json.org/license", "JSON"),
    ("bouncycastle.org/licence", "MIT"),
    ("scripts.sil.org/ofl", "OFL-1.1"),
    ("gnu.org/software/classpath/license", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
    ("eclipse.org/org/documents/edl-v10", "BSD-3-Clause"),
    ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
    ("creativecommons.org/licenses/by/3.0", "CC-BY-3.0"),
    ("creativecommons.org/licenses/by/4.0", "CC-BY-4.0"),
    ("creativecommons.org/licenses/by-sa/3.0", "CC-BY-SA-3.0"),
    ("creativecommons.org/licenses/by-sa/4.0", "CC-BY-SA-4.0"),
    ("apache.org/licenses", "Apache-2.0"),
    ("apache.org/licenses/license-2.0", "Apache-2.0"),
    ("mozilla.org/mpl/2.0", "MPL-2.0"),
    ("mozilla.org/en-us/mpl/2.0", "MPL-2.0"),
    ("mozilla.org/mpl/mpl-1.1", "MPL-1.1"),
    ("opensource.org/licenses/bsd-license", "BSD-2-Clause"),
    ("opensource.org/licenses/mit-license", "MIT"),
    ("glassfish.dev.java.net/public/cddl+gpl_1_1", "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0"),
    ("eclipse.org/legal/epl-v10", "EPL-1.0"),
    ("eclipse.org/legal/epl-v20", "EPL-2.0"),
    ("eclipse.org/legal/epl-2.0", "EPL-2.0"),
];

/// The SPDX identifier behind a licence's URL.
pub(super) fn of_url(url: &str) -> Option<String> {
    let url = url.trim().to_ascii_lowercase();
    let page = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if page.contains(char::is_whitespace) {
        return None;
    }
    let page = page.strip_prefix("www.").unwrap_or(page).trim_end_matches('/');
    let page = [".txt", ".html", ".htm", ".php", ".md"]
        .iter()
        .find_map(|suffix| page.strip_suffix(suffix))
        .unwrap_or(page);
    if let Some((_, id)) = PAGES.iter().find(|(known, _)| *known == page) {
        return Some((*id).to_owned());
    }
    let (directory, name) = page.rsplit_once('/')?;
    let names_licenses = ["license", "copyleft", "legal"].iter().any(|word| directory.contains(word));
    if names_licenses { identify(name) } else { None }
}
