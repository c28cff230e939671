//! What a configuration may say, but not in production.

use super::read;

fn dangers(file: &str) -> Vec<String> {
    let (effective, _) = read(file, &[], Vec::new());
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    effective.dangers.iter().map(|danger| danger.key.to_string()).collect()
}

#[test]
fn what_is_unsafe_is_told() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let safe = format!("origins = ['https://a.example']\nauth.secret = '{SECRET}'\n");
    for (file, expect) in [
        (String::new(), vec!["auth.secret", "origins"]),
        (safe.clone(), vec![]),
        (format!("{safe}auth.guests = 'everywhere'\n"), vec!["auth.guests"]),
        (safe.replace(SECRET, &SECRET[1..]), vec!["auth.secret"]),
        (safe.replace("https://a.example", "*"), vec!["origins"]),
        ("origins = ['https://a.example']\nauth.jwks_url = 'https://id.example/'\n".into(), vec![]),
        (
            format!("{safe}roulette.turn_secret = 'x'\nanalytics.secret = 'y'\npublish.keys = ['z']\n"),
            vec!["roulette.turn_secret", "analytics.secret", "publish.keys"],
        ),
        (format!("{safe}metrics.token = 'a'\n"), vec!["metrics.token"]),
        (format!("{safe}metrics.token = '{SECRET}'\n"), vec![]),
        (format!("{safe}http.trusted_proxies = ['10.0.0.0/8', '0.0.0.0/0']\n"), vec!["http.trusted_proxies"]),
        (format!("{safe}http.trusted_proxies = ['::/0']\n"), vec!["http.trusted_proxies"]),
        (
            format!("{safe}http.trusted_proxies = ['0.0.0.0/1', '128.0.0.0/1']\n"),
            vec!["http.trusted_proxies"],
        ),
        (format!("{safe}http.trusted_proxies = ['fc00::/7']\n"), vec![]),
        (format!("{safe}http.trusted_proxies = ['10.0.0.0/8', '127.0.0.1']\n"), vec![]),
        (
            format!(
                "{safe}[limits]\napi_per_second = 0\nauth_per_minute = 0\nhandshakes_per_second = 0\n\
                 events_per_second = 0\n"
            ),
            vec![
                "limits.api_per_second",
                "limits.auth_per_minute",
                "limits.handshakes_per_second",
                "limits.events_per_second",
            ],
        ),
        (
            format!("{safe}[tenants.list.acme]\nsecret = 'x'\norigins = ['*']\n"),
            vec!["tenants.list.acme.secret", "tenants.list.acme.origins"],
        ),
    ] {
        assert_eq!(dangers(&file), expect, "{file}");
    }
}

#[test]
fn production_refuses_what_development_warns_of() {
    assert!(read("", &[], Vec::new()).0.accepted().is_ok());
    for environment in [&[("NODE_ENV", "production")], &[("THRONG_PROFILE", "production")]] {
        let refusals = read("", environment, Vec::new()).0.accepted().err().unwrap().to_string();
        for part in ["default: auth.secret: production refuses it", "default: origins: production refuses it"]
        {
            assert!(refusals.contains(part), "{refusals}");
        }
    }
    let both = [("NODE_ENV", "production"), ("THRONG_PROFILE", "development")];
    assert!(read("", &both, Vec::new()).0.accepted().is_ok());
}
