//! Access tokens as an attacker or a tester takes them apart and puts them together.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use baton::stack::Stack;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use store::Accounts;

use crate::people::{Answer, Person};
use crate::tables::table;

/// A token in its parts.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl Token {
    /// Takes a token apart; its signature is not looked at.
    pub(crate) fn read(token: &str) -> Self {
        let part = |text: &str| serde_json::from_slice(&decode(text)).expect("a part is JSON");
        let mut parts = token.split('.');
        let mut next = || part(parts.next().expect("a part"));
        Self { header: next(), claims: next() }
    }

    pub(crate) fn with_header(&self, name: &str, value: Value) -> Self {
        let mut token = self.clone();
        token.header[name] = value;
        token
    }

    pub(crate) fn with_claim(&self, name: &str, value: Value) -> Self {
        let mut token = self.clone();
        token.claims[name] = value;
        token
    }

    pub(crate) fn without_claim(&self, name: &str) -> Self {
        let mut token = self.clone();
        token.claims.as_object_mut().expect("claims").remove(name);
        token
    }

    /// With an empty signature.
    pub(crate) fn unsigned(&self) -> String {
        format!("{}.", self.message())
    }

    /// With the signature that another token has.
    pub(crate) fn under_signature_of(&self, token: &str) -> String {
        let (_, signature) = token.rsplit_once('.').expect("a signature");
        format!("{}.{signature}", self.message())
    }

    /// Signed, with Ed25519, by a key nobody has published.
    pub(crate) fn signed_by_another_key(&self) -> String {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
        self.signed(&Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key pair"))
    }

    /// The oldest of tricks: the public key, which everybody has, as the secret of an HMAC.
    pub(crate) fn signed_with_public_key(&self, keys: &Keys) -> String {
        let message = self.message();
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &keys.public);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&secret, message.as_bytes())))
    }

    fn signed(&self, pair: &Ed25519KeyPair) -> String {
        let message = self.message();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
    }

    fn message(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

/// The key that signs access tokens now: its public half as published, its private half as only `login` may read it.
#[derive(Debug)]
pub(crate) struct Keys {
    person: Person,
    pub(crate) kid: String,
    pub(crate) public: Vec<u8>,
    private: Ed25519KeyPair,
}

impl Keys {
    /// The key of a stack on which somebody has logged in.
    pub(crate) async fn published(stack: &Stack) -> Self {
        let person = Person::stranger(stack);
        let (dynamodb, table) = table(stack, "ACCOUNTS_TABLE");
        let accounts = Accounts::new(dynamodb, table);
        let period = u64::try_from(Timestamp::now().as_second()).expect("a time after 1970") / (30 * 24 * 60 * 60);
        let key = accounts.signing_key(period).await.expect("the table answers").expect("somebody logged in");
        let set = person.get("/.well-known/jwks.json").await.expect(200);
        let keys = set.body["keys"].as_array().expect("a set of keys");
        let jwk = keys.iter().find(|it| it["kid"] == key.kid.as_str()).expect("the key that signs is published");
        assert_eq!((&jwk["kty"], &jwk["crv"]), (&json!("OKP"), &json!("Ed25519")));
        assert!(jwk.get("d").is_none(), "the private half stays private");
        let public = decode(jwk["x"].as_str().expect("x"));
        let private = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key.private_key).expect("a key pair");
        assert_eq!(private.public_key().as_ref(), public);
        Self { person, kid: key.kid, public, private }
    }

    /// Signs a token as `login` would.
    pub(crate) fn sign(&self, token: &Token) -> String {
        token.signed(&self.private)
    }

    /// Whether the published key verifies this token, by RFC 8037 alone.
    pub(crate) fn verifies(&self, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').expect("a signature");
        UnparsedPublicKey::new(&ED25519, &self.public).verify(message.as_bytes(), &decode(signature)).is_ok()
    }

    /// A key that somebody else would like to be believed under.
    pub(crate) fn another_jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": URL_SAFE_NO_PAD.encode([7; 32])})
    }

    /// Reads something as whoever this token says.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        let mut person = self.person.clone();
        person.access_token = Some(token.to_owned());
        person.get(path).await
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
