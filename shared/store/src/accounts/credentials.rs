use std::fmt;

use domain::{EmailAddress, Profile, UserId};
use jiff::Timestamp;

use crate::item::{Item, number, text};
use crate::table::write::{Write, transact};
use crate::work::profiles::profile_item;
use crate::{Accounts, StoreError, TokenHash, Work, keys};

/// What somebody logs in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub user: UserId,
    pub email: EmailAddress,
    /// A PHC string.
    pub password_hash: String,
    pub created_at: Timestamp,
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Accounts {
    /// The credential of an address.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn credential(&self, email: &EmailAddress) -> Result<Option<Credential>, StoreError> {
        let item = self.table.get("read the credential", keys::credential(email)).await?;
        item.map(|it| credential(&it)).transpose()
    }

    /// Uses up a one-time token and makes the account it stands for, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the token was used or has expired, or the address is taken.
    pub async fn verify(
        &self,
        work: &Work,
        token: &TokenHash,
        credential: &Credential,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "make the account";
        let unused = Write::delete(&self.table, keys::token(token))
            .when("attribute_exists(#pk) AND #expires_at > :now")
            .value(":now", number(now.as_second()));
        let credential = Write::create(&self.table, credential_item(credential));
        let profile = Write::create(&work.table, profile_item(profile)?);
        transact(step, vec![unused, credential, profile]).await?.or_conflict(step)
    }

    /// Replaces a password's hash, where it is still the one that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not.
    pub async fn set_password_hash(&self, credential: &Credential, new_hash: &str) -> Result<(), StoreError> {
        Write::update(&self.table, keys::credential(&credential.email), "SET #password_hash = :new")
            .when("#password_hash = :read")
            .value(":new", text(new_hash))
            .value(":read", text(&credential.password_hash))
            .run("replace the password's hash")
            .await
    }
}

fn credential_item(credential: &Credential) -> Item {
    let Credential { user, email, password_hash, created_at } = credential;
    Item::new(keys::credential(email))
        .with("user", text(user))
        .with("email", text(email))
        .with("password_hash", text(password_hash))
        .with("created_at", text(keys::timestamp(*created_at)))
}

fn credential(item: &Item) -> Result<Credential, StoreError> {
    Ok(Credential {
        user: item.word("user")?,
        email: item.word("email")?,
        password_hash: item.text("password_hash")?.to_owned(),
        created_at: item.word("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{USER, at};

    #[test]
    fn a_credential_survives_storage_and_is_not_told_by_debug() {
        let before = Credential {
            user: USER,
            email: "ada@example.com".parse().expect("an address"),
            password_hash: "$argon2id$secret".to_owned(),
            created_at: at("2026-11-20T11:00:00Z"),
        };
        assert!(credential(&credential_item(&before)).is_ok_and(|it| it == before));
        assert!(!format!("{before:?}").contains("secret"));
    }
}
