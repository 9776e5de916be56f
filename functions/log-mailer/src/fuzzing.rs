//! What the tests of hostile text reach and nobody else should: mails from plain values, without tables.

pub use crate::language::People;
pub use crate::letter::letter_mail;
pub use crate::mail::{Occasion, TaskNews, UnwritableMail, task_mail};
