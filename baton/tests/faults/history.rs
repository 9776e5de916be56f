//! What happened to a task, as its log tells it, and what that comes to for one reader. Written from the rules, not from the code
//! that is tested by it.

use std::collections::BTreeSet;

use serde_json::Value;

/// A kind of news, as in a person's preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Assigned,
    Status,
    Edited,
    Deleted,
}

pub(crate) const KINDS: [Kind; 4] = [Kind::Assigned, Kind::Status, Kind::Edited, Kind::Deleted];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Status => "status",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
        }
    }

    pub(crate) fn of_field(field: &str) -> Self {
        match field {
            "assignee" => Self::Assigned,
            "status" => Self::Status,
            _ => Self::Edited,
        }
    }
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) version: u64,
    pub(crate) actor: String,
    pub(crate) is_created: bool,
    pub(crate) is_deleted: bool,
    /// Name, from, to.
    pub(crate) fields: Vec<(String, Value, Value)>,
    pub(crate) creator: String,
    pub(crate) assignee_before: Option<String>,
    pub(crate) assignee_after: Option<String>,
}

impl Entry {
    /// Whether it is this person's business by itself: theirs to do, taken from them, or made by them; and not their own act.
    pub(crate) fn concerns(&self, person: &str) -> bool {
        let holds = |it: &Option<String>| it.as_deref() == Some(person);
        self.actor != person && (holds(&self.assignee_after) || holds(&self.assignee_before) || self.creator == person)
    }

    /// What kinds of news it is.
    pub(crate) fn kinds(&self) -> BTreeSet<Kind> {
        if self.is_created {
            return [Kind::Assigned].into();
        }
        if self.is_deleted {
            return [Kind::Deleted].into();
        }
        self.fields.iter().map(|(name, ..)| Kind::of_field(name)).collect()
    }
}

/// A log as the API answers it, newest first, read oldest first.
pub(crate) fn entries(log: &[Value]) -> Vec<Entry> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut entries: Vec<Entry> = Vec::new();
    for change in log.iter().rev() {
        let fields: Vec<(String, Value, Value)> = change["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| (text(&it["name"]), it["from"].clone(), it["to"].clone()))
            .collect();
        let before = entries.last().and_then(|it| it.assignee_after.clone());
        let handed = fields.iter().find(|(name, ..)| name == "assignee").map(|(_, _, to)| to.as_str().map(str::to_owned));
        entries.push(Entry {
            version: change["version"].as_u64().unwrap_or_default(),
            actor: text(&change["actor"]),
            is_created: change["kind"] == "created",
            is_deleted: change["kind"] == "deleted",
            fields,
            creator: entries.first().map_or_else(|| text(&change["actor"]), |it| it.creator.clone()),
            assignee_after: handed.unwrap_or_else(|| before.clone()),
            assignee_before: before,
        });
    }
    entries
}

/// What a span of a log comes to for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    Nothing,
    /// A new task, told whole.
    Created,
    Deleted,
    /// These fields are not where the reader knew them.
    Updated(BTreeSet<String>),
}

/// A field's news for a reader.
struct News<'a> {
    field: &'a str,
    /// One of the changes behind it was the reader's business by itself.
    is_theirs: bool,
}

/// Whom a span is told to, and what of it.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) reader: &'a str,
    pub(crate) watching: bool,
    /// The versions and kinds of news told of; what else was the reader's business was told otherwise, or was not wanted.
    pub(crate) told_of: &'a Covered,
    /// Only what is theirs by the change itself, and not because the task came back to them at its end.
    pub(crate) strictly: bool,
    /// Whether a new task is told as a whole, and not field by field.
    pub(crate) whole: bool,
}

impl Reading<'_> {
    fn tells(&self, entry: &Entry, kind: Kind) -> bool {
        self.told_of.contains(&(entry.version, kind))
    }

    fn knows(&self, entry: &Entry, kind: Kind) -> bool {
        let is_theirs = self.watching || entry.concerns(self.reader);
        entry.actor == self.reader || (is_theirs && !self.tells(entry, kind))
    }
}

/// Every version of a span with every kind.
pub(crate) fn everything(span: &[Entry]) -> Covered {
    span.iter().flat_map(|it| KINDS.map(|kind| (it.version, kind))).collect()
}

/// What kinds of news a span is for a reader: those of the changes that are theirs, and of what they come to. A new task is one piece
/// of news, about its assignment.
pub(crate) fn kinds_of(span: &[Entry], reader: &str, watching: bool) -> BTreeSet<Kind> {
    let told_of = everything(span);
    let theirs = span.iter().filter(|it| it.concerns(reader) || (watching && it.actor != reader));
    let mut kinds: BTreeSet<Kind> = theirs.flat_map(Entry::kinds).collect();
    match net(span, Reading { reader, watching, told_of: &told_of, strictly: false, whole: true }) {
        Net::Created => return [Kind::Assigned].into(),
        Net::Updated(fields) => kinds.extend(fields.iter().map(|it| Kind::of_field(it))),
        // Whoever had it when the span began hears that it is gone, also where somebody took it from them first.
        Net::Deleted => kinds.extend([Kind::Deleted]),
        Net::Nothing => {}
    }
    kinds
}

