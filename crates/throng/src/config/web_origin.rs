//! A web origin as browsers send it: scheme, host and, where it is not the usual one, port.

use url::Url;

/// The origin of a URL, of web views with a scheme of their own (`capacitor://localhost`) too; `None` where a text names
/// no host, or a host with a `*` in it, which nothing would ever match.
pub(super) fn of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (text, expect) in [
            ("https://App.Example/start?x#y", Some("https://app.example")),
            ("http://a.example:80", Some("http://a.example")),
            ("http://u:p@a.example:8080/", Some("http://a.example:8080")),
            ("http://[::1]:5173", Some("http://[::1]:5173")),
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("https://*.example.com", None),
            ("a.example", None),
            ("data:text/plain,x", None),
            ("null", None),
        ] {
            assert_eq!(of(text).as_deref(), expect, "{text}");
        }
    }
}
