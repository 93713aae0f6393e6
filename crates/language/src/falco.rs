//! Falco's rule language.
