use domain::{EmailAddress, Invitation, InvitationId, Membership, Project, ProjectId, Role};
use jiff::Timestamp;

use super::members::{OPEN, check_person, count_owner, membership_item};
use crate::item::{Item, text, word};
use crate::keys::{Key, List};
use crate::mail::parts::part_item;
use crate::table::query::Query;
use crate::table::write::{Transacted, Write, transact};
use crate::{LetterLimit, Mail, Page, Part, Position, RecipientKey, StoreError, Work, keys};

/// What became of the wish to invite somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    Mailed,
    /// Stored without a letter: the recipient got enough of them.
    Quiet,
    /// Not stored: the inviter filed enough until then.
    TooMany {
        until: Timestamp,
    },
}

impl Work {
    /// Stores an invitation together with the letter that tells of it, in place of any earlier one of the address to the project:
    /// without the letter where the recipient got enough of them, and not at all where the inviter filed enough.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the project was deleted or the address was invited at the same moment.
    pub async fn invite(
        &self,
        mail: &Mail,
        invitation: &Invitation,
        letter: &Part,
        to: &LetterLimit,
        by_inviter: &LetterLimit,
    ) -> Result<Invited, StoreError> {
        let step = "store the invitation";
        let Invitation { invited_by, invited_at, .. } = invitation;
        let before = self.invitation_for(&invitation.email, invitation.project).await?;
        let counted_by = by_inviter.counting(mail, &RecipientKey::User(*invited_by), *invited_at);
        let counted_to = to.counting(mail, &letter.recipient_key(), *invited_at);
        let mut quiet = vec![counted_by];
        quiet.extend(self.inviting(invitation, before.as_ref())?);
        let mut told = quiet.clone();
        told.extend([counted_to, Write::put(&mail.table, part_item(letter)?)]);
        let too_many = Invited::TooMany { until: by_inviter.window_end(*invited_at) };
        match transact(step, told).await? {
            Transacted::Done => return Ok(Invited::Mailed),
            Transacted::Refused(places) if places == [quiet.len()] => {}
            Transacted::Refused(places) if places.first() == Some(&0) => return Ok(too_many),
            Transacted::Refused(_) => return Err(StoreError::Conflict { step }),
        }
        match transact(step, quiet).await? {
            Transacted::Done => Ok(Invited::Quiet),
            Transacted::Refused(places) if places.first() == Some(&0) => Ok(too_many),
            Transacted::Refused(_) => Err(StoreError::Conflict { step }),
        }
    }

    /// An invitation in place of the one before, if there was one.
    fn inviting(&self, invitation: &Invitation, before: Option<&Invitation>) -> Result<Vec<Write>, StoreError> {
        let invited = Write::put(&self.table, invitation_item(invited_key(invitation), invitation)?);
        let mut writes = vec![
            Write::check(&self.table, keys::project(invitation.project)).when(OPEN),
            match before {
                Some(before) => invited.when("#invitation = :before").value(":before", text(before.id)),
                None => invited.when("attribute_not_exists(#pk)"),
            },
            Write::put(&self.table, invitation_item(keys::invitation(invitation.project, invitation.id), invitation)?),
        ];
        let replaced = before.filter(|it| it.id != invitation.id);
        writes.extend(replaced.map(|it| Write::delete(&self.table, keys::invitation(it.project, it.id))));
        Ok(writes)
    }

