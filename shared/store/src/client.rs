//! The AWS client, assembled by hand: it decides the cold start of every function.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Environment;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const MOST_ATTEMPTS: u32 = 3;
/// Before the second attempt, at most; twice as long before the third. A second, as by default, is for services slower than those here:
/// AWS's SDKs of other languages wait 25 to 100 ms for DynamoDB.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// What every AWS client of a process is made from. It shares one connection pool, trusts the roots of Amazon Trust Services
/// only, and reads region and credentials from the environment. `AWS_ENDPOINT_URL_DYNAMODB`, `_EVENTBRIDGE`, `_SESV2` and
/// `_SQS`, or `AWS_ENDPOINT_URL` for all of them, lead elsewhere.
#[must_use]
pub fn sdk_config(environment: &mut Environment) -> SdkConfig {
    let region = environment.required("AWS_REGION");
    let key_id = environment.required("AWS_ACCESS_KEY_ID");
    let secret = environment.required("AWS_SECRET_ACCESS_KEY");
    let session_token = environment.optional("AWS_SESSION_TOKEN");
    let credentials = Credentials::new(key_id, secret, session_token, None, "environment");
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let tls =
        TlsContext::builder().with_trust_store(amazon_roots()).build().expect("a trust store of PEM certificates is usable");
    let http_client =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
    SdkConfig::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client)
        .retry_config(RetryConfig::standard().with_max_attempts(MOST_ATTEMPTS).with_initial_backoff(FIRST_BACKOFF))
        .timeout_config(timeouts)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(SystemTimeSource::new()))
        .service_config(Endpoints::read(environment))
        .build()
}

/// The same client without retries, for calls whose ambiguous outcome must not be repeated: sending a mail.
#[must_use]
pub fn without_retries(config: &SdkConfig) -> SdkConfig {
    config.to_builder().retry_config(RetryConfig::disabled()).build()
}

/// A DynamoDB client for the handles of this crate.
#[must_use]
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(config)
}

/// AWS endpoints chain to these roots (<https://www.amazontrust.com/repository/>); parsing all others would cost every cold start.
fn amazon_roots() -> TrustStore {
    let is_amazons = |der: &[u8]| {
        let names: [&[u8]; 2] = [b"Amazon Root CA", b"Starfield Services Root Certificate Authority"];
        names.into_iter().any(|name| der.windows(name.len()).any(|it| it == name))
    };
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter(|it| is_amazons(it));
    roots.fold(TrustStore::empty(), |store, root| store.with_pem_certificate(pem(root)))
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

#[derive(Debug)]
struct Endpoints(BTreeMap<&'static str, String>);

impl Endpoints {
    const NAMES: [(&str, &str); 4] = [
        ("dynamodb", "AWS_ENDPOINT_URL_DYNAMODB"),
        ("eventbridge", "AWS_ENDPOINT_URL_EVENTBRIDGE"),
        ("sesv2", "AWS_ENDPOINT_URL_SESV2"),
        ("sqs", "AWS_ENDPOINT_URL_SQS"),
    ];

    fn read(environment: &Environment) -> Self {
        let endpoint = |name| environment.optional(name).or_else(|| environment.optional("AWS_ENDPOINT_URL"));
        Self(Self::NAMES.into_iter().filter_map(|(service, name)| Some((service, endpoint(name)?))).collect())
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_lowercase();
        (key.env() == "AWS_ENDPOINT_URL").then(|| self.0.get(service.as_str()).cloned()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_found_and_usable() {
        let settings = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|it| (it.to_owned(), "x".to_owned()));
        let mut environment = Environment::from_settings(settings);
        let config = sdk_config(&mut environment);
        assert_eq!(environment.finish(), Ok(()));
        assert!(config.http_client().is_some());
        let roots = format!("{:?}", amazon_roots());
        assert!(roots.len() > 1_000, "{roots}");
    }
}
