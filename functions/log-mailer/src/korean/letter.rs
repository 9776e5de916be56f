use domain::{Letter, SecurityEvent, SecurityEventKind, TimeZoneName};

use super::{Korean, quoted};
use crate::language::{Language, LetterWords, quotable, quotable_address};

const ONCE_WITHIN_A_DAY: &str = "아래 링크는 하루 동안 한 번만 사용할 수 있습니다.";

pub(super) fn words(letter: &Letter, zone: &TimeZoneName) -> LetterWords {
    match letter {
        Letter::VerifyAddress { name, .. } => LetterWords {
            subject: "Baton 이메일 주소를 확인해 주세요".to_owned(),
            headline: match quotable(name.as_str()) {
                Some(name) => {
                    format!("{name} 님, 안녕하세요. 이메일 주소를 확인하고 비밀번호를 정하면 Baton을 시작할 수 있습니다.")
                }
                None => "이메일 주소를 확인하고 비밀번호를 정하면 Baton을 시작할 수 있습니다.".to_owned(),
            },
            lines: vec![ONCE_WITHIN_A_DAY.to_owned()],
            action: "이메일 주소 확인하기",
            why: "이 주소로 Baton 가입 신청이 들어와 보내 드립니다. 직접 신청하지 않으셨다면 이 메일을 무시하세요. 아무 일도 일어나지 않습니다.",
        },
        Letter::AddressTaken { .. } => LetterWords {
            subject: "이미 Baton 계정이 있습니다".to_owned(),
            headline: "누군가 Baton 계정에 쓰려고 이 주소를 입력했지만, 이미 계정이 있는 주소입니다.".to_owned(),
            lines: vec!["직접 입력하셨다면 바로 로그인하세요. 계정에는 아무런 변화가 없습니다.".to_owned()],
            action: "로그인하기",
            why: "회원님 계정의 주소여서 보내 드립니다. 직접 입력하지 않으셨다면 이 메일을 무시하세요.",
        },
        Letter::NoAccount { .. } => LetterWords {
            subject: "이 주소로 된 Baton 계정이 없습니다".to_owned(),
            headline: "이 주소로 비밀번호 재설정 신청이 들어왔지만, Baton 계정이 없는 주소입니다.".to_owned(),
            lines: vec!["직접 신청하셨다면 다른 주소로 가입하셨을 수 있습니다. 이 주소로 새로 가입하실 수도 있습니다.".to_owned()],
            action: "가입하기",
            why: "누군가 이 주소를 입력하여 보내 드립니다. 직접 신청하지 않으셨다면 이 메일을 무시하세요. 아무 일도 일어나지 않습니다.",
        },
        Letter::ResetPassword { .. } => LetterWords {
            subject: "Baton 비밀번호를 새로 정해 주세요".to_owned(),
            headline: "회원님 계정의 비밀번호 재설정 신청이 들어왔습니다.".to_owned(),
            lines: vec![
                "아래 링크는 한 시간 동안 한 번만 사용할 수 있습니다. 링크를 가진 사람은 누구나 비밀번호를 바꿀 수 있으니 다른 사람에게 알려 주지 마세요."
                    .to_owned(),
            ],
            action: "새 비밀번호 정하기",
            why: "회원님 계정의 주소여서 보내 드립니다. 직접 신청하지 않으셨다면 이 메일을 무시하세요. 비밀번호는 그대로입니다.",
        },
        Letter::ConfirmNewEmail { .. } => LetterWords {
            subject: "Baton의 새 이메일 주소를 확인해 주세요".to_owned(),
            headline: "Baton 계정의 주소를 이 주소로 바꾸려는 신청이 들어왔습니다.".to_owned(),
            lines: vec![
                "이 링크와 지금 주소로 보낸 메일의 링크를 모두 열어야 주소가 바뀝니다.".to_owned(),
                ONCE_WITHIN_A_DAY.to_owned(),
            ],
            action: "이 주소 확인하기",
            why: "누군가 이 주소를 입력하여 보내 드립니다. 직접 신청하지 않으셨다면 이 메일을 무시하세요. 아무 일도 일어나지 않습니다.",
        },
        Letter::ApproveEmailChange { new, .. } => LetterWords {
            subject: "Baton 계정의 이메일 주소 변경 신청".to_owned(),
            headline: format!(
                "비밀번호를 아는 누군가가 회원님 계정의 주소를 바꾸려고 합니다.{}",
                quotable_address(new).map_or_else(String::new, |it| format!(" 새 주소: {it}"))
            ),
            lines: vec![
                "이 링크와 새 주소로 보낸 메일의 링크를 모두 열어야 주소가 바뀝니다.".to_owned(),
                ONCE_WITHIN_A_DAY.to_owned(),
                "본인이 아니라면 링크를 열지 말고, 로그인하여 설정에서 비밀번호를 변경하세요.".to_owned(),
            ],
            action: "변경에 동의하기",
            why: "회원님 계정의 주소여서 보내 드립니다.",
        },
        Letter::EmailChanged { .. } => LetterWords {
            subject: "Baton 계정의 이메일 주소가 바뀌었습니다".to_owned(),
            headline: "이 주소는 더 이상 회원님 계정의 주소가 아닙니다.".to_owned(),
            lines: vec![
                "본인이 아니라면 누군가 회원님의 메일을 읽을 수 있습니다. 먼저 이 메일함의 비밀번호를 변경하고, 이 Baton을 운영하는 사람에게 도움을 요청하세요."
                    .to_owned(),
            ],
            action: "새 주소로 로그인하기",
            why: "지금까지 회원님 계정의 주소였기에 보내 드립니다. 앞으로 계정에 관한 메일은 새 주소로 보내 드립니다.",
        },
        Letter::Security { event } => security(event, zone),
        Letter::Invitation { project_name, inviter, .. } => {
            let (inviter, project) = (quotable(inviter.as_str()), quotable(project_name.as_str()));
            LetterWords {
                subject: match (project, inviter) {
                    (Some(project), Some(inviter)) => format!("[{project}] {inviter} 님의 초대"),
                    (Some(project), None) => format!("[{project}] 프로젝트 초대"),
                    (None, Some(inviter)) => format!("{inviter} 님의 프로젝트 초대"),
                    (None, None) => "프로젝트 초대".to_owned(),
                },
                headline: format!(
                    "{} {}프로젝트에 초대했습니다.",
                    inviter.map_or_else(|| "누군가".to_owned(), |it| format!("{it} 님이")),
                    project.map_or_else(String::new, |it| format!("{} ", quoted(it)))
                ),
                lines: vec!["로그인하거나 이 주소로 가입하면 초대를 수락하거나 거절할 수 있습니다.".to_owned()],
                action: "초대 보기",
                why: "프로젝트 구성원이 이 주소를 입력하여 보내 드립니다. 모르는 사람이라면 이 메일을 무시하세요.",
            }
        }
    }
}

