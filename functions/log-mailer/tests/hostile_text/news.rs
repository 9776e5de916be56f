//! Mails about tasks: who did what to how many of them, in whatever words.

use std::ops::RangeInclusive;

use domain::{
    FieldChange, Label, Labels, Locale, Name, NetChange, NetKind, Notify, Priority, Profile, ProjectId, ProjectName, Reason,
    Status, TaskId, TimeZoneName, Title, UserId, Version,
};
use jiff::Timestamp;
use jiff::civil::Date;
use log_mailer::fuzzing::{Occasion, People, TaskNews, task_mail};
use log_mailer::{Letterhead, Mail};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::words::{Words, accepted, typed};

pub(crate) const MOST_TASKS: usize = 30;

const PEOPLE: u128 = 5;
const PROJECTS: usize = 3;
const ZONES: [&str; 3] = ["UTC", "Asia/Seoul", "America/New_York"];

/// A mail about tasks, with what people typed as they typed it.
#[derive(Clone, Debug)]
pub(crate) struct NewsCase {
    locale: Locale,
    zone: &'static str,
    occasion: Occasion,
    /// Of the people mails speak of; the last of them is gone.
    names: Vec<String>,
    projects: Vec<String>,
    tasks: Vec<Task>,
}

#[derive(Clone, Debug)]
struct Task {
    project: usize,
    title: String,
    kind: NetKind,
    reason: Reason,
    actors: Vec<u128>,
    at: i64,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
enum Field {
    Title { from: Option<String>, to: String },
    Description,
    Status { from: Option<Status>, to: Status },
    Assignee { from: Option<u128>, to: Option<u128> },
    Priority { from: Option<Priority>, to: Priority },
    DueOn { from: Option<Date>, to: Option<Date> },
    Labels { from: Vec<String>, to: Vec<String> },
}

pub(crate) fn news_case(tasks: RangeInclusive<usize>) -> impl Strategy<Value = NewsCase> {
    let few = *tasks.start()..=usize::min(3, *tasks.end());
    let tasks = prop_oneof![6 => prop::collection::vec(task(), few), 1 => prop::collection::vec(task(), tasks)];
    let names = prop::collection::vec(typed(), PEOPLE as usize - 1);
    let projects = prop::collection::vec(typed(), PROJECTS);
    let occasion = select(vec![Occasion::Changes, Occasion::Digest]);
    (locale(), select(&ZONES[..]), occasion, names, projects, tasks)
        .prop_map(|(locale, zone, occasion, names, projects, tasks)| NewsCase { locale, zone, occasion, names, projects, tasks })
}

pub(crate) fn locale() -> impl Strategy<Value = Locale> {
    select(vec![Locale::En, Locale::Ko])
}

fn task() -> impl Strategy<Value = Task> {
    let kind = select(vec![NetKind::Created, NetKind::Updated, NetKind::Updated, NetKind::Updated, NetKind::Deleted]);
    let reason = select(vec![Reason::Assignee, Reason::FormerAssignee, Reason::Creator, Reason::Watcher]);
    let actors = prop::sample::subsequence((2..=PEOPLE).collect::<Vec<_>>(), 1..=2);
    let at = 1_700_000_000..1_900_000_000_i64;
    let fields = prop::collection::vec(field(), 1..=4);
    (0..PROJECTS, typed(), kind, reason, actors, at, fields).prop_map(|(project, title, kind, reason, actors, at, fields)| Task {
        project,
        title,
        kind,
        reason,
        actors,
        at,
        fields: if kind == NetKind::Deleted { Vec::new() } else { fields },
    })
}

fn field() -> impl Strategy<Value = Field> {
    let status = || select(vec![Status::Waiting, Status::InProgress, Status::Done]);
    let priority = || select(vec![Priority::None, Priority::Low, Priority::High, Priority::Urgent]);
    let person = || prop::option::of(1..=PEOPLE);
    let day = || prop::option::of(select(vec![jiff::civil::date(2026, 11, 24), jiff::civil::date(2027, 2, 28)]));
    let labels = || prop_oneof![9 => prop::collection::vec(typed(), 0..3), 1 => prop::collection::vec(typed(), Labels::MOST)];
    prop_oneof![
        3 => (prop::option::of(typed()), typed()).prop_map(|(from, to)| Field::Title { from, to }),
        1 => Just(Field::Description),
        1 => (prop::option::of(status()), status()).prop_map(|(from, to)| Field::Status { from, to }),
        1 => (person(), person()).prop_map(|(from, to)| Field::Assignee { from, to }),
        1 => (prop::option::of(priority()), priority()).prop_map(|(from, to)| Field::Priority { from, to }),
        1 => (day(), day()).prop_map(|(from, to)| Field::DueOn { from, to }),
        3 => (labels(), labels()).prop_map(|(from, to)| Field::Labels { from, to }),
    ]
}

impl NewsCase {
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn mail(&self, words: Words) -> Mail {
        let news: Vec<TaskNews> = self.tasks.iter().enumerate().map(|(place, it)| self.news(place, it, words)).collect();
        let names = self.names.iter().zip(1..).map(|(name, id)| (person(id), line::<Name>(name, Name::LONGEST, words)));
        let reader = reader(self.locale, self.zone);
        let people = People { reader: reader.id, names: names.collect() };
        task_mail(&letterhead(), &reader, self.occasion, &news, &people).expect("templates render")
    }

