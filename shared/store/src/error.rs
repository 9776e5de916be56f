use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::table::write::Contended;

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition did not hold: somebody else was faster, or it is not there (any more).
    #[error("{step}: what was read is not what is stored any more")]
    Conflict { step: &'static str },
    /// The new assignee is not a current member of the task's project.
    #[error("the assignee is not a member of the project")]
    AssigneeNotMember,
    /// A project keeps at least one owner.
    #[error("the last owner of a project cannot leave it")]
    LastOwner,
    /// A cursor that does not belong to this list.
    #[error("the cursor does not fit this list")]
    InvalidPosition,
    /// Throttled, timed out or unreachable, also after retries: worth trying again later.
    #[error("{step}: the database does not answer")]
    Unavailable { step: &'static str, source: Box<dyn Error + Send + Sync> },
    /// The database refuses to do this at all: a missing table, a missing right, a malformed request.
    #[error("{step}: the database refuses")]
    Refused { step: &'static str, source: Box<dyn Error + Send + Sync> },
    /// What is stored is not what was ever written.
    #[error("a stored item is corrupt: {what}")]
    Corrupt { what: String },
}

impl StoreError {
    pub(crate) fn from_sdk<E>(step: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error.code() {
            Some("ConditionalCheckFailedException") => return Self::Conflict { step },
            Some("TransactionConflictException") => return Self::Unavailable { step, source: Contended.into() },
            _ => {}
        }
        let passing = match &error {
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            SdkError::ServiceError(refusal) => refusal.raw().status().is_server_error() || error.code().is_some_and(is_passing),
            _ => false,
        };
        if passing { Self::Unavailable { step, source: error.into() } } else { Self::Refused { step, source: error.into() } }
    }
}

/// Error codes that say "later" (DynamoDB developer guide, "Error messages and codes").
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "Throttling"
            | "LimitExceededException"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "TransactionInProgressException"
    )
}
