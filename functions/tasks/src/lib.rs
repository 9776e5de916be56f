//! Projects, their members, their tasks and what became of these, over HTTP.
//!
//! A handler loads, lets `domain` decide, saves and answers. It sends no mail and publishes no change: the log it writes in the same
//! transaction as the task is what the rest of the system follows.

mod access;
pub mod changes;
pub mod deliveries;
pub mod invitations;
pub mod members;
pub mod notifications;
pub mod projects;
pub mod schema;
mod state;
pub mod subscriptions;
pub mod tasks;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use changes::SETTLES_WITHIN;
pub use state::{Settings, TasksState};

/// Everything this function answers, as it runs alone.
pub fn app(state: TasksState) -> Router {
    let verifier = state.verifier.clone();
    api::finish(routes(state), verifier.issuer())
}

/// The routes alone, for a process that answers those of other functions too.
pub fn routes(state: TasksState) -> Router {
    api::routes(router(), state)
}

/// This function's part of the contract.
#[must_use]
pub fn openapi() -> OpenApi {
    router().into_openapi()
}

fn router() -> OpenApiRouter<TasksState> {
    OpenApiRouter::with_openapi(api::document())
        .routes(routes!(projects::list_projects, projects::create_project))
        .routes(routes!(projects::get_project, projects::update_project, projects::delete_project))
        .routes(routes!(members::list_members))
        .routes(routes!(members::update_member, members::remove_member))
        .routes(routes!(invitations::list_invitations, invitations::create_invitation))
        .routes(routes!(invitations::withdraw_invitation))
        .routes(routes!(invitations::list_my_invitations))
        .routes(routes!(invitations::accept_invitation))
        .routes(routes!(invitations::decline_invitation))
        .routes(routes!(tasks::lists::list_my_tasks))
        .routes(routes!(tasks::lists::list_project_tasks, tasks::creation::create_task))
        .routes(routes!(tasks::get_task, tasks::update_task, tasks::delete_task))
        .routes(routes!(changes::list_project_changes))
        .routes(routes!(changes::list_task_changes))
        .routes(routes!(changes::get_change))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(
            subscriptions::get_project_subscription,
            subscriptions::set_project_subscription,
            subscriptions::end_project_subscription
        ))
        .routes(routes!(
            subscriptions::get_task_subscription,
            subscriptions::set_task_subscription,
            subscriptions::end_task_subscription
        ))
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::count_unread))
        .routes(routes!(notifications::read_notifications))
        .routes(routes!(notifications::read_notification))
}
