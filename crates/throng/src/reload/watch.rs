//! When to read the configuration again: SIGHUP, or other bytes in one of its files. Editors replace a file, Kubernetes
//! swaps a symbolic link above it; so the folders are watched, and what the files hold decides.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Silence after which a file counts as written to its end.
const QUIET: Duration = Duration::from_millis(200);
/// The longest that a busy folder may hold a change back.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// The files of a configuration, and the signal.
pub(crate) struct Watch {
    hang_ups: Signal,
    /// Something happened in one of the folders.
    stirs: mpsc::Receiver<()>,
    /// Absent where the system offers no such thing; the signal still works.
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    /// What each file held, as a hash; nothing where it cannot be read.
    seen: HashMap<PathBuf, Option<u64>>,
}

impl Watch {
    /// Watches these files, and takes SIGHUP from now on.
    pub(crate) fn start(files: Vec<PathBuf>) -> std::io::Result<Self> {
        let (stir, stirs) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let read = event.is_ok_and(|event| match event.kind {
                EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
                EventKind::Access(_) => true,
                _ => false,
            });
            if !read {
                // A full channel says the same already.
                let _ = stir.try_send(());
            }
        });
        let watcher =
            watcher.inspect_err(|error| tracing::warn!(%error, "files not watched, SIGHUP still works")).ok();
        let hang_ups = signal(SignalKind::hangup())?;
        let mut watch = Self { hang_ups, stirs, watcher, folders: BTreeSet::new(), seen: HashMap::new() };
        watch.follow(files);
        Ok(watch)
    }

    /// Watches these files from now on. Of a file that was watched already no change is lost, even one since the last look.
    pub(crate) fn follow(&mut self, files: Vec<PathBuf>) {
        let folders: BTreeSet<PathBuf> = files.iter().flat_map(|file| folders_of(file)).collect();
        if let Some(watcher) = &mut self.watcher {
            for gone in self.folders.difference(&folders) {
                // A folder that vanished is watched no more anyway.
                let _ = watcher.unwatch(gone);
            }
            for folder in folders.difference(&self.folders) {
                if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                    tracing::warn!(%error, folder = %folder.display(), "folder not watched, SIGHUP still works");
                }
            }
        }
        self.folders = folders;
        let mut before = std::mem::take(&mut self.seen);
        let seen = |file: PathBuf| match before.remove(&file) {
            Some(seen) => (file, seen),
            None => (file.clone(), hash(&file)),
        };
        self.seen = files.into_iter().map(seen).collect();
    }

    /// Completes when there is a reason to read the configuration again, and names it.
    pub(crate) async fn changed(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.hang_ups.recv() => {
                    self.look();
                    return "SIGHUP";
                }
                Some(()) = self.stirs.recv() => {}
            }
            let patience = Instant::now() + BUSY_MAX;
            while timeout_at(patience.min(Instant::now() + QUIET), self.stirs.recv()).await.is_ok() {}
            if self.look() {
                return "file";
            }
        }
    }

    /// Whether any file holds something else than at the last look.
    fn look(&mut self) -> bool {
        let mut differs = false;
        for (file, seen) in &mut self.seen {
            let now = hash(file);
            differs |= std::mem::replace(seen, now) != now;
        }
        differs
    }
}

/// The folder of the name, and the one of what it leads to.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let real = file.canonicalize().ok();
    let folder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    [Some(folder(file)), real.as_deref().map(folder)].into_iter().flatten().collect()
}

fn hash(file: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    std::fs::read(file).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}
