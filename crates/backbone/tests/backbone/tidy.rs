//! That no store misses a case: each case is in the list, and each store runs the list.

use std::path::Path;

const MAIN: &str = include_str!("main.rs");

/// What runs all of the list on one store; a macro call that is missing here would be a store without cases.
const STORES: [&str; 4] = ["memory", "single", "sentinel", "cluster"];

#[test]
fn every_case_is_listed_and_every_store_runs_the_list() {
    assert_eq!(problems(MAIN), Vec::<String>::new());
}

#[test]
fn what_is_missing_is_found() {
    let case = "one_of_many_gets_the_lease,";
    assert!(MAIN.contains(case));
    assert_eq!(problems(&MAIN.replace(case, "")).len(), 1);
    for store in STORES {
        for instead in [String::new(), format!("// {}", call(store))] {
            assert_eq!(problems(&MAIN.replace(&call(store), &instead)).len(), 1);
        }
    }
    assert_eq!(
        problems(&MAIN.replace("            leases:\n", "            others:\n")),
        ["no store runs leases"]
    );
}

fn problems(main: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let (_, list) = main.split_once("$then! {").expect("the list of cases");
    let (list, _) = list.split_once("    };").expect("the end of the list");
    for (module, text) in cases() {
        let Some((_, cases)) = list.split_once(&format!("            {module}:\n")) else {
            problems.push(format!("no store runs {module}"));
            continue;
        };
        let (cases, _) = cases.split_once(';').expect("the end of the module");
        let listed: Vec<&str> = cases.split(',').map(str::trim).collect();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("pub(crate) async fn ") else { continue };
            let (name, _) = rest.split_once('(').expect("a case has arguments");
            if !listed.contains(&name) {
                problems.push(format!("no store runs {module}::{name}"));
            }
        }
    }
    let missing = STORES.iter().filter(|store| main.lines().all(|line| line != call(store)));
    problems.extend(missing.map(|store| format!("{store} runs no case")));
    problems
}

/// The files of cases: names and texts.
fn cases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backbone/cases");
    let files = std::fs::read_dir(folder).expect("there are cases");
    let mut cases: Vec<_> = files
        .map(|file| {
            let path = file.expect("the folder can be read").path();
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a case is a text"))
        })
        .collect();
    cases.sort_unstable();
    cases
}

fn call(store: &str) -> String {
    format!("with_cases!(suite, {store});")
}
