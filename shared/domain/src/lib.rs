//! What a task is, what a change says, and who is owed word of it.
//!
//! Knows nothing of AWS, HTTP, async, clocks or randomness: time and ids come in as arguments.

mod change;
mod device;
mod email;
mod fold;
mod ids;
mod letter;
mod patch;
mod plan;
mod profile;
mod project;
mod security;
mod task;
mod text;
mod unsubscribe;
mod word;

pub use change::{Assignee, Change, ChangeKind, FieldChange};
pub use device::{Device, UserAgent};
pub use email::EmailAddress;
pub use fold::{NetChange, NetKind, Reason, net_change};
pub use ids::{ApiTokenId, ClaimId, EventId, InvitationId, PartId, ProjectId, SessionId, TaskId, UserId, Version};
pub use letter::{Letter, Recipient};
pub use patch::{NewTask, TaskPatch, set};
pub use plan::{MAIL_HORIZON, Owed, concerned, owed};
pub use profile::{Choice, Locale, NoticeKind, NoticeKinds, Notify, NotifyPatch, Profile, ProfilePatch, TimeZoneName};
pub use project::{Invitation, Membership, NewInvitation, NewProject, Project, Role};
pub use security::{SecurityEvent, SecurityEventKind, TokenAccess};
pub use task::{Priority, Status, Task, TaskSummary};
pub use text::{Description, Invalid, Label, Labels, Name, ProjectName, Title, TokenName};
pub use unsubscribe::{UnsubscribeScope, UnsubscribeToken};
