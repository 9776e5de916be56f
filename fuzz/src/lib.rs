//! What the fuzz targets do with an input, and what must hold whatever it is. `cargo test` does the same over the corpora.

pub mod cursor;
pub mod email;
pub mod patch;
pub mod token;
