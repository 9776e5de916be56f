//! What a test puts between the functions and their surroundings. Nothing, in a stack that people use.

use std::{fmt, sync::Arc};

use axum::Router;

use crate::function::Function;

/// A service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The tables.
    DynamoDb,
    /// The event bus.
    EventBridge,
    /// The mail service.
    Ses,
    /// The queues.
    Sqs,
}

impl Service {
    /// Every service there is, each with the setting that leads to it.
    pub(crate) const SETTINGS: [(Self, &str); 4] = [
        (Self::DynamoDb, "AWS_ENDPOINT_URL_DYNAMODB"),
        (Self::EventBridge, "AWS_ENDPOINT_URL_EVENTBRIDGE"),
        (Self::Ses, "AWS_ENDPOINT_URL_SESV2"),
        (Self::Sqs, "AWS_ENDPOINT_URL_SQS"),
    ];
}

type Lead = dyn Fn(&str, Service, &str) -> String + Send + Sync;
type Wrap = dyn Fn(Function) -> Function + Send + Sync;
type WrapRoutes = dyn Fn(&str, Router) -> Router + Send + Sync;

/// Other ways to the services, and other ways to be called.
#[derive(Clone, Default)]
pub struct Interpose {
    lead: Option<Arc<Lead>>,
    wrap: Option<Arc<Wrap>>,
    wrap_routes: Option<Arc<WrapRoutes>>,
}

impl Interpose {
    /// Leads each function to another address of each service: given the function's binary, the service and its address.
    #[must_use]
    pub fn lead(self, lead: impl Fn(&str, Service, &str) -> String + Send + Sync + 'static) -> Self {
        Self { lead: Some(Arc::new(lead)), ..self }
    }

    /// Calls another function in place of each that takes events.
    #[must_use]
    pub fn wrap(self, wrap: impl Fn(Function) -> Function + Send + Sync + 'static) -> Self {
        Self { wrap: Some(Arc::new(wrap)), ..self }
    }

    /// Puts other routes in place of those of each that answers HTTP: given the function's binary and its own.
    #[must_use]
    pub fn wrap_routes(self, wrap: impl Fn(&str, Router) -> Router + Send + Sync + 'static) -> Self {
        Self { wrap_routes: Some(Arc::new(wrap)), ..self }
    }

    pub(crate) fn address(&self, function: &str, service: Service, address: &str) -> String {
        self.lead.as_ref().map_or_else(|| address.to_owned(), |lead| lead(function, service, address))
    }

    pub(crate) fn function(&self, function: Function) -> Function {
        match &self.wrap {
            Some(wrap) => wrap(function),
            None => function,
        }
    }

    pub(crate) fn routes(&self, function: &str, routes: Router) -> Router {
        match &self.wrap_routes {
            Some(wrap) => wrap(function, routes),
            None => routes,
        }
    }
}

impl fmt::Debug for Interpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Interpose").finish_non_exhaustive()
    }
}
