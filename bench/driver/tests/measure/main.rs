//! Whole runs of the driver against a small server in this process: what it counts, and how it fails.

#![expect(clippy::unwrap_used, reason = "a test's own helpers may panic as the test may")]

mod double;

use double::{Behaviour, serve, serve_as_nodes};
use std::{
    hint,
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};
use throng_bench::{
    Addressee, Args, Failure, Fault, Load, Moment, Pace, Plan, Report, Run, Scenario, Target, measure,
};

const ECHO: Load = Load::Echo(Pace::Window(1));
const FANOUT: Load = Load::Fanout { pace: Pace::Window(1), rooms: 0 };

fn plan(address: SocketAddr, load: Load) -> Plan {
    Plan {
        target: Target::resolve(&format!("ws://{address}"), "/socket.io/", "/").unwrap(),
        load,
        connections: 5,
        handshakes: 2,
        payload_bytes: 3,
        warm_up: Duration::from_millis(20),
        duration: Duration::from_millis(200),
        timeout: Duration::from_secs(10),
    }
}

#[track_caller]
fn run(behaviour: Behaviour, load: Load) -> Report {
    measure(&plan(serve(behaviour), load), &mut |_| {}).unwrap()
}

#[track_caller]
fn check_is_sound(report: &Report) {
    assert!(report.done > 0, "{report:?}");
    assert!(report.faults.is_empty(), "{report:?}");
    assert_eq!(report.connections, 5);
}

#[test]
fn every_echo_is_acknowledged_and_timed() {
    let report = run(Behaviour::Contract, ECHO);
    check_is_sound(&report);
    assert!(report.sent.abs_diff(report.done) <= 5, "{report:?}");
    let latency = report.latency_micros.unwrap();
    assert!(latency.p50 > 0.0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max, "{latency:?}");
}

#[test]
fn a_wider_window_has_more_under_way() {
    let report = run(Behaviour::Contract, Load::Echo(Pace::Window(10)));
    check_is_sound(&report);
}

#[test]
fn a_rate_is_kept_whatever_the_answers_do() {
    let report = run(Behaviour::Contract, Load::Echo(Pace::Rate(500.0)));
    check_is_sound(&report);
    assert!((50..=101).contains(&report.sent), "{report:?}");
}

#[test]
fn a_publication_is_delivered_to_all_before_the_next() {
    let report = run(Behaviour::Contract, FANOUT);
    check_is_sound(&report);
    assert!(report.done.abs_diff(report.sent * 5) <= 5, "{report:?}");
}

#[test]
fn a_window_of_publications_is_kept_full() {
    let report = run(Behaviour::Contract, Load::Fanout { pace: Pace::Window(64), rooms: 0 });
    check_is_sound(&report);
    assert!(report.done.abs_diff(report.sent * 5) <= 64 * 5, "{report:?}");
}

#[test]
fn rooms_receive_only_what_is_theirs() {
    let report = run(Behaviour::Contract, Load::Fanout { pace: Pace::Window(1), rooms: 5 });
    check_is_sound(&report);
    assert!(report.done.abs_diff(report.sent) <= 1, "{report:?}");
}

/// Four connections, in turn at one and the other.
fn talk([one, other]: [SocketAddr; 2], to: Addressee) -> Report {
    let mut plan = plan(one, Load::Direct { pace: Pace::Window(2), to });
    plan.target.others.push(other);
    measure(&Plan { connections: 4, ..plan }, &mut |_| {}).unwrap()
}

#[test]
fn partners_talk_across_nodes() {
    for to in [Addressee::Socket, Addressee::Room] {
        let report = talk(serve_as_nodes(Behaviour::Contract), to);
        assert!(report.done > 0 && report.faults.is_empty(), "{report:?}");
        assert!(report.sent.abs_diff(report.done) <= 8, "{report:?}");
    }
}

#[test]
fn no_partner_is_on_the_same_node() {
    let strangers = [serve(Behaviour::Contract), serve(Behaviour::Contract)];
    assert_eq!(talk(strangers, Addressee::Socket).done, 0);
}

#[test]
fn connecting_goes_on_until_the_time_is_over() {
    let report = run(Behaviour::Contract, Load::Connects);
    assert!(report.done > 5 && report.faults.is_empty(), "{report:?}");
}

#[test]
fn pings_are_answered_while_idle() {
    let report = run(Behaviour::Pings, Load::Idle);
    check_is_sound(&report);
}

#[test]
fn frames_may_come_byte_by_byte() {
    check_is_sound(&run(Behaviour::Trickles, ECHO));
}

#[test]
fn the_watcher_sees_the_start_and_the_end_once() {
    let mut moments = Vec::new();
    measure(&plan(serve(Behaviour::Contract), ECHO), &mut |moment| match moment {
        Moment::Started => moments.push("started"),
        Moment::Ended => moments.push("ended"),
        Moment::Second(_) => {}
    })
    .unwrap();
    assert_eq!(moments, ["started", "ended"]);
}

