use api::ApiError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Octets nobody can guess.
///
/// # Errors
/// 500, if the operating system has none to give.
pub(crate) fn octets<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|error| ApiError::internal(format!("no randomness: {error}")))?;
    Ok(octets)
}

/// A secret of 256 bits as base64url, for a link.
///
/// # Errors
/// As [`octets`].
pub(crate) fn token() -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(octets::<32>()?))
}
