use api::{Hints, TokenVerifier};
use aws_types::SdkConfig;
use axum::extract::FromRef;
use store::{Accounts, Changes, Clock, Environment, Mail, MissingSettings, StoreError, Work};

/// What the function has to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Only its public keys are read.
    pub accounts_table: String,
    pub work_table: String,
    pub changes_table: String,
    pub mail_table: String,
    /// Where hints at letters go.
    pub event_bus: String,
    /// Who makes access tokens: the public origin of the API.
    pub issuer: String,
    /// Whom they are for.
    pub audience: String,
    /// How AWS is reached.
    pub aws: SdkConfig,
}

impl Settings {
    /// Reads them from the environment.
    ///
    /// # Errors
    /// Names all that are missing.
    pub fn from_environment() -> Result<Self, MissingSettings> {
        Self::read(Environment::new())
    }

    /// Reads them from an environment made by whoever runs the function in their own process.
    ///
    /// # Errors
    /// Names all that are missing.
    pub fn read(mut environment: Environment) -> Result<Self, MissingSettings> {
        let settings = Self {
            accounts_table: environment.required("ACCOUNTS_TABLE"),
            work_table: environment.required("WORK_TABLE"),
            changes_table: environment.required("CHANGES_TABLE"),
            mail_table: environment.required("MAIL_TABLE"),
            event_bus: environment.required("EVENT_BUS"),
            issuer: environment.required("ISSUER"),
            audience: environment.required("AUDIENCE"),
            aws: store::client::sdk_config(&mut environment),
        };
        environment.finish()?;
        Ok(settings)
    }
}

/// What every handler works with.
#[derive(Clone, Debug)]
pub struct TasksState {
    pub work: Work,
    pub changes: Changes,
    pub mail: Mail,
    pub verifier: TokenVerifier,
    pub hints: Hints,
    /// When it is: of what is written. Access tokens are judged by the system's time.
    pub clock: Clock,
}

impl TasksState {
    /// Connects to what the settings name; what is written bears the time of this clock.
    ///
    /// # Errors
    /// When the public keys of the access tokens cannot be read; reading them opens the connection that the first request needs.
    pub async fn connect(settings: Settings, clock: Clock) -> Result<Self, StoreError> {
        let Settings { accounts_table, work_table, changes_table, mail_table, event_bus, issuer, audience, aws } = settings;
        let dynamodb = store::client::dynamodb(&aws);
        let verifier = TokenVerifier::new(Accounts::new(dynamodb.clone(), accounts_table), &issuer, &audience);
        verifier.load().await?;
        Ok(Self {
            work: Work::new(dynamodb.clone(), work_table),
            changes: Changes::new(dynamodb.clone(), changes_table),
            mail: Mail::new(dynamodb, mail_table),
            verifier,
            hints: Hints::new(aws_sdk_eventbridge::Client::new(&aws), event_bus),
            clock,
        })
    }
}

impl FromRef<TasksState> for TokenVerifier {
    fn from_ref(state: &TasksState) -> Self {
        state.verifier.clone()
    }
}
