use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::SessionId;
use jiff::Timestamp;

use super::credentials::AsRead;
use crate::item::{Item, number, text};
use crate::table::write::transact;
use crate::{Accounts, Credential, Mail, NewPassword, Notice, StoreError, TokenHash, Work, keys};

/// A second factor that is on: time-based one-time passwords (RFC 6238), and codes for whoever lost the device.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Shared with the person's authenticator.
    pub secret: Vec<u8>,
    pub since: Timestamp,
    /// The last time step a code of which was used: none of it or before is taken again.
    pub last_step: u64,
    /// Of the recovery codes that were not used.
    pub recovery_hashes: BTreeSet<TokenHash>,
    pub codes_made_at: Timestamp,
}

/// A second factor that was begun and not yet shown to work.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingFactor {
    /// Shared with the person's authenticator.
    pub secret: Vec<u8>,
    pub until: Timestamp,
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecondFactor").field("since", &self.since).finish_non_exhaustive()
    }
}

impl fmt::Debug for PendingFactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PendingFactor").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Begins to switch a second factor on, in place of one that was begun earlier.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where one is on, or the password is not as read any more.
    pub async fn start_enrolment(&self, credential: &Credential, pending: &PendingFactor) -> Result<(), StoreError> {
        let step = "begin the second factor";
        let set = "SET #pending_secret = :secret, #pending_until = :until";
        let write = self
            .updating(credential, set, &[AsRead::Password], &["attribute_not_exists(#factor_since)"])
            .value(":secret", octets(&pending.secret))
            .value(":until", text(keys::timestamp(pending.until)));
        transact(step, vec![write]).await?.or_conflict(step)
    }

    /// Switches the second factor on that was begun, with `step` as the last one used, at the time of the notice.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where one is on, or what was begun is not as read any more.
    pub async fn confirm_enrolment(
        &self,
        mail: &Mail,
        credential: &Credential,
        last_step: u64,
        recovery_hashes: &[TokenHash],
        notice: &Notice,
    ) -> Result<(), StoreError> {
        let step = "switch the second factor on";
        let Some(pending) = &credential.pending_factor else { return Err(StoreError::Conflict { step }) };
        let change = "SET #factor_secret = :secret, #factor_since = :now, #factor_step = :step, #recovery_hashes = :hashes, \
                      #codes_made_at = :now REMOVE #pending_secret, #pending_until";
        let also = ["attribute_not_exists(#factor_since)", "#pending_secret = :secret"];
        let write = self
            .updating(credential, change, &[AsRead::Password], &also)
            .value(":secret", octets(&pending.secret))
            .value(":now", text(keys::timestamp(notice.event().at)))
            .value(":step", number(last_step))
            .value(":hashes", hashes(recovery_hashes));
        let mut writes = vec![write];
        writes.extend(notice.writes(self, mail)?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// Uses a code of this time step up, and with it all of earlier ones.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where a code of this step or a later one was used already, or the second factor is another.
    pub async fn spend_step(&self, credential: &Credential, time_step: u64) -> Result<(), StoreError> {
        let step = "use the code up";
        let write = self
            .updating(credential, "SET #factor_step = :step", &[AsRead::Factor], &["#factor_step < :step"])
            .value(":step", number(time_step));
        transact(step, vec![write]).await?.or_conflict(step)
    }

    /// Uses a recovery code up.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not one or was used already.
    pub async fn spend_recovery_code(
        &self,
        mail: &Mail,
        credential: &Credential,
        hash: &TokenHash,
        notice: &Notice,
    ) -> Result<(), StoreError> {
        let step = "use the recovery code up";
        let write = self
            .updating(credential, "DELETE #recovery_hashes :used", &[AsRead::Factor], &["contains(#recovery_hashes, :hash)"])
            .value(":used", hashes(std::slice::from_ref(hash)))
            .value(":hash", text(hash.as_str()));
        let mut writes = vec![write];
        writes.extend(notice.writes(self, mail)?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// Replaces all recovery codes, at the time of the notice.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where they were replaced already, or the second factor or the password is another.
    pub async fn renew_recovery_codes(
        &self,
        mail: &Mail,
        credential: &Credential,
        recovery_hashes: &[TokenHash],
        notice: &Notice,
    ) -> Result<(), StoreError> {
        let step = "renew the recovery codes";
        let Some(factor) = &credential.second_factor else { return Err(StoreError::Conflict { step }) };
        let set = "SET #recovery_hashes = :hashes, #codes_made_at = :now";
        let write = self
            .updating(credential, set, &[AsRead::Password, AsRead::Factor], &["#codes_made_at = :made_as_read"])
            .value(":hashes", hashes(recovery_hashes))
            .value(":now", text(keys::timestamp(notice.event().at)))
            .value(":made_as_read", text(keys::timestamp(factor.codes_made_at)));
        let mut writes = vec![write];
        writes.extend(notice.writes(self, mail)?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// Switches the second factor off, and with it sets another password where the one there is needs a second factor; then the
    /// sessions of `ends` end (see [`Accounts::change_password`]). All or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is off, or it or the password is not as read any more, or, with another password, somebody
    /// logged in since; also where the password needs a second factor and there is no other.
    #[expect(clippy::too_many_arguments, reason = "all of it is one transaction")]
    pub async fn end_second_factor(
        &self,
        work: &Work,
        mail: &Mail,
        credential: &Credential,
        new_password: Option<&NewPassword>,
        ends: &[SessionId],
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "switch the second factor off";
        let stays_too_short = credential.password_is_short && new_password.is_none();
        if credential.second_factor.is_none() || stays_too_short {
            return Err(StoreError::Conflict { step });
        }
        let remove = "REMOVE #factor_secret, #factor_since, #factor_step, #recovery_hashes, #codes_made_at";
        let write = match new_password {
            None => self.updating(credential, remove, &[AsRead::Password, AsRead::Factor], &[]),
            Some(NewPassword { hash, is_short }) => {
                let set = "SET #password_hash = :hash, #password_is_short = :is_short, #password_changed_at = :now";
                let as_read = [AsRead::Password, AsRead::Factor, AsRead::LogIns];
                self.updating(credential, &format!("{set} {remove}"), &as_read, &[])
                    .value(":hash", text(hash))
                    .value(":is_short", AttributeValue::Bool(*is_short))
                    .value(":now", text(keys::timestamp(now)))
            }
        };
        let mut writes = vec![write];
        writes.extend(notice.writes(self, mail)?);
        writes.extend(self.ending(work, credential.user, ends, now).await?);
        transact(step, writes).await?.or_conflict(step)
    }
}

fn octets(octets: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(octets.to_vec()))
}

fn hashes(hashes: &[TokenHash]) -> AttributeValue {
    let unique: BTreeSet<String> = hashes.iter().map(|it| it.as_str().to_owned()).collect();
    AttributeValue::Ss(unique.into_iter().collect())
}

/// A credential's item with its second factor, if there is one, and the one that was begun.
pub(crate) fn with_factors(item: Item, factor: Option<&SecondFactor>, pending: Option<&PendingFactor>) -> Item {
    let item = match pending {
        Some(PendingFactor { secret, until }) => {
            item.with("pending_secret", octets(secret)).with("pending_until", text(keys::timestamp(*until)))
        }
        None => item,
    };
    let Some(SecondFactor { secret, since, last_step, recovery_hashes, codes_made_at }) = factor else { return item };
    let left: Vec<TokenHash> = recovery_hashes.iter().cloned().collect();
    item.with("factor_secret", octets(secret))
        .with("factor_since", text(keys::timestamp(*since)))
        .with("factor_step", number(*last_step))
        .with("codes_made_at", text(keys::timestamp(*codes_made_at)))
        // DynamoDB keeps no empty sets.
        .with_some("recovery_hashes", (!left.is_empty()).then(|| hashes(&left)))
}

pub(crate) fn second_factor(item: &Item) -> Result<Option<SecondFactor>, StoreError> {
    if !item.has("factor_since") {
        return Ok(None);
    }
    Ok(Some(SecondFactor {
        secret: item.octets("factor_secret")?.to_vec(),
        since: item.word("factor_since")?,
        last_step: item.number("factor_step")?,
        recovery_hashes: item.texts("recovery_hashes")?.iter().map(|it| TokenHash::stored(it)).collect(),
        codes_made_at: item.word("codes_made_at")?,
    }))
}

pub(crate) fn pending_factor(item: &Item) -> Result<Option<PendingFactor>, StoreError> {
    if !item.has("pending_until") {
        return Ok(None);
    }
    Ok(Some(PendingFactor { secret: item.octets("pending_secret")?.to_vec(), until: item.word("pending_until")? }))
}
