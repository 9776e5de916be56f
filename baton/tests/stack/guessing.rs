//! Guesses are held off, whoever else logs in is not, and no answer tells which addresses have an account.

use std::collections::BTreeMap;

use baton::stack::Stack;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::meter::{Metered, operations};
use crate::people::{Answer, PASSWORD, Person, mails_to, stack};

const WRONG: &str = "none that anybody has";
/// An address takes this many failures without a delay.
const FREE: usize = 5;
/// Several times as many as may wait for the memory that a password is hashed in.
const FLOOD: usize = 300;

async fn guess(person: &Person, email: &str, password: &str) -> Answer {
    let nobody = Person { access_token: None, ..person.clone() };
    nobody.post("/v1/login", json!({"email": email, "password": password})).await
}

/// Guesses until it is held off, after so many guesses before, and returns that answer. A machine may be so slow that a delay is over
/// before the next guess, but the delays double.
pub(crate) async fn guess_until_held_off(person: &Person, email: &str, before: usize) -> Answer {
    for number in before..before + FREE + 12 {
        let answer = guess(person, email, WRONG).await;
        if answer.status == 429 {
            assert!(number >= FREE, "{number} guesses were answered");
            return answer.problem(429);
        }
        answer.problem(401);
    }
    panic!("guesses are never held off");
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap_or_else(|_| panic!("Retry-After is a number of seconds in {answer:#?}"))
}

