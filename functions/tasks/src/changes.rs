use api::{ApiError, Caller, CallerProblems, Cursor, Limit, ListBody, NotFoundProblem, Paging, Path, Query};
use axum::Json;
use axum::extract::State;
use domain::{Change, ChangeKind, Description, FieldChange, Invalid, ProjectId, TaskId, Title, UserId, Version};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Changes, Direction, Position, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::TasksState;
use crate::access::{Access, judged};
use crate::schema::{ChangeKindSchema, FieldChangeSchema};

/// How far behind the clock a cursor to poll from stays: the index is eventually consistent, and the clocks of two instances differ.
pub const SETTLES_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// How many of the latest changes are looked at, at once, for one that has settled.
const LATEST: usize = 25;

/// One entry of a task's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeBody {
    /// `<task>:<version>`, unique for ever.
    pub id: String,
    #[schema(value_type = Uuid)]
    pub task: TaskId,
    /// The task's version after this change.
    #[schema(value_type = u64, minimum = 1)]
    pub version: Version,
    #[schema(value_type = ChangeKindSchema)]
    pub kind: ChangeKind,
    /// The task's title after this change.
    #[schema(value_type = String)]
    pub title: Title,
    /// Who did it.
    #[schema(value_type = Uuid)]
    pub actor: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    #[schema(value_type = Vec<FieldChangeSchema>)]
    pub fields: Vec<FieldChange>,
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        let id = change.id();
        let Change { project: _, task, version, kind, title, actor, creator: _, assignee: _, priority: _, at, fields } = change;
        Self { id, task, version, kind, title, actor, at, fields }
    }
}

/// One entry of a task's log, with the description's text after it, if it changed that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WholeChange)]
pub struct WholeChangeBody {
    #[serde(flatten)]
    pub change: ChangeBody,
    /// Only where `fields` names the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, max_length = 10_000)]
    pub description: Option<Description>,
}

/// Which of a project's changes to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectChangesQuery {
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 50, required = false)]
    pub limit: Limit,
    /// Where to go on, newest first: the `next_cursor` of the page before. Not together with `after`.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// What came since, oldest first: `start`, `now`, or the `next_cursor` of the answer before. Not together with `cursor`.
    #[param(value_type = Option<String>)]
    pub after: Option<After>,
}

/// Where to begin with what came since.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum After {
    /// With the project's first change.
    Start,
    /// With what comes from now on.
    Now,
    /// With what comes after a position. No position is spelled like one of the words.
    Cursor(Cursor),
}

impl TryFrom<String> for After {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match text.as_str() {
            START => Ok(Self::Start),
            "now" => Ok(Self::Now),
            _ => text.try_into().map(Self::Cursor),
        }
    }
}

const START: &str = "start";

/// Lists a project's changes, newest first; with `after`, what came since, oldest first.
///
/// To follow a project, ask once with `after=now` (answered with an empty list) or `after=start` (from the first change on), and then
/// again and again with the `next_cursor` of the answer before, which is never null with `after`. It never passes the moment five
/// seconds ago, because what was stored a moment ago can show up a moment later: changes of the last seconds may be listed again, and
/// none is missed. Tell them apart by `id`, which is unique for ever.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/changes",
    tag = "changes",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ProjectChangesQuery),
    responses((status = 200, description = "A page of changes.", body = ListBody<ChangeBody>), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn list_project_changes(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<ListBody<ChangeBody>>, ApiError> {
    let (query, access) = judged(parse(&query), Access::load(&state.work, project, caller)).await?;
    let ProjectChangesQuery { limit, cursor, after } = query;
    let settled = state.clock.now() - SETTLES_WITHIN;
    let list = async {
        let position = match after {
            None => {
                let cursor = cursor.map(Position::from);
                let changes = &state.changes;
                let page = changes.project_changes(project, Direction::NewestFirst, limit.get(), cursor.as_ref()).await?;
                return Ok(ListBody::new(page, ChangeBody::from));
            }
            Some(After::Now) => {
                let latest = latest_settled(&state.changes, project, settled).await?;
                return Ok(ListBody { items: Vec::new(), next_cursor: Some(spelled(latest.as_ref())) });
            }
            Some(After::Start) => None,
            Some(After::Cursor(cursor)) => Some(Position::from(cursor)),
        };
        let page = state.changes.project_changes(project, Direction::OldestFirst, limit.get(), position.as_ref()).await?;
        let next = last_settled(&page.items, settled).or(position);
        let items = page.items.into_iter().map(ChangeBody::from).collect();
        Ok::<_, StoreError>(ListBody { items, next_cursor: Some(spelled(next.as_ref())) })
    };
    let (access, list) = tokio::join!(access, list);
    access?;
    Ok(Json(list?))
}

/// Lists a task's changes, newest first, also those of a deleted task.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/tasks/{task}/changes",
    tag = "changes",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path), Paging),
    responses((status = 200, description = "A page of changes.", body = ListBody<ChangeBody>), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn list_task_changes(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
) -> Result<Json<ListBody<ChangeBody>>, ApiError> {
    let (paging, access) = judged(query.parse::<Paging>(), Access::load(&state.work, project, caller)).await?;
    let position = paging.position();
    let (access, page) = tokio::join!(access, state.changes.task_changes(project, task, paging.limit.get(), position.as_ref()));
    access?;
    let page = page?;
    // Every task has a first change, so a task without any never was.
    if position.is_none() && page.items.is_empty() {
        return Err(ApiError::NotFound);
    }
    Ok(Json(ListBody::new(page, ChangeBody::from)))
}

/// Shows one change, with the description's text after it, if it changed that.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/tasks/{task}/changes/{version}",
    tag = "changes",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path), ("version" = u64, Path, description = "The task's version after the change.")),
    responses((status = 200, description = "The change.", body = WholeChangeBody), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn get_change(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task, version)): Path<(ProjectId, TaskId, Version)>,
    query: Query,
) -> Result<Json<WholeChangeBody>, ApiError> {
    let (access, change, description) = tokio::join!(
        Access::load(&state.work, project, caller),
        state.changes.change(project, task, version),
        state.changes.description(project, task, version),
    );
    access?;
    let change = change?.ok_or(ApiError::NotFound)?;
    query.parse_none()?;
    Ok(Json(WholeChangeBody { change: change.into(), description: description? }))
}

