use api::{ApiError, BodyProblems, BusyProblem, CallerProblems, Client, ConflictProblem, RawBody, SessionCaller};
use axum::extract::State;
use domain::{Membership, Project, ProjectName, Role, UserId};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::change_password::{MOST_ATTEMPTS, sessions_but};
use crate::me::asked;
use crate::password::Attempt;
use crate::proof::{Proven, as_proven, live_session, prove};
use crate::second_factor::Code;
use crate::{Login, Parts};

/// The proof that it is its owner who wants the account gone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deletion {
    #[schema(value_type = String, format = "password", max_length = 128)]
    password: Attempt,
    /// Of the second factor, where it is on: six digits, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Code>,
}

/// Deletes the account, with its sessions, API tokens and security events.
///
/// The caller leaves all projects, with what they watched or muted there; one they are alone in is deleted. Their notifications go. Tasks and their log stay, where the caller is from then on a former
/// member without a name. Who is the last owner of a project that has other members is answered 409, and nothing has changed. Where this
/// breaks off half-way, the same request goes on with it.
#[utoipa::path(
    delete, path = "/v1/me", tag = "me", security(("bearer" = [])), request_body = Deletion,
    responses((status = 204, description = "The account is gone"), CallerProblems, BodyProblems, ConflictProblem, BusyProblem),
)]
pub(crate) async fn delete_me(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<StatusCode, ApiError> {
    let Deletion { password, code } = asked(&login, &caller, &body).await?;
    live_session(&login, &caller).await?;
    // Judged before the proof, which uses a code up.
    let mut steps = departure(&login, caller.user).await?;
    let Proven { credential, .. } = prove(&login, &caller, password, "/password", code, &device).await?;
    let mut attempts = 1;
    while !depart(&login, caller.user, &steps).await? {
        if attempts == MOST_ATTEMPTS {
            return Err(changed_meanwhile());
        }
        attempts += 1;
        steps = departure(&login, caller.user).await?;
    }
    let Parts { accounts, work, mail, .. } = &*login.0;
    let mut read = credential;
    for _ in 0..MOST_ATTEMPTS {
        let sessions = sessions_but(&login, caller.user, None).await?;
        match accounts.delete_account(work, &read, &sessions, Timestamp::now()).await {
            Ok(()) => {
                leave_the_rest(&login, caller.user).await;
                if let Err(error) = mail.forget_notifications(caller.user).await {
                    // They end by themselves within 90 days.
                    tracing::warn!(user.id = %caller.user, %error, "notifications of an account that is gone are still there");
                }
                tracing::info!(user.id = %caller.user, "deleted an account");
                return Ok(StatusCode::NO_CONTENT);
            }
            Err(StoreError::Conflict { .. }) => read = as_proven(&login, &read).await?.ok_or_else(changed_meanwhile)?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(changed_meanwhile())
}

fn changed_meanwhile() -> ApiError {
    ApiError::conflict("The account is being changed at the same moment; try again.")
}

/// What becomes of one project when a member of it goes.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Others go on with it.
    Leave(Membership),
    /// Nobody is left to see it.
    Delete(Project),
}

/// What there is to do in the projects of a person.
///
/// # Errors
/// 409, where somebody else has to become an owner first.
async fn departure(login: &Login, user: UserId) -> Result<Vec<Step>, ApiError> {
    let mut joined = Vec::new();
    for (project, membership) in login.0.work.memberships_of(user).await? {
        let members = login.0.work.current_members(project.id).await?;
        joined.push((project, membership, members));
    }
    steps(joined)
}

fn steps(joined: Vec<(Project, Membership, Vec<Membership>)>) -> Result<Vec<Step>, ApiError> {
    let mut steps = Vec::new();
    let mut held_back: Vec<ProjectName> = Vec::new();
    for (project, membership, members) in joined {
        let others = || members.iter().filter(|it| it.user != membership.user);
        if others().next().is_none() {
            steps.push(Step::Delete(project));
        } else if membership.role == Role::Owner && !others().any(|it| it.role == Role::Owner) {
            held_back.push(project.name);
        } else {
            steps.push(Step::Leave(membership));
        }
    }
    if held_back.is_empty() { Ok(steps) } else { Err(last_owner(&held_back)) }
}

fn last_owner(projects: &[ProjectName]) -> ApiError {
    let names: Vec<String> = projects.iter().map(|it| format!("\u{201c}{it}\u{201d}")).collect();
    let names = names.join(", ");
    ApiError::conflict(format!(
        "You are the last owner of {names}. Make another member an owner there, or delete it, and try again."
    ))
}

/// Does it; not all of it, where a membership has changed since it was read.
async fn depart(login: &Login, user: UserId, steps: &[Step]) -> Result<bool, ApiError> {
    for step in steps {
        let (project, done) = match step {
            Step::Leave(membership) => (membership.project, login.0.work.leave(membership, Timestamp::now()).await),
            Step::Delete(project) => (project.id, login.0.work.delete_project(project.id, Timestamp::now()).await),
        };
        match done {
            Ok(()) => login.0.mail.unsubscribe_all(project, user).await?,
            // The other owner left meanwhile, or the role is another by now: what holds is read again.
            Err(StoreError::Conflict { .. } | StoreError::LastOwner) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// Leaves what was joined between the departure and the end of the account; nothing is joined after that. The account is gone whatever
/// stands against it, so that is only told to the log, without the names of projects that an error may hold.
async fn leave_the_rest(login: &Login, user: UserId) {
    for _ in 0..MOST_ATTEMPTS {
        let Ok(steps) = departure(login, user).await else { break };
        if let Ok(true) = depart(login, user, &steps).await {
            return;
        }
    }
    tracing::warn!(user.id = %user, "an account that is gone may still have a membership");
}

#[cfg(test)]
mod tests {
    use domain::ProjectId;
    use uuid::Uuid;

    use super::*;

    const ME: u128 = 1;

    fn joined(id: u128, members: &[(u128, Role)]) -> (Project, Membership, Vec<Membership>) {
        let (joined_at, project) = (Timestamp::UNIX_EPOCH, ProjectId(Uuid::from_u128(id)));
        let member = |(user, role): &(u128, Role)| {
            let user = UserId(Uuid::from_u128(*user));
            Membership { project, user, role: *role, joined_at, left_at: None }
        };
        let members: Vec<Membership> = members.iter().map(member).collect();
        let name = format!("Pumps {id}").parse().expect("a name");
        let mine = members.iter().find(|it| it.user.0.as_u128() == ME).expect("a member").clone();
        (Project { id: project, name, created_by: mine.user, created_at: joined_at, deleted_at: None }, mine, members)
    }

    #[test]
    fn whoever_goes_leaves_others_their_project_and_takes_their_own_along() {
        let alone = joined(1, &[(ME, Role::Owner)]);
        let guest = joined(2, &[(ME, Role::Viewer), (2, Role::Owner)]);
        let owners = joined(3, &[(ME, Role::Owner), (2, Role::Owner), (3, Role::Editor)]);
        let expected = vec![Step::Delete(alone.0.clone()), Step::Leave(guest.1.clone()), Step::Leave(owners.1.clone())];
        assert_eq!(steps(vec![alone, guest, owners]).expect("nothing stands against it"), expected);
    }

    #[test]
    fn the_last_owner_of_others_projects_is_told_which_ones() {
        let projects = vec![
            joined(1, &[(ME, Role::Owner)]),
            joined(2, &[(ME, Role::Owner), (2, Role::Editor)]),
            joined(3, &[(ME, Role::Owner), (3, Role::Viewer)]),
        ];
        match steps(projects) {
            Err(ApiError::Conflict(detail)) => {
                assert!(detail.contains("“Pumps 2”, “Pumps 3”") && !detail.contains("Pumps 1"), "{detail}");
            }
            other => panic!("{other:?}"),
        }
    }
}
