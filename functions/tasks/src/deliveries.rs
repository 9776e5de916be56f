use std::collections::BTreeMap;
use std::slice;

use api::{ApiError, Caller, CallerProblems, ListBody, NotFoundProblem, Path, Query, translated};
use axum::Json;
use axum::extract::State;
use domain::{Change, Notify, ProjectId, Subscriptions, TaskId, UserId, Version, audience, owed};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use store::{Cursor, Delivery, DeliveryState, PartContent, Progress, RecipientKey, StoreError, TaskSpan, Timing};
use utoipa::ToSchema;

use crate::TasksState;
use crate::access::Access;
use crate::schema::DeliveryStateSchema;

/// Of how many people it is read at once what they are still owed.
const AT_ONCE: usize = 16;

/// What became of the word of a change to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryBody {
    #[schema(value_type = Uuid)]
    pub user: UserId,
    #[schema(value_type = DeliveryStateSchema)]
    pub state: DeliveryState,
    /// Why it waits, was not sent or did not arrive, in the language of `Accept-Language`; null where there is nothing to say.
    #[schema(required)]
    pub reason: Option<String>,
    /// When it came to this; where it waits, when it is due by itself: the spacing of mails and quiet hours may hold it longer.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Shows who was told of a change by mail, and who is yet to be told.
///
/// Whoever wants no mail of it is not listed. One person can be listed twice, where part of it waits for their digest.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/tasks/{task}/changes/{version}/deliveries",
    tag = "changes",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path), ("version" = u64, Path, description = "The task's version after the change.")),
    responses(
        (status = 200, description = "All of them, by user id.", body = ListBody<DeliveryBody>),
        CallerProblems, NotFoundProblem
    )
)]
pub(crate) async fn list_deliveries(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task, version)): Path<(ProjectId, TaskId, Version)>,
    query: Query,
) -> Result<Json<ListBody<DeliveryBody>>, ApiError> {
    let (access, change, cursor, subscriptions) = tokio::join!(
        Access::load(&state.work, project, caller),
        state.changes.change(project, task, version),
        state.mail.cursor(project, task),
        state.mail.subscriptions(project, task),
    );
    access?;
    let change = change?.ok_or(ApiError::NotFound)?;
    query.parse_none()?;
    let waiting = waiting(&state, &change, &cursor?, &subscriptions?).await?;
    // Read last: what stops waiting meanwhile is among these rather than nowhere.
    let told = state.mail.deliveries_of(project, task, version).await?;
    let is_told = |user: UserId, timing: Option<Timing>| {
        told.iter().any(|it| it.user == user && timing.is_none_or(|timing| it.timing == timing))
    };
    let mut items: Vec<DeliveryBody> =
        waiting.into_iter().filter(|it| !is_told(it.user, it.timing)).map(DeliveryBody::from).collect();
    // Over a span of several people's changes also whoever made this one may have been told, but of the others.
    items.extend(told.into_iter().filter(|it| it.user != change.actor).map(DeliveryBody::from));
    items.sort_by_key(|it| (it.user, it.at));
    Ok(Json(ListBody { items, next_cursor: None }))
}

/// Word that somebody is owed and does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    user: UserId,
    /// Not known before it is planned.
    timing: Option<Timing>,
    at: Timestamp,
}

/// Whoever is owed word of a change and has none yet.
async fn waiting(
    state: &TasksState,
    change: &Change,
    cursor: &Cursor,
    subscriptions: &Subscriptions,
) -> Result<Vec<Waiting>, StoreError> {
    let Change { project, task, version, .. } = *change;
    let audience = audience(slice::from_ref(change), subscriptions);
    let (planned, unplanned): (Vec<UserId>, Vec<UserId>) = audience.into_iter().partition(|it| is_planned(cursor, version, *it));
    let parts = futures::stream::iter(planned)
        .map(async |user| {
            let owed = state.mail.owed_of(&RecipientKey::User(user), project, task).await?;
            let parts = owed.into_iter().filter_map(|it| match it.content {
                PartContent::Task(TaskSpan { from, to, timing, .. }) if (from..=to).contains(&version) => {
                    Some(Waiting { user, timing: Some(timing), at: it.due_at })
                }
                _ => None,
            });
            Ok::<_, StoreError>(parts.collect::<Vec<_>>())
        })
        .buffer_unordered(AT_ONCE)
        .try_concat();
    let (parts, people) = tokio::try_join!(parts, preferences(state, project, &unplanned))?;
    let unplanned = owed(slice::from_ref(change), &people, subscriptions, state.clock.now());
    let by_mail = unplanned.into_iter().filter(|it| !it.now.is_empty() || !it.digest.is_empty());
    Ok(parts.into_iter().chain(by_mail.map(|it| Waiting { user: it.user, timing: None, at: change.at })).collect())
}

/// Whether what a person is owed of a version has been filed. A plan of many people is filed in the order of their ids.
fn is_planned(cursor: &Cursor, version: Version, user: UserId) -> bool {
    let is_filed = |it: &Progress| version <= it.to && user <= it.after;
    version <= cursor.version || cursor.progress.as_ref().is_some_and(is_filed)
}

/// What the current members among some people want to hear of.
async fn preferences(state: &TasksState, project: ProjectId, users: &[UserId]) -> Result<BTreeMap<UserId, Notify>, StoreError> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (memberships, profiles) = tokio::try_join!(state.work.memberships(project, users), state.work.profiles(users))?;
    let is_member = |it: &UserId| memberships.get(it).is_some_and(domain::Membership::is_current);
    Ok(profiles.into_iter().filter(|(user, _)| is_member(user)).map(|(user, profile)| (user, profile.notify)).collect())
}

impl From<Waiting> for DeliveryBody {
    fn from(Waiting { user, timing, at }: Waiting) -> Self {
        let reason = match timing {
            None => "to be looked at soon",
            Some(Timing::Now) => "to go out with the next mail",
            Some(Timing::Digest) => "to go out with the daily digest",
        };
        Self { user, state: DeliveryState::Waiting, reason: Some(translated(reason.to_owned())), at }
    }
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        let Delivery { user, state, reason, at, .. } = delivery;
        Self { user, state, reason: reason.map(translated), at }
    }
}