    fn news(&self, place: usize, task: &Task, words: Words) -> TaskNews {
        let Task { project, title, kind, reason, actors, at, fields } = task;
        let net = NetChange {
            project: ProjectId(Uuid::from_u128(100 + *project as u128)),
            task: TaskId(Uuid::from_u128(1_000 + place as u128)),
            version: Version(7),
            kind: *kind,
            title: line(title, Title::LONGEST, words),
            actors: actors.iter().map(|it| person(*it)).collect(),
            at: Timestamp::from_second(*at).expect("a time"),
            fields: fields.iter().map(|it| it.change(words)).collect(),
            reason: *reason,
        };
        TaskNews { project_name: line(&self.projects[*project], ProjectName::LONGEST, words), net }
    }
}

impl Field {
    fn change(&self, words: Words) -> FieldChange {
        match self {
            Self::Title { from, to } => FieldChange::Title {
                from: from.as_ref().map(|it| line(it, Title::LONGEST, words)),
                to: line(to, Title::LONGEST, words),
            },
            Self::Description => FieldChange::Description,
            Self::Status { from, to } => FieldChange::Status { from: *from, to: *to },
            Self::Assignee { from, to } => FieldChange::Assignee { from: from.map(person), to: to.map(person) },
            Self::Priority { from, to } => FieldChange::Priority { from: *from, to: *to },
            Self::DueOn { from, to } => FieldChange::DueOn { from: *from, to: *to },
            Self::Labels { from, to } => FieldChange::Labels { from: labels(from, words), to: labels(to, words) },
        }
    }
}

fn labels(typed: &[String], words: Words) -> Labels {
    let labels: Vec<Label> = typed.iter().map(|it| line(it, Label::LONGEST, words)).collect();
    Labels::try_from(labels).expect("no more labels than a task carries")
}

/// A line somebody typed, or a plain word.
pub(crate) fn line<T: TryFrom<String>>(typed: &str, longest: usize, words: Words) -> T {
    match words {
        Words::Typed => accepted(typed, longest),
        Words::Plain => accepted("plain", longest),
    }
}

fn person(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(crate) fn letterhead() -> Letterhead {
    Letterhead {
        sender: "mail@baton.example".parse().expect("an address"),
        web_origin: "https://baton.example".to_owned(),
        api_origin: "https://api.baton.example".to_owned(),
    }
}

/// The first of the people.
pub(crate) fn reader(locale: Locale, zone: &str) -> Profile {
    Profile {
        id: person(1),
        email: "rea@example.com".parse().expect("an address"),
        name: "Rea".parse().expect("a name"),
        locale,
        time_zone: TimeZoneName::try_from(zone.to_owned()).expect("a time zone"),
        notify: Notify::default(),
        unsubscribe_secret: [7; 32],
    }
}

/// So many tasks, moved by somebody, in plain words.
pub(crate) fn sample(locale: Locale, tasks: usize) -> Mail {
    let task = |number: usize| Task {
        project: 0,
        title: format!("Task {number}"),
        kind: NetKind::Updated,
        reason: Reason::Assignee,
        actors: vec![2],
        at: 1_800_000_000,
        fields: vec![Field::Status { from: Some(Status::Waiting), to: Status::Done }],
    };
    let names = (1..PEOPLE).map(|it| format!("Person {it}")).collect();
    let projects = vec!["Boiler room".to_owned(); PROJECTS];
    let tasks = (0..tasks).map(task).collect();
    NewsCase { locale, zone: "Asia/Seoul", occasion: Occasion::Changes, names, projects, tasks }.mail(Words::Typed)
}
