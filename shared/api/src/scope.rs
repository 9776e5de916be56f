use std::collections::BTreeSet;

use domain::{ProjectId, TokenAccess};
use http::Method;

use crate::ApiError;

/// What an API token reaches. Everything is refused but what stands here, so a new route is out of reach until it is let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) access: TokenAccess,
    /// The only projects it reaches; all of its owner's, where there is no such set.
    pub(crate) projects: Option<&'a BTreeSet<ProjectId>>,
}

/// What is asked for, as routed: the path with its parameters' names, and the project in it as sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) route: &'a str,
    pub(crate) project: Option<&'a str>,
}

const PROJECT: &str = "/v1/projects/{project}";

impl Scope<'_> {
    /// Judges by the token's own limits only, before anything is read, so the answer tells nothing of what there is.
    ///
    /// # Errors
    /// 404 for a project that the token is not for, 403 for whatever else it does not reach.
    pub(crate) fn check(self, asked: Asked<'_>) -> Result<(), ApiError> {
        if !is_open(asked.method, asked.route) {
            return Err(ApiError::forbidden("This needs a log-in; an API token does not reach it."));
        }
        if let Some(projects) = self.projects {
            if !is_under(asked.route, PROJECT) {
                return Err(ApiError::forbidden("This API token is for single projects only."));
            }
            let project: Option<ProjectId> = asked.project.and_then(|it| it.parse().ok());
            if !project.is_some_and(|it| projects.contains(&it)) {
                return Err(ApiError::NotFound);
            }
        }
        match self.access {
            TokenAccess::Read if *asked.method != Method::GET => Err(ApiError::forbidden("This API token can only read.")),
            TokenAccess::Read | TokenAccess::Write => Ok(()),
        }
    }
}

/// What is not about credentials.
fn is_open(method: &Method, route: &str) -> bool {
    match route {
        // To delete the account takes more than a token.
        "/v1/me" => matches!(*method, Method::GET | Method::PATCH),
        "/v1/tasks" | "/v1/projects" => true,
        _ => [PROJECT, "/v1/me/invitations", "/v1/notifications"].iter().any(|it| is_under(route, it)),
    }
}

fn is_under(route: &str, prefix: &str) -> bool {
    route.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const OURS: &str = "01920000-0000-7000-8000-000000000001";
    const OTHER: &str = "01920000-0000-7000-8000-000000000002";
    const SUBSCRIPTION: &str = "/v1/projects/{project}/tasks/{task}/subscription";
    const OVER_ALL_PROJECTS: [&str; 8] = [
        "/v1/me",
        "/v1/tasks",
        "/v1/projects",
        "/v1/me/invitations",
        "/v1/me/invitations/{project}/accept",
        "/v1/notifications",
        "/v1/notifications/unread",
        "/v1/notifications/{notification}/read",
    ];

    fn check(access: TokenAccess, only: Option<&str>, asked: (Method, &str, &str), expected: Option<StatusCode>) {
        let projects = only.map(|it| BTreeSet::from([it.parse().expect("an id")]));
        let scope = Scope { access, projects: projects.as_ref() };
        let (method, route, project) = asked;
        let refused = scope.check(Asked { method: &method, route, project: Some(project).filter(|it| !it.is_empty()) });
        assert_eq!(refused.err().map(|it| it.status()), expected, "{access:?} {only:?} {method} {route} {project}");
    }

    #[test]
    fn a_token_reaches_work_and_no_credentials() {
        for route in OVER_ALL_PROJECTS.into_iter().chain([PROJECT, SUBSCRIPTION]) {
            check(TokenAccess::Write, None, (Method::GET, route, OURS), None);
        }
        for route in [
            "/v1/me/sessions",
            "/v1/me/sessions/{session}",
            "/v1/me/password",
            "/v1/me/email",
            "/v1/me/export",
            "/v1/me/second-factor",
            "/v1/me/second-factor/confirm",
            "/v1/me/tokens",
            "/v1/me/tokens/{token}",
            "/v1/me/events",
            "/v1/mean",
            "/v1/me/invitations-of-others",
            "/v1/notificationsx",
            "/v1/unsubscribe/{token}",
            "/v1/projectsx",
            "/v1/projects/{project}x",
            "/v1/anything-new",
            "/v2/projects",
            "",
        ] {
            for access in [TokenAccess::Read, TokenAccess::Write] {
                check(access, None, (Method::GET, route, ""), Some(StatusCode::FORBIDDEN));
            }
        }
        check(TokenAccess::Write, None, (Method::PATCH, "/v1/me", ""), None);
        check(TokenAccess::Write, None, (Method::DELETE, "/v1/me", ""), Some(StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_token_that_reads_changes_nothing() {
        check(TokenAccess::Read, None, (Method::GET, "/v1/projects/{project}/tasks", OURS), None);
        check(TokenAccess::Read, None, (Method::GET, "/v1/notifications/unread", ""), None);
        check(TokenAccess::Read, None, (Method::POST, "/v1/notifications/read", ""), Some(StatusCode::FORBIDDEN));
        check(TokenAccess::Write, None, (Method::POST, "/v1/notifications/read", ""), None);
        check(TokenAccess::Read, Some(OURS), (Method::PUT, SUBSCRIPTION, OURS), Some(StatusCode::FORBIDDEN));
        for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE, Method::OPTIONS] {
            check(TokenAccess::Read, None, (method.clone(), "/v1/projects", ""), Some(StatusCode::FORBIDDEN));
            check(TokenAccess::Read, Some(OURS), (method.clone(), PROJECT, OURS), Some(StatusCode::FORBIDDEN));
            check(TokenAccess::Write, Some(OURS), (method, PROJECT, OURS), None);
        }
    }

    #[test]
    fn a_token_for_single_projects_knows_of_no_others() {
        let tasks = "/v1/projects/{project}/tasks";
        check(TokenAccess::Write, Some(OURS), (Method::POST, tasks, OURS), None);
        for project in [OTHER, "", "x", "01920000000070008000000000000001", " 01920000-0000-7000-8000-000000000001"] {
            check(TokenAccess::Write, Some(OURS), (Method::POST, tasks, project), Some(StatusCode::NOT_FOUND));
            check(TokenAccess::Read, Some(OURS), (Method::POST, tasks, project), Some(StatusCode::NOT_FOUND));
        }
        for route in OVER_ALL_PROJECTS {
            check(TokenAccess::Write, Some(OURS), (Method::GET, route, OURS), Some(StatusCode::FORBIDDEN));
        }
    }
}
