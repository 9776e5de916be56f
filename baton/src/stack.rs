//! The whole system in one process: what `baton` runs and the tests talk to.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::Bus,
    calls::{calls, parameters},
    dynamodb::DynamoDb,
    endpoint::Endpoint,
    folder::Folder,
    function::{Function, FunctionError},
    functions::Functions,
    inbox::Inbox,
    mapping,
    metrics::Metrics,
    progress::Progress,
    queue::Queues,
    server,
    stream::Stream,
    template::{TEMPLATE, Template},
};
pub use crate::{
    calls::{Call, read_calls},
    options::{Clocks, Options},
};

/// Anything that keeps a stack from starting; it says what.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// The queue of what the mail service says about its mails.
const REPORTS: &str = "FeedbackQueue";
/// How long a start listens to what it said before.
const HEARING: Duration = Duration::from_secs(5);
/// How often [`Stack::drain`] looks.
const LOOK: Duration = Duration::from_millis(2);
/// How long a request that is under way at the end may take.
const LAST_REQUESTS: Duration = Duration::from_millis(500);
/// How long the end waits for mails to go out.
const LAST_WORK: Duration = Duration::from_secs(5);

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    origin: String,
    database: Arc<DynamoDb>,
    queues: Queues,
    bus: Bus,
    inbox: Inbox,
    mailer: Function,
    /// What the clock calls, and with what.
    scheduled: Vec<(Function, Value)>,
    progress: Progress,
    written: Arc<Notify>,
    calls: BTreeMap<String, Call>,
    stop_serving: CancellationToken,
    stop_working: CancellationToken,
    kill: CancellationToken,
    servers: JoinSet<()>,
    workers: JoinSet<()>,
    // Last, so that the folder is let go of only when everything above is gone.
    folder: Option<Folder>,
}

impl Stack {
    /// Starts everything template.yaml declares; requests are answered when it returns.
    ///
    /// # Errors
    /// A data folder or port that is taken, a template that cannot be honoured, data of another shape: each by name.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { data, clocks, allowed_origins, .. } = &options;
        let folder = if options.in_memory { None } else { Some(Folder::open(data)?) };
        let file = |name: &str| folder.as_ref().map(|folder| folder.file(name)).transpose();

        let listeners = match folder.as_ref().and_then(|_| last_port(data)).filter(|_| options.port == 0) {
            Some(last) => match listen(last).await {
                Ok(listeners) => listeners,
                Err(_) => listen(0).await?,
            },
            None => listen(options.port).await?,
        };
        let port = listeners.first().ok_or("no listener")?.local_addr()?.port();
        let origin = format!("http://localhost:{port}");
        let template = Template::parse(TEMPLATE, &parameters(&origin, &options))?;

        let database = Arc::new(DynamoDb::start(file("dynamodb.sqlite")?.as_deref(), &template.tables)?);
        let queues = Queues::open(file("queues.sqlite")?.as_deref(), &template.queues, clocks.queues.clone())?;
        let inbox = Inbox::open(file("inbox.sqlite")?.as_deref())?;
        let metrics = Metrics::default();
        let bus = Bus::new(&template.rules, queues.clone(), metrics.clone(), options.record_events)?;

