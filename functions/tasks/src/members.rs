use api::{
    ApiError, BodyProblems, Caller, CallerProblems, ConflictProblem, ListBody, NotFoundProblem, Paging, Path, Query, RawBody,
    RoleProblem,
};
use axum::Json;
use axum::extract::State;
use domain::{Membership, Profile, ProjectId, Role, UserId};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::StoreError;
use utoipa::ToSchema;

use crate::TasksState;
use crate::access::{Access, MOST_ATTEMPTS, TOO_BUSY, judged};
use crate::schema::RoleSchema;

/// One person's place in a project; also of those who left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberBody {
    #[schema(value_type = Uuid)]
    pub user: UserId,
    /// `former member`, where the person has deleted their account.
    pub name: String,
    #[schema(value_type = RoleSchema)]
    pub role: Role,
    #[schema(value_type = String, format = DateTime)]
    pub joined_at: Timestamp,
    /// Null for a current member.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub left_at: Option<Timestamp>,
}

impl MemberBody {
    fn new(membership: &Membership, profile: Option<&Profile>) -> Self {
        let Membership { project: _, user, role, joined_at, left_at } = *membership;
        Self { user, name: shown_name(profile), role, joined_at, left_at }
    }
}

/// What a person is called. Their memberships, tasks and log stay when they delete their account; their name does not.
pub(crate) fn shown_name(profile: Option<&Profile>) -> String {
    profile.map_or_else(|| FORMER_MEMBER.to_owned(), |it| it.name.to_string())
}

const FORMER_MEMBER: &str = "former member";

/// A member's new role; an absent field keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    #[serde(default, deserialize_with = "domain::set")]
    #[schema(value_type = RoleSchema, required = false)]
    pub role: Option<Role>,
}

/// Lists a project's members by user id, also those who left.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/members",
    tag = "members",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), Paging),
    responses((status = 200, description = "A page of members.", body = ListBody<MemberBody>), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn list_members(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<ListBody<MemberBody>>, ApiError> {
    let (paging, access) = judged(query.parse::<Paging>(), Access::load(&state.work, project, caller)).await?;
    let position = paging.position();
    let (access, page) = tokio::join!(access, state.work.members(project, paging.limit.get(), position.as_ref()));
    access?;
    let page = page?;
    let users: Vec<UserId> = page.items.iter().map(|it| it.user).collect();
    let profiles = state.work.profiles(&users).await?;
    Ok(Json(ListBody::new(page, |it| MemberBody::new(&it, profiles.get(&it.user)))))
}

/// Gives a member another role. A project keeps at least one owner.
#[utoipa::path(
    patch,
    path = "/v1/projects/{project}/members/{user}",
    tag = "members",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("user" = Uuid, Path)),
    request_body(content((MemberPatch = "application/json"), (MemberPatch = "application/merge-patch+json"))),
    responses(
        (status = 200, description = "The member.", body = MemberBody),
        CallerProblems, NotFoundProblem, BodyProblems, RoleProblem, ConflictProblem
    )
)]
pub(crate) async fn update_member(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, user)): Path<(ProjectId, UserId)>,
    body: RawBody,
) -> Result<Json<MemberBody>, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (place, profile) = tokio::join!(load(&state, project, caller, user), state.work.profile(user));
        let (access, before) = place?;
        access.require_owner()?;
        let MemberPatch { role } = body.parse_patch()?;
        let profile = profile?;
        let shown = |membership: &Membership| Json(MemberBody::new(membership, profile.as_ref()));
        let Some(role) = role.filter(|it| *it != before.role) else { return Ok(shown(&before)) };
        match state.work.set_role(&before, role).await {
            // Changed or left meanwhile: what is there now is read again.
            Err(StoreError::Conflict { .. }) => {}
            saved => return saved.map(|()| shown(&Membership { role, ..before })).map_err(ApiError::from),
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

/// Ends a membership: an owner's of anybody, everybody's own, with what they watched or muted. A project keeps at least one owner.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/members/{user}",
    tag = "members",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("user" = Uuid, Path)),
    responses((status = 204, description = "They left."), CallerProblems, NotFoundProblem, RoleProblem, ConflictProblem)
)]
pub(crate) async fn remove_member(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, user)): Path<(ProjectId, UserId)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (access, before) = load(&state, project, caller, user).await?;
        if caller.user != user {
            access.require_owner()?;
        }
        query.parse_none()?;
        match state.work.leave(&before, state.clock.now()).await {
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                state.mail.unsubscribe_all(project, user).await?;
                return Ok(StatusCode::NO_CONTENT);
            }
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

/// The caller's place in the project and the current membership of the person it is about.
async fn load(state: &TasksState, project: ProjectId, caller: Caller, user: UserId) -> Result<(Access, Membership), ApiError> {
    let users = [user];
    let (access, memberships) = tokio::join!(Access::load(&state.work, project, caller), state.work.memberships(project, &users));
    let access = access?;
    let membership = memberships?.remove(&user).filter(Membership::is_current).ok_or(ApiError::NotFound)?;
    Ok((access, membership))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_deleted_their_account_stays_a_member_without_a_name() {
        let (project, user) = (ProjectId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let (joined_at, left_at) = (Timestamp::UNIX_EPOCH, Some(Timestamp::UNIX_EPOCH));
        let membership = Membership { project, user, role: Role::Viewer, joined_at, left_at };
        let shown = serde_json::to_value(MemberBody::new(&membership, None)).expect("a member is JSON");
        let at = "1970-01-01T00:00:00Z";
        assert_eq!(shown, json!({"user": user, "name": "former member", "role": "viewer", "joined_at": at, "left_at": at}));
    }
}
