use api::{ApiError, BodyProblems, BusyProblem, Client, Problem, PublicProblems, RawBody};
use axum::Json;
use axum::extract::State;
use axum_extra::extract::CookieJar;
use domain::EmailAddress;
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{AddressHash, Attempts, Bucket, Credential, StoreError};
use utoipa::ToSchema;

use crate::Login;
use crate::browser::Cookie;
use crate::device::KnownDevice;
use crate::guess::reserve;
use crate::password::{Attempt, Verdict};
use crate::second_factor::{Code, spend_code};
use crate::secrets::Keys;
use crate::start::{LoggedInBody, Start};
use crate::ticket::{TICKET_LIFETIME, Ticket};

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    #[schema(value_type = String, format = "email")]
    email: EmailAddress,
    #[schema(value_type = String, format = "password")]
    password: Attempt,
    /// Whether the tokens that are kept are to travel as cookies that no script can read, and not in the body.
    #[serde(default)]
    cookie: bool,
    /// The `device_token` of the last log-in on this device; without it here the cookie says it.
    device_token: Option<String>,
}

/// The second step of a log-in: a code of the authenticator app or a recovery code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecondStep {
    /// As the first step gave it.
    ticket: String,
    #[schema(value_type = Option<String>, example = "123456")]
    code: Option<Code>,
    /// In place of `code`.
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Code>,
    /// Whether the tokens that are kept are to travel as cookies that no script can read, and not in the body.
    #[serde(default)]
    cookie: bool,
    /// The `device_token` of the last log-in on this device; without it here the cookie says it.
    device_token: Option<String>,
}

/// Logged in, or halfway there.
#[derive(Serialize, ToSchema)]
#[schema(as = LogInAnswer)]
#[serde(untagged)]
pub(crate) enum LogInBody {
    LoggedIn(LoggedInBody),
    SecondFactorNeeded(SecondFactorNeededBody),
}

/// The password was right, and a second factor is on: the second step takes the ticket and a code.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorNeeded)]
pub(crate) struct SecondFactorNeededBody {
    #[schema(example = "totp")]
    second_factor: &'static str,
    ticket: String,
    /// How long the ticket is good for, in seconds.
    #[schema(example = 300)]
    expires_in: i64,
}

/// Logs in, or takes the first of two steps where a second factor is on.
///
/// Failures are counted, for the device where `device_token` says that it has been logged in on before, else for the address: after some
/// of them every further attempt has to wait longer.
#[utoipa::path(
    post, path = "/v1/login", tag = "sessions", request_body = LogIn,
    params(("__Host-baton-device" = Option<String>, Cookie, description = "The device token, where the body has none.")),
    responses(
        (status = 200, description = "Logged in, or a ticket for the second step", body = LogInBody,
            headers(("set-cookie" = String, description = "With `cookie: true`"))),
        (status = 401, description = "Wrong or unknown", body = Problem, content_type = "application/problem+json"),
        PublicProblems, BodyProblems, BusyProblem,
    ),
)]
pub(crate) async fn log_in(
    State(login): State<Login>,
    Client(device): Client,
    jar: CookieJar,
    body: RawBody,
) -> Result<(HeaderMap, Json<LogInBody>), ApiError> {
    let LogIn { email, password, cookie, device_token } = body.parse()?;
    let (keys, now) = (login.0.secrets.keys().await?, Timestamp::now());
    let shown = shown_device(device_token, &jar, keys, now);
    let Found { credential, known, bucket, attempts } = find(&login, &email, shown, now).await?;
    let credential = check_password(&login, credential, password, &bucket, attempts, now).await?;
    if credential.second_factor.is_some() {
        let ticket = Ticket::new(credential.user, &credential.password_hash, keys).text(now, keys);
        let expires_in = TICKET_LIFETIME.as_secs();
        let body = SecondFactorNeededBody { second_factor: "totp", ticket, expires_in };
        return Ok((HeaderMap::new(), Json(LogInBody::SecondFactorNeeded(body))));
    }
    let start = Start { credential, device, known, clears: vec![bucket], cookie };
    let (headers, body) = start.run(&login, keys).await?;
    Ok((headers, Json(LogInBody::LoggedIn(body))))
}

