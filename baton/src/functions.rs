//! The project's four functions, built in this process from the settings the template gives them.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use axum::Router;
use store::Environment;
use utoipa::openapi::OpenApi;

use crate::{
    calls::Call,
    function::Function,
    options::{Clocks, Options},
    stack::StartError,
    template::Template,
};

/// The functions, ready to be called.
#[expect(missing_debug_implementations, reason = "a router of handlers has nothing to show")]
pub struct Functions {
    /// `login` and `tasks` behind one API.
    pub api: Router,
    /// The ones that take events, under the template's logical ids.
    pub event: Vec<Function>,
    /// Logical id of the mailer.
    pub mailer: String,
    /// The mail table, for the stack's own looks at it: nothing is interposed.
    pub mail: store::Mail,
    /// Another mailer, which only looks at what could be told.
    pub lookout: Arc<log_mailer::Mailer>,
}

impl Functions {
    /// Builds all four, by the clocks and past what is interposed by `options`. The HTTP ones read their keys.
    ///
    /// # Errors
    /// A function the template does not declare, or a setting it does not give; it is named.
    pub async fn start(template: &Template, calls: &BTreeMap<String, Call>, options: &Options) -> Result<Self, StartError> {
        let Options { clocks: Clocks { tasks: tasks_clock, mailer: mailer_clock, queues: _ }, interpose, .. } = options;
        let call = |binary: &str| calls.get(binary).ok_or_else(|| format!("template.yaml declares no function {binary}"));
        let environment = |binary: &str| -> Result<Environment, StartError> {
            Ok(Environment::from_settings(call(binary)?.interposed(binary, interpose).environment))
        };
        let logical_id = |binary: &str| -> Result<String, StartError> {
            let declared = template.functions.iter().find(|declared| declared.binary == binary);
            Ok(declared.ok_or_else(|| format!("template.yaml declares no function {binary}"))?.name.clone())
        };

        let login = login::Login::new(&login::Settings::read(environment("login")?)?);
        // Before the verifier of tasks reads the published keys, so that it finds them.
        login.warm_up().await?;
        let tasks = tasks::TasksState::connect(tasks::Settings::read(environment("tasks")?)?, tasks_clock.clone()).await?;
        let verifier = tasks.verifier.clone();
        let api = api::finish(
            interpose.routes("login", login::routes(login)).merge(interpose.routes("tasks", tasks::routes(tasks))),
            verifier.issuer(),
        );

        let publisher = change_publisher::Publisher::new(change_publisher::Settings::read(environment("change-publisher")?)?);
        let publisher = Function::new(&logical_id("change-publisher")?, move |event| {
            let publisher = publisher.clone();
            async move { Ok::<_, Infallible>(change_publisher::handle(&publisher, event).await) }
        });

        let settings = log_mailer::Settings::read(environment("log-mailer")?)?;
        let own = log_mailer::Settings::read(Environment::from_settings(call("log-mailer")?.environment.clone()))?;
        let mail = store::Mail::new(store::client::dynamodb(&own.aws), &own.mail_table);
        let lookout = Arc::new(log_mailer::Mailer::new(own, mailer_clock.clone()));
        let mailer = Arc::new(log_mailer::Mailer::new(settings, mailer_clock.clone()));
        let name = logical_id("log-mailer")?;
        let mailer = Function::new(&name, move |invocation| {
            let mailer = mailer.clone();
            async move { log_mailer::handle(&mailer, invocation, log_mailer::Deadline::from_now()).await }
        });
        let event = [publisher, mailer].map(|function| interpose.function(function)).into();
        Ok(Self { api, event, mailer: name, mail, lookout })
    }
}

/// The whole HTTP contract.
pub fn document() -> OpenApi {
    login::openapi().merge_from(tasks::openapi())
}
