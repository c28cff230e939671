//! How the media of one call fare, by what the two pages report. Pure. Reports follow an order, and of a call each thing
//! counts once, whichever page says it first.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use throng_lobby::Time;
use utoipa::ToSchema;

use crate::request::Failure;
use crate::rooms::refusal::INVALID_REPORT;
use crate::rooms::room::Seat;

/// The longest set-up that is believed, in milliseconds.
const SETUP_MILLIS_MAX: u64 = 120_000;

/// What a page says of its call.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CallReport {
    phase: Phase,
    /// With `connected`: how long it took, in milliseconds; without it the server's own measure counts.
    #[schema(maximum = 120000)]
    setup_ms: Option<u64>,
    /// With `connected`: whether through a TURN server.
    relayed: Option<bool>,
    /// With `failed`: why.
    reason: Option<FailReason>,
    /// The room that it is about; the current one when it is missing.
    pub(crate) room: Option<String>,
}

/// How far a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Started,
    Connected,
    Failed,
    Ended,
}

/// Why a call came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailReason {
    /// The browsers found no way to each other.
    Ice,
    /// The person did not let the page use camera or microphone.
    MediaDenied,
    /// There is no camera or microphone.
    NoDevice,
    /// It took too long.
    Timeout,
    /// Something else.
    Other,
}

impl FailReason {
    pub(crate) const ALL: [Self; 5] =
        [Self::Ice, Self::MediaDenied, Self::NoDevice, Self::Timeout, Self::Other];

    /// As the wire has it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Ice => "ice",
            Self::MediaDenied => "media_denied",
            Self::NoDevice => "no_device",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
    }
}

/// What is new about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// The pages begin to connect.
    Started,
    /// They are connected.
    Connected {
        /// How long it took.
        setup: Duration,
        /// Whether through a TURN server, when the page says so.
        relayed: Option<bool>,
    },
    /// They are not, or no longer.
    Failed(FailReason),
}

/// The call of a room.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pages: [Page; 2],
    /// Whose page may have been loaded again since it reported: it may start once more.
    back: [bool; 2],
    started: bool,
    connected: bool,
    failed: bool,
}

/// What one of the two has reported last.
#[derive(Debug, Clone, Copy, Default)]
enum Page {
    #[default]
    Silent,
    Started(Time),
    Connected,
    Failed,
    Ended,
}

impl Call {
    /// Takes in a report; gives what it adds to what is known of the call.
    ///
    /// # Errors
    /// `invalid_report` when it does not follow from the page's last one, or has fields of another phase.
    pub(crate) fn report(
        &mut self,
        seat: Seat,
        report: &CallReport,
        now: Time,
    ) -> Result<Option<Milestone>, Failure> {
        let CallReport { phase, setup_ms, relayed, reason, .. } = *report;
        let of_connected = setup_ms.is_some() || relayed.is_some();
        let fields_fit = (!of_connected || phase == Phase::Connected)
            && (reason.is_none() || phase == Phase::Failed)
            && setup_ms.is_none_or(|millis| millis <= SETUP_MILLIS_MAX);
        if !fields_fit {
            return Err(INVALID_REPORT);
        }
        let page = &mut self.pages[seat.index()];
        let may_start = self.back[seat.index()] || matches!(page, Page::Silent | Page::Failed | Page::Ended);
        let (next, milestone) = match (phase, *page) {
            (Phase::Started, _) if may_start => {
                self.back[seat.index()] = false;
                (Page::Started(now), first(&mut self.started, Milestone::Started))
            }
            (Phase::Connected, Page::Started(since)) => {
                let setup = setup_ms.map_or(now.since(since), Duration::from_millis);
                (Page::Connected, first(&mut self.connected, Milestone::Connected { setup, relayed }))
            }
            (Phase::Failed, Page::Started(_) | Page::Connected) => {
                let reason = reason.unwrap_or(FailReason::Other);
                (Page::Failed, first(&mut self.failed, Milestone::Failed(reason)))
            }
            (Phase::Ended, Page::Started(_) | Page::Connected | Page::Failed) => (Page::Ended, None),
            _ => return Err(INVALID_REPORT),
        };
        *page = next;
        Ok(milestone)
    }

    /// A member is back, with the same page or with a new one.
    pub(crate) fn back(&mut self, seat: Seat) {
        self.back[seat.index()] = true;
    }

