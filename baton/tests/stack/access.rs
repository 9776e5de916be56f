//! What is out of reach for whoever is, or was, a member elsewhere; and which tokens say who somebody is.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::people::{Person, stack};
use crate::tokens::{Keys, Token};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_project_is_reached_through_ones_own() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let eve = Person::sign_up(&stack, "Eve", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    ada.create_task(&project, json!({"title": "Oil the valve"})).await;
    ada.post(&format!("{project}/invitations"), json!({"email": "gus@example.com", "role": "viewer"})).await.expect(202);
    let invitations = ada.get(&format!("{project}/invitations")).await.expect(200);
    let invitation = invitations.body["items"][0]["id"].as_str().expect("an invitation").to_owned();
    let before = ada.get(&task).await.expect(200).body;
    let own = eve.create_project("Elsewhere").await;
    let (_, id) = task.split_once("/tasks/").expect("a task's path");
    let foreign = format!("{own}/tasks/{id}");

    eve.get(&foreign).await.problem(404);
    eve.patch(&foreign, "*", json!({"title": "Mine"})).await.problem(404);
    eve.delete(&foreign, "*").await.problem(404);
    eve.get(&format!("{foreign}/changes")).await.problem(404);
    eve.get(&format!("{foreign}/changes/1")).await.problem(404);
    eve.delete_plain(&format!("{own}/invitations/{invitation}")).await.problem(404);
    eve.patch_plain(&format!("{own}/members/{}", ben.id), json!({"role": "viewer"})).await.problem(404);
    eve.delete_plain(&format!("{own}/members/{}", ben.id)).await.problem(404);
    eve.post(&format!("{own}/tasks"), json!({"title": "For Ben", "assignee": ben.id})).await.broken_rule("/assignee");

    // A cursor is a position, not a key: in another's list it finds that list's own entries only.
    for list in ["tasks", "changes", "members"] {
        let page = ada.get(&format!("{project}/{list}?limit=1")).await.expect(200);
        let cursor = page.text("next_cursor");
        let answer = eve.get(&format!("{own}/{list}?cursor={cursor}")).await;
        let text = answer.body.to_string();
        assert!(matches!(answer.status.as_u16(), 200 | 400), "{answer:#?}");
        assert!(!text.contains(id) && !text.contains(&ben.id) && !text.contains(&ada.id), "{text}");
    }

    assert_eq!(ada.get(&task).await.expect(200).body, before);
    assert_eq!(ada.get(&format!("{project}/invitations")).await.expect(200).body, invitations.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_project_hides_everything_under_it() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let gus = Person::sign_up(&stack, "Gus", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    ada.post(&format!("{project}/invitations"), json!({"email": gus.email, "role": "viewer"})).await.expect(202);
    ada.delete_plain(&project).await.expect(204);

    for person in [&ada, &ben] {
        for path in ["", "/members", "/tasks", "/changes"] {
            person.get(&format!("{project}{path}")).await.problem(404);
        }
        for path in ["", "/changes", "/changes/1"] {
            person.get(&format!("{task}{path}")).await.problem(404);
        }
        person.patch(&task, "*", json!({"title": "Again"})).await.problem(404);
        person.delete(&task, "*").await.problem(404);
        person.post(&format!("{project}/tasks"), json!({"title": "New"})).await.problem(404);
        assert_eq!(person.get("/v1/projects").await.expect(200).body["items"], json!([]));
        assert_eq!(person.get("/v1/tasks?assignee=me").await.expect(200).body["items"], json!([]));
    }
    ada.get(&format!("{project}/invitations")).await.problem(404);
    ada.delete_plain(&project).await.problem(404);
    ada.patch_plain(&project, json!({"name": "Again"})).await.problem(404);
    assert_eq!(gus.get("/v1/me/invitations").await.expect(200).body["items"], json!([]));
    let id = project.trim_start_matches("/v1/projects/");
    gus.post(&format!("/v1/me/invitations/{id}/accept"), json!({})).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_sees_no_task_of_theirs_any_more() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    assert_eq!(ben.get("/v1/tasks?assignee=me").await.expect(200).body["items"].as_array().map(Vec::len), Some(1));
    ben.delete_plain(&format!("{project}/members/{}", ben.id)).await.expect(204);

    assert_eq!(ben.get("/v1/tasks?assignee=me").await.expect(200).body["items"], json!([]));
    assert_eq!(ben.get("/v1/projects").await.expect(200).body["items"], json!([]));
    ben.get(&task).await.problem(404);
    // A task keeps the assignee who left until somebody edits it; to name them anew is refused.
    ada.patch(&task, "*", json!({"title": "Fix the old pump"})).await.expect(200);
    ada.post(&format!("{project}/tasks"), json!({"title": "For Ben", "assignee": ben.id})).await.broken_rule("/assignee");
    let members = ada.get(&format!("{project}/members")).await.expect(200);
    let left = members.body["items"].as_array().into_iter().flatten().find(|it| it["user"] == ben.id.as_str());
    assert!(left.is_some_and(|it| it["left_at"].is_string()), "{members:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_bearer_token_of_ours_says_who_somebody_is() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let keys = Keys::published(&stack).await;
    let token = ada.access_token.clone().expect("Ada is logged in");
    let good = Token::read(&token);
    assert_eq!(good.header["alg"], "EdDSA");
    assert_eq!(good.header["typ"], "at+jwt");
    keys.get("/v1/me", &token).await.expect(200);

    let body = token.rsplit_once('.').expect("a signature").0;
    let other_user = Uuid::now_v7();
    let mut forged = vec![
        ("empty", String::new()),
        ("no token", "x".to_owned()),
        ("dots", "..".to_owned()),
        ("truncated", token[..token.len() - 8].to_owned()),
        ("no signature", format!("{body}.")),
        ("two parts", body.to_owned()),
        ("a part more", format!("{token}.x")),
        ("another's claims under this signature", good.with_claim("sub", json!(other_user)).under_signature_of(&token)),
        ("a later expiry under this signature", good.with_claim("exp", json!(4_102_444_800_u64)).under_signature_of(&token)),
        ("alg none", good.with_header("alg", json!("none")).unsigned()),
        ("alg NONE", good.with_header("alg", json!("NONE")).unsigned()),
        ("HS256 under the public key", good.with_header("alg", json!("HS256")).signed_with_public_key(&keys)),
        ("the signature in EdDSA, by another key of the same name", good.signed_by_another_key()),
        ("an unknown kid", good.with_header("kid", json!("unknown")).signed_by_another_key()),
        ("a path for a kid", good.with_header("kid", json!("../../etc/passwd")).signed_by_another_key()),
        ("a key of its own", good.with_header("jwk", keys.another_jwk()).signed_by_another_key()),
        ("the refresh token", ada.refresh_token.clone()),
    ];
    // What only our own key can sign: every claim has to be right all the same.
    for (name, changed) in [
        ("another audience", good.with_claim("aud", json!("other"))),
        ("another issuer", good.with_claim("iss", json!("https://elsewhere.example"))),
        ("expired", good.with_claim("exp", json!(1_700_000_000))),
        ("no expiry", good.without_claim("exp")),
        ("no subject", good.without_claim("sub")),
        ("another type of token", good.with_header("typ", json!("JWT"))),
        ("an extension we do not know", good.with_header("crit", json!(["exp"]))),
    ] {
        forged.push((name, keys.sign(&changed)));
    }
    keys.get("/v1/me", &keys.sign(&good)).await.expect(200);
    for (name, token) in forged {
        for path in ["/v1/me", "/v1/projects"] {
            let answer = keys.get(path, &token).await;
            assert_eq!(answer.status, 401, "{name}: {answer:#?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}: {answer:#?}");
            answer.problem(401);
        }
    }
    let nobody = Person::stranger(&stack);
    for header in [format!("Basic {token}"), token.clone(), format!("Bearer {token} x"), "Bearer".to_owned()] {
        nobody.send(Method::GET, "/v1/me", &[("authorization", &header)], None).await.problem(401);
    }
    let twice = [("authorization", format!("Bearer {token}")), ("authorization", format!("Bearer {token}"))];
    let twice: Vec<(&str, &str)> = twice.iter().map(|(name, value)| (*name, value.as_str())).collect();
    nobody.send(Method::GET, "/v1/me", &twice, None).await.problem(401);
}
