//! What the HTTP functions agree on: who calls, what a request may look like, what an error and a list look like.
//!
//! Knows nothing of single routes, and of DynamoDB only what `store` shows.
//!
//! Handlers take [`Caller`] or [`SessionCaller`] first, then [`Path`]; [`Query`], [`IfMatch`], [`IdempotencyKey`] and [`RawBody`] are taken unjudged and
//! judged by their methods, so that answers come in the order of the contract: 401, 404, 403, then 415, 413, 400, 422, then 428, 412.

mod api_token;
mod body;
mod caller;
mod client;
mod crypto;
mod document;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hints;
mod idempotency;
mod if_match;
mod korean;
mod lambda;
mod language;
mod list;
mod path;
mod query;
mod request_id;
mod router;
mod scope;
mod token;

pub use api_token::API_TOKEN_PREFIX;
pub use body::{BODY_LIMIT, RawBody, set_object, set_or_clear_object};
pub use caller::{Caller, Grant, SessionCaller};
pub use client::{Client, PeerAddress};
pub use crypto::install_crypto;
pub use document::{
    BodyProblems, BusyProblem, CallerProblems, ConflictProblem, NotFoundProblem, PublicProblems, RoleProblem, VersionProblems,
    document,
};
pub use error::{ApiError, FieldProblem, Problem};
pub use hints::Hints;
pub use idempotency::IdempotencyKey;
pub use if_match::{IfMatch, etag};
pub use korean::translated;
pub use lambda::serve;
pub use list::ListBody;
pub use path::{FromSegments, Path};
pub use query::{Cursor, Limit, Paging, Query};
pub use request_id::RequestId;
pub use router::{finish, routes};
pub use token::{ACCESS_TOKEN_TYPE, TokenVerifier};
