//! Elixir and Erlang: `mix.lock`, `rebar.lock`, and the applications of releases and of OTP itself. All three are
//! Erlang or Elixir terms; they are read for the few shapes their tools write.

mod mix_lock;
mod otp_application;
mod rebar_lock;
mod term;

use super::structured::{MAX_LOCKFILE, MAX_METADATA};
use super::{Cataloguer, Reads, Select};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "elixir-mix-lock",
        selects: &[Select::Name("mix.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(mix_lock::read),
    },
    Cataloguer {
        name: "erlang-rebar-lock",
        selects: &[Select::Name("rebar.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(rebar_lock::read),
    },
    Cataloguer {
        name: "erlang-otp-application",
        selects: &[Select::Below("ebin", ".app")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(otp_application::read),
    },
];
