//! Haskell: `cabal.project.freeze`, cabal's `plan.json`, `stack.yaml.lock` and the `extra-deps` of `stack.yaml`.

mod cabal;
mod stack;

use super::structured::{MAX_LOCKFILE, MAX_METADATA};
use super::{Cataloguer, Reads, Select};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "haskell-cabal-freeze",
        selects: &[Select::Name("cabal.project.freeze")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(cabal::read_freeze),
    },
    Cataloguer {
        name: "haskell-cabal-plan",
        selects: &[Select::Path("cache/plan.json")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(cabal::read_plan),
    },
    Cataloguer {
        name: "haskell-stack",
        selects: &[Select::Name("stack.yaml.lock"), Select::Name("stack.yaml")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(stack::read),
    },
];
