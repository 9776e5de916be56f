//! The second factor from enrolment to removal: what logs in, what does not, and who is told.

use baton::stack::Stack;
use reqwest::Method;
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, enrol};
use crate::people::{Answer, PASSWORD, Person, empty_inbox, mails_to, stack};

const FACTOR: &str = "/v1/me/second-factor";
const CONFIRM: &str = "/v1/me/second-factor/confirm";
const RECOVERY_CODES: &str = "/v1/me/second-factor/recovery-codes";
const NEW_LOG_IN: &str = "New log-in to your Baton account";

/// The first of two steps, from a device that was never seen.
async fn ticket(person: &Person) -> String {
    let stranger = Person::stranger_at(&person.origin);
    let answer = stranger.post("/v1/login", json!({"email": person.email, "password": PASSWORD})).await.expect(200);
    assert_eq!(answer.body["second_factor"], "totp");
    assert_eq!(answer.body["expires_in"], 300);
    for name in ["access_token", "refresh_token", "device_token", "user"] {
        assert!(answer.body.get(name).is_none(), "{name} in {answer:#?}");
    }
    answer.text("ticket")
}

async fn second_step(person: &Person, ticket: &str, kind: &str, code: &str) -> Answer {
    Person::stranger_at(&person.origin).post("/v1/login/second-factor", json!({"ticket": ticket, kind: code})).await
}

/// The kinds of the person's security events, newest first.
async fn events(person: &Person) -> Vec<String> {
    let list = person.get("/v1/me/events").await.expect(200).body;
    let items = list["items"].as_array().expect("a list").iter();
    items.map(|it| it["kind"].as_str().expect("a kind").to_owned()).collect()
}

