//! What the fuzz targets reach and nobody else should.

use jsonwebtoken::DecodingKey;

use crate::token::{check, key_id, validation};
use crate::{Caller, install_crypto};

/// Reads an access token as [`TokenVerifier`](crate::TokenVerifier) does, had `login` published this Ed25519 key alone.
#[must_use]
pub fn read_access_token(text: &str, public_key: &[u8], issuer: &str, audience: &str) -> Option<Caller> {
    install_crypto();
    key_id(text)?;
    check(text, &DecodingKey::from_ed_der(public_key), &validation(issuer, audience)).ok()
}
