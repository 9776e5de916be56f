use std::collections::BTreeSet;

use domain::{Change, Description, Membership, Project, ProjectId, Status, Task, TaskId, TaskSummary, UserId};

use super::ended::{EndedSessions, ended_sessions};
use super::members::{CURRENT, membership};
use super::projects::open_project;
use crate::changes::{change_item, description_item};
use crate::item::{Item, json, number, text, word};
use crate::keys::List;
use crate::table::back_off;
use crate::table::query::Query;
use crate::table::write::{Transacted, Write, transact};
use crate::{Changes, Page, Position, RequestHash, StoreError, Work, keys};

/// A task at the version that was read.
const AS_READ: &str = "#version = :read";

/// All that deciding about one task takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskContext {
    /// Absent also where it was deleted.
    pub project: Option<Project>,
    /// The person's current membership.
    pub membership: Option<Membership>,
    pub task: Option<Task>,
    /// Those of the person.
    pub ended_sessions: EndedSessions,
}

/// What became of the wish for a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskCreation {
    Created,
    /// It was made before, by a request of this hash; `exists` tells whether it still does.
    Replayed {
        first: Box<Change>,
        request_hash: Option<RequestHash>,
        exists: bool,
    },
}

impl Work {
    /// Project, the person's current membership, which of their sessions ended just now, and the task with its description, in one
    /// consistent read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn task_context(&self, project: ProjectId, user: UserId, task: TaskId) -> Result<TaskContext, StoreError> {
        let step = "read the task and who asks for it";
        let mut tries = 0;
        loop {
            let keys = vec![
                keys::project(project),
                keys::member(project, user),
                keys::ended(user),
                keys::task(project, task),
                keys::task_description(project, task),
            ];
            let items = self.table.get_many(step, keys).await?;
            if let Some(context) = task_context(&items)? {
                return Ok(context);
            }
            tries += 1;
            back_off(step, tries).await?;
        }
    }

    /// Stores a task and its first change, once per id. The hash of the request stays with the change, so it outlives the task.
    ///
    /// # Errors
    /// [`StoreError::AssigneeNotMember`].
    pub async fn create_task(
        &self,
        changes: &Changes,
        task: &Task,
        change: &Change,
        request_hash: Option<&RequestHash>,
    ) -> Result<TaskCreation, StoreError> {
        let step = "store the task";
        let mut writes =
            vec![Write::create(&self.table, task_item(task)?), Write::create(&changes.table, change_item(change, request_hash)?)];
        writes.extend(self.description_writes(changes, None, task, change));
        writes.extend(task.summary.assignee.map(|assignee| self.member_check(task.summary.project, assignee)));
        match transact(step, writes).await? {
            Transacted::Done => Ok(TaskCreation::Created),
            Transacted::Refused(places) if is_about_task(&places) => {
                let (first, request_hash) =
                    changes.first(change.project, change.task).await?.ok_or(StoreError::Conflict { step })?;
                let task = self.table.get("read the task made before", keys::task(change.project, change.task)).await?;
                Ok(TaskCreation::Replayed { first: Box::new(first), request_hash, exists: task.is_some() })
            }
            Transacted::Refused(_) => Err(StoreError::AssigneeNotMember),
        }
    }

    /// Stores a changed task and its change, where the task is still as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not; [`StoreError::AssigneeNotMember`] for a new assignee.
    pub async fn save_task(&self, changes: &Changes, before: &Task, after: &Task, change: &Change) -> Result<(), StoreError> {
        let step = "store the changed task";
        let mut writes = vec![
            Write::put(&self.table, task_item(after)?).when(AS_READ).value(":read", number(before.summary.version.0)),
            Write::create(&changes.table, change_item(change, None)?),
        ];
        writes.extend(self.description_writes(changes, Some(before), after, change));
        let new_assignee = after.summary.assignee.filter(|it| before.summary.assignee != Some(*it));
        writes.extend(new_assignee.map(|assignee| self.member_check(after.summary.project, assignee)));
        match transact(step, writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(places) if is_about_task(&places) => Err(StoreError::Conflict { step }),
            Transacted::Refused(_) => Err(StoreError::AssigneeNotMember),
        }
    }

    /// The descriptions that go with a change: the task's own, and the copy beside the change.
    fn description_writes(&self, changes: &Changes, before: Option<&Task>, after: &Task, change: &Change) -> Vec<Write> {
        let TaskSummary { project, id, .. } = after.summary;
        let key = keys::task_description(project, id);
        let mut writes = Vec::new();
        let unchanged = before.map_or(after.description.is_empty(), |it| it.description == after.description);
        if !unchanged {
            writes.push(if after.description.is_empty() {
                Write::delete(&self.table, key)
            } else {
                Write::put(&self.table, Item::new(key).with("description", text(after.description.as_str())))
            });
        }
        if change.has_description() {
            writes.push(Write::create(&changes.table, description_item(change, &after.description)));
        }
        writes
    }

    fn member_check(&self, project: ProjectId, user: UserId) -> Write {
        Write::check(&self.table, keys::member(project, user)).when(CURRENT)
    }

    /// Takes a task away and stores its last change, where the task is still as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not.
    pub async fn delete_task(&self, changes: &Changes, task: &Task, change: &Change) -> Result<(), StoreError> {
        let step = "delete the task";
        let TaskSummary { project, id, version, .. } = task.summary;
        let mut writes = vec![
            Write::delete(&self.table, keys::task(project, id)).when(AS_READ).value(":read", number(version.0)),
            Write::create(&changes.table, change_item(change, None)?),
        ];
        if !task.description.is_empty() {
            writes.push(Write::delete(&self.table, keys::task_description(project, id)));
        }
        transact(step, writes).await?.or_conflict(step)
    }

    /// A project's tasks, newest first; of one status, if asked.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn project_tasks(
        &self,
        project: ProjectId,
        status: Option<Status>,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<TaskSummary>, StoreError> {
        let list = match status {
            Some(status) => List::ProjectTasksOfStatus(project, status),
            None => List::ProjectTasks(project),
        };
        let query = Query::list(&self.table, &list, after)?.backward();
        query.page("list the project's tasks", &list, limit).await?.try_map(|it| task_summary(&it))
    }

    /// A person's tasks over all projects they are a member of now, by status, then due date, then age; of one status, if asked.
    /// A page can be shorter than its limit and still have a next one: tasks of projects left or deleted are left out.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn person_tasks(
        &self,
        user: UserId,
        status: Option<Status>,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<TaskSummary>, StoreError> {
        let list = List::PersonTasks(user, status);
        let page = Query::list(&self.table, &list, after)?.page("list the person's tasks", &list, limit).await?;
        let Page { mut items, next } = page.try_map(|it| task_summary(&it))?;
        let projects: BTreeSet<ProjectId> = items.iter().map(|it| it.project).collect();
        let keys = projects.iter().flat_map(|it| [keys::project(*it), keys::member(*it, user)]).collect();
        let (mut open, mut joined) = (BTreeSet::new(), BTreeSet::new());
        for item in self.table.get_many("read the projects of the person's tasks", keys).await? {
            if item.text("sk")? == "PROJECT" {
                open.extend(open_project(&item)?.map(|it| it.id));
            } else {
                joined.extend(Some(membership(&item)?).filter(Membership::is_current).map(|it| it.project));
            }
        }
        items.retain(|it| open.contains(&it.project) && joined.contains(&it.project));
        Ok(Page { items, next })
    }
}

