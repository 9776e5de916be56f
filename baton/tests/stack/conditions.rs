//! What the store refuses because of what happened in between, at moments that requests over HTTP do not hit at will.

use domain::{ApiTokenId, EmailAddress, Letter, Locale, PartId, Recipient, SecurityEventKind, SessionId, TokenAccess, UserId};
use jiff::Timestamp;
use store::{
    AddressSide, ApiToken, Credential, EmailChange, Ending, Filed, LetterKind, LetterLimit, NewPassword, OneTimeToken, Part,
    PartContent, PendingFactor, Session, StoreError, TokenHash, TokenPurpose,
};
use uuid::Uuid;

use crate::lost_answers::{HOUR, Tables, notice, password, session};
use crate::people::stack;

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) {
    assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_outlives_the_password_it_was_started_with() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let read = tables.person().await;
    let (user, now, new) = (read.user, Timestamp::now(), password("second"));
    let changed = notice(user, SecurityEventKind::PasswordChanged);

    // Somebody logs in after the sessions to be ended were listed.
    let unlisted = session(user);
    tables.start(&unlisted, &read).await.expect("the session starts");
    refused(&accounts.change_password(work, mail, &read, &new, &[], &changed, now).await);

    let current = tables.read(&read).await;
    accounts.change_password(work, mail, &current, &new, &[unlisted.id], &changed, now).await.expect("the password is changed");
    assert_eq!(accounts.sessions(user).await.expect("the table answers"), []);

    // Somebody proved the old password before it was changed, and would start a session now.
    refused(&tables.start(&session(user), &current).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_whose_token_was_copied_is_told_once() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let read = tables.person().await;
    let (user, now, session) = (read.user, Timestamp::now(), session(read.user));
    tables.start(&session, &read).await.expect("the session starts");
    let notices = [1, 2].map(|_| notice(user, SecurityEventKind::RefreshTokenReused));
    let end = |place: usize| {
        let ending = Ending::Told(&notices[place]);
        async move { accounts.end_sessions(work, mail, user, &[session.id], ending, now).await.is_ok() }
    };
    assert_eq!([end(0).await, end(1).await], [true, false]);
    assert_eq!(accounts.events(user, 10, None).await.expect("the table answers").items.len(), 1);
    let second = TokenHash::of("second");
    refused(&accounts.rotate_session(&session, &second, now, HOUR).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_left_alone_is_not_gone_on_with() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let read = tables.person().await;
    let session = Session { expires_at: Timestamp::now() + HOUR * 3, ..session(read.user) };
    tables.start(&session, &read).await.expect("the session starts");
    let second = TokenHash::of("second");
    for late in [session.refreshed_at + HOUR, session.expires_at] {
        refused(&tables.accounts.rotate_session(&session, &second, late, HOUR).await);
    }
    let just_in_time = session.refreshed_at + HOUR - jiff::SignedDuration::from_nanos(1);
    let rotated = tables.accounts.rotate_session(&session, &second, just_in_time, HOUR).await.expect("it goes on");
    // Whoever presents the same token at the same moment derives the same successor, and learns the time of the one rotation.
    let again = tables.accounts.rotate_session(&session, &second, Timestamp::now(), HOUR).await.expect("it has gone on");
    assert_eq!(again, rotated);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changes_once_both_links_were_followed_also_at_the_same_moment() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let read = tables.person().await;
    let (user, now) = (read.user, Timestamp::now());
    let (replaced, _) = begin_email_change(&tables, &read).await.expect("the change is begun");
    let (change, filed) = begin_email_change(&tables, &read).await.expect("the change is begun");
    assert_eq!(filed, Filed::Yes);
    let (_, filed) = begin_email_change(&tables, &read).await.expect("the table answers");
    assert_eq!(filed, Filed::TooMany, "and nothing of a third one is stored");
    refused(&accounts.confirm_email_side(&replaced, AddressSide::New, now).await);

    let (old, new) = (&change.old, &change.new);
    let (done, to_old) = (notice(user, SecurityEventKind::EmailChanged), letter(old));
    refused(&accounts.finish_email_change(work, mail, &change, &read, &done, &to_old, now).await);
    let sides = [AddressSide::Old, AddressSide::New].map(|side| accounts.confirm_email_side(&change, side, now));
    let followed = futures::future::try_join_all(sides).await.expect("both links are good");
    assert!(followed.iter().any(|it| it.waiting_for().is_none()), "{followed:?}");

    let read = tables.read(&read).await;
    let finish = || accounts.finish_email_change(work, mail, &change, &read, &done, &to_old, now);
    finish().await.expect("the address changes");
    refused(&finish().await);
    assert!(accounts.credential(old).await.expect("the table answers").is_none());
    let moved = accounts.credential(new).await.expect("the table answers").expect("a credential");
    assert_eq!((moved.user, &moved.password_hash), (user, &read.password_hash));
    let profile = work.profile(user).await.expect("the table answers").expect("a profile");
    assert_eq!(profile.email, *new);
}

fn letter(to: &EmailAddress) -> Part {
    let content = PartContent::Letter { id: PartId(Uuid::now_v7()), letter: Letter::EmailChanged { locale: Locale::En } };
    Part { recipient: Recipient::Address(to.clone()), due_at: Timestamp::now() + HOUR, content }
}

async fn begin_email_change(tables: &Tables, read: &Credential) -> Result<(EmailChange, Filed), StoreError> {
    let (user, old, expires_at) = (read.user, read.email.clone(), Timestamp::now() + HOUR);
    let new = "ada@example.org".parse().expect("an address");
    let notice = notice(user, SecurityEventKind::EmailChangeAsked);
    let event = notice.event();
    let change = EmailChange { id: event.id, user, old, new, old_confirmed: false, new_confirmed: false, expires_at };
    let token = |side| {
        let purpose = TokenPurpose::ChangeEmail { user, change: change.id, side };
        OneTimeToken { hash: TokenHash::of(&Uuid::now_v7().to_string()), purpose, expires_at }
    };
    let tokens = [&token(AddressSide::Old), &token(AddressSide::New)];
    let letters = [&letter(&change.old), &letter(&change.new)];
    let limit = LetterLimit { kind: LetterKind::EmailChange, most: 2, window: HOUR * 24 };
    let filed = tables.accounts.start_email_change(&tables.mail, read, &change, tokens, letters, &limit, event).await?;
    Ok((change, filed))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_begun_under_a_password_goes_on_under_the_next() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let before = tables.person().await;
    let (user, now) = (before.user, Timestamp::now());
    accounts.start_enrolment(&before, &PendingFactor { secret: vec![7; 20], until: now + HOUR }).await.expect("it is begun");
    let (change, _) = begin_email_change(&tables, &before).await.expect("the change is begun");
    let begun = tables.read(&before).await;
    let changed = notice(user, SecurityEventKind::PasswordChanged);
    accounts.change_password(work, mail, &begun, &password("second"), &[], &changed, now).await.expect("it is changed");

    refused(&accounts.confirm_email_side(&change, AddressSide::Old, now).await);
    refused(&begin_email_change(&tables, &begun).await);
    let after = tables.read(&before).await;
    assert_eq!(after.pending_factor, None);
    let pending = Credential { pending_factor: begun.pending_factor.clone(), ..after };
    let on = notice(user, SecurityEventKind::SecondFactorOn);
    refused(&accounts.confirm_enrolment(mail, &pending, 1, &[TokenHash::of("code")], &on).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_not_switched_off_before_a_password_that_needs_it() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let read = tables.person().await;
    let (user, now) = (read.user, Timestamp::now());
    accounts.start_enrolment(&read, &PendingFactor { secret: vec![7; 20], until: now + HOUR }).await.expect("it is begun");
    let (on, off) = (notice(user, SecurityEventKind::SecondFactorOn), notice(user, SecurityEventKind::SecondFactorOff));
    let codes = [TokenHash::of("code")];
    accounts.confirm_enrolment(mail, &tables.read(&read).await, 1, &codes, &on).await.expect("it is on");
    let short = NewPassword { is_short: true, ..password("short") };
    let changed = notice(user, SecurityEventKind::PasswordChanged);
    accounts.change_password(work, mail, &tables.read(&read).await, &short, &[], &changed, now).await.expect("it is changed");
    let with_short = tables.read(&read).await;
    refused(&accounts.end_second_factor(work, mail, &with_short, None, &[], &off, now).await);
    let long = password("long");
    accounts.end_second_factor(work, mail, &with_short, Some(&long), &[], &off, now).await.expect("both are changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_leaves_no_way_in() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let read = tables.person().await;
    let (user, now) = (read.user, Timestamp::now());
    let made = notice(user, SecurityEventKind::NewDevice);
    let (before, after) = (api_token(user, "before"), api_token(user, "after"));
    accounts.create_api_token(mail, &read, &before, &made).await.expect("the token is made");
    let unlisted = session(user);
    tables.start(&unlisted, &read).await.expect("the session starts");
    refused(&accounts.delete_account(work, &read, &[], now).await);

    let read = tables.read(&read).await;
    // More than one transaction takes.
    let mut ended: Vec<SessionId> = (0..120).map(|_| SessionId(Uuid::now_v7())).collect();
    ended.push(unlisted.id);
    accounts.delete_account(work, &read, &ended, now).await.expect("the account is gone");
    assert!(accounts.credential(&read.email).await.expect("the table answers").is_none());
    assert!(work.profile(user).await.expect("the table answers").is_none());
    assert_eq!(accounts.sessions(user).await.expect("the table answers"), []);
    assert_eq!(accounts.api_token(&before.hash).await.expect("the table answers"), None);
    assert_eq!(accounts.events(user, 1, None).await.expect("the table answers").items, []);
    let refuses = work.ended_sessions(user).await.expect("the table answers");
    assert!(ended.iter().all(|it| refuses.contains(*it, now)));

    refused(&tables.start(&session(user), &read).await);
    refused(&accounts.create_api_token(mail, &read, &after, &made).await);
    accounts.touch_api_token(&before, now).await.expect("nothing is to be noted");
    assert_eq!(accounts.api_token(&before.hash).await.expect("the table answers"), None, "and nothing comes back by it");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_api_token_is_made_by_whoever_proved_a_password_of_before() {
    let stack = stack().await;
    let tables = Tables::of(&stack);
    let Tables { accounts, work, mail } = &tables;
    let read = tables.person().await;
    let (user, now) = (read.user, Timestamp::now());
    let changed = notice(user, SecurityEventKind::PasswordChanged);
    accounts.change_password(work, mail, &read, &password("second"), &[], &changed, now).await.expect("the password is changed");
    let wanted = api_token(user, "late");
    refused(&accounts.create_api_token(mail, &read, &wanted, &notice(user, SecurityEventKind::NewDevice)).await);
    assert_eq!(accounts.api_tokens(user).await.expect("the table answers"), []);
}

fn api_token(user: UserId, text: &str) -> ApiToken {
    let now = Timestamp::now();
    ApiToken {
        id: ApiTokenId(Uuid::now_v7()),
        user,
        hash: TokenHash::of(text),
        name: "nightly".parse().expect("a name"),
        access: TokenAccess::Write,
        projects: None,
        created_at: now,
        expires_at: now + HOUR,
        last_used_at: None,
    }
}
