//! Ruby: installed gems and `Gemfile.lock`.

mod gemfile_lock;
mod gemspec;

use super::structured::{MAX_LOCKFILE, MAX_METADATA};
use super::{Cataloguer, Reads, Select};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "ruby-gemspec",
        selects: &[
            Select::Below("specifications", ".gemspec"),
            // Gems that come with Ruby itself.
            Select::Below("specifications/default", ".gemspec"),
        ],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(gemspec::read),
    },
    Cataloguer {
        name: "ruby-gemfile-lock",
        selects: &[
            Select::Name("Gemfile.lock"),
            Select::Name("gems.locked"),
            Select::Suffix(".gemfile.lock"),
        ],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(gemfile_lock::read),
    },
];
