//! Invitations and memberships, from the first mail to the last owner.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{Person, empty_inbox, mails_to, stack};

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_declined_or_withdrawn_once() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let id = project.trim_start_matches("/v1/projects/").to_owned();
    let invitations = format!("{project}/invitations");
    let invite =
        async |email: &str, role: &str| ada.post(&invitations, json!({"email": email, "role": role})).await.expect(202).body;
    empty_inbox(&stack).await;

    // The same answer whether there is an account behind the address, or a member, or nothing.
    assert_eq!(invite(&ben.email, "viewer").await, json!({}));
    assert_eq!(invite("gus@example.com", "viewer").await, json!({}));
    assert_eq!(invite("BEN@Example.com", "editor").await, json!({}));
    stack.drain().await;
    for address in [&ben.email, "gus@example.com"] {
        let mails = mails_to(&stack, address).await;
        assert!(!mails.is_empty(), "{address}");
        assert!(
            mails[0]["text"].as_str().is_some_and(|it| it.contains("Boiler room") && it.contains("/#/invitations")),
            "{mails:#?}"
        );
    }
    let open = ada.get(&invitations).await.expect(200).body;
    let open = open["items"].as_array().expect("a list");
    assert_eq!(open.len(), 2, "one invitation an address: {open:#?}");
    let mine = ben.get("/v1/me/invitations").await.expect(200).body;
    let told: Vec<Value> = mine["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| json!([it["project"], it["project_name"], it["role"], it["invited_by"]]))
        .collect();
    assert_eq!(Value::from(told), json!([[id, "Boiler room", "editor", "Ada"]]), "the role asked for last");
    ben.get(&project).await.problem(404);

    let accept = format!("/v1/me/invitations/{id}/accept");
    ben.post(&accept, json!({})).await.expect(204);
    assert_eq!(ben.get(&project).await.expect(200).body["role"], "editor");
    ben.post(&accept, json!({})).await.problem(404);
    assert_eq!(ben.get("/v1/me/invitations").await.expect(200).body["items"], json!([]));

    let withdrawn = ada.get(&invitations).await.expect(200).body["items"][0]["id"].as_str().expect("an id").to_owned();
    let gus = Person::sign_up(&stack, "Gus", json!({})).await;
    assert_eq!(
        gus.get("/v1/me/invitations").await.expect(200).body["items"].as_array().map(Vec::len),
        Some(1),
        "asked before the account was"
    );
    ada.delete_plain(&format!("{invitations}/{withdrawn}")).await.expect(204);
    ada.delete_plain(&format!("{invitations}/{withdrawn}")).await.problem(404);
    gus.post(&accept, json!({})).await.problem(404);
    assert_eq!(gus.get("/v1/me/invitations").await.expect(200).body["items"], json!([]));

    invite(&gus.email, "owner").await;
    gus.delete_plain(&format!("/v1/me/invitations/{id}")).await.expect(204);
    gus.delete_plain(&format!("/v1/me/invitations/{id}")).await.problem(404);
    gus.post(&accept, json!({})).await.problem(404);
    gus.get(&project).await.problem(404);
    assert_eq!(ada.get(&invitations).await.expect(200).body["items"], json!([]));
    // A declined invitation can be made anew.
    ada.bring_in(&project, &gus, "viewer").await;
    assert_eq!(gus.get(&project).await.expect(200).body["role"], "viewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_change_roles_leave_and_come_back_and_an_owner_stays() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "viewer").await;
    let member = |person: &Person| format!("{project}/members/{}", person.id);
    let role = async |person: &Person, role: &str| ada.patch_plain(&member(person), json!({"role": role})).await;

    role(&ada, "editor").await.problem(409);
    ada.delete_plain(&member(&ada)).await.problem(409);
    assert_eq!(ada.get(&project).await.expect(200).body["role"], "owner");
    for to in ["editor", "editor", "owner"] {
        let answer = role(&ben, to).await.expect(200);
        assert_eq!(
            (&answer.body["user"], &answer.body["role"], &answer.body["left_at"]),
            (&json!(ben.id), &json!(to), &Value::Null)
        );
        assert_eq!(ben.get(&project).await.expect(200).body["role"], to);
    }
    // Two owners: either may go, and whoever stays alone may not.
    role(&ada, "viewer").await.expect(200);
    ada.patch_plain(&member(&ben), json!({"role": "viewer"})).await.problem(403);
    ben.delete_plain(&member(&ben)).await.problem(409);
    ben.patch_plain(&member(&ada), json!({"role": "owner"})).await.expect(200);
    ben.delete_plain(&member(&ben)).await.expect(204);
    ben.get(&project).await.problem(404);
    ben.delete_plain(&member(&ben)).await.problem(404);
    ada.delete_plain(&member(&ben)).await.problem(404);
    ada.delete_plain(&member(&ada)).await.problem(409);

    let members = ada.get(&format!("{project}/members")).await.expect(200).body;
    let members = members["items"].as_array().expect("a list");
    assert_eq!(members.len(), 2, "also who left");
    assert!(members.iter().all(|it| it["left_at"].is_string() == (it["user"] == ben.id.as_str())), "{members:#?}");

    ada.bring_in(&project, &ben, "owner").await;
    assert_eq!(ben.get(&project).await.expect(200).body["role"], "owner");
    ada.delete_plain(&member(&ada)).await.expect(204);
    ben.delete_plain(&member(&ben)).await.problem(409);
    let unknown = Uuid::now_v7();
    ben.delete_plain(&format!("{project}/members/{unknown}")).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_accepts_an_invitation_is_raised_and_never_lowered() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let role = async |person: &Person| person.get(&project).await.expect(200).body["role"].clone();

    // Not even by herself is the only owner made less.
    ada.bring_in(&project, &ada, "viewer").await;
    assert_eq!(role(&ada).await, "owner");
    for (to, then) in [("viewer", "viewer"), ("editor", "editor"), ("viewer", "editor"), ("editor", "editor")] {
        ada.bring_in(&project, &ben, to).await;
        assert_eq!(role(&ben).await, then);
    }
    // Had an owner been counted twice, Ada could leave the project without one.
    ada.delete_plain(&format!("{project}/members/{}", ada.id)).await.problem(409);
    for (list, length) in [(format!("{project}/members"), 2), (format!("{project}/invitations"), 0)] {
        let list = ada.get(&list).await.expect(200).body;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(length), "{list:#}");
    }
    assert_eq!(ben.get("/v1/projects").await.expect(200).body["items"].as_array().map(Vec::len), Some(1));

    // Raised to owner, Ben counts as one: Ada may go, and he is the last.
    for _ in 0..2 {
        ada.bring_in(&project, &ben, "owner").await;
        assert_eq!(role(&ben).await, "owner");
    }
    ada.delete_plain(&format!("{project}/members/{}", ada.id)).await.expect(204);
    ben.delete_plain(&format!("{project}/members/{}", ben.id)).await.problem(409);
}
