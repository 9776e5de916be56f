//! The same thing asked for many times at once: one wins, nothing is half done, and nobody is left with two of what there is one of.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, enrol};
use crate::meter::{Call, Metered};
use crate::people::{Answer, PASSWORD, Person, mails_to, stack};

const REFRESHES: usize = 1_000;
const ROUNDS: usize = 3;

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|it| it.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses
}

fn passwords(round: usize) -> [String; 2] {
    ["left", "right"].map(|side| format!("a long enough password, {side} {round}"))
}

/// Which of two passwords is good, insisting that one is and the other is not. The wrong one is tried on a device that is known, so
/// that guesses are not counted against the address.
async fn the_good_one<'a>(person: &Person, passwords: &'a [String; 2]) -> &'a str {
    let mut good = Vec::new();
    for password in passwords {
        let body = json!({"email": person.email, "password": password, "device_token": person.device_token});
        if person.post("/v1/login", body).await.status == 200 {
            good.push(password.as_str());
        }
    }
    let [good] = good.as_slice() else { panic!("{good:?} of {passwords:?} are good") };
    good
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_simultaneous_password_changes_one_counts() {
    let stack = stack().await;
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let mut current = PASSWORD.to_owned();
    for round in 0..ROUNDS {
        let mut other = ada.clone();
        other.log_in_with(&current).await;
        let new = passwords(round);
        let change = |person: Person, new: String| {
            let body = json!({"current": current, "new": new});
            async move { person.put("/v1/me/password", body).await }
        };
        let answers = join_all([change(ada.clone(), new[0].clone()), change(other.clone(), new[1].clone())]).await;
        assert_eq!(answers.iter().filter(|it| it.status == 204).count(), 1, "{answers:#?}");
        assert!(answers.iter().all(|it| it.status == 204 || it.status.is_client_error()), "{answers:#?}");
        let winner = usize::from(answers[1].status == 204);
        current = the_good_one(&ada, &new).await.to_owned();
        assert_eq!(current, new[winner], "the password of whoever was told so");
        [&ada, &other][winner].get("/v1/me").await.expect(200);
        [&ada, &other][1 - winner].get("/v1/me").await.problem(401);
        ada.log_in_with(&current).await;
    }
    stack.drain().await;
    let told = mails_to(&stack, &ada.email).await;
    let told = told.iter().filter(|it| it["subject"].as_str().is_some_and(|it| it.contains("password"))).count();
    assert_eq!(told, ROUNDS, "one letter a change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_token_used_twice_at_once_resets_once() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let nobody = Person::stranger(&stack);
    for round in 0..ROUNDS {
        nobody.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
        let token = ada.token_after(&stack, "/#/reset?token=").await;
        let new = passwords(round);
        let reset = |new: &String| {
            let (nobody, body) = (nobody.clone(), json!({"token": token, "new": new}));
            async move { nobody.post("/v1/password/reset", body).await }
        };
        let answers = join_all(new.iter().map(reset)).await;
        assert_eq!(statuses(&answers), [204, 422], "{answers:#?}");
        let winner = usize::from(answers[1].status == 204);
        assert_eq!(the_good_one(&ada, &new).await, new[winner]);
        nobody.post("/v1/password/reset", json!({"token": token, "new": PASSWORD})).await.broken_rule("/token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_simultaneous_enrolments_one_is_confirmed_and_shows_its_recovery_codes() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let begin = || ada.post("/v1/me/second-factor", json!({"password": PASSWORD}));
    let begun = join_all([begin(), begin()]).await;
    let secrets: Vec<String> = begun.iter().filter(|it| it.status == 200).map(|it| it.text("secret")).collect();
    assert!(!secrets.is_empty(), "{begun:#?}");

    let confirm = |secret: &String| {
        let (ada, body) = (ada.clone(), json!({"code": Authenticator::new(secret).next_code()}));
        async move { ada.post("/v1/me/second-factor/confirm", body).await }
    };
    // Each of the secrets twice; of the secrets only the one that was kept is good.
    let answers = join_all(secrets.iter().chain(&secrets).map(confirm)).await;
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1, "{answers:#?}");
    assert!(answers.iter().all(|it| [200, 409, 422].contains(&it.status.as_u16())), "{answers:#?}");
    let state = ada.get("/v1/me/second-factor").await.expect(200).body;
    assert_eq!((&state["enabled"], &state["recovery_codes_left"]), (&json!(true), &json!(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_used_twice_at_once_opens_one_session() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (_, recovery_codes) = enrol(&ada).await;
    for (used, code) in recovery_codes.iter().take(2).enumerate() {
        let mut tickets = Vec::new();
        for _ in 0..2 {
            let body = json!({"email": ada.email, "password": PASSWORD, "device_token": ada.device_token});
            tickets.push(ada.post("/v1/login", body).await.expect(200).text("ticket"));
        }
        let second_step = |ticket: &String| {
            let body = json!({"ticket": ticket, "recovery_code": code, "device_token": ada.device_token});
            let ada = ada.clone();
            async move { ada.post("/v1/login/second-factor", body).await }
        };
        let answers = join_all(tickets.iter().map(second_step)).await;
        assert_eq!(statuses(&answers), [200, 401], "{answers:#?}");
        let left = ada.get("/v1/me/second-factor").await.expect(200).body["recovery_codes_left"].clone();
        assert_eq!(left, json!(10 - used - 1));
    }
}

/// The calls that wrote something; a condition that failed did not.
fn writes(calls: &[Call]) -> Vec<&str> {
    let reads = ["GetItem", "BatchGetItem", "Query"];
    let written = calls.iter().filter(|it| it.was_done() && !reads.contains(&it.operation.as_str()));
    written.map(|it| it.operation.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_simultaneous_refreshes_rotate_once_and_all_get_the_same_pair() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let ada = Person { access_token: None, ..metered.person(&ada) };
    // The metered function reads its keys.
    ada.post("/v1/login", json!({"email": ada.email, "password": PASSWORD})).await.expect(200);
    metered.calls();

    let refresh = |_| {
        let (ada, body) = (ada.clone(), json!({"refresh_token": ada.refresh_token}));
        async move { ada.post("/v1/login/refresh", body).await }
    };
    let answers = join_all((0..REFRESHES).map(refresh)).await;
    let first = answers[0].body.clone();
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &first));
    }
    assert_eq!(writes(&metered.calls()).len(), 1, "one rotation is written");

    // Whoever has the successor goes on, and within the grace a lost answer is told again.
    let successor = json!({"refresh_token": first["refresh_token"]});
    let next = ada.post("/v1/login/refresh", successor.clone()).await.expect(200);
    assert_ne!(next.body["refresh_token"], first["refresh_token"]);
    assert_eq!(ada.post("/v1/login/refresh", successor).await.expect(200).body, next.body);
    assert_eq!(writes(&metered.calls()).len(), 1);
    // The first of all is by now neither the current nor the one before.
    ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.problem(401);
    ada.post("/v1/login/refresh", json!({"refresh_token": next.body["refresh_token"]})).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_seen_many_times_at_once_ends_the_session_and_tells_its_owner_once() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let other = ada.elsewhere().await;
    let refresh = |token: String| {
        let ada = ada.clone();
        async move { ada.post("/v1/login/refresh", json!({"refresh_token": token})).await }
    };
    let second = refresh(other.refresh_token.clone()).await.expect(200).text("refresh_token");
    refresh(second).await.expect(200);
    stack.drain().await;
    let before = mails_to(&stack, &ada.email).await.len();
    let answers = join_all((0..20).map(|_| refresh(other.refresh_token.clone()))).await;
    assert!(answers.iter().all(|it| it.status == 401), "{answers:#?}");
    other.get("/v1/me").await.problem(401);
    other.get("/v1/projects").await.problem(401);
    ada.get("/v1/me").await.expect(200);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &ada.email).await.len(), before + 1, "one letter");
    let events = ada.get("/v1/me/events").await.expect(200).body;
    let reuses: Vec<&Value> =
        events["items"].as_array().expect("a list").iter().filter(|it| it["kind"] == "refresh_token_reused").collect();
    assert_eq!(reuses.len(), 1, "{events:#}");
}

/// Of somebody who asks for the second factor to go with the old password, while the mailbox sets another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_with_the_password_of_before_a_reset_switches_no_second_factor_off() {
    let stack = stack().await;
    for name in ["Ada", "Ben", "Cleo", "Dan"] {
        let ada = Person::sign_up(&stack, name, json!({})).await;
        let (_, recovery_codes) = enrol(&ada).await;
        ada.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
        let token = ada.token_after(&stack, "/#/reset?token=").await;
        let new = "kq7#mzz0";
        let reset = ada.post("/v1/password/reset", json!({"token": token, "new": new}));
        let removal = json!({"password": PASSWORD, "code": recovery_codes[0]});
        let (reset, removed) = tokio::join!(reset, ada.delete_with("/v1/me/second-factor", removal));
        assert!(reset.status != 204 || removed.status != 204, "{reset:#?} {removed:#?}");
        if reset.status == 204 {
            let body = json!({"email": ada.email, "password": new, "device_token": ada.device_token});
            ada.post("/v1/login", body).await.expect(200).text("ticket");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_while_their_account_goes_is_gone_from_there_too() {
    let stack = stack().await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    for _ in 0..4 {
        let ada = Person::sign_up(&stack, "Ada", json!({})).await;
        let project = ben.create_project("Boiler room").await;
        ben.post(&format!("{project}/invitations"), json!({"email": ada.email, "role": "editor"})).await.expect(202);
        let id = project.rsplit('/').next().expect("an id");
        let accept = format!("/v1/me/invitations/{id}/accept");
        let gone = ada.delete_with("/v1/me", json!({"password": PASSWORD}));
        let (gone, joined, own) =
            tokio::join!(gone, ada.post(&accept, json!({})), ada.post("/v1/projects", json!({"name": "Own"})));
        gone.expect(204);
        for answer in [joined, own] {
            assert!(answer.status.is_success() || answer.status.is_client_error(), "{answer:#?}");
        }
        let members = ben.get(&format!("{project}/members")).await.expect(200).body;
        let mut members = members["items"].as_array().expect("members").iter();
        assert!(members.all(|it| it["user"] == ben.id.as_str() || it["left_at"].is_string()), "{members:#?}");
    }
}
