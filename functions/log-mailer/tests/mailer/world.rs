use std::pin::Pin;
use std::time::Duration;

use domain::{Membership, NewTask, Project, ProjectId, Role, Task, TaskId, TaskPatch, UserId, Version};
use dynoxide::Database;
use jiff::{SignedDuration, Timestamp};
use log_mailer::{Deadline, Invocation, LEASE, Mailer, Settings, handle};
use serde_json::{Value, json};
use store::{Changes, Claim, Clock, Delivery, Environment, Mail, Part, RecipientKey, Work};
use uuid::Uuid;

use crate::mail_queue::MailQueue;
use crate::post_office::{PostOffice, Sent};
use crate::tables;

/// A mailer, its tables and its mail service, at a time of their own.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) office: PostOffice,
    pub(crate) queue: MailQueue,
    pub(crate) mailer: Mailer,
    pub(crate) mail: Mail,
    pub(crate) changes: Changes,
    work: Work,
    pub(crate) database: Database,
    settings: Vec<(String, String)>,
}

impl World {
    /// Without a quiet window.
    pub(crate) async fn new() -> Self {
        Self::with_window(0).await
    }

    pub(crate) async fn with_window(seconds: u32) -> Self {
        let (dynamodb, database) = tables::serve().await;
        let clock = Clock::system();
        // A time of its own, at which no day ends soon, so that hours and zones can be counted on.
        let noon: Timestamp = "2027-03-10T12:00:00Z".parse().expect("a time");
        clock.set_offset(noon.duration_since(Timestamp::now()));
        let (office, queue) = (PostOffice::open().await, MailQueue::open(&clock).await);
        let settings = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
            ("AWS_ENDPOINT_URL_SESV2", &office.endpoint),
            ("AWS_ENDPOINT_URL_SQS", &queue.endpoint),
            ("WORK_TABLE", "work"),
            ("CHANGES_TABLE", "changes"),
            ("MAIL_TABLE", "mail"),
            ("SENDER", "mail@baton.example"),
            ("WEB_ORIGIN", "https://baton.example"),
            ("API_ORIGIN", "https://api.baton.example"),
            ("MAILS_PER_SECOND", "0"),
            ("MAILERS", "1"),
            ("QUIET_WINDOW_SECONDS", &seconds.to_string()),
            ("LONGEST_WAIT_SECONDS", "300"),
            ("LONGEST_SPACING_SECONDS", "900"),
            ("DEAD_LETTER_QUEUE_URL", "http://sqs.example/1/dead"),
            ("MAIL_QUEUE_URL", "http://sqs.example/1/mail"),
        ];
        let settings: Vec<(String, String)> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = store::client::sdk_config(&mut Environment::from_settings(settings.clone()));
        let client = store::client::dynamodb(&config);
        Self {
            mailer: mailer(&settings, &clock),
            clock,
            office,
            queue,
            mail: Mail::new(client.clone(), "mail"),
            changes: Changes::new(client.clone(), "changes"),
            work: Work::new(client, "work"),
            database,
            settings,
        }
    }

    /// Another mailer on the same tables, with some settings of its own.
    pub(crate) fn another_mailer(&self, own: &[(&str, &str)]) -> Mailer {
        let mut settings = self.settings.clone();
        settings.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        mailer(&settings, &self.clock)
    }

    pub(crate) fn person(&self, name: &str, notify: &Value) -> UserId {
        let id = UserId(Uuid::now_v7());
        self.profile(id, name, notify);
        id
    }

    /// Makes a person, or changes what they want.
    pub(crate) fn profile(&self, id: UserId, name: &str, notify: &Value) {
        let mut all = json!({"assigned": "now", "status": "now", "edited": "now", "deleted": "now"});
        let (all_of, given) = (all.as_object_mut().expect("an object"), notify.as_object().expect("an object"));
        all_of.extend(given.clone());
        let item = json!({
            "pk": format!("USER#{id}"), "sk": "PROFILE", "user": id, "email": address(name), "name": name,
            "locale": "en", "time_zone": "UTC", "notify": all.to_string(),
            "unsubscribe_secret": {"B": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        });
        tables::put(&self.database, "work", &item);
    }

    pub(crate) async fn project(&self, name: &str, owner: UserId) -> ProjectId {
        let (id, at) = (ProjectId(Uuid::now_v7()), self.clock.now());
        let name = name.parse().expect("a name");
        let project = Project { id, name, created_by: owner, created_at: at, deleted_at: None };
        let membership = Membership { project: id, user: owner, role: Role::Owner, joined_at: at, left_at: None };
        self.work.create_project(&project, &membership, None).await.expect("the project is stored");
        id
    }

    pub(crate) fn join(&self, project: ProjectId, user: UserId) {
        let item = json!({
            "pk": format!("PROJECT#{project}"), "sk": format!("MEMBER#{user}"), "project": project, "user": user,
            "role": "editor", "joined_at": self.clock.now().to_string(),
        });
        tables::put(&self.database, "work", &item);
    }

    pub(crate) async fn leave(&self, project: ProjectId, user: UserId) {
        let member = self.work.memberships(project, &[user]).await.expect("a read").remove(&user).expect("a member");
        self.work.leave(&member, self.clock.now()).await.expect("the member leaves");
    }

    pub(crate) async fn delete_project(&self, project: ProjectId) {
        self.work.delete_project(project, self.clock.now()).await.expect("the project is deleted");
    }

    /// A task by `actor`, as a request asks for it.
    pub(crate) async fn task(&self, project: ProjectId, actor: UserId, new: Value) -> Task {
        let new: NewTask = serde_json::from_value(new).expect("a new task");
        let (task, change) = Task::create(new, TaskId(Uuid::now_v7()), project, actor, self.clock.now());
        self.work.create_task(&self.changes, &task, &change, None).await.expect("the task is stored");
        task
    }

    pub(crate) async fn change(&self, task: &mut Task, actor: UserId, patch: Value) {
        let patch: TaskPatch = serde_json::from_value(patch).expect("a patch");
        let (after, change) = task.apply(patch, actor, self.clock.now()).expect("something changes");
        self.work.save_task(&self.changes, task, &after, &change).await.expect("the task is stored");
        *task = after;
    }

    pub(crate) async fn delete(&self, task: &Task, actor: UserId) {
        let change = task.delete(actor, self.clock.now());
        self.work.delete_task(&self.changes, task, &change).await.expect("the task is deleted");
    }

    /// What a queue invokes the mailer with.
    pub(crate) fn queue(bodies: impl IntoIterator<Item = Value>) -> Invocation {
        let records =
            bodies.into_iter().enumerate().map(|(id, body)| json!({"messageId": format!("m{id}"), "body": body.to_string()}));
        serde_json::from_value(json!({"Records": records.collect::<Vec<_>>()})).expect("an invocation")
    }

    pub(crate) fn moved(task: &Task) -> Value {
        let (project, id) = (task.summary.project, task.summary.id);
        let detail = json!({"project": project, "task": id, "version": task.summary.version, "kind": "updated"});
        json!({"version": "0", "id": "e", "source": "baton.tasks", "detail-type": "Task Updated", "detail": detail})
    }

    /// Follows the hints of some tasks, and answers which messages have to come again.
    pub(crate) async fn hint(&self, tasks: &[&Task]) -> usize {
        let answer = handle(&self.mailer, Self::queue(tasks.iter().map(|it| Self::moved(it))), Deadline::from_now()).await;
        answer.expect("a queue is never refused").batch_item_failures.len()
    }

    pub(crate) async fn sweep(&self) -> usize {
        self.mailer.sweep_due(Deadline::from_now()).await.expect("what is due can be read")
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time.try_into().expect("a time to come"));
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Lets time pass, second by second where something waits for it, and wakes the mailer up as it asked for.
    pub(crate) async fn live(&self, seconds: i64) {
        for _ in 0..seconds {
            self.pass_seconds(1);
            let woken = self.queue.receive("mail");
            if !woken.is_empty() {
                let answer = handle(&self.mailer, Self::queue(woken), Deadline::from_now()).await;
                assert!(answer.expect("a queue is never refused").batch_item_failures.is_empty());
            }
        }
    }

    /// Lets every lease end and the hints of some tasks come again, and sweeps until nothing is left to do.
    pub(crate) async fn recover(&self, tasks: &[&Task]) {
        for _ in 0..20 {
            self.pass(LEASE * 8);
            self.hint(tasks).await;
            self.sweep().await;
            if self.mailer.tellable_now().await.expect("a read") == 0 {
                return;
            }
        }
        panic!("something is left to do for ever");
    }

    pub(crate) fn sent_to(&self, name: &str) -> Vec<Sent> {
        self.office.sent().into_iter().filter(|it| it.to == address(name)).collect()
    }

    pub(crate) async fn owed(&self, user: UserId) -> Vec<Part> {
        self.mail.parts_of(&RecipientKey::User(user), Timestamp::MAX, usize::MAX).await.expect("a read")
    }

    pub(crate) async fn deliveries(&self, task: &Task) -> Vec<Delivery> {
        let Task { summary, .. } = task;
        self.mail.deliveries_of(summary.project, summary.id, summary.version).await.expect("a read")
    }

    pub(crate) async fn planned(&self, task: &Task) -> Version {
        self.mail.cursor(task.summary.project, task.summary.id).await.expect("a cursor").version
    }
}

