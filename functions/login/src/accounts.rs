use api::{ApiError, BodyProblems, PublicProblems, RawBody};
use axum::Json;
use axum::extract::State;
use domain::{EmailAddress, Letter, Locale, Name, PartId, Recipient, TimeZoneName};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Filed, LetterKind, LetterLimit, OneTimeToken, Part, PartContent, TokenHash, TokenPurpose};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::LocaleSchema;
use crate::{Login, random};

const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// To one address; anybody can ask in anybody's name.
const LIMIT: LetterLimit = LetterLimit { kind: LetterKind::SignUp, most: 5, window: SignedDuration::from_hours(24) };

/// An account as asked for. There is no password yet: the address is proven first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    #[schema(value_type = String, format = "email", example = "ada@example.com")]
    email: EmailAddress,
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Name,
    /// The language of mails.
    #[serde(default)]
    #[schema(value_type = LocaleSchema, default = "en", required = false)]
    locale: Locale,
    #[serde(default)]
    #[schema(value_type = String, example = "Asia/Seoul", default = "UTC", required = false)]
    time_zone: TimeZoneName,
}

/// Says nothing, on purpose.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {}

/// Asks for an account.
///
/// The answer is always the same. The address gets a mail: with a link that works once within 24 hours, or, if it has an account
/// already, with word of that. Not more than five a day are sent.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 202, description = "A mail is on its way", body = Accepted), PublicProblems, BodyProblems),
)]
pub(crate) async fn create_account(State(login): State<Login>, body: RawBody) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let account: NewAccount = body.parse()?;
    let taken = login.0.accounts.credential(&account.email).await?.is_some();
    let (token, letter) = first_letter(account, taken, random::token()?, PartId(Uuid::now_v7()), Timestamp::now())?;
    if login.0.accounts.file_token(&login.0.mail, &token, &letter, &LIMIT).await? == Filed::Yes {
        login.0.hints.letter_due(&letter.recipient).await;
    }
    Ok((StatusCode::ACCEPTED, Json(Accepted {})))
}

/// The token and the letter of a sign-up. Also a taken address gets a token, which nobody is ever told: so both take the same work.
fn first_letter(
    account: NewAccount,
    taken: bool,
    token: String,
    id: PartId,
    now: Timestamp,
) -> Result<(OneTimeToken, Part), ApiError> {
    let NewAccount { email, name, locale, time_zone } = account;
    let expires_at = now.checked_add(TOKEN_LIFETIME).map_err(ApiError::internal)?;
    let hash = TokenHash::of(&token);
    let purpose = TokenPurpose::VerifyAddress { email: email.clone(), name: name.clone(), locale, time_zone };
    let letter = if taken { Letter::AddressTaken { locale } } else { Letter::VerifyAddress { name, token, locale } };
    let letter = Part { recipient: Recipient::Address(email), due_at: now, content: PartContent::Letter { id, letter } };
    Ok((OneTimeToken { hash, purpose, expires_at }, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(taken: bool) -> Letter {
        let body = r#"{"email": "Ada@Example.com", "name": "Ada"}"#;
        let account: NewAccount = serde_json::from_str(body).expect("a good body");
        let id = PartId(Uuid::from_u128(1));
        let (token, part) = first_letter(account, taken, "secret".to_owned(), id, Timestamp::UNIX_EPOCH).expect("a letter");
        assert_eq!(token.hash, TokenHash::of("secret"));
        assert_eq!(token.expires_at, "1970-01-02T00:00:00Z".parse().expect("a time"));
        let PartContent::Letter { letter, .. } = part.content else { panic!("a letter is a letter") };
        letter
    }

    #[test]
    fn only_a_free_address_is_sent_the_token() {
        let name: Name = "Ada".parse().expect("a name");
        assert_eq!(letter(false), Letter::VerifyAddress { name, token: "secret".to_owned(), locale: Locale::En });
        assert_eq!(letter(true), Letter::AddressTaken { locale: Locale::En });
    }
}
