//! Files that change under a node.

use std::path::Path;

use tempfile::TempDir;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::*;

/// What a node holds on to: the folder with its file, and the layer that its log goes through.
type Alive = (TempDir, reload::Layer<EnvFilter, Registry>);

/// A node that read its file, of this text.
fn started(text: &str) -> (Alive, Reloader) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("throng.toml");
    std::fs::write(&file, text).unwrap();
    let sources = Sources { file: Some(file), ..Sources::default() };
    let (config, values) = sources.read().accepted().unwrap();
    let spare = Secret::from("spare");
    let policy = Sender::new(Arc::new(Reloadable::of(&config, &spare)));
    let (layer, handle) = reload::Layer::new(log::filter("info").unwrap());
    let target = Target { log: log::Handle::of(handle), policy };
    ((folder, layer), Reloader::new(sources, values, spare, target))
}

fn keys(names: &[&str]) -> Vec<Key> {
    names.iter().map(|name| Key::dotted(name)).collect()
}

#[test]
fn what_may_change_is_applied_and_the_rest_is_kept() {
    let ((folder, _layer), mut reloader) = started("port = 1\nlimits.api_burst = 5\n");
    let text = "port = 2\nauth.cookie = 'c'\ntenants.list.acme.rooms_max = 7\nfeatures.quick.percent = 5\ndebate.grace = '9s'\n";
    std::fs::write(folder.path().join("throng.toml"), text).unwrap();
    let expect = Outcome::Taken {
        applied: keys(&["features.quick.percent", "limits.api_burst", "tenants.list.acme.rooms_max"]),
        kept: keys(&["auth.cookie", "debate.grace", "port"]),
    };
    assert_eq!(reloader.read_again(), expect);
    let policy = reloader.target.policy.borrow().clone();
    assert_eq!((policy.limits.api_burst, policy.tenants.list["acme"].rooms_max), (20, 7));
    assert_eq!((policy.auth.cookie.as_str(), policy.auth.secret.expose()), ("token", "spare"));
    let Outcome::Taken { applied, kept } = reloader.read_again() else { panic!("refused") };
    assert_eq!(policy.features["quick"].percent, 5);
    assert_eq!(
        (applied, kept),
        (vec![], keys(&["auth.cookie", "debate.grace", "port"])),
        "still waiting for a restart"
    );
}

#[test]
fn a_broken_file_changes_nothing() {
    let ((folder, _layer), mut reloader) = started("limits.api_burst = 5\n");
    let before = reloader.target.policy.borrow().clone();
    for text in ["limits.api_burst = 6\nprot = 1\n", "limits.api_burst = \n"] {
        std::fs::write(folder.path().join("throng.toml"), text).unwrap();
        assert!(matches!(reloader.read_again(), Outcome::Refused(_)), "{text}");
        assert_eq!(*reloader.target.policy.borrow(), before);
    }
}

#[test]
fn another_certificate_is_taken_and_tls_itself_needs_a_restart() {
    let ((folder, _layer), mut reloader) = started("");
    let pair = rcgen::KeyPair::generate().unwrap();
    let written = |name: &str, pem: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let key = written("key", pair.serialize_pem());
    let tls = |name: &str| {
        let made =
            rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&pair).unwrap();
        format!("[tls]\ncertificate = '{}'\nkey = '{key}'\n", written(name, made.pem()))
    };
    std::fs::write(folder.path().join("throng.toml"), tls("a")).unwrap();
    let both = keys(&["tls.certificate", "tls.key"]);
    assert_eq!(reloader.read_again(), Outcome::Taken { applied: vec![], kept: both });

    let ((other, _layer), mut reloader) = started(&tls("a"));
    std::fs::write(other.path().join("throng.toml"), tls("b")).unwrap();
    let expect = Outcome::Taken { applied: keys(&["tls.certificate"]), kept: vec![] };
    assert_eq!(reloader.read_again(), expect);
    let names: Vec<_> = files(&reloader.sources, &reloader.target.policy.borrow())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["throng.toml", "b", "key"]);
}

#[test]
fn production_is_not_left_by_a_new_file() {
    let safe = "profile = 'production'\norigins = ['https://a.example']\nauth.secret = '0123456789abcdef0123456789abcdef'\n";
    let ((folder, _layer), mut reloader) = started(safe);
    std::fs::write(folder.path().join("throng.toml"), "profile = 'development'\n").unwrap();
    assert!(matches!(reloader.read_again(), Outcome::Refused(_)));
}

#[test]
fn the_log_level_follows_the_file_and_a_change_by_hand_stays() {
    let ((folder, _layer), mut reloader) = started("");
    let level = |reloader: &Reloader| reloader.target.log.now();
    reloader.target.log.set("trace").unwrap();
    reloader.read_again();
    assert_eq!(level(&reloader), "audit=info,trace");
    std::fs::write(folder.path().join("throng.toml"), "log.level = 'warn'\n").unwrap();
    reloader.read_again();
    assert_eq!(level(&reloader), "audit=info,warn");
}

/// Watches one file of a folder, changes it, and waits until that is noticed.
async fn check_noticed(prepare: impl Fn(&Path), change: impl Fn(&Path)) {
    let folder = TempDir::new().unwrap();
    prepare(folder.path());
    let mut watch = Watch::start(vec![folder.path().join("throng.toml")]).unwrap();
    change(folder.path());
    assert_eq!(watch.changed().await, "file");
}

fn write(file: impl AsRef<Path>) {
    std::fs::write(file, "port = 1\n").unwrap();
}

#[tokio::test]
async fn a_file_that_is_written_is_noticed() {
    check_noticed(
        |folder| std::fs::write(folder.join("throng.toml"), "").unwrap(),
        |folder| write(folder.join("throng.toml")),
    )
    .await;
}

#[tokio::test]
async fn a_file_that_an_editor_replaces_is_noticed() {
    let replace = |folder: &Path| {
        write(folder.join("new"));
        std::fs::rename(folder.join("new"), folder.join("throng.toml")).unwrap();
    };
    check_noticed(|folder| std::fs::write(folder.join("throng.toml"), "").unwrap(), replace).await;
}

#[tokio::test]
async fn a_link_that_kubernetes_swaps_is_noticed() {
    use std::os::unix::fs::symlink;
    let prepare = |folder: &Path| {
        std::fs::create_dir(folder.join("..1")).unwrap();
        std::fs::write(folder.join("..1/throng.toml"), "").unwrap();
        symlink("..1", folder.join("..data")).unwrap();
        symlink("..data/throng.toml", folder.join("throng.toml")).unwrap();
    };
    let swap = |folder: &Path| {
        std::fs::create_dir(folder.join("..2")).unwrap();
        write(folder.join("..2/throng.toml"));
        symlink("..2", folder.join("..data_new")).unwrap();
        std::fs::rename(folder.join("..data_new"), folder.join("..data")).unwrap();
    };
    check_noticed(prepare, swap).await;
}