    /// Whether media flow, as far as either page says.
    pub(crate) fn is_active(&self) -> bool {
        self.pages.iter().any(|page| matches!(page, Page::Connected))
    }
}

/// The milestone, the first time.
fn first(seen: &mut bool, milestone: Milestone) -> Option<Milestone> {
    (!std::mem::replace(seen, true)).then_some(milestone)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn report(call: &mut Call, seat: Seat, report: Value) -> Result<Option<Milestone>, &'static str> {
        let report: CallReport = serde_json::from_value(report).unwrap();
        call.report(seat, &report, Time(Duration::from_secs(5))).map_err(|failure| failure.code)
    }

    fn phases(phases: &[&str]) -> Result<(), usize> {
        let mut call = Call::default();
        let mut each = phases.iter().enumerate();
        let wrong = each.find(|(_, phase)| report(&mut call, Seat::First, json!({"phase": phase})).is_err());
        wrong.map_or(Ok(()), |(at, _)| Err(at))
    }

    #[test]
    fn reports_follow_an_order() {
        for good in [
            &["started", "connected", "ended"][..],
            &["started", "failed", "started", "connected", "failed", "ended", "started"],
            &["started", "ended"],
        ] {
            assert_eq!(phases(good), Ok(()), "{good:?}");
        }
        for (bad, at) in [
            (&["connected"][..], 0),
            (&["failed"], 0),
            (&["ended"], 0),
            (&["started", "started"], 1),
            (&["started", "connected", "connected"], 2),
            (&["started", "failed", "connected"], 2),
            (&["started", "ended", "ended"], 2),
        ] {
            assert_eq!(phases(bad), Err(at), "{bad:?}");
        }
    }

    #[test]
    fn each_thing_counts_once_for_a_call() {
        let mut call = Call::default();
        let (one, other) = (Seat::First, Seat::Second);
        assert_eq!(report(&mut call, one, json!({"phase": "started"})), Ok(Some(Milestone::Started)));
        assert_eq!(report(&mut call, other, json!({"phase": "started"})), Ok(None));
        let connected = json!({"phase": "connected", "setupMs": 120, "relayed": true});
        let milestone = Milestone::Connected { setup: Duration::from_millis(120), relayed: Some(true) };
        assert_eq!(report(&mut call, other, connected.clone()), Ok(Some(milestone)));
        assert!(call.is_active());
        assert_eq!(report(&mut call, one, connected), Ok(None));
        let failed = |reason| json!({"phase": "failed", "reason": reason});
        let milestone = Milestone::Failed(FailReason::Ice);
        assert_eq!(report(&mut call, one, failed("ice")), Ok(Some(milestone)));
        assert_eq!((report(&mut call, other, failed("timeout")), call.is_active()), (Ok(None), false));
    }

    #[test]
    fn fields_belong_to_their_phase() {
        for bad in [
            json!({"phase": "started", "setupMs": 1}),
            json!({"phase": "started", "relayed": true}),
            json!({"phase": "started", "reason": "ice"}),
        ] {
            assert_eq!(report(&mut Call::default(), Seat::First, bad), Err("invalid_report"));
        }
        let mut call = Call::default();
        let first = Seat::First;
        report(&mut call, first, json!({"phase": "started"})).unwrap();
        for bad in [
            json!({"phase": "connected", "setupMs": 120_001}),
            json!({"phase": "connected", "reason": "ice"}),
            json!({"phase": "failed", "setupMs": 1}),
        ] {
            assert_eq!(report(&mut call, first, bad), Err("invalid_report"));
        }
        assert!(report(&mut call, first, json!({"phase": "connected", "setupMs": 120_000})).is_ok());
    }

    #[test]
    fn whoever_is_back_goes_on_or_starts_anew() {
        let (started, connected) = (json!({"phase": "started"}), json!({"phase": "connected", "setupMs": 1}));
        for next in [&started, &connected] {
            let mut call = Call::default();
            report(&mut call, Seat::First, started.clone()).unwrap();
            call.back(Seat::First);
            assert!(report(&mut call, Seat::First, next.clone()).is_ok());
        }
        let mut call = Call::default();
        call.back(Seat::First);
        report(&mut call, Seat::First, started.clone()).unwrap();
        assert_eq!(report(&mut call, Seat::First, started), Err("invalid_report"));
    }
}
