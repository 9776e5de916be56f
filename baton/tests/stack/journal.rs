//! The log of a task and of a project: every change once, in order, however it is read; and creates that can be repeated.

use serde_json::{Value, json};

use crate::people::{Person, stack};

/// Every entry of a list, read page by page.
async fn walk(person: &Person, list: &str, limit: usize) -> Vec<Value> {
    let separator = if list.contains('?') { '&' } else { '?' };
    let mut entries = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let more = cursor.as_str().map(|it| format!("&cursor={it}")).unwrap_or_default();
        let page = person.get(&format!("{list}{separator}limit={limit}{more}")).await.expect(200).body;
        let items = page["items"].as_array().expect("a list").clone();
        assert!(items.len() <= limit, "{} entries under limit={limit}", items.len());
        entries.extend(items);
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return entries;
        }
        assert!(entries.len() < 1000, "the last page says so");
    }
}

fn ids(entries: &[Value]) -> Vec<String> {
    entries.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
}

fn versions(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|it| it["version"].as_u64().expect("a version")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_every_change_of_a_task_newest_first() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "description": "It drips."})).await;
    ben.patch(&task, "\"1\"", json!({"assignee": ben.id, "labels": ["water"]})).await.expect(200);
    ada.patch(&task, "\"2\"", json!({"description": "It drips a lot."})).await.expect(200);
    ben.patch(&task, "\"3\"", json!({"status": "done", "title": "Fix the old pump", "due_on": "2027-01-15"})).await.expect(200);
    ada.patch(&task, "\"4\"", json!({"description": null, "labels": null, "due_on": null})).await.expect(200);
    ada.delete(&task, "\"5\"").await.expect(204);
    ada.get(&task).await.problem(404);
    ada.patch(&task, "*", json!({"title": "Again"})).await.problem(404);
    ada.delete(&task, "*").await.problem(404);

    // The log outlives the task.
    let entries = walk(&ben, &format!("{task}/changes"), 100).await;
    assert_eq!(versions(&entries), [6, 5, 4, 3, 2, 1]);
    let (_, id) = task.split_once("/tasks/").expect("a task's path");
    for entry in &entries {
        assert_eq!(entry["id"], format!("{id}:{}", entry["version"]));
        assert_eq!(entry["task"], id);
        assert!(entry["at"].as_str().is_some_and(|it| it.ends_with('Z')), "{entry}");
        assert!(!entry.to_string().contains("drips"), "a list carries no description: {entry}");
    }
    let told: Vec<Value> =
        entries.iter().map(|it| json!([it["kind"], it["actor"], it["title"], field_names(it)])).rev().collect();
    let expected = json!([
        ["created", ada.id, "Fix the pump", ["title", "description", "status"]],
        ["updated", ben.id, "Fix the pump", ["assignee", "labels"]],
        ["updated", ada.id, "Fix the pump", ["description"]],
        ["updated", ben.id, "Fix the old pump", ["title", "status", "due_on"]],
        ["updated", ada.id, "Fix the old pump", ["description", "due_on", "labels"]],
        ["deleted", ada.id, "Fix the old pump", []],
    ]);
    assert_eq!(Value::from(told), expected);
    let fourth = ben.get(&format!("{task}/changes/4")).await.expect(200).body;
    let moved = fourth["fields"].as_array().into_iter().flatten().find(|it| it["name"] == "status");
    assert_eq!(moved, Some(&json!({"name": "status", "from": "waiting", "to": "done"})));
    assert!(fourth.get("description").is_none(), "{fourth}");

    for (version, text) in [(1, "It drips."), (3, "It drips a lot."), (5, "")] {
        let whole = ben.get(&format!("{task}/changes/{version}")).await.expect(200).body;
        assert_eq!(whole["description"], text, "version {version}");
        assert_eq!(whole["version"], version);
    }
    ben.get(&format!("{task}/changes/7")).await.problem(404);
}