fn parse(query: &Query) -> Result<ProjectChangesQuery, ApiError> {
    let query: ProjectChangesQuery = query.parse()?;
    if query.after.is_some() && query.cursor.is_some() {
        return Err(ApiError::bad_request("Send after or cursor, not both."));
    }
    Ok(query)
}

/// A place to go on from; the reserved word where there is none yet.
fn spelled(position: Option<&Position>) -> String {
    position.map_or_else(|| START.to_owned(), ToString::to_string)
}

/// The place of the last of some changes, oldest first, that nothing can turn up before any more.
fn last_settled(changes: &[Change], settled: Timestamp) -> Option<Position> {
    changes.iter().rfind(|it| it.at <= settled).map(Changes::project_position)
}

/// The place of the latest change of all that nothing can turn up before any more.
async fn latest_settled(changes: &Changes, project: ProjectId, settled: Timestamp) -> Result<Option<Position>, StoreError> {
    let mut position = None;
    loop {
        let page = changes.project_changes(project, Direction::NewestFirst, LATEST, position.as_ref()).await?;
        if let Some(change) = page.items.iter().find(|it| it.at <= settled) {
            return Ok(Some(Changes::project_position(change)));
        }
        let Some(next) = page.next else { return Ok(None) };
        position = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use domain::{NewTask, Task, TaskPatch};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn task() -> (Task, Change) {
        let new: NewTask = serde_json::from_value(json!({"title": "Fix the pump"})).expect("a valid task");
        let (id, project, user) = (TaskId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)));
        Task::create(new, id, project, user, AT)
    }

    fn change(patch: Value) -> Change {
        let patch: TaskPatch = serde_json::from_value(patch).expect("a valid patch");
        task().0.apply(patch, UserId(Uuid::from_u128(4)), AT).expect("a change").1
    }

    #[test]
    fn a_change_names_what_it_did_and_keeps_the_description_to_itself() {
        let patch = json!({
            "title": "Fix both pumps", "description": "They drip", "status": "done", "assignee": Uuid::from_u128(3),
            "priority": "high", "due_on": "2026-12-01", "labels": ["water"],
        });
        let shown = serde_json::to_value(ChangeBody::from(change(patch))).expect("a change is JSON");
        let expected = json!({
            "id": "00000000-0000-0000-0000-000000000001:2",
            "task": "00000000-0000-0000-0000-000000000001",
            "version": 2,
            "kind": "updated",
            "title": "Fix both pumps",
            "actor": "00000000-0000-0000-0000-000000000004",
            "at": "1970-01-01T00:00:00Z",
            "fields": [
                {"name": "title", "from": "Fix the pump", "to": "Fix both pumps"},
                {"name": "description"},
                {"name": "status", "from": "waiting", "to": "done"},
                {"name": "assignee", "from": null, "to": "00000000-0000-0000-0000-000000000003"},
                {"name": "priority", "from": "none", "to": "high"},
                {"name": "due_on", "from": null, "to": "2026-12-01"},
                {"name": "labels", "from": [], "to": ["water"]},
            ],
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_text_of_a_description_is_shown_where_it_was_changed_only() {
        let shown = |description| {
            let body = WholeChangeBody { change: change(json!({"status": "done"})).into(), description };
            serde_json::to_value(body).expect("a change is JSON").get("description").cloned()
        };
        assert_eq!(shown(None), None);
        assert_eq!(shown(Some(Description::default())), Some(json!("")));
    }

    #[test]
    fn a_cursor_to_poll_from_stays_behind_what_can_still_turn_up() {
        let at = |seconds| Change { at: AT + SignedDuration::from_secs(seconds), ..task().1 };
        let changes = [at(1), at(2), at(7), at(8)];
        let settled = AT + SignedDuration::from_secs(3);
        assert_eq!(last_settled(&changes, settled), Some(Changes::project_position(&at(2))));
        assert_eq!(last_settled(&changes, AT), None);
        assert_eq!(spelled(None), "start");
    }

    #[test]
    fn what_came_since_begins_at_a_word_or_a_cursor() {
        let after = |text: &str| After::try_from(text.to_owned());
        assert!(matches!(after("start"), Ok(After::Start)));
        assert!(matches!(after("now"), Ok(After::Now)));
        assert!(matches!(after(&Changes::project_position(&task().1).to_string()), Ok(After::Cursor(_))));
        assert!(after("").is_err());
        assert!(after("yesterday!").is_err());
    }
}
