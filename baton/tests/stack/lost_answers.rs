//! Writes whose answers are lost on the way: they are sent again, and find themselves done instead of refused or done twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use baton::stack::Stack;
use domain::{
    Device, EventId, Letter, Locale, Notify, PartId, Profile, Recipient, SecurityEvent, SecurityEventKind, SessionId,
    TimeZoneName, UserId,
};
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use store::{
    Accounts, Attempts, Bucket, Credential, Environment, Filed, LetterKind, LetterLimit, Mail, NewPassword, Notice, OneTimeToken,
    Part, PartContent, PendingFactor, Session, SessionStart, StoreError, TokenHash, TokenPurpose, Work, client,
};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::people::stack;

pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Passes calls on to DynamoDB and loses the first answer to every write.
#[derive(Clone)]
struct Lossy {
    endpoint: String,
    http: reqwest::Client,
    lost: Arc<Mutex<BTreeSet<Bytes>>>,
}

async fn forward(State(lossy): State<Lossy>, headers: HeaderMap, body: Bytes) -> Response {
    let mut call = lossy.http.post(&lossy.endpoint).body(body.clone());
    for name in ["authorization", "content-type", "x-amz-date", "x-amz-target"] {
        if let Some(value) = headers.get(name) {
            call = call.header(name, value);
        }
    }
    let answer = call.send().await.expect("DynamoDB answers");
    let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let answer = answer.bytes().await.expect("a whole answer");
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let is_write = ["Put", "Update", "Delete", "Write"].iter().any(|it| target.contains(it));
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    if is_write && lossy.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(body) {
        return (StatusCode::INTERNAL_SERVER_ERROR, content_type, r#"{"__type":"InternalServerError"}"#).into_response();
    }
    (status, content_type, answer).into_response()
}

/// A DynamoDB that loses answers, and what it has lost.
async fn losing(stack: &Stack) -> (String, Arc<Mutex<BTreeSet<Bytes>>>) {
    let lossy = Lossy { endpoint: stack.dynamodb_endpoint(), http: reqwest::Client::new(), lost: Arc::default() };
    let lost = Arc::clone(&lossy.lost);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, Router::new().fallback(forward).with_state(lossy)).into_future());
    (endpoint, lost)
}

/// The tables as `login` has them.
pub(crate) struct Tables {
    pub(crate) accounts: Accounts,
    pub(crate) work: Work,
    pub(crate) mail: Mail,
}

impl Tables {
    pub(crate) fn of(stack: &Stack) -> Self {
        Self::behind(stack, stack.dynamodb_endpoint())
    }

    fn behind(stack: &Stack, endpoint: String) -> Self {
        let mut settings = stack.calls()["login"].environment.clone();
        settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint);
        let mut environment = Environment::from_settings(settings);
        let dynamodb = client::dynamodb(&client::sdk_config(&mut environment));
        Self {
            accounts: Accounts::new(dynamodb.clone(), environment.required("ACCOUNTS_TABLE")),
            work: Work::new(dynamodb.clone(), environment.required("WORK_TABLE")),
            mail: Mail::new(dynamodb, environment.required("MAIL_TABLE")),
        }
    }

    pub(crate) async fn start(&self, session: &Session, credential: &Credential) -> Result<(), StoreError> {
        let start = SessionStart { session, credential, clears: &[], notice: None, ends: None, idle: HOUR };
        self.accounts.start_session(&self.work, &self.mail, &start).await
    }

    /// Somebody with an account, as read.
    pub(crate) async fn person(&self) -> Credential {
        let (id, now) = (UserId(Uuid::now_v7()), Timestamp::now());
        let (email, name, locale, time_zone) =
            ("ada@example.com".parse(), "Ada".parse(), Locale::default(), TimeZoneName::default());
        let (email, name): (domain::EmailAddress, domain::Name) = (email.expect("an address"), name.expect("a name"));
        let purpose =
            TokenPurpose::VerifyAddress { email: email.clone(), name: name.clone(), locale, time_zone: time_zone.clone() };
        let token = OneTimeToken { hash: TokenHash::of("token"), purpose, expires_at: now + HOUR };
        let content = PartContent::Letter { id: PartId(Uuid::now_v7()), letter: Letter::AddressTaken { locale } };
        let letter = Part { recipient: Recipient::Address(email.clone()), due_at: now + HOUR, content };
        let limit = LetterLimit { kind: LetterKind::SignUp, most: 1, window: HOUR };
        let filed = self.accounts.file_token(&self.mail, &token, &letter, &limit).await;
        assert_eq!(filed.expect("the token is stored"), Filed::Yes, "a letter is counted once");
        let (notify, unsubscribe_secret) = (Notify::default(), [7; 32]);
        let profile = Profile { id, email: email.clone(), name, locale, time_zone, notify, unsubscribe_secret };
        let credential = Credential::new(id, email, password("first"), now);
        let verified = self.accounts.verify(&self.work, &token.hash, &credential, &profile, now).await;
        verified.expect("the account is made once");
        self.read(&credential).await
    }

    pub(crate) async fn read(&self, credential: &Credential) -> Credential {
        let read = self.accounts.credential(&credential.email).await;
        read.expect("the table answers").expect("there is an account")
    }
}

