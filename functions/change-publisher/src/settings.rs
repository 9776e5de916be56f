use aws_types::SdkConfig;
use store::{Environment, MissingSettings};

/// What the publisher needs to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub aws: SdkConfig,
    /// The name of the bus.
    pub event_bus: String,
    pub dead_letter_queue_url: String,
}

impl Settings {
    /// Reads the environment variables of this process.
    ///
    /// # Errors
    /// Names every setting that is missing.
    pub fn from_environment() -> Result<Self, MissingSettings> {
        Self::read(Environment::new())
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// Names every setting that is missing.
    pub fn read(mut environment: Environment) -> Result<Self, MissingSettings> {
        let aws = store::client::sdk_config(&mut environment);
        let event_bus = environment.required("EVENT_BUS");
        let dead_letter_queue_url = environment.required("DEAD_LETTER_QUEUE_URL");
        environment.finish()?;
        Ok(Self { aws, event_bus, dead_letter_queue_url })
    }
}
