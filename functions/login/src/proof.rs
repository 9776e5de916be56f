use api::{ApiError, SessionCaller};
use domain::{Device, Profile};
use jiff::Timestamp;
use store::{Bucket, Credential, Session};

use crate::Login;
use crate::guess::reserve;
use crate::password::{Attempt, Verdict};
use crate::second_factor::{Code, spend_code};

/// Who has proven once more that it is them: as read after the code was spent.
pub(crate) struct Proven {
    pub(crate) profile: Profile,
    pub(crate) credential: Credential,
}

/// Asks somebody who is logged in for all their factors again, before a credential is made or changed (OWASP ASVS 5.0, 7.5.1). Looks at
/// their session first, so it is all a handler has to call.
///
/// # Errors
/// 401, where the session is over; 409, where the account is changed in this very moment; 429, where too many were wrong; 422 at
/// `password_field` or at `/code`, where they are.
pub(crate) async fn prove(
    login: &Login,
    caller: &SessionCaller,
    password: Attempt,
    password_field: &'static str,
    code: Option<Code>,
    device: &Device,
) -> Result<Proven, ApiError> {
    let (accounts, bucket, now) = (&login.0.accounts, Bucket::Proof(caller.user), Timestamp::now());
    let profile = async { Ok(login.0.work.profile(caller.user).await?) };
    let attempts = async { Ok(accounts.attempts(&bucket).await?) };
    let (_, profile, attempts) = tokio::try_join!(live_session(login, caller), profile, attempts)?;
    let profile = profile.ok_or(ApiError::Unauthorized)?;
    let credential = own_credential(login, &profile).await?;
    let code = match &credential.second_factor {
        Some(_) => Some(code.ok_or_else(|| ApiError::invalid("/code", "is missing, as a second factor is on"))?),
        None => None,
    };
    // Before it is counted: whoever is turned away for the crowd of others has not guessed.
    let place = login.0.hasher.place()?;
    reserve(login, &bucket, attempts, now).await?;
    if login.0.hasher.check(place, password, Some(credential.password_hash.clone())).await? == Verdict::Wrong {
        return Err(ApiError::invalid(password_field, "is not the password"));
    }
    let credential = match code {
        None => credential,
        Some(code) => {
            if !spend_code(login, &credential, &code, device).await? {
                return Err(ApiError::invalid("/code", "is wrong, or was used already"));
            }
            // What was proven is a password: whoever set another in this moment, by a link, has not been asked.
            as_proven(login, &credential).await?.ok_or_else(being_changed)?
        }
    };
    accounts.forget_attempts(&bucket).await?;
    Ok(Proven { profile, credential })
}

/// The session of the caller, which every route asks for that asks who calls: an access token outlives its session by minutes.
///
/// # Errors
/// 401, where it has ended or was idle for too long.
pub(crate) async fn live_session(login: &Login, caller: &SessionCaller) -> Result<Session, ApiError> {
    let session = login.0.accounts.session(caller.user, caller.session).await?;
    session.filter(|it| it.is_live(Timestamp::now(), login.0.session_idle)).ok_or(ApiError::Unauthorized)
}

/// What the owner of a profile logs in with.
///
/// # Errors
/// 409, where the account is moved to another address or goes in this very moment.
pub(crate) async fn own_credential(login: &Login, profile: &Profile) -> Result<Credential, ApiError> {
    let credential = login.0.accounts.credential(&profile.email).await?;
    credential.filter(|it| it.user == profile.id).ok_or_else(being_changed)
}

fn being_changed() -> ApiError {
    ApiError::conflict("Your account is being changed; try again.")
}

/// A credential as it is now, where what was proven of it still holds: others may have logged in with it since it was read.
///
/// # Errors
/// 503, where the table does not answer.
pub(crate) async fn as_proven(login: &Login, read: &Credential) -> Result<Option<Credential>, ApiError> {
    let now = login.0.accounts.credential(&read.email).await?;
    let since = |it: &Credential| it.second_factor.as_ref().map(|factor| factor.since);
    Ok(now.filter(|it| it.user == read.user && it.password_hash == read.password_hash && since(it) == since(read)))
}
