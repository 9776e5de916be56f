//! What a task is, what a change says, and who is owed word of it.
//!
//! Knows nothing of AWS, HTTP, async, clocks or randomness: time and ids come in as arguments.

mod change;
mod device;
mod email;
mod fold;
mod hours;
mod ids;
mod letter;
mod notification;
mod notify;
mod patch;
mod plan;
mod profile;
mod project;
mod rhythm;
mod security;
mod subscription;
mod task;
mod text;
mod unsubscribe;
mod word;

pub use change::{Assignee, Change, ChangeKind, FieldChange, FieldName};
pub use device::{Device, UserAgent};
pub use email::EmailAddress;
pub use fold::{NetChange, NetKind, OwedSpan, Reader, Reason, net_change, net_change_of};
pub use hours::{ClockTime, DigestHour, QuietHours};
pub use ids::{
    ApiTokenId, ClaimId, EventId, InvitationId, NotificationId, PartId, ProjectId, SessionId, TaskId, UserId, Version,
};
pub use letter::{Letter, Recipient};
pub use notification::{Notification, NotificationContent};
pub use notify::{Choice, NoticeKind, NoticeKinds, Notify, NotifyPatch};
pub use patch::{NewTask, TaskPatch, set};
pub use plan::{MAIL_HORIZON, Owed, audience, concerned, owed, recent};
pub use profile::{Locale, Profile, ProfilePatch, TimeZoneName};
pub use project::{Invitation, Membership, NewInvitation, NewProject, Project, Role};
pub use rhythm::{Pacing, Rhythm};
pub use security::{SecurityEvent, SecurityEventKind, TokenAccess};
pub use subscription::{Subscription, Subscriptions};
pub use task::{Priority, Status, Task, TaskSummary};
pub use text::{Description, Invalid, Label, Labels, Name, ProjectName, Title, TokenName};
pub use unsubscribe::{UnsubscribeScope, UnsubscribeToken};
