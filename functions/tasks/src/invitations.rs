use api::{
    ApiError, BodyProblems, BusyProblem, Caller, CallerProblems, ConflictProblem, ListBody, NotFoundProblem, Paging, Path, Query,
    RawBody, RoleProblem,
};
use axum::Json;
use axum::extract::State;
use domain::{
    EmailAddress, Invitation, InvitationId, Letter, Membership, NewInvitation, PartId, Profile, ProjectId, ProjectName,
    Recipient, Role, UserId,
};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Invited, LetterKind, LetterLimit, Part, PartContent, StoreError};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::TasksState;
use crate::access::{Access, MOST_ATTEMPTS, TOO_BUSY, judged, require_session};
use crate::members::shown_name;
use crate::schema::RoleSchema;

/// An address that may join a project, as its owners see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody {
    #[schema(value_type = Uuid)]
    pub id: InvitationId,
    #[schema(value_type = String, format = Email)]
    pub email: EmailAddress,
    #[schema(value_type = RoleSchema)]
    pub role: Role,
    #[schema(value_type = Uuid)]
    pub invited_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub invited_at: Timestamp,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        let Invitation { id, project: _, email, role, invited_by, invited_at } = invitation;
        Self { id, email, role, invited_by, invited_at }
    }
}

/// A project that the caller's own address is invited to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MyInvitation)]
pub struct MyInvitationBody {
    #[schema(value_type = Uuid)]
    pub project: ProjectId,
    #[schema(value_type = String)]
    pub project_name: ProjectName,
    #[schema(value_type = RoleSchema)]
    pub role: Role,
    /// The name of the person who invited; `former member`, where they have deleted their account.
    pub invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub invited_at: Timestamp,
}

/// An invitation as asked for.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = NewInvitation)]
pub struct NewInvitationSchema {
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    pub role: RoleSchema,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So that nobody's inbox is flooded by way of Baton.
const TO_ONE_ADDRESS: LetterLimit = LetterLimit { kind: LetterKind::Invitation, most: 10, window: DAY };
/// So that nobody reaches many by way of Baton whom they do not know.
const BY_ONE_PERSON: LetterLimit = LetterLimit { kind: LetterKind::Inviter, most: 100, window: DAY };

/// The same for every address, so that it does not tell who has an account or is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub struct AcceptedBody {}

/// Lists a project's open invitations, in order of asking.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/invitations",
    tag = "invitations",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), Paging),
    responses((status = 200, description = "A page of invitations.", body = ListBody<InvitationBody>), CallerProblems, NotFoundProblem, RoleProblem)
)]
pub(crate) async fn list_invitations(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<ListBody<InvitationBody>>, ApiError> {
    let access = async {
        let access = Access::load(&state.work, project, caller).await?;
        access.require_owner()?;
        Ok(access)
    };
    let (paging, access) = judged(query.parse::<Paging>(), access).await?;
    let position = paging.position();
    let (access, page) = tokio::join!(access, state.work.invitations(project, paging.limit.get(), position.as_ref()));
    access?;
    Ok(Json(ListBody::new(page?, InvitationBody::from)))
}

/// Invites an address, which gets a mail. An address that is invited already is invited anew, in the role asked for last.
///
/// One person invites at most 100 times a day. An address gets at most ten such mails a day, whoever invites it; past that it is invited
/// all the same, and finds the invitation when it next looks.
#[utoipa::path(
    post,
    path = "/v1/projects/{project}/invitations",
    tag = "invitations",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    request_body = NewInvitationSchema,
    responses(
        (status = 202, description = "The same for every address.", body = AcceptedBody),
        CallerProblems, NotFoundProblem, BodyProblems, RoleProblem, ConflictProblem, BusyProblem
    )
)]
pub(crate) async fn create_invitation(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    body: RawBody,
) -> Result<(StatusCode, Json<AcceptedBody>), ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (access, inviter) = tokio::join!(Access::load(&state.work, project, caller), state.work.profile(caller.user));
        let access = access?;
        let inviter = inviter?.ok_or(ApiError::Unauthorized)?;
        access.require_owner()?;
        let NewInvitation { email, role } = body.parse()?;
        let now = state.clock.now();
        // Always to the address, never to the account behind it: what is done does not depend on whether there is one.
        let recipient = Recipient::Address(email.clone());
        let id = InvitationId(Uuid::now_v7());
        let invitation = Invitation { id, project, email, role, invited_by: caller.user, invited_at: now };
        let letter =
            Letter::Invitation { project, project_name: access.project.name, inviter: inviter.name, locale: inviter.locale };
        let content = PartContent::Letter { id: PartId(Uuid::now_v7()), letter };
        let part = Part { recipient: recipient.clone(), due_at: now, content };
        match state.work.invite(&state.mail, &invitation, &part, &TO_ONE_ADDRESS, &BY_ONE_PERSON).await {
            // Invited by another at the same moment, or the project was deleted.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(Invited::TooMany { until }) => return Err(too_many(until, now)),
            Ok(Invited::Mailed) => {
                state.hints.letter_due(&recipient).await;
                return Ok((StatusCode::ACCEPTED, Json(AcceptedBody {})));
            }
            // What an address gets from others is not the inviter's to know.
            Ok(Invited::Quiet) => return Ok((StatusCode::ACCEPTED, Json(AcceptedBody {}))),
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

fn too_many(until: Timestamp, now: Timestamp) -> ApiError {
    ApiError::TooManyRequests { retry_after: until.duration_since(now).unsigned_abs() }
}

/// Withdraws an invitation.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/invitations/{invitation}",
    tag = "invitations",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("invitation" = Uuid, Path)),
    responses((status = 204, description = "It is gone."), CallerProblems, NotFoundProblem, RoleProblem)
)]
pub(crate) async fn withdraw_invitation(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, invitation)): Path<(ProjectId, InvitationId)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let (access, invitation) =
        tokio::join!(Access::load(&state.work, project, caller), state.work.invitation(project, invitation));
    access?.require_owner()?;
    let invitation = invitation?.ok_or(ApiError::NotFound)?;
    query.parse_none()?;
    gone(state.work.remove_invitation(&invitation).await)
}

