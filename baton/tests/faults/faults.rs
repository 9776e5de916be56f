//! All that goes wrong in one run: the schedule, what was injected of it, and whom it struck.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use baton::interpose::{Interpose, Service};
use tokio::sync::RwLock;

use crate::handlers;
use crate::ledger::Ledger;
use crate::schedule::{Caller, Fault, Injection, Schedule, Site};
use crate::tally::Injected;

/// Shared by the faulty services and the faulty handlers of one run.
#[derive(Debug)]
pub(crate) struct Faults {
    schedule: Schedule,
    on: AtomicBool,
    pub(crate) injected: Injected,
    pub(crate) ledger: Ledger,
    /// Held by every call of a function that takes events: time stands still for as long, since no function outlives its timeout.
    pub(crate) standstill: Arc<RwLock<()>>,
    /// Where the services really are.
    upstreams: Mutex<BTreeMap<(Caller, Service), String>>,
    /// Where they seem to be.
    address: String,
}

impl Faults {
    pub(crate) fn new(seed: u64, address: String) -> Self {
        Self {
            schedule: Schedule::new(seed),
            on: AtomicBool::new(false),
            injected: Injected::default(),
            ledger: Ledger::default(),
            standstill: Arc::default(),
            upstreams: Mutex::default(),
            address,
        }
    }

    /// From now on things go wrong, or do not.
    pub(crate) fn turn(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }

    /// What happens to the next call of this kind.
    pub(crate) fn next(&self, site: Site) -> Option<Injection> {
        if self.on.load(Ordering::SeqCst) { self.schedule.next(site) } else { None }
    }

    pub(crate) fn count(&self, fault: Fault) {
        self.injected.count(fault);
    }

    pub(crate) fn upstream(&self, caller: Caller, service: Service) -> String {
        let upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        upstreams.get(&(caller, service)).cloned().unwrap_or_default()
    }

    /// What a stack is started with so that all of this happens to it.
    pub(crate) fn interpose(self: &Arc<Self>) -> Interpose {
        let (leading, wrapping, routing) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        Interpose::default()
            .lead(move |function, service, address| leading.lead(function, service, address))
            .wrap(move |function| handlers::wrap(function, Arc::clone(&wrapping)))
            .wrap_routes(move |function, routes| handlers::wrap_routes(function, routes, Arc::clone(&routing)))
    }

    fn lead(&self, function: &str, service: Service, address: &str) -> String {
        let caller = match function {
            "login" => Caller::Login,
            "tasks" => Caller::Tasks,
            "change-publisher" => Caller::Publisher,
            "log-mailer" => Caller::Mailer,
            _ => return address.to_owned(),
        };
        let mut upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        upstreams.insert((caller, service), address.to_owned());
        format!("{}/{}/{}", self.address, caller_path(caller), service_path(service))
    }
}

pub(crate) const CALLERS: [Caller; 4] = [Caller::Login, Caller::Tasks, Caller::Publisher, Caller::Mailer];
pub(crate) const SERVICES: [Service; 4] = [Service::DynamoDb, Service::EventBridge, Service::Ses, Service::Sqs];

pub(crate) fn caller_path(caller: Caller) -> &'static str {
    match caller {
        Caller::Login => "login",
        Caller::Tasks => "tasks",
        Caller::Publisher => "publisher",
        Caller::Mailer => "mailer",
    }
}

pub(crate) fn service_path(service: Service) -> &'static str {
    match service {
        Service::DynamoDb => "dynamodb",
        Service::EventBridge => "eventbridge",
        Service::Ses => "ses",
        Service::Sqs => "sqs",
    }
}
