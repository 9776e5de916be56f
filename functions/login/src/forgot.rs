use api::{ApiError, BodyProblems, BusyProblem, Client, ConflictProblem, PublicProblems, RawBody};
use axum::Json;
use axum::extract::State;
use domain::{EmailAddress, Letter, Locale, PartId, Recipient, SecurityEventKind};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::{AddressHash, Bucket, Credential, Filed, LetterKind, LetterLimit, Notice, OneTimeToken, Part, PartContent};
use store::{StoreError, TokenHash, TokenPurpose};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::Accepted;
use crate::change_password::{MOST_ATTEMPTS, sessions_but};
use crate::events::event;
use crate::password::{Owner, WantedPassword};
use crate::proof::as_proven;
use crate::{Login, Parts, random};

const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// Whoever uses this up has filled the owner's inbox with links that work: it locks nobody out.
const LIMIT: LetterLimit = LetterLimit { kind: LetterKind::Reset, most: 3, window: SignedDuration::from_hours(1) };

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgotten {
    #[schema(value_type = String, format = "email", example = "ada@example.com")]
    email: EmailAddress,
}

/// The proof that the account's mails are read, and the password from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordReset {
    /// As in the link that was mailed.
    token: String,
    /// At least 15 characters, or 8 where a second factor is on.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    new: WantedPassword,
}

/// Asks for a link by which to set a new password.
///
/// The answer is always the same. The address gets a mail: with a link that works once within an hour, or, if it has no account, with
/// word of that. More than three of them an hour are not sent.
#[utoipa::path(
    post, path = "/v1/password/forgot", tag = "accounts", request_body = Forgotten,
    responses((status = 202, description = "A mail is on its way", body = Accepted), PublicProblems, BodyProblems),
)]
pub(crate) async fn forgot_password(State(login): State<Login>, body: RawBody) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let Forgotten { email } = body.parse()?;
    let Parts { accounts, mail, hints, .. } = &*login.0;
    let credential = accounts.credential(&email).await?;
    let now = Timestamp::now();
    let (token, letter) = reset_letter(email, credential, random::token()?, PartId(Uuid::now_v7()), now)?;
    if accounts.file_token(mail, &token, &letter, &LIMIT).await? == Filed::Yes {
        hints.letter_due(&letter.recipient).await;
    }
    Ok((StatusCode::ACCEPTED, Json(Accepted {})))
}

/// The token and the letter. Also an unknown address gets a token, which nobody is ever told and which resets nothing: so both take
/// the same work.
fn reset_letter(
    email: EmailAddress,
    credential: Option<Credential>,
    token: String,
    id: PartId,
    now: Timestamp,
) -> Result<(OneTimeToken, Part), ApiError> {
    let expires_at = now.checked_add(TOKEN_LIFETIME).map_err(ApiError::internal)?;
    let hash = TokenHash::of(&token);
    let user = credential.as_ref().map(|it| it.user);
    let password_fingerprint = credential.map(|it| TokenHash::of(&it.password_hash));
    let purpose = TokenPurpose::ResetPassword { user, email: email.clone(), password_fingerprint };
    let (recipient, letter) = match user {
        Some(user) => (Recipient::User(user), Letter::ResetPassword { token }),
        None => (Recipient::Address(email), Letter::NoAccount { locale: Locale::default() }),
    };
    let letter = Part { recipient, due_at: now, content: PartContent::Letter { id, letter } };
    Ok((OneTimeToken { hash, purpose, expires_at }, letter))
}

/// Sets a new password by the link that was mailed.
///
/// All sessions end, and what was counted of wrong guesses is forgotten. A second factor stays as it is; what was only
/// begun, a change of address for one, ends. Links for an earlier password do not work any more.
#[utoipa::path(
    post, path = "/v1/password/reset", tag = "accounts", request_body = PasswordReset,
    responses((status = 204, description = "The password is set"), PublicProblems, BodyProblems, ConflictProblem, BusyProblem),
)]
pub(crate) async fn reset_password(
    State(login): State<Login>,
    Client(device): Client,
    body: RawBody,
) -> Result<StatusCode, ApiError> {
    let PasswordReset { token, new } = body.parse()?;
    let Parts { accounts, work, mail, hints, hasher, .. } = &*login.0;
    let token = TokenHash::of(&token);
    let credential = credential_of(&login, &token).await?;
    let user = credential.user;
    let profile = work.profile(user).await?.ok_or_else(bad_token)?;
    let owner = Owner { email: &credential.email, name: &profile.name };
    let new = new.accept("/new", &owner, credential.second_factor.is_some())?;
    let new = hasher.hash(new).await?;
    let now = Timestamp::now();
    let notice = Notice::of(event(user, SecurityEventKind::PasswordReset, device, now));
    let clears = [Bucket::Address(AddressHash::from(&credential.email)), Bucket::Proof(user)];
    let mut read = credential;
    for _ in 0..MOST_ATTEMPTS {
        let sessions = sessions_but(&login, user, None).await?;
        match accounts.reset_password(work, mail, &token, &read, &new, &sessions, &clears, &notice, now).await {
            Ok(()) => {
                hints.letter_due(notice.recipient()).await;
                return Ok(StatusCode::NO_CONTENT);
            }
            // Used in the same moment, the password changed another way, or only a log-in.
            Err(StoreError::Conflict { .. }) => {
                credential_of(&login, &token).await?;
                read = as_proven(&login, &read).await?.ok_or_else(bad_token)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::conflict("Somebody logs in at this moment, again and again; try again."))
}

/// The credential whose password the token sets, where it is still the password the token was made for.
async fn credential_of(login: &Login, token: &TokenHash) -> Result<Credential, ApiError> {
    let found = login.0.accounts.token(token, Timestamp::now()).await?.ok_or_else(bad_token)?;
    let TokenPurpose::ResetPassword { user: Some(user), email, password_fingerprint: Some(fingerprint) } = found.purpose else {
        return Err(bad_token());
    };
    let credential = login.0.accounts.credential(&email).await?;
    let is_as_then = |it: &Credential| it.user == user && TokenHash::of(&it.password_hash) == fingerprint;
    credential.filter(is_as_then).ok_or_else(bad_token)
}

fn bad_token() -> ApiError {
    ApiError::invalid("/token", "is not known, was used, or has expired; ask for a new one")
}