/// Takes the second step of a log-in.
///
/// A code works once. Wrong codes of the app are counted as wrong passwords are in the first step; recovery codes, which nobody guesses,
/// are not held off.
#[utoipa::path(
    post, path = "/v1/login/second-factor", tag = "sessions", request_body = SecondStep,
    params(("__Host-baton-device" = Option<String>, Cookie, description = "The device token, where the body has none.")),
    responses(
        (status = 200, description = "Logged in", body = LoggedInBody,
            headers(("set-cookie" = String, description = "With `cookie: true`"))),
        (status = 401, description = "A ticket or code that is wrong, used or expired", body = Problem,
            content_type = "application/problem+json"),
        PublicProblems, BodyProblems, BusyProblem,
    ),
)]
pub(crate) async fn log_in_with_second_factor(
    State(login): State<Login>,
    Client(device): Client,
    jar: CookieJar,
    body: RawBody,
) -> Result<(HeaderMap, Json<LoggedInBody>), ApiError> {
    let SecondStep { ticket, code, recovery_code, cookie, device_token } = body.parse()?;
    let code = one_of(code, recovery_code)?;
    let (keys, now) = (login.0.secrets.keys().await?, Timestamp::now());
    let ticket = Ticket::read(&ticket, now, keys).ok_or(ApiError::CredentialsRefused)?;
    let known = shown_device(device_token, &jar, keys, now).filter(|it| it.user == ticket.user);
    let factor = Bucket::Factor(ticket.user, known.map(|it| it.id));
    let (profile, attempts) = tokio::try_join!(login.0.work.profile(ticket.user), login.0.accounts.attempts(&factor))?;
    let email = profile.ok_or(ApiError::CredentialsRefused)?.email;
    let credential = login.0.accounts.credential(&email).await?;
    let credential = credential.filter(|it| it.user == ticket.user && ticket.is_for(&it.password_hash, keys));
    let credential = credential.filter(|it| it.second_factor.is_some()).ok_or(ApiError::CredentialsRefused)?;
    match code {
        Code::Totp(_) => reserve(&login, &factor, attempts, now).await?,
        // Nobody guesses one (NIST SP 800-63B-4, section 3.1.2.2, asks for a limit below 64 bits), and it lets somebody in whose counter a
        // thief of the password has run up.
        Code::Recovery(_) => {}
    }
    if !spend_code(&login, &credential, &code, &device).await? {
        return Err(ApiError::CredentialsRefused);
    }
    let clears = vec![bucket(&email, known), factor];
    let (headers, body) = Start { credential, device, known, clears, cookie }.run(&login, keys).await?;
    Ok((headers, Json(body)))
}

/// What there is about an address before its password is looked at.
struct Found {
    credential: Option<Credential>,
    /// The device, if its owner has logged in on it before.
    known: Option<KnownDevice>,
    bucket: Bucket,
    attempts: Attempts,
}

/// Asks the same of the table for every address, known or not and whosever the device is: what is asked could be timed.
async fn find(login: &Login, email: &EmailAddress, shown: Option<KnownDevice>, now: Timestamp) -> Result<Found, ApiError> {
    let accounts = &login.0.accounts;
    let (by_address, by_device) = (bucket(email, None), shown.map(|it| bucket(email, Some(it))));
    let attempts_by_device = async {
        match &by_device {
            Some(bucket) => accounts.attempts(bucket).await,
            None => Ok(Attempts::default()),
        }
    };
    let (credential, address_attempts, device_attempts) =
        tokio::try_join!(accounts.credential(email), accounts.attempts(&by_address), attempts_by_device)?;
    let is_held_off = device_attempts.blocked_until.is_some_and(|until| now < until);
    // A reset of the password lets its owner in by the address. Their own device is not to stand in their way, with failures from before:
    // it is as good as a new one.
    let is_known =
        |it: &KnownDevice, of: &Credential| of.user == it.user && !(is_held_off && it.was_used_before(of.password_changed_at));
    let known = shown.filter(|it| credential.as_ref().is_some_and(|of| is_known(it, of)));
    Ok(match by_device.filter(|_| known.is_some()) {
        Some(bucket) => Found { credential, known, bucket, attempts: device_attempts },
        None => Found { credential, known, bucket: by_address, attempts: address_attempts },
    })
}

/// What failed passwords are counted by: a known device has a counter of its own, which nobody else can run up.
fn bucket(email: &EmailAddress, known: Option<KnownDevice>) -> Bucket {
    match known {
        Some(KnownDevice { user, id, .. }) => Bucket::Device(user, id),
        None => Bucket::Address(AddressHash::from(email)),
    }
}

/// The credential whose password was given, hashed under today's parameters. An unknown address takes as long as a wrong password.
async fn check_password(
    login: &Login,
    credential: Option<Credential>,
    password: Attempt,
    bucket: &Bucket,
    attempts: Attempts,
    now: Timestamp,
) -> Result<Credential, ApiError> {
    // Before it is counted: whoever is turned away for the crowd of others has not guessed.
    let place = login.0.hasher.place()?;
    reserve(login, bucket, attempts, now).await?;
    let stored = credential.as_ref().map(|it| it.password_hash.clone());
    let verdict = login.0.hasher.check(place, password, stored).await?;
    let (Some(credential), true) = (credential, verdict != Verdict::Wrong) else { return Err(ApiError::CredentialsRefused) };
    let Verdict::RightButWeak { new_hash } = verdict else { return Ok(credential) };
    match login.0.accounts.set_password_hash(&credential, &new_hash).await {
        Ok(()) => Ok(Credential { password_hash: new_hash, ..credential }),
        // Another log-in has just done the same, or the password is another one now.
        Err(StoreError::Conflict { .. }) => {
            let now = login.0.accounts.credential(&credential.email).await?;
            let same = now.filter(|it| it.user == credential.user && it.password_changed_at == credential.password_changed_at);
            same.ok_or(ApiError::CredentialsRefused)
        }
        Err(error) => Err(error.into()),
    }
}

/// The device that this is, as far as it shows one of ours; the body's token goes before the cookie's.
fn shown_device(token: Option<String>, jar: &CookieJar, keys: &Keys, now: Timestamp) -> Option<KnownDevice> {
    KnownDevice::read(&token.or_else(|| Cookie::Device.read(jar))?, now, keys)
}

fn one_of(code: Option<Code>, recovery_code: Option<Code>) -> Result<Code, ApiError> {
    match (code, recovery_code) {
        (Some(code), None) | (None, Some(code)) => Ok(code),
        (None, None) => Err(ApiError::invalid("/code", "is missing, and so is a recovery code")),
        (Some(_), Some(_)) => Err(ApiError::invalid("/recovery_code", "is not to be given beside a code")),
    }
}
