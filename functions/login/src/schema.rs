//! How the domain's closed sets look in the OpenAPI document: `domain` parses and writes them and knows nothing of OpenAPI.

use utoipa::ToSchema;

/// A language that mails are written in.
#[derive(ToSchema)]
#[schema(as = Locale, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) enum LocaleSchema {
    En,
    Ko,
}

/// When to mail: as soon as nothing new happens for a moment, once a day, or never.
#[derive(ToSchema)]
#[schema(as = Choice, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) enum ChoiceSchema {
    Now,
    Digest,
    None,
}

/// Hours of each day in which no mail about tasks comes, by the clock in the person's time zone; they may span midnight.
#[derive(ToSchema)]
#[schema(as = QuietHours)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct QuietHoursSchema {
    /// When they begin.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:00")]
    from: String,
    /// When they are over; at another time than they begin.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "07:00")]
    to: String,
    /// Whether mail about urgent tasks comes all the same.
    #[schema(required = false)]
    urgent: bool,
}

/// What an API token may do: read, or also write.
#[derive(ToSchema)]
#[schema(as = TokenAccess, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) enum TokenAccessSchema {
    Read,
    Write,
}

/// What bore on who can get into an account.
#[derive(ToSchema)]
#[schema(as = SecurityEventKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) enum EventKindSchema {
    NewDevice,
    PasswordChanged,
    PasswordReset,
    SecondFactorOn,
    SecondFactorOff,
    RecoveryCodeUsed,
    RecoveryCodesRenewed,
    TokenMade,
    TokenRevoked,
    RefreshTokenReused,
    EmailChangeAsked,
    EmailChanged,
    SessionsEnded,
}

#[cfg(test)]
mod tests {
    use domain::{Choice, Locale, SecurityEventKind, TokenAccess};
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    fn check_values<T: DeserializeOwned>(schema: &str) {
        check_refusal(schema, serde_json::from_value::<T>(json!("no such value")).map(drop));
    }

    fn check_refusal(schema: &str, read: serde_json::Result<()>) {
        let document = serde_json::to_value(crate::openapi()).expect("a document is JSON");
        let documented = document["components"]["schemas"][schema]["enum"].as_array().expect("an enum schema").clone();
        let refusal = read.expect_err("no value").to_string();
        let known: Vec<Value> = refusal.split('`').skip(3).step_by(2).map(Value::from).collect();
        assert_eq!(documented, known, "{schema}: {refusal}");
    }

    #[test]
    fn the_document_names_the_values_that_are_read_and_no_others() {
        check_values::<Locale>("Locale");
        check_values::<Choice>("Choice");
        check_values::<TokenAccess>("TokenAccess");
        let no_event = serde_json::from_value::<SecurityEventKind>(json!({"kind": "no such value"}));
        check_refusal("SecurityEventKind", no_event.map(drop));
    }
}
