//! What SECURITY.md owes to an item of OWASP ASVS and no other test shows.

use std::fs;
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use baton::stack::Stack;
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person, stack};
use crate::tables::table;

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_stack_has_no_account() {
    let stack = stack().await;
    let (client, accounts) = table(&stack, "ACCOUNTS_TABLE");
    let found = client.scan().table_name(accounts).send().await.expect("the table").items.unwrap_or_default();
    let keys: Vec<&String> = found.iter().filter_map(|it| it["pk"].as_s().ok()).collect();
    assert!(keys.iter().all(|it| !it.starts_with("CREDENTIAL#") && !it.starts_with("USER#")), "{keys:?}");
    for name in ["root", "admin", "administrator", "test", "guest", "demo", "ada", "baton"] {
        let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD});
        Person::stranger(&stack).post("/v1/login", body).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_good_however_old_it_is() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (client, accounts) = table(&stack, "ACCOUNTS_TABLE");
    let text = |it: &str| AttributeValue::S(it.to_owned());
    let update = client.update_item().table_name(accounts).key("pk", text(&format!("CREDENTIAL#{}", ada.email)));
    let update = update.key("sk", text("CREDENTIAL")).update_expression("SET created_at = :at, password_changed_at = :at");
    let update = update.condition_expression("attribute_exists(password_changed_at)");
    update.expression_attribute_values(":at", text("1999-11-20T11:00:00.000000000Z")).send().await.expect("a credential");
    ada.log_in().await;
    ada.get("/v1/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_starts_a_session_of_its_own() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let again = ada.elsewhere().await;
    assert_ne!(ada.refresh_token, again.refresh_token);
    assert_ne!(ada.access_token, again.access_token);
    let sessions = again.get("/v1/me/sessions").await.expect(200).body["items"].clone();
    let current: Vec<&Value> = sessions.as_array().expect("a list").iter().map(|it| &it["current"]).collect();
    assert_eq!(current, [&json!(true), &json!(false)], "{sessions:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_sessions_are_seen_and_ended_and_what_was_made_in_them_with_them() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (laptop, phone) = (ada.elsewhere().await, ada.elsewhere().await);
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let sessions = phone.get("/v1/me/sessions").await.expect(200).body["items"].clone();
    let sessions = sessions.as_array().expect("a list");
    assert_eq!(sessions.len(), 3);
    let mut current = sessions.iter().filter(|it| it["current"] == json!(true));
    let (Some(own), None) = (current.next(), current.next()) else { panic!("one of them is this one: {sessions:#?}") };
    for name in ["id", "device", "user_agent", "network_address", "created_at", "last_used_at", "expires_at"] {
        assert!(own.get(name).is_some(), "{name} in {own:#}");
    }

    let of_laptop = laptop.get("/v1/me/sessions").await.expect(200).body["items"].clone();
    let of_laptop = of_laptop.as_array().expect("a list").iter().find(|it| it["current"] == json!(true)).expect("its own");
    let path = format!("/v1/me/sessions/{}", of_laptop["id"].as_str().expect("an id"));
    ben.delete_plain(&path).await.expect(404);
    laptop.get("/v1/projects").await.expect(200);
    phone.delete_plain(&path).await.expect(204);
    phone.delete_plain(&path).await.expect(404);
    phone.delete_plain("/v1/me/sessions").await.expect(204);
    for over in [&ada, &laptop] {
        // Its own function, the other function, and what would have kept it going.
        over.get("/v1/me").await.expect(401);
        over.get("/v1/projects").await.expect(401);
        over.post("/v1/login/refresh", json!({"refresh_token": over.refresh_token})).await.expect(401);
    }
    phone.get("/v1/me").await.expect(200);
    phone.get("/v1/projects").await.expect(200);
    phone.post("/v1/logout", json!({"refresh_token": phone.refresh_token})).await.expect(204);
    phone.get("/v1/me").await.expect(401);
    phone.get("/v1/projects").await.expect(401);
    ben.get("/v1/me").await.expect(200);
}

/// Sets a time of every session of a person's to long ago.
async fn age_sessions(stack: &Stack, person: &Person, attribute: &str) {
    let (client, accounts) = table(stack, "ACCOUNTS_TABLE");
    let text = |it: &str| AttributeValue::S(it.to_owned());
    let query = client.query().table_name(&accounts).key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
    let query = query.expression_attribute_values(":pk", text(&format!("USER#{}", person.id)));
    let found = query.expression_attribute_values(":sk", text("SESSION#")).send().await.expect("the sessions");
    let sessions = found.items();
    assert!(!sessions.is_empty());
    for session in sessions {
        let update = client.update_item().table_name(&accounts).key("pk", session["pk"].clone()).key("sk", session["sk"].clone());
        let update = update.update_expression("SET #it = :long_ago").expression_attribute_names("#it", attribute);
        let update = update.condition_expression("attribute_exists(#it)");
        let long_ago = text("2026-01-01T00:00:00.000000000Z");
        update.expression_attribute_values(":long_ago", long_ago).send().await.expect("a session");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_left_alone_or_grown_old_is_over() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    for attribute in ["refreshed_at", "ends_at"] {
        ada.log_in().await;
        age_sessions(&stack, &ada, attribute).await;
        ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(401);
        ada.get("/v1/me").await.expect(401);
        let again = ada.elsewhere().await;
        let listed = again.get("/v1/me/sessions").await.expect(200).body["items"].as_array().map(Vec::len);
        assert_eq!(listed, Some(1), "what is over is not listed: {attribute}");
    }
}

/// Everything that opens something somewhere, shown everywhere else.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_an_access_token_is_taken_for_one() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    ada.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
    let reset = ada.token_after(&stack, "/#/reset?token=").await;
    let access = ada.access_token.clone().expect("logged in");
    let device = ada.device_token.clone().expect("a device token");

    for (what, token) in [("refresh", &ada.refresh_token), ("device", &device), ("reset", &reset)] {
        let impostor = Person { access_token: Some(token.clone()), ..ada.clone() };
        let answer = impostor.get("/v1/me").await;
        assert_eq!(answer.status, 401, "a {what} token as an access token");
    }
    let nobody = Person { access_token: None, ..ada.clone() };
    for token in [&access, &device, &reset] {
        nobody.post("/v1/login/refresh", json!({"refresh_token": token})).await.expect(401);
        nobody.post("/v1/login/second-factor", json!({"ticket": token, "code": "123456"})).await.expect(401);
    }
    for token in [&access, &device, &ada.refresh_token] {
        let body = json!({"token": token, "new": "another long passphrase"});
        nobody.post("/v1/password/reset", body).await.expect(422);
        nobody.post("/v1/accounts/verify", json!({"token": token, "password": "another long passphrase"})).await.expect(422);
        nobody.post("/v1/email/confirm", json!({"token": token})).await.expect(422);
    }
    nobody.post("/v1/email/confirm", json!({"token": reset})).await.expect(422);
    nobody.post("/v1/accounts/verify", json!({"token": reset, "password": "another long passphrase"})).await.expect(422);
    // And none of that has used up or ended anything.
    ada.get("/v1/me").await.expect(200);
    nobody.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(200);
    nobody.post("/v1/password/reset", json!({"token": reset, "new": "another long passphrase"})).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_may_set_is_refused_and_what_others_may_not_see_is_not_shown() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let task = ben.create_task(&project, json!({"title": "Fix the pump", "assignee": ada.id})).await;

    let id = "01920000-0000-7000-8000-000000000001";
    for field in ["id", "project", "created_by", "created_at", "updated_by", "updated_at", "version"] {
        let mut body = json!({"title": "Fix it"});
        body[field] = json!(id);
        ben.patch(&task, "*", body.clone()).await.expect(422);
        ben.post(&format!("{project}/tasks"), body).await.expect(422);
    }
    for field in ["id", "owner", "role", "created_at", "deleted_at"] {
        ada.patch_plain(&project, json!({"name": "Attic", field: id})).await.expect(422);
        ada.post("/v1/projects", json!({"name": "Attic", field: id})).await.expect(422);
    }
    for field in ["id", "email", "password", "password_hash", "second_factor", "created_at", "unsubscribe_secret"] {
        ben.patch_plain("/v1/me", json!({"name": "Ben", field: id})).await.expect(422);
    }
    for field in ["user", "name", "left_at"] {
        ada.patch_plain(&format!("{project}/members/{}", ben.id), json!({"role": "editor", field: id})).await.expect(422);
    }
    ben.get(&task).await.expect(200);

    // What one sees of another: a name and a role, and no address anywhere.
    for path in [&project, &format!("{project}/members"), &format!("{project}/changes"), &format!("{project}/tasks"), &task] {
        let shown = ben.get(path).await.expect(200).body.to_string();
        assert!(!shown.contains(&ada.email), "{path}: {shown}");
    }
    let me = ben.get("/v1/me").await.expect(200).body;
    let names: Vec<&String> = me.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["email", "id", "locale", "name", "notify", "time_zone"]);
}

