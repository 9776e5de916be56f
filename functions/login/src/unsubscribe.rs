use api::{ApiError, BodyProblems, ConflictProblem, NotFoundProblem, Path, PublicProblems, Query, RawBody};
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use domain::{Locale, NoticeKind, Profile, ProjectId, ProjectName, Subscription, UnsubscribeScope, UnsubscribeToken, UserId};
use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;

use crate::Login;
use crate::me::change_profile;

const STYLE: &str =
    "body{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.5em 1em}";

/// Nothing is loaded, nothing runs, no style counts but the one above, and the form leads only here.
const POLICY: &str = "default-src 'none'; style-src 'sha256-vOFdH7OYdGXERH9mALdIRtwZ7KPe99ivlwC6R/nNO4g='; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Shows what unsubscribing would end, with a button. Changes nothing: programs follow links.
#[utoipa::path(
    get, path = "/v1/unsubscribe/{token}", tag = "me", params(("token" = String, Path, description = "As in the link of a mail")),
    responses(
        (status = 200, description = "A page with a button", body = String, content_type = "text/html"),
        PublicProblems, NotFoundProblem,
    ),
)]
pub(crate) async fn show_unsubscribe(
    State(login): State<Login>,
    Path((token,)): Path<(UnsubscribeToken,)>,
    query: Query,
) -> Result<Response, ApiError> {
    let (profile, scope) = authentic(&login, &token).await?;
    query.parse_none()?;
    let ends = Ends::of(&login, profile.id, scope).await?;
    Ok(page(profile.locale, &question(profile.locale, &ends), true))
}

/// Ends the mails the link is about (RFC 8058), for whoever holds the link and without a log-in: those of a kind, of a project, which it
/// mutes, or all.
#[utoipa::path(
    post, path = "/v1/unsubscribe/{token}", tag = "me", params(("token" = String, Path, description = "As in the link of a mail")),
    request_body(
        content((String = "application/x-www-form-urlencoded"), (String = "multipart/form-data")),
        description = "`List-Unsubscribe=One-Click`",
    ),
    responses(
        (status = 200, description = "A page that says so", body = String, content_type = "text/html"),
        PublicProblems, NotFoundProblem, BodyProblems, ConflictProblem,
    ),
)]
pub(crate) async fn unsubscribe(
    State(login): State<Login>,
    Path((token,)): Path<(UnsubscribeToken,)>,
    body: RawBody,
) -> Result<Response, ApiError> {
    let (profile, scope) = authentic(&login, &token).await?;
    if !is_one_click(body.form_bytes()?) {
        return Err(ApiError::invalid("/List-Unsubscribe", "is not One-Click"));
    }
    let (user, locale) = (profile.id, profile.locale);
    let ends = Ends::of(&login, user, scope).await?;
    match scope {
        UnsubscribeScope::Everything | UnsubscribeScope::Kind(_) => {
            change_profile(&login, profile, |it| Profile { notify: scope.silence(it.notify), ..it.clone() }).await?;
        }
        // Whoever is no member gets no mail of it, and has nothing there when they come back.
        UnsubscribeScope::Project(project) => {
            if matches!(ends, Ends::Project(Some(_))) {
                mute(&login, project, user).await?;
            }
        }
    }
    Ok(page(locale, answer(locale, &ends), false))
}

/// What a link ends, as its page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ends {
    Everything,
    Kind(NoticeKind),
    /// By its name, where the person is a member of it.
    Project(Option<ProjectName>),
}

impl Ends {
    async fn of(login: &Login, user: UserId, scope: UnsubscribeScope) -> Result<Self, ApiError> {
        let project = match scope {
            UnsubscribeScope::Everything => return Ok(Self::Everything),
            UnsubscribeScope::Kind(kind) => return Ok(Self::Kind(kind)),
            UnsubscribeScope::Project(project) => project,
        };
        let (project, membership) = login.0.work.project_and_member(project, user).await?;
        Ok(Self::Project(project.filter(|_| membership.is_some()).map(|it| it.name)))
    }
}

