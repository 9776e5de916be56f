mod code;

use api::ApiError;
use domain::Device;
use store::Credential;

pub(crate) use code::Code;

use crate::Login;

/// Whether the code is one of the credential's, in which case it is used up: of two uses at once one is told yes. A recovery code's use
/// is told to its owner.
///
/// # Errors
/// See [`store::StoreError`].
pub(crate) async fn spend_code(
    _login: &Login,
    _credential: &Credential,
    _code: &Code,
    _device: &Device,
) -> Result<bool, ApiError> {
    Err(ApiError::internal("there is no second factor yet"))
}
