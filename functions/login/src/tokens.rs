use std::collections::BTreeSet;

use api::{
    API_TOKEN_PREFIX, ApiError, BodyProblems, BusyProblem, CallerProblems, Client, ConflictProblem, ListBody, NotFoundProblem,
    Path, Query, RawBody, SessionCaller,
};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ApiTokenId, Invalid, ProjectId, SecurityEventKind, TokenAccess, TokenName};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{ApiToken, Notice, StoreError, TokenHash};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::events::event;
use crate::password::Attempt;
use crate::proof::{Proven, live_session, prove};
use crate::schema::TokenAccessSchema;
use crate::second_factor::Code;
use crate::{Login, random};

const SECRET_LENGTH: usize = 32;
/// How long a token is good for at most.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(366 * 24);
/// How many tokens a person has at most.
const MOST_TOKENS: usize = 50;
/// How many projects a token is limited to at most; without a limit it reaches all that its owner is in.
const MOST_PROJECTS: usize = 50;

/// A token for a script, as asked for, and the proof that it is its owner who wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiToken {
    /// What to know it by.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: TokenName,
    #[schema(value_type = TokenAccessSchema)]
    access: TokenAccess,
    /// The projects it reaches; null for all that its owner is a member of at the time.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 50)]
    projects: Option<Projects>,
    /// In the future, and at most 366 days from now.
    expires_at: Timestamp,
    #[schema(value_type = String, format = "password", max_length = 128)]
    password: Attempt,
    /// Of the second factor, where it is on: six digits, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Code>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<ProjectId>")]
struct Projects(BTreeSet<ProjectId>);

impl TryFrom<Vec<ProjectId>> for Projects {
    type Error = Invalid;

    fn try_from(projects: Vec<ProjectId>) -> Result<Self, Invalid> {
        match projects.len() {
            0 => Err(Invalid::new("is empty: give null for all projects")),
            1..=MOST_PROJECTS => Ok(Self(projects.into_iter().collect())),
            _ => Err(Invalid::new(format!("has more than {MOST_PROJECTS} projects"))),
        }
    }
}

/// A token for a script, without the secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiToken)]
pub(crate) struct ApiTokenBody {
    #[schema(value_type = Uuid)]
    id: ApiTokenId,
    name: String,
    #[schema(value_type = TokenAccessSchema)]
    access: TokenAccess,
    /// The projects it reaches; null for all.
    #[schema(required, value_type = Option<Vec<Uuid>>)]
    projects: Option<BTreeSet<ProjectId>>,
    created_at: Timestamp,
    expires_at: Timestamp,
    /// To the hour; null where it was never used.
    #[schema(required)]
    last_used_at: Option<Timestamp>,
}

/// A new token, with the secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiToken)]
pub(crate) struct CreatedApiTokenBody {
    #[serde(flatten)]
    described: ApiTokenBody,
    /// To be sent as `Authorization: Bearer ...`.
    #[schema(example = "baton_...")]
    token: String,
}

impl From<ApiToken> for ApiTokenBody {
    fn from(token: ApiToken) -> Self {
        let ApiToken { id, user: _, hash: _, name, access, projects, created_at, expires_at, last_used_at } = token;
        Self { id, name: name.to_string(), access, projects, created_at, expires_at, last_used_at }
    }
}

/// Lists the caller's API tokens, newest first: at most 50, so always on one page.
#[utoipa::path(
    get, path = "/v1/me/tokens", tag = "credentials", security(("bearer" = [])),
    responses((status = 200, description = "All tokens", body = ListBody<ApiTokenBody>), CallerProblems),
)]
pub(crate) async fn list_tokens(
    State(login): State<Login>,
    caller: SessionCaller,
    query: Query,
) -> Result<Json<ListBody<ApiTokenBody>>, ApiError> {
    live_session(&login, &caller).await?;
    query.parse_none()?;
    let items = live_tokens(&login, &caller, Timestamp::now()).await?.into_iter().map(ApiTokenBody::from).collect();
    Ok(Json(ListBody { items, next_cursor: None }))
}

