//! Asks every shard something, waits for a bounded time, and says how many did not answer.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::envelope::Errand;
use crate::node::Node;
use crate::shard::survey::Survey;

/// How long shards may take. One that takes longer is busy or gone; what the others said is shown without it.
const DEADLINE: Duration = Duration::from_secs(1);

/// The answers.
#[derive(Debug)]
pub(crate) struct Gathered<T> {
    pub(crate) answers: Vec<T>,
    /// Some shard has not answered in time.
    pub(crate) partial: bool,
}

/// Asks all shards.
pub(crate) async fn all<T>(node: &Node, question: impl Fn(mpsc::Sender<T>) -> Survey) -> Gathered<T> {
    some(node, 0..node.ports.len(), question).await
}

/// Asks one shard.
pub(crate) async fn one<T>(
    node: &Node,
    shard: usize,
    question: impl Fn(mpsc::Sender<T>) -> Survey,
) -> Gathered<T> {
    some(node, shard..(shard + 1).min(node.ports.len()).max(shard), question).await
}

async fn some<T>(
    node: &Node,
    shards: std::ops::Range<usize>,
    question: impl Fn(mpsc::Sender<T>) -> Survey,
) -> Gathered<T> {
    let asked = shards.len();
    let (answer, mut answers) = mpsc::channel(asked.max(1));
    for shard in shards {
        node.errand(shard, Errand::Survey(question(answer.clone())));
    }
    drop(answer);
    let mut gathered = Gathered { answers: Vec::with_capacity(asked), partial: false };
    let gather = async {
        while let Some(answer) = answers.recv().await {
            gathered.answers.push(answer);
        }
    };
    // What came in time counts.
    let _ = tokio::time::timeout(DEADLINE, gather).await;
    gathered.partial = gathered.answers.len() < asked;
    gathered
}
