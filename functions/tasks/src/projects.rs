use api::{
    ApiError, BodyProblems, Caller, CallerProblems, ConflictProblem, IdempotencyKey, ListBody, NotFoundProblem, Paging, Path,
    Query, RawBody, RoleProblem,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Membership, NewProject, Project, ProjectId, ProjectName, Role, UserId};
use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ProjectCreation, RequestHash, StoreError};
use utoipa::ToSchema;

use crate::TasksState;
use crate::access::{Access, MOST_ATTEMPTS, TOO_BUSY, judged, require_session};
use crate::schema::RoleSchema;

/// A project as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Project)]
pub struct ProjectBody {
    #[schema(value_type = Uuid)]
    pub id: ProjectId,
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    pub name: ProjectName,
    /// What the caller may do in it.
    #[schema(value_type = RoleSchema)]
    pub role: Role,
    #[schema(value_type = Uuid)]
    pub created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl ProjectBody {
    fn new(project: Project, role: Role) -> Self {
        let Project { id, name, created_by, created_at, deleted_at: _ } = project;
        Self { id, name, role, created_by, created_at }
    }
}

/// A project as asked for.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = NewProject)]
pub struct NewProjectSchema {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A change of a project as asked for: an absent field keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectPatch {
    #[serde(default, deserialize_with = "domain::set")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    pub name: Option<ProjectName>,
}

/// Lists the projects the caller is a member of, in order of joining.
#[utoipa::path(
    get,
    path = "/v1/projects",
    tag = "projects",
    security(("bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of projects.", body = ListBody<ProjectBody>), CallerProblems)
)]
pub(crate) async fn list_projects(
    State(state): State<TasksState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ListBody<ProjectBody>>, ApiError> {
    let (paging, session) = judged(query.parse::<Paging>(), require_session(&state.work, caller)).await?;
    let position = paging.position();
    let (session, page) = tokio::join!(session, state.work.projects_of(caller.user, paging.limit.get(), position.as_ref()));
    session?;
    Ok(Json(ListBody::new(page?, |(project, role)| ProjectBody::new(project, role))))
}

/// Creates a project, with the caller as its owner.
///
/// With an `Idempotency-Key` a repeated request finds what the first one made: the same body gets the same answer, another body
/// 422, and 409 when the project was deleted since.
#[utoipa::path(
    post,
    path = "/v1/projects",
    tag = "projects",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A name the client gives to this create: 1 to 255 visible ASCII characters.", min_length = 1, max_length = 255, pattern = "^[!#-~]+$")),
    request_body = NewProjectSchema,
    responses(
        (status = 201, description = "The project.", body = ProjectBody, headers(("Location" = String, description = "Its path."))),
        CallerProblems, BodyProblems, ConflictProblem
    )
)]
pub(crate) async fn create_project(
    State(state): State<TasksState>,
    caller: Caller,
    key: IdempotencyKey,
    body: RawBody,
) -> Result<Response, ApiError> {
    require_session(&state.work, caller).await?;
    let user = caller.user;
    let new: NewProject = body.parse()?;
    let id = ProjectId(key.id(user, "projects", None)?);
    let request_hash = key.is_given().then(|| request_hash(&new));
    let now = state.clock.now();
    let project = Project { id, name: new.name, created_by: user, created_at: now, deleted_at: None };
    let owner = Membership { project: id, user, role: Role::Owner, joined_at: now, left_at: None };
    match state.work.create_project(&project, &owner, request_hash.as_ref()).await? {
        ProjectCreation::Created => Ok(created(project)),
        ProjectCreation::Replayed { request_hash: before, .. } if before != request_hash => {
            Err(ApiError::invalid("", "is not what was sent under this Idempotency-Key before"))
        }
        ProjectCreation::Replayed { project: Project { deleted_at: Some(_), .. }, .. } => {
            Err(ApiError::conflict("The project that was made under this Idempotency-Key was deleted since."))
        }
        // Its name as it was asked for, whatever it is called by now: the answer is the same as the first time.
        ProjectCreation::Replayed { project: Project { created_at, .. }, .. } => Ok(created(Project { created_at, ..project })),
    }
}

/// Shows a project.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}",
    tag = "projects",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    responses((status = 200, description = "The project.", body = ProjectBody), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn get_project(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<ProjectBody>, ApiError> {
    let access = Access::load(&state.work, project, caller).await?;
    query.parse_none()?;
    let role = access.role();
    Ok(Json(ProjectBody::new(access.project, role)))
}

/// Renames a project.
#[utoipa::path(
    patch,
    path = "/v1/projects/{project}",
    tag = "projects",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    request_body(content((ProjectPatch = "application/json"), (ProjectPatch = "application/merge-patch+json"))),
    responses(
        (status = 200, description = "The project.", body = ProjectBody),
        CallerProblems, NotFoundProblem, BodyProblems, RoleProblem, ConflictProblem
    )
)]
pub(crate) async fn update_project(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    body: RawBody,
) -> Result<Json<ProjectBody>, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let access = Access::load(&state.work, project, caller).await?;
        access.require_owner()?;
        let ProjectPatch { name } = body.parse_patch()?;
        let role = access.role();
        let before = access.project;
        let after = Project { name: name.unwrap_or_else(|| before.name.clone()), ..before.clone() };
        if after == before {
            return Ok(Json(ProjectBody::new(before, role)));
        }
        match state.work.update_project(&before, &after).await {
            // Renamed or deleted meanwhile: what is there now is read again.
            Err(StoreError::Conflict { .. }) => {}
            saved => return saved.map(|()| Json(ProjectBody::new(after, role))).map_err(ApiError::from),
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

/// Deletes a project, which hides everything under it.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}",
    tag = "projects",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    responses((status = 204, description = "It is gone."), CallerProblems, NotFoundProblem, RoleProblem)
)]
pub(crate) async fn delete_project(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let access = Access::load(&state.work, project, caller).await?;
    access.require_owner()?;
    query.parse_none()?;
    match state.work.delete_project(project, state.clock.now()).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        // Another owner was faster.
        Err(StoreError::Conflict { .. }) => Err(ApiError::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// What tells one body from another, however it is written.
fn request_hash(new: &NewProject) -> RequestHash {
    let NewProject { name } = new;
    RequestHash::of(json!([name]).to_string().as_bytes())
}

fn created(project: Project) -> Response {
    let location = format!("/v1/projects/{}", project.id);
    (StatusCode::CREATED, [(LOCATION, location)], Json(ProjectBody::new(project, Role::Owner))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_when_absent_and_cannot_be_cleared() {
        let parsed = |body: &str| serde_json::from_str::<ProjectPatch>(body);
        assert_eq!(parsed("{}").ok(), Some(ProjectPatch::default()));
        assert_eq!(parsed(r#"{"name": " Pumps "}"#).ok().and_then(|it| it.name), "Pumps".parse().ok());
        for body in [r#"{"name": null}"#, r#"{"name": ""}"#, r#"{"colour": "red"}"#] {
            assert!(parsed(body).is_err(), "{body}");
        }
    }

    #[test]
    fn another_name_is_another_request() {
        let new = |body: &str| serde_json::from_str::<NewProject>(body).expect("a valid project");
        assert_eq!(request_hash(&new(r#"{"name": "a"}"#)), request_hash(&new(r#"{ "name" : " a " }"#)));
        assert_ne!(request_hash(&new(r#"{"name": "a"}"#)), request_hash(&new(r#"{"name": "b"}"#)));
    }
}