/// Two people in a project, and a task of Ben's that Ada made; nobody was told of it yet.
pub(crate) struct Handed {
    pub(crate) world: World,
    pub(crate) ada: UserId,
    pub(crate) ben: UserId,
    pub(crate) project: ProjectId,
    pub(crate) task: Task,
}

impl Handed {
    pub(crate) async fn new() -> Self {
        Self::within(World::new().await, json!({})).await
    }

    /// `notify` is Ben's.
    pub(crate) async fn within(world: World, notify: Value) -> Self {
        let (ada, ben) = (world.person("Ada", &json!({})), world.person("Ben", &notify));
        let project = world.project("Boiler room", ada).await;
        world.join(project, ben);
        let task = world.task(project, ada, json!({"title": "Fix the pump", "assignee": ben})).await;
        Self { world, ada, ben, project, task }
    }

    pub(crate) fn bens(&self) -> RecipientKey {
        RecipientKey::User(self.ben)
    }

    pub(crate) async fn bens_claim(&self) -> Option<Claim> {
        self.world.mail.mailbox(&self.bens()).await.expect("a read").claim
    }

    /// Lets the mailer work until Ben's claim is at this attempt, and not a step further.
    pub(crate) async fn until_attempt(&self, attempt: u32, mut work: Pin<&mut impl Future>) -> Claim {
        loop {
            match self.bens_claim().await {
                Some(claim) if claim.attempt == attempt => return claim,
                _ => assert!(futures::poll!(work.as_mut()).is_pending(), "it never came to that"),
            }
        }
    }
}

fn address(name: &str) -> String {
    format!("{}@example.com", name.to_lowercase())
}

fn mailer(settings: &[(String, String)], clock: &Clock) -> Mailer {
    let settings = Settings::read(Environment::from_settings(settings.iter().cloned())).expect("settings");
    Mailer::new(settings, clock.clone())
}