/// The task and its change come first in every transaction: their refusal outweighs that of what follows.
fn is_about_task(refused: &[usize]) -> bool {
    refused.iter().any(|place| *place < 2)
}

/// What a description is recognised by. The task's own item carries it, because a batch read may come between the two items of
/// one transaction: then the mark does not fit the description and both are read again.
fn mark(description: &Description) -> Option<String> {
    (!description.is_empty()).then(|| keys::sha256_hex(description.as_str())[..16].to_owned())
}

/// Nothing, if the items are not of one moment.
fn task_context(items: &[Item]) -> Result<Option<TaskContext>, StoreError> {
    let mut context = TaskContext::default();
    let mut summary = None;
    let mut description = Description::default();
    for item in items {
        match item.text("sk")? {
            "PROJECT" => context.project = open_project(item)?,
            "ENDED" => context.ended_sessions = ended_sessions(item)?,
            sort if sort.starts_with("MEMBER#") => {
                context.membership = Some(membership(item)?).filter(Membership::is_current);
            }
            sort if sort.ends_with("#DESCRIPTION") => description = item.word("description")?,
            _ => summary = Some((task_summary(item)?, item.some_word::<String>("description_mark")?)),
        }
    }
    let Some((summary, expected)) = summary else { return Ok(Some(context)) };
    if mark(&description) != expected {
        return Ok(None);
    }
    context.task = Some(Task { summary, description });
    Ok(Some(context))
}

