use axum::extract::{FromRef, FromRequestParts, MatchedPath, RawPathParams};
use domain::{ApiTokenId, SessionId, UserId};
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use store::EndedSessions;

use crate::api_token::is_api_token;
use crate::scope::{Asked, Scope};
use crate::{ApiError, TokenVerifier};

/// Who asks, and by what right. As 401 goes before all else, it is the first argument of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    pub grant: Grant,
}

/// What somebody asks by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The access token of a session. It outlives its session by minutes, so whoever takes it looks whether the session has ended.
    Session {
        session: SessionId,
        /// When the access token was made, to the second.
        issued_at: Timestamp,
    },
    /// A personal API token, whose scope was judged already.
    Token(ApiTokenId),
}

/// Somebody who logged in: as [`Caller`], but API tokens are refused with 403. For whatever makes, changes or shows credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCaller {
    pub user: UserId,
    pub session: SessionId,
}

impl Caller {
    /// Judges an access token by the sessions of its user that ended while it may still be good (OWASP ASVS 5.0, 7.4.1).
    ///
    /// # Errors
    /// 401 where its session is among them.
    pub fn check_session(&self, ended: &EndedSessions) -> Result<(), ApiError> {
        match self.grant {
            Grant::Session { session, issued_at } if ended.contains(session, issued_at) => {
                tracing::info!(session.id = %session, reason = "its session has ended", "refused an access token");
                Err(ApiError::Unauthorized)
            }
            Grant::Session { .. } | Grant::Token(_) => Ok(()),
        }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    TokenVerifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::Unauthorized)?;
        let verifier = TokenVerifier::from_ref(state);
        if !is_api_token(token) {
            return verifier.verify(token).await;
        }
        let token = verifier.api_token(token).await?;
        check_scope(Scope { access: token.access, projects: token.projects.as_ref() }, parts).await?;
        verifier.touch(&token).await;
        Ok(Self { user: token.user, grant: Grant::Token(token.id) })
    }
}

async fn check_scope(scope: Scope<'_>, parts: &mut Parts) -> Result<(), ApiError> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok();
    let project = params.as_ref().and_then(|it| it.iter().find(|(name, _)| *name == "project"));
    // Outside of a route of ours there is no path that a token would reach.
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    scope.check(Asked { method: &parts.method, route, project: project.map(|(_, value)| value) })
}

/// The token of `Authorization: Bearer ...` (RFC 6750, section 2.1); the only way to send one, as a URL ends up in logs.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<S> FromRequestParts<S> for SessionCaller
where
    S: Send + Sync,
    TokenVerifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Caller::from_request_parts(parts, state).await?.try_into()
    }
}

impl TryFrom<Caller> for SessionCaller {
    type Error = ApiError;

    fn try_from(Caller { user, grant }: Caller) -> Result<Self, ApiError> {
        match grant {
            Grant::Session { session, .. } => Ok(Self { user, session }),
            Grant::Token(_) => Err(ApiError::forbidden("This needs a log-in; an API token does not reach it.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::any;
    use domain::{ProjectId, TokenAccess};
    use http::header::HeaderValue;
    use http::{Method, StatusCode};
    use tower::ServiceExt;
    use uuid::Uuid;

    use super::*;

    const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
    const USER: UserId = UserId(Uuid::from_u128(2));
    const SESSION: SessionId = SessionId(Uuid::from_u128(3));

    /// What a token that reads one project is told by a router of such paths.
    async fn status(method: Method, path: &str) -> StatusCode {
        let handler = any(|request: Request| async {
            let (mut parts, _) = request.into_parts();
            let projects = BTreeSet::from([PROJECT]);
            check_scope(Scope { access: TokenAccess::Read, projects: Some(&projects) }, &mut parts).await
        });
        let paths = ["/v1/projects/{project}/tasks/{task}", "/v1/me/{project}", "/v1/projects"];
        let router = paths.into_iter().fold(Router::new(), |router, path| router.route(path, handler.clone()));
        let router = router.fallback(handler);
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        router.oneshot(request).await.expect("a router answers").status()
    }

    #[tokio::test]
    async fn the_route_and_the_project_in_it_are_what_a_token_is_held_to() {
        let (ours, other) = (PROJECT, Uuid::from_u128(9));
        assert_eq!(status(Method::GET, &format!("/v1/projects/{ours}/tasks/1")).await, StatusCode::OK);
        assert_eq!(status(Method::GET, &format!("/v1/projects/%30{}/tasks/1", &ours.to_string()[1..])).await, StatusCode::OK);
        assert_eq!(status(Method::POST, &format!("/v1/projects/{ours}/tasks/1")).await, StatusCode::FORBIDDEN);
        assert_eq!(status(Method::GET, &format!("/v1/projects/{other}/tasks/{ours}")).await, StatusCode::NOT_FOUND);
        assert_eq!(status(Method::GET, &format!("/v1/me/{ours}")).await, StatusCode::FORBIDDEN);
        assert_eq!(status(Method::GET, &format!("/v1/projects?project={ours}")).await, StatusCode::FORBIDDEN);
        assert_eq!(status(Method::GET, &format!("/v1/projects/{ours}/tasks/1/elsewhere")).await, StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_log_in_is_more_than_an_api_token() {
        let issued_at = Timestamp::UNIX_EPOCH;
        let logged_in = Caller { user: USER, grant: Grant::Session { session: SESSION, issued_at } };
        assert_eq!(SessionCaller::try_from(logged_in).ok(), Some(SessionCaller { user: USER, session: SESSION }));
        let script = Caller { user: USER, grant: Grant::Token(ApiTokenId(Uuid::from_u128(4))) };
        assert_eq!(SessionCaller::try_from(script).map_err(|it| it.status()), Err(StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_token_is_sent_in_one_header_and_nowhere_else() {
        let read = |values: &[&'static str]| {
            let (mut parts, ()) = Request::builder().uri("/v1/me?access_token=abc").body(()).expect("a request").into_parts();
            for value in values {
                parts.headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer(&parts).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["bearer  abc "]).as_deref(), Some("abc"));
        for values in [&[][..], &["Bearer"], &["Basic abc"], &["abc"], &["Bearer abc", "Bearer abc"]] {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
