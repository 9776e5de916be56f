//! What an account is made of, changed by its owner and by nobody else: password, address, all of it, nothing of it.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::authenticator::enrol;
use crate::people::{Answer, PASSWORD, Person, empty_inbox, mails_to, stack};

const NEW: &str = "eleven green bottles on a wall";

/// The subjects of the mails to one address, oldest first.
async fn subjects(stack: &baton::stack::Stack, address: &str) -> Vec<String> {
    stack.drain().await;
    let mails = mails_to(stack, address).await;
    mails.iter().rev().map(|it| it["subject"].as_str().expect("a subject").to_owned()).collect()
}

/// What happened to the account, newest first.
async fn kinds(person: &Person) -> Vec<String> {
    let events = person.get("/v1/me/events").await.expect(200).body;
    let kind = |it: &Value| it["kind"].as_str().expect("a kind").to_owned();
    events["items"].as_array().expect("events").iter().map(kind).collect()
}

/// Whether an address and a password log in.
async fn logs_in(person: &Person, email: &str, password: &str) -> bool {
    // From the device of theirs, so that no guess counts against whoever comes without one.
    let body = json!({"email": email, "password": password, "device_token": person.device_token});
    let answer = Person { access_token: None, ..person.clone() }.post("/v1/login", body).await;
    assert!(matches!(answer.status.as_u16(), 200 | 401), "{answer:#?}");
    answer.status == 200
}

