mod letter;

use domain::{
    Device, FieldChange, Label, Labels, Letter, NetChange, NetKind, NoticeKind, Priority, ProjectName, Reason, Status,
    TimeZoneName, UserId,
};
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use crate::language::{Detail, FIELDS_IN_A_SENTENCE, Language, LetterWords, People, is_lead, quotable};

/// Mails in Korean, in the formal polite style (합쇼체).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Korean;

impl Language for Korean {
    fn tag(&self) -> &'static str {
        "ko"
    }

    fn headline(&self, net: &NetChange, people: &People) -> String {
        // Whoever is named ends in 님 or 원, so that the particles after a name never vary.
        let who = net.actors.iter().map(|it| name(*it, people)).collect::<Vec<_>>().join("과 ");
        let told = &net.fields[..net.fields.len().min(FIELDS_IN_A_SENTENCE)];
        let more = match net.fields.len() - told.len() {
            0 => String::new(),
            count => format!(" (외 {count}건)"),
        };
        match (net.kind, net.actors.as_slice()) {
            (NetKind::Created, _) if net.reason == Reason::Watcher => format!("{who}이 새 작업을 만들었습니다."),
            (NetKind::Created, _) => format!("{who}이 회원님에게 새 작업을 맡겼습니다."),
            (NetKind::Deleted, _) => format!("{who}이 작업을 삭제했습니다."),
            (NetKind::Updated, [actor]) => {
                let clauses: Vec<Clause> = told.iter().map(|it| clause(it, *actor, people)).collect();
                format!("{who}이 {}{more}.", joined(&clauses))
            }
            (NetKind::Updated, _) => {
                let ways: Vec<String> = told
                    .iter()
                    .map(|it| self.detail(it, people))
                    .map(|Detail { label, value }| format!("{label} {value}"))
                    .collect();
                format!("{who}이 작업을 변경했습니다: {}{more}", ways.join(", "))
            }
        }
    }

    fn detail(&self, field: &FieldChange, people: &People) -> Detail {
        let person = |user: &Option<UserId>| user.map_or_else(|| "없음".to_owned(), |it| name(it, people));
        let (label, value) = match field {
            FieldChange::Title { from, to } => ("제목", way(from.as_ref().map(|it| quoted(it.as_str())), &quoted(to.as_str()))),
            FieldChange::Description => ("설명", "수정됨".to_owned()),
            FieldChange::Status { from, to } => ("상태", way(from.map(|it| status(it).to_owned()), status(*to))),
            FieldChange::Assignee { from, to } => ("담당자", way(from.as_ref().map(|_| person(from)), &person(to))),
            FieldChange::Priority { from, to } => {
                let from = from.filter(|it| *it != Priority::None);
                ("우선순위", way(from.map(|it| priority(it).to_owned()), priority(*to)))
            }
            FieldChange::DueOn { from, to } => ("마감일", way(from.map(date), &to.map_or_else(|| "없음".to_owned(), date))),
            FieldChange::Labels { from, to } => {
                let from = (!from.is_empty()).then(|| labels(from.as_slice()));
                ("라벨", way(from, &if to.is_empty() { "없음".to_owned() } else { labels(to.as_slice()) }))
            }
        };
        Detail { label, value }
    }

    fn why(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Assignee => "회원님이 담당하는 작업이어서 보내 드립니다.",
            Reason::FormerAssignee => "회원님이 담당하던 작업이어서 보내 드립니다.",
            Reason::Creator => "회원님이 만든 작업이어서 보내 드립니다.",
            Reason::Watcher => "회원님이 지켜보는 작업이어서 보내 드립니다.",
        }
    }

    fn when(&self, at: Timestamp, zone: &TimeZoneName) -> String {
        let local = at.to_zoned(zone.time_zone());
        let weekday = match local.weekday() {
            Weekday::Monday => "월",
            Weekday::Tuesday => "화",
            Weekday::Wednesday => "수",
            Weekday::Thursday => "목",
            Weekday::Friday => "금",
            Weekday::Saturday => "토",
            Weekday::Sunday => "일",
        };
        format!("{} ({weekday}) {} ({zone})", date(local.date()), local.strftime("%H:%M"))
    }

    fn several_tasks(&self, tasks: usize) -> String {
        format!("작업 {tasks}건이 변경되었습니다")
    }

    fn several_projects(&self, tasks: usize, projects: usize) -> String {
        format!("프로젝트 {projects}개에서 작업 {tasks}건이 변경되었습니다")
    }

    fn rest(&self, tasks: usize) -> String {
        format!("이 밖에도 작업 {tasks}건이 변경되었습니다.")
    }

    fn digest(&self, tasks: usize, projects: usize) -> String {
        match projects {
            0 | 1 => format!("Baton 오늘의 요약: {}", self.several_tasks(tasks)),
            projects => format!("Baton 오늘의 요약: {}", self.several_projects(tasks, projects)),
        }
    }

    fn stop_kind(&self, kind: NoticeKind) -> &'static str {
        match kind {
            NoticeKind::Assigned => "담당자 변경 메일 그만 받기",
            NoticeKind::Status => "상태 변경 메일 그만 받기",
            NoticeKind::Edited => "내용 수정 메일 그만 받기",
            NoticeKind::Deleted => "작업 삭제 메일 그만 받기",
        }
    }

    fn quoted(&self, text: &str) -> String {
        quoted(text)
    }

    fn stop_project(&self, project: &ProjectName) -> String {
        let project = quotable(project.as_str()).map_or_else(|| "이".to_owned(), quoted);
        format!("{project} 프로젝트의 메일 그만 받기")
    }

    fn stop_everything(&self) -> &'static str {
        "작업 알림 메일 모두 그만 받기"
    }

    fn letter(&self, letter: &Letter, zone: &TimeZoneName) -> LetterWords {
        letter::words(letter, zone)
    }

    fn device(&self, device: &Device) -> String {
        let place = match (device.browser(), device.system()) {
            (Some(browser), Some(system)) => format!("{system}의 {browser}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => "알 수 없는 기기".to_owned(),
        };
        match device.network_address {
            Some(address) => format!("{place}, 네트워크 주소 {}", address.to_canonical()),
            None => place,
        }
    }
}

