use axum::extract::FromRequestParts;
use domain::Invalid;
use http::Uri;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use store::Position;
use utoipa::IntoParams;

use crate::ApiError;

/// A query as sent. Taking it never fails, so that a handler says 404 and 403 before it says what is wrong with the query.
#[derive(Debug)]
pub struct Query(Uri);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(uri.clone())
    }

    /// Reads the parameters into a struct, which refuses unknown ones with `#[serde(deny_unknown_fields)]`.
    ///
    /// # Errors
    /// 400 for an unknown parameter, one given twice, and one that does not parse.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let query = axum::extract::Query::<T>::try_from_uri(&self.0);
        query.map(|it| it.0).map_err(|rejection| {
            let text = rejection.body_text();
            let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            ApiError::bad_request(format!("The query is not understood: {reason}."))
        })
    }

    /// For a route without parameters and without a body; with one, [`RawBody`](crate::RawBody) does this.
    ///
    /// # Errors
    /// 400 for any parameter.
    pub fn parse_none(&self) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        self.parse().map(|Nothing {}| ())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.uri))
    }
}

/// The parameters of a list without others. A list with others has [`Limit`] and [`Cursor`] among its own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 50, required = false)]
    pub limit: Limit,
    /// Where to go on: the `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

impl Paging {
    /// Where to go on, as the store takes it.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.cursor.clone().map(Into::into)
    }
}

/// How many a list shows at most: 1 to 100, and 50 if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub struct Limit(usize);

impl Limit {
    /// The number.
    #[must_use]
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<usize> for Limit {
    type Error = Invalid;

    fn try_from(limit: usize) -> Result<Self, Invalid> {
        if (1..=100).contains(&limit) { Ok(Self(limit)) } else { Err(Invalid::new("limit is not between 1 and 100")) }
    }
}

/// A position in a list, as `next_cursor` gave it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Cursor(Position);

impl TryFrom<String> for Cursor {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| Invalid::new("the cursor is none of ours"))
    }
}

impl From<Cursor> for Position {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn check(query: &str, limit: Result<usize, StatusCode>) {
        let query = Query(format!("/v1/tasks?{query}").parse().expect("a URI"));
        let paging = query.parse::<Paging>().map(|it| it.limit.get()).map_err(|it| it.status());
        assert_eq!(paging, limit, "{query:?}");
    }

    #[test]
    fn a_limit_is_between_1_and_100_and_nothing_else_is_known() {
        check("", Ok(50));
        check("limit=1", Ok(1));
        check("limit=100", Ok(100));
        for query in ["limit=0", "limit=101", "limit=-1", "limit=", "limit=ten", "limit=1&limit=1", "colour=red", "cursor=%00"] {
            check(query, Err(StatusCode::BAD_REQUEST));
        }
    }
}
