use jiff::Timestamp;
use store::{ApiToken, TokenHash};

use crate::{ApiError, TokenVerifier};

/// What an API token begins with, so that it is known for one wherever it turns up: base64url of 32 octets follows.
pub const API_TOKEN_PREFIX: &str = "baton_";

const SECRET_LENGTH: usize = 43;

/// Whether this is to be taken for an API token; an access token begins with its header, a JSON object, and so with `ey`.
pub(crate) fn is_api_token(token: &str) -> bool {
    token.starts_with(API_TOKEN_PREFIX)
}

impl TokenVerifier {
    /// What an API token is good for.
    ///
    /// # Errors
    /// 401 for anything but one that was neither revoked nor has expired; 503 when the table does not answer.
    pub(crate) async fn api_token(&self, text: &str) -> Result<ApiToken, ApiError> {
        if !is_well_formed(text) {
            return Err(refused("it is malformed", None));
        }
        let token = self.accounts().api_token(&TokenHash::of(text)).await?;
        let token = token.ok_or_else(|| refused("there is none like it", None))?;
        if !token.is_live(Timestamp::now()) {
            return Err(refused("it has expired", Some(&token)));
        }
        Ok(token)
    }

    /// Notes that it was used, where that was not noted lately. What goes wrong is logged and nothing else.
    pub(crate) async fn touch(&self, token: &ApiToken) {
        let now = Timestamp::now();
        if !token.is_use_worth_noting(now) {
            return;
        }
        if let Err(error) = self.accounts().touch_api_token(token, now).await {
            tracing::warn!(%error, api_token.id = %token.id, "could not note the use of an API token");
        }
    }
}

fn is_well_formed(text: &str) -> bool {
    let secret = text.strip_prefix(API_TOKEN_PREFIX).unwrap_or_default();
    secret.len() == SECRET_LENGTH && secret.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
}

/// 401, with a log line that names the token by its id, which opens nothing.
fn refused(reason: &'static str, token: Option<&ApiToken>) -> ApiError {
    let id = token.map(|it| tracing::field::display(it.id));
    tracing::info!(api_token.id = id, reason, "refused an API token");
    ApiError::Unauthorized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_an_api_token_is_looked_up() {
        let secret = "aB3-_".repeat(9)[..SECRET_LENGTH].to_owned();
        let check = |text: &str, looks: bool, is: bool| {
            assert_eq!((is_api_token(text), is_well_formed(text)), (looks, is), "{text}");
        };
        check(&format!("baton_{secret}"), true, true);
        check(&format!("baton_{secret}a"), true, false);
        check(&format!("baton_{}", &secret[1..]), true, false);
        check(&format!("baton_{}=", &secret[1..]), true, false);
        check(&format!("baton_{}é", &secret[2..]), true, false);
        check("baton_", true, false);
        check(&secret, false, false);
        check(&format!("Baton_{secret}"), false, false);
        check("eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl", false, false);
        check("", false, false);
    }
}
