use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::word::words_only;
use crate::{EmailAddress, InvitationId, ProjectId, ProjectName, UserId};

/// What a member may do, least first: a viewer reads, an editor also writes tasks, an owner also keeps members and the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

words_only!(Role);

/// A project as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    pub name: ProjectName,
}

/// A project. One that was deleted is still stored and never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub name: ProjectName,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// One person's place in one project; kept, with `left_at`, when they leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub project: ProjectId,
    pub user: UserId,
    pub role: Role,
    pub joined_at: Timestamp,
    pub left_at: Option<Timestamp>,
}

impl Membership {
    /// Whether the person is a member now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.left_at.is_none()
    }
}

/// An invitation as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    pub email: EmailAddress,
    pub role: Role,
}

/// An address that may join a project in a role. One address has one invitation to one project at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub project: ProjectId,
    pub email: EmailAddress,
    pub role: Role,
    pub invited_by: UserId,
    pub invited_at: Timestamp,
}