/// Makes an API token: accepted wherever an access token is, but not for making, changing or showing credentials.
#[utoipa::path(
    post, path = "/v1/me/tokens", tag = "credentials", security(("bearer" = [])), request_body = NewApiToken,
    responses(
        (status = 201, description = "The token, with its secret", body = CreatedApiTokenBody),
        CallerProblems, BodyProblems, ConflictProblem, BusyProblem,
    ),
)]
pub(crate) async fn create_token(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<(StatusCode, Json<CreatedApiTokenBody>), ApiError> {
    live_session(&login, &caller).await?;
    let NewApiToken { name, access, projects, expires_at, password, code } = body.parse()?;
    // Judged before the proof, which uses a code up.
    let asked_at = Timestamp::now();
    judge_expiry(expires_at, asked_at)?;
    if live_tokens(&login, &caller, asked_at).await?.len() >= MOST_TOKENS {
        return Err(ApiError::conflict(format!("There are {MOST_TOKENS} tokens already; revoke one first.")));
    }
    // A token lives on after the session: with a copied access token alone nobody is to get one.
    let Proven { credential, .. } = prove(&login, &caller, password, "/password", code, &device).await?;
    let now = Timestamp::now();
    let token = secret()?;
    let (user, id, hash) = (caller.user, ApiTokenId(Uuid::now_v7()), TokenHash::of(&token));
    let kind = SecurityEventKind::TokenMade { name: name.clone() };
    let notice = Notice::of(event(user, kind, device, now));
    let projects = projects.map(|Projects(projects)| projects);
    let made = ApiToken { id, user, hash, name, access, projects, created_at: now, expires_at, last_used_at: None };
    login.0.accounts.create_api_token(&login.0.mail, &credential, &made, &notice).await?;
    login.0.hints.letter_due(notice.recipient()).await;
    Ok((StatusCode::CREATED, Json(CreatedApiTokenBody { described: made.into(), token })))
}

/// Revokes an API token: from the next request on it is nobody's.
#[utoipa::path(
    delete, path = "/v1/me/tokens/{token}", tag = "credentials", security(("bearer" = [])), params(("token" = Uuid, Path)),
    responses((status = 204, description = "Revoked"), CallerProblems, NotFoundProblem),
)]
pub(crate) async fn revoke_token(
    State(login): State<Login>,
    caller: SessionCaller,
    Path((id,)): Path<(ApiTokenId,)>,
    Client(device): Client,
    query: Query,
) -> Result<StatusCode, ApiError> {
    live_session(&login, &caller).await?;
    let now = Timestamp::now();
    let token = live_tokens(&login, &caller, now).await?.into_iter().find(|it| it.id == id).ok_or(ApiError::NotFound)?;
    query.parse_none()?;
    let kind = SecurityEventKind::TokenRevoked { name: token.name.clone() };
    match login.0.accounts.revoke_api_token(&token, &event(caller.user, kind, device, now)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Conflict { .. }) => Err(ApiError::NotFound),
        Err(error) => Err(error.into()),
    }
}

async fn live_tokens(login: &Login, caller: &SessionCaller, now: Timestamp) -> Result<Vec<ApiToken>, ApiError> {
    let mut tokens = login.0.accounts.api_tokens(caller.user).await?;
    // What has expired is removed some time later.
    tokens.retain(|it| now < it.expires_at);
    tokens.sort_by_key(|it| std::cmp::Reverse((it.created_at, it.id)));
    Ok(tokens)
}

fn judge_expiry(expires_at: Timestamp, now: Timestamp) -> Result<(), ApiError> {
    if expires_at <= now {
        return Err(ApiError::invalid("/expires_at", "is not in the future"));
    }
    if expires_at > now.checked_add(LONGEST_LIFE).map_err(ApiError::internal)? {
        return Err(ApiError::invalid("/expires_at", "is more than 366 days from now"));
    }
    Ok(())
}

/// A secret of 256 bits, marked as one of ours.
fn secret() -> Result<String, ApiError> {
    Ok(format!("{API_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::octets::<SECRET_LENGTH>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_within_366_days() {
        let now = Timestamp::UNIX_EPOCH;
        let check = |after: SignedDuration, good: bool| assert_eq!(judge_expiry(now + after, now).is_ok(), good, "{after}");
        check(SignedDuration::ZERO, false);
        check(SignedDuration::from_secs(1), true);
        check(LONGEST_LIFE, true);
        check(LONGEST_LIFE + SignedDuration::from_nanos(1), false);
    }

    #[test]
    fn a_limit_to_projects_names_1_to_50() {
        let check = |count: u128, good: bool| {
            let ids: Vec<ProjectId> = (0..count).map(|it| ProjectId(Uuid::from_u128(it))).collect();
            assert_eq!(Projects::try_from(ids).is_ok(), good, "{count}");
        };
        check(0, false);
        check(1, true);
        check(50, true);
        check(51, false);
    }

    #[test]
    fn a_token_is_of_256_bits_and_known_by_its_beginning() {
        let token = secret().expect("randomness");
        let octets = URL_SAFE_NO_PAD.decode(token.strip_prefix("baton_").expect("the prefix")).expect("base64url");
        assert_eq!(octets.len(), 32);
        assert_ne!(secret().expect("randomness"), token);
    }
}