/// What `span` comes to for a reader.
pub(crate) fn net(span: &[Entry], reading: Reading<'_>) -> Net {
    let Reading { reader, watching, told_of, strictly, whole } = reading;
    let (Some(first), Some(last)) = (span.first(), span.last()) else { return Net::Nothing };
    let own_hand_over = span.iter().rev().find(|it| it.actor == reader && it.fields.iter().any(|(name, ..)| name == "assignee"));
    let knew_as_theirs =
        own_hand_over.map_or(first.assignee_before.as_deref(), |it| it.assignee_after.as_deref()) == Some(reader);
    let holds = last.assignee_after.as_deref() == Some(reader);
    let is_known = knew_as_theirs || last.creator == reader || watching;
    if last.is_deleted {
        let is_news = last.actor != reader && !first.is_created && is_known && reading.tells(last, Kind::Deleted);
        return if is_news { Net::Deleted } else { Net::Nothing };
    }
    if !holds && !is_known {
        return Net::Nothing;
    }
    let news = news(span, reading);
    if whole && first.is_created && first.actor != reader {
        let all = everything(span);
        let of_all = self::news(span, Reading { told_of: &all, ..reading });
        let handed_over = holds && of_all.iter().any(|it| it.field == "assignee");
        let looked_on = watching && span.iter().all(|it| it.actor != reader);
        if (handed_over || looked_on) && reading.tells(first, Kind::Assigned) {
            return Net::Created;
        }
    }
    let came_back = first.assignee_before.as_deref() == Some(reader) && holds && own_hand_over.is_none();
    let kinds: BTreeSet<Kind> = told_of.iter().map(|(_, kind)| *kind).collect();
    let told: BTreeSet<String> = news
        .iter()
        .filter(|it| kinds.contains(&Kind::of_field(it.field)) && (it.is_theirs || (came_back && !strictly)))
        .map(|it| it.field.to_owned())
        .collect();
    if told.is_empty() { Net::Nothing } else { Net::Updated(told) }
}

/// Each field that others left elsewhere than the reader knew it: from the start of the span, or from the reader's own last word.
fn news<'a>(span: &'a [Entry], reading: Reading<'_>) -> Vec<News<'a>> {
    let names: BTreeSet<&str> = span.iter().flat_map(|it| &it.fields).map(|(name, ..)| name.as_str()).collect();
    let mut news = Vec::new();
    for field in names {
        let steps: Vec<(&Entry, &Value, &Value)> = span
            .iter()
            .flat_map(|it| it.fields.iter().filter(|(name, ..)| name == field).map(move |(_, from, to)| (it, from, to)))
            .collect();
        let unseen = steps.iter().rposition(|(it, ..)| reading.knows(it, Kind::of_field(field))).map_or(0, |own| own + 1);
        let (Some((_, from, _)), Some((_, _, to))) = (steps[unseen..].first(), steps.last()) else { continue };
        // The text of a description is not in the log: that somebody edited it is news by itself.
        if field != "description" && plain(field, from) == plain(field, to) {
            continue;
        }
        let is_theirs = reading.watching || steps[unseen..].iter().any(|(it, ..)| it.concerns(reading.reader));
        news.push(News { field, is_theirs });
    }
    news
}

/// A value in one spelling: what is not set is spelled in several ways.
fn plain(field: &str, value: &Value) -> String {
    match (field, value) {
        ("priority", Value::Null) => "\"none\"".to_owned(),
        ("labels", Value::Null) => "[]".to_owned(),
        _ => value.to_string(),
    }
}

/// A part of what one mail tells of a task: a span as it was planned, and of which kinds.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) surely: BTreeSet<Kind>,
    pub(crate) maybe: BTreeSet<Kind>,
}

/// Versions and the kinds of news in them that a mail is about.
pub(crate) type Covered = BTreeSet<(u64, Kind)>;

/// Whether these parts, of the log of one task, can come to what was told. Kinds are looked at one by one, since each was wanted in a
/// part or not by a choice of its own.
pub(crate) fn can_come_to(log: &[Entry], reader: &str, watching: bool, parts: &[Planned], told: &Net) -> bool {
    let (Some(from), Some(to)) = (parts.iter().map(|it| it.from).min(), parts.iter().map(|it| it.to).max()) else {
        return *told == Net::Nothing;
    };
    // Of a task that is gone nothing may be told any more, where that is news of theirs by itself or their own act.
    let later = &log[to as usize..];
    let is_theirs = |it: &Entry| watching || it.actor == reader || it.concerns(reader);
    if *told == Net::Nothing && later.last().is_some_and(|it| it.is_deleted && is_theirs(it)) {
        return true;
    }
    // What the reader did right after it counts, as far as it had happened when the mail was made.
    let own = later.iter().take_while(|it| it.actor == reader).count();
    let span = |known: usize| &log[from as usize - 1..to as usize + known];
    (0..=own).any(|known| span_can_come_to(span(known), reader, watching, parts, told))
}

