//! What an app may know of the other nodes of its fleet: who they are, and what all of them share.

use std::sync::Arc;

use throng_backbone::{Backbone, Member};
use tokio::sync::watch;

use crate::ids::NodeTag;
use crate::node::Node;

/// The fleet of a running node, as its apps see it.
#[derive(Debug, Clone)]
pub struct Peers {
    tag: NodeTag,
    backbone: Backbone,
}

impl Peers {
    pub(crate) fn of(node: &Arc<Node>) -> Option<Self> {
        Some(Self { tag: node.tag, backbone: node.cluster.as_ref()?.backbone().clone() })
    }

    /// The name of this node.
    pub fn me(&self) -> NodeTag {
        self.tag
    }

    /// What the nodes share. A key that an app writes must begin with a name of the app's own.
    pub fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// The nodes of the fleet, this one included, as of the last heartbeat.
    pub fn nodes(&self) -> Vec<NodeTag> {
        self.backbone.members().list().iter().filter_map(tag).collect()
    }

    /// Other nodes that stay, as of the last heartbeat.
    pub fn staying(&self) -> Vec<NodeTag> {
        let list = self.backbone.members().list();
        let staying = list.iter().filter(|member| !member.load.draining).filter_map(tag);
        staying.filter(|tag| *tag != self.tag).collect()
    }

    /// Rings when [`Peers::nodes`] may have changed.
    pub fn watch(&self) -> watch::Receiver<Arc<[Member]>> {
        self.backbone.members().watch()
    }
}

fn tag(member: &Member) -> Option<NodeTag> {
    NodeTag::parse(&member.node)
}
