//! What a node may have missed, told to the app.

use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use throng_node::{Broadcast, Recovery};

use crate::Fleet;

#[test]
fn who_may_have_missed_something_is_known_to_the_app() {
    for recovery in [None, Some(Recovery::default())] {
        let gate = Arc::new(Mutex::new(()));
        let (say, held) = mpsc::channel();
        let fleet = Fleet::of(recovery, |_, nsp| {
            let (gate, say) = (gate.clone(), say.clone());
            // Nothing arrives at a node meanwhile.
            nsp.on_server_side("hold", move |_, (): ()| {
                say.send(()).expect("the test listens");
                drop(gate.lock());
                async {}
            });
            nsp.on_missed(|_| async { panic!("it harms nobody") });
            nsp.on_missed(|here: Broadcast| async move { here.emit("heard", "refresh") });
        });
        let [(mut a, _), (mut b, _), (mut c, _)] = fleet.clients();
        let (mut neighbour, _) = fleet.client(1);
        for client in [&mut b, &mut c] {
            client.call("join", "r");
        }
        let shut = gate.lock().expect("nobody panics with it");
        let all = fleet.nodes[0].io().of("/");
        all.server_side_emit("hold", ());
        (0..2).for_each(|_| held.recv().expect("the other nodes are held"));
        // More than may wait for a node, of what is for no socket in the end.
        let large = Bytes::from(vec![0; 8 << 20]);
        (0..9).for_each(|_| all.clone().to("r").except("r").emit("heard", &large));
        drop(shut);
        for client in [&mut b, &mut c] {
            assert_eq!(client.event("heard").decode::<String>().unwrap(), "refresh", "{recovery:?}");
        }
        for client in [&mut a, &mut neighbour] {
            client.emit("me", "nothing was missed");
            assert_eq!(client.event("heard").decode::<String>().unwrap(), "nothing was missed");
        }
    }
}
