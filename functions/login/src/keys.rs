use std::sync::Arc;

use api::{ACCESS_TOKEN_TYPE, ApiError, PublicProblems, Query};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{SessionId, UserId};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Accounts, PublicKey, SigningKey, StoreError};
use tokio::sync::{OnceCell, RwLock};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Login;
use crate::refresh_token::RefreshToken;

/// How long an access token is good for.
pub(crate) const ACCESS_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
const PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long after its period a key stays published: the last token's life, and clocks that are not quite right.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
/// How long before its period a key is published: a function that reads the keys for whatever reason meanwhile knows it in time, so
/// that tokens with made-up key ids cannot use up the one reading a new key needs.
const LEAD: SignedDuration = SignedDuration::from_hours(24);

/// Signs access tokens with the key of the current period, which the first who needs it makes.
pub(crate) struct SigningKeys {
    accounts: Accounts,
    issuer: String,
    audience: String,
    current: RwLock<Option<Arc<Current>>>,
}

struct Current {
    period: u64,
    kid: String,
    key: EncodingKey,
    next_is_published: OnceCell<()>,
}

/// The claims of an access token (RFC 9068, section 2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    /// Whose end ends this one too (OpenID Connect Front-Channel Logout 1.0, section 3, has registered the name).
    sid: SessionId,
    client_id: &'static str,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// How long the access token of a session that `lasts` so long is good for, in seconds: where that ends by the clock, nothing else ends
/// the token.
pub(crate) fn expires_in(lasts: SignedDuration) -> i64 {
    ACCESS_TOKEN_LIFETIME.min(lasts).as_secs()
}

impl SigningKeys {
    pub(crate) fn new(accounts: Accounts, issuer: &str, audience: &str) -> Self {
        api::install_crypto();
        Self { accounts, issuer: issuer.to_owned(), audience: audience.to_owned(), current: RwLock::default() }
    }

