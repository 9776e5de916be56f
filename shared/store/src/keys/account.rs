use domain::{ApiTokenId, EmailAddress, EventId, SessionId, UserId};
use jiff::Timestamp;

use super::{Key, key, person_partition, timestamp};
use crate::{Bucket, TokenHash};

pub(crate) fn credential(email: &EmailAddress) -> Key {
    key(format!("CREDENTIAL#{email}"), "CREDENTIAL")
}

pub(crate) fn session(user: UserId, session: SessionId) -> Key {
    key(person_partition(user), format!("SESSION#{session}"))
}

pub(crate) const SESSIONS_PREFIX: &str = "SESSION#";

pub(crate) const EVENTS_PREFIX: &str = "EVENT#";

pub(crate) fn event(user: UserId, at: Timestamp, event: EventId) -> Key {
    key(person_partition(user), format!("{EVENTS_PREFIX}{}#{event}", timestamp(at)))
}

pub(crate) const API_TOKENS_PREFIX: &str = "APITOKEN#";

/// An API token in its owner's list.
pub(crate) fn listed_api_token(user: UserId, token: ApiTokenId) -> Key {
    key(person_partition(user), format!("{API_TOKENS_PREFIX}{token}"))
}

/// An API token as it is found by whoever is sent it.
pub(crate) fn api_token(hash: &TokenHash) -> Key {
    key(format!("APITOKEN#{}", hash.as_str()), "APITOKEN")
}

pub(crate) fn email_change(user: UserId) -> Key {
    key(person_partition(user), "EMAIL")
}

pub(crate) fn attempts(bucket: &Bucket) -> Key {
    key(format!("ATTEMPTS#{bucket}"), "ATTEMPTS")
}

pub(crate) fn secret() -> Key {
    key("SIGNING".to_owned(), "SECRET")
}

pub(crate) fn token(hash: &TokenHash) -> Key {
    key(format!("TOKEN#{}", hash.as_str()), "TOKEN")
}

pub(crate) fn signing_key(period: u64) -> Key {
    key("SIGNING".to_owned(), format!("KEY#{period:06}"))
}

pub(crate) fn public_keys() -> Key {
    key("KEYS".to_owned(), "KEYS")
}

/// The attribute of the item of public keys that holds this one: an attribute each, so that two can be published at once.
pub(crate) fn public_key_attribute(kid: &str) -> String {
    format!("KEY#{kid}")
}

/// The `kid` of such an attribute.
pub(crate) fn kid_of_attribute(name: &str) -> Option<&str> {
    name.strip_prefix("KEY#")
}

#[cfg(test)]
mod tests {
    use super::super::AddressHash;
    use super::super::tests::{T, TASK, U, USER, at, check};
    use super::*;

    #[test]
    fn the_keys_of_accounts_are_spelled_as_the_table_says() {
        let email: EmailAddress = "ada@example.com".parse().expect("an address");
        let hash = AddressHash::from(&email);
        check(&credential(&email), "CREDENTIAL#ada@example.com", "CREDENTIAL");
        check(&signing_key(692), "SIGNING", "KEY#000692");
        check(&secret(), "SIGNING", "SECRET");
        check(&public_keys(), "KEYS", "KEYS");
        check(&session(USER, SessionId(TASK.0)), &format!("USER#{U}"), &format!("SESSION#{T}"));
        let time = at("2026-11-20T11:00:00.5Z");
        let sort = format!("EVENT#2026-11-20T11:00:00.500000000Z#{T}");
        check(&event(USER, time, EventId(TASK.0)), &format!("USER#{U}"), &sort);
        check(&listed_api_token(USER, ApiTokenId(TASK.0)), &format!("USER#{U}"), &format!("APITOKEN#{T}"));
        let token_hash = TokenHash::of("secret");
        check(&api_token(&token_hash), &format!("APITOKEN#{}", token_hash.as_str()), "APITOKEN");
        check(&token(&token_hash), &format!("TOKEN#{}", token_hash.as_str()), "TOKEN");
        check(&email_change(USER), &format!("USER#{U}"), "EMAIL");
        for (bucket, partition) in [
            (Bucket::Address(hash.clone()), format!("ATTEMPTS#ADDRESS#{hash}")),
            (Bucket::Device(USER, TASK.0), format!("ATTEMPTS#DEVICE#{U}#{T}")),
            (Bucket::Factor(USER, None), format!("ATTEMPTS#FACTOR#{U}")),
            (Bucket::Factor(USER, Some(TASK.0)), format!("ATTEMPTS#FACTOR#{U}#{T}")),
            (Bucket::Proof(USER), format!("ATTEMPTS#PROOF#{U}")),
        ] {
            check(&attempts(&bucket), &partition, "ATTEMPTS");
        }
    }
}
