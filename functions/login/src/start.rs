use api::ApiError;
use domain::{Device, Profile, SecurityEventKind, SessionId, UserId};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Bucket, Credential, Ending, Notice, Session, SessionStart, StoreError};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Login;
use crate::browser::Cookie;
use crate::device::{DEVICE_LIFETIME_DAYS, KnownDevice};
use crate::events::event;
use crate::proof::as_proven;
use crate::refresh::{TokensBody, pair};
use crate::refresh_token::RefreshToken;
use crate::secrets::Keys;

/// How many sessions a person has at once; with one more, the one that was not used for longest ends.
const MOST_SESSIONS: usize = 50;
/// How often a session is started anew that another log-in at the same moment got in the way of.
const MOST_ROUNDS: usize = 5;

/// The tokens of a new session, and who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = LoggedIn)]
pub(crate) struct LoggedInBody {
    #[serde(flatten)]
    tokens: TokensBody,
    /// To be sent at the next log-in on this device, within a year: so that strangers who guess passwords cannot keep its owner out. Proves
    /// nothing else; absent where it travels as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<String>,
    user: UserBody,
}

/// Who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    #[schema(value_type = Uuid)]
    id: UserId,
    name: String,
    email: String,
}

/// A session about to start: everything has been proven.
pub(crate) struct Start {
    /// As read before the proof; where the password is another one by now, nothing starts.
    pub(crate) credential: Credential,
    pub(crate) device: Device,
    pub(crate) known: Option<KnownDevice>,
    /// The counters this attempt was counted in.
    pub(crate) clears: Vec<Bucket>,
    pub(crate) cookie: bool,
}

impl Start {
    /// Starts it, and tells the owner of a device that was not known, or not since the password was set. The first log-in of all is told
    /// to nobody: it is the owner's own.
    ///
    /// # Errors
    /// 401, where the password was changed meanwhile.
    pub(crate) async fn run(self, login: &Login, keys: &Keys) -> Result<(HeaderMap, LoggedInBody), ApiError> {
        let Self { mut credential, device, known, clears, cookie } = self;
        let (user, now, idle) = (credential.user, Timestamp::now(), login.0.session_idle);
        let token = RefreshToken::first(user, SessionId(Uuid::now_v7()), keys)?;
        let is_news = known.is_none_or(|it| it.was_used_before(credential.password_changed_at));
        let notice = (is_news && credential.has_logged_in()).then(|| new_device(user, &device, now));
        let session = Session {
            user,
            id: token.session,
            refresh_hash: token.hash(),
            previous_hash: None,
            device,
            created_at: now,
            refreshed_at: now,
            expires_at: now.checked_add(login.0.session_lifetime).map_err(ApiError::internal)?,
        };
        let lasts = session.expires_at.duration_since(now).min(idle);
        let access_token = login.0.signing_keys.access_token(&token, now, lasts).await?;
        let profile = start(login, &mut credential, &session, &clears, notice.as_ref(), now).await?;
        if let Some(notice) = &notice {
            login.0.hints.letter_due(notice.recipient()).await;
        }
        let (mut headers, tokens) = pair(access_token, token, lasts, cookie)?;
        let known = known.map_or_else(|| KnownDevice::new(user, now), Ok)?;
        let device_token = keep_device(&known.token(now, keys), cookie, &mut headers)?;
        Ok((headers, LoggedInBody { tokens, device_token, user: user_body(&profile) }))
    }
}

/// Stores the session as one of at most [`MOST_SESSIONS`].
async fn start(
    login: &Login,
    credential: &mut Credential,
    session: &Session,
    clears: &[Bucket],
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<Profile, ApiError> {
    let (accounts, idle) = (&login.0.accounts, login.0.session_idle);
    for _ in 0..MOST_ROUNDS {
        let (profile, sessions) = tokio::try_join!(login.0.work.profile(session.user), accounts.sessions(session.user))?;
        let profile = profile.ok_or(ApiError::CredentialsRefused)?;
        let mut surplus = surplus(sessions, now, idle);
        let ends = surplus.pop();
        if !surplus.is_empty() {
            // Several log-ins at once can start more than there is room for, as each counts the others out.
            accounts.end_sessions(&login.0.work, &login.0.mail, session.user, &surplus, Ending::Quiet, now).await?;
        }
        let start = SessionStart { session, credential, clears, notice, ends, idle };
        match accounts.start_session(&login.0.work, &login.0.mail, &start).await {
            Ok(()) => return Ok(profile),
            // The password was changed, or the session that is to end has just gone on or ended.
            Err(StoreError::Conflict { .. }) => {
                *credential = as_proven(login, credential).await?.ok_or(ApiError::CredentialsRefused)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::unavailable("too many log-ins of one person at once"))
}

/// Which sessions have to end for one more to start.
fn surplus(mut sessions: Vec<Session>, now: Timestamp, idle: SignedDuration) -> Vec<SessionId> {
    sessions.retain(|it| it.is_live(now, idle));
    let many = (sessions.len() + 1).saturating_sub(MOST_SESSIONS);
    sessions.sort_by_key(|it| (it.refreshed_at, it.id));
    sessions.into_iter().take(many).map(|it| it.id).collect()
}

fn new_device(user: UserId, device: &Device, now: Timestamp) -> Notice {
    Notice::of(event(user, SecurityEventKind::NewDevice, device.clone(), now))
}

/// The device's token, where it does not travel as a cookie.
fn keep_device(token: &str, cookie: bool, headers: &mut HeaderMap) -> Result<Option<String>, ApiError> {
    if !cookie {
        return Ok(Some(token.to_owned()));
    }
    let lifetime = SignedDuration::from_hours(24 * i64::from(DEVICE_LIFETIME_DAYS));
    Cookie::Device.set(token, lifetime, headers)?;
    Ok(None)
}

fn user_body(profile: &Profile) -> UserBody {
    UserBody { id: profile.id, name: profile.name.to_string(), email: profile.email.to_string() }
}

#[cfg(test)]
mod tests {
    use store::TokenHash;

    use super::*;

    fn session(number: u128, refreshed: &str) -> Session {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        Session {
            user: UserId(Uuid::from_u128(1)),
            id: SessionId(Uuid::from_u128(number)),
            refresh_hash: TokenHash::of("token"),
            previous_hash: None,
            device: Device::default(),
            created_at: at("2026-11-01T00:00:00Z"),
            refreshed_at: at(refreshed),
            expires_at: at("2026-12-01T00:00:00Z"),
        }
    }

    #[test]
    fn with_a_fifty_first_session_the_one_unused_for_longest_ends() {
        let (now, idle) = ("2026-11-20T00:00:00Z".parse().expect("a time"), SignedDuration::from_hours(7 * 24));
        let mut sessions: Vec<Session> = (1..=49).map(|number| session(number, "2026-11-19T00:00:00Z")).collect();
        assert_eq!(surplus(sessions.clone(), now, idle), []);
        sessions.insert(20, session(100, "2026-11-18T00:00:00Z"));
        assert_eq!(surplus(sessions.clone(), now, idle), [SessionId(Uuid::from_u128(100))]);
        sessions.push(session(101, "2026-11-01T00:00:00Z"));
        assert_eq!(surplus(sessions.clone(), now, idle), [SessionId(Uuid::from_u128(100))], "one that is over takes no room");
        sessions.push(session(102, "2026-11-19T00:00:00Z"));
        assert_eq!(surplus(sessions, now, idle).len(), 2);
    }
}
