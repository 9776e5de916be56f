use aws_types::SdkConfig;
use jiff::SignedDuration;
use store::{Environment, MissingSettings, client};

const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
const SESSION_IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What this function has to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where AWS is, and who we are to it.
    pub aws: SdkConfig,
    /// `ACCOUNTS_TABLE`
    pub accounts_table: String,
    /// `WORK_TABLE`
    pub work_table: String,
    /// `MAIL_TABLE`
    pub mail_table: String,
    /// `EVENT_BUS`
    pub event_bus: String,
    /// `ISSUER`: the public origin of the API, which access tokens name as their issuer.
    pub issuer: String,
    /// `AUDIENCE`: whom access tokens are for.
    pub audience: String,
    /// `WEB_ORIGIN`: the public origin of the page, whose requests may carry the cookie; that of the API where there is none.
    pub web_origin: String,
    /// `SESSION_SECONDS`: how long a session lives, however often it is refreshed; 30 days where nothing is said.
    pub session_lifetime: SignedDuration,
    /// `SESSION_IDLE_SECONDS`: how long a session lives without being refreshed; 7 days where nothing is said.
    pub session_idle: SignedDuration,
}

impl Settings {
    /// The settings this process was started with.
    ///
    /// # Errors
    /// Names all that are missing.
    pub fn from_environment() -> Result<Self, MissingSettings> {
        Self::read(Environment::new())
    }

    /// The settings out of an environment made by whoever runs the function in their own process.
    ///
    /// # Errors
    /// Names all that are missing.
    pub fn read(mut environment: Environment) -> Result<Self, MissingSettings> {
        let issuer = environment.required("ISSUER");
        let settings = Self {
            aws: client::sdk_config(&mut environment),
            accounts_table: environment.required("ACCOUNTS_TABLE"),
            work_table: environment.required("WORK_TABLE"),
            mail_table: environment.required("MAIL_TABLE"),
            event_bus: environment.required("EVENT_BUS"),
            audience: environment.required("AUDIENCE"),
            web_origin: environment.optional("WEB_ORIGIN").unwrap_or_else(|| issuer.clone()),
            session_lifetime: seconds(&mut environment, "SESSION_SECONDS", SESSION_LIFETIME),
            session_idle: seconds(&mut environment, "SESSION_IDLE_SECONDS", SESSION_IDLE),
            issuer,
        };
        environment.finish()?;
        Ok(settings)
    }
}

/// A setting in whole seconds that may be absent, but not unreadable.
fn seconds(environment: &mut Environment, name: &str, default: SignedDuration) -> SignedDuration {
    match environment.optional(name) {
        Some(_) => SignedDuration::from_secs(environment.required_number(name).into()),
        None => default,
    }
}
