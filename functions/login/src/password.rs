//! What a password may be, and how it is hashed.

mod common;
mod hasher;
mod rules;

pub(crate) use hasher::{PasswordHasher, Verdict};
pub(crate) use rules::{Attempt, Owner, WantedPassword};
