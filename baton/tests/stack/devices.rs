//! Devices that are known and devices that are not, how many log in at once, and how a log-in of two steps is guarded.

use aws_sdk_dynamodb::types::AttributeValue;
use baton::stack::Stack;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::authenticator::enrol;
use crate::people::{Answer, PASSWORD, Person, empty_inbox, mails_to, stack};
use crate::tables::table;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Logs in as a browser does, with the cookies it has.
async fn log_in(person: &Person, user_agent: &str, cookies: &str, body: Value) -> Answer {
    let mut all = json!({"email": person.email, "password": PASSWORD});
    all.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
    let headers = [("content-type", "application/json"), ("user-agent", user_agent), ("cookie", cookies)];
    let nobody = Person { access_token: None, ..person.clone() };
    nobody.send(Method::POST, "/v1/login", &headers, Some(all.to_string().into_bytes())).await
}

/// The cookies an answer sets, as they are sent back.
fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok()?.split("; ").next());
    all.map(str::to_owned).collect()
}

async fn events(person: &Person) -> Vec<Value> {
    person.get("/v1/me/events").await.expect(200).body["items"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_of_a_new_device_and_not_of_a_known_one() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    empty_inbox(&stack).await;
    assert_eq!(events(&ada).await, Vec::<Value>::new(), "the first log-in of all is the owner's own");

    let answer = log_in(&ada, FIREFOX, "", json!({})).await.expect(200);
    stack.drain().await;
    let mails = mails_to(&stack, &ada.email).await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let text = mails[0]["text"].as_str().expect("a text");
    assert!(text.contains("Firefox") && !text.contains("Gecko"), "{text}");
    let told = events(&ada).await;
    assert_eq!((told.len(), &told[0]["kind"], &told[0]["device"]), (1, &json!("new_device"), &json!("Firefox on Linux")));

    // Whoever shows the token it was given is known, and stays so.
    let again = log_in(&ada, FIREFOX, "", json!({"device_token": answer.text("device_token")})).await.expect(200);
    log_in(&ada, FIREFOX, "", json!({"device_token": again.text("device_token")})).await.expect(200);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ada.email).await.len(), 1);
    // Another's device is not.
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    log_in(&ada, FIREFOX, "", json!({"device_token": ben.device_token})).await.expect(200);
    log_in(&ada, FIREFOX, "", json!({"device_token": "not a token of ours"})).await.expect(200);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ada.email).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_known_by_a_cookie_no_script_can_read() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    empty_inbox(&stack).await;
    let answer = log_in(&ada, FIREFOX, "", json!({"cookie": true})).await.expect(200);
    assert_eq!((answer.body.get("device_token"), answer.body.get("refresh_token")), (None, None), "{answer:#?}");
    let kept = cookies(&answer);
    let device = kept.iter().find(|it| it.starts_with("__Host-baton-device=")).expect("a cookie").clone();
    for cookie in answer.headers.get_all("set-cookie") {
        let text = cookie.to_str().expect("a text");
        for needed in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age="] {
            assert!(text.contains(needed), "{needed} in {text}");
        }
    }
    let again = log_in(&ada, FIREFOX, &device, json!({"cookie": true})).await.expect(200);
    assert_eq!(cookies(&again).len(), 2);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ada.email).await.len(), 1, "the second time it was known");
    // It proves nothing about who uses it.
    let refresh = [("cookie", device.as_str()), ("sec-fetch-site", "same-origin")];
    Person::stranger(&stack).send(Method::POST, "/v1/login/refresh", &refresh, None).await.problem(401);
}