/// What happened, and what to do about it where it was somebody else.
fn security(event: &SecurityEvent, zone: &TimeZoneName) -> LetterWords {
    const LOOK: &str = "내 계정 보기";
    const RESET: &str = "새 비밀번호 정하기";
    const CHANGE: &str = "설정에서 비밀번호를 변경하세요. 그러면 다른 기기에서 모두 로그아웃됩니다.";
    const CHANGE_AND_RENEW: &str = "설정에서 비밀번호를 변경하여 다른 기기를 모두 로그아웃시키고, 복구 코드를 새로 받으세요.";
    let SecurityEvent { id: _, user: _, at, kind, device } = event;
    let (subject, headline, otherwise, action) = match kind {
        SecurityEventKind::NewDevice => (
            "Baton 계정에 새로 로그인했습니다",
            "지금까지 사용하지 않은 기기에서 회원님 계정에 로그인했습니다.".to_owned(),
            "설정에서 그 기기를 로그아웃시키고 비밀번호를 변경하세요.",
            LOOK,
        ),
        SecurityEventKind::PasswordChanged => (
            "Baton 비밀번호가 변경되었습니다",
            "회원님 계정의 비밀번호가 변경되었습니다. 다른 기기에서는 모두 로그아웃되었습니다.".to_owned(),
            "지금 바로 이 주소로 재설정 링크를 받아 새 비밀번호를 정하세요. 그러면 모든 기기에서 로그아웃됩니다.",
            RESET,
        ),
        SecurityEventKind::PasswordReset => (
            "Baton 비밀번호가 재설정되었습니다",
            "이 주소로 보낸 링크로 새 비밀번호를 정했습니다. 모든 기기에서 로그아웃되었습니다.".to_owned(),
            "누군가 회원님의 메일을 읽을 수 있습니다. 먼저 이 메일함의 비밀번호를 변경하고, Baton의 비밀번호를 새로 정하세요.",
            RESET,
        ),
        SecurityEventKind::SecondFactorOn => (
            "Baton 계정의 2단계 인증이 켜졌습니다",
            "이제부터 회원님 계정에 로그인할 때 인증 앱의 코드도 확인합니다.".to_owned(),
            "지금 바로 이 주소로 재설정 링크를 받아 새 비밀번호를 정하세요. 그러면 모든 기기에서 로그아웃됩니다. 그다음 이 Baton을 운영하는 사람에게 도움을 요청하세요.",
            RESET,
        ),
        SecurityEventKind::SecondFactorOff => (
            "Baton 계정의 2단계 인증이 꺼졌습니다",
            "이제부터 회원님 계정에 로그인할 때 비밀번호만 확인합니다.".to_owned(),
            "설정에서 비밀번호를 변경하여 다른 기기를 모두 로그아웃시키고, 2단계 인증을 다시 켜세요.",
            LOOK,
        ),
        SecurityEventKind::RecoveryCodeUsed { left } => (
            "Baton 계정의 복구 코드가 사용되었습니다",
            format!("인증 앱의 코드 대신 복구 코드가 사용되었습니다. 남은 복구 코드는 {left}개입니다."),
            CHANGE_AND_RENEW,
            LOOK,
        ),
        SecurityEventKind::RecoveryCodesRenewed => (
            "Baton 계정의 복구 코드를 새로 받았습니다",
            "회원님 계정의 복구 코드가 바뀌었습니다. 이전 코드는 쓸 수 없습니다.".to_owned(),
            CHANGE_AND_RENEW,
            LOOK,
        ),
        SecurityEventKind::TokenMade { name } => (
            "Baton 계정의 API 토큰이 만들어졌습니다",
            format!("{} 만들어졌습니다. 토큰을 가진 사람은 회원님의 이름으로 Baton을 사용할 수 있습니다.", token(name.as_str())),
            "설정에서 토큰을 폐기하고 비밀번호를 변경하세요.",
            LOOK,
        ),
        SecurityEventKind::TokenRevoked { name } => {
            ("Baton 계정의 API 토큰이 폐기되었습니다", format!("{} 폐기되었습니다.", token(name.as_str())), CHANGE, LOOK)
        }
        SecurityEventKind::RefreshTokenReused => (
            "Baton 계정의 로그인 하나가 끝났습니다",
            "회원님 계정의 로그인 정보 하나가 두 곳에서 사용되었습니다. 누군가 복사했을 수 있어 그 로그인을 끝냈습니다."
                .to_owned(),
            "다시 로그인하여 설정에서 비밀번호를 변경하고, 모르는 기기를 로그아웃시키세요.",
            LOOK,
        ),
        SecurityEventKind::EmailChangeAsked => (
            "Baton 계정의 이메일 주소 변경 신청",
            "비밀번호를 아는 누군가가 회원님 계정의 주소를 바꾸려고 합니다.".to_owned(),
            CHANGE,
            LOOK,
        ),
        SecurityEventKind::EmailChanged => {
            ("Baton 계정의 주소가 바뀌었습니다", "이제부터 이 주소가 회원님 계정의 주소입니다.".to_owned(), CHANGE, LOOK)
        }
        SecurityEventKind::SessionsEnded => (
            "Baton 계정이 다른 기기에서 로그아웃되었습니다",
            "회원님 계정이 하나 이상의 기기에서 로그아웃되었습니다.".to_owned(),
            CHANGE,
            LOOK,
        ),
    };
    let lines = vec![Korean.when(*at, zone), Korean.device(device), format!("본인이 아니라면: {otherwise}")];
    let why = "회원님 계정에 누가 들어올 수 있는지와 관련된 일이어서 보내 드립니다. 본인이라면 아무것도 하지 않으셔도 됩니다.";
    LetterWords { subject: subject.to_owned(), headline, lines, action, why }
}

/// The API token as a sentence begins with it.
fn token(name: &str) -> String {
    quotable(name).map_or_else(|| "API 토큰이".to_owned(), |name| format!("{} API 토큰이", quoted(name)))
}
