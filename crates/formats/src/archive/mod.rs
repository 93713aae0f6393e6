//! Containers of files: compression and tar, read as bounded streams.