        let stop_serving = CancellationToken::new();
        let stop_working = CancellationToken::new();
        let kill = CancellationToken::new();
        let mut servers = JoinSet::new();
        let mut workers = JoinSet::new();
        let endpoint = Endpoint { bus: bus.clone(), queues: queues.clone(), inbox: inbox.clone(), metrics: metrics.clone() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let emulators = format!("http://{}", listener.local_addr()?);
        workers.spawn(serve(listener, endpoint.routes(), stop_working.clone(), kill.clone()));

        let calls = calls(&template, &origin, &database.endpoint(), &emulators);
        let functions = Functions::start(&template, &calls, &options).await?;
        let (reports, others): (Vec<_>, Vec<_>) = template.mappings.into_iter().partition(|it| it.source == REPORTS);
        let mut consumed = Vec::new();
        for declared in reports {
            mapping::work(&mut workers, &declared, &queues, &find(&functions.event, &declared.function)?, &stop_working);
            consumed.push(declared.source);
        }
        if folder.as_ref().is_some_and(Folder::was_left) {
            hear_reports(&queues).await?;
            // Nobody else works on this data, so whatever was in flight is not any more.
            metrics.set_claims_reopened(functions.mail.expire_claims(clocks.mailer.now()).await?);
        }

        let written = Arc::new(Notify::new());
        let mut streams = Vec::new();
        for declared in others {
            let function = find(&functions.event, &declared.function)?;
            if queues.names().any(|queue| queue == declared.source) {
                mapping::work(&mut workers, &declared, &queues, &function, &stop_working);
                consumed.push(declared.source);
            } else {
                let stream = Arc::new(Stream::new(declared, database.clone(), queues.clone(), function, written.clone()));
                streams.push(stream.clone());
                let stop = stop_working.clone();
                workers.spawn(async move { stream.run(stop).await });
            }
        }
        let caught_up = Arc::new(AtomicBool::new(false));
        let progress = Progress {
            streams,
            queues: queues.clone(),
            consumed,
            functions: functions.event.clone(),
            lookout: functions.lookout,
            caught_up: caught_up.clone(),
        };
        let app = server::app(server::Parts {
            api: functions.api,
            document: crate::functions::document(),
            inbox: inbox.clone(),
            metrics,
            progress: progress.clone(),
            written: written.clone(),
            flush: database.flush(),
            origin: origin.clone(),
            allowed_origins: allowed_origins.clone(),
        });
        for listener in listeners {
            servers.spawn(serve(listener, app.clone(), stop_serving.clone(), kill.clone()));
        }

        let mut scheduled = Vec::new();
        for schedule in template.schedules {
            let function = find(&functions.event, &schedule.function)?;
            // The reconciling call plans what the sweeping one then sends.
            scheduled.insert(0, (function.clone(), schedule.input.clone()));
            workers.spawn(mapping::follow(schedule, function, stop_working.clone()));
        }
        workers.spawn(catch_up(scheduled.clone(), caught_up, stop_working.clone()));

        if let Some(folder) = &folder {
            let state = json!({"origin": origin, "process": std::process::id(), "functions": calls});
            folder.write("stack.json", &serde_json::to_string_pretty(&state)?)?;
        }
        let mailer = find(&functions.event, &functions.mailer)?;
        Ok(Self {
            origin,
            database,
            queues,
            bus,
            inbox,
            mailer,
            scheduled,
            progress,
            written,
            calls,
            stop_serving,
            stop_working,
            kill,
            servers,
            workers,
            folder,
        })
    }

    /// `http://localhost:3000`: the API, the page, the inbox.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Every mail so far.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The queues, the dead letters among them.
    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// Where DynamoDB answers, for who wants to look under the API.
    pub fn dynamodb_endpoint(&self) -> String {
        self.database.endpoint()
    }

    /// How the functions' binaries are run against this stack, by binary.
    pub fn calls(&self) -> &BTreeMap<String, Call> {
        &self.calls
    }

    /// Every event the bus took, as its targets got it, if [`Options::record_events`] asked for it.
    pub fn recorded_events(&self) -> Vec<Value> {
        self.bus.recorded()
    }

    /// Sends a whole event through the rules once more.
    pub async fn publish(&self, event: Value) {
        self.bus.deliver(&[event]).expect("the queues' file works");
    }

