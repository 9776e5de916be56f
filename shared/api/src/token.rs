use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{SessionId, UserId};
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use store::{Accounts, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{ApiError, Caller, Grant, install_crypto};

/// The `typ` of an access token (RFC 9068, section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// In octets; ours have about 500. What is longer is not even decoded.
const LONGEST: usize = 4096;
/// How far two machines' clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(10);
const BETWEEN_READS: Duration = Duration::from_secs(30);
const BETWEEN_FAILURES: Duration = Duration::from_secs(1);

/// Checks access tokens (RFC 9068) inside the function, with the public keys `login` has published. Cheap to clone.
#[derive(Clone)]
pub struct TokenVerifier(Arc<Inner>);

struct Inner {
    accounts: Accounts,
    issuer: String,
    validation: Validation,
    keys: RwLock<BTreeMap<String, Published>>,
    /// The last reading because of an unknown key: the first such reading is never held back by the one at init.
    last_read: Mutex<Option<Reading>>,
}

#[derive(Clone)]
struct Published {
    key: DecodingKey,
    expires_at: Timestamp,
}

#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    succeeded: bool,
}

/// What is read of an access token; all of it has to be there.
#[derive(Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    iat: i64,
}

impl TokenVerifier {
    /// A verifier that knows no keys yet; `issuer` and `audience` are what `iss` and `aud` must be.
    #[must_use]
    pub fn new(accounts: Accounts, issuer: &str, audience: &str) -> Self {
        install_crypto();
        let (issuer, validation) = (issuer.to_owned(), validation(issuer, audience));
        Self(Arc::new(Inner { accounts, issuer, validation, keys: RwLock::default(), last_read: Mutex::new(None) }))
    }

    /// What `iss` must be: the public origin of the API.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Reads the public keys: to be called at init, where it also opens the connection to the table.
    ///
    /// # Errors
    /// When the table does not answer. Serving can begin all the same: an unknown key makes the verifier read again.
    pub async fn load(&self) -> Result<(), StoreError> {
        let published = self.0.accounts.public_keys().await?;
        let mut keys = BTreeMap::new();
        for (kid, public) in published {
            match DecodingKey::from_ed_components(&public.x) {
                Ok(key) => {
                    keys.insert(kid, Published { key, expires_at: public.expires_at });
                }
                Err(_) => tracing::error!(key.id = %kid, "a published key is not base64url"),
            }
        }
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// 401 for anything but a valid one, which the log tells the reason of; 503 when its key is not known and the table does not answer.
    pub async fn verify(&self, token: &str) -> Result<Caller, ApiError> {
        if token.len() > LONGEST {
            return Err(refused("it is too long", None));
        }
        let kid = key_id(token).ok_or_else(|| refused("not an access token by its header", None))?;
        let mut key = self.key(&kid);
        if key.is_none() {
            self.read_again().await?;
            key = self.key(&kid);
        }
        let key = key.ok_or_else(|| refused("its key is not published", Some(&kid)))?;
        check(token, &key, &self.0.validation).map_err(|reason| refused(reason, Some(&kid)))
    }

    /// A key is good until it expires, however long this process lives and the table keeps it: one that leaks later opens nothing.
    fn key(&self, kid: &str) -> Option<DecodingKey> {
        let now = Timestamp::now();
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(kid).filter(|it| now < it.expires_at).map(|it| it.key.clone())
    }

    /// Whatever unknown keys are named, and by however many requests, the table is read once in 30 s at most; once in a second while it
    /// does not answer, for then nobody can say that a key is not there.
    async fn read_again(&self) -> Result<(), ApiError> {
        let mut last_read = self.0.last_read.lock().await;
        match *last_read {
            Some(Reading { at, succeeded: true }) if at.elapsed() < BETWEEN_READS => return Ok(()),
            Some(Reading { at, succeeded: false }) if at.elapsed() < BETWEEN_FAILURES => {
                return Err(ApiError::unavailable("the public keys could not be read a moment ago"));
            }
            _ => {}
        }
        let read = self.load().await;
        *last_read = Some(Reading { at: Instant::now(), succeeded: read.is_ok() });
        Ok(read?)
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenVerifier").finish_non_exhaustive()
    }
}

pub(crate) fn validation(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = LEEWAY.as_secs();
    // None of ours has it; where it is there it counts (RFC 7519, section 4.1.5).
    validation.validate_nbf = true;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    // "sid" and "iat" have to be there by the claims' own type.
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

/// The key a token names; nothing, if it is not an access token by its header.
pub(crate) fn key_id(token: &str) -> Option<String> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    // "crit" names what a reader must understand (RFC 7515, section 4.1.11), and we understand none of it.
    let is_access_token = header.alg == Algorithm::EdDSA
        && header.crit.is_none()
        && header.typ.is_some_and(|it| {
            let it = it.to_ascii_lowercase();
            it.strip_prefix("application/").unwrap_or(&it) == ACCESS_TOKEN_TYPE
        });
    header.kid.filter(|_| is_access_token)
}

/// Who an access token speaks for, or why it does not speak.
pub(crate) fn check(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Caller, &'static str> {
    let Claims { sub, sid, iat } = match jsonwebtoken::decode::<Claims>(token, key, validation) {
        Ok(data) => data.claims,
        Err(error) => return Err(reason(error.kind())),
    };
    let issued_at = Timestamp::from_second(iat).map_err(|_| "its iat is no time")?;
    Ok(Caller { user: sub, grant: Grant::Session { session: sid, issued_at } })
}

/// Fixed words: what the package says of a token may quote it.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::InvalidSignature => "its signature is not its key's",
        ErrorKind::InvalidIssuer => "it is another issuer's",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "its algorithm is not EdDSA",
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) | ErrorKind::InvalidClaimFormat(_) => "its claims are not ours",
        _ => "it cannot be read",
    }
}

/// 401, with a log line that says why and under which key, and nothing else of the token.
fn refused(reason: &'static str, kid: Option<&str>) -> ApiError {
    // Where it does not look like a key id of ours, a thumbprint (RFC 7638), it is a stranger's text, and stays out of the log.
    let kid = kid.filter(|it| it.len() == 43 && it.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_')));
    tracing::info!(key.id = kid, reason, "refused an access token");
    ApiError::Unauthorized
}

#[cfg(test)]
mod tests;