pub(crate) fn password(hash: &str) -> NewPassword {
    NewPassword { hash: hash.to_owned(), is_short: false }
}

pub(crate) fn notice(user: UserId, kind: SecurityEventKind) -> Notice {
    Notice::of(SecurityEvent { id: EventId(Uuid::now_v7()), user, at: Timestamp::now(), kind, device: Device::default() })
}

pub(crate) fn session(user: UserId) -> Session {
    let (id, now) = (SessionId(Uuid::now_v7()), Timestamp::now());
    let (created_at, refreshed_at, expires_at) = (now, now, now + HOUR);
    let (refresh_hash, previous_hash) = (TokenHash::of("first"), None);
    Session { user, id, refresh_hash, previous_hash, device: Device::default(), created_at, refreshed_at, expires_at }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_and_not_answered_for_is_written_once() {
    let stack = stack().await;
    let (endpoint, lost) = losing(&stack).await;
    let tables = Tables::behind(&stack, endpoint);
    let Tables { accounts, work, mail } = &tables;
    let credential = tables.person().await;
    let user = credential.user;

    let session = session(user);
    tables.start(&session, &credential).await.expect("the session starts");
    let rotated = accounts.rotate_session(&session, &TokenHash::of("second"), Timestamp::now(), HOUR).await;
    assert_eq!(rotated.expect("the refresh token is rotated").previous_hash, Some(session.refresh_hash.clone()));

    let (bucket, none) = (Bucket::Proof(user), Attempts::default());
    accounts.count_attempt(&bucket, &none, None, Timestamp::now()).await.expect("the attempt is counted");
    assert_eq!(accounts.attempts(&bucket).await.expect("the table answers").failures, 1);

    let pending = PendingFactor { secret: vec![7; 20], until: Timestamp::now() + HOUR };
    accounts.start_enrolment(&credential, &pending).await.expect("the second factor is begun");
    let credential = tables.read(&credential).await;
    let codes = ["a", "b"].map(TokenHash::of);
    let on = notice(user, SecurityEventKind::SecondFactorOn);
    accounts.confirm_enrolment(mail, &credential, 1, &codes, &on).await.expect("the second factor is on");
    let credential = tables.read(&credential).await;
    accounts.spend_step(&credential, 2).await.expect("the code is used up");
    let again = accounts.spend_step(&credential, 2).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "and only once: {again:?}");
    let used = notice(user, SecurityEventKind::RecoveryCodeUsed { left: 1 });
    accounts.spend_recovery_code(mail, &credential, &codes[0], &used).await.expect("the recovery code is used up");

    let credential = tables.read(&credential).await;
    assert_eq!(credential.log_ins, 1);
    let changed = notice(user, SecurityEventKind::PasswordChanged);
    let (new, ends, now) = (password("second"), [session.id], Timestamp::now());
    let change = accounts.change_password(work, mail, &credential, &new, &ends, &changed, now).await;
    change.expect("the password is changed");
    assert_eq!(tables.read(&credential).await.password_hash, "second");

    assert_eq!(accounts.session(user, session.id).await.expect("the table answers"), None);
    let ended = work.ended_sessions(user).await.expect("the table answers");
    assert!(ended.contains(session.id, Timestamp::now()));
    let events = accounts.events(user, 10, None).await.expect("the table answers").items;
    let kinds: Vec<&str> = events.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["password_changed", "recovery_code_used", "second_factor_on"]);
    assert_eq!(lost.lock().unwrap_or_else(PoisonError::into_inner).len(), 11, "every write was sent twice");
}
