//! How the functions are run against this stack: with the template's settings, led to the emulators.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    dynamodb::REGION,
    interpose::{Interpose, Service},
    options::Options,
    stack::StartError,
    template::{FunctionDeclaration, Template},
};

/// How a function's binary is to be run against a stack; `stack.json` holds them by binary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// How long one call may take.
    pub timeout_seconds: u64,
}

impl Call {
    /// The same function, led past what a test has put before the services.
    pub(crate) fn interposed(&self, function: &str, interpose: &Interpose) -> Self {
        let mut call = self.clone();
        for (service, setting) in Service::SETTINGS {
            if let Some(address) = call.environment.get_mut(setting) {
                *address = interpose.address(function, service, address);
            }
        }
        call
    }
}

/// The template's parameters for a laptop.
pub(crate) fn parameters(origin: &str, options: &Options) -> BTreeMap<String, String> {
    let window = options.window_seconds.to_string();
    let mut parameters: BTreeMap<String, String> = [
        ("Stage", "local"),
        ("SenderAddress", "baton@baton.example"),
        ("WebOrigin", origin),
        ("QuietWindow", &window),
        ("MailsPerSecond", "1000"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let sessions = [("SessionSeconds", options.session_seconds), ("SessionIdleSeconds", options.session_idle_seconds)];
    parameters.extend(sessions.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_string()))));
    parameters
}

/// Each function's whole environment.
pub(crate) fn calls(template: &Template, origin: &str, dynamodb: &str, emulators: &str) -> BTreeMap<String, Call> {
    let call = |declared: &FunctionDeclaration| {
        let mut environment: BTreeMap<String, String> = declared.environment.clone();
        for value in environment.values_mut().filter(|value| value.contains(".execute-api.")) {
            origin.clone_into(value);
        }
        for (name, value) in [("AWS_REGION", REGION), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        for (service, setting) in Service::SETTINGS {
            let address = if service == Service::DynamoDb { dynamodb } else { emulators };
            environment.insert(setting.to_owned(), address.to_owned());
        }
        // One process sends all there is to send.
        if let Some(mailers) = environment.get_mut("MAILERS") {
            "1".clone_into(mailers);
        }
        (declared.binary.clone(), Call { environment, timeout_seconds: declared.timeout.as_secs() })
    };
    template.functions.iter().map(call).collect()
}

/// Reads how a running stack's functions are called from its data folder.
///
/// # Errors
/// There is no `stack.json`, or it is not one.
pub fn read_calls(data: &Path) -> Result<BTreeMap<String, Call>, StartError> {
    let state: Value = serde_json::from_str(&std::fs::read_to_string(data.join("stack.json"))?)?;
    Ok(serde_json::from_value(state["functions"].clone())?)
}