/// The modules of the page, as they are served.
fn page() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
    let paths = fs::read_dir(folder).expect("the page").map(|it| it.expect("an entry").path());
    let modules = paths.filter(|it| it.extension().is_some_and(|it| it == "js"));
    modules.map(|it| (it.display().to_string(), fs::read_to_string(it).expect("a module"))).collect()
}

#[test]
fn password_fields_hide_what_is_typed_and_let_password_managers_in() {
    let modules = page();
    let mut kinds = 0;
    for (name, text) in &modules {
        for line in text.lines().filter(|it| it.contains("'password'") && it.contains("kind:")) {
            assert!(line.contains("'current-password', {kind: 'password'"), "{name}: {line}");
            kinds += 1;
        }
        assert!(!text.contains("onpaste") && !text.contains("'paste'"), "{name} leaves pasting alone");
    }
    // One kind of field for all of them, which a new password has as well.
    assert_eq!(kinds, 1);
    assert!(modules.iter().any(|(_, it)| it.contains("autocomplete: 'new-password'")));
}

#[test]
fn logging_out_is_offered_wherever_somebody_is_logged_in() {
    let modules = page();
    let text = |name: &str| &modules.iter().find(|(path, _)| path.ends_with(name)).expect("a module").1;
    assert!(text("/app.js").contains("'settings']) TABS[it] = `#/${it}`"), "the head of every page leads to the settings");
    assert!(text("/settings.js").contains("button(t('session.logOut'), quit)"));
    assert!(text("/settings.js").contains("&& logOut()"));
}