/// An item of up to 1,024 octets is one write unit, so what the key says is not said again, and two indexes sort by one attribute.
fn task_item(task: &Task) -> Result<Item, StoreError> {
    let Task { summary, description } = task;
    let TaskSummary {
        id,
        project,
        title,
        status,
        assignee,
        priority,
        due_on,
        labels,
        created_by,
        created_at,
        updated_by,
        updated_at,
        version,
    } = summary;
    let item = Item::new(keys::task(*project, *id))
        .with("title", text(title))
        .with("status", text(status.as_str()))
        .with("priority", word(priority)?)
        .with_some("due_on", due_on.map(text))
        .with("labels", json(labels)?)
        .with("created_by", text(created_by))
        .with("created_at", text(keys::timestamp(*created_at)))
        .with("updated_by", text(updated_by))
        .with("updated_at", text(keys::timestamp(*updated_at)))
        .with("version", number(version.0))
        .with_some("description_mark", mark(description).map(text))
        .with("time_pk", text(keys::project_partition(*project)))
        .with("time_sk", text(keys::task_by_time(summary)))
        .with("status_pk", text(keys::status_partition(*project, *status)));
    Ok(match assignee {
        Some(assignee) => item
            .with("assignee", text(assignee))
            .with("person_pk", text(keys::person_partition(*assignee)))
            .with("person_sk", text(keys::task_by_person(summary))),
        None => item,
    })
}

fn task_summary(item: &Item) -> Result<TaskSummary, StoreError> {
    let (partition, sort) = (item.text("pk")?, item.text("sk")?);
    let corrupt = || StoreError::Corrupt { what: format!("{partition} / {sort} is not the key of a task") };
    let (project, id) = keys::task_of_key(partition, sort).ok_or_else(corrupt)?;
    Ok(TaskSummary {
        id,
        project,
        title: item.word("title")?,
        status: item.word("status")?,
        assignee: item.some_word("assignee")?,
        priority: item.word("priority")?,
        due_on: item.some_word("due_on")?,
        labels: item.json("labels")?,
        created_by: item.word("created_by")?,
        created_at: item.word("created_at")?,
        updated_by: item.word("updated_by")?,
        updated_at: item.word("updated_at")?,
        version: domain::Version(item.number("version")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at, summary};

    fn described(text: &str) -> Task {
        Task { summary: summary(), description: text.to_owned().try_into().expect("a description") }
    }

    fn stored_description(of: &str) -> Item {
        Item::new(keys::task_description(PROJECT, TASK)).with("description", text(of))
    }

    fn context_task(items: &[Item]) -> Option<Option<Task>> {
        task_context(items).expect("a context").map(|it| it.task)
    }

    #[test]
    fn a_task_survives_storage() {
        let labels = serde_json::from_str(r#"["urgent", "north"]"#).expect("labels");
        let mut before = described("");
        before.summary.labels = labels;
        let item = task_item(&before).expect("an item");
        assert_eq!(task_summary(&item).ok().as_ref(), Some(&before.summary));
        before.summary.assignee = None;
        before.summary.due_on = None;
        let item = task_item(&before).expect("an item");
        assert!(!item.has("person_pk") && !item.has("person_sk"));
        assert_eq!(task_summary(&item).ok(), Some(before.summary));
    }

    #[test]
    fn a_task_with_a_long_title_is_one_write_unit() {
        let mut task = described("");
        task.summary.title = "한".repeat(85).parse().expect("a title");
        let item = task_item(&task).expect("an item");
        assert!(item.octets_stored() <= 1_024, "{}", item.octets_stored());
    }

    #[test]
    fn a_task_and_a_description_of_two_moments_are_read_again() {
        let item = task_item(&described("now")).expect("an item");
        assert_eq!(context_task(&[stored_description("now"), item.clone()]), Some(Some(described("now"))));
        assert_eq!(context_task(&[item.clone(), stored_description("then")]), None);
        assert_eq!(context_task(&[item]), None);
        assert_eq!(context_task(&[task_item(&described("")).expect("an item"), stored_description("then")]), None);
        assert_eq!(context_task(&[]), Some(None));
    }

    #[test]
    fn who_has_left_has_no_membership_in_a_context() {
        let joined_at = at("2026-11-20T11:00:00Z");
        let left = Membership { project: PROJECT, user: USER, role: domain::Role::Owner, joined_at, left_at: Some(joined_at) };
        let item = super::super::members::membership_item(&left).expect("an item");
        assert_eq!(task_context(&[item]).ok().flatten().and_then(|it| it.membership), None);
    }
}
