use api::{ApiError, BodyProblems, BusyProblem, CallerProblems, Client, ConflictProblem, PublicProblems, RawBody, SessionCaller};
use axum::Json;
use axum::extract::State;
use domain::{EmailAddress, Letter, PartId, Profile, Recipient, SecurityEventKind};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{AddressSide, EmailChange, Filed, LetterKind, LetterLimit, Notice, OneTimeToken, Part, PartContent, StoreError};
use store::{TokenHash, TokenPurpose};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::Accepted;
use crate::change_password::MOST_ATTEMPTS;
use crate::events::event;
use crate::me::asked;
use crate::password::Attempt;
use crate::proof::{Proven, prove};
use crate::second_factor::Code;
use crate::{Login, Parts, random};

const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const LIMIT: LetterLimit = LetterLimit { kind: LetterKind::EmailChange, most: 5, window: SignedDuration::from_hours(24) };

/// The address the account is to move to, and the proof that it is its owner who wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEmail {
    #[schema(value_type = String, format = "email", example = "ada@example.com")]
    email: EmailAddress,
    #[schema(value_type = String, format = "password", max_length = 128)]
    password: Attempt,
    /// Of the second factor, where it is on: six digits, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Code>,
}

/// The agreement to a change of address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agreement {
    /// As in the link that was mailed.
    token: String,
}

/// How far a change of address is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EmailChange)]
pub(crate) struct EmailChangeBody {
    /// Whether the account has the new address from here on.
    changed: bool,
    /// Whose link was not followed yet: the `old` address's, the `new` one's, or, once it has changed, nobody's.
    #[schema(value_type = Option<AddressSideSchema>, required)]
    waiting_for: Option<AddressSide>,
}

/// One of the two addresses of a change.
#[derive(ToSchema)]
#[schema(as = AddressSide, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) enum AddressSideSchema {
    Old,
    New,
}

/// Asks for a change of address.
///
/// The answer is always the same. Both addresses get a link, good for 24 hours; the account moves once both were followed. A new address
/// that has an account gets word of that instead. Asking again ends an earlier change that is not complete. Not more than five a day are
/// sent to one address.
#[utoipa::path(
    post, path = "/v1/me/email", tag = "credentials", security(("bearer" = [])), request_body = NewEmail,
    responses((status = 202, description = "Mails are on their way", body = Accepted), CallerProblems, BodyProblems, ConflictProblem, BusyProblem),
)]
pub(crate) async fn change_email(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let NewEmail { email, password, code } = asked(&login, &caller, &body).await?;
    let Proven { profile, credential } = prove(&login, &caller, password, "/password", code, &device).await?;
    if email == credential.email {
        return Err(ApiError::invalid("/email", "is the address of this account already"));
    }
    let Parts { accounts, mail, hints, .. } = &*login.0;
    let taken = accounts.credential(&email).await?.is_some();
    let now = Timestamp::now();
    let event = event(profile.id, SecurityEventKind::EmailChangeAsked, device, now);
    let expires_at = now.checked_add(LIFETIME).map_err(ApiError::internal)?;
    let old = credential.email.clone();
    let (id, user) = (event.id, event.user);
    let change = EmailChange { id, user, old, new: email, old_confirmed: false, new_confirmed: false, expires_at };
    let to_old = asks_old(&change, random::token()?, now);
    let to_new = asks_new(&change, &profile, taken, random::token()?, now);
    let (tokens, letters) = ([&to_old.0, &to_new.0], [&to_old.1, &to_new.1]);
    let filed = accounts.start_email_change(mail, &credential, &change, tokens, letters, &LIMIT, &event).await;
    if filed? == Filed::Yes {
        for letter in letters {
            hints.letter_due(&letter.recipient).await;
        }
    }
    Ok((StatusCode::ACCEPTED, Json(Accepted {})))
}

fn asks_old(change: &EmailChange, token: String, now: Timestamp) -> (OneTimeToken, Part) {
    let one_time = one_time(change, AddressSide::Old, &token);
    let letter = Letter::ApproveEmailChange { token, new: change.new.clone() };
    (one_time, part(Recipient::User(change.user), letter, now))
}

