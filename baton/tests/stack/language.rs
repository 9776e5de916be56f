//! Refusals in the language of whoever asked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{Answer, PASSWORD, Person, stack};

const KOREAN: &str = "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7";

async fn send(person: &Person, method: Method, path: &str, languages: &str, body: Value) -> Answer {
    let headers = [("accept-language", languages), ("content-type", "application/json"), ("if-match", "*")];
    person.send(method, path, &headers, Some(body.to_string().into_bytes())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_said_in_korean_to_whoever_prefers_it() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.post("/v1/projects", json!({"name": "Boiler room"})).await.expect(201).text("id");
    let tasks = format!("/v1/projects/{project}/tasks");

    let check = async |method: Method, path: &str, body: Value, status: u16, title: &str, detail: &str, rules: Value| {
        let answer = send(&ada, method.clone(), path, KOREAN, body.clone()).await.expect(status);
        assert_eq!((answer.header("content-language"), answer.header("vary")), ("ko", "accept-language"), "{answer:#?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!((answer.text("title").as_str(), answer.text("detail").as_str()), (title, detail));
        assert_eq!(answer.body.get("errors").cloned().unwrap_or_default(), rules);
        // The same in English: the same places, and not a word of Korean.
        let english = send(&ada, method, path, "en", body).await.expect(status);
        assert_eq!((english.header("content-language"), english.header("vary")), ("en", "accept-language"));
        assert!(english.body.to_string().is_ascii(), "{english:#?}");
        let pointers = |answer: &Answer| answer.body["errors"][0]["pointer"].clone();
        assert_eq!(pointers(&answer), pointers(&english));
    };
    let invalid = async |method: Method, path: &str, body: Value, pointer: &str, rule: &str| {
        let detail = "보낸 내용이 규칙에 맞지 않습니다. errors를 확인하세요.";
        let rules = json!([{"pointer": pointer, "detail": rule}]);
        check(method, path, body, 422, "처리할 수 없는 내용", detail, rules).await;
    };
    let (post, patch) = (|| Method::POST, || Method::PATCH);
    invalid(post(), &tasks, json!({"title": ""}), "/title", "비워 둘 수 없습니다.").await;
    invalid(post(), &tasks, json!({}), "/title", "값이 없습니다.").await;
    invalid(post(), &tasks, json!({"title": "a".repeat(1_000)}), "/title", "200자까지 쓸 수 있습니다.").await;
    invalid(post(), &tasks, json!({"title": "a", "status": "blue"}), "/status", "여기에 쓸 수 없는 값입니다.").await;
    let stranger = "01920000-0000-7000-8000-000000000001";
    let not_a_member = "이 프로젝트의 구성원이 아닙니다.";
    invalid(post(), &tasks, json!({"title": "a", "assignee": stranger}), "/assignee", not_a_member).await;
    let zone = "Asia/Seoul과 같은 시간대 이름이 아닙니다.";
    invalid(patch(), "/v1/me", json!({"time_zone": "Mars/Olympus"}), "/time_zone", zone).await;
    let common = json!({"current": PASSWORD, "new": "passwordpassword"});
    let commonest = "누구나 먼저 시도해 보는 흔한 비밀번호입니다.";
    invalid(Method::PUT, "/v1/me/password", common, "/new", commonest).await;

    let nothing = "여기에는 아무것도 없거나, 볼 수 있는 것이 없습니다.";
    let elsewhere = format!("/v1/projects/{stranger}/tasks");
    check(post(), &elsewhere, json!({"title": "a"}), 404, "찾을 수 없음", nothing, Value::Null).await;
    let refused = json!({"email": ada.email, "password": "not the one at all"});
    check(post(), "/v1/login", refused, 401, "로그인 필요", "이 정보로는 로그인할 수 없습니다.", Value::Null).await;

    let task = ada.post(&tasks, json!({"title": "Fix the pump"})).await.expect(201);
    let path = format!("{tasks}/{}", task.text("id"));
    let stale = [("accept-language", KOREAN), ("content-type", "application/json"), ("if-match", "\"7\"")];
    let stale = ada.send(patch(), &path, &stale, Some(br#"{"title": "Mend it"}"#.to_vec())).await.expect(412);
    assert_eq!(stale.text("detail"), "읽은 뒤에 변경되었습니다. current를 확인하세요.");
    assert_eq!(stale.body["current"]["title"], "Fix the pump");
    // What is answered as asked is the same in every language.
    let found = ada.send(Method::GET, &path, &[("accept-language", KOREAN)], None).await.expect(200);
    assert_eq!((found.header("content-language"), found.header("vary")), ("", ""));
}
