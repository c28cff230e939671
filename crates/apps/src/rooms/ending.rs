//! Every way in which a room can end, and what each of the two is told of it. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use super::room::{Seat, Stage};

/// What ends a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The clock ran out.
    Time,
    /// A member left, or blocked the other.
    Left(Seat),
    /// A member goes on to the next partner.
    Next(Seat),
    /// A member vanished and did not come back in time.
    Gone(Seat),
    /// A member reported the other.
    Reported(Seat),
    /// The node is going away.
    Drain,
    /// An operator ended a member's connection.
    Operator(Seat),
}

/// Why a room ended, as both are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The clock ran out.
    Time,
    /// One of the two left.
    Left,
    /// One of the two vanished and did not come back in time.
    PartnerGone,
    /// One of the two reported the other.
    Reported,
    /// The server is going away.
    Drain,
    /// An operator ended the connection of one of the two.
    Operator,
}

/// What comes next for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Next {
    /// It waits again, and what it has waited before counts.
    Waiting,
    /// `room:next` finds another partner.
    Offered,
    /// Nothing here.
    None,
}

impl Reason {
    /// Every reason, for counts that start at zero.
    pub(crate) const ALL: [Self; 6] =
        [Self::Time, Self::Left, Self::PartnerGone, Self::Reported, Self::Drain, Self::Operator];

    /// As the wire has it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Left => "left",
            Self::PartnerGone => "partner_gone",
            Self::Reported => "reported",
            Self::Drain => "drain",
            Self::Operator => "operator",
        }
    }
}

impl Cause {
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Time => Reason::Time,
            Self::Left(_) | Self::Next(_) => Reason::Left,
            Self::Gone(_) => Reason::PartnerGone,
            Self::Reported(_) => Reason::Reported,
            Self::Drain => Reason::Drain,
            Self::Operator(_) => Reason::Operator,
        }
    }

    /// Who ended it, if it was one of the two.
    pub(crate) fn by(self) -> Option<Seat> {
        match self {
            Self::Left(seat)
            | Self::Next(seat)
            | Self::Gone(seat)
            | Self::Reported(seat)
            | Self::Operator(seat) => Some(seat),
            Self::Time | Self::Drain => None,
        }
    }

    /// What comes next for a member of a room that ended in this stage.
    pub(crate) fn next(self, stage: Stage, seat: Seat) -> Next {
        match self {
            Self::Drain => Next::None,
            Self::Operator(by) if by == seat => Next::None,
            Self::Next(by) if by == seat => Next::Waiting,
            // It never began for the other, who has done nothing to deserve it.
            _ if stage != Stage::Active && self.by().is_some_and(|by| by != seat) => Next::Waiting,
            _ => Next::Offered,
        }
    }
}

#[cfg(test)]
mod tests {
    use throng_lobby::Time;

    use super::*;

    #[test]
    fn what_comes_next_depends_on_who_ended_it_and_when() {
        let (waiting, active) = (Stage::Waiting { until: Time::default() }, Stage::Active);
        let (me, other) = (Seat::First, Seat::Second);
        for (cause, stage, mine, theirs) in [
            (Cause::Time, active, Next::Offered, Next::Offered),
            (Cause::Left(me), active, Next::Offered, Next::Offered),
            (Cause::Next(me), active, Next::Waiting, Next::Offered),
            (Cause::Gone(me), active, Next::Offered, Next::Offered),
            (Cause::Drain, active, Next::None, Next::None),
            (Cause::Operator(me), active, Next::None, Next::Offered),
            (Cause::Time, waiting, Next::Offered, Next::Offered),
            (Cause::Left(me), waiting, Next::Offered, Next::Waiting),
            (Cause::Next(me), waiting, Next::Waiting, Next::Waiting),
            (Cause::Gone(me), waiting, Next::Offered, Next::Waiting),
            (Cause::Reported(me), waiting, Next::Offered, Next::Waiting),
            (Cause::Operator(me), waiting, Next::None, Next::Waiting),
            (Cause::Drain, waiting, Next::None, Next::None),
        ] {
            assert_eq!(
                [cause.next(stage, me), cause.next(stage, other)],
                [mine, theirs],
                "{cause:?} {stage:?}"
            );
        }
    }
}
