//! What doors write to each other: letters to the keeper, its news, and what it has for their clients.

use serde_json::Value;
use throng_lobby::User;
use throng_node::{Id, NodeTag, Peers};
use tokio::time::Instant;

use super::{Door, Inside, Keeper, Stand};
use crate::rooms::guest::Telling;
use crate::rooms::hall::Hall;
use crate::rooms::letter::{self, Body, Fate, Letter, News, Said, Sending};

impl Door {
    /// What is in a letter that has to be done in the order in which letters come. Gives back the others.
    pub(in crate::rooms) fn take_in(&self, letter: Letter) -> Result<Option<Value>, Box<Letter>> {
        let Some(hall) = self.kept(letter.fence) else { return Ok(None) };
        let Letter { tenant, from, fence, body } = letter;
        match body {
            Body::Arrive(name) => return Ok(hall.arrive_there(name, from).then_some(Value::Bool(true))),
            Body::Roll(part) => hall.call_roll(from, part),
            body => {
                if let Err(body) = perform(&hall, body, Some(from)) {
                    return Err(Box::new(Letter { tenant, from, fence, body }));
                }
            }
        }
        Ok(Some(Value::Bool(true)))
    }

    /// News of a keeper have come.
    pub(in crate::rooms) fn hear(&self, news: News) {
        let keeper = Keeper { node: news.keeper, fence: news.fence };
        let mut inside = self.inside();
        if news.fence < inside.fence {
            return;
        }
        inside.heard = Instant::now();
        let is_known = matches!(&inside.stand, Stand::Following(known) if *known == keeper);
        match news.said {
            Said::Released if is_known => self.turn(&mut inside, Stand::Seeking),
            Said::Released => {}
            Said::Kept { rolled, figures } => {
                inside.figures = *figures;
                let me = self.peers.as_ref().map(Peers::me);
                if !is_known {
                    inside.fence = news.fence;
                    self.turn(&mut inside, Stand::Following(keeper));
                    self.call_roll(&mut inside, keeper);
                } else if inside.roster.needs_calling(rolled.iter().find(|rolled| Some(rolled.node) == me)) {
                    self.call_roll(&mut inside, keeper);
                }
            }
        }
    }

    /// A keeper has something for a client of this node, unless another keeps the hall by now.
    pub(in crate::rooms) fn pass_on(&self, telling: Telling, payload: Option<Value>) {
        let contact = {
            let mut inside = self.inside();
            if telling.fence < inside.fence {
                return;
            }
            inside.roster.hear(telling.roll, telling.number);
            inside.roster.find(telling.id)
        };
        let Some(contact) = contact else { return };
        match payload {
            Some(payload) => contact.tell(&telling.event, payload, &telling.meaning),
            None => contact.tell(&telling.event, (), &telling.meaning),
        }
    }

    /// Tells a keeper who is connected here. The lock is held, so that nobody comes or goes in between.
    fn call_roll(&self, inside: &mut Inside, keeper: Keeper) {
        for part in inside.roster.call() {
            let ids = part.listed.iter().map(|listed| listed.name.id).collect();
            self.see_through(self.write(keeper, Body::Roll(part)), ids);
        }
    }

    /// Waits for a letter to arrive. These sockets then are nobody new to the keeper; if it does not, the roll is called anew.
    pub(super) fn see_through(&self, sending: Sending, ids: Vec<Id>) {
        let me = self.me.clone();
        tokio::spawn(async move {
            let fate = sending.await;
            let Some(door) = me.upgrade() else { return };
            let mut inside = door.inside();
            match fate {
                Fate::Answered(_) => inside.roster.are_known(&ids),
                Fate::Returned | Fate::Lost => inside.roster.fall_behind(),
            }
        });
    }

    pub(super) fn write(&self, keeper: Keeper, body: Body) -> Sending {
        self.write_again(keeper, body).0
    }

    /// Gives back what was written, should it have to be written again.
    pub(super) fn write_again(&self, keeper: Keeper, body: Body) -> (Sending, Body) {
        let me = self.peers.as_ref().map_or(keeper.node, Peers::me);
        let letter = Letter { tenant: (&*self.site.tenant).into(), from: me, fence: keeper.fence, body };
        let sending = letter::send(&self.site.io, self.site.app.namespace, (keeper.node, &letter));
        (sending, letter.body)
    }
}

/// Does what somebody's connection to a node does, this one unless another is named, or gives back what else there is.
pub(super) fn perform(hall: &Hall, body: Body, node: Option<NodeTag>) -> Result<(), Body> {
    match body {
        Body::Depart(name) => hall.depart(&User::from(name.user), name.id, node),
        Body::Dismiss(name, dismissal) => {
            hall.dismiss(&User::from(name.user), name.id, node, dismissal);
        }
        Body::Confirm(user, room) => hall.confirm(&User::from(user), &room),
        other => return Err(other),
    }
    Ok(())
}