/// Has every counter of a person's devices stand as after the last failure that is let through.
async fn devices_held_off(stack: &Stack, person: &Person) {
    let (client, accounts) = table(stack, "ACCOUNTS_TABLE");
    let found = client.scan().table_name(&accounts).send().await.expect("the table").items.unwrap_or_default();
    let counters = format!("ATTEMPTS#DEVICE#{}#", person.id);
    let counters: Vec<_> = found.into_iter().filter(|it| it["pk"].as_s().is_ok_and(|pk| pk.starts_with(&counters))).collect();
    assert!(!counters.is_empty(), "none has failed yet");
    let until = Timestamp::now() + SignedDuration::from_hours(30 * 24);
    for counter in counters {
        let update = client.update_item().table_name(&accounts).key("pk", counter["pk"].clone()).key("sk", counter["sk"].clone());
        let update = update.update_expression("SET failures = :most, blocked_until = :until");
        let update = update.expression_attribute_values(":most", AttributeValue::N("100".to_owned()));
        update.expression_attribute_values(":until", AttributeValue::S(format!("{until:.9}"))).send().await.expect("a counter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_by_mail_opens_the_device_that_its_owner_guessed_on() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let on_it = |password: &str, token: Option<&str>| json!({"password": password, "device_token": token});
    let mine = ada.device_token.as_deref();
    log_in(&ada, FIREFOX, "", on_it("none that I have", mine)).await.problem(401);
    devices_held_off(&stack, &ada).await;
    log_in(&ada, FIREFOX, "", on_it(PASSWORD, mine)).await.problem(429);

    // A device token knows the second in which it was given.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    ada.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
    let token = ada.token_after(&stack, "/#/reset?token=").await;
    let new = "another horse, another staple";
    ada.post("/v1/password/reset", json!({"token": token, "new": new})).await.expect(204);
    let answer = log_in(&ada, FIREFOX, "", on_it(new, mine)).await.expect(200);
    log_in(&ada, FIREFOX, "", on_it(new, Some(&answer.text("device_token")))).await.expect(200);
    // What is held off since then stays so.
    log_in(&ada, FIREFOX, "", on_it("none that I have", Some(&answer.text("device_token")))).await.problem(401);
    devices_held_off(&stack, &ada).await;
    log_in(&ada, FIREFOX, "", on_it(new, Some(&answer.text("device_token")))).await.problem(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_fifty_first_session_the_one_unused_for_longest_ends() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let first = ada.clone();
    ada.log_in().await;
    let second = ada.clone();
    for _ in 0..48 {
        ada.log_in().await;
    }
    let count = async |person: &Person| {
        let sessions = person.get("/v1/me/sessions").await.expect(200).body;
        sessions["items"].as_array().expect("a list").len()
    };
    assert_eq!(count(&ada).await, 50);
    // The first one is used, so the second is the one that was not for longest.
    first.post("/v1/login/refresh", json!({"refresh_token": first.refresh_token})).await.expect(200);
    ada.log_in().await;
    assert_eq!(count(&ada).await, 50);
    first.get("/v1/me").await.expect(200);
    second.get("/v1/me").await.problem(401);
    second.get("/v1/projects").await.problem(401);
    second.post("/v1/login/refresh", json!({"refresh_token": second.refresh_token})).await.problem(401);
}

/// Has every session of a person's been refreshed so much earlier.
async fn refreshed_earlier(stack: &Stack, person: &Person, by: SignedDuration) {
    let (client, accounts) = table(stack, "ACCOUNTS_TABLE");
    let text = |it: &str| AttributeValue::S(it.to_owned());
    let query = client.query().table_name(&accounts).key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
    let query = query.expression_attribute_values(":pk", text(&format!("USER#{}", person.id)));
    let found = query.expression_attribute_values(":sk", text("SESSION#")).send().await.expect("the sessions");
    for session in found.items() {
        let at: Timestamp = session["refreshed_at"].as_s().expect("a text").parse().expect("a time");
        let update = client.update_item().table_name(&accounts).key("pk", session["pk"].clone()).key("sk", session["sk"].clone());
        let update = update.update_expression("SET refreshed_at = :at");
        update.expression_attribute_values(":at", text(&format!("{:.9}", at - by))).send().await.expect("a session");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_told_again_for_ten_seconds_and_a_later_use_ends_the_session() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let refresh = async |token: &str| ada.post("/v1/login/refresh", json!({"refresh_token": token})).await;
    empty_inbox(&stack).await;

    let rotated = refresh(&ada.refresh_token).await.expect(200).body;
    assert_eq!(refresh(&ada.refresh_token).await.expect(200).body, rotated, "the same pair");
    refreshed_earlier(&stack, &ada, SignedDuration::from_secs(11)).await;
    refresh(&ada.refresh_token).await.problem(401);
    refresh(rotated["refresh_token"].as_str().expect("a token")).await.problem(401);
    ada.get("/v1/me").await.problem(401);
    ada.get("/v1/projects").await.problem(401);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ada.email).await.len(), 1, "its owner is told");
    let again = ada.elsewhere().await;
    assert!(events(&again).await.iter().any(|it| it["kind"] == "refresh_token_reused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_which_session_there_is_ends_none() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    // Ids of person and session stand at the beginning; the rest is made up.
    let forged = format!("{}{}", &ada.refresh_token[..42], "A".repeat(ada.refresh_token.len() - 42));
    for path in ["/v1/login/refresh", "/v1/logout"] {
        let expected = if path == "/v1/logout" { 204 } else { 401 };
        ada.post(path, json!({"refresh_token": forged})).await.expect(expected);
    }
    ada.get("/v1/me").await.expect(200);
    ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_step_takes_a_ticket_and_a_code_and_is_held_off_apart_for_each_device() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (mut authenticator, _) = enrol(&ada).await;
    let nobody = Person::stranger(&stack);
    let step = async |body: Value| nobody.post("/v1/login/second-factor", body).await;
    let begun = nobody.post("/v1/login", json!({"email": ada.email, "password": PASSWORD})).await.expect(200);
    assert_eq!((&begun.body["second_factor"], &begun.body["expires_in"]), (&json!("totp"), &json!(300)));
    assert_eq!(begun.body.as_object().expect("an object").len(), 3, "{begun:#?}");
    let ticket = begun.text("ticket");
    step(json!({"ticket": ticket})).await.broken_rule("/code");
    step(json!({"ticket": ticket, "code": "123456", "recovery_code": "ABCDEF-ABCDEF-ABCDEF-ABCDEF"})).await.problem(422);
    step(json!({"ticket": &ticket[1..], "code": "123456"})).await.problem(401);

    // A thief with the password guesses; six digits are not many.
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(step(json!({"ticket": ticket, "code": "123456"})).await.status.as_u16());
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert!(statuses.len() > 5 && statuses.last() == Some(&429), "{statuses:?}");
    // Recovery codes are too many to be guessed, so that they let the owner in on whatever device.
    step(json!({"ticket": ticket, "recovery_code": "ABCDEF-ABCDEF-ABCDEF-ABCDEF"})).await.problem(401);
    // The owner's device is not held off.
    let mut begin = json!({"email": ada.email, "password": PASSWORD});
    begin["device_token"] = json!(ada.device_token);
    let ticket = nobody.post("/v1/login", begin).await.expect(200).text("ticket");
    let code = authenticator.next_code();
    let body = json!({"ticket": ticket, "code": code, "device_token": ada.device_token});
    let answer = step(body.clone()).await.expect(200);
    assert_eq!(answer.body["user"]["id"], ada.id.as_str());
    // A code is good once, though its ticket still is.
    step(body).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_ends_with_the_password_it_was_given_for() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (_, recovery) = enrol(&ada).await;
    let begin = json!({"email": ada.email, "password": PASSWORD, "device_token": ada.device_token});
    let ticket = ada.post("/v1/login", begin).await.expect(200).text("ticket");
    let change = json!({"current": PASSWORD, "new": "another horse, another staple", "code": recovery[0]});
    ada.put("/v1/me/password", change).await.expect(204);
    let nobody = Person::stranger(&stack);
    nobody.post("/v1/login/second-factor", json!({"ticket": ticket, "recovery_code": recovery[1]})).await.problem(401);
}
