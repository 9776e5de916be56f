mod letter;

use domain::{
    Device, FieldChange, Label, Labels, Letter, NetChange, NetKind, NoticeKind, Priority, ProjectName, Reason, Status,
    TimeZoneName, UserId,
};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::language::{Detail, FIELDS_IN_A_SENTENCE, Language, LetterWords, People, is_lead, quotable};

/// Mails in English.
#[derive(Clone, Copy, Debug)]
pub(crate) struct English;

impl Language for English {
    fn tag(&self) -> &'static str {
        "en"
    }

    fn headline(&self, net: &NetChange, people: &People) -> String {
        let who = capitalised(&list(net.actors.iter().map(|it| name(*it, people)).collect()));
        let told = &net.fields[..net.fields.len().min(FIELDS_IN_A_SENTENCE)];
        let more = net.fields.len() - told.len();
        let what = match (net.kind, net.actors.as_slice()) {
            (NetKind::Created, _) if net.reason == Reason::Watcher => "made a new task".to_owned(),
            (NetKind::Created, _) => "gave you a new task".to_owned(),
            (NetKind::Deleted, _) => "deleted it".to_owned(),
            (NetKind::Updated, [actor]) => {
                let mut phrases: Vec<String> = told.iter().map(|it| phrase(it, *actor, people)).collect();
                phrases.extend(more_changes(more));
                list(phrases)
            }
            (NetKind::Updated, _) => {
                let mut ways: Vec<String> = told
                    .iter()
                    .map(|it| self.detail(it, people))
                    .map(|Detail { label, value }| format!("{} {value}", label.to_lowercase()))
                    .collect();
                ways.extend(more_changes(more));
                format!("changed it: {}", list(ways))
            }
        };
        format!("{who} {what}.")
    }

    fn detail(&self, field: &FieldChange, people: &People) -> Detail {
        let person = |user: &Option<UserId>| user.map_or_else(|| "nobody".to_owned(), |it| name(it, people));
        let (label, value) = match field {
            FieldChange::Title { from, to } => ("Title", way(from.as_ref().map(|it| quoted(it.as_str())), &quoted(to.as_str()))),
            FieldChange::Description => ("Description", "edited".to_owned()),
            FieldChange::Status { from, to } => ("Status", way(from.map(|it| status(it).to_owned()), status(*to))),
            FieldChange::Assignee { from, to } => ("Assignee", way(from.as_ref().map(|_| person(from)), &person(to))),
            FieldChange::Priority { from, to } => {
                let from = from.filter(|it| *it != Priority::None);
                ("Priority", way(from.map(|it| priority(it).to_owned()), priority(*to)))
            }
            FieldChange::DueOn { from, to } => ("Due", way(from.map(date), &to.map_or_else(|| "no date".to_owned(), date))),
            FieldChange::Labels { from, to } => {
                let from = (!from.is_empty()).then(|| labels(from.as_slice()));
                ("Labels", way(from, &if to.is_empty() { "none".to_owned() } else { labels(to.as_slice()) }))
            }
        };
        Detail { label, value }
    }

    fn why(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Assignee => "You get this because the task is yours.",
            Reason::FormerAssignee => "You get this because the task was yours.",
            Reason::Creator => "You get this because you created the task.",
            Reason::Watcher => "You get this because you watch the task or its project.",
        }
    }

    fn when(&self, at: Timestamp, zone: &TimeZoneName) -> String {
        let local = at.to_zoned(zone.time_zone());
        format!("{} ({zone})", local.strftime("%A, %-d %B %Y, %H:%M"))
    }

    fn several_tasks(&self, tasks: usize) -> String {
        match tasks {
            1 => "one task changed".to_owned(),
            tasks => format!("{tasks} tasks changed"),
        }
    }

    fn several_projects(&self, tasks: usize, projects: usize) -> String {
        format!("{tasks} tasks changed in {projects} projects")
    }

    fn rest(&self, tasks: usize) -> String {
        match tasks {
            1 => "One more task changed.".to_owned(),
            tasks => format!("{tasks} more tasks changed."),
        }
    }

    fn digest(&self, tasks: usize, projects: usize) -> String {
        match projects {
            0 | 1 => format!("Your day in Baton: {}", self.several_tasks(tasks)),
            projects => format!("Your day in Baton: {}", self.several_projects(tasks, projects)),
        }
    }

    fn stop_kind(&self, kind: NoticeKind) -> &'static str {
        match kind {
            NoticeKind::Assigned => "Stop mails about assignments",
            NoticeKind::Status => "Stop mails about changes of status",
            NoticeKind::Edited => "Stop mails about edits",
            NoticeKind::Deleted => "Stop mails about deleted tasks",
        }
    }

    fn quoted(&self, text: &str) -> String {
        quoted(text)
    }

    fn stop_project(&self, project: &ProjectName) -> String {
        let project =
            quotable(project.as_str()).map_or_else(|| "this project".to_owned(), |it| format!("the project {}", quoted(it)));
        format!("Stop mails about {project}")
    }

    fn stop_everything(&self) -> &'static str {
        "Stop all mails about tasks"
    }

    fn letter(&self, letter: &Letter, zone: &TimeZoneName) -> LetterWords {
        letter::words(letter, zone)
    }

    fn device(&self, device: &Device) -> String {
        let place = match (device.browser(), device.system()) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => "Unknown device".to_owned(),
        };
        match device.network_address {
            Some(address) => format!("{place}, network address {}", address.to_canonical()),
            None => place,
        }
    }
}