/// What somebody outside can see of an answer.
fn seen(answer: &Answer) -> (u16, Vec<String>, Value) {
    let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort_unstable();
    (answer.status.as_u16(), headers, answer.body.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_every_other_session_and_its_owner_is_told() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let other = ada.elsewhere().await;
    empty_inbox(&stack).await;

    let change = async |current: &str, new: &str| ada.put("/v1/me/password", json!({"current": current, "new": new})).await;
    change("not the password at all", NEW).await.broken_rule("/current");
    for refused in
        ["short", "fourteen chars", "passwordpassword", "what Ada would choose", "mail ada@example.com now", &"x".repeat(129)]
    {
        change(PASSWORD, refused).await.broken_rule("/new");
    }
    ada.put("/v1/me/password", json!({"current": PASSWORD, "new": NEW, "old": ""})).await.broken_rule("/old");
    other.get("/v1/me").await.expect(200);
    change(PASSWORD, NEW).await.expect(204);

    for path in ["/v1/me", "/v1/projects"] {
        other.get(path).await.problem(401);
        ada.get(path).await.expect(200);
    }
    other.post("/v1/login/refresh", json!({"refresh_token": other.refresh_token})).await.problem(401);
    ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(200);
    assert_eq!(subjects(&stack, &ada.email).await.len(), 1);
    assert_eq!(kinds(&ada).await[0], "password_changed");
    assert!(!logs_in(&ada, &ada.email, PASSWORD).await && logs_in(&ada, &ada.email, NEW).await);
    ada.access_token = None;
    ada.put("/v1/me/password", json!({"current": NEW, "new": PASSWORD})).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_any_script_is_taken_however_it_is_composed() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (composed, decomposed) = ("caf\u{e9} um die Ecke 카페", "cafe\u{301} um die Ecke \u{110f}\u{1161}\u{1111}\u{1166}");
    ada.put("/v1/me/password", json!({"current": PASSWORD, "new": decomposed})).await.expect(204);
    assert!(logs_in(&ada, &ada.email, composed).await && logs_in(&ada, &ada.email, decomposed).await);
    assert!(!logs_in(&ada, &ada.email, "cafe um die Ecke 카페").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_reset_by_a_link_that_works_once_and_ends_all_sessions() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let other = ada.elsewhere().await;
    let nobody = Person::stranger(&stack);
    empty_inbox(&stack).await;

    let forgot = async |email: &str| nobody.post("/v1/password/forgot", json!({"email": email})).await.expect(202);
    let (known, unknown) = (forgot(&ada.email).await, forgot("nobody@example.com").await);
    assert_eq!(seen(&known), seen(&unknown));
    assert_eq!(subjects(&stack, "nobody@example.com").await.len(), 1, "whoever has no account is told that");
    let unlinked = mails_to(&stack, "nobody@example.com").await;
    assert!(!unlinked[0]["text"].as_str().expect("a text").contains("token="), "{unlinked:#?}");

    let first = ada.token_after(&stack, "/#/reset?token=").await;
    forgot(&ada.email).await;
    let second = ada.token_after(&stack, "/#/reset?token=").await;
    assert_ne!(first, second);
    empty_inbox(&stack).await;
    let reset = async |token: &str, new: &str| nobody.post("/v1/password/reset", json!({"token": token, "new": new})).await;
    reset("garbage", NEW).await.broken_rule("/token");
    reset(&second[1..], NEW).await.broken_rule("/token");
    reset(&second, "Ada, Ada and Ada again").await.broken_rule("/new");
    reset(&second, NEW).await.expect(204);
    reset(&second, PASSWORD).await.broken_rule("/token");
    reset(&first, PASSWORD).await.broken_rule("/token");

    for person in [&ada, &other] {
        person.get("/v1/me").await.problem(401);
        person.get("/v1/projects").await.problem(401);
        person.post("/v1/login/refresh", json!({"refresh_token": person.refresh_token})).await.problem(401);
    }
    assert!(!logs_in(&ada, &ada.email, PASSWORD).await);
    assert_eq!(subjects(&stack, &ada.email).await, ["Your Baton password was reset"]);
    ada.log_in_with(NEW).await;
    assert!(kinds(&ada).await.contains(&"password_reset".to_owned()));
    // Made for a password that was changed another way meanwhile.
    forgot(&ada.email).await;
    let third = ada.token_after(&stack, "/#/reset?token=").await;
    ada.put("/v1/me/password", json!({"current": NEW, "new": PASSWORD})).await.expect(204);
    reset(&third, NEW).await.broken_rule("/token");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_moves_to_a_new_address_once_both_addresses_agree() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let (nobody, old) = (Person::stranger(&stack), ada.email.clone());
    let at = |email: &str| Person { email: email.to_owned(), ..nobody.clone() };
    empty_inbox(&stack).await;

    let ask = async |email: &str| ada.post("/v1/me/email", json!({"email": email, "password": PASSWORD})).await;
    let agree = async |token: &str| nobody.post("/v1/email/confirm", json!({"token": token})).await;
    ada.post("/v1/me/email", json!({"email": "ada@example.org", "password": "not the password"})).await.broken_rule("/password");
    ask(&old).await.broken_rule("/email");

    // To an address that has an account: nobody can tell but whoever reads its mails.
    let taken = ask(&ben.email).await.expect(202);
    assert_eq!(subjects(&stack, &ben.email).await.len(), 1);
    assert!(!mails_to(&stack, &ben.email).await[0]["text"].as_str().expect("a text").contains("token="));
    let stale = at(&old).token_after(&stack, "/#/email?token=").await;

    let free = ask("lovelace@example.org").await.expect(202);
    assert_eq!(seen(&taken), seen(&free));
    let to_old = at(&old).token_after(&stack, "/#/email?token=").await;
    let to_new = at("lovelace@example.org").token_after(&stack, "/#/email?token=").await;
    empty_inbox(&stack).await;
    agree(&stale).await.broken_rule("/token");
    agree("garbage").await.broken_rule("/token");
    let half = agree(&to_new).await.expect(200).body;
    assert_eq!(half, json!({"changed": false, "waiting_for": "old"}));
    assert!(logs_in(&ada, &old, PASSWORD).await && !logs_in(&ada, "lovelace@example.org", PASSWORD).await);
    assert_eq!(ada.get("/v1/me").await.expect(200).body["email"], old);
    let whole = agree(&to_old).await.expect(200).body;
    assert_eq!(whole, json!({"changed": true, "waiting_for": null}));
    agree(&to_old).await.broken_rule("/token");
    agree(&to_new).await.broken_rule("/token");

    assert!(!logs_in(&ada, &old, PASSWORD).await && logs_in(&ada, "lovelace@example.org", PASSWORD).await);
    assert_eq!(ada.get("/v1/me").await.expect(200).body["email"], "lovelace@example.org");
    assert_eq!(subjects(&stack, &old).await.len(), 1, "the old address is told");
    assert_eq!(subjects(&stack, "lovelace@example.org").await.len(), 1, "and the new one");
    let kinds = kinds(&ada).await;
    assert_eq!(kinds.iter().filter(|it| *it == "email_change_asked").count(), 2, "{kinds:?}");
    assert!(kinds.contains(&"email_changed".to_owned()), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_links_followed_at_once_one_moves_the_account() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let nobody = Person::stranger(&stack);
    let mut address = ada.email.clone();
    for round in 0..3 {
        let new = format!("lovelace{round}@example.org");
        ada.post("/v1/me/email", json!({"email": new, "password": PASSWORD})).await.expect(202);
        let mut tokens = Vec::new();
        for email in [&address, &new] {
            let reader = Person { email: email.clone(), ..nobody.clone() };
            tokens.push(reader.token_after(&stack, "/#/email?token=").await);
        }
        empty_inbox(&stack).await;
        let agree = |token: &String| {
            let (nobody, body) = (nobody.clone(), json!({"token": token}));
            async move { nobody.post("/v1/email/confirm", body).await }
        };
        let answers = join_all(tokens.iter().chain(&tokens).map(agree)).await;
        let moved = answers.iter().filter(|it| it.body["changed"] == true).count();
        assert_eq!(moved, 1, "{answers:#?}");
        assert!(answers.iter().all(|it| it.status == 200 || it.status.is_client_error()), "{answers:#?}");
        assert_eq!(subjects(&stack, &address).await.len(), 1, "told once");
        assert_eq!(ada.get("/v1/me").await.expect(200).body["email"], *new);
        address = new;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_takes_their_own_along_and_leaves_others_their_work() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let alone = ada.create_project("Alone").await;
    let shared = ada.create_project("Shared").await;
    let bens = ben.create_project("Ben's").await;
    ada.bring_in(&shared, &ben, "editor").await;
    ben.bring_in(&bens, &ada, "editor").await;
    let task = ada.create_task(&bens, json!({"title": "Fix the pump", "assignee": ada.id})).await;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let script = json!({"name": "Script", "access": "read", "expires_at": tomorrow, "password": PASSWORD});
    let script = ada.post("/v1/me/tokens", script).await.expect(201).text("token");
    let script = Person { access_token: Some(script), ..ada.clone() };
    script.get("/v1/projects").await.expect(200);
    let other = ada.elsewhere().await;
    empty_inbox(&stack).await;

    let go = async |password: &str| ada.delete_with("/v1/me", json!({"password": password})).await;
    go("not the password at all").await.problem(409);
    let held = go(PASSWORD).await.problem(409);
    assert!(held.text("detail").contains("Shared") && !held.text("detail").contains("Alone"), "{held:#?}");
    for project in [&alone, &shared, &bens] {
        ada.get(project).await.expect(200);
    }
    ada.patch_plain(&format!("{shared}/members/{}", ben.id), json!({"role": "owner"})).await.expect(200);
    go("not the password at all").await.broken_rule("/password");
    ada.get(&alone).await.expect(200);
    go(PASSWORD).await.expect(204);

    for person in [&ada, &other] {
        for path in ["/v1/me", "/v1/projects", &shared, "/v1/tasks?assignee=me"] {
            person.get(path).await.problem(401);
        }
        person.post("/v1/login/refresh", json!({"refresh_token": person.refresh_token})).await.problem(401);
        person.delete_with("/v1/me", json!({"password": PASSWORD})).await.problem(401);
    }
    script.get("/v1/projects").await.problem(401);
    assert!(!logs_in(&ada, &ada.email, PASSWORD).await);

    for project in [&shared, &bens] {
        let members = ben.get(&format!("{project}/members")).await.expect(200).body;
        let gone = members["items"].as_array().expect("members").iter().find(|it| it["user"] == ada.id.as_str());
        let gone = gone.expect("also of those who left");
        assert!(gone["name"] == "former member" && gone["left_at"].is_string(), "{gone:#}");
    }
    let kept = ben.get(&task).await.expect(200).body;
    assert_eq!((&kept["title"], &kept["created_by"]), (&json!("Fix the pump"), &json!(ada.id)));
    let log = ben.get(&format!("{task}/changes")).await.expect(200).body;
    assert_eq!(log["items"].as_array().map(Vec::len), Some(1));

    // The address is free again, for an account that has nothing of the old one.
    let old = ada.id.clone();
    ada = Person::sign_up(&stack, "Ada", json!({})).await;
    assert_ne!(ada.id, old);
    assert_eq!(ada.get("/v1/projects").await.expect(200).body["items"], json!([]));
    ada.get(&alone).await.problem(404);
    assert!(!kinds(&ada).await.contains(&"token_made".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_does_not_move_to_an_address_that_got_one_of_its_own_meanwhile() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    ada.post("/v1/me/email", json!({"email": "gus@example.com", "password": PASSWORD})).await.expect(202);
    let to_old = ada.token_after(&stack, "/#/email?token=").await;
    let gus = Person { email: "gus@example.com".to_owned(), ..Person::stranger(&stack) };
    let to_new = gus.token_after(&stack, "/#/email?token=").await;
    let gus = Person::sign_up(&stack, "Gus", json!({})).await;
    gus.post("/v1/email/confirm", json!({"token": to_new})).await.expect(200);
    gus.post("/v1/email/confirm", json!({"token": to_old})).await.problem(409);
    for person in [&ada, &gus] {
        assert_eq!(person.get("/v1/me").await.expect(200).body["email"], person.email);
        assert!(logs_in(person, &person.email, PASSWORD).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_delete_their_accounts_at_once_one_keeps_the_project() {
    let stack = stack().await;
    let cam = Person::sign_up(&stack, "Cam", json!({})).await;
    for round in 0..3 {
        let ada = Person::sign_up(&stack, &format!("Ada{round}"), json!({})).await;
        let ben = Person::sign_up(&stack, &format!("Ben{round}"), json!({})).await;
        let project = ada.create_project("Shared").await;
        ada.bring_in(&project, &ben, "owner").await;
        ada.bring_in(&project, &cam, "viewer").await;
        // Each twice, as an impatient client would.
        let go = |person: &Person| {
            let person = person.clone();
            async move { person.delete_with("/v1/me", json!({"password": PASSWORD})).await }
        };
        let answers = join_all([&ada, &ben, &ada, &ben].map(go)).await;
        assert_eq!(answers.iter().filter(|it| it.status == 204).count(), 1, "{answers:#?}");
        assert!(answers.iter().all(|it| it.status == 204 || it.status.is_client_error()), "{answers:#?}");
        let members = cam.get(&format!("{project}/members")).await.expect(200).body;
        let is_owner = |it: &&Value| it["role"] == "owner" && it["left_at"].is_null();
        assert_eq!(members["items"].as_array().expect("members").iter().filter(is_owner).count(), 1, "{members:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_take_along_all_that_is_kept_about_them_but_no_secret() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({"locale": "ko", "time_zone": "Asia/Seoul"})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let (project, bens) = (ada.create_project("Pumps").await, ben.create_project("Ben's").await);
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ada.id, "description": "At length"})).await;
    ada.create_task(&project, json!({"title": "Nobody's"})).await;
    let other = ada.elsewhere().await;

    let answer = ada.get("/v1/me/export").await.expect(200);
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"baton.json\"");
    let export = &answer.body;
    assert_eq!(export["profile"], ada.get("/v1/me").await.expect(200).body);
    assert_eq!(export["account"]["email"], ada.email);
    assert!(export["account"]["second_factor_since"].is_null() && export["account"]["created_at"].is_string(), "{export:#}");
    assert_eq!(export["sessions"].as_array().map(Vec::len), Some(2));
    assert_eq!(export["projects"].as_array().map(Vec::len), Some(1));
    assert_eq!((&export["projects"][0]["name"], &export["projects"][0]["role"]), (&json!("Pumps"), &json!("owner")));
    assert_eq!(export["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(export["tasks"][0]["title"], "Fix the pump");
    assert_eq!(export["events"], ada.get("/v1/me/events").await.expect(200).body["items"]);
    let text = export.to_string();
    let secrets =
        ["argon2", "hash", "secret", &ada.refresh_token, &other.refresh_token, &ben.email, &bens["/v1/projects/".len()..]];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {export:#}");
    }
    ada.get("/v1/me/export?all=true").await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_second_factor_eight_characters_are_enough_and_every_change_asks_for_a_code() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let short = "xyzzy 72";
    ada.put("/v1/me/password", json!({"current": PASSWORD, "new": short})).await.broken_rule("/new");
    let (mut authenticator, recovery) = enrol(&ada).await;
    ada.put("/v1/me/password", json!({"current": PASSWORD, "new": NEW})).await.broken_rule("/code");
    ada.post("/v1/me/email", json!({"email": "lovelace@example.org", "password": PASSWORD})).await.broken_rule("/code");
    ada.delete_with("/v1/me", json!({"password": PASSWORD})).await.broken_rule("/code");

    // A code is not used up for nothing.
    let code = authenticator.next_code();
    let change =
        async |new: &str, code: &str| ada.put("/v1/me/password", json!({"current": PASSWORD, "new": new, "code": code})).await;
    change("iloveyou", &code).await.broken_rule("/new");
    change("call me Ada", &code).await.broken_rule("/new");
    change(short, &code).await.expect(204);
    ada.post("/v1/me/email", json!({"email": "lovelace@example.org", "password": short, "code": code}))
        .await
        .broken_rule("/code");

    // A reset leaves the second factor on, and so a short password is enough.
    let nobody = Person::stranger(&stack);
    nobody.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
    let token = ada.token_after(&stack, "/#/reset?token=").await;
    nobody.post("/v1/password/reset", json!({"token": token, "new": "plugh 38"})).await.expect(204);
    let begun = nobody.post("/v1/login", json!({"email": ada.email, "password": "plugh 38"})).await.expect(200);
    let second = json!({"ticket": begun.text("ticket"), "recovery_code": recovery[0]});
    let mut ada = ada;
    ada.log_in_as_answered(&nobody.post("/v1/login/second-factor", second).await.expect(200));
    let go = |code: &str| json!({"password": "plugh 38", "code": code});
    ada.delete_with("/v1/me", go(&recovery[0])).await.broken_rule("/code");
    ada.delete_with("/v1/me", go(&recovery[1])).await.expect(204);
    ada.get("/v1/me").await.problem(401);
}
