use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Profile, UserId};

use crate::item::{Item, json, text, word};
use crate::table::write::Write;
use crate::{StoreError, Work, keys};

/// What can change, and is compared to see whether it is still as read.
const CHANGING: [&str; 5] = ["email", "name", "locale", "time_zone", "notify"];

impl Work {
    /// A person's profile, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        let item = self.table.get("read the profile", keys::profile(user)).await?;
        item.map(|it| profile(&it)).transpose()
    }

    /// The profiles of several people; unknown ones are left out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn profiles(&self, users: &[UserId]) -> Result<BTreeMap<UserId, Profile>, StoreError> {
        let unique: BTreeSet<UserId> = users.iter().copied().collect();
        let items = self.table.get_many("read the profiles", unique.into_iter().map(keys::profile).collect()).await?;
        items.iter().map(|it| profile(it).map(|profile| (profile.id, profile))).collect()
    }

    /// Replaces a profile, where it is still as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not.
    pub async fn update_profile(&self, before: &Profile, after: &Profile) -> Result<(), StoreError> {
        let before = profile_item(before)?;
        let mut update = Write::put(&self.table, profile_item(after)?);
        let mut conditions = Vec::new();
        for name in CHANGING {
            conditions.push(format!("#{name} = :{name}"));
            update = update.value(&format!(":{name}"), text(before.text(name)?));
        }
        update.when(&conditions.join(" AND ")).run("store the profile").await
    }
}

pub(crate) fn profile_item(profile: &Profile) -> Result<Item, StoreError> {
    let Profile { id, email, name, locale, time_zone, notify, unsubscribe_secret } = profile;
    Ok(Item::new(keys::profile(*id))
        .with("user", text(id))
        .with("email", text(email))
        .with("name", text(name))
        .with("locale", word(locale)?)
        .with("time_zone", text(time_zone))
        .with("notify", json(notify)?)
        .with("unsubscribe_secret", AttributeValue::B(Blob::new(unsubscribe_secret.to_vec()))))
}

fn profile(item: &Item) -> Result<Profile, StoreError> {
    let secret = item.octets("unsubscribe_secret")?;
    let unsubscribe_secret =
        secret.try_into().map_err(|_| StoreError::Corrupt { what: "an unsubscribe secret is not 32 octets".to_owned() })?;
    Ok(Profile {
        id: item.word("user")?,
        email: item.word("email")?,
        name: item.word("name")?,
        locale: item.word("locale")?,
        time_zone: item.word("time_zone")?,
        notify: item.json("notify")?,
        unsubscribe_secret,
    })
}

#[cfg(test)]
mod tests {
    use domain::{Choice, Locale, Notify, TimeZoneName};

    use super::*;
    use crate::keys::tests::USER;

    #[test]
    fn a_profile_survives_storage() {
        let before = Profile {
            id: USER,
            email: "ada@example.com".parse().expect("an address"),
            name: "Ada".parse().expect("a name"),
            locale: Locale::Ko,
            time_zone: TimeZoneName::try_from("Asia/Seoul".to_owned()).expect("a time zone"),
            notify: Notify { status: Choice::None, ..Notify::default() },
            unsubscribe_secret: [7; 32],
        };
        let item = profile_item(&before).expect("an item");
        assert!(CHANGING.iter().all(|name| item.text(name).is_ok()));
        assert_eq!(profile(&item).ok(), Some(before));
    }
}