fn phrase(field: &FieldChange, actor: UserId, people: &People) -> String {
    match field {
        FieldChange::Title { from: Some(from), to } => {
            format!("renamed it from {} to {}", quoted(from.as_str()), quoted(to.as_str()))
        }
        FieldChange::Title { from: None, to } => format!("named it {}", quoted(to.as_str())),
        FieldChange::Description => "edited the description".to_owned(),
        FieldChange::Status { from: Some(from), to } => format!("moved it from {} to {}", status(*from), status(*to)),
        FieldChange::Status { from: None, to } => format!("set it to {}", status(*to)),
        FieldChange::Assignee { from, to } => assignment(*from, *to, actor, people),
        FieldChange::Priority { from: None | Some(Priority::None), to } => format!("set the priority to {}", priority(*to)),
        FieldChange::Priority { from: Some(from), to } => {
            format!("changed the priority from {} to {}", priority(*from), priority(*to))
        }
        FieldChange::DueOn { from: None, to: Some(to) } => format!("set the due date to {}", date(*to)),
        FieldChange::DueOn { from: Some(from), to: Some(to) } => {
            format!("moved the due date from {} to {}", date(*from), date(*to))
        }
        FieldChange::DueOn { from: Some(from), to: None } => format!("removed the due date, which was {}", date(*from)),
        FieldChange::DueOn { from: None, to: None } => "removed the due date".to_owned(),
        FieldChange::Labels { from, to } => relabelling(from, to),
    }
}

fn assignment(from: Option<UserId>, to: Option<UserId>, actor: UserId, people: &People) -> String {
    let from_name = from.map(|it| name(it, people));
    match (from_name, to) {
        (None, Some(to)) if to == actor => "took it on".to_owned(),
        (Some(from), Some(to)) if to == actor => format!("took it over from {from}"),
        (Some(_), Some(to)) if from == Some(actor) => format!("handed it over to {}", name(to, people)),
        (Some(_), None) if from == Some(actor) => "laid it down, so that nobody has it now".to_owned(),
        (None, Some(to)) => format!("assigned it to {}", name(to, people)),
        (Some(from), Some(to)) => format!("reassigned it from {from} to {}", name(to, people)),
        (Some(from), None) => format!("took it from {from}, so that nobody has it now"),
        (None, None) => "left it unassigned".to_owned(),
    }
}

fn relabelling(from: &Labels, to: &Labels) -> String {
    let added = without(to, from);
    let removed = without(from, to);
    let noun = |labels: &[Label]| if labels.len() == 1 { "label" } else { "labels" };
    match (added.as_slice(), removed.as_slice()) {
        ([], []) => "put the labels in another order".to_owned(),
        (added, []) => format!("added the {} {}", noun(added), labels(added)),
        ([], removed) => format!("removed the {} {}", noun(removed), labels(removed)),
        (added, removed) => format!("replaced the {} {} by {}", noun(removed), labels(removed), labels(added)),
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
        return "you".to_owned();
    }
    people.name(user).map_or_else(|| "a former member".to_owned(), |it| if is_lead(it) { quoted(it) } else { it.to_owned() })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Waiting => "waiting",
        Status::InProgress => "in progress",
        Status::Done => "done",
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::None => "none",
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

fn date(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

fn quoted(text: &str) -> String {
    format!("“{text}”")
}

fn way(from: Option<String>, to: &str) -> String {
    from.map_or_else(|| to.to_owned(), |from| format!("{from} → {to}"))
}

fn more_changes(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("made one more change".to_owned()),
        count => Some(format!("made {count} more changes")),
    }
}

/// "a", "a and b", "a, b and c".
fn list(mut items: Vec<String>) -> String {
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    text.strip_prefix("a former member").map_or_else(|| text.to_owned(), |rest| format!("A former member{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ADA, GRACE, READER, STRANGER, net, people};

    fn check(actors: &[UserId], fields: Vec<FieldChange>, expected: &str) {
        assert_eq!(English.headline(&net(NetKind::Updated, actors, fields), &people()), expected);
    }

    #[test]
    fn a_sentence_says_who_did_what_from_what_to_what() {
        let moved = FieldChange::Status { from: Some(Status::Waiting), to: Status::InProgress };
        let due = FieldChange::DueOn { from: None, to: Some(jiff::civil::date(2026, 11, 24)) };
        check(&[ADA], vec![moved.clone()], "Ada moved it from waiting to in progress.");
        check(&[STRANGER], vec![moved.clone()], "A former member moved it from waiting to in progress.");
        check(
            &[ADA],
            vec![moved.clone(), due.clone()],
            "Ada moved it from waiting to in progress and set the due date to 24 November 2026.",
        );
        check(
            &[ADA],
            vec![moved.clone(), due.clone(), FieldChange::Description],
            "Ada moved it from waiting to in progress, set the due date to 24 November 2026 and made one more change.",
        );
        check(
            &[ADA, GRACE],
            vec![moved, due],
            "Ada and 그레이스 changed it: status waiting → in progress and due 24 November 2026.",
        );
    }

    #[test]
    fn a_task_changes_hands_in_plain_words() {
        let assign = |from, to| vec![FieldChange::Assignee { from, to }];
        check(&[ADA], assign(None, Some(READER)), "Ada assigned it to you.");
        check(&[ADA], assign(Some(READER), Some(ADA)), "Ada took it over from you.");
        check(&[ADA], assign(Some(READER), Some(GRACE)), "Ada reassigned it from you to 그레이스.");
        check(&[ADA], assign(Some(ADA), Some(READER)), "Ada handed it over to you.");
        check(&[ADA], assign(Some(READER), None), "Ada took it from you, so that nobody has it now.");
        check(&[ADA], assign(None, Some(ADA)), "Ada took it on.");
        check(&[ADA], assign(Some(STRANGER), Some(READER)), "Ada reassigned it from a former member to you.");
    }
}
