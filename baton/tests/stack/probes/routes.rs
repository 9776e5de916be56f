//! The routes there are to probe.

use reqwest::Method;

/// A route of the document.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
    /// Whether it takes a cursor.
    pub(super) is_list: bool,
}

impl Route {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every route of the document.
pub(super) fn routes() -> Vec<Route> {
    let document = serde_json::to_value(baton::functions::document()).expect("a document is JSON");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations").iter().filter(|(_, it)| it["responses"].is_object()) {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let is_list = parameters.map(|it| &it["name"]).any(|it| it == "cursor");
            let method: Method = method.to_uppercase().parse().expect("a method");
            routes.push(Route { method, path: path.clone(), is_list });
        }
    }
    routes
}

/// The names in the braces of a path.
pub(super) fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
}
