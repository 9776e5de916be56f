use aws_sdk_dynamodb::types::AttributeValue;
use domain::SessionId;
use jiff::Timestamp;

use super::credentials::AsRead;
use crate::item::text;
use crate::table::write::{Write, transact};
use crate::{Accounts, Bucket, Credential, Mail, NewPassword, Notice, StoreError, TokenHash, Work, keys};

impl Accounts {
    /// Replaces a password's hash by another of the same password, where it is still the one that was read. Go on with a credential
    /// that has the new hash.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not.
    pub async fn set_password_hash(&self, credential: &Credential, new_hash: &str) -> Result<(), StoreError> {
        let step = "replace the password's hash";
        let write = self.updating(credential, "SET #password_hash = :new", &[AsRead::Password], &[]);
        transact(step, vec![write.value(":new", text(new_hash))]).await?.or_conflict(step)
    }

    /// Changes a password and ends the other sessions, all or nothing. `ends` was listed after the credential was read: a log-in since
    /// then is a conflict, so that no session outlives the password it was started with.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the password is not as read any more or somebody logged in since: where it is the latter, do
    /// it again with what is there now.
    #[expect(clippy::too_many_arguments, reason = "all of it is one transaction")]
    pub async fn change_password(
        &self,
        work: &Work,
        mail: &Mail,
        credential: &Credential,
        new: &NewPassword,
        ends: &[SessionId],
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "change the password";
        let mut writes = self.replacing_password(credential, new, now);
        writes.extend(notice.writes(self, mail)?);
        writes.extend(self.ending(work, credential.user, ends, now).await?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// Uses up a one-time token and sets a new password, ends the sessions and forgets the guesses in these buckets, all or nothing.
    /// For `ends` see [`Accounts::change_password`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the token was used or has expired, the password is not as read any more, or somebody logged in
    /// since: where the token is still there and the password the same, do it again with what is there now.
    #[expect(clippy::too_many_arguments, reason = "all of it is one transaction")]
    pub async fn reset_password(
        &self,
        work: &Work,
        mail: &Mail,
        token: &TokenHash,
        credential: &Credential,
        new: &NewPassword,
        ends: &[SessionId],
        clears: &[Bucket],
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "reset the password";
        let mut writes = self.replacing_password(credential, new, now);
        writes.push(self.using_up(token, now));
        writes.extend(notice.writes(self, mail)?);
        writes.extend(self.forgetting_all(clears));
        writes.extend(self.ending(work, credential.user, ends, now).await?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// Also ends what was begun under the password before: whoever it was that knew it is not to go on with it.
    fn replacing_password(&self, credential: &Credential, new: &NewPassword, now: Timestamp) -> Vec<Write> {
        let change = "SET #password_hash = :hash, #password_is_short = :is_short, #password_changed_at = :now \
                      REMOVE #pending_secret, #pending_until";
        // A short one is for an account with a second factor: it must not have been switched off meanwhile.
        let as_read = [AsRead::Password, AsRead::LogIns, AsRead::Factor];
        let replaced = self
            .updating(credential, change, &as_read, &[])
            .value(":hash", text(&new.hash))
            .value(":is_short", AttributeValue::Bool(new.is_short))
            .value(":now", text(keys::timestamp(now)));
        vec![replaced, Write::delete(&self.table, keys::email_change(credential.user))]
    }
}
