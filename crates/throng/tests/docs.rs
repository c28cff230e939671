//! What the documents show is what is committed.

use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn readme_shows_the_examples_as_they_are() {
    let readme = read("README.md");
    for path in ["crates/throng/examples/chat.rs", "crates/throng/examples/echo.rs"] {
        let code = read(path);
        assert!(
            readme.contains(&format!("<!-- {path} -->\n```rust\n{code}```\n")),
            "{path} differs from the README"
        );
        assert!(code.lines().count() < 80, "{path} is too long to be shown");
    }
}

#[test]
fn every_relative_link_of_a_document_leads_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/configuration.md",
        "docs/debate.md",
        "docs/roulette.md",
        "docs/identity.md",
        "docs/tenants.md",
        "docs/edge.md",
        "docs/fleets.md",
        "docs/publish.md",
        "docs/backbone.md",
        "docs/faults.md",
        "docs/lobby.md",
        "docs/recovery.md",
        "bench/README.md",
        "docs/operations.md",
        "docs/events.md",
        "docs/experiments.md",
        "docs/analytics.md",
    ] {
        let text = read(document);
        let folder = Path::new(document).parent().expect("a file has a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let target = target.split('#').next().unwrap_or(target);
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            assert!(root.join(folder).join(target).exists(), "{document} links to {target}");
        }
    }
}