/// Measures in slices, with longer rests between them; returns the report and how long it was driven in all.
fn run_in_slices(load: Load) -> (Report, Duration) {
    let plan = Plan { connections: 6, ..plan(serve(Behaviour::Contract), load) };
    let duration = plan.duration;
    let (began, mut rested) = (Instant::now(), Duration::ZERO);
    let mut run = Run::new(plan).unwrap();
    run.warm_up(&mut |_| {}).unwrap();
    let mut first = None;
    for slice in 1..=4 {
        run.rest(&mut |_| {}).unwrap();
        let rest = Instant::now();
        // Works rather than waits: the thread's CPU time is that of other runs too.
        while rest.elapsed() < duration / 2 {
            hint::spin_loop();
        }
        rested += rest.elapsed();
        run.measure(duration * slice / 4, &mut |_| {}).unwrap();
        run.rest(&mut |_| {}).unwrap();
        let report = run.report();
        assert!(report.under_way == 0 && report.faults.is_empty(), "{report:?}");
        first.get_or_insert(report.done);
    }
    let report = run.report();
    assert!(Some(report.done) > first, "{report:?}");
    (report, began.elapsed() - rested)
}

#[test]
fn a_run_does_not_count_what_it_rests() {
    const RATE: f64 = 500.0;
    let echo_at_a_rate = Load::Echo(Pace::Rate(RATE));
    let direct = Load::Direct { pace: Pace::Window(1), to: Addressee::Socket };
    for load in [ECHO, FANOUT, direct, Load::Connects, echo_at_a_rate] {
        let (report, driven) = run_in_slices(load);
        assert!((0.2..=driven.as_secs_f64()).contains(&report.seconds), "{driven:?} {report:?}");
        assert!(report.driver_cpu_share <= 1.0, "{report:?}");
        if load == echo_at_a_rate {
            assert!(report.sent as f64 <= RATE * driven.as_secs_f64(), "{driven:?} {report:?}");
        }
    }
}

#[test]
fn a_run_that_has_measured_long_enough_goes_on_resting() {
    let mut run = Run::new(plan(serve(Behaviour::Contract), ECHO)).unwrap();
    run.warm_up(&mut |_| {}).unwrap();
    run.measure(Duration::from_millis(2), &mut |_| {}).unwrap();
    run.rest(&mut |_| {}).unwrap();
    let before = run.report();
    run.measure(Duration::from_millis(1), &mut |_| {}).unwrap();
    let after = run.report();
    assert_eq!((after.sent, after.seconds), (before.sent, before.seconds));
}

#[test]
fn what_is_never_answered_keeps_no_run_from_resting() {
    let plan = plan(serve(Behaviour::NeverAcknowledges), ECHO);
    let mut run = Run::new(Plan { timeout: Duration::from_millis(100), ..plan }).unwrap();
    run.warm_up(&mut |_| {}).unwrap();
    run.measure(Duration::from_millis(1), &mut |_| {}).unwrap();
    run.rest(&mut |_| {}).unwrap();
    let report = run.report();
    assert_eq!((report.done, report.under_way, report.faults.get("lost")), (0, 0, Some(&5)));
}

#[test]
fn an_event_that_is_never_answered_is_under_way_and_in_the_end_lost() {
    let patient = plan(serve(Behaviour::NeverAcknowledges), ECHO);
    let hasty = Plan { timeout: Duration::from_millis(100), ..patient.clone() };
    let counts = |report: Report| (report.done, report.under_way, report.faults.get("lost").copied());
    assert_eq!(counts(measure(&patient, &mut |_| {}).unwrap()), (0, 5, None));
    assert_eq!(counts(measure(&hasty, &mut |_| {}).unwrap()), (0, 0, Some(5)));
}

#[track_caller]
fn check_failure(behaviour: Behaviour, load: Load, expected: &str) {
    let plan = Plan { timeout: Duration::from_millis(100), ..plan(serve(behaviour), load) };
    let failure = measure(&plan, &mut |_| {}).unwrap_err();
    assert!(failure.to_string().contains(expected), "{failure}");
}

#[test]
fn what_is_no_socket_io_server_is_told_with_advice() {
    check_failure(Behaviour::NotHttp, ECHO, "does not speak HTTP");
    check_failure(Behaviour::NotFound, ECHO, "is it a Socket.IO server, and is --path right?");
    check_failure(
        Behaviour::RefusesTheNamespace,
        ECHO,
        r#"{"message":"Invalid namespace"}; is --namespace right?"#,
    );
    check_failure(Behaviour::NeverAnswers, ECHO, "no answer in time");
    check_failure(Behaviour::HangsUp, ECHO, "all connections are gone");
    check_failure(Behaviour::NeverAcknowledges, Load::Fanout { pace: Pace::Window(1), rooms: 2 }, "`join`");
}

#[test]
fn a_run_without_answers_says_what_the_server_lacks() {
    for (scenario, handler) in [(Scenario::Echo, "`echo`"), (Scenario::Fanout, "`bcast`")] {
        let args = Args {
            url: format!("ws://{}", serve(Behaviour::NeverAcknowledges)),
            scenario,
            connections: 5,
            duration: Duration::from_millis(200),
            warm_up: Duration::ZERO,
            rate: None,
            window: 1,
            payload: 1,
            rooms: 0,
            handshakes: 2,
            path: "/socket.io/".to_owned(),
            namespace: "/".to_owned(),
            timeout: Duration::from_secs(10),
            json: false,
        };
        let failure = throng_bench::run(&args).unwrap_err();
        assert!(failure.to_string().contains(handler), "{failure}");
    }
}

#[test]
fn a_port_where_nobody_listens_is_told_at_once() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = measure(&plan(address, ECHO), &mut |_| {}).unwrap_err();
    assert!(matches!(failure, Failure::NoConnection { fault: Fault::Refused, .. }), "{failure:?}");
}
