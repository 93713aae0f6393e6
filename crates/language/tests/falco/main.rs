//! Falco's language, from outside: grammar, meaning, files.

mod conditions;
mod files;
mod loading;
mod outputs;
mod paper;
