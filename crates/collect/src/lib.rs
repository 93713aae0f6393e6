//! The outside world to bytes: image layouts and archives, registries, runtime sockets, hosts and feeds.
//!
//! This crate decides nothing about content: it finds what was asked for, checks that the bytes are those their
//! digests name, and hands them out as streams. It must not know packages, advisories or findings. Whatever can
//! be parsed later without a network is left to be parsed later, confined by [`sandbox`].

pub mod cache;
pub mod clamav;
pub mod deliver;
pub mod error;
pub mod feeds;
pub mod fetch;
pub mod git;
mod hash;
pub mod host;
pub mod http;
pub mod image;
pub mod receive;
pub mod reference;
pub mod registry;
pub mod runtime;
pub mod sandbox;
pub mod target;
pub mod walk;

pub use error::{Error, ErrorKind, Result};
pub use fetch::{FetchOptions, Fetched, fetch};
pub use image::ImageHandle;
pub use reference::ImageReference;
pub use target::Target;