/// Mutes a project wholly: a task that is watched would be mailed of all the same.
async fn mute(login: &Login, project: ProjectId, user: UserId) -> Result<(), ApiError> {
    let mail = &login.0.mail;
    mail.subscribe(project, None, user, Subscription::Mute).await?;
    for (task, mode) in mail.subscriptions_of(project, user).await? {
        if task.is_some() && mode == Subscription::Watch {
            mail.unsubscribe(project, task, user).await?;
        }
    }
    Ok(())
}

/// Whose mails the link ends, and which: 404 for a link that is not ours.
async fn authentic(login: &Login, token: &UnsubscribeToken) -> Result<(Profile, UnsubscribeScope), ApiError> {
    let profile = login.0.work.profile(token.user()).await?.ok_or(ApiError::NotFound)?;
    let scope = token.verify(&profile.unsubscribe_secret).ok_or(ApiError::NotFound)?;
    Ok((profile, scope))
}

/// Whether a form says `List-Unsubscribe=One-Click`, in either encoding; the button of our page sends the same.
fn is_one_click(form: &[u8]) -> bool {
    let form = String::from_utf8_lossy(form);
    let urlencoded = form.trim().split('&').any(|pair| pair == "List-Unsubscribe=One-Click");
    let mut lines = form.lines().skip_while(|line| {
        let line = line.to_ascii_lowercase();
        !(line.starts_with("content-disposition:") && line.contains("name=\"list-unsubscribe\""))
    });
    // The part's headers end with an empty line; its value follows.
    let multipart = lines.by_ref().any(str::is_empty) && lines.next() == Some("One-Click");
    urlencoded || multipart
}

