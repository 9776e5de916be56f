use api::{ApiError, BodyProblems, BusyProblem, CallerProblems, Client, ConflictProblem, Query, RawBody, SessionCaller};
use axum::Json;
use axum::extract::State;
use domain::{Profile, SecurityEventKind};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Bucket, Credential, NewPassword, Notice, PendingFactor, StoreError};
use utoipa::ToSchema;

use super::code::{self, Code};
use crate::change_password::sessions_but;
use crate::events::event;
use crate::password::{Attempt, Owner, WantedPassword};
use crate::proof::{Proven, live_session, own_credential, prove};
use crate::{Login, guess, random};

/// How long a secret waits for its first code.
const ENROLMENT_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// Whether the caller gives a code besides the password.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub(crate) struct SecondFactorBody {
    enabled: bool,
    #[schema(required)]
    since: Option<Timestamp>,
    #[schema(maximum = 10)]
    recovery_codes_left: usize,
}

/// Who asks for a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    #[schema(value_type = String, format = "password")]
    password: Attempt,
}

/// A secret that counts once a code of it was shown.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingSecondFactor)]
pub(crate) struct EnrolmentBody {
    /// For authenticator apps, as a link or in a QR code.
    #[schema(example = "otpauth://totp/Baton:ada%40example.com?secret=...&issuer=Baton")]
    otpauth_uri: String,
    /// The same secret in base32, to be typed.
    secret: String,
}

/// A code of the new secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    #[schema(value_type = String, example = "123456")]
    code: Code,
}

/// All that somebody logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BothFactors {
    #[schema(value_type = String, format = "password")]
    password: Attempt,
    /// Of the app, or a recovery code.
    #[schema(value_type = String, example = "123456")]
    code: Code,
}

/// All that somebody logs in with, and the password from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    #[schema(value_type = String, format = "password")]
    password: Attempt,
    /// Of the app, or a recovery code.
    #[schema(value_type = String, example = "123456")]
    code: Code,
    /// Needed where the password is shorter than 15 characters, which is enough only with a second factor. Other sessions end with it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password", min_length = 15, max_length = 128)]
    new_password: Option<WantedPassword>,
}

/// Codes for the day the device with the app is lost, each good once.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub(crate) struct RecoveryCodesBody {
    #[schema(min_items = 10, max_items = 10, example = json!(["ABCDEF-GHIJKL-MNOPQR-STUVW2"]))]
    recovery_codes: Vec<String>,
}

/// Shows whether the caller has a second factor.
#[utoipa::path(
    get, path = "/v1/me/second-factor", tag = "credentials", security(("bearer" = [])),
    responses((status = 200, description = "The second factor", body = SecondFactorBody), CallerProblems),
)]
pub(crate) async fn read_second_factor(
    State(login): State<Login>,
    caller: SessionCaller,
    query: Query,
) -> Result<Json<SecondFactorBody>, ApiError> {
    live_session(&login, &caller).await?;
    query.parse_none()?;
    let account = own_account(&login, &caller).await.map_err(|error| match error {
        // The address is just moving: a moment later it can be read.
        ApiError::Conflict(_) => ApiError::unavailable("the account is being changed"),
        error => error,
    });
    let factor = account?.1.second_factor;
    Ok(Json(SecondFactorBody {
        enabled: factor.is_some(),
        since: factor.as_ref().map(|it| it.since),
        recovery_codes_left: factor.map_or(0, |it| it.recovery_hashes.len()),
    }))
}

