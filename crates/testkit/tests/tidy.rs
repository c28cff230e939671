//! The rules of the source tree that no compiler checks: which crate may depend on which, and what a file must have or
//! must not contain. Each rule is a function over a manifest or a text, so that the samples at the end prove it can fail.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The longest a source file may get; most are a fifth of it.
const LINES_MAX: usize = 800;

/// The workspace's own crates that each of them may depend on. Whoever is not listed here does not belong yet.
const MAY_DEPEND_ON: [(&str, &[&str]); 9] = [
    ("throng-protocol", &[]),
    ("throng-backbone", &[]),
    ("throng-lobby", &["throng-backbone"]),
    ("throng-node", &["throng-backbone", "throng-protocol"]),
    ("throng-apps", &["throng-backbone", "throng-node", "throng-lobby"]),
    ("throng-bench", &["throng-protocol"]),
    ("throng-bench-pairing", &["throng-backbone", "throng-lobby"]),
    ("throng-testkit", &["throng-backbone", "throng-protocol", "throng-node"]),
    (
        "throng",
        &["throng-backbone", "throng-protocol", "throng-node", "throng-lobby", "throng-apps", "throng-bench"],
    ),
];

/// What the pure crate must do without: sockets, tasks, randomness, logs.
const IMPURE: [&str; 8] = ["tokio", "mio", "socket2", "rustix", "getrandom", "rand", "tracing", "log"];

/// File names that say nothing about what is inside.
const VAGUE: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "misc"];

#[test]
fn crates_depend_only_downwards() {
    assert_eq!(problems_of_packages(&packages()), Vec::<String>::new());
}

#[test]
fn sources_keep_the_rules() {
    let files = tracked_files();
    let sources = files.iter().filter(|path| is_code(path));
    let problems: Vec<String> = sources.flat_map(|path| problems_of_source(path, &read(path))).collect();
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn lock_files_name_no_host_to_download_from() {
    let locks: Vec<_> =
        tracked_files().into_iter().filter(|path| path.ends_with("package-lock.json")).collect();
    assert!(!locks.is_empty(), "the lock files are not where this test looks");
    let bound: Vec<_> = locks.iter().filter(|path| read(path).contains("\"resolved\"")).collect();
    assert!(
        bound.is_empty(),
        "npm binds these to a host without omit-lockfile-registry-resolved=true: {bound:?}"
    );
}

/// What is wrong with the dependencies of the workspace's packages, as `cargo metadata` lists them.
fn problems_of_packages(packages: &[Value]) -> Vec<String> {
    let own: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("every package has a name");
        let Some((_, allowed)) = MAY_DEPEND_ON.iter().find(|(listed, _)| *listed == name) else {
            problems.push(format!("{name} has no place in the order of crates"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().expect("every package lists its dependencies");
        // Tests may use anything of ours: a dev-dependency is not part of what a crate is.
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"] != "dev") {
            let on = dependency["name"].as_str().expect("every dependency has a name");
            if own.contains(on) && !allowed.contains(&on) {
                problems.push(format!("{name} depends on {on}"));
            }
            if on == "redis" && name != "throng-backbone" {
                problems.push(format!("{name} depends on redis, which is for throng-backbone alone"));
            }
            if name == "throng-protocol" && IMPURE.contains(&on) {
                problems.push(format!("{name} is pure and depends on {on}"));
            }
        }
    }
    problems
}

/// What is wrong with one source file. `path` is relative to the root of the project.
fn problems_of_source(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if VAGUE.contains(&stem) {
        problems.push(format!("{path}: the name says nothing about what is inside"));
    }
    if path.ends_with(".rs") && !text.starts_with("//!") {
        problems.push(format!("{path}: no //! header says what it is"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        problems.push(format!("{path}: {lines} lines, more than {LINES_MAX}"));
    }
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for (needle, why) in forbidden_in(path).iter().filter(|(needle, _)| line.contains(needle)) {
            problems.push(format!("{path}:{}: {needle} {why}", number + 1));
        }
    }
    problems
}

/// What a file at `path` must not contain, and why. Written in two parts so that this file does not contain it either.
fn forbidden_in(path: &str) -> &'static [(&'static str, &'static str)] {
    const UNFINISHED: (&str, &str) = (concat!("to", "do!("), "is not an implementation");
    const IGNORED: (&str, &str) = (concat!("#[", "ignore"), "hides a test that fails");
    const PRINTED: (&str, &str) = (concat!("print", "ln!("), "in a library goes past the logs");
    const SKIPPED: (&str, &str) = (concat!(".sk", "ip("), "hides a test that fails");
    const ALONE: (&str, &str) = (concat!(".on", "ly("), "hides all the other tests");
    if !path.ends_with(".rs") {
        &[SKIPPED, ALONE]
    } else if is_library(path) {
        &[UNFINISHED, IGNORED, PRINTED]
    } else {
        &[UNFINISHED, IGNORED]
    }
}

/// Whether a Rust file belongs to a library: under `src` of a workspace member, and of no binary.
fn is_library(path: &str) -> bool {
    let member = path.starts_with("crates/") || path.starts_with("bench/driver/");
    member && path.contains("/src/") && !path.contains("/bin/") && !path.ends_with("/main.rs")
}

/// Whether a file is source code of ours in a language that these rules speak of.
fn is_code(path: &str) -> bool {
    [".rs", ".mjs", ".js", ".ts", ".tsx", ".py"].iter().any(|ending| path.ends_with(ending))
}

/// The workspace's packages, from their manifests alone.
fn packages() -> Vec<Value> {
    let text = output(Command::new(env!("CARGO")).args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version=1",
    ]));
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("the metadata lists the packages").clone()
}