/// A clause without its verb's ending, and the two endings: one to go on with, one to close with.
struct Clause {
    object: String,
    going_on: &'static str,
    closing: &'static str,
}

impl Clause {
    fn new(object: impl Into<String>, going_on: &'static str, closing: &'static str) -> Self {
        Self { object: object.into(), going_on, closing }
    }

    fn change(object: impl Into<String>) -> Self {
        Self::new(object, "바꾸고", "바꾸었습니다")
    }

    fn hand_over(object: impl Into<String>) -> Self {
        Self::new(object, "넘기고", "넘겼습니다")
    }
}

fn joined(clauses: &[Clause]) -> String {
    let last = clauses.len().saturating_sub(1);
    let parts = clauses.iter().enumerate().map(|(index, Clause { object, going_on, closing })| {
        let verb = if index == last { closing } else { going_on };
        format!("{object} {verb}")
    });
    parts.collect::<Vec<_>>().join(" ")
}

fn clause(field: &FieldChange, actor: UserId, people: &People) -> Clause {
    match field {
        FieldChange::Title { from: Some(from), to } => {
            Clause::change(format!("제목을 {}에서 {}", quoted(from.as_str()), toward(&quoted(to.as_str()))))
        }
        FieldChange::Title { from: None, to } => {
            Clause::new(format!("제목을 {}", toward(&quoted(to.as_str()))), "정하고", "정했습니다")
        }
        FieldChange::Description => Clause::new("설명을", "수정하고", "수정했습니다"),
        FieldChange::Status { from: Some(from), to } => {
            Clause::change(format!("상태를 {}에서 {}", status(*from), toward(status(*to))))
        }
        FieldChange::Status { from: None, to } => Clause::new(format!("상태를 {}", toward(status(*to))), "정하고", "정했습니다"),
        FieldChange::Assignee { from, to } => assignment(*from, *to, actor, people),
        FieldChange::Priority { from: None | Some(Priority::None), to } => {
            Clause::new(format!("우선순위를 {}", toward(priority(*to))), "정하고", "정했습니다")
        }
        FieldChange::Priority { from: Some(from), to } => {
            Clause::change(format!("우선순위를 {}에서 {}", priority(*from), toward(priority(*to))))
        }
        FieldChange::DueOn { from: None, to: Some(to) } => {
            Clause::new(format!("마감일을 {}", toward(&date(*to))), "정하고", "정했습니다")
        }
        FieldChange::DueOn { from: Some(from), to: Some(to) } => {
            Clause::change(format!("마감일을 {}에서 {}", date(*from), toward(&date(*to))))
        }
        FieldChange::DueOn { from: Some(from), to: None } => {
            Clause::new(format!("{}이던 마감일을", date(*from)), "없애고", "없앴습니다")
        }
        FieldChange::DueOn { from: None, to: None } => Clause::new("마감일을", "없애고", "없앴습니다"),
        FieldChange::Labels { from, to } => relabelling(from, to),
    }
}

