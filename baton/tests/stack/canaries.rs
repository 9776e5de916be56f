//! Secrets go through every route, where they belong and where they do not, and into no line of the log.

use std::collections::BTreeMap;
use std::fs::File;

use reqwest::Method;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::dice::Dice;
use crate::people::{Answer, Person};
use crate::process::Process;
use crate::tokens::Token;

/// All that Baton's own code can say, and what the code it uses says to whoever looks for a fault.
const FILTER: &str = "debug,baton=trace,login=trace,tasks=trace,api=trace,store=trace,domain=trace,log_mailer=trace,\
                      change_publisher=trace";
/// Secrets begin so wherever a person chooses them, so that they are found in any spelling of what comes after.
const STEM: &str = "canary7f3";

/// Secrets, by what they are.
#[derive(Debug, Default)]
struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Remembers a secret, and returns it.
    fn keep(&mut self, what: &str, secret: &str) -> String {
        let number = self.0.len();
        self.0.insert(format!("{what} {number}"), secret.to_owned());
        secret.to_owned()
    }

    fn keep_text(&mut self, answer: &Answer, name: &str) -> String {
        self.keep(name, &answer.text(name))
    }

    /// The tokens of a log-in, be they in the body or in cookies.
    fn keep_log_in(&mut self, answer: &Answer) {
        for name in ["access_token", "refresh_token", "device_token", "ticket"] {
            if let Some(token) = answer.body[name].as_str() {
                self.keep(name, token);
            }
        }
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a text");
            self.keep("cookie", cookie.split(['=', ';']).nth(1).expect("a value"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_line_of_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let process = Process::start_logging(&folder.path().join("data"), FILTER, File::create(&log).expect("a file")).await;
    let mut secrets = Secrets::default();
    let mut codes = Vec::new();
    let mut ada = live(&process, &mut secrets, &mut codes).await;
    // Its tokens are not scattered, so that it lasts.
    let mut last = Secrets::default();
    log_in(&mut ada, &mut last, &password("changed")).await;
    let sent = scatter(&process, &ada, &secrets).await;
    ada.get("/v1/me").await.expect(200);
    secrets.0.extend(last.0.into_iter().map(|(what, secret)| (format!("{what}, last"), secret)));
    process.settle().await;
    assert_eq!(process.terminate().await, Some(0));

    let text = String::from_utf8_lossy(&std::fs::read(&log).expect("a log")).into_owned();
    for said in ["DEBUG", "request.route=\"/v1/login\"", "refused an access token", "sent a mail"] {
        assert!(text.contains(said), "{said} is in a log that is one");
    }
    println!("{sent} requests with {} secrets, {} lines of log", secrets.0.len(), text.lines().count());
    assert!(text.lines().count() > sent, "every request is told of");
    let chosen = [("whatever a person chose", STEM.to_owned())];
    let all = secrets.0.iter().map(|(what, secret)| (what.as_str(), secret.clone())).chain(chosen);
    for (what, secret) in all {
        if let Some(line) = text.lines().find(|it| it.contains(&secret)) {
            panic!("{what} is in the log: {line:.2000}");
        }
    }
    // Six digits may be in a time, so only whole numbers are looked at.
    for code in codes {
        let line = text.lines().find(|line| line.split(|it: char| !it.is_ascii_alphanumeric() && it != '.').any(|it| it == code));
        assert_eq!(line, None, "a code is in the log");
    }
}

fn password(which: &str) -> String {
    format!("{STEM}{which} battery st\u{e1}ple")
}

fn address(which: &str) -> String {
    format!("{STEM}{which}@example.com")
}

/// The token after the beginning of a link, in the newest mail that has one.
async fn token_in_mail(process: &Process, secrets: &mut Secrets, email: &str, link: &str) -> String {
    process.settle().await;
    let mails = Person::stranger_at(&process.origin).get(&format!("/inbox.json?to={email}")).await.expect(200);
    let mails = mails.body.as_array().expect("mails").clone();
    let token = mails.iter().find_map(|it| it["text"].as_str()?.split_once(link)).map(|(_, token)| token);
    let token = token.unwrap_or_else(|| panic!("{link} in {mails:#?}"));
    let token: String = token.chars().take_while(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_')).collect();
    secrets.keep(link, &token)
}

async fn sign_up(process: &Process, secrets: &mut Secrets, which: &str) -> Person {
    let mut person = Person::stranger_at(&process.origin);
    person.email = address(which);
    person.post("/v1/accounts", json!({"email": person.email, "name": "Somebody"})).await.expect(202);
    let token = token_in_mail(process, secrets, &person.email, "/#/verify?token=").await;
    let body = json!({"token": token, "password": password("first")});
    person.post("/v1/accounts/verify", body).await.expect(204);
    log_in(&mut person, secrets, &password("first")).await;
    person
}

async fn log_in(person: &mut Person, secrets: &mut Secrets, password: &str) {
    person.access_token = None;
    let mut body = json!({"email": person.email, "password": password});
    if let Some(device) = &person.device_token {
        body["device_token"] = json!(device);
    }
    let answer = person.post("/v1/login", body).await.expect(200);
    secrets.keep_log_in(&answer);
    person.log_in_as_answered(&answer);
}

/// Everything an account is for, as it should be used.
async fn live(process: &Process, secrets: &mut Secrets, codes: &mut Vec<String>) -> Person {
    let mut ada = sign_up(process, secrets, "ada").await;
    let ben = sign_up(process, secrets, "ben").await;
    let nobody = Person::stranger_at(&process.origin);
    for (email, wrong) in [(&ada.email, "wrong"), (&address("unknown"), "unknown")] {
        nobody.post("/v1/login", json!({"email": email, "password": password(wrong)})).await.expect(401);
        nobody.post("/v1/password/forgot", json!({"email": email})).await.expect(202);
    }

    let with_cookies = json!({"email": ada.email, "password": password("first"), "cookie": true});
    let answer = nobody.post("/v1/login", with_cookies).await.expect(200);
    secrets.keep_log_in(&answer);
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok()?.split(';').next());
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let headers = [("cookie", cookies.as_str()), ("sec-fetch-site", "same-origin"), ("origin", process.origin.as_str())];
    let answer = nobody.send(Method::POST, "/v1/login/refresh", &headers, None).await.expect(200);
    secrets.keep_log_in(&answer);
    nobody.send(Method::POST, "/v1/logout", &headers, None).await.expect(204);
    let answer = nobody.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(200);
    secrets.keep_log_in(&answer);

    let access = ada.access_token.clone().expect("Ada is logged in");
    let token = Token::read(&access);
    let forged = [
        token.with_header("alg", json!("none")).unsigned(),
        token.with_header("alg", json!("HS256")).under_signature_of(&access),
        token.with_claim("exp", json!(1_700_000_000)).signed_by_another_key(),
        token.with_claim("aud", json!("other")).signed_by_another_key(),
        access[..access.len() - 8].to_owned(),
    ];
    for forged in forged {
        let forger = Person { access_token: Some(secrets.keep("forged token", &forged)), ..nobody.clone() };
        for path in ["/v1/me", "/v1/projects"] {
            forger.get(path).await.expect(401);
        }
    }

    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    ada.post(&format!("{project}/invitations"), json!({"email": address("invited"), "role": "viewer"})).await.expect(202);
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let token = token_in_mail(process, secrets, &ben.email, "/v1/unsubscribe/").await;
    nobody.get(&format!("/v1/unsubscribe/{token}")).await.expect(200);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let one_click = Some(b"List-Unsubscribe=One-Click".to_vec());
    nobody.send(Method::POST, &format!("/v1/unsubscribe/{token}"), &form, one_click).await;

    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).to_string();
    let ask = |until: &str, by: &str| json!({"name": "Script", "access": "write", "expires_at": until, "password": password(by)});
    ada.post("/v1/me/tokens", ask("2037-01-01T00:00:00Z", "first")).await.expect(422);
    ada.post("/v1/me/tokens", ask(&tomorrow, "wrong")).await.expect(422);
    let made = ada.post("/v1/me/tokens", ask(&tomorrow, "first")).await.expect(201);
    let script = Person { access_token: Some(secrets.keep_text(&made, "token")), ..ada.clone() };
    script.get("/v1/projects").await.expect(200);
    ada.delete_plain(&format!("/v1/me/tokens/{}", made.text("id"))).await.expect(204);
    script.get("/v1/projects").await.expect(401);

    two_factors(&mut ada, secrets, codes).await;
    let change = json!({"current": password("first"), "new": password("changed")});
    ada.put("/v1/me/password", change.clone()).await.expect(204);
    ada.put("/v1/me/password", change).await.expect(422);
    nobody.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
    let token = token_in_mail(process, secrets, &ada.email, "/#/reset?token=").await;
    nobody.post("/v1/password/reset", json!({"token": token, "new": password("changed")})).await.expect(204);
    log_in(&mut ada, secrets, &password("changed")).await;

    let body = json!({"email": address("moved"), "password": password("changed")});
    ada.post("/v1/me/email", body).await.expect(202);
    for email in [address("moved"), address("ada")] {
        let token = token_in_mail(process, secrets, &email, "/#/email?token=").await;
        nobody.post("/v1/email/confirm", json!({"token": token})).await.expect(200);
    }
    ada.email = address("moved");
    log_in(&mut ada, secrets, &password("changed")).await;
    for path in ["/v1/me", "/v1/me/export", "/v1/me/events", "/v1/me/sessions", "/v1/me/tokens"] {
        ada.get(path).await.expect(200);
    }
    ben.delete_with("/v1/me", json!({"password": password("wrong")})).await.expect(422);
    ben.delete_with("/v1/me", json!({"password": password("first")})).await.expect(204);
    ada
}

/// Turns a second factor on, logs in by it and by a recovery code, and turns it off.
async fn two_factors(ada: &mut Person, secrets: &mut Secrets, codes: &mut Vec<String>) {
    let begun = ada.post("/v1/me/second-factor", json!({"password": password("first")})).await.expect(200);
    secrets.keep_text(&begun, "otpauth_uri");
    let mut authenticator = Authenticator::new(&secrets.keep_text(&begun, "secret"));
    let mut code = || {
        let code = authenticator.next_code();
        codes.push(code.clone());
        code
    };
    let confirmed = ada.post("/v1/me/second-factor/confirm", json!({"code": code()})).await.expect(200);
    let mut recovery_codes = Vec::new();
    for spelled in confirmed.body["recovery_codes"].as_array().expect("recovery codes") {
        let spelled = spelled.as_str().expect("a code");
        recovery_codes.push(secrets.keep("recovery code", spelled));
        secrets.keep("recovery code, plain", &spelled.replace('-', ""));
    }
    for step in [json!({"code": code()}), json!({"code": "no code"}), json!({"recovery_code": recovery_codes[0]})] {
        let log_in = json!({"email": ada.email, "password": password("first"), "device_token": ada.device_token});
        let answer = ada.post("/v1/login", log_in).await.expect(200);
        secrets.keep_log_in(&answer);
        let mut body = step;
        body["ticket"] = answer.body["ticket"].clone();
        let answer = ada.post("/v1/login/second-factor", body).await;
        secrets.keep_log_in(&answer);
    }
    let body = json!({"password": password("first"), "code": recovery_codes[1]});
    let renewed = ada.post("/v1/me/second-factor/recovery-codes", body).await.expect(200);
    let last = renewed.body["recovery_codes"][0].as_str().expect("a code");
    let body = json!({"password": password("first"), "code": secrets.keep("recovery code", last)});
    ada.delete_with("/v1/me/second-factor", body).await.expect(204);
}

/// Every secret where it does not belong: in every place of every route, by somebody who is logged in and by nobody.
async fn scatter(process: &Process, ada: &Person, secrets: &Secrets) -> usize {
    let document = serde_json::to_value(baton::functions::document()).expect("a document is JSON");
    let mut all: Vec<&str> = secrets.0.values().map(String::as_str).collect();
    let chosen = [password("scattered"), address("scattered")];
    all.extend(chosen.iter().map(String::as_str));
    Dice::new(1).shuffle(&mut all);
    let mut secrets = all.into_iter().cycle();
    let mut next = || secrets.next().expect("secrets go round");
    let mut sent = 0;
    for caller in [&Person::stranger_at(&process.origin), ada] {
        for (path, item) in document["paths"].as_object().expect("paths") {
            let operations = item.as_object().expect("operations").iter().filter(|(_, it)| it["responses"].is_object());
            for (method, operation) in operations {
                let method: Method = method.to_uppercase().parse().expect("a method");
                let plain = filled(path, "x");
                let fields = fields(&document, operation);
                let told: serde_json::Map<String, Value> = fields.iter().map(|it| (it.clone(), json!(next()))).collect();
                let bodies = [
                    Value::Object(told).to_string(),
                    next().to_owned(),
                    json!({next(): next()}).to_string(),
                    format!("{{\"password\": \"{}", next()),
                    format!("\"{}\"", next()),
                ];
                let json = [("content-type", "application/json"), ("if-match", "*")];
                for body in bodies {
                    caller.send(method.clone(), &plain, &json, Some(body.into_bytes())).await;
                }
                caller.send(method.clone(), &filled(path, &encoded(next())), &json, Some(b"{}".to_vec())).await;
                let query = format!("{plain}?cursor={}&{}=1&email={}", encoded(next()), encoded(next()), encoded(next()));
                caller.send(method.clone(), &query, &json, None).await;
                let bearer = format!("Bearer {}", ascii(next()));
                let cookie = format!("__Host-baton-refresh={}; __Host-baton-device={}", ascii(next()), ascii(next()));
                let origin = format!("https://{}", ascii(next()));
                let mut headers = vec![("cookie", cookie), ("origin", origin), ("x-request-id", ascii(next()))];
                for name in ["idempotency-key", "if-match", "if-none-match", "content-type", "user-agent", "referer", "x-unknown"]
                {
                    headers.push((name, ascii(next())));
                }
                let mut headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                caller.send(method.clone(), &plain, &headers, Some(b"{}".to_vec())).await;
                headers.push(("authorization", &bearer));
                let nobody = Person { access_token: None, ..caller.clone() };
                nobody.send(method, &plain, &headers, None).await;
                sent += 9;
            }
        }
    }
    for path in ["", "v1", "v1/me", "docs", "inbox"] {
        ada.get(&format!("/{path}/{}", encoded(next()))).await;
        sent += 1;
    }
    sent
}

/// The fields of an operation's body.
fn fields(document: &Value, operation: &Value) -> Vec<String> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("a schema that is there"),
        None => schema,
    };
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn filled(path: &str, value: &str) -> String {
    path.split('/').map(|it| if it.starts_with('{') { value } else { it }).collect::<Vec<_>>().join("/")
}

fn encoded(text: &str) -> String {
    let octet = |it: u8| if it.is_ascii_alphanumeric() { char::from(it).to_string() } else { format!("%{it:02X}") };
    text.bytes().map(octet).collect()
}

fn ascii(text: &str) -> String {
    text.chars().filter(|it| it.is_ascii_graphic() || *it == ' ').collect()
}
