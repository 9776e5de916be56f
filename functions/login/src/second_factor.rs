mod code;
pub(crate) mod enrolment;

use api::ApiError;
use domain::{Device, SecurityEventKind};
use jiff::Timestamp;
use store::{Credential, Notice, StoreError, TokenHash};

pub(crate) use code::Code;

use crate::Login;
use crate::events::event;

/// Whether the code is one of the credential's, in which case it is used up: of two uses at once one is told yes. A recovery code's use
/// is told to its owner.
///
/// # Errors
/// See [`StoreError`].
pub(crate) async fn spend_code(login: &Login, credential: &Credential, code: &Code, device: &Device) -> Result<bool, ApiError> {
    let Some(factor) = &credential.second_factor else { return Ok(false) };
    let now = Timestamp::now();
    let spent = match code {
        Code::Totp(code) => {
            // A code that was seen before may be an onlooker's (RFC 6238, section 5.2).
            let step = code::step_of(code, &factor.secret, now)?.filter(|step| factor.last_step < *step);
            let Some(step) = step else { return Ok(false) };
            login.0.accounts.spend_step(credential, step).await
        }
        Code::Recovery(code) => {
            let hash = TokenHash::of(code);
            if !factor.recovery_hashes.contains(&hash) {
                return Ok(false);
            }
            let left = u32::try_from(factor.recovery_hashes.len()).unwrap_or(u32::MAX).saturating_sub(1);
            let used = SecurityEventKind::RecoveryCodeUsed { left };
            let notice = Notice::of(event(credential.user, used, device.clone(), now));
            let spent = login.0.accounts.spend_recovery_code(&login.0.mail, credential, &hash, &notice).await;
            if spent.is_ok() {
                login.0.hints.letter_due(notice.recipient()).await;
            }
            spent
        }
    };
    match spent {
        Ok(()) => Ok(true),
        // Used in the same moment, or the factor is another one by now.
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
