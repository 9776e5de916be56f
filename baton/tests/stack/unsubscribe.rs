//! The way out of mails: in their headers and below them, without a log-in, for one kind, one project or everything; and why they came.

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{Person, stack, team};
use crate::timed::Timed;

/// The links below a mail, with what each is called.
fn links(mail: &Value) -> Vec<(String, String)> {
    let (_, footer) = mail["text"].as_str().and_then(|it| it.split_once("\n-- \n")).expect("a footer");
    let links =
        footer.lines().filter_map(|it| it.rsplit_once(": http")).map(|(label, rest)| (label.to_owned(), format!("http{rest}")));
    links.filter(|(_, link)| link.contains("/v1/unsubscribe/")).collect()
}

fn path<'a>(link: &'a str, person: &Person) -> &'a str {
    link.strip_prefix(&person.origin).unwrap_or_else(|| panic!("{link} leads to {}", person.origin))
}

/// As mail programs do it (RFC 8058, section 3.2): no log-in, no cookie, a form.
async fn one_click(nobody: &Person, path: &str) -> u16 {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    nobody.send(Method::POST, path, &form, Some(b"List-Unsubscribe=One-Click".to_vec())).await.status.as_u16()
}

async fn choices(person: &Person) -> Value {
    let notify = person.get("/v1/me").await.expect(200).body["notify"].clone();
    json!([notify["assigned"], notify["status"], notify["edited"], notify["deleted"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_can_be_ended_in_one_click_and_looking_at_the_link_ends_nothing() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let nobody = Person::stranger(&timed.stack);
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    timed.stack.drain().await;
    let mail = timed.mails(&ben).await.remove(0);
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let header = mail["headers"]["List-Unsubscribe"].as_str().expect("a header");
    let link = header.strip_prefix('<').and_then(|it| it.strip_suffix('>')).expect("one link in brackets");

    let page = nobody.get(path(link, &ben)).await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"), "{page:#?}");
    assert_eq!(choices(&ben).await, json!(["now", "now", "now", "now"]), "link scanners end nothing");
    assert!((200..300).contains(&one_click(&nobody, path(link, &ben)).await));
    assert_eq!(choices(&ben).await, json!(["none", "none", "none", "none"]));
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "and none comes");
    let unread = ben.get("/v1/notifications/unread").await.expect(200).body;
    assert_eq!(unread["unread"], 2, "mail off does not mean blind: {unread}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_below_a_mail_end_its_kind_its_project_or_everything() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let roof = ada.create_project("Roof").await;
    ada.bring_in(&roof, &ben, "editor").await;
    let nobody = Person::stranger(&timed.stack);
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let other = ada.create_task(&roof, json!({"title": "Mend the roof", "assignee": ben.id})).await;
    timed.stack.drain().await;
    ada.patch(&task, "*", json!({"status": "in_progress"})).await.expect(200);
    timed.stack.drain().await;
    let mail = timed.mails(&ben).await.pop().expect("a mail");
    let links = links(&mail);
    assert_eq!(links.len(), 3, "its kind, its project, everything: {links:?}");
    assert_eq!(links.iter().map(|(label, _)| label).collect::<std::collections::BTreeSet<_>>().len(), 3, "{links:?}");
    for (label, link) in &links {
        nobody.get(path(link, &ben)).await.expect(200);
        let html = mail["html"].as_str().expect("HTML");
        assert!(html.contains(link) && html.contains(label), "{label} in {html}");
    }
    assert_eq!(choices(&ben).await, json!(["now", "now", "now", "now"]));
    let subscription = format!("{project}/subscription");
    assert_eq!(ben.get(&subscription).await.expect(200).body["mode"], "default");

    // Each acts once it is followed, and again does no harm.
    let before = timed.mails(&ben).await.len();
    for _ in 0..2 {
        assert!((200..300).contains(&one_click(&nobody, path(&links[0].1, &ben)).await));
        assert_eq!(choices(&ben).await, json!(["now", "none", "now", "now"]), "its kind");
    }
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await.len(), before);
    ada.patch(&task, "*", json!({"title": "Fix the old pump"})).await.expect(200);
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await.len(), before + 1, "another kind goes on");

    assert!((200..300).contains(&one_click(&nobody, path(&links[1].1, &ben)).await));
    assert_eq!(ben.get(&subscription).await.expect(200).body["mode"], "mute", "its project");
    assert_eq!(choices(&ben).await, json!(["now", "none", "now", "now"]));
    ada.patch(&task, "*", json!({"title": "Fix the pump"})).await.expect(200);
    ada.patch(&other, "*", json!({"title": "Mend the old roof"})).await.expect(200);
    timed.stack.drain().await;
    let mails = timed.mails(&ben).await;
    assert_eq!(mails.len(), before + 2, "another project goes on: {mails:#?}");

    assert!((200..300).contains(&one_click(&nobody, path(&links[2].1, &ben)).await));
    assert_eq!(choices(&ben).await, json!(["none", "none", "none", "none"]), "everything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_says_why_it_came() {
    let timed = Timed::start(0).await;
    let ([ada, ben, cam, dee], project) = timed.team(["Ada", "Ben", "Cam", "Dee"]).await;
    let task = ben.create_task(&project, json!({"title": "Fix the pump", "assignee": cam.id})).await;
    dee.put(&format!("{task}/subscription"), json!({"mode": "watch"})).await.expect(200);
    timed.stack.drain().await;
    ada.patch(&task, "*", json!({"status": "in_progress"})).await.expect(200);
    timed.stack.drain().await;
    let mut whys = std::collections::BTreeSet::new();
    for (person, why) in [(&ben, "created"), (&cam, "yours"), (&dee, "watch")] {
        let text = timed.texts(person).await.pop().expect("a mail");
        let line = text.lines().find(|it| it.starts_with("You get this because")).unwrap_or_else(|| panic!("why: {text}"));
        assert!(line.contains(why), "{}: {line}", person.name);
        whys.insert(line.to_owned());
    }
    assert_eq!(whys.len(), 3, "{whys:?}");
    // Taken from Cam, who is told why all the same.
    ada.patch(&task, "*", json!({"assignee": ada.id})).await.expect(200);
    timed.stack.drain().await;
    let text = timed.texts(&cam).await.pop().expect("a mail");
    assert!(text.contains("You get this because the task was yours."), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_somebody_who_left_the_project_ends_what_it_says_and_tells_nothing() {
    let stack = stack().await;
    let ([ada, ben], project) = team(&stack, ["Ada", "Ben"]).await;
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    stack.drain().await;
    let mail = crate::people::mails_to(&stack, &ben.email).await.remove(0);
    ben.delete_plain(&format!("{project}/members/{}", ben.id)).await.expect(204);
    let nobody = Person::stranger(&stack);
    for (_, link) in links(&mail) {
        let page = nobody.get(path(&link, &ben)).await.expect(200);
        assert!(!page.body.to_string().contains("Boiler room"), "{page:#?}");
        assert!((200..300).contains(&one_click(&nobody, path(&link, &ben)).await));
    }
}