/// What an answer tells, but for what differs between any two.
fn told(answer: &Answer) -> (u16, BTreeMap<String, String>, Value) {
    let headers = answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
    let mut body = answer.body.clone();
    body.as_object_mut().and_then(|it| it.remove("request_id"));
    (answer.status.as_u16(), headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_guesses_is_held_off_and_the_owner_is_not() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let eve = Person::stranger(&stack);
    let held_off = guess_until_held_off(&eve, &ada.email, 0).await;
    assert!(retry_after(&held_off) >= 1, "{held_off:#?}");

    // Whoever has a session or has logged in on this device before goes on as if nothing were.
    ada.get("/v1/me").await.expect(200);
    let refreshed = ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(200);
    ada.refresh_token = refreshed.text("refresh_token");
    ada.log_in().await;
    // A device token is of one account: another's helps nobody.
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    guess_until_held_off(&eve, &ada.email, FREE).await;
    let with_another = json!({"email": ada.email, "password": PASSWORD, "device_token": ben.device_token});
    eve.post("/v1/login", with_another).await.problem(429);
    guess(&eve, &ada.email, PASSWORD).await.problem(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_that_guesses_is_held_off_alone() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let stolen = Person { access_token: None, ..ada.clone() };
    ada.device_token = None;
    ada.log_in().await;
    let body = json!({"email": ada.email, "password": WRONG, "device_token": stolen.device_token});
    let mut statuses = Vec::new();
    for _ in 0..FREE + 12 {
        statuses.push(stolen.post("/v1/login", body.clone()).await.status.as_u16());
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    ada.log_in().await;
    guess(&ada, &ada.email, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_succeeds_starts_the_count_anew() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    for _ in 0..3 {
        for _ in 0..FREE {
            guess(&ada, &ada.email, WRONG).await.problem(401);
        }
        guess(&ada, &ada.email, PASSWORD).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_by_mail_opens_an_address_that_was_guessed_at() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let eve = Person::stranger(&stack);
    guess_until_held_off(&eve, &ada.email, 0).await;
    eve.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
    let token = ada.token_after(&stack, "/#/reset?token=").await;
    let new = "another horse, another staple";
    eve.post("/v1/password/reset", json!({"token": token, "new": new})).await.expect(204);
    guess(&eve, &ada.email, new).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_logged_in_guesses_a_password_no_longer_than_a_stranger() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let body = json!({"current": WRONG, "new": "another horse, another staple"});
    let mut statuses = Vec::new();
    for _ in 0..FREE + 12 {
        statuses.push(ada.put("/v1/me/password", body.clone()).await.status.as_u16());
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert!(statuses.len() > FREE && statuses.last() == Some(&429), "{statuses:?}");
    assert!(statuses[..statuses.len() - 1].iter().all(|it| *it == 422), "{statuses:?}");
    // It bars neither reading nor logging in.
    ada.get("/v1/me").await.expect(200);
    guess(&ada, &ada.email, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_answered_alike_and_asks_as_much_of_the_tables_whether_it_is_known_or_not() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let nobody = metered.person(&Person::stranger(&metered.stack));
    // The functions read their keys.
    guess(&nobody, "warm.up@example.com", WRONG).await.problem(401);
    metered.calls();
    // No more log-ins than go without a delay; the first request to an address, and another one.
    let requests = [
        ("/v1/login", json!({"password": WRONG})),
        ("/v1/login", json!({"password": WRONG, "cookie": true})),
        ("/v1/login", json!({"password": WRONG, "device_token": ada.device_token})),
        ("/v1/login", json!({"password": WRONG, "device_token": "none"})),
        ("/v1/login", json!({"password": "x"})),
        ("/v1/accounts", json!({"name": "Eve"})),
        ("/v1/accounts", json!({"name": "Eve", "locale": "ko"})),
        ("/v1/password/forgot", json!({})),
        ("/v1/password/forgot", json!({})),
    ];
    for (path, body) in requests {
        let mut answers = Vec::new();
        for email in [ada.email.as_str(), "gus@example.com"] {
            let mut body = body.clone();
            body["email"] = json!(email);
            let answer = nobody.post(path, body).await;
            answers.push((told(&answer), metered.calls()));
        }
        let [known, unknown] = answers.try_into().expect("two answers");
        assert_eq!(known.0, unknown.0, "{path} {body}");
        assert_eq!(operations(&known.1), operations(&unknown.1), "{path} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_held_off_like_a_known_one() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let nobody = Person::stranger(&stack);
    for _ in 0..FREE {
        let (known, unknown) = (guess(&nobody, &ada.email, WRONG).await, guess(&nobody, "gus@example.com", WRONG).await);
        assert_eq!(told(&known), told(&unknown));
        assert_eq!(known.status, 401);
    }
    let known = guess_until_held_off(&nobody, &ada.email, FREE).await;
    let unknown = guess_until_held_off(&nobody, "gus@example.com", FREE).await;
    assert_eq!(known.body["detail"], unknown.body["detail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_ins_is_turned_away_past_a_bound() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let log_ins = (0..FLOOD).map(|number| {
        let ada = ada.clone();
        async move { guess(&ada, &format!("gus{number}@example.com"), WRONG).await }
    });
    let answers = join_all(log_ins).await;
    let (busy, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 503);
    assert!(!busy.is_empty() && !refused.is_empty(), "{} of {FLOOD} turned away", busy.len());
    for answer in refused {
        answer.problem(401);
    }
    for answer in busy {
        assert!(retry_after(&answer) >= 1);
        answer.problem(503);
    }
    guess(&ada, &ada.email, PASSWORD).await.expect(200);
}

/// The mails to an address after so many times of asking for one.
async fn mails_after(stack: &Stack, asks: usize, email: &str, path: &str, body: Value) -> usize {
    let nobody = Person::stranger(stack);
    let before = mails_to(stack, email).await.len();
    for _ in 0..asks {
        let answer = nobody.post(path, body.clone()).await.expect(202);
        assert_eq!(answer.body, json!({}));
    }
    stack.drain().await;
    mails_to(stack, email).await.len() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_so_many_letters_and_no_more_whoever_asks() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let sign_up = |email: &str| json!({"email": email, "name": "Eve"});
    let forgot = |email: &str| json!({"email": email});
    // One of Ada's five was her own.
    assert_eq!(mails_after(&stack, 8, &ada.email, "/v1/accounts", sign_up(&ada.email)).await, 4);
    assert_eq!(mails_after(&stack, 8, "gus@example.com", "/v1/accounts", sign_up("gus@example.com")).await, 5);
    assert_eq!(mails_after(&stack, 5, &ada.email, "/v1/password/forgot", forgot(&ada.email)).await, 3);
    assert_eq!(mails_after(&stack, 5, "gus@example.com", "/v1/password/forgot", forgot("gus@example.com")).await, 3);
    // The last link is as good as the first.
    let token = ada.token_after(&stack, "/#/reset?token=").await;
    ada.post("/v1/password/reset", json!({"token": token, "new": "another horse, another staple"})).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inviter_sends_so_many_invitations_a_day() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "owner").await;
    let path = format!("{project}/invitations");
    let invite = async |person: &Person, email: &str| person.post(&path, json!({"email": email, "role": "viewer"})).await;
    for _ in 0..14 {
        invite(&ada, "gus@example.com").await.expect(202);
    }
    stack.drain().await;
    assert_eq!(mails_to(&stack, "gus@example.com").await.len(), 10, "ten to an address");
    let mut made = 15;
    let refused = loop {
        let answer = invite(&ada, &format!("gus{made}@example.com")).await;
        if answer.status == 429 {
            break answer.problem(429);
        }
        answer.expect(202);
        made += 1;
        assert!(made < 200, "invitations are never held off");
    };
    assert_eq!(made, 100, "a hundred by one person");
    assert!(retry_after(&refused) >= 1);
    invite(&ben, "hal@example.com").await.expect(202);
}
