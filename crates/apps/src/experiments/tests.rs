//! Flags, who has them, and what is counted of both halves.

use serde_json::{Value, json};
use throng_node::App;
use throng_testkit::{Http, Node};

use super::*;

fn tenant() -> TenantName {
    TenantName::parse("acme").unwrap()
}

fn flag(name: &str, audience: Audience) -> Flag {
    Flag { name: name.into(), audience, queue: None, policy: None }
}

fn everyone() -> Audience {
    Audience { everyone: true, ..Audience::default() }
}

fn percent(percent: u8) -> Audience {
    Audience { percent, ..Audience::default() }
}

fn policy(seconds: u64) -> Arc<Policy> {
    let after = Duration::from_secs(seconds);
    Arc::new(Policy::new(Policy::default().steps().to_vec(), after, Policy::default().weights()).unwrap())
}

#[test]
fn a_flag_is_on_for_its_audience_in_its_queue() {
    let tenant = tenant();
    let of = |queue| Subject { tenant: &tenant, user: "ada", queue };
    let ranked = Flag { queue: Some("ranked".into()), ..flag("ranked_only", everyone()) };
    let experiments = Experiments::new(vec![flag("all", everyone()), flag("none", percent(0)), ranked]);
    let on = |name, queue| experiments.is_on(name, of(queue));
    assert_eq!(
        ["all", "none", "ranked_only", "other"].map(|name| on(name, "default")),
        [true, false, false, false]
    );
    assert!(on("ranked_only", "ranked"));
}

#[test]
fn the_first_flag_with_a_policy_that_is_on_chooses_it() {
    let tenant = tenant();
    let of = |queue| Subject { tenant: &tenant, user: "ada", queue };
    let with = |name, audience, queue: Option<&str>, policy| Flag {
        queue: queue.map(Into::into),
        policy,
        ..flag(name, audience)
    };
    let experiments = Experiments::new(vec![
        with("plain", everyone(), None, None),
        with("off", percent(0), None, Some(policy(1))),
        with("ranked", everyone(), Some("ranked"), Some(policy(2))),
        with("rest", everyone(), None, Some(policy(3))),
    ]);
    let chosen = |queue| experiments.policy(of(queue)).map(|policy| policy.recent_after().as_secs());
    assert_eq!([chosen("ranked"), chosen("default")], [Some(2), Some(3)]);
    experiments.replace(vec![flag("plain", everyone())]);
    assert_eq!(chosen("default"), None);
}

#[test]
fn counts_outlive_a_change_of_the_flag_and_not_its_end() {
    let tenant = tenant();
    let ada = Subject { tenant: &tenant, user: "ada", queue: "default" };
    let experiments = Experiments::new(vec![flag("one", everyone()), flag("other", everyone())]);
    let assigned =
        || experiments.tallies().iter().map(|(_, [off, on])| (off.assigned, on.assigned)).collect::<Vec<_>>();
    experiments.assigned(ada);
    experiments.replace(vec![flag("one", percent(0))]);
    experiments.assigned(ada);
    assert_eq!(assigned(), [(1, 1)]);
    experiments.replace(vec![flag("one", percent(0)), flag("other", everyone())]);
    assert_eq!(assigned(), [(1, 1), (0, 0)]);
}

/// Two halves of 200 users, of whom those with the flag wait less.
fn lived() -> Experiments {
    let (tenant, experiments) = (tenant(), Experiments::new(vec![flag("quick", percent(50))]));
    for user in 0..200 {
        let user = format!("user {user}");
        let subject = Subject { tenant: &tenant, user: &user, queue: "default" };
        let wait = if experiments.is_on("quick", subject) { 1 } else { 3 };
        experiments.assigned(subject);
        experiments.outcome(subject, Outcome::Paired(Duration::from_secs(wait)));
        experiments.outcome(subject, Outcome::Ended(Duration::from_secs(100 * wait)));
        experiments.outcome(subject, Outcome::Rated(5));
    }
    experiments
}

#[test]
fn either_half_has_its_own_outcomes() {
    let experiments = lived();
    let [(_, [off, on])] = experiments.tallies()[..] else { panic!("one flag") };
    assert!(off.assigned + on.assigned == 200 && off.assigned > 50 && on.assigned > 50);
    assert_eq!((off.waits.mean(), on.waits.mean()), (Some(3.0), Some(1.0)));
    assert_eq!((off.lengths.mean(), on.lengths.mean()), (Some(300.0), Some(100.0)));
    assert_eq!((off.ratings.count, off.ratings.mean()), (off.assigned, Some(5.0)));
}

#[test]
fn outcomes_are_metrics_and_operators_read_them() {
    let experiments = lived();
    let [(_, [off, on])] = experiments.tallies()[..] else { panic!("one flag") };
    let mut app = App::new();
    install(&mut app, [("debate", experiments), ("roulette", Experiments::default())]);
    let node = Node::start(throng_testkit::config(), app);
    let metrics = node.metrics();
    for (variant, tally) in [("off", off), ("on", on)] {
        let labels = format!("{{app=\"debate\",flag=\"quick\",variant=\"{variant}\"}}");
        let get = |name: &str| metrics.get(&format!("experiment_{name}_total{labels}"));
        assert_eq!(get("assigned"), tally.assigned);
        assert_eq!(get("wait_seconds") as f64, tally.waits.total);
        assert_eq!((get("rated"), get("rating_points")), (tally.assigned, 5 * tally.assigned));
    }
    assert_eq!(Http::get(node.address(), "/api/admin/experiments").status, 401);
    let openapi: Value = serde_json::from_str(&Http::get(node.address(), "/api/openapi.json").body).unwrap();
    assert!(openapi["paths"]["/api/admin/experiments"]["get"].is_object());
}

#[test]
fn the_report_shows_both_halves() {
    let all = [("debate", lived())].into_iter().collect();
    let report: Value = serde_json::to_value(report::report(&all)).unwrap();
    let one = &report["experiments"][0];
    assert_eq!(
        (&one["app"], &one["flag"], &one["queue"], &one["percent"]),
        (&json!("debate"), &json!("quick"), &json!(null), &json!(50))
    );
    assert_eq!((&one["everyone"], &one["tenants"]), (&json!(false), &json!([])));
    assert_eq!(
        (&one["on"]["waitAverage"], &one["off"]["lengthAverage"], &one["on"]["ratingAverage"]),
        (&json!(1.0), &json!(300.0), &json!(5.0))
    );
}
