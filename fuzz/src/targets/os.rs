//! Operating-system inventory: package databases, os-release, licence statements.

use yagura_formats::catalogue::license;

use crate::Target;

pub(super) const TARGETS: &[Target] =
    &[Target { name: "catalogue/license", seeds: licenses, run: normalise }];

fn licenses() -> Vec<Vec<u8>> {
    [
        "GPL-2+ or (MIT and Apache-2.0 with LLVM-exception), and BSD",
        "GNU General Public License v3 or later (GPLv3+)",
        "GPL (>= 2) | MIT + file LICENSE",
        "https://www.apache.org/licenses/LICENSE-2.0.txt",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn normalise(bytes: &[u8]) {
    let statement = String::from_utf8_lossy(bytes);
    let once = license::normalise(&statement);
    if license::to_expression(&statement).is_some() {
        assert_eq!(license::normalise(&once), once, "an expression reads as itself");
    }
}
