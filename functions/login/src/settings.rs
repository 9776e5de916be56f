use aws_types::SdkConfig;
use store::{Environment, MissingSettings, client};

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
        let settings = Self {
            aws: client::sdk_config(&mut environment),
            accounts_table: environment.required("ACCOUNTS_TABLE"),
            work_table: environment.required("WORK_TABLE"),
            mail_table: environment.required("MAIL_TABLE"),
            event_bus: environment.required("EVENT_BUS"),
            issuer: environment.required("ISSUER"),
            audience: environment.required("AUDIENCE"),
        };
        environment.finish()?;
        Ok(settings)
    }
}
