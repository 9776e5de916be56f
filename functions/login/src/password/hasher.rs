use std::sync::Arc;
use std::time::Duration;

use api::ApiError;
use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use store::NewPassword;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::rules::{Attempt, Password};
use crate::random;

/// m=19456 KiB, t=2, p=1 (OWASP Password Storage Cheat Sheet): the defaults of the crate, named so that an upgrade does not move them.
const PARAMS: (u32, u32, u32) = (19_456, 2, 1);
const SALT_LENGTH: usize = 16;
/// What the password of an unknown address is compared with, so that it takes the very same steps: of no password, under [`PARAMS`].
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// How many requests may wait for the one block of memory; whoever comes then is told to come back.
const MOST_WAITING: usize = 64;
/// About how long it takes until all who wait have had their turn.
const TURN: Duration = Duration::from_secs(2);

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    /// Right, under parameters that are not today's: to be stored anew.
    RightButWeak {
        new_hash: String,
    },
    Wrong,
}

/// Hashes passwords with Argon2id, one at a time, always in the same block of memory: fresh blocks let the process grow to a multiple.
pub(crate) struct PasswordHasher {
    memory: Arc<Mutex<Vec<Block>>>,
    waiting: Semaphore,
}

/// A place among those who wait for the memory.
pub(crate) struct Place<'a>(#[expect(dead_code, reason = "dropped where it is given back")] SemaphorePermit<'a>);

impl PasswordHasher {
    pub(crate) fn new() -> Self {
        Self { memory: Arc::default(), waiting: Semaphore::new(MOST_WAITING) }
    }

    /// The password as it is stored: hashed under today's parameters with a new salt.
    ///
    /// # Errors
    /// 503, if too many wait.
    pub(crate) async fn hash(&self, password: Password) -> Result<NewPassword, ApiError> {
        let (salt, is_short) = (random::octets()?, password.is_short);
        let hash = self.run(self.place()?, move |memory| hash(&password.attempt, salt, memory)).await?;
        Ok(NewPassword { hash, is_short })
    }

