use std::fmt;

use domain::{EmailAddress, Profile, UserId};
use jiff::Timestamp;

use super::second_factor::{pending_factor, second_factor, with_factors};
use crate::item::{Item, number, text};
use crate::table::write::{Write, transact};
use crate::work::profiles::profile_item;
use crate::{Accounts, PendingFactor, SecondFactor, StoreError, TokenHash, Work, keys};
use aws_sdk_dynamodb::types::AttributeValue;

/// What somebody logs in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub user: UserId,
    pub email: EmailAddress,
    /// A PHC string.
    pub password_hash: String,
    /// Whether the password is good enough only together with a second factor.
    pub password_is_short: bool,
    pub created_at: Timestamp,
    pub password_changed_at: Timestamp,
    /// How often somebody logged in with it.
    pub log_ins: u64,
    /// How often this was written; 0 for one that never changed.
    pub revision: u64,
    pub second_factor: Option<SecondFactor>,
    pub pending_factor: Option<PendingFactor>,
}

/// A password to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// A PHC string.
    pub hash: String,
    /// Whether it is good enough only together with a second factor.
    pub is_short: bool,
}

impl Credential {
    /// The credential of an account that is made now.
    #[must_use]
    pub fn new(user: UserId, email: EmailAddress, password: NewPassword, now: Timestamp) -> Self {
        let NewPassword { hash: password_hash, is_short: password_is_short } = password;
        Self {
            user,
            email,
            password_hash,
            password_is_short,
            created_at: now,
            password_changed_at: now,
            log_ins: 0,
            revision: 0,
            second_factor: None,
            pending_factor: None,
        }
    }

    /// Whether anybody ever logged in with it.
    #[must_use]
    pub fn has_logged_in(&self) -> bool {
        self.log_ins > 0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").field("user", &self.user).finish_non_exhaustive()
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewPassword").finish_non_exhaustive()
    }
}

/// What of a credential has to be as it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AsRead {
    Password,
    /// Whether there is a second factor, and which.
    Factor,
    /// Nobody logged in since.
    LogIns,
    /// Everything.
    Revision,
}

impl Accounts {
    /// The credential of an address, read consistently.
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
        let credential = Write::create(&self.table, credential_item(credential));
        let profile = Write::create(&work.table, profile_item(profile)?);
        transact(step, vec![self.using_up(token, now), credential, profile]).await?.or_conflict(step)
    }

    /// An update of a credential where it is as it was read, and `also` holds.
    pub(crate) fn updating(&self, credential: &Credential, change: &str, as_read: &[AsRead], also: &[&str]) -> Write {
        let add =
            if change.contains("ADD ") { format!("{change}, #revision :one") } else { format!("{change} ADD #revision :one") };
        let write = Write::update(&self.table, keys::credential(&credential.email), &add).value(":one", number(1));
        where_as_read(write, credential, as_read, also)
    }
}

/// Holds a write to what was read of a credential, and to `also`.
pub(crate) fn where_as_read(mut write: Write, credential: &Credential, as_read: &[AsRead], also: &[&str]) -> Write {
    let mut conditions: Vec<String> = vec!["#user = :user".to_owned()];
    write = write.value(":user", text(credential.user));
    for part in as_read {
        let (condition, value) = match part {
            AsRead::Password => {
                ("#password_hash = :password_as_read", Some((":password_as_read", text(&credential.password_hash))))
            }
            AsRead::Factor => match &credential.second_factor {
                Some(factor) => {
                    ("#factor_since = :factor_as_read", Some((":factor_as_read", text(keys::timestamp(factor.since)))))
                }
                None => ("attribute_not_exists(#factor_since)", None),
            },
            AsRead::LogIns => match credential.log_ins {
                0 => ("attribute_not_exists(#log_ins)", None),
                log_ins => ("#log_ins = :log_ins_as_read", Some((":log_ins_as_read", number(log_ins)))),
            },
            AsRead::Revision => match credential.revision {
                0 => ("attribute_not_exists(#revision)", None),
                revision => ("#revision = :revision_as_read", Some((":revision_as_read", number(revision)))),
            },
        };
        conditions.push(condition.to_owned());
        if let Some((name, value)) = value {
            write = write.value(name, value);
        }
    }
    conditions.extend(also.iter().map(|it| (*it).to_owned()));
    write.when(&conditions.join(" AND "))
}