fn field_names(entry: &Value) -> Value {
    entry["fields"].as_array().into_iter().flatten().map(|it| it["name"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_met_page_by_page_shows_every_entry_once() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let other = ada.create_project("Roof").await;
    ada.create_project("Cellar").await;
    ada.bring_in(&project, &ben, "editor").await;
    let mut tasks = Vec::new();
    for number in 0..7 {
        let status = ["waiting", "in_progress", "done"][number % 3];
        // The same due date for some, none for others: the order is whole all the same.
        let due_on = if number < 4 { json!("2027-01-15") } else { Value::Null };
        let body = json!({"title": format!("Task {number}"), "status": status, "assignee": ada.id, "due_on": due_on});
        tasks.push(ada.create_task(if number == 6 { &other } else { &project }, body).await);
    }
    for version in 1..5 {
        ada.patch(&tasks[0], &format!("\"{version}\""), json!({"title": format!("Title {version}")})).await.expect(200);
    }
    for name in ["gus", "hal", "ivy"] {
        ada.post(&format!("{project}/invitations"), json!({"email": format!("{name}@example.com"), "role": "viewer"}))
            .await
            .expect(202);
    }
    for (list, length) in [
        ("/v1/projects".to_owned(), 3),
        ("/v1/tasks?assignee=me".to_owned(), 7),
        ("/v1/tasks?assignee=me&status=waiting".to_owned(), 3),
        (format!("{project}/tasks"), 6),
        (format!("{project}/tasks?status=done"), 2),
        (format!("{project}/changes"), 10),
        (format!("{}/changes", tasks[0]), 5),
        (format!("{project}/members"), 2),
        (format!("{project}/invitations"), 3),
    ] {
        let whole = walk(&ada, &list, 100).await;
        assert_eq!(whole.len(), length, "{list}");
        for limit in 1..=length {
            assert_eq!(walk(&ada, &list, limit).await, whole, "{list} by {limit}");
        }
    }
    let listed = walk(&ada, &format!("{project}/tasks"), 100).await;
    assert!(listed.windows(2).all(|it| it[0]["created_at"].as_str() >= it[1]["created_at"].as_str()), "newest first");
    assert!(walk(&ada, &format!("{project}/tasks?status=done"), 2).await.iter().all(|it| it["status"] == "done"));
    assert!(listed.iter().all(|it| it.get("description").is_none()));
    let mine = walk(&ada, "/v1/tasks?assignee=me", 2).await;
    let rank = |it: &Value| ["waiting", "in_progress", "done"].iter().position(|status| it["status"] == *status);
    assert!(mine.windows(2).all(|it| rank(&it[0]) <= rank(&it[1])), "mine stand by status");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_a_project_meets_every_change_oldest_first() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let list = format!("{project}/changes");
    let now = ada.get(&format!("{list}?after=now")).await.expect(200).body;
    assert_eq!(now["items"], json!([]));
    let mut from_now = now["next_cursor"].as_str().expect("a cursor to go on from").to_owned();
    let mut from_start = "start".to_owned();
    let (mut since_now, mut since_start) = (Vec::new(), Vec::new());
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    for version in 1..=5 {
        ada.patch(&task, &format!("\"{version}\""), json!({"title": format!("Title {version}")})).await.expect(200);
        ada.create_task(&project, json!({"title": format!("Task {version}")})).await;
        for (cursor, seen) in [(&mut from_now, &mut since_now), (&mut from_start, &mut since_start)] {
            let page = ada.get(&format!("{list}?after={cursor}&limit=100")).await.expect(200).body;
            page["next_cursor"].as_str().expect("always a cursor to go on from").clone_into(cursor);
            for id in ids(page["items"].as_array().expect("a list")) {
                // What is close to the clock may be told again: whoever follows knows a change by its id.
                if !seen.contains(&id) {
                    seen.push(id);
                }
            }
        }
    }
    let mut all = ids(&walk(&ada, &list, 100).await);
    all.reverse();
    assert_eq!(since_start, all);
    assert_eq!(since_now, all);
    ada.get(&format!("{list}?after=start&cursor={from_start}")).await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_keeps_what_it_does_not_name_and_one_that_changes_nothing_writes_nothing() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let body = json!({
        "title": "Fix the pump", "description": "It drips.", "status": "in_progress", "assignee": ada.id, "priority": "high",
        "due_on": "2027-01-15", "labels": ["water", "cellar"],
    });
    let created = ada.post(&format!("{project}/tasks"), body.clone()).await.expect(201);
    let task = created.header("location").to_owned();
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(ada.get(&task).await.expect(200).body, created.body);
    for (field, value) in body.as_object().expect("an object") {
        assert_eq!(&created.body[field], value, "{field}");
    }

    let mut expected = created.body.clone();
    let edited = ada.patch(&task, "\"1\"", json!({"priority": "low", "description": "It drips a lot."})).await.expect(200);
    assert_eq!(edited.header("etag"), "\"2\"");
    for (field, value) in [("priority", json!("low")), ("description", json!("It drips a lot.")), ("version", json!(2))] {
        expected[field] = value;
    }
    expected["updated_at"] = edited.body["updated_at"].clone();
    assert_eq!(edited.body, expected);
    assert_eq!(ada.get(&task).await.expect(200).body, expected);

    let log = walk(&ada, &format!("{task}/changes"), 100).await;
    for nothing in [json!({}), json!({"priority": "low"}), json!({"title": " Fix the pump "}), body_of(&expected)] {
        for if_match in ["\"2\"", "*"] {
            let answer = ada.patch(&task, if_match, nothing.clone()).await.expect(200);
            assert_eq!((answer.header("etag"), &answer.body), ("\"2\"", &expected), "{nothing}");
        }
    }
    assert_eq!(walk(&ada, &format!("{task}/changes"), 100).await, log);
    ada.patch(&task, "\"1\"", json!({})).await.problem(412);

    let cleared = json!({"description": null, "assignee": null, "priority": null, "due_on": null, "labels": null});
    let cleared = ada.patch(&task, "\"2\"", cleared).await.expect(200).body;
    let plain = json!({"description": "", "assignee": null, "priority": "none", "due_on": null, "labels": []});
    for (field, value) in plain.as_object().expect("an object") {
        assert_eq!(&cleared[field], value, "{field}");
    }
    assert_eq!((&cleared["title"], &cleared["status"]), (&expected["title"], &expected["status"]));
}

fn body_of(task: &Value) -> Value {
    let named = ["title", "description", "status", "assignee", "priority", "due_on", "labels"];
    named.iter().map(|it| ((*it).to_owned(), task[it].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_create_finds_what_the_first_one_made() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let tasks = format!("{project}/tasks");
    let body = json!({"title": "Fix the pump", "description": "It drips.", "labels": ["water"]});

    let first = ada.post_once(&tasks, "one", body.clone()).await.expect(201);
    let task = first.header("location").to_owned();
    let again = ada.post_once(&tasks, "one", body.clone()).await.expect(201);
    assert_eq!((&again.body, again.header("location"), again.header("etag")), (&first.body, task.as_str(), "\"1\""));
    ada.post_once(&tasks, "one", json!({"title": "Fix the roof"})).await.problem(422);
    // The same 201 also after an edit: it tells what the create made.
    ada.patch(&task, "\"1\"", json!({"status": "done", "title": "Fixed", "description": "It does not drip."})).await.expect(200);
    let after_edit = ada.post_once(&tasks, "one", body.clone()).await.expect(201);
    assert_eq!((&after_edit.body, after_edit.header("etag")), (&first.body, "\"1\""));

    let bens = ben.post_once(&tasks, "one", body.clone()).await.expect(201);
    assert_ne!(bens.body["id"], first.body["id"], "a key is its user's own");
    let elsewhere = ada.create_project("Roof").await;
    let other = ada.post_once(&format!("{elsewhere}/tasks"), "one", body.clone()).await.expect(201);
    assert_ne!(other.body["id"], first.body["id"], "a key is for one project");
    assert_eq!(walk(&ada, &tasks, 100).await.len(), 2);

    ada.delete(&task, "*").await.expect(204);
    ada.post_once(&tasks, "one", body.clone()).await.problem(409);
    ada.post_once(&tasks, "one", json!({"title": "Fix the roof"})).await.problem(422);
    ada.get(&task).await.problem(404);
    assert_eq!(versions(&walk(&ada, &format!("{task}/changes"), 100).await), [3, 2, 1]);

    let first = ada.post_once("/v1/projects", "one", json!({"name": "Garden"})).await.expect(201);
    let again = ada.post_once("/v1/projects", "one", json!({"name": "Garden"})).await.expect(201);
    assert_eq!(again.body, first.body);
    ada.post_once("/v1/projects", "one", json!({"name": "Garage"})).await.problem(422);
    assert_eq!(walk(&ada, "/v1/projects", 100).await.len(), 3);
}