/// Also a taken address gets a token, which nobody is ever told: so both take the same work.
fn asks_new(change: &EmailChange, profile: &Profile, taken: bool, token: String, now: Timestamp) -> (OneTimeToken, Part) {
    let one_time = one_time(change, AddressSide::New, &token);
    let locale = profile.locale;
    let letter = if taken { Letter::AddressTaken { locale } } else { Letter::ConfirmNewEmail { token, locale } };
    (one_time, part(Recipient::Address(change.new.clone()), letter, now))
}

fn one_time(change: &EmailChange, side: AddressSide, token: &str) -> OneTimeToken {
    let purpose = TokenPurpose::ChangeEmail { user: change.user, change: change.id, side };
    OneTimeToken { hash: TokenHash::of(token), purpose, expires_at: change.expires_at }
}

fn part(recipient: Recipient, letter: Letter, now: Timestamp) -> Part {
    Part { recipient, due_at: now, content: PartContent::Letter { id: PartId(Uuid::now_v7()), letter } }
}

/// Agrees to a change of address, by the link that was mailed to one of the two; the account moves when both were followed.
#[utoipa::path(
    post, path = "/v1/email/confirm", tag = "accounts", request_body = Agreement,
    responses((status = 200, description = "Noted", body = EmailChangeBody), PublicProblems, BodyProblems, ConflictProblem),
)]
pub(crate) async fn confirm_email(
    State(login): State<Login>,
    Client(device): Client,
    body: RawBody,
) -> Result<Json<EmailChangeBody>, ApiError> {
    let Agreement { token } = body.parse()?;
    let Parts { accounts, work, mail, hints, .. } = &*login.0;
    let now = Timestamp::now();
    let found = accounts.token(&TokenHash::of(&token), now).await?.ok_or_else(bad_token)?;
    let TokenPurpose::ChangeEmail { user, change: id, side } = found.purpose else { return Err(bad_token()) };
    for _ in 0..MOST_ATTEMPTS {
        let change = accounts.email_change(user).await?.filter(|it| it.id == id && now < it.expires_at).ok_or_else(bad_token)?;
        let change = match accounts.confirm_email_side(&change, side, now).await {
            Ok(change) => change,
            // Completed or replaced in the same moment.
            Err(StoreError::Conflict { .. }) => return Err(bad_token()),
            Err(error) => return Err(error.into()),
        };
        if let Some(side) = change.waiting_for() {
            return Ok(Json(EmailChangeBody { changed: false, waiting_for: Some(side) }));
        }
        let (credential, profile, taken) =
            tokio::try_join!(accounts.credential(&change.old), work.profile(user), accounts.credential(&change.new))?;
        let (credential, profile) = credential.filter(|it| it.user == user).zip(profile).ok_or_else(bad_token)?;
        // Completed in the same moment: by the other link, or by this one twice.
        if taken.as_ref().is_some_and(|it| it.user == user) {
            return Err(bad_token());
        }
        if taken.is_some() {
            return Err(ApiError::conflict("The new address has got an account of its own since this change was asked for."));
        }
        let notice = Notice::of(event(user, SecurityEventKind::EmailChanged, device.clone(), now));
        let letter = Letter::EmailChanged { locale: profile.locale };
        let to_old = part(Recipient::Address(change.old.clone()), letter, now);
        match accounts.finish_email_change(work, mail, &change, &credential, &notice, &to_old, now).await {
            Ok(()) => {
                hints.letter_due(&to_old.recipient).await;
                hints.letter_due(notice.recipient()).await;
                return Ok(Json(EmailChangeBody { changed: true, waiting_for: None }));
            }
            // Completed in the same moment, or only a log-in: what holds is read again.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::conflict("The account is being changed at the same moment; try again."))
}

fn bad_token() -> ApiError {
    ApiError::invalid("/token", "is not known, was used, or has expired; ask for the change again")
}