    /// The access token that is handed out with a refresh token, made at a time, of a session that `lasts` so long from then on. For the
    /// same three it is the same to the octet: Ed25519 signatures are (RFC 8032, section 5.1.6).
    ///
    /// # Errors
    /// 503, if the key of the period is not known yet and the table does not answer.
    pub(crate) async fn access_token(
        &self,
        with: &RefreshToken,
        issued_at: Timestamp,
        lasts: SignedDuration,
    ) -> Result<String, ApiError> {
        let current = self.current(issued_at).await?;
        self.publish_next(&current, issued_at).await;
        let iat = issued_at.as_second();
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: with.user,
            sid: with.session,
            client_id: "baton",
            iat,
            exp: iat + expires_in(lasts),
            jti: with.access_token_id(),
        };
        sign(&current, &claims)
    }

    /// Makes sure that there is a key for this period.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub(crate) async fn ensure(&self, now: Timestamp) -> Result<(), ApiError> {
        self.current(now).await.map(|_| ())
    }

    async fn current(&self, now: Timestamp) -> Result<Arc<Current>, ApiError> {
        let period = period(now)?;
        if let Some(current) = self.current.read().await.as_ref().filter(|it| it.period == period) {
            return Ok(Arc::clone(current));
        }
        let mut slot = self.current.write().await;
        if let Some(current) = slot.as_ref().filter(|it| it.period == period) {
            return Ok(Arc::clone(current));
        }
        let current = Arc::new(Current::new(self.find_or_create(period, now).await?));
        *slot = Some(Arc::clone(&current));
        Ok(current)
    }

    /// In the last day of a period. That it fails now is no reason not to sign: the next one who signs tries again.
    async fn publish_next(&self, current: &Current, now: Timestamp) {
        if left_of_period(now) > LEAD {
            return;
        }
        let publish = || async { self.find_or_create(current.period + 1, now).await.map(|_| ()) };
        if let Err(error) = current.next_is_published.get_or_try_init(publish).await {
            tracing::warn!(%error, "could not publish the key of the next period yet");
        }
    }

    async fn find_or_create(&self, period: u64, now: Timestamp) -> Result<SigningKey, ApiError> {
        match self.accounts.signing_key(period).await? {
            Some(key) => Ok(key),
            None => self.create(period, now).await,
        }
    }

    /// Makes the key of a period, or finds that of whoever was faster.
    async fn create(&self, period: u64, now: Timestamp) -> Result<SigningKey, ApiError> {
        let key = new_key(period, now)?;
        match self.accounts.create_signing_key(&key).await {
            Ok(()) => {
                tracing::info!(key.id = key.kid, "made the signing key of the period");
                Ok(key)
            }
            Err(StoreError::Conflict { .. }) => {
                let winner = self.accounts.signing_key(period).await?;
                winner.ok_or_else(|| ApiError::unavailable("the signing key of the period is not there yet"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Current {
    fn new(key: SigningKey) -> Self {
        let SigningKey { period, kid, private_key, public_key: _, created_at: _ } = key;
        Self { period, kid, key: EncodingKey::from_ed_der(&private_key), next_is_published: OnceCell::new() }
    }
}

fn sign(current: &Current, claims: &Claims<'_>) -> Result<String, ApiError> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
    header.kid = Some(current.kid.clone());
    jsonwebtoken::encode(&header, claims, &current.key).map_err(ApiError::internal)
}

fn period(now: Timestamp) -> Result<u64, ApiError> {
    u64::try_from(now.as_second() / PERIOD.as_secs()).map_err(ApiError::internal)
}

fn left_of_period(now: Timestamp) -> SignedDuration {
    SignedDuration::from_secs(PERIOD.as_secs() - now.as_second() % PERIOD.as_secs())
}

fn new_key(period: u64, now: Timestamp) -> Result<SigningKey, ApiError> {
    let fault = || ApiError::internal("could not make a signing key");
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| fault())?;
    let private_key = document.as_ref().to_vec();
    let pair = Ed25519KeyPair::from_pkcs8(&private_key).map_err(|_| fault())?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    // Counted from the end of its period, whenever the key is made.
    let end = i64::try_from(period + 1).map_err(ApiError::internal)? * PERIOD.as_secs();
    let expires_at = Timestamp::from_second(end + GRACE.as_secs()).map_err(ApiError::internal)?;
    Ok(SigningKey { period, kid: thumbprint(&x), private_key, public_key: PublicKey { x, expires_at }, created_at: now })
}

/// The thumbprint of a public key (RFC 7638; RFC 8037, appendix A.3).
fn thumbprint(x: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

/// A JWK set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Keys)]
pub(crate) struct KeysBody {
    keys: Vec<KeyBody>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyBody {
    #[schema(example = "OKP")]
    kty: &'static str,
    #[schema(example = "Ed25519")]
    crv: &'static str,
    #[schema(example = "EdDSA")]
    alg: &'static str,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    key_use: &'static str,
    kid: String,
    x: String,
}

impl KeyBody {
    fn new(kid: String, x: String) -> Self {
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", key_use: "sig", kid, x }
    }
}

/// The public keys of the access tokens.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "sessions",
    responses((status = 200, description = "The keys", body = KeysBody), PublicProblems),
)]
pub(crate) async fn list_keys(
    State(login): State<Login>,
    query: Query,
) -> Result<([(http::HeaderName, HeaderValue); 1], Json<KeysBody>), ApiError> {
    query.parse_none()?;
    let now = Timestamp::now();
    let published = login.0.accounts.public_keys().await?.into_iter().filter(|(_, key)| key.expires_at > now);
    let keys = published.map(|(kid, PublicKey { x, .. })| KeyBody::new(kid, x)).collect();
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))], Json(KeysBody { keys })))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_thumbprint_is_that_of_the_rfc() {
        // RFC 8037, appendix A.3.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn an_access_token_is_checked_with_the_published_key() {
        api::install_crypto();
        let now = Timestamp::now();
        let key = new_key(7, now).expect("randomness");
        let current = Current::new(key.clone());
        let exp = now.as_second() + 600;
        let sub = UserId(Uuid::from_u128(1));
        let (sid, iat, jti) = (SessionId(Uuid::from_u128(3)), now.as_second(), Uuid::from_u128(2));
        let claims = Claims { iss: "i", aud: "a", sub, sid, client_id: "baton", iat, exp, jti };
        let token = sign(&current, &claims).expect("a token");
        assert_eq!(sign(&current, &claims).expect("a token"), token, "whoever asks again is told the same");
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["a"]);
        let public = DecodingKey::from_ed_components(&key.public_key.x).expect("base64url");
        let read = jsonwebtoken::decode::<Value>(&token, &public, &validation).expect("a good token");
        assert_eq!((read.header.typ.as_deref(), read.header.kid), (Some("at+jwt"), Some(key.kid)));
        assert_eq!((&read.claims["sub"], &read.claims["sid"]), (&json!(sub), &json!(sid)));
    }

    #[test]
    fn it_is_remembered_that_a_session_ended_for_longer_than_its_access_tokens_are_good() {
        assert!(store::ENDED_SESSIONS_KEPT > ACCESS_TOKEN_LIFETIME);
    }

    #[test]
    fn a_key_stays_published_until_its_last_token_has_expired() {
        let start = Timestamp::from_second(100 * PERIOD.as_secs()).expect("a time");
        let last = start.checked_add(PERIOD - SignedDuration::from_secs(1)).expect("a time");
        assert_eq!((period(start).ok(), period(last).ok()), (Some(100), Some(100)));
        let ahead = start.checked_sub(LEAD).expect("a time");
        assert_eq!((left_of_period(start), left_of_period(ahead)), (PERIOD, LEAD));
        for made in [ahead, start, last] {
            let expires_at = new_key(100, made).expect("randomness").public_key.expires_at;
            assert_eq!(expires_at, start.checked_add(PERIOD + GRACE).expect("a time"));
        }
    }
}
