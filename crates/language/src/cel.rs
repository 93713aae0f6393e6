//! The Common Expression Language over span trees.
