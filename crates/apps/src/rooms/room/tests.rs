//! A room's life on a clock of the tests' own.

use super::*;
use crate::rooms::setting::Side;

const TIMES: Times = Times {
    duration: Duration::from_secs(600),
    warning: Duration::from_secs(60),
    grace: Duration::from_secs(30),
    confirm_timeout: Duration::from_secs(5),
};
const RESUMED: Notice = Notice::Joined(Arrival::Resumed);
const ONE: Seat = Seat::First;
const TWO: Seat = Seat::Second;

fn at(seconds: u64) -> Time {
    Time(Duration::from_secs(seconds))
}

fn opening(times: Times) -> Opening {
    Opening {
        id: "room".into(),
        pairing: PairingId(7),
        queue: "default".into(),
        setting: Setting::Debate { topic: "tea".into(), sides: [Side::For, Side::Against] },
        tags: Vec::new(),
        language: None,
        members: [("one".into(), at(0)), ("two".into(), at(0))],
        times,
    }
}

fn open_with(times: Times) -> Room {
    let (room, effects) = Room::open(opening(times), at(0));
    assert_eq!(effects, both(&Notice::Joined(Arrival::New)));
    room
}

fn open() -> Room {
    open_with(TIMES)
}

/// A room in which both have confirmed.
fn active() -> Room {
    let mut room = open();
    assert_eq!(room.confirm(ONE), []);
    assert_eq!(room.confirm(TWO), begun());
    room
}

fn begun() -> Vec<Effect> {
    let mut effects = both(&Notice::Active);
    effects.push(Effect::Begun);
    effects
}

fn ended(cause: Cause, nexts: [Next; 2]) -> Vec<Effect> {
    let told = |seat: Seat| Notice::Ended { reason: cause.reason(), next: nexts[seat.index()] };
    let mut effects: Vec<_> = Seat::BOTH.map(|seat| Effect::Tell(seat, told(seat))).into();
    effects.push(Effect::Over(cause));
    effects
}

#[test]
fn a_room_begins_with_the_second_to_confirm() {
    let mut room = open();
    room.confirm(ONE);
    assert_eq!((room.confirm(ONE), room.stage), (vec![], Stage::Waiting { until: at(5) }));
    assert_eq!((room.confirm(TWO), room.stage), (begun(), Stage::Active));
    assert_eq!((room.confirm(TWO), room.advance(at(5))), (vec![], vec![]));
}

#[test]
fn whoever_was_not_heard_when_the_time_is_over_drops_out() {
    let mut room = open();
    room.confirm(ONE);
    assert_eq!((room.due(), room.advance(at(4))), (Some(at(5)), vec![]));
    assert_eq!(room.advance(at(5)), ended(Cause::Gone(TWO), [Next::Waiting, Next::Offered]));
    assert_eq!(open().advance(at(5)), ended(Cause::Gone(ONE), [Next::Offered, Next::Waiting]));
}

#[test]
fn whoever_vanishes_before_both_confirmed_drops_out() {
    let mut room = open();
    room.confirm(TWO);
    assert_eq!(room.away(TWO, at(1)), ended(Cause::Gone(TWO), [Next::Waiting, Next::Offered]));
}

#[test]
fn whoever_is_away_from_a_room_that_had_begun_is_waited_for_as_long_as_ever() {
    let mut room = Room::open_unseen(opening(TIMES), at(0));
    assert_eq!(room.believe_begun(ONE, at(1)), [Effect::Tell(TWO, Notice::Active), Effect::Begun]);
    assert_eq!(
        (room.believe_begun(ONE, at(2)), room.still_there(ONE)),
        (vec![], vec![Effect::Tell(TWO, Notice::Back)])
    );
    assert_eq!(
        (room.due(), room.absences()),
        (Some(at(31)), vec![Effect::Tell(ONE, Notice::Away { until: at(31) })])
    );
}

#[test]
fn a_room_warns_and_then_ends_on_time() {
    let mut room = active();
    assert_eq!(room.due(), Some(at(540)));
    let warning = Notice::Warning { ends: at(600), remaining: Duration::from_secs(60) };
    assert_eq!(room.advance(at(540)), both(&warning));
    assert_eq!((room.advance(at(541)), room.due()), (vec![], Some(at(600))));
    assert_eq!(room.advance(at(600)), ended(Cause::Time, [Next::Offered; 2]));
}

#[test]
fn a_room_too_short_for_a_warning_has_none() {
    let room = open_with(Times { duration: Duration::from_secs(60), ..TIMES });
    assert_eq!(room.warns, None);
    let room = open_with(Times { warning: Duration::ZERO, ..TIMES });
    assert_eq!(room.warns, None);
}

#[test]
fn whoever_vanishes_is_waited_for() {
    let mut room = active();
    assert_eq!(room.away(TWO, at(10)), [Effect::Tell(ONE, Notice::Away { until: at(40) })]);
    assert_eq!((room.due(), room.advance(at(39))), (Some(at(40)), vec![]));
    assert_eq!(room.back(TWO), [Effect::Tell(TWO, RESUMED), Effect::Tell(ONE, Notice::Back)]);
    assert_eq!(room.due(), Some(at(540)));

    room.away(ONE, at(100));
    assert_eq!(room.advance(at(130)), ended(Cause::Gone(ONE), [Next::Offered; 2]));
}

#[test]
fn whoever_comes_back_sees_what_it_missed() {
    let mut room = active();
    let signals = ["a", "b"].map(|text| Arc::new(Signal::candidate(text)));
    room.away(TWO, at(10));
    assert_eq!(room.say(ONE, "there?".into(), at(11)).0.seq, 1);
    for signal in &signals {
        assert_eq!(room.signal(ONE, signal.clone()), Ok(vec![]));
    }
    let media = MediaState { camera: false, microphone: true };
    room.show(ONE, media);
    let [first, second] = signals;
    let missed = [RESUMED, Notice::Media(media), Notice::Signal(first), Notice::Signal(second)];
    let mut expect: Vec<_> = missed.map(|notice| Effect::Tell(TWO, notice)).into();
    expect.push(Effect::Tell(ONE, Notice::Back));
    assert_eq!(room.back(TWO), expect);
    assert_eq!(room.history.lines().count(), 1);
    // Nothing of it comes twice.
    assert_eq!(room.back(TWO).len(), 3);
}

#[test]
fn both_may_be_away_and_the_first_to_go_is_waited_for_first() {
    let mut room = active();
    room.away(ONE, at(10));
    room.away(TWO, at(20));
    let until = Notice::Away { until: at(50) };
    assert_eq!(room.back(ONE)[..2], [Effect::Tell(ONE, RESUMED), Effect::Tell(ONE, until)]);
    room.away(ONE, at(30));
    assert_eq!(room.advance(at(50)), ended(Cause::Gone(TWO), [Next::Offered; 2]));
}

#[test]
fn both_hear_a_message_and_only_the_other_a_signal() {
    let mut room = active();
    let (line, effects) = room.say(TWO, "hi".into(), at(1));
    assert_eq!(effects, both(&Notice::Said(line)));
    let signal = Arc::new(Signal::candidate("a"));
    assert_eq!(room.signal(TWO, signal.clone()), Ok(vec![Effect::Tell(ONE, Notice::Signal(signal))]));
}