fn assignment(from: Option<UserId>, to: Option<UserId>, actor: UserId, people: &People) -> Clause {
    let from_name = from.map(|it| name(it, people));
    match (from_name, to) {
        (None, Some(to)) if to == actor => Clause::new("작업을", "맡고", "맡았습니다"),
        (Some(from), Some(to)) if to == actor => Clause::new(format!("{from}에게서 작업을"), "넘겨받고", "넘겨받았습니다"),
        (Some(_), Some(to)) if from == Some(actor) => Clause::hand_over(format!("작업을 {}에게", name(to, people))),
        (Some(_), None) if from == Some(actor) => Clause::new("담당자 자리를", "비우고", "비웠습니다"),
        (None, Some(to)) => Clause::new(format!("작업을 {}에게", name(to, people)), "맡기고", "맡겼습니다"),
        (Some(from), Some(to)) => Clause::change(format!("담당자를 {from}에서 {}", toward(&name(to, people)))),
        (Some(from), None) => Clause::new(format!("담당자에서 {from}을"), "제외하고", "제외했습니다"),
        (None, None) => Clause::new("담당자 자리를", "비워 두고", "비워 두었습니다"),
    }
}

fn relabelling(from: &Labels, to: &Labels) -> Clause {
    let added = without(to, from);
    let removed = without(from, to);
    match (added.as_slice(), removed.as_slice()) {
        ([], []) => Clause::change("라벨의 순서를"),
        (added, []) => Clause::new(format!("{} 라벨을", labels(added)), "추가하고", "추가했습니다"),
        ([], removed) => Clause::new(format!("{} 라벨을", labels(removed)), "제거하고", "제거했습니다"),
        (added, removed) => Clause::change(format!("{} 라벨을 {}", labels(removed), toward(&labels(added)))),
    }
}

fn without(these: &Labels, those: &Labels) -> Vec<Label> {
    these.as_slice().iter().filter(|it| !those.as_slice().contains(it)).cloned().collect()
}

fn labels(labels: &[Label]) -> String {
    labels.iter().map(|it| quoted(it.as_str())).collect::<Vec<_>>().join(", ")
}

fn name(user: UserId, people: &People) -> String {
    if user == people.reader {
        return "회원님".to_owned();
    }
    let named = |it: &str| format!("{} 님", if is_lead(it) { quoted(it) } else { it.to_owned() });
    people.name(user).map_or_else(|| "이전 구성원".to_owned(), named)
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Waiting => "대기",
        Status::InProgress => "진행 중",
        Status::Done => "완료",
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::None => "없음",
        Priority::Low => "낮음",
        Priority::Medium => "보통",
        Priority::High => "높음",
        Priority::Urgent => "긴급",
    }
}

fn date(date: Date) -> String {
    date.strftime("%Y년 %-m월 %-d일").to_string()
}

