//! What Baton keeps, and how it is found again: the only crate that knows DynamoDB.
//!
//! One handle per table, so that a function holds only what it may touch. The keys and the table of access patterns are in
//! [`keys`]. Knows nothing of HTTP, mail or the rules of the domain beyond what a condition has to hold.

mod accounts;
mod changes;
pub mod client;
mod clock;
mod environment;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod item;
pub mod keys;
mod logging;
mod mail;
mod page;
mod table;
mod work;

pub use accounts::Accounts;
pub use accounts::api_tokens::ApiToken;
pub use accounts::attempts::{Attempts, Bucket};
pub use accounts::credentials::{Credential, NewPassword};
pub use accounts::email_change::{AddressSide, EmailChange};
pub use accounts::events::Notice;
pub use accounts::keys::{PublicKey, SigningKey};
pub use accounts::second_factor::{PendingFactor, SecondFactor};
pub use accounts::sessions::{Ending, Session, SessionStart};
pub use accounts::tokens::{OneTimeToken, TokenHash, TokenPurpose};
pub use changes::span::{ChangesHeads, ChangesSpan};
pub use changes::{Changes, Direction, LogPosition, Logged, RequestHash, logged_change, logged_position};
pub use clock::Clock;
pub use environment::{Environment, MissingSettings};
pub use error::StoreError;
pub use keys::{AddressHash, RecipientKey, SHARDS};
pub use logging::logging;
pub use mail::Mail;
pub use mail::claims::{Claim, Mailbox};
pub use mail::cursors::{Cursor, Progress};
pub use mail::deliveries::{Delivery, DeliveryState};
pub use mail::entries::{MailEntries, MailEntry};
pub use mail::feedback::Feedback;
pub use mail::letters::{Filed, LetterKind, LetterLimit};
pub use mail::parts::{DuePart, MOST_PARTS_PER_CLAIM, Part, PartContent, TaskSpan, Timing};
pub use page::{Page, Position};
pub use work::Work;
pub use work::ended::{ENDED_SESSIONS_KEPT, EndedSessions};
pub use work::invitations::Invited;
pub use work::projects::{ProjectContext, ProjectCreation};
pub use work::tasks::{TaskContext, TaskCreation};