    /// A place to wait in: to be taken before something is written that only a hash can take back.
    ///
    /// # Errors
    /// 503, if too many wait.
    pub(crate) fn place(&self) -> Result<Place<'_>, ApiError> {
        self.waiting.try_acquire().map(Place).map_err(|_| busy())
    }

    /// Whether the attempt is the password behind the PHC string. Without one it is hashed all the same and is wrong, so that the time
    /// this takes does not tell which addresses have an account.
    ///
    /// # Errors
    /// 500, if what is stored is no PHC string of Argon2.
    pub(crate) async fn check(&self, place: Place<'_>, attempt: Attempt, stored: Option<String>) -> Result<Verdict, ApiError> {
        let salt = random::octets()?;
        self.run(place, move |memory| match stored {
            Some(stored) => check(&attempt, &stored, salt, memory),
            None => check(&attempt, NOBODYS_HASH, salt, memory).map(|_| Verdict::Wrong),
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        _place: Place<'_>,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let mut memory = Arc::clone(&self.memory).lock_owned().await;
        tokio::task::spawn_blocking(move || work(&mut memory)).await.map_err(ApiError::internal)?
    }
}

fn busy() -> ApiError {
    ApiError::Busy { retry_after: TURN }
}

fn todays_params() -> Result<Params, ApiError> {
    let (memory_kib, passes, lanes) = PARAMS;
    Params::new(memory_kib, passes, lanes, Some(Params::DEFAULT_OUTPUT_LEN)).map_err(fault)
}

fn hash(attempt: &Attempt, salt: [u8; SALT_LENGTH], memory: &mut Vec<Block>) -> Result<String, ApiError> {
    let params = todays_params()?;
    let output = output(attempt, &salt, Algorithm::Argon2id, Version::V0x13, &params, memory)?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(fault)?,
        salt: Some(Salt::new(&salt).map_err(fault)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

fn check(attempt: &Attempt, stored: &str, salt: [u8; SALT_LENGTH], memory: &mut Vec<Block>) -> Result<Verdict, ApiError> {
    let stored = PasswordHash::new(stored).map_err(fault)?;
    let PasswordHash { algorithm, version, salt: Some(stored_salt), hash: Some(expected), .. } = &stored else {
        return Err(fault("a stored password hash is incomplete"));
    };
    let params = Params::try_from(&stored).map_err(fault)?;
    let version = version.map_or(Ok(Version::V0x10), Version::try_from).map_err(fault)?;
    let algorithm: Ident = *algorithm;
    let actual = output(attempt, stored_salt, Algorithm::new(algorithm).map_err(fault)?, version, &params, memory)?;
    // Outputs compare in constant time.
    if actual != *expected {
        return Ok(Verdict::Wrong);
    }
    let (memory_kib, passes, lanes) = PARAMS;
    let is_todays = algorithm == ARGON2ID_IDENT
        && version == Version::V0x13
        && (params.m_cost(), params.t_cost(), params.p_cost()) == (memory_kib, passes, lanes);
    if is_todays { Ok(Verdict::Right) } else { Ok(Verdict::RightButWeak { new_hash: hash(attempt, salt, memory)? }) }
}

fn output(
    attempt: &Attempt,
    salt: &[u8],
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    memory: &mut Vec<Block>,
) -> Result<Output, ApiError> {
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let argon2 = Argon2::new(algorithm, version, params.clone());
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let mut octets = vec![0; length];
    argon2.hash_password_into_with_memory(attempt.0.as_bytes(), salt, &mut octets, &mut memory[..]).map_err(fault)?;
    Output::new(&octets).map_err(fault)
}

fn fault(error: impl std::fmt::Display) -> ApiError {
    ApiError::internal(format!("could not hash a password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery";

    fn attempt(text: &str) -> Attempt {
        text.to_owned().try_into().expect("a text that can be a password")
    }

    fn password(text: &str) -> Password {
        Password { attempt: attempt(text), is_short: false }
    }

    async fn check_with(hasher: &PasswordHasher, attempt: Attempt, stored: Option<String>) -> Result<Verdict, ApiError> {
        hasher.check(hasher.place()?, attempt, stored).await
    }

    #[tokio::test]
    async fn a_password_logs_in_however_its_accents_are_typed_and_no_other_does() {
        let hasher = PasswordHasher::new();
        let stored = hasher.hash(password("caf\u{e9} caf\u{e9} caf\u{e9} caf\u{e9}")).await.expect("a hash").hash;
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        for (text, expected) in [
            ("caf\u{e9} caf\u{e9} caf\u{e9} caf\u{e9}", Verdict::Right),
            ("cafe\u{301} cafe\u{301} cafe\u{301} cafe\u{301}", Verdict::Right),
            ("cafe cafe cafe cafe", Verdict::Wrong),
            ("", Verdict::Wrong),
        ] {
            let verdict = check_with(&hasher, attempt(text), Some(stored.clone())).await.expect("a verdict");
            assert_eq!(verdict, expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn an_unknown_address_is_hashed_and_wrong() {
        let hasher = PasswordHasher::new();
        let verdict = check_with(&hasher, attempt(PASSWORD), None).await.expect("a verdict");
        assert_eq!(verdict, Verdict::Wrong);
        assert_eq!(hasher.memory.lock().await.len(), 19_456, "the memory was used, and is kept");
        let todays = hash(&attempt(PASSWORD), [0; SALT_LENGTH], &mut Vec::new()).expect("a hash");
        let parameters = |hash: &str| hash.rsplit_once('$').map(|(parameters, _)| parameters.to_owned());
        assert_eq!(parameters(NOBODYS_HASH), parameters(&todays), "it costs what a known one costs");
    }

    #[tokio::test]
    async fn a_right_password_under_old_parameters_is_hashed_anew() {
        let hasher = PasswordHasher::new();
        let params = Params::new(64, 1, 1, Some(32)).expect("parameters");
        let mut memory = Vec::new();
        let right = attempt(PASSWORD);
        let salt = [1; SALT_LENGTH];
        let old = output(&right, &salt, Algorithm::Argon2id, Version::V0x13, &params, &mut memory).expect("an output");
        let stored = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(19),
            params: ParamsString::try_from(&params).expect("parameters"),
            salt: Some(Salt::new(&salt).expect("a salt")),
            hash: Some(old),
        };
        let verdict = check_with(&hasher, right.clone(), Some(stored.to_string())).await.expect("a verdict");
        let Verdict::RightButWeak { new_hash } = verdict else { panic!("{verdict:?}") };
        assert_eq!(check_with(&hasher, right, Some(new_hash)).await.expect("a verdict"), Verdict::Right);
        let wrong = check_with(&hasher, attempt("wrong"), Some(stored.to_string())).await.expect("a verdict");
        assert_eq!(wrong, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_stored_text_that_is_no_hash_is_our_fault_and_no_log_in() {
        let hasher = PasswordHasher::new();
        for stored in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ", "$scrypt$ln=1$c29tZXNhbHQ$c29tZWhhc2g"] {
            let verdict = check_with(&hasher, attempt(PASSWORD), Some(stored.to_owned())).await;
            assert!(matches!(verdict, Err(ApiError::Internal(_))), "{stored:?}: {verdict:?}");
        }
    }

    #[tokio::test]
    async fn whoever_comes_when_too_many_wait_is_turned_away_at_once() {
        let hasher = PasswordHasher::new();
        let busy = hasher.memory.lock().await;
        let mut places: Vec<_> = (0..MOST_WAITING).map(|_| hasher.place().expect("a place")).collect();
        let turned_away = hasher.hash(password(PASSWORD)).await.map(|_| ());
        assert!(matches!(turned_away, Err(ApiError::Busy { retry_after: TURN })), "{turned_away:?}");
        assert!(hasher.place().is_err());
        drop(busy);
        // Whoever has a place has their turn, however many come after.
        let mine = places.remove(0);
        assert_eq!(hasher.check(mine, attempt(PASSWORD), None).await.expect("a verdict"), Verdict::Wrong);
        assert!(hasher.place().is_ok());
    }
}
