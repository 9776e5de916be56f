//! Accounts and their sessions, from the first mail to the end of the last session.

use aws_sdk_dynamodb::types::AttributeValue;
use baton::stack::Stack;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{Answer, PASSWORD, Person, empty_inbox, mails_to, stack};
use crate::tables::table;
use crate::tokens::{Keys, Token};

const COOKIE: &str = "__Host-baton-refresh";
const DEVICE_COOKIE: &str = "__Host-baton-device";
const FORM: &str = "application/x-www-form-urlencoded";

/// An answer without what differs from request to request.
fn without_ids(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    body
}

/// Makes every one-time token expire now, so that no test waits a day.
async fn expire_tokens(stack: &Stack) {
    let (client, table) = table(stack, "ACCOUNTS_TABLE");
    let items = client.scan().table_name(&table).send().await.expect("the table answers").items.unwrap_or_default();
    let tokens = items.into_iter().filter(|it| matches!(it.get("pk"), Some(AttributeValue::S(pk)) if pk.starts_with("TOKEN#")));
    for mut token in tokens {
        token.insert("ends_at".to_owned(), AttributeValue::S("2020-01-01T00:00:00.000000000Z".to_owned()));
        token.insert("expires_at".to_owned(), AttributeValue::N("1577836800".to_owned()));
        client.put_item().table_name(&table).set_item(Some(token)).send().await.expect("the table answers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_exists_once_its_address_is_proven_and_nobody_is_told_whether_it_does() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    empty_inbox(&stack).await;
    let nobody = Person::stranger(&stack);

    let new = nobody.post("/v1/accounts", json!({"email": "Ben@Example.com", "name": "Ben"})).await.expect(202);
    let taken = nobody.post("/v1/accounts", json!({"email": "ADA@example.com", "name": "Eve"})).await.expect(202);
    assert_eq!((&new.body, &taken.body), (&json!({}), &json!({})));
    let headers = |it: &Answer| {
        let mut names: Vec<String> = it.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(headers(&new), headers(&taken));
    stack.drain().await;
    let to_ada = mails_to(&stack, &ada.email).await;
    assert_eq!(to_ada.len(), 1);
    assert!(!to_ada[0]["text"].as_str().expect("a text").contains("token="), "whoever has an account needs no other");
    assert_eq!(ada.get("/v1/me").await.expect(200).body["name"], "Ada");

    let mut ben = nobody.clone();
    "ben@example.com".clone_into(&mut ben.email);
    let token = ben.token_from_mail(&stack).await;
    let unproven = ben.post("/v1/login", json!({"email": ben.email, "password": PASSWORD})).await.problem(401);
    let verify = async |token: &str, password: &str| {
        nobody.post("/v1/accounts/verify", json!({"token": token, "password": password})).await
    };
    for password in ["", "14 characters.", &"a".repeat(129)] {
        verify(&token, password).await.broken_rule("/password");
    }
    verify("garbage", PASSWORD).await.broken_rule("/token");
    verify("", PASSWORD).await.problem(422);
    verify(&token[1..], PASSWORD).await.broken_rule("/token");
    verify(&token, PASSWORD).await.expect(204);
    verify(&token, PASSWORD).await.broken_rule("/token");
    ben.log_in().await;

    let wrong = ben.post("/v1/login", json!({"email": ben.email, "password": "correct horse battery stable"})).await.problem(401);
    let unknown = ben.post("/v1/login", json!({"email": "gus@example.com", "password": PASSWORD})).await.problem(401);
    assert_eq!(without_ids(&wrong), without_ids(&unknown));
    assert_eq!(without_ids(&wrong), without_ids(&unproven));

    // Lengths are counted in characters, and spaces are characters.
    for (name, password) in [("Cam", "\u{1F511}".repeat(128)), ("Dee", " fifteen chars ".to_owned())] {
        let email = format!("{}@example.com", name.to_lowercase());
        nobody.post("/v1/accounts", json!({"email": email, "name": name})).await.expect(202);
        let mut person = nobody.clone();
        email.clone_into(&mut person.email);
        let token = person.token_from_mail(&stack).await;
        verify(&token, &password).await.expect(204);
        nobody.post("/v1/login", json!({"email": email, "password": password})).await.expect(200);
        nobody.post("/v1/login", json!({"email": email, "password": password.trim()})).await.expect(if name == "Cam" {
            200
        } else {
            401
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_good_for_a_day_and_for_one_account() {
    let stack = stack().await;
    let mut eve = Person::stranger(&stack);
    "eve@example.com".clone_into(&mut eve.email);
    let sign_up = json!({"email": eve.email, "name": "Eve"});
    eve.post("/v1/accounts", sign_up.clone()).await.expect(202);
    let expired = eve.token_from_mail(&stack).await;
    expire_tokens(&stack).await;
    eve.post("/v1/accounts/verify", json!({"token": expired, "password": PASSWORD})).await.broken_rule("/token");

    eve.post("/v1/accounts", sign_up.clone()).await.expect(202);
    let first = eve.token_from_mail(&stack).await;
    eve.post("/v1/accounts", sign_up).await.expect(202);
    let second = eve.token_from_mail(&stack).await;
    assert_ne!(first, second);
    eve.post("/v1/accounts/verify", json!({"token": second, "password": PASSWORD})).await.expect(204);
    eve.post("/v1/accounts/verify", json!({"token": first, "password": "another long password"})).await.broken_rule("/token");
    eve.log_in().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_verifications_one_makes_the_account() {
    let stack = stack().await;
    let mut eve = Person::stranger(&stack);
    "eve@example.com".clone_into(&mut eve.email);
    eve.post("/v1/accounts", json!({"email": eve.email, "name": "Eve"})).await.expect(202);
    let token = eve.token_from_mail(&stack).await;
    let passwords: Vec<String> = (0..4).map(|number| format!("a long password, number {number}")).collect();
    let answers = join_all(passwords.iter().map(|password| {
        let (eve, body) = (eve.clone(), json!({"token": token, "password": password}));
        async move { eve.post("/v1/accounts/verify", body).await.status.as_u16() }
    }))
    .await;
    assert_eq!(answers.iter().filter(|it| **it == 204).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|it| **it == 422).count(), 3, "{answers:?}");
    for (password, answer) in passwords.iter().zip(answers) {
        let log_in = eve.post("/v1/login", json!({"email": eve.email, "password": password})).await;
        assert_eq!(log_in.status.as_u16(), if answer == 204 { 200 } else { 401 }, "{log_in:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_for_one_use_and_a_second_use_ends_the_session() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let refresh = async |token: &str| ada.post("/v1/login/refresh", json!({"refresh_token": token})).await;

    let answer = ada.post("/v1/login", json!({"email": ada.email, "password": PASSWORD})).await.expect(200);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 600);
    assert_eq!(answer.body["user"], json!({"id": ada.id, "name": "Ada", "email": ada.email}));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("set-cookie"), "");
    let first = answer.text("refresh_token");

    let second = refresh(&first).await.expect(200);
    let (second_token, access) = (second.text("refresh_token"), second.text("access_token"));
    assert_ne!(second_token, first);
    let mut again = ada.clone();
    again.access_token = Some(access);
    again.get("/v1/me").await.expect(200);
    let third = refresh(&second_token).await.expect(200).text("refresh_token");
    // Somebody has a copy: nobody goes on with this session, whoever of the two is the thief.
    refresh(&first).await.problem(401);
    refresh(&third).await.problem(401);
    // Her other session, on another device, goes on.
    let other = refresh(&ada.refresh_token).await.expect(200).text("refresh_token");

    for garbage in ["", "x", "..", &other[1..], &format!("{other}x")] {
        refresh(garbage).await.problem(401);
    }
    ada.post("/v1/login/refresh", json!({})).await.problem(401);
    ada.post("/v1/logout", json!({"refresh_token": other})).await.expect(204);
    ada.post("/v1/logout", json!({"refresh_token": other})).await.expect(204);
    refresh(&other).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_its_refresh_token_in_a_cookie_no_script_can_read() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let log_in = json!({"email": ada.email, "password": PASSWORD, "cookie": true});
    let answer = ada.post("/v1/login", log_in).await.expect(200);
    for token in ["refresh_token", "device_token"] {
        assert!(answer.body.get(token).is_none(), "{answer:#?}");
    }
    let (first, device) = (cookie(&answer, COOKIE), cookie(&answer, DEVICE_COOKIE));

    // It is honoured at refresh and logout, and nowhere else.
    let nobody = Person::stranger(&stack);
    let send = async |method: Method, path: &str, cookie: &str| {
        nobody.send(method, path, &[("cookie", cookie), ("origin", stack.origin())], None).await
    };
    send(Method::GET, "/v1/me", &first).await.problem(401);
    send(Method::POST, "/v1/login/refresh", &device).await.problem(401);
    let refreshed = send(Method::POST, "/v1/login/refresh", &first).await.expect(200);
    assert!(refreshed.body.get("refresh_token").is_none(), "{refreshed:#?}");
    let second = cookie(&refreshed, COOKIE);
    assert_ne!(first, second);
    let mut browser = nobody.clone();
    browser.access_token = Some(refreshed.text("access_token"));
    assert_eq!(browser.get("/v1/me").await.expect(200).body["id"], ada.id.as_str());

    let gone = send(Method::POST, "/v1/logout", &second).await.expect(204);
    assert!(gone.header("set-cookie").starts_with(&format!("{COOKIE}=;")), "{gone:#?}");
    assert!(gone.header("set-cookie").contains("Max-Age=0"), "{gone:#?}");
    send(Method::POST, "/v1/login/refresh", &second).await.problem(401);
    browser.get("/v1/me").await.problem(401);
    browser.get("/v1/projects").await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_honoured_from_our_own_page_only() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let nobody = Person::stranger(&stack);
    let ours = stack.origin().to_owned();
    for (headers, is_ours) in [
        (vec![], false),
        (vec![("origin", "https://evil.example")], false),
        (vec![("origin", "null")], false),
        (vec![("origin", "http://localhost")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "none")], false),
        (vec![("sec-fetch-site", "cross-site"), ("origin", ours.as_str())], false),
        (vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], false),
        (vec![("origin", ours.as_str()), ("origin", "https://evil.example")], false),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("origin", ours.as_str())], true),
        (vec![("sec-fetch-site", "same-origin"), ("origin", ours.as_str())], true),
    ] {
        let log_in = json!({"email": ada.email, "password": PASSWORD, "cookie": true, "device_token": ada.device_token});
        let cookie = cookie(&nobody.post("/v1/login", log_in).await.expect(200), COOKIE);
        for path in ["/v1/login/refresh", "/v1/logout"] {
            let mut all = vec![("cookie", cookie.as_str())];
            all.extend_from_slice(&headers);
            let answer = nobody.send(Method::POST, path, &all, None).await;
            let expected = match (is_ours, path) {
                (false, _) => 403,
                (true, "/v1/logout") => 204,
                (true, _) => 200,
            };
            assert_eq!(answer.status.as_u16(), expected, "{path} {headers:?}: {answer:#?}");
        }
    }
    // Whoever sends no cookie but a body is no browser that was tricked.
    let body = json!({"refresh_token": ada.refresh_token}).to_string().into_bytes();
    let headers = [("content-type", "application/json"), ("origin", "https://evil.example")];
    nobody.send(Method::POST, "/v1/login/refresh", &headers, Some(body)).await.expect(200);
}

/// A cookie of an answer as a browser sends it back, once it has every attribute it needs.
fn cookie(answer: &Answer, name: &str) -> String {
    let texts: Vec<&str> = answer.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok()).collect();
    let text = texts.iter().find(|it| it.starts_with(&format!("{name}="))).unwrap_or_else(|| panic!("{name} in {texts:?}"));
    let mut parts = text.split("; ");
    let pair = parts.next().unwrap_or_default().to_owned();
    let attributes: Vec<String> = parts.map(str::to_lowercase).collect();
    assert!(pair.len() > 40, "{text}");
    for needed in ["httponly", "secure", "samesite=strict", "path=/"] {
        assert!(attributes.iter().any(|it| it == needed), "{needed} in {text}");
    }
    assert!(attributes.iter().any(|it| it.starts_with("max-age=")), "{text}");
    assert!(!attributes.iter().any(|it| it.starts_with("domain")), "a __Host- cookie has no domain: {text}");
    pair
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_verified_by_the_published_keys_alone() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let text = ada.access_token.clone().expect("Ada is logged in");
    let keys = Keys::published(&stack).await;
    let token = Token::read(&text);
    assert_eq!((&token.header["alg"], &token.header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!(token.header["kid"], keys.kid.as_str());
    assert!(keys.verifies(&text));
    assert!(!keys.verifies(&token.signed_by_another_key()));
    assert_eq!(token.claims["sub"], ada.id.as_str());
    assert_eq!(token.claims["iss"], stack.origin());
    assert_eq!(token.claims["aud"], "baton");
    let time = |name: &str| token.claims[name].as_i64().expect("a time");
    assert_eq!(time("exp") - time("iat"), 600);
    assert!(token.claims["jti"].is_string(), "{token:?}");
    let sessions = ada.get("/v1/me/sessions").await.expect(200).body;
    assert_eq!(token.claims["sid"], sessions["items"][0]["id"], "the session it is of");
    // Nothing personal travels in a token.
    assert!(!token.claims.to_string().contains("ada"), "{token:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_changes_what_is_named_and_keeps_the_rest() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({"locale": "ko", "time_zone": "asia/seoul"})).await;
    let now = json!({
        "assigned": "now", "status": "now", "edited": "now", "deleted": "now", "digest_hour": 8, "quiet_hours": null,
    });
    let mut expected = json!({
        "id": ada.id, "email": ada.email, "name": "Ada", "locale": "ko", "time_zone": "Asia/Seoul", "notify": now,
    });
    assert_eq!(ada.get("/v1/me").await.expect(200).body, expected);

    for (patch, pointer, value) in [
        (json!({"name": " Ada L. "}), "/name", json!("Ada L.")),
        (json!({"notify": {"edited": "none"}}), "/notify/edited", json!("none")),
        (json!({"locale": "en"}), "/locale", json!("en")),
        (json!({"time_zone": "Europe/Berlin"}), "/time_zone", json!("Europe/Berlin")),
        (json!({}), "/name", json!("Ada L.")),
    ] {
        *expected.pointer_mut(pointer).expect("a field") = value;
        assert_eq!(ada.patch_plain("/v1/me", patch).await.expect(200).body, expected);
        assert_eq!(ada.get("/v1/me").await.expect(200).body, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_ends_mails_and_a_look_ends_nothing() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    empty_inbox(&stack).await;
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    stack.drain().await;
    let mail = mails_to(&stack, &ben.email).await.into_iter().next().expect("a mail");
    assert_eq!(header(&mail, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let link = header(&mail, "List-Unsubscribe").trim_matches(['<', '>']).to_owned();
    let path = link.strip_prefix(stack.origin()).expect("a link to the API").to_owned();
    assert!(path.starts_with("/v1/unsubscribe/"), "{path}");

    let nobody = Person::stranger(&stack);
    let before = ben.get("/v1/me").await.expect(200).body;
    nobody.get(&path).await.expect(200);
    assert_eq!(ben.get("/v1/me").await.expect(200).body, before, "scanners follow links");

    let post = async |path: &str, content_type: &str, body: &str| {
        nobody.send(Method::POST, path, &[("content-type", content_type)], Some(body.as_bytes().to_vec())).await
    };
    let (start, end) = path.split_at(path.len() - 10);
    let touched = if end.starts_with('A') { "B" } else { "A" };
    for bad in ["/v1/unsubscribe/x".to_owned(), start.to_owned(), format!("{start}{touched}{}", &end[1..])] {
        post(&bad, FORM, "List-Unsubscribe=One-Click").await.problem(404);
        nobody.get(&bad).await.problem(404);
    }
    post(&path, "text/plain", "List-Unsubscribe=One-Click").await.problem(415);
    assert_eq!(ben.get("/v1/me").await.expect(200).body, before);

    let acted = post(&path, FORM, "List-Unsubscribe=One-Click").await;
    assert!(acted.status.is_success(), "{acted:#?}");
    assert!(post(&path, FORM, "List-Unsubscribe=One-Click").await.status.is_success(), "twice is once");
    let after = ben.get("/v1/me").await.expect(200).body;
    assert_ne!(after["notify"], before["notify"]);
    empty_inbox(&stack).await;
    ada.create_task(&project, json!({"title": "Oil the valve", "assignee": ben.id})).await;
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ben.email).await, Vec::<Value>::new());
    // Whoever unsubscribed can still be sent what they ask for themselves.
    nobody.post("/v1/accounts", json!({"email": ben.email, "name": "Ben"})).await.expect(202);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ben.email).await.len(), 1);
}

fn header(mail: &Value, name: &str) -> String {
    let headers = mail["headers"].as_object().expect("headers");
    let found = headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
    found.and_then(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("{name} in {mail:#}")).to_owned()
}
