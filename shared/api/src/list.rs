use serde::Serialize;
use store::Page;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = List)]
pub struct ListBody<T> {
    pub items: Vec<T>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl<T> ListBody<T> {
    /// A page of the store in the shape it is sent in.
    pub fn new<I>(page: Page<I>, body: impl FnMut(I) -> T) -> Self {
        let Page { items, next } = page;
        Self { items: items.into_iter().map(body).collect(), next_cursor: next.map(|it| it.to_string()) }
    }
}
