use std::num::NonZeroU32;

use aws_types::SdkConfig;
use domain::{EmailAddress, Pacing};
use jiff::SignedDuration;
use store::{Environment, MissingSettings};

use crate::Letterhead;

/// What the mailer needs to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub aws: SdkConfig,
    pub work_table: String,
    pub changes_table: String,
    pub mail_table: String,
    pub letterhead: Letterhead,
    /// What the mail service takes of the account; nothing means no limit.
    pub mails_per_second: Option<NonZeroU32>,
    /// How many processes share that rate.
    pub mailers: NonZeroU32,
    pub pacing: Pacing,
    /// By which the mail service reports what becomes of mails.
    pub configuration_set: Option<String>,
    pub dead_letter_queue_url: String,
    /// Leads to this function: where it puts its own wake-ups.
    pub mail_queue_url: String,
}

impl Settings {
    /// Reads the environment variables of this process.
    ///
    /// # Errors
    /// Names every setting that is missing or cannot be read.
    pub fn from_environment() -> Result<Self, MissingSettings> {
        Self::read(Environment::new())
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// Names every setting that is missing or cannot be read.
    pub fn read(mut environment: Environment) -> Result<Self, MissingSettings> {
        let aws = store::client::sdk_config(&mut environment);
        let work_table = environment.required("WORK_TABLE");
        let changes_table = environment.required("CHANGES_TABLE");
        let mail_table = environment.required("MAIL_TABLE");
        let sender = environment.required("SENDER");
        let web_origin = origin(&environment.required("WEB_ORIGIN"));
        let api_origin = origin(&environment.required("API_ORIGIN"));
        let mails_per_second = NonZeroU32::new(environment.required_number("MAILS_PER_SECOND"));
        let mailers = NonZeroU32::new(environment.required_number("MAILERS")).unwrap_or(NonZeroU32::MIN);
        let pacing = pacing(&mut environment);
        let configuration_set = environment.optional("CONFIGURATION_SET");
        let dead_letter_queue_url = environment.required("DEAD_LETTER_QUEUE_URL");
        let mail_queue_url = environment.required("MAIL_QUEUE_URL");
        let missing = environment.finish().map_or_else(|MissingSettings(names)| names, |()| Vec::new());
        let letterhead = match sender.parse::<EmailAddress>() {
            Ok(sender) if missing.is_empty() => Letterhead { sender, web_origin, api_origin },
            Err(invalid) if !sender.is_empty() => {
                return Err(MissingSettings([missing, vec![format!("SENDER ({invalid})")]].concat()));
            }
            Ok(_) | Err(_) => return Err(MissingSettings(missing)),
        };
        Ok(Self {
            aws,
            work_table,
            changes_table,
            mail_table,
            letterhead,
            mails_per_second,
            mailers,
            pacing,
            configuration_set,
            dead_letter_queue_url,
            mail_queue_url,
        })
    }
}

/// Without a quiet window nobody waits for anything: a change is mailed at once, however many there are.
fn pacing(environment: &mut Environment) -> Pacing {
    let mut seconds = |name| SignedDuration::from_secs(environment.required_number(name).into());
    let pacing = Pacing {
        window: seconds("QUIET_WINDOW_SECONDS"),
        longest_wait: seconds("LONGEST_WAIT_SECONDS"),
        longest_spacing: seconds("LONGEST_SPACING_SECONDS"),
    };
    if pacing.window.is_zero() { Pacing::IMMEDIATE } else { pacing }
}

fn origin(text: &str) -> String {
    text.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 16] = [
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "WORK_TABLE",
        "CHANGES_TABLE",
        "MAIL_TABLE",
        "SENDER",
        "WEB_ORIGIN",
        "API_ORIGIN",
        "MAILS_PER_SECOND",
        "MAILERS",
        "QUIET_WINDOW_SECONDS",
        "LONGEST_WAIT_SECONDS",
        "LONGEST_SPACING_SECONDS",
        "DEAD_LETTER_QUEUE_URL",
        "MAIL_QUEUE_URL",
    ];

    fn read(sender: &str, number: &str, left_out: &[&str]) -> Result<Settings, MissingSettings> {
        let value = |name: &str| match name {
            "SENDER" => sender.to_owned(),
            "MAILERS" => "3".to_owned(),
            "LONGEST_WAIT_SECONDS" => "300".to_owned(),
            "LONGEST_SPACING_SECONDS" => "900".to_owned(),
            "MAILS_PER_SECOND" | "QUIET_WINDOW_SECONDS" => number.to_owned(),
            _ => "https://x.example/".to_owned(),
        };
        let given = ALL.into_iter().filter(|it| !left_out.contains(it)).map(|it| (it.to_owned(), value(it)));
        Settings::read(Environment::from_settings(given))
    }

    #[test]
    fn all_that_is_missing_or_unreadable_is_named_at_once() {
        let refused =
            read("mail@baton.example", "14", &ALL).map_err(|MissingSettings(names)| names).expect_err("nothing was given");
        assert_eq!(refused, ALL);
        let refused = read("not an address", "many", &["MAIL_TABLE"]).map_err(|MissingSettings(names)| names);
        let [rate, window] = ["MAILS_PER_SECOND", "QUIET_WINDOW_SECONDS"].map(|it| format!("{it} (not a whole number)"));
        let expected = ["MAIL_TABLE", &rate, &window, "SENDER (is not an e-mail address)"];
        assert_eq!(refused.expect_err("three are unreadable"), expected);
    }

    #[test]
    fn a_rate_of_nothing_is_no_limit_and_an_origin_ends_without_a_slash() {
        let settings = read("mail@baton.example", "0", &[]).expect("all are given");
        assert_eq!((settings.mails_per_second, settings.letterhead.web_origin.as_str()), (None, "https://x.example"));
        assert_eq!(settings.mailers.get(), 3);
    }

    #[test]
    fn without_a_quiet_window_nothing_waits_and_nothing_is_spaced() {
        assert_eq!(read("mail@baton.example", "0", &[]).expect("all are given").pacing, Pacing::IMMEDIATE);
        let [window, longest_wait, longest_spacing] = [30, 300, 900].map(SignedDuration::from_secs);
        let pacing = read("mail@baton.example", "30", &[]).expect("all are given").pacing;
        assert_eq!(pacing, Pacing { window, longest_wait, longest_spacing });
    }
}
