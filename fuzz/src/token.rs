use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::UnsubscribeToken;
use jiff::Timestamp;
use login::fuzzing::{Kind, accepts_code};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Value;

const ISSUER: &str = "https://api.example";
const AUDIENCE: &str = "baton";
/// As far as two machines' clocks may be apart, in seconds.
const LEEWAY: i64 = 10;

/// Whatever is sent as a token is read as one only where all of it is as it should be.
pub fn read(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        read_text(text);
    }
    if let Some(line_feed) = input.iter().position(|it| *it == b'\n') {
        read_signed(&input[..line_feed], &input[line_feed + 1..]);
    }
    read_tagged(input);
}

/// A text as a client may send it wherever a token is asked for.
fn read_text(text: &str) {
    let message = text.rsplit_once('.').map_or("", |(message, _)| message);
    if read_access_token(text) {
        assert_eq!(text, sign(message), "nobody else can sign");
    }
    for kind in Kind::ALL {
        if kind.accepts(text, now()) {
            let octets = URL_SAFE_NO_PAD.decode(text).expect("what is accepted is base64url");
            assert_eq!(tagged(kind, &octets[..kind.signed_length()]), text, "nobody else can tag, and there is one spelling");
        }
    }
    if let Ok(token) = text.parse::<UnsubscribeToken>() {
        assert_eq!(token.to_string(), text, "one spelling");
        if let Some(scope) = token.verify(&[7; 32]) {
            assert_eq!(token, UnsubscribeToken::sign(token.user(), scope, &[7; 32]), "nobody else can sign");
        }
    }
    if accepts_code(text) {
        let code: String = text.chars().filter(|it| !matches!(it, ' ' | '-')).collect();
        assert!(matches!(code.len(), 6 | 24) && code.bytes().all(|it| it.is_ascii_alphanumeric()), "{text:?}");
    }
}

/// A header and claims as if `login` had signed them, which nobody else can do.
fn read_signed(header: &[u8], claims: &[u8]) {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    if !read_access_token(&sign(&message)) {
        return;
    }
    // What nobody reads of them is skipped and not judged: a lone surrogate in a text, say.
    let (Ok(header), Ok(claims)) = (serde_json::from_slice::<Value>(header), serde_json::from_slice::<Value>(claims)) else {
        return;
    };
    assert_eq!(header["alg"], "EdDSA");
    let types = ["at+jwt", "application/at+jwt"];
    assert!(header["typ"].as_str().is_some_and(|it| types.contains(&it.to_ascii_lowercase().as_str())), "{header}");
    assert!(header["kid"].is_string() && header["crit"].is_null(), "{header}");

    let names = |claim: &Value, name: &str| match claim {
        Value::Array(several) => several.iter().any(|it| it == name),
        one => one == name,
    };
    assert!(names(&claims["iss"], ISSUER) && names(&claims["aud"], AUDIENCE), "{claims}");
    assert!(claims["sub"].is_string() && claims["sid"].is_string() && claims["iat"].is_i64(), "{claims}");
    let seconds = Timestamp::now().as_second();
    assert!(claims["exp"].as_f64().is_some_and(|it| it >= (seconds - LEEWAY - 1) as f64), "{claims}");
    assert!(claims["nbf"].as_f64().is_none_or(|it| it <= (seconds + LEEWAY + 1) as f64), "{claims}");
}

/// Octets as if `login` had put its tag behind them.
fn read_tagged(input: &[u8]) {
    for kind in Kind::ALL {
        let mut signed = input.to_vec();
        signed.resize(kind.signed_length(), 0);
        let text = tagged(kind, &signed);
        let accepted = kind.accepts(&text, now());
        assert!(accepted || kind != Kind::Refresh, "whether it is still good is asked of the table");
        for other in Kind::ALL.into_iter().filter(|it| *it != kind) {
            assert!(!other.accepts(&text, now()), "{kind:?} as {other:?}");
        }
        signed[0] ^= 1;
        let touched = [signed.as_slice(), &kind.tag(input)].concat();
        assert!(!kind.accepts(&URL_SAFE_NO_PAD.encode(touched), now()), "the tag of something else");
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn read_access_token(text: &str) -> bool {
    api::fuzzing::read_access_token(text, key().public_key().as_ref(), ISSUER, AUDIENCE).is_some()
}

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 octets")
}

fn sign(message: &str) -> String {
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key().sign(message.as_bytes())))
}

fn tagged(kind: Kind, signed: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([signed, &kind.tag(signed)].concat())
}
