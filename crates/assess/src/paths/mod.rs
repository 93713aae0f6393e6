//! Attack paths: what an attacker can get to, step by step, by the rules of `rules/attack-paths/`.
//!
//! [`rules`] reads the rules, [`steps`] finds every way a rule applies to a graph, [`search`] walks these steps from where
//! attackers start and back from what hurts. Every rule has exactly one premise about the attacker, so a step leads
//! from one state to another, and all of this stays near linear in the edges.

pub mod foothold;
pub mod rules;
pub mod search;
pub mod steps;

pub use rules::{AttackState, Goal, Rules};
pub use search::{Reach, Search};
pub use steps::{State, Step, Steps};