fn page(locale: Locale, text: &str, with_button: bool) -> Response {
    let (language, title, button) = match locale {
        Locale::En => ("en", "Unsubscribe", "Unsubscribe"),
        Locale::Ko => ("ko", "수신 거부", "수신 거부"),
    };
    let form = if with_button {
        format!(r#"<form method="post"><button name="List-Unsubscribe" value="One-Click">{button}</button></form>"#)
    } else {
        String::new()
    };
    let html = format!(
        r#"<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<title>Baton · {title}</title>
<style>{STYLE}</style>
</head>
<body><h1>{title}</h1><p>{text}</p>{form}</body>
</html>
"#
    );
    let mut response = Html(html).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// What the link ends. A project is named as it is called now.
fn question(locale: Locale, ends: &Ends) -> String {
    let what = match (locale, ends) {
        (Locale::En, Ends::Project(name)) => {
            let project = named(name.as_ref()).unwrap_or_else(|| "this project".to_owned());
            return format!(
                "Press the button to mute {project}: Baton stops sending you mails about its tasks, also about those that you watch. \
                 You still find them among your notifications."
            );
        }
        (Locale::Ko, Ends::Project(name)) => {
            let project = named(name.as_ref()).unwrap_or_else(|| "이".to_owned());
            return format!(
                "버튼을 누르면 {project} 프로젝트의 알림 메일을 끕니다. 지켜보는 작업을 포함하여 이 프로젝트의 작업에 대한 메일을 \
                 더 이상 보내지 않습니다. 알림 목록에서는 계속 볼 수 있습니다."
            );
        }
        (Locale::En, Ends::Everything) => "about any change of tasks",
        (Locale::En, Ends::Kind(NoticeKind::Assigned)) => "when a task is new, given to you or taken from you",
        (Locale::En, Ends::Kind(NoticeKind::Status)) => "when a task moves between waiting, in progress and done",
        (Locale::En, Ends::Kind(NoticeKind::Edited)) => "when a task is edited",
        (Locale::En, Ends::Kind(NoticeKind::Deleted)) => "when a task is deleted",
        (Locale::Ko, Ends::Everything) => "작업에 대한 모든 변경",
        (Locale::Ko, Ends::Kind(NoticeKind::Assigned)) => "새 작업, 작업 배정 및 배정 해제",
        (Locale::Ko, Ends::Kind(NoticeKind::Status)) => "작업 상태 변경",
        (Locale::Ko, Ends::Kind(NoticeKind::Edited)) => "작업 내용 수정",
        (Locale::Ko, Ends::Kind(NoticeKind::Deleted)) => "작업 삭제",
    };
    match locale {
        Locale::En => {
            format!("Press the button, and Baton stops sending you mails {what}. You can turn them on again in your settings.")
        }
        Locale::Ko => format!("버튼을 누르면 다음 알림 메일을 더 이상 보내지 않습니다: {what}. 설정에서 다시 켤 수 있습니다."),
    }
}

fn answer(locale: Locale, ends: &Ends) -> &'static str {
    match (locale, ends) {
        (Locale::En, Ends::Project(Some(_))) => "Done. The project is muted.",
        (Locale::Ko, Ends::Project(Some(_))) => "완료되었습니다. 이 프로젝트의 알림 메일을 껐습니다.",
        (Locale::En, Ends::Project(None)) => "You are not in this project, so no mails come from it.",
        (Locale::Ko, Ends::Project(None)) => "이 프로젝트의 구성원이 아니므로 알림 메일이 오지 않습니다.",
        (Locale::En, Ends::Everything | Ends::Kind(_)) => "Done. You can turn these mails on again in your settings.",
        (Locale::Ko, Ends::Everything | Ends::Kind(_)) => "완료되었습니다. 설정에서 다시 켤 수 있습니다.",
    }
}

/// A project's name in quotes, as HTML; it is another's text, whatever its direction.
fn named(name: Option<&ProjectName>) -> Option<String> {
    let escaped = name?.as_str().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Some(format!("“<bdi>{escaped}</bdi>”"))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn mail_programs_may_post_either_kind_of_form() {
        let check = |form: &str, expected: bool| assert_eq!(is_one_click(form.as_bytes()), expected, "{form:?}");
        let multipart = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--x--\r\n")
        };
        check("List-Unsubscribe=One-Click", true);
        check("a=b&List-Unsubscribe=One-Click\r\n", true);
        check(&multipart("List-Unsubscribe", "One-Click"), true);
        check("", false);
        check("List-Unsubscribe=Two-Clicks", false);
        check(&multipart("List-Unsubscribe", "no"), false);
        check(&multipart("Other", "One-Click"), false);
    }

    #[test]
    fn who_is_not_in_a_project_is_not_told_that_it_was_muted() {
        let name: ProjectName = "Boiler room".parse().expect("a name");
        for locale in [Locale::En, Locale::Ko] {
            assert_ne!(answer(locale, &Ends::Project(None)), answer(locale, &Ends::Project(Some(name.clone()))));
        }
        assert!(answer(Locale::En, &Ends::Project(None)).contains("not in this project"));
    }

    #[test]
    fn the_page_asks_in_the_readers_language_and_its_button_sends_what_mail_programs_send() {
        let question = question(Locale::Ko, &Ends::Kind(NoticeKind::Status));
        assert!(question.contains("작업 상태 변경"), "{question}");
        let response = page(Locale::Ko, &question, true);
        assert_eq!(response.headers()["content-security-policy"], POLICY);
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
    }

    #[test]
    fn a_project_is_named_and_its_name_is_text_to_the_page() {
        let name = |text: &str| Ends::Project(Some(text.parse().expect("a name")));
        for locale in [Locale::En, Locale::Ko] {
            let asked = question(locale, &name("<b>R&D</b>"));
            assert!(asked.contains("“<bdi>&lt;b&gt;R&amp;D&lt;/b&gt;</bdi>”"), "{asked}");
            assert!(!question(locale, &Ends::Project(None)).contains('“'), "who is no member is told no name");
        }
    }
}