fn span_can_come_to(span: &[Entry], reader: &str, watching: bool, parts: &[Planned], told: &Net) -> bool {
    let comes_to =
        |told_of: &Covered, strictly: bool, whole: bool| net(span, Reading { reader, watching, told_of, strictly, whole });
    let any = |kind: Kind, check: &dyn Fn(&Covered) -> bool| {
        (0..1_u32 << parts.len().min(MOST_DOUBTS)).any(|doubts| {
            let is_in = |(index, part): &(usize, &Planned)| {
                let is_on = doubts >> (*index).min(MOST_DOUBTS - 1) & 1 == 1;
                part.surely.contains(&kind) || (is_on && part.maybe.contains(&kind))
            };
            let covered = parts.iter().enumerate().filter(is_in);
            check(&covered.flat_map(|(_, part)| (part.from..=part.to).map(move |version| (version, kind))).collect())
        })
    };
    let has = |net: &Net, field: &str| matches!(net, Net::Updated(fields) if fields.contains(field));
    let can_be_left_out = || {
        any(Kind::Assigned, &|told_of| comes_to(told_of, true, true) != Net::Created)
            && any(Kind::Deleted, &|told_of| comes_to(told_of, true, true) != Net::Deleted)
    };
    let fields = || span.iter().flat_map(|it| &it.fields).map(|(name, ..)| name.as_str()).collect::<BTreeSet<&str>>();
    let is_as_told = |told: &BTreeSet<String>| {
        fields().into_iter().all(|field| {
            let is_told = told.contains(field);
            any(Kind::of_field(field), &|told_of| has(&comes_to(told_of, !is_told, false), field) == is_told)
        })
    };
    match told {
        Net::Created => any(Kind::Assigned, &|told_of| comes_to(told_of, false, true) == Net::Created),
        Net::Deleted => any(Kind::Deleted, &|told_of| comes_to(told_of, false, true) == Net::Deleted),
        Net::Nothing => can_be_left_out() && is_as_told(&BTreeSet::new()),
        Net::Updated(told) => {
            let is_of_the_log = told.iter().all(|it| fields().contains(it.as_str()));
            !told.is_empty() && is_of_the_log && can_be_left_out() && is_as_told(told)
        }
    }
}

/// Parts of one mail whose choices are looked at one by one; those of further ones are as those of the last of these.
const MOST_DOUBTS: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log() -> Vec<Entry> {
        let step = |version: u64, actor: &str, field: &str, from: Value, to: Value| {
            let kind = if version == 1 { "created" } else { "updated" };
            json!({"version": version, "actor": actor, "kind": kind, "fields": [{"name": field, "from": from, "to": to}]})
        };
        let log = [
            step(1, "ada", "title", Value::Null, json!("Pump")),
            step(2, "ada", "assignee", Value::Null, json!("ben")),
            step(3, "ben", "status", json!("waiting"), json!("done")),
            step(4, "ada", "status", json!("done"), json!("waiting")),
            step(5, "ada", "assignee", json!("ben"), json!("cam")),
        ];
        entries(&log.into_iter().rev().collect::<Vec<_>>())
    }

    #[test]
    fn a_span_comes_to_what_its_reader_did_not_know() {
        let log = log();
        let fields = |names: &[&str]| Net::Updated(names.iter().map(|it| (*it).to_owned()).collect());
        let all = everything(&log);
        let reading = |reader| Reading { reader, watching: false, told_of: &all, strictly: true, whole: true };
        let check = |span: &[Entry], reader, expected: Net| assert_eq!(net(span, reading(reader)), expected, "{reader}");
        check(&log[..2], "ben", Net::Created);
        check(&log[..5], "ben", Net::Nothing);
        check(&log[..5], "cam", Net::Created);
        check(&log[1..4], "ada", Net::Nothing);
        check(&log[2..3], "ada", fields(&["status"]));
        check(&log[3..5], "ben", fields(&["assignee", "status"]));
        check(&log[2..5], "ben", fields(&["assignee", "status"]));
        check(&log[4..], "dee", Net::Nothing);
        assert_eq!(net(&log[4..], Reading { watching: true, ..reading("dee") }), fields(&["assignee"]));
        let status = [3, 4, 5].map(|version| (version, Kind::Status)).into();
        assert_eq!(net(&log[2..5], Reading { told_of: &status, ..reading("ben") }), fields(&["status"]));
        // What was told otherwise is where the news begins.
        let last = [(4, Kind::Status)].into();
        assert_eq!(net(&log[2..4], Reading { told_of: &last, ..reading("ada") }), Net::Nothing);
        assert_eq!(kinds_of(&log[..3], "ben", false), [Kind::Assigned].into());
        assert_eq!(kinds_of(&log[2..3], "ada", false), [Kind::Status].into());
    }
}