/// The subjects of the person's mails, sorted.
async fn subjects(stack: &Stack, person: &Person) -> Vec<String> {
    stack.drain().await;
    let mails = mails_to(stack, &person.email).await.into_iter();
    let mut subjects: Vec<String> = mails.map(|it| it["subject"].as_str().expect("a subject").to_owned()).collect();
    subjects.sort_unstable();
    subjects
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_a_second_factor_logs_in_in_two_steps_and_a_code_is_good_once() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let off = json!({"enabled": false, "since": null, "recovery_codes_left": 0});
    assert_eq!(ada.get(FACTOR).await.expect(200).body, off);
    empty_inbox(&stack).await;

    let begun = ada.post(FACTOR, json!({"password": PASSWORD})).await.expect(200);
    let uri = begun.text("otpauth_uri");
    assert_eq!(uri, format!("otpauth://totp/Baton:ada%40example.com?secret={}&issuer=Baton", begun.text("secret")));
    assert_eq!(ada.get(FACTOR).await.expect(200).body, off, "it does not count before it is confirmed");
    ada.elsewhere().await;
    let mut app = Authenticator::new(&begun.text("secret"));
    let first_code = app.next_code();
    let codes = ada.post(CONFIRM, json!({"code": first_code})).await.expect(200).body;
    assert_eq!(codes["recovery_codes"].as_array().map(Vec::len), Some(10));
    let on = ada.get(FACTOR).await.expect(200).body;
    assert_eq!((&on["enabled"], &on["recovery_codes_left"]), (&json!(true), &json!(10)));
    assert!(on["since"].is_string());

    let ticket = ticket(&ada).await;
    second_step(&ada, &ticket, "code", &first_code).await.expect(401);
    second_step(&ada, &ticket, "code", "000000").await.expect(401);
    second_step(&ada, "AAAA", "code", "000000").await.expect(401);
    let code = app.next_code();
    let logged_in = second_step(&ada, &ticket, "code", &code).await.expect(200);
    assert_eq!(logged_in.body["user"]["id"], ada.id.as_str());
    second_step(&ada, &ticket, "code", &code).await.expect(401);
    let mut there = ada.clone();
    there.log_in_as_answered(&logged_in);
    there.get("/v1/me").await.expect(200);

    assert_eq!(events(&ada).await.iter().filter(|it| *it == "second_factor_on").count(), 1);
    assert_eq!(subjects(&stack, &ada).await, [NEW_LOG_IN, NEW_LOG_IN, "Second factor switched on for your Baton account"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_logs_in_once_and_its_use_is_told() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (_, codes) = enrol(&ada).await;
    subjects(&stack, &ada).await;
    empty_inbox(&stack).await;

    let first = ticket(&ada).await;
    // As it may be typed: in lower case, without its hyphens.
    let typed = codes[0].replace('-', "").to_lowercase();
    second_step(&ada, &first, "recovery_code", &typed).await.expect(200);
    let second = ticket(&ada).await;
    second_step(&ada, &second, "recovery_code", &codes[0]).await.expect(401);
    assert_eq!(ada.get(FACTOR).await.expect(200).body["recovery_codes_left"], 9);
    let seen = events(&ada).await;
    assert_eq!(seen.iter().filter(|it| *it == "recovery_code_used").count(), 1, "{seen:?}");
    assert_eq!(subjects(&stack, &ada).await, ["A recovery code of your Baton account was used", NEW_LOG_IN]);

    let renewed = ada.post(RECOVERY_CODES, json!({"password": PASSWORD, "code": codes[1]})).await.expect(200).body;
    assert_eq!(renewed["recovery_codes"].as_array().map(Vec::len), Some(10));
    second_step(&ada, &second, "recovery_code", &codes[2]).await.expect(401);
    let fresh = renewed["recovery_codes"][0].as_str().expect("a code");
    second_step(&ada, &second, "recovery_code", fresh).await.expect(200);
    assert_eq!(ada.get(FACTOR).await.expect(200).body["recovery_codes_left"], 9);
    let told = subjects(&stack, &ada).await;
    assert!(told.contains(&"New recovery codes for your Baton account".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_logs_in_while_a_thief_of_the_password_guesses_codes() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (_, codes) = enrol(&ada).await;
    let ticket = ticket(&ada).await;
    let mut statuses = Vec::new();
    while statuses.len() < 17 && statuses.last() != Some(&429) {
        statuses.push(second_step(&ada, &ticket, "code", "000000").await.status.as_u16());
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    second_step(&ada, &ticket, "recovery_code", &codes[0]).await.expect(200);
    second_step(&ada, &ticket, "recovery_code", &codes[0]).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_begun_and_ended_only_with_every_factor_there_is() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    ada.delete_with(FACTOR, json!({"password": PASSWORD, "code": "000000"})).await.problem(409);
    ada.post(RECOVERY_CODES, json!({"password": PASSWORD, "code": "000000"})).await.problem(409);
    ada.post(CONFIRM, json!({"code": "000000"})).await.problem(409);
    check_place(&ada.post(FACTOR, json!({"password": "not the password at all"})).await.expect(422), "/password");
    ada.post(FACTOR, json!({"password": PASSWORD})).await.expect(200);
    check_place(&ada.post(CONFIRM, json!({"code": "000000"})).await.expect(422), "/code");
    check_place(&ada.post(CONFIRM, json!({"code": "12345"})).await.expect(422), "/code");
    let (_, codes) = enrol(&ada).await;
    ada.post(FACTOR, json!({"password": PASSWORD})).await.problem(409);

    check_place(
        &ada.delete_with(FACTOR, json!({"password": "not the password", "code": codes[0]})).await.expect(422),
        "/password",
    );
    check_place(&ada.delete_with(FACTOR, json!({"password": PASSWORD, "code": "000000"})).await.expect(422), "/code");
    check_place(&ada.delete_with(FACTOR, json!({"password": PASSWORD})).await.expect(422), "/code");
    subjects(&stack, &ada).await;
    empty_inbox(&stack).await;
    ada.delete_with(FACTOR, json!({"password": PASSWORD, "code": codes[0]})).await.expect(204);
    assert_eq!(ada.get(FACTOR).await.expect(200).body["enabled"], false);
    assert!(ada.elsewhere().await.access_token.is_some(), "the password alone logs in again");
    let seen = events(&ada).await;
    assert!(seen.contains(&"second_factor_off".to_owned()), "{seen:?}");
    let told =
        ["A recovery code of your Baton account was used", NEW_LOG_IN, "Second factor switched off for your Baton account"];
    assert_eq!(subjects(&stack, &ada).await, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_password_goes_with_the_second_factor_and_not_without() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let there = ada.elsewhere().await;
    let short = json!({"current": PASSWORD, "new": "gr8 bato"});
    check_place(&ada.put("/v1/me/password", short.clone()).await.expect(422), "/new");
    let (_, codes) = enrol(&ada).await;
    let mut short = short;
    short["code"] = json!(codes[0]);
    ada.put("/v1/me/password", short).await.expect(204);
    there.get("/v1/me").await.expect(401);

    let removal = |new: Value| json!({"password": "gr8 bato", "code": codes[1], "new_password": new});
    check_place(&ada.delete_with(FACTOR, removal(Value::Null)).await.expect(422), "/new_password");
    ada.delete_with(FACTOR, removal(json!("gr8 bat0"))).await.expect(422);
    ada.delete_with(FACTOR, json!({"password": "gr8 bato", "code": codes[2], "new_password": PASSWORD})).await.expect(204);
    ada.elsewhere().await.get("/v1/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_enrolments_confirmed_at_once_one_wins() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let begun = ada.post(FACTOR, json!({"password": PASSWORD})).await.expect(200);
    let body = json!({"code": Authenticator::new(&begun.text("secret")).next_code()});
    let (one, other) = tokio::join!(ada.post(CONFIRM, body.clone()), ada.post(CONFIRM, body));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let won = if one.status == 200 { one } else { other };
    let first = ticket(&ada).await;
    let code = won.body["recovery_codes"][0].as_str().expect("a code");
    second_step(&ada, &first, "recovery_code", code).await.expect(200);
    assert_eq!(events(&ada).await.iter().filter(|it| *it == "second_factor_on").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_uses_of_one_code_at_once_one_wins() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (mut app, codes) = enrol(&ada).await;
    for (kind, code) in [("code", app.next_code()), ("recovery_code", codes[0].clone())] {
        let ticket = ticket(&ada).await;
        let uses = futures::future::join_all((0..4).map(|_| second_step(&ada, &ticket, kind, &code))).await;
        let won = uses.iter().filter(|it| it.status == 200).count();
        assert_eq!(won, 1, "{kind}: {uses:#?}");
        assert!(uses.iter().all(|it| matches!(it.status.as_u16(), 200 | 401 | 429)), "{kind}: {uses:#?}");
    }
    assert_eq!(ada.get(FACTOR).await.expect(200).body["recovery_codes_left"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_reaches_no_second_factor() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let expires_at = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let made = json!({"name": "all", "access": "write", "projects": null, "expires_at": expires_at, "password": PASSWORD});
    let script = Person { access_token: Some(ada.post("/v1/me/tokens", made).await.expect(201).text("token")), ..ada.clone() };
    for (method, path) in [
        (Method::GET, FACTOR),
        (Method::POST, FACTOR),
        (Method::DELETE, FACTOR),
        (Method::POST, CONFIRM),
        (Method::POST, RECOVERY_CODES),
        (Method::GET, "/v1/me/events"),
    ] {
        script.send(method, path, &[], None).await.problem(403);
    }
}

#[track_caller]
fn check_place(answer: &Answer, pointer: &str) {
    assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{answer:#?}");
}
