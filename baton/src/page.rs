//! The web page, inside the binary.

use axum::{
    Router,
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    routing::get,
};

/// Files of web/ by name.
macro_rules! assets {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../web/", $name)))),*] };
}

const ASSETS: [(&str, &str); 24] = assets![
    "account.js",
    "api.js",
    "app.js",
    "dom.js",
    "email.js",
    "events.js",
    "favicon.svg",
    "form.js",
    "gate.js",
    "i18n.js",
    "index.html",
    "invitations.js",
    "password.js",
    "people.js",
    "project.js",
    "proof.js",
    "second-factor.js",
    "session.js",
    "sessions.js",
    "settings.js",
    "style.css",
    "task.js",
    "tasks.js",
    "tokens.js",
];

/// The page at `/` and its files beside it.
pub fn routes() -> Router {
    let mut router = Router::new();
    for (name, text) in ASSETS {
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        let headers =
            [(CONTENT_TYPE, HeaderValue::from_static(content_type(name))), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
        router = router.route(&path, get(async move || (headers, text)));
    }
    router
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_binary() -> std::io::Result<()> {
        let mut files = Vec::new();
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../web"))? {
            files.push(file?.file_name().to_string_lossy().into_owned());
        }
        files.sort();
        assert_eq!(files, ASSETS.map(|(name, _)| name));
        Ok(())
    }

    #[test]
    fn the_page_keeps_no_secret_where_others_find_it() {
        for (name, text) in ASSETS {
            for place in ["localStorage", "sessionStorage", "indexedDB", "document.cookie", "pushState", "innerHTML"] {
                assert!(!text.contains(place), "{name} uses {place}");
            }
        }
        let router = ASSETS.iter().find(|(name, _)| *name == "app.js").map_or("", |(_, text)| text);
        let forgets = "if (parameters.query.has('token')) history.replaceState(";
        let draws = "page = await route.page(parameters)";
        assert!(router.find(forgets).is_some_and(|it| router.find(draws).is_some_and(|drawn| it < drawn)));
    }
}
