use std::borrow::Cow;

use domain::Locale;
use http::StatusCode;

use crate::{ApiError, BODY_LIMIT, language};

/// A status in words.
pub(crate) fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "잘못된 요청",
        StatusCode::UNAUTHORIZED => "로그인 필요",
        StatusCode::FORBIDDEN => "권한 없음",
        StatusCode::NOT_FOUND => "찾을 수 없음",
        StatusCode::CONFLICT => "충돌",
        StatusCode::PRECONDITION_FAILED => "그 사이 변경됨",
        StatusCode::PAYLOAD_TOO_LARGE => "본문이 너무 큼",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "지원하지 않는 형식",
        StatusCode::UNPROCESSABLE_ENTITY => "처리할 수 없는 내용",
        StatusCode::PRECONDITION_REQUIRED => "조건 필요",
        StatusCode::TOO_MANY_REQUESTS => "너무 많은 요청",
        StatusCode::SERVICE_UNAVAILABLE => "일시적으로 이용할 수 없음",
        _ => "서버 오류",
    }
}

/// What to do about it.
pub(crate) fn detail(error: &ApiError) -> Cow<'static, str> {
    match error {
        ApiError::Unauthorized => "로그인한 뒤 액세스 토큰을 \"Authorization: Bearer ...\"로 보내세요.".into(),
        ApiError::CredentialsRefused => "이 정보로는 로그인할 수 없습니다.".into(),
        ApiError::NotFound => "여기에는 아무것도 없거나, 볼 수 있는 것이 없습니다.".into(),
        ApiError::Forbidden(detail) | ApiError::BadRequest(detail) | ApiError::Conflict(detail) => {
            sentence(detail).map_or_else(|| detail.clone(), Cow::Owned)
        }
        ApiError::UnsupportedMediaType { expected } => format!("본문을 {expected} 형식으로 보내세요.").into(),
        ApiError::TooLarge => format!("본문은 {BODY_LIMIT}옥텟까지 보낼 수 있습니다.").into(),
        ApiError::Invalid(_) => "보낸 내용이 규칙에 맞지 않습니다. errors를 확인하세요.".into(),
        ApiError::PreconditionRequired => {
            "수정하려는 것의 ETag를 If-Match로 보내거나, 지금 상태가 무엇이든 괜찮다면 *를 보내세요.".into()
        }
        ApiError::Stale { .. } => "읽은 뒤에 변경되었습니다. current를 확인하세요.".into(),
        ApiError::TooManyRequests { .. } => "요청이 너무 많습니다. 잠시 후 다시 시도하세요.".into(),
        ApiError::Busy { .. } => "지금 요청이 몰리고 있습니다. 잠시 후 다시 시도하세요.".into(),
        ApiError::Unavailable(_) => "필요한 서비스가 지금 응답하지 않습니다. 다시 시도해도 안전합니다.".into(),
        ApiError::Internal(_) => "서버에 문제가 생겼습니다. 이 요청 번호로 기록해 두었습니다.".into(),
    }
}

/// A text of ours for whoever asked for what this task is answering.
#[must_use]
pub fn translated(english: String) -> String {
    match language::current() {
        Locale::En => english,
        Locale::Ko => sentence(&english).unwrap_or(english),
    }
}

/// What is wrong with a field. What serde says of types has its own words in English only.
pub(crate) fn field(english: &str) -> String {
    sentence(english).unwrap_or_else(|| "여기에 쓸 수 없는 값입니다.".to_owned())
}

/// A sentence of ours in Korean, with the number or the name that it holds.
pub(crate) fn sentence(english: &str) -> Option<String> {
    SENTENCES.iter().find_map(|(ours, korean)| match ours.split_once("{}") {
        None => (*ours == english).then(|| (*korean).to_owned()),
        Some((before, after)) => {
            let held = english.strip_prefix(before)?.strip_suffix(after)?;
            Some(korean.replace("{}", &sentence(held).map_or(Cow::Borrowed(held), Cow::Owned)))
        }
    })
}

