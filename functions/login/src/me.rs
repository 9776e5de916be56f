use api::{ApiError, BodyProblems, Caller, CallerProblems, ConflictProblem, Grant, Query, RawBody, SessionCaller};
use axum::Json;
use axum::extract::State;
use domain::{
    Choice, DigestHour, Locale, Name, Notify, NotifyPatch, Profile, ProfilePatch, QuietHours, TimeZoneName, UserId, set,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::StoreError;
use utoipa::ToSchema;

use crate::Login;
use crate::proof::live_session;
use crate::schema::{ChoiceSchema, LocaleSchema, QuietHoursSchema};

/// How often a change is tried on a profile that its owner changes elsewhere meanwhile.
const MOST_ATTEMPTS: usize = 3;

/// The caller, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub(crate) struct MeBody {
    #[schema(value_type = Uuid)]
    id: UserId,
    #[schema(format = Email)]
    email: String,
    name: String,
    /// The language of mails.
    #[schema(value_type = LocaleSchema)]
    locale: Locale,
    #[schema(value_type = String, example = "Asia/Seoul")]
    time_zone: TimeZoneName,
    notify: NotifyBody,
}

/// When to mail of what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notify)]
pub(crate) struct NotifyBody {
    #[schema(value_type = ChoiceSchema)]
    assigned: Choice,
    #[schema(value_type = ChoiceSchema)]
    status: Choice,
    #[schema(value_type = ChoiceSchema)]
    edited: Choice,
    #[schema(value_type = ChoiceSchema)]
    deleted: Choice,
    /// When the daily digest comes, in the person's time zone.
    #[schema(value_type = u8, maximum = 23)]
    digest_hour: DigestHour,
    /// Null where there are none.
    #[schema(value_type = Option<QuietHoursSchema>, required)]
    quiet_hours: Option<QuietHours>,
}

/// What to change about oneself; what is absent is kept.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProfilePatch)]
pub(crate) struct MePatch {
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = false)]
    name: Option<Name>,
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = LocaleSchema, required = false)]
    locale: Option<Locale>,
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = String, example = "Asia/Seoul", required = false)]
    time_zone: Option<TimeZoneName>,
    #[serde(default, deserialize_with = "api::set_object")]
    #[schema(value_type = MeNotifyPatch, required = false)]
    notify: Option<MeNotifyPatch>,
}

/// When to mail of what; what is absent is kept.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotifyPatch)]
pub(crate) struct MeNotifyPatch {
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = ChoiceSchema, required = false)]
    assigned: Option<Choice>,
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = ChoiceSchema, required = false)]
    status: Option<Choice>,
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = ChoiceSchema, required = false)]
    edited: Option<Choice>,
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = ChoiceSchema, required = false)]
    deleted: Option<Choice>,
    /// When the daily digest comes, in the person's time zone.
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = u8, maximum = 23, required = false)]
    digest_hour: Option<DigestHour>,
    /// `null` clears them.
    #[serde(default, deserialize_with = "api::set_or_clear_object")]
    #[schema(value_type = Option<QuietHoursSchema>)]
    quiet_hours: Option<Option<QuietHours>>,
}

/// What the body of a request asks for. A session that is over is answered before whatever is wrong with the body.
///
/// # Errors
/// 401, where there is something wrong with both; else as [`RawBody::parse`]. The session of a good body is judged by
/// [`prove`](crate::proof::prove).
pub(crate) async fn asked<T: DeserializeOwned>(login: &Login, caller: &SessionCaller, body: &RawBody) -> Result<T, ApiError> {
    match body.parse() {
        Ok(asked) => Ok(asked),
        Err(refusal) => {
            live_session(login, caller).await?;
            Err(refusal)
        }
    }
}

/// Shows the caller.
#[utoipa::path(
    get, path = "/v1/me", tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = MeBody), CallerProblems),
)]
pub(crate) async fn read_me(State(login): State<Login>, caller: Caller, query: Query) -> Result<Json<MeBody>, ApiError> {
    let profile = own_profile(&login, &caller).await?;
    query.parse_none()?;
    Ok(Json(profile.into()))
}

