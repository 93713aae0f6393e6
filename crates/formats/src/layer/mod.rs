//! From the bytes of a layer to its facts, and from the layers of an image to one inventory.

mod path_key;

pub use path_key::PathKey;
