use std::collections::{BTreeMap, BTreeSet};

use domain::{ApiTokenId, ProjectId, SecurityEvent, TokenAccess, TokenName, UserId};
use jiff::{SignedDuration, Timestamp};

use super::credentials::{AsRead, where_as_read};
use crate::item::{Item, json, number, text, word};
use crate::table::query::Query;
use crate::table::write::{Write, transact};
use crate::{Accounts, Credential, Mail, Notice, StoreError, TokenHash, keys};

/// How old the noted last use may be before it is noted anew: so a busy token is one write an hour.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A token for scripts, stored hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub user: UserId,
    pub hash: TokenHash,
    pub name: TokenName,
    pub access: TokenAccess,
    /// The projects it is limited to; all of the person's, where there are none given.
    pub projects: Option<BTreeSet<ProjectId>>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// To the hour.
    pub last_used_at: Option<Timestamp>,
}

impl ApiToken {
    /// Whether it can still be used.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether its last use is to be noted anew.
    #[must_use]
    pub fn is_use_worth_noting(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|it| now.duration_since(it) >= USE_NOTED_EVERY)
    }
}

impl Accounts {
    /// Stores an API token of whoever has this credential.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the account is gone or the password is not as read any more: the token would outlive a reset.
    pub async fn create_api_token(
        &self,
        mail: &Mail,
        credential: &Credential,
        token: &ApiToken,
        notice: &Notice,
    ) -> Result<(), StoreError> {
        let step = "store the API token";
        let check = Write::check(&self.table, keys::credential(&credential.email));
        let mut writes = vec![
            where_as_read(check, credential, &[AsRead::Password], &[]),
            Write::create(&self.table, token_item(keys::api_token(&token.hash), token)?),
            Write::create(&self.table, token_item(keys::listed_api_token(token.user, token.id), token)?),
        ];
        writes.extend(notice.writes(self, mail)?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// The API token of a hash, read consistently; also one that expired and is not yet removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError> {
        let item = self.table.get("read the API token", keys::api_token(hash)).await?;
        item.map(|it| api_token(&it)).transpose()
    }

    /// A person's API tokens, oldest first, read consistently; also those that expired and are not yet removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn api_tokens(&self, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
        let step = "list the API tokens";
        let query = Query::new(&self.table, "pk", keys::person_partition(user)).and("begins_with(#sk, :tokens)");
        let listed = query.value(":tokens", text(keys::API_TOKENS_PREFIX)).consistent().all(step).await?;
        let mut tokens: Vec<ApiToken> = listed.iter().map(api_token).collect::<Result<_, _>>()?;
        // The last use is noted where a token is found by its hash, which is what whoever uses one may write.
        let found = self.table.get_many(step, tokens.iter().map(|it| keys::api_token(&it.hash)).collect()).await?;
        let found: BTreeMap<ApiTokenId, ApiToken> =
            found.iter().map(|it| api_token(it).map(|it| (it.id, it))).collect::<Result<_, StoreError>>()?;
        for token in &mut tokens {
            token.last_used_at = found.get(&token.id).and_then(|it| it.last_used_at);
        }
        tokens.sort_by_key(|it| (it.created_at, it.id));
        Ok(tokens)
    }

    /// Takes an API token away.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is gone already.
    pub async fn revoke_api_token(&self, token: &ApiToken, event: &SecurityEvent) -> Result<(), StoreError> {
        let step = "revoke the API token";
        let [listed, found] = self.removing_api_token(token);
        let writes = vec![listed.when("attribute_exists(#pk)"), found, self.recording(event)?];
        transact(step, writes).await?.or_conflict(step)
    }

    pub(crate) fn removing_api_token(&self, token: &ApiToken) -> [Write; 2] {
        let keys = [keys::listed_api_token(token.user, token.id), keys::api_token(&token.hash)];
        keys.map(|key| Write::delete(&self.table, key))
    }

    /// Notes that an API token was used; one that is gone stays so.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn touch_api_token(&self, token: &ApiToken, now: Timestamp) -> Result<(), StoreError> {
        let noted = Write::update(&self.table, keys::api_token(&token.hash), "SET #last_used_at = :now")
            .when("attribute_exists(#pk) AND (attribute_not_exists(#last_used_at) OR #last_used_at < :now)")
            .value(":now", text(keys::timestamp(now)))
            .run("note the use of the API token")
            .await;
        match noted {
            // Noted by another at the same moment, or revoked.
            Err(StoreError::Conflict { .. }) => Ok(()),
            outcome => outcome,
        }
    }
}

/// An API token is stored twice, under its hash and under its owner, always in one transaction.
fn token_item(key: keys::Key, token: &ApiToken) -> Result<Item, StoreError> {
    let ApiToken { id, user, hash, name, access, projects, created_at, expires_at, last_used_at } = token;
    Ok(Item::new(key)
        .with("token", text(id))
        .with("user", text(user))
        .with("hash", text(hash.as_str()))
        .with("name", text(name))
        .with("access", word(access)?)
        .with_some("projects", projects.as_ref().map(json).transpose()?)
        .with("created_at", text(keys::timestamp(*created_at)))
        .with("ends_at", text(keys::timestamp(*expires_at)))
        .with("expires_at", number(expires_at.as_second().saturating_add(1)))
        .with_some("last_used_at", last_used_at.map(|it| text(keys::timestamp(it)))))
}

fn api_token(item: &Item) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: item.word("token")?,
        user: item.word("user")?,
        hash: item.word("hash")?,
        name: item.word("name")?,
        access: item.word("access")?,
        projects: if item.has("projects") { Some(item.json("projects")?) } else { None },
        created_at: item.word("created_at")?,
        expires_at: item.word("ends_at")?,
        last_used_at: item.some_word("last_used_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at};

    #[test]
    fn an_api_token_survives_storage() {
        let unlimited = ApiToken {
            id: ApiTokenId(TASK.0),
            user: USER,
            hash: TokenHash::of("baton_secret"),
            name: "nightly export".parse().expect("a name"),
            access: TokenAccess::Read,
            projects: None,
            created_at: at("2026-11-20T11:00:00Z"),
            expires_at: at("2027-11-20T11:00:00Z"),
            last_used_at: None,
        };
        let last_used_at = Some(at("2026-11-20T12:00:00Z"));
        let limited = ApiToken { projects: Some([PROJECT].into()), last_used_at, ..unlimited.clone() };
        assert!(unlimited.is_use_worth_noting(at("2026-11-20T11:00:00Z")));
        assert!(!limited.is_use_worth_noting(at("2026-11-20T12:59:59Z")));
        assert!(limited.is_use_worth_noting(at("2026-11-20T13:00:00Z")));
        for before in [unlimited, limited] {
            let item = token_item(keys::api_token(&before.hash), &before).expect("an item");
            assert_eq!(api_token(&item).ok(), Some(before));
        }
    }
}
