//! Version orders: which of two versions is newer, as each ecosystem's own tools decide.
