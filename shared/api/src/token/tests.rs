use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::get_current_timestamp;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://api.example";
const USER: &str = "01920000-0000-7000-8000-000000000001";

const SESSION: &str = "01920000-0000-7000-8000-00000000000a";

struct Key {
    pair: Ed25519KeyPair,
    public: DecodingKey,
}

fn key() -> Key {
    install_crypto();
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key of ring's");
    let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
    Key { pair, public }
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"})
}

fn claims() -> Value {
    let now = get_current_timestamp();
    json!({"iss": ISSUER, "aud": "baton", "sub": USER, "sid": SESSION, "iat": now, "exp": now + 60})
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn token(key: &Key, header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let signature = URL_SAFE_NO_PAD.encode(key.pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn accepted(token: &str, key: &Key) -> bool {
    let caller = key_id(token).and_then(|_| check(token, &key.public, &validation(ISSUER, "baton")).ok());
    caller.is_some_and(|it| {
        it.user.to_string() == USER && matches!(it.grant, Grant::Session { session, .. } if session.to_string() == SESSION)
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().expect("an object").remove(name);
    object
}

#[test]
fn an_access_token_of_ours_is_accepted() {
    let key = key();
    assert!(accepted(&token(&key, &header(), &claims()), &key));
    assert!(accepted(&token(&key, &with(header(), "typ", json!("application/at+JWT")), &claims()), &key));
}

#[test]
fn a_token_for_another_use_or_of_another_time_is_refused() {
    let key = key();
    let now = get_current_timestamp();
    for (name, value) in [
        ("iss", json!("https://elsewhere.example")),
        ("aud", json!("other")),
        ("exp", json!(now - 60)),
        ("exp", json!("later")),
        ("nbf", json!(now + 60)),
        ("sub", json!("ada")),
        ("sub", json!(7)),
        ("sid", json!("a session")),
        ("iat", json!("now")),
        ("iat", json!(i64::MAX)),
    ] {
        assert!(!accepted(&token(&key, &header(), &with(claims(), name, value)), &key), "{name}");
    }
    for name in ["iss", "aud", "exp", "sub", "sid", "iat"] {
        assert!(!accepted(&token(&key, &header(), &without(claims(), name)), &key), "{name}");
    }
}

#[test]
fn a_token_of_another_type_or_algorithm_is_refused() {
    let key = key();
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("refresh+jwt")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("crit", json!(["exp"])),
    ] {
        assert!(!accepted(&token(&key, &with(header(), name, value.clone()), &claims()), &key), "{name} {value}");
    }
    for name in ["typ", "alg", "kid"] {
        assert!(!accepted(&token(&key, &without(header(), name), &claims()), &key), "{name}");
    }
}

#[test]
fn a_key_is_good_until_it_expires() {
    let settings = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|it| (it.to_owned(), "x".to_owned()));
    let config = store::client::sdk_config(&mut store::Environment::from_settings(settings));
    let accounts = Accounts::new(store::client::dynamodb(&config), "accounts");
    let verifier = TokenVerifier::new(accounts, ISSUER, "baton");
    let now = Timestamp::now();
    for (kid, seconds) in [("current", 60), ("expired", -1)] {
        let expires_at = now + jiff::SignedDuration::from_secs(seconds);
        let published = Published { key: key().public, expires_at };
        verifier.0.keys.write().expect("nobody panicked").insert(kid.to_owned(), published);
    }
    assert!(verifier.key("current").is_some());
    assert!(verifier.key("expired").is_none());
    assert!(verifier.key("unknown").is_none());
}

/// What is logged while this runs.
fn logged(run: impl FnOnce()) -> String {
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let writer = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    tracing::subscriber::with_default(writer.with_writer(Lines(Arc::clone(&lines))).finish(), run);
    let lines = lines.lock().expect("nobody panicked").clone();
    String::from_utf8(lines).expect("text")
}

#[derive(Clone)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn a_refusal_is_logged_with_its_reason_and_the_key_id_only() {
    let key = key();
    let kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    let header = with(header(), "kid", json!(kid));
    let now = get_current_timestamp();
    let log = |header: &Value, claims: &Value| {
        let token = token(&key, header, claims);
        let line = logged(|| {
            let kid = key_id(&token).expect("a key id");
            let reason = check(&token, &key.public, &validation(ISSUER, "baton")).expect_err("a bad token");
            assert_eq!(refused(reason, Some(&kid)).status(), http::StatusCode::UNAUTHORIZED);
        });
        assert_eq!(line.lines().count(), 1, "{line}");
        for part in token.split('.').chain([USER, SESSION, ISSUER, "elsewhere"]) {
            assert!(!line.contains(part), "{line}");
        }
        line
    };
    let expired = log(&header, &with(claims(), "exp", json!(now - 60)));
    assert!(expired.contains("it has expired") && expired.contains(kid), "{expired}");
    let other = log(&header, &with(claims(), "aud", json!("elsewhere")));
    assert!(other.contains("it is for another audience"), "{other}");
    let strange = log(&with(header.clone(), "kid", json!("ada@example.com\nERROR forged")), &without(claims(), "sid"));
    assert!(strange.contains("its claims are not ours"), "{strange}");
    assert!(!strange.contains("ada") && !strange.contains("forged"), "a key id that is none of ours stays out: {strange}");
}

#[test]
fn a_token_that_was_touched_is_refused() {
    let (ours, other) = (key(), key());
    let good = token(&ours, &header(), &claims());
    assert!(!accepted(&token(&other, &header(), &claims()), &ours), "another's signature");
    assert!(!accepted(&format!("{}.", message(&header(), &claims())), &ours), "no signature");
    assert!(!accepted(&format!("{}.", message(&with(header(), "alg", json!("none")), &claims())), &ours), "alg none");
    // The public key as an HMAC secret, the oldest of tricks.
    let forged = message(&with(header(), "alg", json!("HS256")), &claims());
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, ours.pair.public_key().as_ref());
    let signature = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&secret, forged.as_bytes()));
    assert!(!accepted(&format!("{forged}.{signature}"), &ours), "HS256 under the public key");
    let swapped = with(claims(), "sub", json!("01920000-0000-7000-8000-000000000002"));
    let signature = good.rsplit('.').next().expect("a signature");
    assert!(!accepted(&format!("{}.{signature}", message(&header(), &swapped)), &ours), "other claims");
    for text in ["", ".", "..", "a.b.c", "é.é.é"] {
        assert!(!accepted(text, &ours), "{text:?}");
    }
}
