//! SECURITY.md names tests, and fuzzing leaves inputs: both are held to here.

mod corpora;
mod promises;