/// Changes the caller's name, language, time zone, or what they want to hear of.
#[utoipa::path(
    patch, path = "/v1/me", tag = "me", security(("bearer" = [])),
    request_body(content((MePatch = "application/json"), (MePatch = "application/merge-patch+json"))),
    responses((status = 200, description = "The caller, changed", body = MeBody), CallerProblems, BodyProblems, ConflictProblem),
)]
pub(crate) async fn update_me(State(login): State<Login>, caller: Caller, body: RawBody) -> Result<Json<MeBody>, ApiError> {
    let before = own_profile(&login, &caller).await?;
    let patch: ProfilePatch = body.parse_patch::<MePatch>()?.into();
    let after = change_profile(&login, before, |it| it.apply(patch.clone())).await?;
    Ok(Json(after.into()))
}

/// Saves what `change` makes of a profile, and of the profile as it is by then, if it was changed meanwhile.
pub(crate) async fn change_profile(
    login: &Login,
    mut before: Profile,
    change: impl Fn(&Profile) -> Profile,
) -> Result<Profile, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let after = change(&before);
        if after == before {
            return Ok(after);
        }
        match login.0.work.update_profile(&before, &after).await {
            Ok(()) => return Ok(after),
            Err(StoreError::Conflict { .. }) => before = profile(login, before.id).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::conflict("Your profile is being changed by several at once; try again."))
}

/// The caller's profile, where their session goes on; the scope of an API token was judged already.
async fn own_profile(login: &Login, caller: &Caller) -> Result<Profile, ApiError> {
    match caller.grant {
        Grant::Session { session, .. } => {
            let caller = SessionCaller { user: caller.user, session };
            tokio::try_join!(profile(login, caller.user), live_session(login, &caller)).map(|(profile, _)| profile)
        }
        Grant::Token(_) => profile(login, caller.user).await,
    }
}

async fn profile(login: &Login, user: UserId) -> Result<Profile, ApiError> {
    // A token can outlive its account by the minutes it is good for.
    login.0.work.profile(user).await?.ok_or(ApiError::Unauthorized)
}

impl From<Profile> for MeBody {
    fn from(profile: Profile) -> Self {
        let Profile { id, email, name, locale, time_zone, notify, unsubscribe_secret: _ } = profile;
        let Notify { assigned, status, edited, deleted, digest_hour, quiet_hours } = notify;
        let notify = NotifyBody { assigned, status, edited, deleted, digest_hour, quiet_hours };
        Self { id, email: email.to_string(), name: name.to_string(), locale, time_zone, notify }
    }
}

impl From<MePatch> for ProfilePatch {
    fn from(patch: MePatch) -> Self {
        let MePatch { name, locale, time_zone, notify } = patch;
        Self { name, locale, time_zone, notify: notify.map(Into::into) }
    }
}

impl From<MeNotifyPatch> for NotifyPatch {
    fn from(patch: MeNotifyPatch) -> Self {
        let MeNotifyPatch { assigned, status, edited, deleted, digest_hour, quiet_hours } = patch;
        Self { assigned, status, edited, deleted, digest_hour, quiet_hours }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_keeps_what_it_does_not_name_and_refuses_what_it_cannot_mean() {
        let patch: MePatch = serde_json::from_str(r#"{"notify": {"edited": "none"}}"#).expect("a good patch");
        let notify = Some(NotifyPatch { edited: Some(Choice::None), ..NotifyPatch::default() });
        assert_eq!(ProfilePatch::from(patch), ProfilePatch { notify, ..ProfilePatch::default() });
        let patch: MePatch = serde_json::from_str(r#"{"notify": {"quiet_hours": null}}"#).expect("a good patch");
        let notify = Some(NotifyPatch { quiet_hours: Some(None), ..NotifyPatch::default() });
        assert_eq!(ProfilePatch::from(patch), ProfilePatch { notify, ..ProfilePatch::default() });
        for body in [
            r#"{"email": "a@example.com"}"#,
            r#"{"name": null}"#,
            r#"{"locale": "de"}"#,
            r#"{"notify": {"edited": "daily"}}"#,
            r#"{"notify": ["none"]}"#,
            r#"{"notify": {"digest_hour": 24}}"#,
            r#"{"notify": {"digest_hour": null}}"#,
            r#"{"notify": {"quiet_hours": ["22:00", "07:00"]}}"#,
            r#"{"notify": {"quiet_hours": {"from": "22:00", "to": "22:00"}}}"#,
            r#"{"notify": {"quiet_hours": {"from": "22:00", "to": "7:00"}}}"#,
        ] {
            assert!(serde_json::from_str::<MePatch>(body).is_err(), "{body}");
        }
    }
}