/// Every file that git tracks or would, relative to the root of the project.
fn tracked_files() -> Vec<String> {
    let listed = output(Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]));
    let files: Vec<String> =
        listed.lines().filter(|path| root().join(path).exists()).map(str::to_owned).collect();
    assert!(
        files.iter().any(|path| path == "crates/testkit/tests/tidy.rs"),
        "git lists other files than these"
    );
    files
}

fn output(command: &mut Command) -> String {
    let done =
        command.current_dir(root()).output().expect("the tool is installed wherever the project is built");
    assert!(done.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("paths and manifests are UTF-8")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rules on samples that break them: a rule that accepts everything would be found here.
mod samples {
    use serde_json::json;

    use super::*;

    fn check_package(name: &str, dependencies: Value, expect: &[&str]) {
        let others = ["throng-protocol", "throng-node", "throng-apps", "throng-testkit"]
            .iter()
            .filter(|other| **other != name)
            .map(|other| json!({"name": other, "dependencies": []}));
        let packages: Vec<Value> =
            others.chain([json!({"name": name, "dependencies": dependencies})]).collect();
        assert_eq!(problems_of_packages(&packages), expect);
    }

    #[test]
    fn an_upward_dependency_is_found() {
        check_package(
            "throng-node",
            json!([{"name": "throng-apps", "kind": null}]),
            &["throng-node depends on throng-apps"],
        );
    }

    #[test]
    fn an_app_may_not_reach_below_the_public_api() {
        check_package(
            "throng-apps",
            json!([{"name": "throng-protocol", "kind": null}, {"name": "throng-node", "kind": null}]),
            &["throng-apps depends on throng-protocol"],
        );
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        check_package("throng-node", json!([{"name": "throng-testkit", "kind": "dev"}]), &[]);
        check_package(
            "throng-node",
            json!([{"name": "throng-testkit", "kind": null}]),
            &["throng-node depends on throng-testkit"],
        );
    }

    #[test]
    fn the_pure_crate_may_not_do_io() {
        check_package(
            "throng-protocol",
            json!([{"name": "bytes", "kind": null}, {"name": "tokio", "kind": null}]),
            &["throng-protocol is pure and depends on tokio"],
        );
    }

    #[test]
    fn redis_is_for_the_backbone_alone() {
        check_package(
            "throng-node",
            json!([{"name": "redis", "kind": null}]),
            &["throng-node depends on redis, which is for throng-backbone alone"],
        );
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        check_package("throng-new", json!([]), &["throng-new has no place in the order of crates"]);
    }

    fn check_source(path: &str, text: &str, expect: &[&str]) {
        let problems = problems_of_source(path, text);
        assert_eq!(problems.len(), expect.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(expect) {
            assert!(problem.contains(part), "{problem} does not say {part}");
        }
    }

    #[test]
    fn a_good_file_passes() {
        check_source("crates/node/src/room.rs", "//! A room.\nfn f() {}\n", &[]);
        check_source("e2e/tests/room.test.mjs", "test('x', f);\n", &[]);
    }

    #[test]
    fn a_missing_header_is_found() {
        check_source("crates/node/src/room.rs", "fn f() {}\n", &["no //! header"]);
    }

    #[test]
    fn a_vague_name_is_found() {
        check_source("crates/node/src/utils.rs", "//! All sorts.\n", &["says nothing"]);
    }

    #[test]
    fn a_long_file_is_found() {
        let text = format!("//! Long.\n{}", "fn f() {}\n".repeat(LINES_MAX));
        check_source("crates/node/src/room.rs", &text, &["801 lines"]);
    }

    #[test]
    fn hidden_tests_and_unfinished_code_are_found() {
        let text = concat!("//! T.\n#[", "ignore]\nfn f() { to", "do!() }\n");
        check_source("crates/node/src/room.rs", text, &["hides a test", "is not an implementation"]);
        check_source("e2e/tests/room.test.mjs", concat!("test.sk", "ip('x', f);\n"), &["hides a test"]);
        check_source("web/src/room.test.ts", concat!("it.on", "ly('x', f);\n"), &["all the other tests"]);
    }

    #[test]
    fn printing_is_for_binaries_and_examples() {
        let text = concat!("//! P.\nfn f() { print", "ln!(\"x\") }\n");
        check_source("crates/node/src/room.rs", text, &["past the logs"]);
        check_source("crates/throng/src/main.rs", text, &[]);
        check_source("crates/throng/examples/echo.rs", text, &[]);
        check_source("bench/driver/src/bin/compare/main.rs", text, &[]);
    }

    #[test]
    fn a_comment_may_speak_of_what_code_may_not_do() {
        check_source("crates/node/src/room.rs", concat!("//! C.\n    // no to", "do!() here\n"), &[]);
    }
}