/// Begins to set up a second factor: a secret for an authenticator app, which counts once it is confirmed, within ten minutes.
#[utoipa::path(
    post, path = "/v1/me/second-factor", tag = "credentials", security(("bearer" = [])), request_body = Enrolment,
    responses(
        (status = 200, description = "The secret, to be confirmed", body = EnrolmentBody),
        CallerProblems, BodyProblems, ConflictProblem, BusyProblem,
    ),
)]
pub(crate) async fn enrol_second_factor(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<Json<EnrolmentBody>, ApiError> {
    live_session(&login, &caller).await?;
    let Enrolment { password } = body.parse()?;
    // Before the password is asked for: with a second factor it alone would prove nothing.
    if own_account(&login, &caller).await?.1.second_factor.is_some() {
        return Err(is_on());
    }
    let Proven { credential, .. } = prove(&login, &caller, password, "/password", None, &device).await?;
    let secret = random::octets::<{ code::SECRET_LENGTH }>()?;
    let until = Timestamp::now().checked_add(ENROLMENT_LIFETIME).map_err(ApiError::internal)?;
    let (otpauth_uri, text) = code::provisioning(&secret, &credential.email)?;
    let pending = PendingFactor { secret: secret.to_vec(), until };
    login.0.accounts.start_enrolment(&credential, &pending).await.map_err(|error| conflict_or(error, is_on))?;
    Ok(Json(EnrolmentBody { otpauth_uri, secret: text }))
}

/// Switches the second factor on, with a first code of it, and shows the recovery codes, this once.
#[utoipa::path(
    post, path = "/v1/me/second-factor/confirm", tag = "credentials", security(("bearer" = [])), request_body = Confirmation,
    responses(
        (status = 200, description = "It is on", body = RecoveryCodesBody),
        CallerProblems, BodyProblems, ConflictProblem, BusyProblem,
    ),
)]
pub(crate) async fn confirm_second_factor(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<Json<RecoveryCodesBody>, ApiError> {
    live_session(&login, &caller).await?;
    let Confirmation { code } = body.parse()?;
    let now = Timestamp::now();
    let bucket = Bucket::Proof(caller.user);
    let attempts = async { Ok(login.0.accounts.attempts(&bucket).await?) };
    let ((_, credential), attempts) = tokio::try_join!(own_account(&login, &caller), attempts)?;
    let pending = credential.pending_factor.as_ref().filter(|it| now < it.until);
    let pending = pending.ok_or_else(|| if credential.second_factor.is_some() { is_on() } else { nothing_pending() })?;
    // Whoever holds a copied access token and guessed the code would lock the owner out.
    guess::reserve(&login, &bucket, attempts, now).await?;
    let step = match &code {
        Code::Totp(code) => code::step_of(code, &pending.secret, now)?,
        Code::Recovery(_) => None,
    };
    let step = step.ok_or_else(wrong_code)?;
    let (shown, hashes) = code::recovery_codes()?;
    let notice = Notice::of(event(caller.user, SecurityEventKind::SecondFactorOn, device, now));
    let confirmed = login.0.accounts.confirm_enrolment(&login.0.mail, &credential, step, &hashes, &notice).await;
    confirmed.map_err(|error| conflict_or(error, is_on))?;
    login.0.hints.letter_due(notice.recipient()).await;
    login.0.accounts.forget_attempts(&bucket).await?;
    Ok(Json(RecoveryCodesBody { recovery_codes: shown }))
}

/// Replaces all recovery codes by ten new ones, shown this once.
#[utoipa::path(
    post, path = "/v1/me/second-factor/recovery-codes", tag = "credentials", security(("bearer" = [])), request_body = BothFactors,
    responses(
        (status = 200, description = "The new codes; the old ones are void", body = RecoveryCodesBody),
        CallerProblems, BodyProblems, ConflictProblem, BusyProblem,
    ),
)]
pub(crate) async fn renew_recovery_codes(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<Json<RecoveryCodesBody>, ApiError> {
    live_session(&login, &caller).await?;
    let BothFactors { password, code } = body.parse()?;
    if own_account(&login, &caller).await?.1.second_factor.is_none() {
        return Err(is_off());
    }
    let Proven { credential, .. } = prove(&login, &caller, password, "/password", Some(code), &device).await?;
    let (shown, hashes) = code::recovery_codes()?;
    let notice = Notice::of(event(caller.user, SecurityEventKind::RecoveryCodesRenewed, device, Timestamp::now()));
    login.0.accounts.renew_recovery_codes(&login.0.mail, &credential, &hashes, &notice).await?;
    login.0.hints.letter_due(notice.recipient()).await;
    Ok(Json(RecoveryCodesBody { recovery_codes: shown }))
}

/// Switches the second factor off.
#[utoipa::path(
    delete, path = "/v1/me/second-factor", tag = "credentials", security(("bearer" = [])), request_body = Removal,
    responses(
        (status = 204, description = "The password alone logs in from here on"),
        CallerProblems, BodyProblems, ConflictProblem, BusyProblem,
    ),
)]
pub(crate) async fn remove_second_factor(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<StatusCode, ApiError> {
    live_session(&login, &caller).await?;
    let Removal { password, code, new_password } = body.parse()?;
    let (profile, credential) = own_account(&login, &caller).await?;
    // All this before the code is spent: another one takes half a minute.
    if credential.second_factor.is_none() {
        return Err(is_off());
    }
    if credential.password_is_short && new_password.is_none() {
        let says = "is missing: without a second factor a password has 15 characters or more";
        return Err(ApiError::invalid("/new_password", says));
    }
    let owner = Owner { email: &profile.email, name: &profile.name };
    let new_password = new_password.map(|it| it.accept("/new_password", &owner, false)).transpose()?;
    let Proven { credential, .. } = prove(&login, &caller, password, "/password", Some(code), &device).await?;
    let new_password = match new_password {
        Some(accepted) => Some(login.0.hasher.hash(accepted).await?),
        None => None,
    };
    let now = Timestamp::now();
    let ends = match new_password {
        Some(_) => sessions_but(&login, caller.user, Some(caller.session)).await?,
        None => Vec::new(),
    };
    let notice = Notice::of(event(caller.user, SecurityEventKind::SecondFactorOff, device, now));
    let Login(parts) = &login;
    let new_password: Option<&NewPassword> = new_password.as_ref();
    parts.accounts.end_second_factor(&parts.work, &parts.mail, &credential, new_password, &ends, &notice, now).await?;
    parts.hints.letter_due(notice.recipient()).await;
    Ok(StatusCode::NO_CONTENT)
}

fn conflict_or(error: StoreError, otherwise: impl FnOnce() -> ApiError) -> ApiError {
    match error {
        StoreError::Conflict { .. } => otherwise(),
        error => error.into(),
    }
}

fn is_on() -> ApiError {
    ApiError::conflict("The second factor is on, or was changed at the same moment; read it again.")
}

fn is_off() -> ApiError {
    ApiError::conflict("There is no second factor.")
}

fn nothing_pending() -> ApiError {
    ApiError::conflict("No secret waits to be confirmed, or it has waited too long; begin again.")
}

fn wrong_code() -> ApiError {
    ApiError::invalid("/code", "is not right, or was used already")
}

async fn own_account(login: &Login, caller: &SessionCaller) -> Result<(Profile, Credential), ApiError> {
    let profile = login.0.work.profile(caller.user).await?.ok_or(ApiError::Unauthorized)?;
    let credential = own_credential(login, &profile).await?;
    Ok((profile, credential))
}