pub(crate) fn credential_item(credential: &Credential) -> Item {
    let Credential {
        user,
        email,
        password_hash,
        password_is_short,
        created_at,
        password_changed_at,
        log_ins,
        revision,
        second_factor,
        pending_factor,
    } = credential;
    let counted = |count: u64| (count > 0).then(|| number(count));
    let item = Item::new(keys::credential(email))
        .with("user", text(user))
        .with("email", text(email))
        .with("password_hash", text(password_hash))
        .with("password_is_short", AttributeValue::Bool(*password_is_short))
        .with("created_at", text(keys::timestamp(*created_at)))
        .with("password_changed_at", text(keys::timestamp(*password_changed_at)))
        .with_some("log_ins", counted(*log_ins))
        .with_some("revision", counted(*revision));
    with_factors(item, second_factor.as_ref(), pending_factor.as_ref())
}

fn credential(item: &Item) -> Result<Credential, StoreError> {
    let created_at = item.word("created_at")?;
    Ok(Credential {
        user: item.word("user")?,
        email: item.word("email")?,
        password_hash: item.text("password_hash")?.to_owned(),
        // Absent where it was stored before passwords could be short or change.
        password_is_short: item.has("password_is_short") && item.boolean("password_is_short")?,
        created_at,
        password_changed_at: item.some_word("password_changed_at")?.unwrap_or(created_at),
        log_ins: item.some_number("log_ins")?.unwrap_or(0),
        revision: item.some_number("revision")?.unwrap_or(0),
        second_factor: second_factor(item)?,
        pending_factor: pending_factor(item)?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::keys::tests::{USER, at};

    pub(crate) fn sample() -> Credential {
        let password = NewPassword { hash: "$argon2id$secret".to_owned(), is_short: true };
        Credential::new(USER, "ada@example.com".parse().expect("an address"), password, at("2026-11-20T11:00:00Z"))
    }

    #[test]
    fn a_credential_survives_storage_and_is_not_told_by_debug() {
        let second_factor = SecondFactor {
            secret: vec![222; 20],
            since: at("2026-11-20T12:00:00Z"),
            last_step: 58_000_000,
            recovery_hashes: [TokenHash::of("a"), TokenHash::of("b")].into(),
            codes_made_at: at("2026-11-20T12:00:00.000000001Z"),
        };
        let pending = PendingFactor { secret: vec![222; 20], until: at("2026-11-20T12:10:00Z") };
        let used_up = SecondFactor { recovery_hashes: [].into(), ..second_factor.clone() };
        for before in [
            sample(),
            Credential { pending_factor: Some(pending), log_ins: 1, revision: 2, ..sample() },
            Credential { second_factor: Some(second_factor), password_is_short: false, ..sample() },
            Credential { second_factor: Some(used_up), ..sample() },
        ] {
            assert!(credential(&credential_item(&before)).is_ok_and(|it| it == before));
            let told = format!("{before:?} {:?} {:?}", before.second_factor, before.pending_factor);
            assert!(!told.contains("secret") && !told.contains("222"), "{told}");
        }
        let password = NewPassword { hash: "secret".to_owned(), is_short: false };
        assert!(!format!("{password:?}").contains("secret"));
    }

    #[test]
    fn a_credential_of_an_older_release_can_be_read() {
        let before = sample();
        let item = Item::new(keys::credential(&before.email))
            .with("user", text(before.user))
            .with("email", text(&before.email))
            .with("password_hash", text(&before.password_hash))
            .with("created_at", text(keys::timestamp(before.created_at)));
        assert!(credential(&item).is_ok_and(|it| it == Credential { password_is_short: false, ..before }));
    }
}