fn quoted(text: &str) -> String {
    format!("‘{text}’")
}

fn way(from: Option<String>, to: &str) -> String {
    from.map_or_else(|| to.to_owned(), |from| format!("{from} → {to}"))
}

/// The word with the particle of direction: 로 after a vowel or ㄹ, 으로 after any other final consonant.
/// Where the sound cannot be known from the spelling, both are given, as is usual.
fn toward(word: &str) -> String {
    let particle = match word.chars().rev().find(|it| it.is_alphanumeric()) {
        Some(last @ '가'..='힣') => match (u32::from(last) - u32::from('가')) % 28 {
            0 | 8 => "로",
            _ => "으로",
        },
        // 영, 삼 and 육 end in a consonant other than ㄹ.
        Some('0' | '3' | '6') => "으로",
        Some('1' | '2' | '4' | '5' | '7' | '8' | '9') => "로",
        _ => "(으)로",
    };
    format!("{word}{particle}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ADA, GRACE, READER, STRANGER, net, people};

    fn check(actors: &[UserId], fields: Vec<FieldChange>, expected: &str) {
        assert_eq!(Korean.headline(&net(NetKind::Updated, actors, fields), &people()), expected);
    }

    #[test]
    fn a_particle_follows_the_sound_before_it() {
        for (word, expected) in [
            ("대기", "대기로"),
            ("진행 중", "진행 중으로"),
            ("완료", "완료로"),
            ("보통", "보통으로"),
            ("24일", "24일로"),
            ("‘서울’", "‘서울’로"),
            ("‘부산’", "‘부산’으로"),
            ("‘판 3’", "‘판 3’으로"),
            ("‘판 8’", "‘판 8’로"),
            ("‘pump’", "‘pump’(으)로"),
        ] {
            assert_eq!(toward(word), expected);
        }
    }

    #[test]
    fn a_sentence_says_who_did_what_from_what_to_what() {
        let moved = FieldChange::Status { from: Some(Status::Waiting), to: Status::InProgress };
        let due = FieldChange::DueOn { from: None, to: Some(jiff::civil::date(2026, 11, 24)) };
        check(&[ADA], vec![moved.clone()], "Ada 님이 상태를 대기에서 진행 중으로 바꾸었습니다.");
        check(&[STRANGER], vec![moved.clone()], "이전 구성원이 상태를 대기에서 진행 중으로 바꾸었습니다.");
        check(
            &[GRACE],
            vec![moved.clone(), due.clone()],
            "그레이스 님이 상태를 대기에서 진행 중으로 바꾸고 마감일을 2026년 11월 24일로 정했습니다.",
        );
        check(
            &[ADA],
            vec![moved.clone(), due.clone(), FieldChange::Description],
            "Ada 님이 상태를 대기에서 진행 중으로 바꾸고 마감일을 2026년 11월 24일로 정했습니다 (외 1건).",
        );
        check(
            &[ADA, GRACE],
            vec![moved, due],
            "Ada 님과 그레이스 님이 작업을 변경했습니다: 상태 대기 → 진행 중, 마감일 2026년 11월 24일",
        );
    }

    #[test]
    fn a_task_changes_hands_in_plain_words() {
        let assign = |from, to| vec![FieldChange::Assignee { from, to }];
        check(&[ADA], assign(None, Some(READER)), "Ada 님이 작업을 회원님에게 맡겼습니다.");
        check(&[ADA], assign(Some(READER), Some(ADA)), "Ada 님이 회원님에게서 작업을 넘겨받았습니다.");
        check(&[ADA], assign(Some(READER), Some(GRACE)), "Ada 님이 담당자를 회원님에서 그레이스 님으로 바꾸었습니다.");
        check(&[ADA], assign(Some(ADA), Some(READER)), "Ada 님이 작업을 회원님에게 넘겼습니다.");
        check(&[ADA], assign(Some(READER), None), "Ada 님이 담당자에서 회원님을 제외했습니다.");
        check(&[ADA], assign(None, Some(ADA)), "Ada 님이 작업을 맡았습니다.");
    }
}