    /// One of a project's open invitations.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn invitation(&self, project: ProjectId, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        let item = self.table.get("read the invitation", keys::invitation(project, id)).await?;
        item.map(|it| invitation(&it)).transpose()
    }

    /// A project's open invitations, by id.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn invitations(
        &self,
        project: ProjectId,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<Invitation>, StoreError> {
        let list = List::Invitations(project);
        Query::list(&self.table, &list, after)?.page("list the invitations", &list, limit).await?.try_map(|it| invitation(&it))
    }

    /// The open invitation of an address to a project.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn invitation_for(&self, email: &EmailAddress, project: ProjectId) -> Result<Option<Invitation>, StoreError> {
        let item = self.table.get("read the invitation", keys::invited(&email.into(), project)).await?;
        item.map(|it| invitation(&it)).transpose()
    }

    /// What an address is invited to, by project id; deleted projects are left out.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn invitations_for(
        &self,
        email: &EmailAddress,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<(Invitation, Project)>, StoreError> {
        let list = List::InvitationsFor(email.into());
        let step = "list the person's invitations";
        let page = Query::list(&self.table, &list, after)?.page(step, &list, limit).await?;
        let Page { items: invitations, next } = page.try_map(|it| invitation(&it))?;
        let projects = self.open_projects(invitations.iter().map(|it| it.project)).await?;
        let shown = invitations.into_iter().filter_map(|it| Some((projects.get(&it.project)?.clone(), it)));
        Ok(Page { items: shown.map(|(project, invitation)| (invitation, project)).collect(), next })
    }

    /// Turns an invitation into a membership. Who is a member already keeps their role, and the invitation is gone all the same.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the invitation or the account is not there any more or the project was deleted.
    pub async fn accept_invitation(&self, invitation: &Invitation, membership: &Membership) -> Result<(), StoreError> {
        let step = "accept the invitation";
        let [invited, mirror] = self.removal(invitation);
        let member = Write::put(&self.table, membership_item(membership)?);
        let project = match membership.role {
            Role::Owner => count_owner(self, membership.project),
            Role::Viewer | Role::Editor => Write::check(&self.table, keys::project(membership.project)).when(OPEN),
        };
        let member = member.when("attribute_not_exists(#pk) OR attribute_exists(#left_at)");
        let writes = vec![invited, mirror, member, project, check_person(self, membership.user)];
        match transact(step, writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(places) if places == [2] => self.remove_invitation(invitation).await,
            Transacted::Refused(_) => Err(StoreError::Conflict { step }),
        }
    }

    fn removal(&self, invitation: &Invitation) -> [Write; 2] {
        let invited = Write::delete(&self.table, invited_key(invitation));
        let mirror = Write::delete(&self.table, keys::invitation(invitation.project, invitation.id));
        [invited.when("#invitation = :invitation").value(":invitation", text(invitation.id)), mirror]
    }

    /// Takes an invitation away: withdrawn by the project or declined by the invited.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not there any more.
    pub async fn remove_invitation(&self, invitation: &Invitation) -> Result<(), StoreError> {
        let step = "remove the invitation";
        transact(step, self.removal(invitation).into()).await?.or_conflict(step)
    }
}

fn invited_key(invitation: &Invitation) -> Key {
    keys::invited(&(&invitation.email).into(), invitation.project)
}

/// An invitation is stored twice, under its address and under its project, always in one transaction.
fn invitation_item(key: Key, invitation: &Invitation) -> Result<Item, StoreError> {
    let Invitation { id, project, email, role, invited_by, invited_at } = invitation;
    Ok(Item::new(key)
        .with("invitation", text(id))
        .with("project", text(project))
        .with("email", text(email))
        .with("role", word(role)?)
        .with("invited_by", text(invited_by))
        .with("invited_at", text(keys::timestamp(*invited_at))))
}

fn invitation(item: &Item) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: item.word("invitation")?,
        project: item.word("project")?,
        email: item.word("email")?,
        role: item.word("role")?,
        invited_by: item.word("invited_by")?,
        invited_at: item.word("invited_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at};

    #[test]
    fn an_invitation_survives_storage() {
        let before = Invitation {
            id: InvitationId(TASK.0),
            project: PROJECT,
            email: "ada@example.com".parse().expect("an address"),
            role: Role::Owner,
            invited_by: USER,
            invited_at: at("2026-11-20T11:00:00Z"),
        };
        let item = invitation_item(invited_key(&before), &before).expect("an item");
        assert_eq!(invitation(&item).ok(), Some(before));
    }
}