/// Lists what the caller's own address is invited to, by project id.
#[utoipa::path(
    get,
    path = "/v1/me/invitations",
    tag = "invitations",
    security(("bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of invitations.", body = ListBody<MyInvitationBody>), CallerProblems)
)]
pub(crate) async fn list_my_invitations(
    State(state): State<TasksState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ListBody<MyInvitationBody>>, ApiError> {
    let Profile { email, .. } = profile(&state, caller).await?;
    let paging: Paging = query.parse()?;
    let page = state.work.invitations_for(&email, paging.limit.get(), paging.position().as_ref()).await?;
    let mut inviters: Vec<UserId> = page.items.iter().map(|(invitation, _)| invitation.invited_by).collect();
    inviters.sort_unstable();
    inviters.dedup();
    let profiles = state.work.profiles(&inviters).await?;
    Ok(Json(ListBody::new(page, |(invitation, project)| {
        let Invitation { id: _, project: _, email: _, role, invited_by, invited_at } = invitation;
        let invited_by = shown_name(profiles.get(&invited_by));
        MyInvitationBody { project: project.id, project_name: project.name, role, invited_by, invited_at }
    })))
}

/// Accepts an invitation of the caller's own address: they are a member from now on, also if they had left.
#[utoipa::path(
    post,
    path = "/v1/me/invitations/{project}/accept",
    tag = "invitations",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    responses((status = 204, description = "The caller is a member."), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn accept_invitation(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let Profile { id: user, email, .. } = profile(&state, caller).await?;
    for _ in 0..MOST_ATTEMPTS {
        let invitation = state.work.invitation_for(&email, project).await?.ok_or(ApiError::NotFound)?;
        query.parse_none()?;
        let membership = Membership { project, user, role: invitation.role, joined_at: state.clock.now(), left_at: None };
        let (_, current) = state.work.project_and_member(project, user).await?;
        if current.is_none() {
            // Whoever comes back begins anew, also where their leaving broke off half-way.
            state.mail.unsubscribe_all(project, user).await?;
        }
        let accepted = match current {
            // An owner who invites a member again means the role; nobody loses one by accepting.
            Some(current) if current.role < invitation.role => raise(&state, &current, &invitation).await,
            _ => state.work.accept_invitation(&invitation, &membership).await,
        };
        match accepted {
            // Withdrawn, or made anew in another role: what is there now is read again.
            Err(StoreError::Conflict { .. }) => {}
            accepted => return accepted.map(|()| StatusCode::NO_CONTENT).map_err(ApiError::from),
        }
    }
    // An invitation that stays and cannot be accepted is one to a project that was deleted.
    Err(ApiError::NotFound)
}

/// Gives a member the role they are invited to, then takes the invitation away: done again after a failure, it does no harm.
async fn raise(state: &TasksState, current: &Membership, invitation: &Invitation) -> Result<(), StoreError> {
    state.work.set_role(current, invitation.role).await?;
    state.work.remove_invitation(invitation).await
}

/// Declines an invitation of the caller's own address.
#[utoipa::path(
    delete,
    path = "/v1/me/invitations/{project}",
    tag = "invitations",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    responses((status = 204, description = "It is gone."), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn decline_invitation(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let Profile { email, .. } = profile(&state, caller).await?;
    let invitation = state.work.invitation_for(&email, project).await?.ok_or(ApiError::NotFound)?;
    query.parse_none()?;
    gone(state.work.remove_invitation(&invitation).await)
}

/// The caller as they are: an access token outlives its session and its account by minutes.
async fn profile(state: &TasksState, caller: Caller) -> Result<Profile, ApiError> {
    let (session, profile) = tokio::join!(require_session(&state.work, caller), state.work.profile(caller.user));
    session?;
    profile?.ok_or(ApiError::Unauthorized)
}

fn gone(removed: Result<(), StoreError>) -> Result<StatusCode, ApiError> {
    match removed {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        // Accepted, declined or withdrawn by another at the same moment.
        Err(StoreError::Conflict { .. }) => Err(ApiError::NotFound),
        Err(error) => Err(error.into()),
    }
}
