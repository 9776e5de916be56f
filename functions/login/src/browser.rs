use api::ApiError;
use axum_extra::extract::CookieJar;
use http::header::{ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::SignedDuration;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a browser keeps for us out of reach of scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The refresh token; honoured at refresh and logout only.
    Refresh,
    /// Which device this is; honoured at log-in only.
    Device,
}

impl Cookie {
    /// `__Host-` makes a browser hold us to `Secure`, `Path=/` and no `Domain` (RFC 6265bis, section 4.1.3.2).
    const fn name(self) -> &'static str {
        match self {
            Self::Refresh => "__Host-baton-refresh",
            Self::Device => "__Host-baton-device",
        }
    }

    /// What the browser sent.
    pub(crate) fn read(self, jar: &CookieJar) -> Option<String> {
        jar.get(self.name()).map(|it| it.value().to_owned())
    }

    /// Has the browser keep it.
    ///
    /// # Errors
    /// 500, for a value that cannot stand in a header.
    pub(crate) fn set(self, value: &str, lifetime: SignedDuration, headers: &mut HeaderMap) -> Result<(), ApiError> {
        let (name, seconds) = (self.name(), lifetime.as_secs());
        let cookie = format!("{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; Secure; SameSite=Strict");
        headers.append(SET_COOKIE, HeaderValue::from_str(&cookie).map_err(ApiError::internal)?);
        Ok(())
    }

    /// Has the browser forget it.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub(crate) fn forget(self) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        self.set("", SignedDuration::ZERO, &mut headers)?;
        Ok(headers)
    }
}

/// The origins whose pages may act by a cookie: those that serve ours.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Vec<String>);

impl Origins {
    pub(crate) fn new(origins: [&str; 2]) -> Self {
        Self(origins.map(|it| it.trim_end_matches('/').to_owned()).to_vec())
    }

    /// Refuses a request by cookie that another site may have caused. `SameSite=Strict` keeps those away already; a sibling's page of the
    /// same site it does not.
    ///
    /// # Errors
    /// 403, unless the browser says that one of our own pages asks, by either header and against none.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let site = said(headers, &SEC_FETCH_SITE, |it| it == "same-origin");
        let origin = said(headers, &ORIGIN, |it| self.0.iter().any(|ours| ours == it));
        match (site, origin) {
            (Some(true), Some(true) | None) | (None, Some(true)) => Ok(()),
            _ => {
                Err(ApiError::forbidden("A cookie is honoured from Baton's own pages only; send the refresh token in the body."))
            }
        }
    }
}

/// Whether a header says what is wanted, where it is there; given twice it never does.
fn said(headers: &HeaderMap, name: &HeaderName, wanted: impl Fn(&str) -> bool) -> Option<bool> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(values.next().is_none() && first.to_str().is_ok_and(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_host_only_and_out_of_reach_of_scripts() {
        let mut headers = HeaderMap::new();
        Cookie::Refresh.set("abc", SignedDuration::from_hours(24 * 30), &mut headers).expect("a header");
        let expected = "__Host-baton-refresh=abc; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Strict";
        assert_eq!(headers["set-cookie"], expected);
        let gone = Cookie::Refresh.forget().expect("a header");
        assert_eq!(gone["set-cookie"], expected.replace("abc", "").replace("2592000", "0"));
        Cookie::Device.set("def", SignedDuration::from_secs(1), &mut headers).expect("a header");
        let both: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(both[1], "__Host-baton-device=def; Max-Age=1; Path=/; HttpOnly; Secure; SameSite=Strict");
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn a_cookie_is_honoured_from_our_own_pages_only() {
        let origins = Origins::new(["https://baton.example", "https://api.example/"]);
        let check = |headers: &[(&'static str, &'static str)], expected: bool| {
            let headers: HeaderMap =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
            assert_eq!(origins.check(&headers).is_ok(), expected, "{headers:?}");
        };
        let (site, origin) = ("sec-fetch-site", "origin");
        check(&[(site, "same-origin")], true);
        check(&[(origin, "https://baton.example")], true);
        check(&[(origin, "https://api.example")], true);
        check(&[(site, "same-origin"), (origin, "https://baton.example")], true);
        check(&[], false);
        for other in ["cross-site", "same-site", "none", ""] {
            check(&[(site, other)], false);
            check(&[(site, other), (origin, "https://baton.example")], false);
        }
        for other in ["https://evil.example", "http://baton.example", "https://baton.example.evil.example", "null", ""] {
            check(&[(origin, other)], false);
            check(&[(site, "same-origin"), (origin, other)], false);
        }
    }

    #[test]
    fn a_header_given_twice_speaks_for_nobody() {
        let origins = Origins::new(["https://baton.example", "https://api.example"]);
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static("https://baton.example"));
        headers.append(ORIGIN, HeaderValue::from_static("https://evil.example"));
        assert!(origins.check(&headers).is_err());
    }
}
