use api::RawBody;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use domain::{Description, NewTask, ProjectId, Task, TaskId, TaskPatch, TaskSummary, UserId};
use futures::FutureExt;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use uuid::Uuid;

/// A body is refused with a status of the contract, or makes one whole step from one good task to the next.
pub fn read(input: &[u8]) {
    let request = Request::patch("/v1/projects/p/tasks/t").header(CONTENT_TYPE, "application/merge-patch+json");
    let request = request.body(Body::from(input.to_vec())).expect("a request");
    let Ok(body) = RawBody::from_request(request, &()).now_or_never().expect("a body that is all there is read at once");
    let patch = match body.parse_patch::<TaskPatch>() {
        Ok(patch) => patch,
        Err(error) => {
            let refusals = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
            assert!(refusals.contains(&error.status()), "{error}");
            return;
        }
    };
    let before = task();
    let (actor, now) = (UserId(Uuid::from_u128(4)), Timestamp::MAX);
    let Some((after, change)) = before.apply(patch.clone(), actor, now) else { return };
    assert_eq!(after.summary.version, before.summary.version.next());
    assert_eq!((change.version, change.at, change.actor), (after.summary.version, after.summary.updated_at, actor));
    assert!(!change.fields.is_empty(), "a change says what changed");
    assert_eq!(after.apply(patch, actor, now), None, "the same patch twice changes nothing");

    let stored = serde_json::to_string(&after.summary).expect("a task is JSON");
    assert_eq!(serde_json::from_str::<TaskSummary>(&stored).ok(), Some(after.summary), "as stored");
    assert_eq!(Description::try_from(after.description.as_str().to_owned()), Ok(after.description), "as stored");
}

fn task() -> Task {
    let body = r#"{"title": "Fix the pump", "description": "It drips.", "labels": ["boiler"], "due_on": "2026-12-01"}"#;
    let new: NewTask = serde_json::from_str(body).expect("a good task");
    let (id, project) = (TaskId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)));
    Task::create(new, id, project, UserId(Uuid::from_u128(3)), Timestamp::UNIX_EPOCH).0
}