/// Domain's rules reach us as text, through serde, so the text is what they are known by.
const SENTENCES: &[(&str, &str)] = &[
    // Texts.
    ("is empty", "비워 둘 수 없습니다."),
    ("is missing", "값이 없습니다."),
    ("is not known", "알 수 없는 항목입니다."),
    ("is given twice", "두 번 주어졌습니다."),
    ("is longer than {} characters", "{}자까지 쓸 수 있습니다."),
    ("is shorter than {} characters", "{}자 이상이어야 합니다."),
    ("contains a control character", "제어 문자를 쓸 수 없습니다."),
    ("contains a control character or a line break", "제어 문자나 줄 바꿈을 쓸 수 없습니다."),
    ("has more than {} labels", "라벨은 {}개까지 붙일 수 있습니다."),
    ("has more than {} projects", "프로젝트는 {}개까지 고를 수 있습니다."),
    ("is empty: give null for all projects", "비워 둘 수 없습니다. 모든 프로젝트라면 null을 보내세요."),
    // Addresses, times, ids.
    ("is not an e-mail address", "이메일 주소가 아닙니다."),
    ("is not the name of a time zone, such as Asia/Seoul", "Asia/Seoul과 같은 시간대 이름이 아닙니다."),
    ("is not a time of day such as 22:00", "22:00과 같은 시각이 아닙니다."),
    ("is not an hour of the day from 0 to 23", "0부터 23까지의 시가 아닙니다."),
    ("begin and end at the same time", "시작과 끝이 같은 시각입니다."),
    ("is not in the future", "이미 지난 때입니다."),
    ("is more than 366 days from now", "지금부터 366일 안이어야 합니다."),
    ("is not a UUID", "UUID가 아닙니다."),
    ("is not a hyphenated UUID", "하이픈이 있는 UUID가 아닙니다."),
    ("is not a version", "버전이 아닙니다."),
    ("is not a cursor of this list", "이 목록의 커서가 아닙니다."),
    ("is not the hash of an address", "주소의 해시가 아닙니다."),
    ("is not a recipient", "받는 사람이 아닙니다."),
    ("is not an unsubscribe token", "수신 거부 토큰이 아닙니다."),
    ("is not One-Click", "One-Click이 아닙니다."),
    // Passwords and codes.
    ("is among the commonest passwords, which are tried first", "누구나 먼저 시도해 보는 흔한 비밀번호입니다."),
    ("contains your name or your address", "이름이나 이메일 주소가 들어 있습니다."),
    ("is not the password", "비밀번호가 아닙니다."),
    (
        "is missing: without a second factor a password has 15 characters or more",
        "2단계 인증이 없으면 비밀번호는 15자 이상이어야 합니다. 새 비밀번호를 함께 보내세요.",
    ),
    ("is missing, as a second factor is on", "2단계 인증을 쓰고 있으므로 코드가 필요합니다."),
    ("is missing, and so is a recovery code", "코드나 복구 코드가 필요합니다."),
    ("is not to be given beside a code", "코드와 함께 보낼 수 없습니다."),
    ("is wrong, or was used already", "코드가 올바르지 않거나 이미 사용되었습니다."),
    ("is not right, or was used already", "코드가 올바르지 않거나 이미 사용되었습니다."),
    ("is neither a code of six digits nor a recovery code", "여섯 자리 코드도 복구 코드도 아닙니다."),
    (
        "is not known, was used, or has expired; sign up again for a new one",
        "알 수 없거나 이미 사용되었거나 만료되었습니다. 다시 가입해 새 링크를 받으세요.",
    ),
    (
        "is not known, was used, or has expired; ask for a new one",
        "알 수 없거나 이미 사용되었거나 만료되었습니다. 새 링크를 요청하세요.",
    ),
    (
        "is not known, was used, or has expired; ask for the change again",
        "알 수 없거나 이미 사용되었거나 만료되었습니다. 변경을 다시 요청하세요.",
    ),
    // The state things are in.
    ("is not a member of this project", "이 프로젝트의 구성원이 아닙니다."),
    ("is the address of this account already", "이미 이 계정의 주소입니다."),
    ("is not one of your notifications", "받은 알림이 아닙니다."),
    ("is not what was sent under this Idempotency-Key before", "이 Idempotency-Key로 앞서 보낸 내용과 다릅니다."),
    ("Somebody else changed this at the same moment; read it again.", "같은 순간에 다른 사람이 변경했습니다. 다시 읽어 오세요."),
    (
        "A project keeps at least one owner; make somebody else one first.",
        "프로젝트에는 소유자가 한 명은 있어야 합니다. 먼저 다른 사람을 소유자로 정하세요.",
    ),
    ("Others were faster, again and again; try again.", "다른 사람의 변경이 계속 먼저 저장되었습니다. 다시 시도하세요."),
    (
        "The task that was made under this Idempotency-Key was deleted since.",
        "이 Idempotency-Key로 만든 작업은 그 뒤에 삭제되었습니다.",
    ),
    (
        "The project that was made under this Idempotency-Key was deleted since.",
        "이 Idempotency-Key로 만든 프로젝트는 그 뒤에 삭제되었습니다.",
    ),
    ("Your account is being changed; try again.", "계정이 변경되는 중입니다. 다시 시도하세요."),
    ("Somebody logs in at this moment, again and again; try again.", "바로 지금 로그인이 거듭되고 있습니다. 다시 시도하세요."),
    ("There are {} tokens already; revoke one first.", "토큰이 이미 {}개 있습니다. 먼저 하나를 폐기하세요."),
    (
        "Your profile is being changed by several at once; try again.",
        "프로필이 여러 곳에서 동시에 변경되고 있습니다. 다시 시도하세요.",
    ),
    (
        "The new address has got an account of its own since this change was asked for.",
        "변경을 요청한 뒤에 새 주소로 다른 계정이 만들어졌습니다.",
    ),
    ("The account is being changed at the same moment; try again.", "같은 순간에 계정이 변경되고 있습니다. 다시 시도하세요."),
    ("The password or the second factor was changed at the same moment.", "같은 순간에 비밀번호나 2단계 인증이 변경되었습니다."),
    (
        "You are the last owner of {}. Make another member an owner there, or delete it, and try again.",
        "{} 프로젝트의 마지막 소유자입니다. 다른 구성원을 소유자로 정하거나 프로젝트를 삭제한 뒤 다시 시도하세요.",
    ),
    (
        "The second factor is on, or was changed at the same moment; read it again.",
        "2단계 인증이 켜져 있거나 같은 순간에 변경되었습니다. 다시 읽어 오세요.",
    ),
    ("There is no second factor.", "2단계 인증을 쓰고 있지 않습니다."),
    (
        "No secret waits to be confirmed, or it has waited too long; begin again.",
        "확인을 기다리는 비밀 키가 없거나 시간이 지났습니다. 처음부터 다시 하세요.",
    ),
    // Why a mail was not sent.
    ("to be looked at soon", "곧 확인합니다"),
    ("to go out with the next mail", "다음 메일에 실립니다"),
    ("to go out with the daily digest", "매일 요약에 실립니다"),
    ("nothing left to tell", "더 알릴 것이 없습니다"),
    ("the person has turned mails about this off", "이 소식의 메일을 꺼 두었습니다"),
    ("the person has muted the task or its project", "작업이나 프로젝트의 소식을 꺼 두었습니다"),
    ("not a member of the project any more", "더는 프로젝트의 구성원이 아닙니다"),
    ("the project is gone", "프로젝트가 없어졌습니다"),
    ("the account is gone", "계정이 없어졌습니다"),
    ("the task's log cannot be read", "작업의 기록을 읽을 수 없습니다"),
    ("the address is suppressed", "이 주소로는 메일을 보내지 않습니다"),
    ("it could not be told within a week", "일주일 안에 알리지 못했습니다"),
    ("no attempt of a week came to an end", "일주일 동안 보내려 했으나 결과를 알 수 없었습니다"),
    ("{}; a mail of an earlier attempt may have arrived", "{} (앞서 보내려던 메일이 도착했을 수 있습니다)"),
    ("refused by the mail service: {}", "메일 서비스가 거절했습니다: {}"),
    ("bounced: {}", "메일이 반송되었습니다: {}"),
    ("complaint: {}", "받은 사람이 신고했습니다: {}"),
    ("rejected: {}", "메일 서비스가 받지 않았습니다: {}"),
    // Who may.
    ("This needs a log-in; an API token does not reach it.", "로그인이 필요합니다. API 토큰으로는 할 수 없습니다."),
    ("This API token is for single projects only.", "이 API 토큰은 정해진 프로젝트에만 쓸 수 있습니다."),
    ("This API token can only read.", "이 API 토큰으로는 읽기만 할 수 있습니다."),
    ("Only editors and owners of the project may do this.", "프로젝트의 편집자와 소유자만 할 수 있습니다."),
    ("Only owners of the project may do this.", "프로젝트의 소유자만 할 수 있습니다."),
    (
        "A cookie is honoured from Baton's own pages only; send the refresh token in the body.",
        "쿠키는 Baton의 페이지에서만 쓸 수 있습니다. 리프레시 토큰을 본문에 넣어 보내세요.",
    ),
    // What cannot be read.
    ("A body is needed.", "본문이 필요합니다."),
    ("The body broke off.", "본문이 도중에 끊겼습니다."),
    ("The body is not UTF-8.", "본문이 UTF-8이 아닙니다."),
    ("The body is not JSON: {}.", "본문이 JSON이 아닙니다: {}."),
    ("The query is not understood: {}.", "쿼리를 이해할 수 없습니다: {}."),
    ("limit is not between 1 and 100", "limit는 1부터 100까지입니다"),
    ("the cursor is none of ours", "Baton이 준 커서가 아닙니다"),
    ("The cursor is not of this list.", "이 목록의 커서가 아닙니다."),
    ("Send after or cursor, not both.", "after와 cursor 가운데 하나만 보내세요."),
    (
        "Idempotency-Key is not 1 to 255 visible ASCII characters, sent once, quoted or not.",
        "Idempotency-Key는 보이는 ASCII 문자 1~255자를 한 번만 보내야 합니다. 따옴표는 있어도 없어도 됩니다.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::error::Error;
    use std::path::Path;
    use std::{fs, io};

    use super::*;

    /// Every way a refusal with words of its own is made.
    const MAKERS: [&str; 9] = [
        "Invalid::new(",
        "ApiError::invalid(",
        "ApiError::bad_request(",
        "ApiError::forbidden(",
        "ApiError::conflict(",
        "Self::invalid(",
        "Self::bad_request(",
        "Self::forbidden(",
        "Self::conflict(",
    ];

    /// Where it is said why a mail was not sent, and how such a line goes on.
    const REASONS: [(&str, &str); 7] = [
        ("functions/log-mailer/src/compose.rs", ": &str = \""),
        ("functions/log-mailer/src/attempt.rs", "let reason = format!("),
        ("functions/log-mailer/src/attempt.rs", "*reason = format!("),
        ("functions/log-mailer/src/attempt.rs", "const TOO_OLD: &str"),
        ("functions/log-mailer/src/feedback.rs", "let reason = format!("),
        ("functions/log-mailer/src/feedback.rs", "Failure { reason: format!("),
        ("functions/tasks/src/deliveries.rs", " => \"to "),
    ];

    /// The code of a folder without its tests.
    fn sources(folder: &Path, into: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                sources(&path, into)?;
            } else if !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path)?;
                into.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
            }
        }
        Ok(())
    }

    /// What stands between the parenthesis that `code` begins behind and the one that closes it.
    fn arguments(code: &str) -> &str {
        let (mut depth, mut is_text, mut is_escaped) = (1, false, false);
        for (at, it) in code.char_indices() {
            match it {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_text,
                '"' => is_text = !is_text,
                '(' if !is_text => depth += 1,
                ')' if !is_text => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return &code[..at];
            }
        }
        panic!("never closed: {code:.80}")
    }

    /// The last literal in some code, with `{}` for whatever is put into it.
    fn literal(code: &str) -> Option<String> {
        let literal = code.rsplit('"').nth(1).filter(|_| code.matches('"').count() >= 2)?;
        let mut text = String::new();
        let mut is_held = false;
        for it in literal.chars() {
            is_held = (is_held || it == '{') && it != '}';
            match it {
                '}' => text.push_str("{}"),
                _ if is_held => {}
                _ => text.push(it),
            }
        }
        Some(text)
    }

    /// What is said: the literal among the arguments, or the one that their last name stands for.
    fn said(arguments: &str, code: &[String]) -> Option<String> {
        let last = arguments.trim().trim_end_matches(',');
        let name = last.rsplit([',', '(']).next().unwrap_or_default().trim();
        let is_name = !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || it == '_');
        if !is_name {
            return literal(last);
        }
        let declarations = [format!("const {name}: &str = \""), format!("let {name} = \"")];
        let declared = code.iter().flat_map(|it| declarations.iter().filter_map(|name| it.split_once(name)));
        declared.filter_map(|(_, rest)| rest.split_once('"')).map(|(text, _)| text.to_owned()).next()
    }

    #[test]
    fn whatever_is_refused_can_be_said_in_korean() -> io::Result<()> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut code = Vec::new();
        for folder in ["shared/domain", "shared/store", "shared/api", "functions/login", "functions/tasks"] {
            sources(&workspace.join(folder).join("src"), &mut code)?;
        }
        let mut texts = BTreeSet::from(["is missing", "is not known", "is given twice"].map(str::to_owned));
        for (file, maker) in code.iter().flat_map(|file| MAKERS.map(|maker| (file, maker))) {
            for (at, _) in file.match_indices(maker) {
                let arguments = arguments(&file[at + maker.len()..]);
                // What a rule says is passed on, and found where the rule says it.
                if arguments.ends_with("error.to_string()") {
                    continue;
                }
                texts.insert(said(arguments, &code).unwrap_or_else(|| panic!("what does {maker}{arguments}) say?")));
            }
        }
        for (file, begins) in REASONS {
            let text = fs::read_to_string(workspace.join(file))?;
            let lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines();
            let reasons: Vec<_> = lines.filter(|it| it.contains(begins)).filter_map(literal).collect();
            assert!(!reasons.is_empty(), "{file} has no {begins}");
            texts.extend(reasons);
        }
        assert!(texts.len() > 60, "{texts:#?}");
        let unsaid: Vec<_> = texts.iter().filter(|it| sentence(&it.replace("{}", "7")).is_none()).collect();
        assert!(unsaid.is_empty(), "{unsaid:#?}");
        let unused: Vec<_> = SENTENCES.iter().filter(|(english, _)| !texts.contains(*english)).collect();
        assert!(unused.is_empty(), "{unused:#?}");
        Ok(())
    }

    #[test]
    fn a_sentence_keeps_what_it_holds_and_says_it_in_korean() {
        for (english, korean) in SENTENCES {
            assert!(korean.chars().any(|it| ('가'..='힣').contains(&it)), "{english}: {korean}");
            assert_eq!(english.matches("{}").count(), korean.matches("{}").count(), "{english}: {korean}");
        }
        let check = |english: &str, korean: Option<&str>| assert_eq!(sentence(english).as_deref(), korean);
        check("is longer than 200 characters", Some("200자까지 쓸 수 있습니다."));
        check(
            "The query is not understood: limit is not between 1 and 100.",
            Some("쿼리를 이해할 수 없습니다: limit는 1부터 100까지입니다."),
        );
        check("The body is not JSON: EOF at line 1 column 2.", Some("본문이 JSON이 아닙니다: EOF at line 1 column 2."));
        check(
            "nothing left to tell; a mail of an earlier attempt may have arrived",
            Some("더 알릴 것이 없습니다 (앞서 보내려던 메일이 도착했을 수 있습니다)"),
        );
        check("is longer than", None);
        check("invalid type: integer `7`, expected a string", None);
        assert_eq!(field("invalid type: integer `7`, expected a string"), "여기에 쓸 수 없는 값입니다.");
    }

    #[test]
    fn every_problem_has_a_title_and_a_detail_in_korean() {
        let source = || -> Box<dyn Error + Send + Sync> { "a source".into() };
        let retry_after = std::time::Duration::from_secs(1);
        for error in [
            ApiError::Unauthorized,
            ApiError::CredentialsRefused,
            ApiError::NotFound,
            ApiError::forbidden("This API token can only read."),
            ApiError::bad_request("A body is needed."),
            ApiError::UnsupportedMediaType { expected: "application/json" },
            ApiError::TooLarge,
            ApiError::invalid("/title", "is empty"),
            ApiError::PreconditionRequired,
            ApiError::stale(&7),
            ApiError::conflict("There is no second factor."),
            ApiError::TooManyRequests { retry_after },
            ApiError::Busy { retry_after },
            ApiError::Unavailable(source()),
            ApiError::Internal(source()),
        ] {
            let said = detail(&error);
            assert!(said.ends_with('.') && said.chars().any(|it| ('가'..='힣').contains(&it)), "{error:?}: {said}");
            let is_fault = error.status() == StatusCode::INTERNAL_SERVER_ERROR;
            assert_eq!(title(error.status()) == "서버 오류", is_fault, "{error:?}");
        }
    }
}
