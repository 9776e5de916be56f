//! What the fuzz targets reach and nobody else should.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ProjectId, Status, TaskId, UserId};
use uuid::Uuid;

use crate::item::Item;
use crate::keys::List;
use crate::{AddressHash, Position};

/// Whether some list takes this position to start in a partition that is not its own, or at another place than the position says.
#[must_use]
pub fn leads_astray(position: &Position, address: &AddressHash) -> bool {
    let (user, project, task) = (UserId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), TaskId(Uuid::from_u128(3)));
    let lists = [
        List::ProjectTasks(project),
        List::ProjectTasksOfStatus(project, Status::Done),
        List::PersonTasks(user, None),
        List::PersonTasks(user, Some(Status::Done)),
        List::PersonProjects(user),
        List::Members(project),
        List::Invitations(project),
        List::InvitationsFor(address.clone()),
        List::TaskChanges(project, task),
        List::ProjectChanges(project),
        List::Events(user),
        List::Notifications(user),
    ];
    lists.iter().any(|list| {
        let Ok(start) = list.start(position) else { return false };
        let is_own = start.get(list.partition_attribute()) == Some(&AttributeValue::S(list.partition()));
        // An id may be spelled in upper case; what it stands for is one place all the same.
        let again = list.position(&Item::from(start.clone())).and_then(|it| list.start(&it));
        !is_own || again.ok() != Some(start)
    })
}