    /// Returns when nothing is left but what waits for its time: the log is published, the queues hold only what is delayed, and every
    /// mail that can be sent now is sent.
    pub async fn drain(&self) {
        loop {
            match self.is_idle().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(error = &*error as &dyn std::error::Error, "could not look whether work is left"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks, and helps along what only waits to be looked at.
    async fn is_idle(&self) -> Result<bool, StartError> {
        // Its clock may have been moved since the queues' readers looked at it.
        self.queues.wake();
        let in_flight = self.progress.in_flight().await?;
        if in_flight.unpublished > 0 {
            self.written.notify_one();
        } else if in_flight.queued == 0 && in_flight.running == 0 && in_flight.due > 0 {
            self.sweep().await?;
        }
        Ok(in_flight.total() == 0)
    }

    /// Sends what is due.
    ///
    /// # Errors
    /// What the mailer reported.
    pub async fn sweep(&self) -> Result<(), FunctionError> {
        self.mailer.call(json!({"sweep": "due"})).await.map(drop)
    }

    /// Calls once what the clock calls: plans what no hint has reached, then sends what is due.
    ///
    /// # Errors
    /// What the first of the calls that failed reported; the others were made.
    pub async fn run_schedules(&self) -> Result<(), FunctionError> {
        let mut failure = None;
        for (function, input) in &self.scheduled {
            if let Err(error) = function.call(input.clone()).await {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Stops taking requests, lets what was accepted take its way for a few seconds, and closes the data. What is still owed then
    /// is on disk.
    pub async fn stop(mut self) {
        self.stop_serving.cancel();
        while self.servers.join_next().await.is_some() {}
        let drained = tokio::time::timeout(LAST_WORK, self.drain()).await;
        if drained.is_err() {
            tracing::info!("work is left; the next start goes on with it");
        }
        self.stop_working.cancel();
        let ended = tokio::time::timeout(LAST_REQUESTS, async { while self.workers.join_next().await.is_some() {} }).await;
        self.workers.shutdown().await;
        self.progress.streams.clear();
        if let Some(database) = Arc::get_mut(&mut self.database) {
            database.stop();
        }
        if let (Some(folder), Ok(()), Ok(())) = (self.folder, drained, ended)
            && let Err(error) = folder.close()
        {
            tracing::warn!(%error, "the next start will take this for the end of a process that was killed");
        }
    }

    /// Ends everything at its next await, as the end of the process would: nothing is drained, nobody gets an answer. The data is
    /// where it was, and another stack can be started on it.
    pub async fn kill(mut self) {
        self.kill.cancel();
        self.servers.shutdown().await;
        self.workers.shutdown().await;
        self.database.kill();
    }
}

/// The port of the folder's last stack.
fn last_port(data: &Path) -> Option<u16> {
    let state: Value = serde_json::from_str(&std::fs::read_to_string(data.join("stack.json")).ok()?).ok()?;
    state["origin"].as_str()?.rsplit(':').next()?.parse().ok()
}

/// Loopback by both protocols where there are both, so that `localhost` leads here whatever a client makes of it.
async fn listen(port: u16) -> Result<Vec<TcpListener>, StartError> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}; choose another with --port"))?;
    let port = first.local_addr()?.port();
    let second = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
    Ok([Some(first), second].into_iter().flatten().collect())
}

async fn serve(listener: TcpListener, app: Router, stop: CancellationToken, kill: CancellationToken) {
    let listener = axum::serve::ListenerExt::tap_io(listener, |connection| {
        // Answers are small and awaited.
        let _refused = connection.set_nodelay(true);
    });
    // The functions are told where a request comes from, as they are by API Gateway.
    let app = app.layer(middleware::from_fn_with_state(kill.clone(), unless_killed));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let (ending, killing) = (stop.clone(), kill);
    let stopped = async move {
        tokio::select! { () = ending.cancelled() => {}, () = killing.cancelled() => {} }
    };
    let served = axum::serve(listener, app).with_graceful_shutdown(stopped);
    tokio::select! {
        result = served.into_future() => if let Err(error) = result { tracing::error!(%error, "a server ended") },
        // Clients keep connections open for longer than anybody wants to wait.
        () = async { stop.cancelled().await; tokio::time::sleep(LAST_REQUESTS).await } => {}
    }
}

/// A killed stack ends requests wherever they are. Its connections live in tasks of their own, so this has to be done in each.
async fn unless_killed(State(kill): State<CancellationToken>, request: Request, next: Next) -> Response {
    tokio::select! {
        response = next.run(request) => response,
        () = kill.cancelled() => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Waits until what the mail service told the last process is taken in, for as long as a start may take: what it has accepted is not to
/// be sent again once all claims expire.
async fn hear_reports(queues: &Queues) -> Result<(), StartError> {
    let began = Instant::now();
    while queues.depth_now(REPORTS)? > 0 && began.elapsed() < HEARING {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Calls every schedule's function once, right after the start: what was owed when the last process ended is not to wait.
async fn catch_up(calls: Vec<(Function, Value)>, done: Arc<AtomicBool>, stop: CancellationToken) {
    for (function, input) in calls {
        tokio::select! {
            called = function.call(input) => if let Err(error) = called {
                tracing::warn!(function = function.name(), %error, "could not catch up");
            },
            () = stop.cancelled() => return,
        }
    }
    done.store(true, Ordering::Release);
}

fn find(functions: &[Function], name: &str) -> Result<Function, StartError> {
    functions
        .iter()
        .find(|function| function.name() == name)
        .cloned()
        .ok_or_else(|| format!("template.yaml calls {name}, which is no function that takes events").into())
}
